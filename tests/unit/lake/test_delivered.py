"""What anybody may know of a delivery: counts, columns and kinds of fault, and never a row."""

from __future__ import annotations

from pathlib import Path

import pytest
from police_file import Deliver, as_csv, number, only, person

from dizuo.engines.lake import last_deliveries, load, loading
from dizuo.foundation.blueprint import City


async def last(app_pool):
    (found,) = [one for one in await last_deliveries(app_pool) if one.register == "person"]
    return found


async def test_counts_and_kinds_are_those_of_the_rows(deliver: Deliver, app_pool, pg) -> None:
    bad = as_csv([person(1), person(2), person(3)]).replace(number(2), "320213199001010000")
    bad = bad.replace(number(3), "320213199001010001")
    done = only(deliver(bad))
    found = await last(app_pool)
    assert (found.delivery, found.state, found.rows, found.rejected) == (done.delivery, "published", 3, 2)
    assert (found.added, found.changed) == (done.added, done.changed)
    assert [(one.field, one.code, one.rows) for one in found.faults] == [("公民身份号码", "citizen_id", 2)]
    async with pg() as conn:
        rows = await conn.fetch(
            "SELECT field, code, count(*) AS rows FROM lake.rejected WHERE delivery = $1 GROUP BY 1, 2",
            done.delivery,
        )
    assert [tuple(row.values()) for row in rows] == [("公民身份号码", "citizen_id", 2)]


async def test_the_later_delivery_is_the_last_one(deliver: Deliver, app_pool) -> None:
    done = only(deliver(as_csv([person(11)])))
    found = await last(app_pool)
    assert (found.delivery, found.rejected, found.faults) == (done.delivery, 0, ())


async def test_a_refused_delivery_is_news_too(deliver: Deliver, app_pool) -> None:
    only(deliver("不是表头\n1\n"))
    found = await last(app_pool)
    assert (found.state, found.rows) == ("refused", 0)
    assert found.refused


async def test_a_load_that_was_killed_counts_every_fault_once(
    deliver: Deliver, database, declared: City, app_pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "CHUNK", 4)
    lines = as_csv([person(n) for n in range(600, 610)])
    for n in (601, 605, 609):
        lines = lines.replace(number(n), "320213199001010000")
    absorb, calls = loading._absorb, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return absorb(*arguments)

    monkeypatch.setattr(loading, "_absorb", killed)
    with pytest.raises(KeyboardInterrupt):
        deliver(lines)
    assert (await last(app_pool)).faults[0].rows == 2
    monkeypatch.setattr(loading, "_absorb", absorb)
    only(load(database, declared, tmp_path, landing=tmp_path / "landing"))
    found = await last(app_pool)
    assert (found.rows, found.rejected) == (10, 3)
    assert [(one.code, one.rows) for one in found.faults] == [("citizen_id", 3)]


async def test_the_web_sees_counts_and_nothing_else(deliver: Deliver, pg) -> None:
    only(deliver(as_csv([person(31)])))
    async with pg("dizuo_app") as conn:
        for table in ("lake.delivery", "lake.rejected", "lake.rejected_kind"):
            with pytest.raises(Exception, match="permission denied"):
                await conn.execute(f"SELECT 1 FROM {table}")
        readable = {
            (row["table_name"], row["column_name"])
            for row in await conn.fetch(
                "SELECT table_name, column_name FROM information_schema.column_privileges"
                " WHERE table_schema = 'lake' AND grantee = 'dizuo_app' AND privilege_type = 'SELECT'"
            )
        }
    # Nothing that a department wrote about anybody, anywhere in the lake.
    personal = {"raw", "says", "line", "body", "left_values", "right_values"}
    assert not {column for _, column in readable} & personal
    published = {column for table, column in readable if table in ("delivered", "rejected_kinds")}
    assert published
    assert not published & {"name", "sha256", "refused_says"}
