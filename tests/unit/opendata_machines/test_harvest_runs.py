"""Catalogues of others come in, each record to its fate; a stop, a broken source or a loss harms nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import ckanapi
import httpx
import pytest
from another_database import another
from elsewhere import Elsewhere, elsewhere
from machines_world import Portal, portal_up

from dizuo.engines.opendata import harvest
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.store import LOADER, OWNER, Pool, connect, open_pool

NOW = SystemNow()
HERE = ["127.0.0.1/32"]
SHARED = Path(os.environ.get("DIZUO_SHARED_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")


@pytest.fixture(scope="module")
async def loader(database: Any) -> AsyncIterator[Pool]:
    pool = await open_pool(database.dsn(LOADER), min_size=1, max_size=4)
    yield pool
    pool.terminate()


@pytest.fixture
def world() -> Iterator[Elsewhere]:
    with elsewhere() as found:
        yield found


async def add(pool: Pool, id: str, kind: str, url: str) -> None:
    await harvest.add_source(pool, NOW, id, kind=kind, url=url, title=f"来源 {id}", by="test", allowed=HERE)


def package(number: int, **told: Any) -> dict[str, Any]:
    """An invented record of another city (演示数据)."""
    return {
        "id": f"id-{number}", "name": f"set-{number}", "title": f"外市数据 {number}", "notes": "说明", "state": "active",
        "organization": {"title": "外市局"}, "tags": [{"name": "外"}], "metadata_modified": f"2026-01-{number % 28 + 1:02}",
        "resources": [{"id": "r", "name": "表", "url": f"https://a.example/{number}.csv", "format": "CSV"}], **told,
    }  # fmt: skip


def as_ckan(
    world: Elsewhere, packages: dict[str, dict[str, Any]], *, pause: float = 0.0, page: int = 100
) -> None:
    """Answer as a CKAN does, from a dictionary that the test changes."""

    def search(query: dict[str, str], headers: Any) -> Any:
        time.sleep(pause)
        listed = sorted(packages.values(), key=lambda one: one["name"])
        if "desc" in query.get("sort", ""):
            listed.sort(key=lambda one: one["metadata_modified"], reverse=True)
        start, rows = int(query.get("start", 0)), min(page, int(query["rows"]))
        body = {"success": True, "result": {"count": len(listed), "results": listed[start : start + rows]}}
        return 200, {}, json.dumps(body).encode()

    def show(query: dict[str, str], headers: Any) -> Any:
        found = packages.get(query["id"])
        return (200, {}, json.dumps({"result": found}).encode()) if found else (404, {}, b"{}")

    world.answers["/api/3/action/package_search"] = search
    world.answers["/api/3/action/package_show"] = show


async def states(loader: Pool, source: str) -> dict[str, str]:
    return {one.identifier: one.fate for one in await harvest.fates(loader, source)}


async def test_what_was_harvested_is_found_by_the_search(
    loader: Pool, world: Elsewhere, database: Any
) -> None:
    as_ckan(world, {"id-1": package(1, title="湿地鸟类观测记录")})
    await add(loader, "birds", "ckan", world.base)
    await harvest.run_source(loader, NOW, "birds")
    owner = await connect(database.dsn(OWNER))
    try:
        assert await harvest.index_foreign(owner, {}) >= 1
        assert await harvest.index_foreign(owner, {}) == 0
        found = await owner.fetch("SELECT dataset FROM opendata.entry WHERE strpos(folded, '鸟类观') > 0")
        assert [row["dataset"] for row in found] == ["birds-set-1"]
        del world.answers["/api/3/action/package_show"]
        as_ckan(world, {})
        await harvest.run_source(loader, NOW, "birds")
        await harvest.index_foreign(owner, {})
        assert not await owner.fetch("SELECT FROM opendata.entry WHERE dataset = 'birds-set-1'")
    finally:
        await owner.close()


async def test_a_ckan_comes_in_changes_loses_and_returns(
    loader: Pool, world: Elsewhere, machines: Portal
) -> None:
    packages = {f"id-{n}": package(n) for n in range(25)}
    packages["id-3"] = package(3, notes="联系人 11010519491231002X")
    packages["id-4"] = package(4, extras="not a list")
    packages["id-5"] = package(5, private=True)
    as_ckan(world, packages, page=10)
    await add(loader, "other", "ckan", world.base)
    report = await harvest.run_source(loader, NOW, "other")
    assert (report.state, report.pages, report.fates) == ("done", 3, {"added": 22, "refused": 3})
    told = {one.identifier: one.why for one in await harvest.fates(loader, "other") if one.fate == "refused"}
    assert "公民身份号码" in told["id-3"]
    assert "extras" in told["id-4"]
    assert "不公开" in told["id-5"]
    shown = ckanapi.RemoteCKAN(machines.open).call_action("package_show", {"id": "other-set-1"})
    extras = {one["key"]: one["value"] for one in shown["extras"]}
    assert extras["harvest_source_title"] == "来源 other"
    assert extras["harvest_identifier"] == "id-1"
    assert extras["harvest_source_url"] == f"{world.base}/dataset/set-1"

    assert (await harvest.run_source(loader, NOW, "other")).state == "unchanged"
    packages["id-1"] = package(1, title="改了", metadata_modified="2026-05-01")
    del packages["id-2"]
    report = await harvest.run_source(loader, NOW, "other")
    assert report.fates == {"updated": 1, "unchanged": 20, "offline": 1, "refused": 3}
    with pytest.raises(ckanapi.NotFound):
        ckanapi.RemoteCKAN(machines.open).call_action("package_show", {"id": "other-set-2"})
    row = machines.owner("SELECT state, title FROM opendata.dataset WHERE id = 'other-set-2'")[0]
    assert (row["state"], row["title"]) == ("withdrawn", "外市数据 2")

    packages["id-2"] = package(2, metadata_modified="2026-06-01")
    assert (await harvest.run_source(loader, NOW, "other")).fates["returned"] == 1
    assert (
        machines.owner("SELECT state FROM opendata.dataset WHERE id = 'other-set-2'")[0]["state"]
        == "published"
    )


async def test_a_record_that_a_page_skipped_is_asked_for_by_name(loader: Pool, world: Elsewhere) -> None:
    packages = {f"id-{n}": package(n) for n in range(4)}
    as_ckan(world, packages)
    await add(loader, "skips", "ckan", world.base)
    await harvest.run_source(loader, NOW, "skips")
    hidden = dict(packages)
    del hidden["id-2"]
    as_ckan(world, hidden)
    world.answers["/api/3/action/package_show"] = lambda query, headers: (200, {}, json.dumps({"result": packages[query["id"]]}).encode())  # fmt: skip
    report = await harvest.run_source(loader, NOW, "skips")
    assert report.fates == {"unchanged": 4}


async def test_a_source_that_lost_itself_takes_nothing_offline(loader: Pool, world: Elsewhere) -> None:
    packages = {f"id-{n}": package(n) for n in range(30)}
    as_ckan(world, packages)
    await add(loader, "loses", "ckan", world.base)
    await harvest.run_source(loader, NOW, "loses")
    packages.clear()
    report = await harvest.run_source(loader, NOW, "loses")
    assert report.state == "failed"
    assert "30" in report.why
    assert set((await states(loader, "loses")).values()) == {"added"}
    report = await harvest.run_source(loader, NOW, "loses", accept_loss=True)
    assert (report.state, report.fates) == ("done", {"offline": 30})


async def test_a_broken_source_harms_no_other(loader: Pool, world: Elsewhere) -> None:
    as_ckan(world, {"id-1": package(1)})
    world.answers["/garbage"] = b"\x00\xff garbage"
    world.answers["/endless/api/3/action/package_search"] = lambda query, headers: (200, {}, json.dumps({"result": {"count": 10**9, "results": [package(7)]}}).encode()) if "desc" in query["sort"] else (500, {}, b"")  # fmt: skip
    await add(loader, "b1-garbage", "dcat", f"{world.base}/garbage")
    await add(loader, "b2-refused", "csv", f"{world.base}/nosuch")
    await add(loader, "b3-broken", "ckan", f"{world.base}/endless")
    await add(loader, "b4-nobody", "ckan", "http://127.0.0.1:9/")
    await add(loader, "b5-good", "ckan", world.base)
    await harvest.add_source(
        loader, NOW, "b6-inner", kind="dcat", url="http://169.254.169.254/", title="x", by="t"
    )
    ids = ["b1-garbage", "b2-refused", "b3-broken", "b4-nobody", "b5-good", "b6-inner", "nosuch"]
    reports = {one.source: one for one in await harvest.run_sources(loader, NOW, ids)}
    assert {id: one.state for id, one in reports.items()} == {
        **dict.fromkeys(ids, "failed"),
        "b5-good": "done",
    }
    assert all(one.why for id, one in reports.items() if id != "b5-good")
    seen = {one.id: one for one in await harvest.sources(loader)}
    assert (seen["b5-good"].shown, seen["b2-refused"].state) == (1, "failed")


KILLED = """
import asyncio, sys
from dizuo.engines.opendata import harvest
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.store import open_pool
async def main():
    pool = await open_pool(sys.argv[1], min_size=1, max_size=4)
    print(await harvest.run_source(pool, SystemNow(), "killed"), flush=True)
