"""The file shows shortly where a person's list ends: lists of tags in the log, and who hides an entry is found."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from test_complete import ME, erased, fill, ledger, mine, mirror, told, without

import dizuo.foundation.ledger.ending as ending_lines
from dizuo.foundation.ledger import (
    NATIONAL,
    PublicKey,
    Sealer,
    SigningKey,
    complete_proof,
    make_segments,
    segments,
    verify,
)
from dizuo.foundation.ledger.complete import key_after, tag_of
from dizuo.foundation.ledger.ending import _path, ending
from dizuo.foundation.ledger.merkle import leaf_hash, sha256, verify_inclusion
from dizuo.foundation.ledger.segments import TagList, cut, tags_head
from dizuo.foundation.store import APP, ERASER, LOADER, SEALER, Pool

pytestmark = pytest.mark.usefixtures("empty_ledger")
RUN = 64


def test_a_list_in_blocks_is_one_tree() -> None:
    for count in (0, 1, 255, 256, 257, 512, 1000, 1024):
        check_list(count)


def check_list(count: int) -> None:
    tags = sorted(sha256(b"%d" % n)[:16] for n in range(count))
    made = TagList(sha256)
    blocks = made.add(tags[: count // 3]) + made.add(tags[count // 3 :]) + made.add((), last=True)
    assert (made.count, made.root()) == (count, tags_head(tags, sha256))
    assert [tag for block in blocks for tag in cut(block.tags)] == tags
    heads = [block.head for block in blocks]
    for index in {0, count // 2, count - 1} if count else ():
        block, inside = divmod(index, 256)
        leaves = [leaf_hash(tag) for tag in cut(blocks[block].tags)]
        path = [*_path(leaves, inside, sha256), *_path(heads, block, sha256)]
        assert verify_inclusion(index, count, leaf_hash(tags[index]), path, made.root())


Ended = tuple[Path, str]


@pytest.fixture
async def ended(
    app_pool: Pool, sealer_pool: Pool, eraser_pool: Pool, sealer: Sealer, key: SigningKey, tmp_path: Path
) -> Ended:
    """A log of 1,150 entries with a list of 1,024 leaves, one of 64 behind it, and leaves behind that; my file of it."""
    ids = await fill(app_pool, 1100)
    await sealer.seal_once()
    assert await make_segments(sealer_pool, run=RUN) == 18
    assert await make_segments(sealer_pool, run=RUN) == 0
    await erased(app_pool, eraser_pool, [ids[-2]])
    await fill(app_pool, 31, 1100)
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        text = (await complete_proof(connection, ME)).decode()
        await mirror(connection, tmp_path / "log", 1150)
    (tmp_path / "key").write_text(f"{key.public}\n")
    return tmp_path, text


def parts(text: str) -> list[str]:
    return [line for line in text.split("\n\n")[0].split("\n") if line.startswith(("tags ", "rest "))]


def last_of(text: str) -> int:
    return int(next(line for line in text.split("\n") if line.startswith("last "))[5:])


async def test_the_file_says_that_nothing_follows(
    ended: Ended, owner_pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, text = ended
    tags, last = parts(text)[:-1], last_of(text)
    assert [len(line.split(" ")) for line in tags] == [6, 6], "the longest lists are used"
    assert parts(text)[-1].startswith("rest 1088 ")
    code, said = told(folder, text, capsys)
    assert (code, f"number {last + 1} is on none of the first 1150 entries" in said, "62 are" in said) == (
        0,
        True,
        True,
    ), said
    assert "2 lists of tags" in said
    code, said = told(folder, text, capsys, "--log", folder / "log")
    assert code == 0, said
    assert mine.main(["contents", str(folder / "log"), "--key", str(folder / "key")]) == 0
    assert "18 lists of tags" in capsys.readouterr().out
    async with owner_pool.acquire() as connection:
        report = await verify(connection, key_of(folder))
        assert report.ok, report.problems


def key_of(folder: Path) -> PublicKey:
    return PublicKey.parse((folder / "key").read_text().strip())


def keys_of(text: str) -> list[bytes]:
    """Key of each number, from 1."""
    key = bytes.fromhex(text.split("\n")[1].split(" ")[2])
    found = [b"", key]
    for _ in range(last_of(text)):
        found.append(key_after(found[-1]))
    return found


async def stopping_at(pool: Pool, folder: Path, text: str, number: int, size: int = 1150) -> str:
    """The best that somebody can make who hides every entry after a number: with the lines that the ledger itself would give."""
    digest = key_of(folder).digest
    async with pool.acquire() as connection:
        lines = await ending(connection, size, tag_of(keys_of(text)[number + 1]), digest)
    above, _, note = text.partition("\n\n")
    kept = [
        line
        for line in above.split("\n")
        if not line.startswith(("tags ", "rest "))
        and not (line[:6] in ("entry ", "erased") and int(line.split(" ")[1]) > number)
    ]
    kept[2] = f"last {number}"
    return "\n".join([*kept, *lines]) + "\n\n" + note


@pytest.mark.parametrize("hides", ["among the last leaves", "in the short list", "in the long list"])
async def test_whoever_hides_the_last_entries_is_found(
    ended: Ended, app_pool: Pool, capsys: pytest.CaptureFixture[str], hides: str
) -> None:
    folder, text = ended
    number = {"among the last leaves": last_of(text) - 1, "in the short list": 350, "in the long list": 200}[
        hides
    ]
    code, said = told(folder, await stopping_at(app_pool, folder, text, number), capsys)
    assert code == 1
    assert ("is at place" if hides.startswith("among") else f"number {number + 1} may be among") in said, said
    # with the lines of the true end it is none the better
    short = without(text, f"entry {last_of(text)} ").replace(
        f"last {last_of(text)}\n", f"last {last_of(text) - 1}\n"
    )
    assert told(folder, short, capsys)[0] == 1


async def test_under_sm3_it_is_the_same(
    app_pool: Pool, sealer_pool: Pool, owner_pool: Pool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = SigningKey.generate("test.dizuo/ended", NATIONAL)
    sealer = Sealer(sealer_pool, key, key.name)
    await fill(app_pool, 36)
    await sealer.seal_once()
    assert await make_segments(sealer_pool, run=16) == 2
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        text = (await complete_proof(connection, ME)).decode()
    (tmp_path / "key").write_text(f"{key.public}\n")
    code, said = told(tmp_path, text, capsys)
    assert (code, "number 13 is on none of the first 38 entries" in said, "2 lists" in said) == (
        0,
        True,
        True,
    ), said
    code, said = told(tmp_path, await stopping_at(app_pool, tmp_path, text, 7, 38), capsys)
    assert (code, "number 8 may be among" in said) == (1, True), said
    async with owner_pool.acquire() as connection:
        assert (await verify(connection, key.public)).ok


def bent(line: int, word: int, change: Callable[[str], str]) -> Callable[[str], str]:
    def bend(text: str) -> str:
        old = parts(text)[line]
        words = old.split(" ")
        words[word] = change(words[word])
        return text.replace(old, " ".join(words))

    return bend


def entry_said(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[str], str]:
    def changed(word: str) -> str:
        lines = base64.b64decode(word).split(b"\n")
        lines[4] = b"body " + json.dumps(change(json.loads(lines[4][5:]))).encode()
        return base64.b64encode(b"\n".join(lines)).decode()

    return changed


BENT = {
    "a list left out": lambda text: text.replace(parts(text)[0] + "\n", ""),
    "all lists left out": lambda text: text.replace(parts(text)[0] + "\n", "").replace(parts(text)[1] + "\n", ""),
    "two exchanged": lambda text: text.replace(parts(text)[0], "X").replace(parts(text)[1], parts(text)[0]).replace("X", parts(text)[1]),
    "the rest left out": lambda text: text.replace(parts(text)[2] + "\n", ""),
    "another root": bent(0, 2, entry_said(lambda body: {**body, "root": bytes(32).hex()})),
    "a longer run": bent(0, 2, entry_said(lambda body: {**body, "to": 1088})),
    "another entry": bent(0, 1, lambda place: str(int(place) - 1)),
    "no neighbour": bent(0, 4, lambda _: "-"),
    "neither neighbour": lambda text: bent(0, 5, lambda _: "-")(bent(0, 4, lambda _: "-")(text)),
    "another number": bent(0, 4, lambda word: f"{int(word.partition(':')[0]) - 1}:{word.partition(':')[2]}"),
    "another tag": bent(0, 5, lambda word: word.partition(":")[0] + ":" + "ff" * 16 + ":" + word.rpartition(":")[2]),
    "a leaf less": bent(2, 3, lambda word: base64.b64encode(base64.b64decode(word)[48:]).decode()),
    "another leaf": bent(2, 3, lambda word: base64.b64encode(base64.b64decode(word)[:-1] + b"!").decode()),
    "another beginning": bent(2, 1, lambda _: "1024"),
    "another edge": bent(2, 2, lambda word: word.partition(",")[2]),
    "called an entry": lambda text: text.replace("rest 1088", "older 1088"),
}  # fmt: skip


async def test_a_bent_end_is_found(ended: Ended, capsys: pytest.CaptureFixture[str]) -> None:
    folder, text = ended
    for what, bend in BENT.items():
        assert bend(text) != text, what
        code, said = told(folder, bend(text), capsys)
        assert code == 1, (what, said)


async def test_a_list_that_hides_a_tag_is_found_by_whoever_makes_it_again(
    app_pool: Pool, sealer_pool: Pool, owner_pool: Pool, sealer: Sealer, key: SigningKey, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The operator leaves my last tag out of the list: the file alone holds, and the signed log proves the lie for ever."""
    await fill(app_pool, 64)
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        whole = (await complete_proof(connection, ME)).decode()
    hidden = tag_of(keys_of(whole)[22])
    real = segments._in_order

    async def without_mine(*given: Any) -> AsyncIterator[list[bytes]]:
        async for tags in real(*given):
            yield [tag for tag in tags if tag != hidden]

    monkeypatch.setattr(segments, "_in_order", without_mine)
    assert await make_segments(sealer_pool, run=RUN) == 1
    await sealer.seal_once()
    (tmp_path / "key").write_text(f"{key.public}\n")
    async with app_pool.acquire() as connection:
        text = (await complete_proof(connection, ME)).decode()
        lines = await ending(connection, 65, hidden, sha256)
        await mirror(connection, tmp_path / "log", 65)
    above, _, note = text.partition("\n\n")
    kept = [line for line in above.split("\n") if not line.startswith(("tags ", "rest ", "entry 22 "))]
    lie = "\n".join([*kept, *lines]).replace("last 22\n", "last 21\n") + "\n\n" + note
    assert told(tmp_path, lie, capsys)[0] == 0
    code, said = told(tmp_path, lie, capsys, "--log", tmp_path / "log")
    assert (code, "is not that of the entries 0 to 63" in said) == (1, True), said
    assert mine.main(["contents", str(tmp_path / "log"), "--key", str(tmp_path / "key")]) == 1
    async with owner_pool.acquire() as connection:
        report = await verify(connection, key.public)
        assert [problem.kind for problem in report.problems] == ["altered"]
        assert "0–63" in report.problems[0].message


