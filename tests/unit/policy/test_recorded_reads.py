"""What the ledger recorded, held against the declarations and decided again under others: on the real database."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.util
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from dizuo.cli import main, parser
from dizuo.commands import policy as command
from dizuo.engines.registers import Actor, ReadRequest, Registers, publish
from dizuo.foundation.blueprint.model import City, Item, Organisation
from dizuo.foundation.policy import Policy, Recorded, Side, analyse, decide, recorded, replay
from dizuo.foundation.policy.generate import Rule
from dizuo.foundation.store import ERASER

_SPEC = importlib.util.spec_from_file_location(
    "small_city_of_registers", Path(__file__).resolve().parents[1] / "registers" / "small_city.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
small = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(small)

SINCE, UNTIL = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
PLACE = "320213"
POLICE = {"unit": "psb", "post": "household_officer", "powers": ("psb.household.decide",), "place": PLACE}
CARD = {"unit": "hrss", "post": "card_officer", "powers": ("hrss.card.decide",), "place": PLACE}
CLERK = {"unit": "service", "post": "clerk", "powers": ("window.serve",), "place": PLACE}


@pytest.fixture(scope="module")
async def groups(pg: Any, app_pool: Any, database: Any) -> tuple[Recorded, ...]:
    """A mother reads for two items, officials read and are refused; then what the command sees of it."""
    city: City = small.small_city()
    async with pg() as owner:
        await publish(owner, city)
    async with pg("dizuo_loader") as loader:
        for source in ("psb", "data", "health", "civil"):
            load = uuid.uuid4()
            rows = [row for row in small.PEOPLE if row[2] == source]
            await loader.copy_records_to_table(
                "intake", schema_name="registers",
                columns=["load", "line", "register", "key", "source", "source_date", "data"],
                records=[(load, n, r, key, s, small.DELIVERED, data) for n, (r, key, s, data) in enumerate(rows)],
            )  # fmt: skip
            await loader.fetchval("SELECT registers.absorb($1, $2)", load, {"delivery": source})
        (mother,) = await loader.fetchval("SELECT registers.identities('citizen_id', $1)", [small.MOTHER])
    door = Registers(app_pool, city, Policy.from_city(city))

    async def read(actor: Actor, *items: str, place: str = PLACE) -> None:
        given = {"applicant": str(mother)}
        await door.read(ReadRequest("newborn", given, "case-王", actor, items=items, place=place))

    await read(Actor("resident", subject=mother, name="本人"), "household", "card")
    await read(Actor("resident", subject=mother, name="本人", channel="window"), "card")
    await read(Actor("official", official=7, name="赵警官", **POLICE), "household")
    await read(Actor("official", official=8, name="钱", acting_for=mother, **CLERK), "card")
    await read(Actor("official", official=9, name="孙", **CARD), "household")
    await read(Actor("official", official=7, name="赵警官", **POLICE), "household", place="320211")
    found, unread = await command.read_counts(database, SINCE, UNTIL)
    assert unread == 0
    return found


def changed_item(city: City, id: str, change: Callable[[Item], Item]) -> City:
    matter = city.matters["newborn"]
    items = tuple(change(item) if item.id == id else item for item in matter.items)
    return msgspec.structs.replace(city, matters={"newborn": msgspec.structs.replace(matter, items=items)})


def with_powers(city: City, unit: str, *powers: str) -> City:
    old: Organisation = city.organisations[unit]
    posts = tuple(msgspec.structs.replace(post, powers=powers) for post in old.posts)
    return msgspec.structs.replace(
        city, organisations={**city.organisations, unit: msgspec.structs.replace(old, posts=posts)}
    )


def side(city: City) -> Side:
    return Side(city, Policy.from_city(city))


def again(other: City, groups: tuple[Recorded, ...]) -> Any:
    return replay(side(small.small_city()), side(other), groups)


# --------------------------------------------------------------------- what the command sees


async def test_counts_say_nothing_about_anybody(groups, database, pg):
    async with pg() as owner:
        rows = await owner.fetch("SELECT * FROM registers.reads_counted($1, $2)", SINCE, UNTIL)
    told = str([dict(row) for row in rows])
    for personal in (small.MOTHER, small.FATHER, "赵警官", "case-王", "林晓晴", "本人"):
        assert personal not in told
    async with pg() as owner:
        kinds = "('register.read', 'register.refused')"
        assert sum(row["entries"] for row in rows) == await owner.fetchval(
            f"SELECT count(*) FROM ledger.entry WHERE kind IN {kinds}"
        )
    assert {one.stands for one in groups} == {"self", "for"}
    for role in ("dizuo_app", "dizuo_loader", "dizuo_sealer", ERASER):
        async with pg(role) as other:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await other.fetch("SELECT * FROM registers.reads_counted($1, $2)", SINCE, UNTIL)


async def test_the_period_bounds_what_is_counted(groups, database):
    assert await command.read_counts(database, UNTIL, UNTIL) == ((), 0)
    assert await command.read_counts(database, SINCE, SINCE) == ((), 0)


def test_an_entry_that_tells_too_little_is_counted_as_such():
    row = {"kind": "register.read", "body": {"register": "person"}, "stands": "self", "entries": 3, "example": 1, "last_at": SINCE}  # fmt: skip
    assert recorded([row, {**row, "body": {"matter": "m", "actor": {"kind": "robot"}}}]) == ((), 6)


# --------------------------------------------------------------------- analysis


def test_grants_that_nobody_used_are_found(groups):
    report = analyse(small.small_city(), groups, SINCE, UNTIL)
    assert {(g.item, f"{g.party}.{g.field}") for g in report.unused} == {
        ("cost", "certificate.weight"),
        ("cost", "mother.phone"),  # read, but for another purpose
    }
    assert report.grants == 11
    assert report.entries == sum(one.entries for one in groups if one.kind == "read")


def test_what_nothing_uses_is_needless_and_what_is_read_all_the_same_is_vain(groups):
    city = small.small_city()
    report = analyse(city, groups, SINCE, UNTIL)
    needless = {fact.fact for fact in report.needless}
    assert "mother.phone" in needless
    assert "certificate.child_sex" not in needless, "a label is a use"
    assert "mother.citizen_id" not in needless, "finding the party is a use"
    phone = next(fact for fact in report.vain if fact.fact == "mother.phone")
    assert phone.items == ("card", "cost")
    assert phone.entries > 0
    assert "certificate.weight" not in {fact.fact for fact in report.vain}, "nobody read it"
    # An expression uses it, through a name; in a text it does not count.
    matter = city.matters["newborn"]
    names = (("call", small.expression("mother.phone")), ("idle", small.expression("father.name")))
    used = msgspec.structs.replace(
        matter, names=names, title_of=small.expression('"home.address" + string(call)')
    )
    after = analyse(msgspec.structs.replace(city, matters={"newborn": used}), groups, SINCE, UNTIL)
    gone = needless - {fact.fact for fact in after.needless}
    assert gone == {"mother.phone"}


def test_what_is_not_declared_any_more_is_told_with_an_entry(groups):
    needs = (small.need("birth.card", "social:58", "mother.name"),)
    city = changed_item(small.small_city(), "card", lambda i: msgspec.structs.replace(i, needs=needs))
    report = analyse(city, groups, SINCE, UNTIL)
    (one,) = report.gone
    assert (one.party, one.field, one.purpose) == ("mother", "phone", "birth.card")
    assert one.entries >= 2
    assert one.example > 0
    lines = "\n".join(command.analysis_lines(report))
    assert f"such as entry {one.example}" in lines
    assert "newborn.cost  birth.cost  social:55  certificate.weight, mother.phone" in lines
    assert msgspec.json.decode(msgspec.json.encode(report))["unused"]


# --------------------------------------------------------------------- replay


def test_under_the_same_policy_nothing_changes_but_what_is_unclear(groups):
    report = again(small.small_city(), groups)
    assert report.refused == ()
    assert report.allowed == ()
    assert report.other_basis == ()
    # Refused for the place of the item, which an entry does not hold.
    (unclear,) = report.unclear
    assert (unclear.reader.post, unclear.items) == ("household_officer", ("household",))
    assert report.decided == report.same + unclear.entries


async def test_a_field_that_is_no_longer_declared_is_newly_refused(groups, pg):
    needs = (small.need("birth.card", "social:58", "mother.name"),)
    report = again(
        changed_item(small.small_city(), "card", lambda i: msgspec.structs.replace(i, needs=needs)), groups
    )
    told = {(c.party, c.fields, c.purposes) for c in report.refused}
    assert told == {("mother", ("phone",), ("birth.card",))}
    assert {c.reader.kind for c in report.refused} == {"resident", "official"}
    for change in report.refused:
        assert change.rule == "bound.facts"
        assert change.law == "pipl-2021:34"
        assert "多一项" in change.why_zh
        async with pg() as owner:
            kind = await owner.fetchval("SELECT kind FROM ledger.entry WHERE id = $1", change.example)
        assert kind == "register.read"
    assert report.allowed == ()


def test_a_power_given_to_a_post_newly_allows_what_was_refused(groups):
    report = again(
        with_powers(small.small_city(), "hrss", "hrss.card.decide", "psb.household.decide"), groups
    )
    (change,) = report.allowed
    assert (change.reader.unit, change.items, change.rule) == (
        "hrss",
        ("household",),
        "newborn.household.duty",
    )
    assert report.refused == ()


def test_a_post_without_its_power_is_newly_refused(groups):
    report = again(with_powers(small.small_city(), "service"), groups)
    assert {(c.reader.post, c.rule) for c in report.refused} == {("clerk", "newborn.card.duty"), ("clerk", "newborn.household.duty")}  # fmt: skip
    assert {c.turn for c in report.refused} == {"refused"}


def test_another_law_for_the_same_read_is_told(groups):
    needs = (small.need("birth.card", "social:99", "mother.phone", "mother.name"),)
    report = again(
        changed_item(small.small_city(), "card", lambda i: msgspec.structs.replace(i, needs=needs)), groups
    )
    assert report.refused == ()
    assert {row[:4] for row in report.other_basis} == {("newborn", "mother", "birth.card", "social:58")}


def test_a_purpose_that_is_gone_is_the_reason(groups):
    needs = (small.need("birth.welcome", "social:58", "mother.phone", "mother.name"),)
    report = again(
        changed_item(small.small_city(), "card", lambda i: msgspec.structs.replace(i, needs=needs)), groups
    )
    assert {(c.party, c.purposes, c.rule) for c in report.refused} == {
        ("mother", ("birth.card",), "bound.purposes")
    }
    assert {c.fields for c in report.refused} == {("name", "phone")}


def test_a_matter_that_is_gone_refuses_everything_read_for_it(groups):
    report = again(msgspec.structs.replace(small.small_city(), matters={}), groups)
    reads = sum(one.entries for one in groups if one.kind == "read")
    assert sum(change.entries for change in report.refused) == reads
    assert {change.rule for change in report.refused} == {"no_rule"}


def test_the_report_says_what_is_assumed_and_names_nobody(groups):
    report = again(with_powers(small.small_city(), "service"), groups)
    lines = "\n".join(command.replay_lines(report))
    assert "assumed" in lines
    assert "The place where the item is done" in lines
    assert "service/clerk" in lines
    for personal in (small.MOTHER, "赵警官", "case-王", "钱"):
        assert personal not in lines


async def test_an_erased_entry_is_still_decided(groups, database, pg):
    example = next(one.example for one in groups if one.stands == "for" and one.party == "mother")
    async with pg(ERASER) as eraser:
        reason = await eraser.fetchval(
            "SELECT ledger.append('ledger.erase', $1, NULL, NULL)", {"entries": [example], "basis": "pipl:47"}
        )
        assert await eraser.fetchval("SELECT ledger.erase($1, $2)", example, reason)
    after, _ = await command.read_counts(database, SINCE, UNTIL)
    assert any(one.stands == "erased" and one.example == example for one in after)
    assert again(small.small_city(), after).refused == ()


# --------------------------------------------------------------------- the command


@pytest.mark.parametrize(
    "words", [["--analyse", "--replay", "--against", "x"], ["--replay"], ["--against", "x"]]
)
def test_words_that_do_not_belong_together(words):
    arguments: argparse.Namespace = parser().parse_args(["policy", *words])
    with pytest.raises(command.PolicyWords):
        command.check(arguments)


BROKEN = Rule("broken", "l:1", "s。", 'permit (principal is Official, action == Action::"fly", resource);')


def test_an_invalid_policy_stops_check_and_start(monkeypatch, capsys):
    template = Path(__file__).resolve().parents[3] / "cities" / "template"
    assert main(["check", str(template)]) == 0
    real = decide.rules_of
    monkeypatch.setattr(decide, "rules_of", lambda city: (*real(city), BROKEN))
    capsys.readouterr()
    assert main(["check", str(template)]) == 1
    told = capsys.readouterr().out
    assert "policy_invalid" in told
    assert "broken" in told or "fly" in told
    # What every process does when it starts.
    assert main(["policy", "--city", str(template)]) == 2
    assert "没有通过校验" in capsys.readouterr().err
