"""Lists that many people ask are sent by their digest: the same is read, entered and refused as with the lists themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from small_city import FATHER, MOTHER, STRANGER

from dizuo.engines.registers import Guard, ReadRequest, Registers

GUARDS = (
    Guard('$."mother".type() == "object"', "card", ("mother.phone",)),
    Guard('$."mother".type() == "null"', "record", ("father.name",)),
)


def request(town: Any, who: str = MOTHER, **changed: Any) -> ReadRequest:
    values = {"access": "newborn", "given": {"applicant": str(town.ids[who])}, "case": "draft-1",
              "actor": town.resident(who), "facts": ("certificate.born_on", "mother.name"), "more": GUARDS}  # fmt: skip
    return ReadRequest(**{**values, **changed})


@pytest.fixture
def door(town: Any, app_pool: Any) -> Registers:
    """A process that has asked nothing yet."""
    return Registers(app_pool, town.city, town.policy)


@pytest.fixture
def asked(door: Registers, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every question as it was sent."""
    sent: list[dict[str, Any]] = []
    both = door._exchanges._flush

    async def spy(batch: Any) -> Any:
        sent.extend(json.loads(body) for body, _ in batch)
        return await both(batch)

    monkeypatch.setattr(door._exchanges, "_flush", spy)
    return sent


async def entries(pg: Any, result: Any) -> list[tuple[str, int | None, dict[str, Any]]]:
    async with pg() as conn:
        rows = await conn.fetch(
            "SELECT kind, subject, body FROM ledger.entry WHERE id = ANY ($1) ORDER BY id",
            list(result.entries),
        )
    return [(row["kind"], row["subject"], row["body"]) for row in rows]


async def without_lists(door: Registers, monkeypatch: pytest.MonkeyPatch, one: ReadRequest) -> Any:
    with monkeypatch.context() as patch:

        async def whole(question: Any, _: Any) -> Any:
            return question

        patch.setattr(door, "_shortened", whole)
        return await door.read(one)


@pytest.mark.parametrize("who", [MOTHER, FATHER, STRANGER], ids=["mother", "father", "stranger"])
@pytest.mark.parametrize("more", [GUARDS, GUARDS[:1], ()], ids=["two", "one", "none"])
async def test_as_with_the_lists(
    door: Registers, asked: Any, town: Any, pg: Any, monkeypatch: Any, who: str, more: Any
) -> None:
    one = request(town, who, more=more)
    long = await without_lists(door, monkeypatch, one)
    short = [await door.read(one) for _ in range(2)]
    assert ["known" in question for question in asked] == [False, True, True]
    assert not {"items", "facts", "more"} & set(asked[1])
    for result in short:
        assert result.more == long.more
        assert result.parties == long.parties
        assert {k: (v.value, v.source) for k, v in result.facts.items()} == {
            k: (v.value, v.source) for k, v in long.facts.items()
        }
        assert await entries(pg, result) == await entries(pg, long)


async def test_what_was_forgotten_is_asked_with_its_lists(
    door: Registers, asked: Any, town: Any, pg: Any
) -> None:
    before = await door.read(request(town))
    async with pg() as owner:
        await owner.execute("DELETE FROM registers.asked; DELETE FROM registers.asked_more")
        last = await owner.fetchval("SELECT max(id) FROM ledger.entry")
    after = await door.read(request(town))
    assert {k: v.value for k, v in after.facts.items()} == {k: v.value for k, v in before.facts.items()}
    assert ["known" in question for question in asked] == [True, True, False]
    async with pg() as owner:
        # Being asked again is no refusal and no read: only what was read in the end is entered.
        made = await owner.fetchval("SELECT count(*) FROM ledger.entry WHERE id > $1", last)
    assert made == len(after.entries)
    await door.read(request(town))
    assert "known" in asked[-1]


async def test_a_refusal_names_what_was_asked(door: Registers, asked: Any, town: Any, pg: Any) -> None:
    await door.read(request(town))
    theirs = await door.read(request(town, given={"applicant": str(town.ids[FATHER])}))
    assert "known" in asked[-1]
    assert [one.reason for one in theirs.refusals] == ["not_yours"]
    assert theirs.refusals[0].items
    ((kind, _, body),) = await entries(pg, theirs)
    assert (kind, body["items"]) == ("register.refused", list(theirs.refusals[0].items))


async def test_lists_of_another_access_or_version_are_not_taken(door: Registers, town: Any) -> None:
    await door.read(request(town))
    (digest,) = door._kept.values()
    for changed in ({"access": "other"}, {"version": "other"}):
        question = {"access": "newborn", "version": town.city.version, "known": digest, "given": {}, "case": "x",
                    "actor": {"kind": "system"}, "refused": [], "as_of": None, "after": None, **changed}  # fmt: skip
        answer, _ = await door._exchange(question)
        assert (answer.closed, answer.parties, answer.entries) == ("again", [], [])
