"""The ledger as a public log: a machine copies it through the data door and verifies it, and finds nothing personal in it."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from newborn import agree, answers, begin, submit
from town import BASE, Town

TOOL = Path(__file__).resolve().parents[2] / "tools" / "verify_ledger.py"


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("verify_ledger", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_ledger"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
async def worked(town: Town) -> str:
    lin = await begin(town, "林晓晴")
    number = await submit(lin, answers())
    for name in ("王启明", "王建国"):
        await agree(town, name, number)
    await town.settle(minutes=1)
    return number


async def got(town: Town, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=town.app), base_url=BASE) as client:
        return await client.get(f"/data/log/{path}", headers=headers)


async def copied(town: Town, tool: Any, folder: Path) -> tuple[Any, list[bytes]]:
    """The whole log in a folder, and its entries."""
    note = (await got(town, "checkpoint")).text
    key = tool.Key(str(town.app.state.dizuo.ledger_key), 1)
    head = tool.Head(note, key)
    (folder / "checkpoint").write_text(note)
    entries: list[bytes] = []
    for level, count in (
        ("entries", head.size),
        ("contents", head.size),
        ("0", head.size),
        ("1", head.size >> 8),
    ):
        for index, width in tool.widths(count):
            path = tool.tile_path(level, index, width)
            answer = await got(town, path)
            assert answer.status_code == 200, path
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(answer.content)
            if level == "contents":
                entries += tool.entries(answer.content)
    return head, entries


async def test_anybody_copies_and_verifies_the_log(
    town: Town, worked: str, tool: Any, tmp_path: Path
) -> None:
    head, entries = await copied(town, tool, tmp_path)
    assert head.size == len(entries) == await town.owner.fetchval("SELECT count(*) FROM ledger.entry")
    tool.verify_tiles(tool.Log(str(tmp_path)), head)


async def test_headers_let_copies_be_kept(town: Town, worked: str) -> None:
    note = await got(town, "checkpoint")
    assert note.headers["content-type"] == "text/plain; charset=utf-8"
    assert note.headers["cache-control"] == "public, max-age=2"
    assert (await got(town, "checkpoint", **{"if-none-match": note.headers["etag"]})).status_code == 304
    tile = await got(town, "tile/0/000.p/2")
    assert tile.headers["content-type"] == "application/octet-stream"
    assert "immutable" in tile.headers["cache-control"]
    assert len(tile.content) == 64
    packed = await got(town, "tile/entries/000.p/9", **{"accept-encoding": "gzip"})
    assert packed.headers.get_list("content-encoding") == ["gzip"], "packed once"
    plain = await got(town, "tile/entries/000.p/9", **{"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content
    assert "set-cookie" not in tile.headers
    for wrong in (
        "tile/0/999",
        "tile/0/000.p/256",
        "tile/64/000",
        "tile/0/0",
        "tile/entries/..%2f000",
        "tile/9/000.p/1",
    ):
        assert (await got(town, wrong)).status_code == 404, wrong


async def test_the_public_log_names_nobody(town: Town, worked: str, tool: Any, tmp_path: Path) -> None:
    """No case, no identity number, no person's or record's key, no account stands in what everybody may read."""
    _, entries = await copied(town, tool, tmp_path)
    text = b"".join(entries).decode()
    assert worked not in text
    names = [row["name"] for row in await town.owner.fetch("SELECT name FROM directory.account")]
    assert not [name for name in names if name in text]
    # Not within a commitment, whose digits may stand as they like.
    assert not re.search(r"(?<![0-9a-f])\d{17}[\dX](?![0-9a-f])", text), "an identity number"
    people = {
        row["subject"]
        for row in await town.owner.fetch(
            "SELECT DISTINCT subject FROM ledger.entry WHERE subject IS NOT NULL"
        )
    }
    said = {int(n) for n in re.findall(r'"(?:subject|person|identity)": (\d+)', text)}
    assert not people & said


async def test_a_real_city_tells_hashes_and_no_contents_unless_it_says_so(
    town: Town, worked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dizuo = town.app.state.dizuo
    real = msgspec.structs.replace(dizuo.city, demonstration=False)
    monkeypatch.setattr(town.app.state, "dizuo", dataclasses.replace(dizuo, city=real))
    closed, leaves = await got(town, "tile/contents/000.p/9"), await got(town, "tile/entries/000.p/9")
    assert (closed.status_code, leaves.status_code) == (403, 200)
    assert leaves.content.count(b"dizuo-entry/2\ntag ") == 9, (
        "a tagged leaf says nothing, so everybody may have it"
    )
    assert b"body" not in leaves.content
    assert (await got(town, "tile/0/000.p/9")).status_code == 200
    assert (await got(town, "checkpoint")).status_code == 200
    monkeypatch.setenv("DIZUO_LOG_ENTRIES", "public")
    assert b"\nbody {" in (await got(town, "tile/contents/000.p/9")).content
