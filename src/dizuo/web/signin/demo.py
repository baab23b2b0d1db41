"""The demonstration's identity provider: choose an invented person (演示数据). Refused outside a demonstration."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Literal, Protocol
from urllib.parse import quote

from dizuo.web.signin.errors import DemoNotAllowed, DemoPersonUnknown
from dizuo.web.signin.model import Begun, Choice, SignedIn

PROVIDER = "demo"


class Demonstration(Protocol):
    """What says whether this is a demonstration: the city."""

    @property
    def demonstration(self) -> bool: ...


class DemoPeople(Protocol):
    """Who lists the invented people: the directory."""

    def demo_people(self) -> Awaitable[Sequence[Choice]]: ...


class DemoSignIn:
    """Signs anybody in as an invented person. Errors: DemoNotAllowed at once when the city is not a demonstration."""

    kind: Literal["demo", "oidc"] = "demo"

    def __init__(self, people: DemoPeople, city: Demonstration, page: str = "/sign-in") -> None:
        self._people = people
        self._city = city
        self._page = page
        self._check()

    async def choices(self) -> Sequence[Choice]:
        self._check()
        return await self._people.demo_people()

    async def begin(self, back: str) -> Begun:
        self._check()
        return Begun(f"{self._page}?next={quote(back, safe='/')}", "")

    async def finish(self, answer: Mapping[str, str], kept: str) -> SignedIn:
        """`answer` holds `who`, a key of the list, and `next`. Errors: DemoNotAllowed, DemoPersonUnknown."""
        self._check()
        key = answer.get("who", "")
        for person in await self._people.demo_people():
            if person.key == key:
                return SignedIn(person.name, answer.get("next", "/") or "/", PROVIDER, account=person.account)
        raise DemoPersonUnknown()

    async def close(self) -> None:
        return None

    def _check(self) -> None:
        # Asked again each time: a city that stops being a demonstration must not need a restart to stop this.
        if not self._city.demonstration:
            raise DemoNotAllowed()