async def test_what_is_part_of_a_longer_list_is_let_go_and_a_crash_leaves_no_half(
    app_pool: Pool, sealer_pool: Pool, owner_pool: Pool, sealer: Sealer, key: SigningKey, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    await fill(app_pool, 1040)
    await sealer.seal_once()
    real, calls = segments._keep, []

    async def dying(*given: Any) -> None:
        await real(*given)
        calls.append(given)
        if len(calls) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(segments, "_keep", dying)
    with pytest.raises(KeyboardInterrupt):
        await make_segments(sealer_pool, run=RUN)
    monkeypatch.undo()
    made = await owner_pool.fetchval("SELECT count(*) FROM ledger.tag_segment")
    assert (
        made == await owner_pool.fetchval("SELECT count(*) FROM ledger.entry WHERE kind = 'ledger.tags'") < 5
    )
    assert await make_segments(sealer_pool, run=RUN) == 17 - made
    await sealer.seal_once()
    blocks = "SELECT count(*) FROM ledger.tag_block"
    assert await owner_pool.fetchval(blocks) == 16 + 4
    await owner_pool.execute("UPDATE ledger.tag_segment SET made_at = now() - interval '2 days'")
    assert await make_segments(sealer_pool, run=RUN) == 0
    await segments.let_parts_go(sealer_pool)
    assert await owner_pool.fetchval(blocks) == 4
    (tmp_path / "key").write_text(f"{key.public}\n")
    async with app_pool.acquire() as connection:
        text = (await complete_proof(connection, ME)).decode()
    assert told(tmp_path, text, capsys)[0] == 0
    assert len(parts(text)) == 2


async def test_too_many_leaves_without_a_list_are_not_carried(
    app_pool: Pool, sealer: Sealer, key: SigningKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    await fill(app_pool, 12)
    await sealer.seal_once()
    monkeypatch.setattr(ending_lines, "MOST_REST", 11)
    async with app_pool.acquire() as connection:
        text = (await complete_proof(connection, ME)).decode()
    (tmp_path / "key").write_text(f"{key.public}\n")
    code, said = told(tmp_path, text, capsys)
    assert (code, "does not show where your list ends" in said) == (0, True), said
    assert ledger.Key.given(str(tmp_path / "key"), 1).name == key.name


@pytest.mark.parametrize("role", [APP, LOADER, SEALER, ERASER])
async def test_lists_are_written_behind_the_sealer_only(pg: Callable[..., Any], role: str) -> None:
    wrong = [
        "UPDATE ledger.tag_segment SET root = root",
        "DELETE FROM ledger.tag_segment",
        "UPDATE ledger.tag_block SET tags = tags",
    ]
    if role != SEALER:
        wrong += [
            "DELETE FROM ledger.tag_block",
            "INSERT INTO ledger.tag_segment VALUES (0, 1, 0, ''::bytea, 1)",
        ]
    async with pg(role) as connection:
        for statement in wrong:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_the_clerk_makes_them_by_the_clock(
    app_pool: Pool, sealer_pool: Pool, owner_pool: Pool, sealer: Sealer
) -> None:
    await fill(app_pool, 1030)
    await sealer.seal_once()
    stop = asyncio.Event()
    running = asyncio.create_task(segments.segments_by_the_clock(sealer_pool, stop))
    for _ in range(200):
        if await owner_pool.fetchval("SELECT count(*) FROM ledger.tag_segment"):
            break
        await asyncio.sleep(0.05)
    stop.set()
    await running
    rows = await owner_pool.fetch("SELECT low, high, tags FROM ledger.tag_segment")
    assert [tuple(row) for row in rows] == [(0, 1024, 1024)]
