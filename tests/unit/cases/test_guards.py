"""A predicate that the database judges holds only where the planner wants the same facts, and mostly wherever it does."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

from dizuo.engines.cases.answers import read_answers
from dizuo.engines.cases.compiled import CompiledMatter, compiled
from dizuo.engines.cases.guards import guards_of
from dizuo.engines.cases.plan import deciding, wanted_now
from dizuo.engines.cases.plan_model import Known
from dizuo.engines.registers import Fact, PartyState
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.store import Connection

CITY = load_city(Path(__file__).parents[3] / "cities" / "wuxi")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
MATTERS = [compiled(CITY, matter) for matter in CITY.matters.values()]
TEXTS = [None, "", "1", "0", "2", "01", "310", '引"号', "林"]


def records(chance: random.Random, ready: CompiledMatter) -> dict[str, dict[str, Any]]:
    """Some parties missing, their fields silent, empty, of a few values that meet often; some fields not there at all."""
    found: dict[str, dict[str, Any]] = {}
    for party in ready.matter.parties:
        # What must not be there, mostly is not.
        if not party.given and chance.random() < (0.8 if party.id == "child" else 0.25):
            continue
        found[party.id] = {
            field.id: chance.choice(TEXTS if not field.codes else [None, "", *field.codes])
            for field in CITY.registers[party.register].fields.values()
            if chance.random() > 0.05
        }
    return found


def said(chance: random.Random, ready: CompiledMatter) -> dict[str, str]:
    return {
        question.id: chance.choice([option.value for option in question.options])
        for question in ready.matter.questions
        if question.options and chance.random() < 0.3
    }


def after_the_first_read(ready: CompiledMatter, held: Mapping[str, Mapping[str, Any]]) -> Known:
    parties = {
        party: PartyState("found" if party in held else "missing")
        for party in ready.reached(ready.first.facts, ready.first.parties)
    }
    facts: dict[str, Fact] = {}
    for fact in ready.first.facts:
        party, _, field = fact.partition(".")
        if party in held:
            value = held[party].get(field)
            facts[fact] = Fact(party, ready.parties[party].register, field, value, "", None, 1)
    return Known(parties, facts)


async def test_what_the_database_adds_is_what_the_planner_wants(
    pg: Callable[..., AbstractAsyncContextManager[Connection]],
) -> None:
    chance = random.Random(7)
    asked: list[tuple[str, str]] = []
    expected: list[tuple[Any, bool]] = []
    for _ in range(1500):
        ready = chance.choice(MATTERS)
        held, known = records(chance, ready), None
        answers = read_answers(ready, said(chance, ready), NOW.date()).values
        known = after_the_first_read(ready, held)
        wanted = wanted_now(deciding(ready, known, answers, NOW)).facts
        judged = {p: held.get(p) for p in ready.reached(ready.first.facts, ready.first.parties)}
        for guard in guards_of(ready, answers):
            # Of a party that is known to be missing the planner wants nothing: there is nothing to read either way.
            mine = {f for f in guard.facts if known.parties.get(f.partition(".")[0]) != PartyState("missing")}
            if mine:
                asked.append((json.dumps(judged), guard.when))
                expected.append((guard, mine <= wanted))
    async with pg() as connection:
        rows = await connection.fetch(
            "SELECT coalesce(jsonb_path_match(d::jsonb, p::jsonpath, '{}', true), false) AS holds"
            " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS u(d, p, o) ORDER BY o",
            [one for one, _ in asked],
            [one for _, one in asked],
        )
    holds = [row["holds"] for row in rows]
    over = [one for (one, wanted), held in zip(expected, holds, strict=True) if held and not wanted]
    assert over == []
    both = sum(held for held in holds)
    only_planner = sum(wanted and not held for (_, wanted), held in zip(expected, holds, strict=True))
    assert both > 400
    assert only_planner < 0.15 * both, "a second read would be the rule"


def test_every_condition_of_the_demonstration_can_be_judged_by_the_database() -> None:
    """What only some births need is one journey: the needs of items that do not always apply have a predicate."""
    newborn = compiled(CITY, CITY.matters["newborn"])
    assert {guard.item for guard in guards_of(newborn, {})} == {
        "certificate",
        "household",
        "cost",
        "allowance",
    }


def test_an_answer_decides_which_home_is_read() -> None:
    newborn = compiled(CITY, CITY.matters["newborn"])
    for answer in ("father", "mother"):
        facts = {f for g in guards_of(newborn, {"household_with": answer}) for f in g.facts}
        homes = {"father_home.address", "mother_home.address"}
        assert facts & homes == {f"{answer}_home.address"}
    assert guards_of(newborn, {"household_with": 5}) == ()
    assert guards_of(newborn, {}) is guards_of(newborn, {"given_name": "沐言"})
