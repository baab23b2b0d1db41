"""The operations page counts truly and says when it cannot; the data door tells everything but persons."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from desk_work import at_desk
from newborn import agree, answers, begin, submit
from town import Town

from dizuo.foundation.ledger import Checkpoint


@pytest.fixture(scope="module")
async def number(town: Town) -> str:
    lin = await begin(town, "林晓晴")
    number = await submit(lin, answers())
    for name in ("王启明", "王建国"):
        await agree(town, name, number)
    await town.settle(minutes=1)
    return number


async def test_the_numbers_are_those_of_the_cases(town: Town, number: str) -> None:
    town.now.advance(seconds=11)
    officer = await at_desk(town, "曹刚")
    found = (await officer.client.get("/centre.json")).json()
    assert found["running"] == await town.owner.fetchval(
        "SELECT count(*) FROM cases.application WHERE ended_at IS NULL"
    )
    ended = await town.owner.fetchval(
        "SELECT count(*) FROM cases.item WHERE ended_at IS NOT NULL AND state = 'done'"
    )
    assert sum(one["ended"] for one in found["departments"]) == ended
    assert sum(found["today"]) == await town.owner.fetchval("SELECT count(*) FROM cases.application")
    police = next(one for one in found["departments"] if one["id"] == "psb")
    assert police["open"] == 1
    assert found["districts"]["320213"] >= 1


async def test_too_little_is_said_and_nobody_is_named(town: Town, number: str) -> None:
    officer = await at_desk(town, "曹刚")
    await officer.open("/centre")
    assert "太少，不算比例" in officer.page.text
    assert "还说不了平常是多少" in officer.page.text
    assert "示意图，不作划界依据" in officer.page.text
    assert "审图号" in officer.page.text
    for personal in ("王沐言", "林晓晴", "402"):
        assert personal not in officer.page.text
    assert 'data-theme="dark"' in officer.page.html  # on the wall, unless somebody chose otherwise


async def test_what_is_late_stands_first_and_is_counted(town: Town, number: str) -> None:
    await town.settle(days=12)
    officer = await at_desk(town, "曹刚")
    await officer.open("/centre")
    row = officer.page.row("户口登记")
    assert "超 " in row
    found = (await officer.client.get("/centre.json")).json()
    assert sum(one["over"] for one in found["departments"]) >= 1
    assert found["running_over"] == 1


async def test_it_reloads_without_a_script_and_stops_when_told(town: Town, number: str) -> None:
    officer = await at_desk(town, "曹刚")
    live = await officer.client.get("/centre")
    assert live.headers["refresh"].startswith("30;")
    assert "<script" not in live.text
    await officer.open("/centre")
    await officer.follow("停止刷新")
    still = await officer.client.get("/centre?refresh=off")
    assert "refresh" not in still.headers
    lin = await town.signed_in("林晓晴")
    await lin.open("/centre")
    assert lin.page.status == 403


DATA = (
    "/data",
    "/data/registers/person",
    "/data/registers/enterprise",
    "/data/matters/newborn",
    "/data/ledger",
)


@pytest.mark.parametrize("path", DATA)
async def test_the_data_door_is_open_and_holds_nothing_about_a_person(
    town: Town, number: str, path: str
) -> None:
    anybody = town.visitor()
    await anybody.open(path)
    assert anybody.page.status == 200
    twin = await anybody.client.get(path + ".json")
    assert twin.status_code == 200
    assert twin.json()["here"] in ("data", "ledger")
    people = await town.owner.fetch(
        "SELECT data ->> 'name' AS name, data ->> 'citizen_id' AS number, data ->> 'phone' AS phone"
        " FROM registers.record WHERE register = 'person' LIMIT 200"
    )
    for text in (anybody.page.html, twin.text):
        assert not re.search(r"(?<![0-9a-f])\d{17}[\dX](?![0-9a-f])", text)
        assert not [row["name"] for row in people if len(row["name"] or "") > 2 and row["name"] in text]
        assert not [row["phone"] for row in people if row["phone"] and row["phone"] in text]


async def test_a_matters_page_tells_exactly_what_is_granted(town: Town) -> None:
    anybody = town.visitor()
    found = (await anybody.client.get("/data/matters/newborn.json")).json()
    declared = town.city.matters["newborn"]
    for item in declared.items:
        shown = next(one for one in found["items"] if one["id"] == item.id)
        assert shown["count"] == len({fact for need in item.needs for fact in need.facts})
        assert sum(len(need["fields"].split("、")) for need in shown["needs"]) >= shown["count"]
        assert all(need["purpose"] and need["law"] for need in shown["needs"])
    asked, known = await town.owner.fetchrow(
        "SELECT avg((counts ->> 'asked')::numeric), avg((counts ->> 'known')::numeric) FROM cases.application"
        " WHERE matter = 'newborn' AND submitted_at >= $1",
        town.now() - timedelta(days=30),
    )
    if asked is not None:
        assert {a: b for a, b, _ in found["stat"]}["平均问"] == f"{asked:.1f}"
        assert {a: b for a, b, _ in found["stat"]}["平均带出"] == f"{known:.1f}"


async def test_the_catalogue_counts_what_the_registers_hold(town: Town, number: str) -> None:
    anybody = town.visitor()
    found = (await anybody.client.get("/data.json")).json()
    rows = await town.owner.fetch(
        "SELECT register, count(*) AS n FROM registers.record WHERE superseded_at IS NULL GROUP BY register"
    )
    held = {row["register"]: row["n"] for row in rows}
    assert {one["id"]: one["records"] for one in found["registers"]} == {
        register: f"{held.get(register, 0):,}" for register in town.city.registers
    }
    totals = {name: value for name, value, _ in found["totals"]}
    assert totals["记录"] == f"{sum(held.values()):,}"


async def test_a_registers_page_tells_what_came_and_what_was_sent_back(town: Town, number: str) -> None:
    anybody = town.visitor()
    found = (await anybody.client.get("/data/registers/person.json")).json()
    feeding = [s.id for s in town.city.sources.values() if any(feed.register == "person" for feed in s.feeds)]
    rows = await town.owner.fetch("SELECT * FROM lake.source_delivery WHERE source = ANY ($1)", feeding)
    assert len(rows) == len(found["deliveries"]) == len(feeding)
    assert {one["rows"] for one in found["deliveries"]} == {f"{r['rows_in']:,}" for r in rows}
    assert {one["outcome"] for one in found["deliveries"]} == {
        f"退回 {r['rows_rejected']:,} 行" for r in rows
    }
    stat = {name: (value, why) for name, value, why in found["stat"]}
    oldest = min(row["period"] for row in rows)
    assert stat["数据截至"][1].startswith(oldest.isoformat())
    assert "没有声明" in stat["数据截至"][1]  # nothing is promised that nobody declared
    kinds = await town.owner.fetch(
        "SELECT col AS field, code, sum(rows)::bigint AS n FROM lake.source_rejected_kind WHERE delivery = ANY ($1)"
        " GROUP BY delivery, col, code",
        [row["id"] for row in rows],
    )
    told = [fault for one in found["deliveries"] for fault in one["faults"]]
    assert len(told) == len(kinds)
    for kind in kinds:
        assert any(kind["field"] in line and f"{kind['n']:,} 行" in line for line in told)
        assert not any(kind["code"] in line for line in told)  # in words, not in codes


async def test_the_ledgers_head_is_the_signed_one(town: Town, number: str) -> None:
    await town.settle()
    anybody = town.visitor()
    found = (await anybody.client.get("/data/ledger.json")).json()
    head = Checkpoint.open(found["note"], town.dizuo.ledger_key)
    assert f"{head.size:,}" == found["size"]
    assert head.size == await town.owner.fetchval("SELECT max(size) FROM ledger.checkpoint")
    assert found["key"] == str(town.dizuo.ledger_key)


async def test_what_is_not_declared_is_not_found(town: Town) -> None:
    anybody = town.visitor()
    for path in ("/data/registers/nobody", "/data/matters/nothing"):
        await anybody.open(path)
        assert anybody.page.status == 404
