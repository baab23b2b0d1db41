"""The demonstration's way of signing in, and that it exists nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dizuo.web.signin import DemoSignIn
from dizuo.web.signin.errors import DemoNotAllowed, DemoPersonUnknown


@dataclass
class City:
    demonstration: bool


@dataclass(frozen=True)
class Invented:
    key: str
    account: int
    kind: str
    name: str
    note_zh: str
    note_en: str


class People:
    async def demo_people(self) -> tuple[Invented, ...]:
        return (Invented("lin", 7, "resident", "林晓晴", "新手妈妈", "New mother"),)


async def test_an_invented_person_is_chosen_by_key() -> None:
    adapter = DemoSignIn(People(), City(True))
    assert [c.key for c in await adapter.choices()] == ["lin"]
    person = await adapter.finish({"who": "lin", "next": "/me"}, "")
    assert (person.account, person.name, person.number, person.back) == (7, "林晓晴", "", "/me")
    begun = await adapter.begin("/apply/newborn?x=1&y=2")
    assert begun.redirect == "/sign-in?next=/apply/newborn%3Fx%3D1%26y%3D2"


@pytest.mark.parametrize("who", ["", "wang", "' or 1=1 --", "7"])
async def test_nobody_else_is_let_in(who: str) -> None:
    with pytest.raises(DemoPersonUnknown):
        await DemoSignIn(People(), City(True)).finish({"who": who}, "")


def test_it_does_not_start_outside_a_demonstration() -> None:
    with pytest.raises(DemoNotAllowed):
        DemoSignIn(People(), City(False))


async def test_it_stops_when_the_city_stops_being_a_demonstration() -> None:
    city = City(True)
    adapter = DemoSignIn(People(), city)
    city.demonstration = False
    with pytest.raises(DemoNotAllowed):
        await adapter.choices()
    with pytest.raises(DemoNotAllowed):
        await adapter.begin("/")
    with pytest.raises(DemoNotAllowed):
        await adapter.finish({"who": "lin"}, "")
