"""Who looks after the sources: holders of the power, and the posts that the sources name, each for their own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from dizuo.engines.lake.review.errors import NotSteward
from dizuo.foundation.blueprint.model import City

POWER: Final = "data.steward"
"""The power that looks after every source and decides about deliveries (数据专员)."""


class Steward(msgspec.Struct, frozen=True):
    """An official who looks after sources. ``account`` is whom the ledger names; ``every``: holds the power; ``sources``: ids of those
    that name one of the official's posts; ``post``: (organisation, post) in which the official looks after them."""

    account: str
    every: bool
    sources: frozenset[str]
    post: tuple[str, str]

    @property
    def within(self) -> list[str] | None:
        """The sources that queries are bounded to, None for all of them."""
        return None if self.every else sorted(self.sources)

    def minds(self, *sources: str) -> bool:
        """Whether one of these sources is the official's to look after."""
        return self.every or not self.sources.isdisjoint(sources)

    def must_mind(self, *sources: str) -> None:
        """Errors: NotSteward when none of these sources is the official's to look after."""
        if not self.minds(*sources):
            raise NotSteward()


def steward_of(
    city: City, account: str, powers: Collection[str], posts: Collection[tuple[str, str]]
) -> Steward:
    """The official as a steward. ``posts``: (organisation, post) of each post held. Errors: NotSteward for one who looks after no source."""
    held, every = sorted(set(posts)), POWER in powers
    mine = [one for one in city.sources.values() if (one.department, one.steward) in held]
    if not every and not mine:
        raise NotSteward()
    # The post that gives the power is named before one that minds a single source.
    named = [one for one in held if every and _empowered(city, *one)]
    named += sorted({(one.department, one.steward) for one in mine})
    return Steward(account, every, frozenset(one.id for one in mine), named[0] if named else ("", ""))


def _empowered(city: City, organisation: str, post: str) -> bool:
    known = city.organisations.get(organisation)
    return known is not None and any(one.id == post and POWER in one.powers for one in known.posts)
