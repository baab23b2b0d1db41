"""Who is meant by a name: today's, a short one, one that an organisation bore before, or that of a body merged into it. Pure."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, Literal

import msgspec

from dizuo.foundation.blueprint.model import City, FormerName, Organisation

How = Literal["id", "code", "name", "short", "renamed", "merged"]
_LONGEST: Final = 120


class Named(msgspec.Struct, frozen=True):
    """The organisation that a name means; ``former`` is the name it bore (how: renamed) or that was merged into it (merged)."""

    organisation: str
    how: How
    former: FormerName | None = None


class NamePeriod(msgspec.Struct, frozen=True):
    """One name of an organisation and when it was its name; ``how``: now, renamed or merged."""

    name: str
    start: date | None
    end: date | None
    how: Literal["now", "renamed", "merged"]


def organisation_named(city: City, text: str) -> Named | None:
    """Who is meant: today's names and codes come before those of the past; a former name of two is nobody's (None)."""
    wanted = _plain(text)
    if not wanted or len(wanted) > _LONGEST:
        return None
    for now in (True, False):
        found = {
            one.organisation: one
            for name, one in _names(city)
            if (one.former is None) is now and name == wanted
        }
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            return None
    return None


def near_organisations(city: City, text: str, n: int = 3) -> tuple[str, ...]:
    """Today's full names that look most like a text, best first; for "did you mean"."""
    wanted = _plain(text)[:_LONGEST]
    known: dict[str, str] = {}
    for name, one in _names(city):
        if one.how not in ("id", "code"):
            known.setdefault(name, one.organisation)
    near = [known[name] for name in difflib.get_close_matches(wanted, list(known), n=2 * n, cutoff=0.45)]
    near += [
        known[name]
        for name in known
        if len(wanted) > 1 and (wanted in name or (len(name) > 2 and name in wanted))
    ]
    return tuple(dict.fromkeys(city.organisations[one].name.zh for one in near))[:n]


def names_of(organisation: Organisation) -> tuple[NamePeriod, ...]:
    """Every name of an organisation, today's first, then from the newest to the oldest."""
    own = [one for one in organisation.former if one.how == "renamed"]
    until = max((one.to for one in own), default=None)
    since = until + timedelta(days=1) if until is not None else None
    past = sorted(organisation.former, key=lambda one: (one.to, one.name), reverse=True)
    return (
        NamePeriod(organisation.name.zh, since, None, "now"),
        *(NamePeriod(one.name, one.from_, one.to, one.how) for one in past),
    )


def _names(city: City) -> Iterator[tuple[str, Named]]:
    """Every way to say an organisation, made plain; a full name also without the city's own name before it."""
    for one in city.organisations.values():
        yield _plain(one.id), Named(one.id, "id")
        if one.uscc:
            yield _plain(one.uscc), Named(one.id, "code")
        for text in _shorter(city, one.name.zh):
            yield text, Named(one.id, "name")
        for text in _shorter(city, one.short.zh):
            yield text, Named(one.id, "short")
        for former in one.former:
            if former.uscc:
                yield _plain(former.uscc), Named(one.id, former.how, former)
            for text in _shorter(city, former.name):
                yield text, Named(one.id, former.how, former)


def _shorter(city: City, name: str) -> Iterator[str]:
    full = _plain(name)
    yield full
    for start in (_plain(city.name.zh), "市"):
        if full.startswith(start) and len(full) - len(start) >= 3:
            yield full.removeprefix(start)
    if full.startswith(whole := _plain(city.name.zh)):
        yield "市" + full.removeprefix(whole)


def _plain(text: str) -> str:
    """Full-width and half-width alike, without spaces, small letters."""
    return "".join(unicodedata.normalize("NFKC", text).split()).lower()