asyncio.run(main())
"""


async def test_a_run_that_is_killed_goes_on_where_it_was(
    loader: Pool, world: Elsewhere, database: Any
) -> None:
    packages = {f"id-{n}": package(n) for n in range(60)}
    as_ckan(world, packages, pause=0.15, page=5)
    await add(loader, "killed", "ckan", world.base)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, database.dsn(LOADER)], stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 20
    while len(await states(loader, "killed")) < 15:
        assert process.poll() is None
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    with pytest.raises(harvest.HarvestBusy):
        await harvest.run_source(loader, NOW, "killed")
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = len(await states(loader, "killed"))
    assert 15 <= before < 60
    assert "killed" in await harvest.due(loader, NOW())
    world.asked.clear()
    as_ckan(world, packages, page=5)
    for _ in range(50):  # the server notices that the connection is gone
        try:
            report = await harvest.run_source(loader, NOW, "killed")
            break
        except harvest.HarvestBusy:
            await asyncio.sleep(0.1)
    assert report.state == "done"
    assert set((await states(loader, "killed")).values()) <= {"added", "unchanged"}
    assert len(await states(loader, "killed")) == 60
    first = min(int(one.partition("start=")[2].partition("&")[0]) for one in world.asked)
    assert first >= 10  # the pages that were taken are not asked for again
    rows = await loader.fetch("SELECT state FROM opendata.harvest_run WHERE source = 'killed'")
    assert [row["state"] for row in rows] == ["done"]


@pytest.mark.parametrize("ending", ["ttl", "jsonld", "rdf"])
async def test_one_portal_harvests_another_in_every_form(
    loader: Pool, machines: Portal, database: Any, second_portal: Portal, ending: str
) -> None:
    await add(loader, f"wuxi-{ending}", "dcat", f"{second_portal.open}/catalog.{ending}?page=1")
    report = await harvest.run_source(loader, NOW, f"wuxi-{ending}")
    assert (report.state, report.pages, report.fates) == ("done", 2, {"added": 104}), report.why
    theirs = ckanapi.RemoteCKAN(second_portal.open).call_action("package_show", {"id": "set-7"})
    ours = ckanapi.RemoteCKAN(machines.open).call_action("package_show", {"id": f"wuxi-{ending}-set-7"})
    assert (ours["title"], ours["notes"]) == (theirs["title"], theirs["notes"])
    assert {one["name"] for one in ours["tags"]} >= {"停车", "车位"}
    assert {one["url"] for one in ours["resources"]} == {one["url"] for one in theirs["resources"]}
    assert {one["format"] for one in ours["resources"]} >= {"CSV", "XLSX", "GEOJSON"}
    assert ours["url"] == f"{second_portal.open}/data/set-7"


async def test_the_same_catalogue_is_not_read_twice(loader: Pool, second_portal: Portal) -> None:
    await add(loader, "whole", "dcat", f"{second_portal.open}/catalog.ttl")
    assert (await harvest.run_source(loader, NOW, "whole")).state == "done"
    report = await harvest.run_source(loader, NOW, "whole")
    assert (report.state, report.fates) == ("unchanged", {})


async def test_one_portal_harvests_another_as_ckan(
    loader: Pool, machines: Portal, second_portal: Portal
) -> None:
    await add(loader, "wuxi-api", "ckan", second_portal.open)
    report = await harvest.run_source(loader, NOW, "wuxi-api")
    assert (report.state, report.fates) == ("done", {"added": 104})
    ours = ckanapi.RemoteCKAN(machines.open).call_action("package_show", {"id": "wuxi-api-set-7"})
    assert {one["url"] for one in ours["resources"]} == {
        f"{second_portal.open}/data/set-7/download/{kind}"
        for kind in ("csv", "xlsx", "json", "jsonl", "parquet", "geojson")
    }
    told = httpx.get(f"{machines.open}/harvest").json()["sources"]
    assert next(one for one in told if one["id"] == "wuxi-api")["shown"] == 104
    told = httpx.get(f"{machines.open}/harvest/wuxi-api").json()
    assert {one["fate"] for one in told["records"]} == {"added"}


@pytest.mark.parametrize(("kind", "path"), [("dcat", "/catalog.ttl"), ("ckan", "")])
async def test_what_was_harvested_there_is_not_harvested_from_there(
    loader: Pool, world: Elsewhere, machines: Portal, kind: str, path: str
) -> None:
    """Two portals that harvest each other do not grow for ever."""
    as_ckan(world, {"id-1": package(1)})
    await add(loader, f"first-{kind}", "ckan", world.base)
    await harvest.run_source(loader, NOW, f"first-{kind}")
    machines.arrange(f"own-{kind}", "自己的", 1)
    await add(loader, f"self-{kind}", kind, machines.open + path)
    report = await harvest.run_source(loader, NOW, f"self-{kind}")
    assert report.state == "done"
    whys = {one.dataset: one.why for one in await harvest.fates(loader, f"self-{kind}")}
    assert f"self-{kind}-own-{kind}" in whys
    assert "采集来的" in whys[None]
    again = await harvest.run_source(loader, NOW, f"self-{kind}", full=True)
    assert again.fates.get("added", 0) == 0


async def test_a_real_city_catalogue_in_csv(loader: Pool, world: Elsewhere) -> None:
    file = SHARED / "catalogues" / "austin_tx_catalog.csv"
    if not file.is_file():
        pytest.skip(
            "the city catalogue is not here: set DIZUO_SHARED_DATA to the folder that has catalogues/"
        )
    world.answers["/catalogue.csv"] = file.read_bytes()
    await add(loader, "austin", "csv", f"{world.base}/catalogue.csv")
    report = await harvest.run_source(loader, NOW, "austin")
    assert report.state == "done"
    assert sum(report.fates.values()) == 891
    assert report.fates["added"] > 850
    again = await harvest.run_source(loader, NOW, "austin", full=True)
    assert again.fates.get("added", 0) == 0
    assert again.fates["unchanged"] == report.fates["added"]


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "ftp"},
        {"url": "file:///etc"},
        {"title": " "},
        {"allowed": ["everything"]},
        {"every_hours": 0},
    ],
)
async def test_a_wrong_source_is_not_added(loader: Pool, told: dict[str, Any]) -> None:
    facts: dict[str, Any] = {"kind": "ckan", "url": "https://a.example", "title": "x", "by": "t"}
    with pytest.raises(harvest.SourceInvalid):
        await harvest.add_source(loader, NOW, "wrong", **{**facts, **told})


@pytest.fixture(scope="module")
def second_portal(server: Any, template: str) -> Iterator[Portal]:
    """Another city's portal with 104 datasets."""
    with another(server, template) as database, portal_up(database) as portal:
        portal.arrange_many({f"set-{n}": f"停车场 {n}" for n in range(104)})
        yield portal
