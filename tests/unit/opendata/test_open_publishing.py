"""What is declared is made, guarded, inspected and only then released; what is refused leaves the last good version."""

from __future__ import annotations

import datetime as dt
from typing import Any

import asyncpg
import msgspec
import pytest
from open_datasets import CITY, DAY, STATISTICS, made_up

from dizuo.engines.opendata import all_rows, dataset, datasets, find, publish_datasets, reports, versions
from dizuo.foundation.blueprint import City
from dizuo.foundation.blueprint.model_dataset import Count, CountBy, Gate, Made


async def test_wuxi_publishes_at_least_twelve_datasets_and_every_one_passes(
    published: Any, app_pool: Any
) -> None:
    wrong = {id: one.findings or one.why for id, one in published.items() if one.outcome != "released"}
    assert not wrong
    shown = await datasets(app_pool)
    assert len(shown) >= 12
    for one in shown:
        assert one.state == "published"
        assert one.version == 1
        assert one.first_published is not None
        assert len(one.digest) == 64
        assert one.report is not None


async def test_rows_are_those_of_the_declarations_in_order(published: Any, app_pool: Any, wuxi: City) -> None:
    villages = [d for d in wuxi.divisions.values() if d.level == "village"]
    seen = await dataset(app_pool, "villages")
    rows = [row async for batch in all_rows(app_pool, seen) for row in batch]
    assert [row.n for row in rows] == list(range(1, len(villages) + 1))
    assert {row.data["code"] for row in rows} == {d.code for d in villages}
    boundaries = await dataset(app_pool, "district_boundaries")
    shapes = [row.shape async for batch in all_rows(app_pool, boundaries) for row in batch]
    assert len(shapes) == 7
    assert all(shape is not None and shape["type"] == "MultiPolygon" for shape in shapes)


async def test_the_same_input_is_not_released_twice(another_release: Any, app_pool: Any) -> None:
    one = made_up("twice", {"a": "text"})
    assert (await another_release(one, [{"a": "甲"}])).outcome == "released"
    assert (await another_release(one, [{"a": "甲"}])).outcome == "same"
    second = await another_release(one, [{"a": "乙"}])
    assert (second.outcome, second.version) == ("released", 2)
    told = await versions(app_pool, "twice")
    assert [v.version for v in told] == [2, 1]
    assert told[0].digest != told[1].digest


async def test_a_refused_release_leaves_the_last_good_one_and_its_report_is_kept(
    another_release: Any, app_pool: Any
) -> None:
    one = made_up("leaky", {"a": "text"})
    await another_release(one, [{"a": "没有问题"}])
    bad = await another_release(one, [{"a": "手机 13812345678"}])
    assert bad.outcome == "refused"
    seen = await dataset(app_pool, "leaky")
    rows = [row.data async for batch in all_rows(app_pool, seen) for row in batch]
    assert rows == [{"a": "没有问题"}]
    kept = await reports(app_pool, "leaky")
    assert [one.passed for one in kept] == [False, True]
    assert kept[0].findings[0]["code"] == "identifier"
    assert "13812345678" not in str(kept[0].findings)
    assert kept[0].by == "dizuo"


async def test_one_that_never_passed_is_not_there_for_anybody(another_release: Any, app_pool: Any) -> None:
    await another_release(made_up("never", {"a": "text"}), [{"a": "11010519491231002X"}])
    assert "never" not in {one.id for one in await datasets(app_pool)}


async def test_a_column_that_the_source_does_not_give_is_told(another_release: Any) -> None:
    told = await another_release(made_up("lacks", {"a": "text", "b": "text"}), [{"a": "甲"}])
    assert told.outcome == "failed"
    assert "b" in told.why


async def test_a_privacy_budget_is_spent_release_by_release_and_then_no_more(
    pg: Any, another_release: Any, app_pool: Any
) -> None:
    by = (CountBy("district", "division", "district", 5, 85, made_up("x", {}).place),)
    count = Count("person", {}, by, "people", by[0].place)
    one = made_up(
        "noisy", {"district": "text", "people": "integer"}, cycle="quarterly",
        made=Made(None, "", None, count, "", by[0].place), gate=Gate(0, "noise", 0.5, 1.2, (), by[0].place),
    )  # fmt: skip
    outcomes = []
    for month in (1, 2, 4, 7):
        outcomes.append((await another_release(one, [], dt.date(2026, month, 1))).outcome)
    # Two fit into 1.2; within a quarter nothing is drawn again, whatever happened to the records.
    assert outcomes == ["released", "same", "released", "spent"]
    told = await versions(app_pool, "noisy")
    assert [v.epsilon for v in told] == [0.5, 0.5]
    assert told[0].accuracy is not None
    # The database itself refuses, not only our own arithmetic.
    async with pg() as owner:
        report = told[0].report
        with pytest.raises(asyncpg.PostgresError, match="spent"):
            await owner.fetchval(
                "SELECT opendata.release('noisy', $1, 7, $2, '\\x00', 0.5, 1.2, 6)",
                report,
                bytes.fromhex(told[0].digest),
            )


async def test_no_release_without_a_report_that_let_these_rows_pass(pg: Any, published: Any) -> None:
    async with pg() as owner:
        for report in (None, 10**9):
            with pytest.raises(asyncpg.PostgresError) as caught:
                await owner.fetchval(
                    "SELECT opendata.release('villages', $1, 1, $2, '\\x00', 0, 0, NULL)", report, bytes(32)
                )
            assert getattr(caught.value, "sqlstate", "") == "DZ072"


async def test_what_is_declared_no_longer_is_withdrawn(
    pg: Any, published: Any, app_pool: Any, wuxi: City
) -> None:
    fewer = {id: one for id, one in wuxi.datasets.items() if id != "laws"}
    async with pg() as owner:
        await publish_datasets(owner, msgspec.structs.replace(wuxi, datasets=fewer), CITY, DAY, STATISTICS)
    assert "laws" not in {one.id for one in await datasets(app_pool)}
    assert "laws" not in {hit.dataset for hit in (await find(app_pool, "法规", "dataset")).hits}


async def test_the_webs_role_changes_no_release_and_reads_nobody(pg: Any, published: Any) -> None:
    async with pg("dizuo_app") as web:
        for statement in (
            "UPDATE opendata.row SET data = '{}'", "DELETE FROM opendata.version", "UPDATE opendata.dataset SET title = 'x'",
            "SELECT subject FROM opendata.application", "SELECT subject FROM opendata.ticket", "SELECT subject FROM opendata.rating",
            "SELECT opendata.release('villages', 1, 1, '\\x00', '\\x00', 0, 0, NULL)",
        ):  # fmt: skip
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await web.execute(statement)
