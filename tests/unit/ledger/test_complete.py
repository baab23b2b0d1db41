"""A person can prove that no entry about them is missing: numbers, tags, the file, and what the offline verifier finds."""

from __future__ import annotations

import base64
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from offline import ROOT, load_tool

from dizuo.foundation.ledger import (
    CONTENTS,
    ENTRIES,
    Entry,
    Sealer,
    SigningKey,
    Tile,
    complete_proof,
    counted,
    served_checkpoint,
    tile_bytes,
    verify,
)
from dizuo.foundation.ledger.complete import key_after, tag_of, tags_from
from dizuo.foundation.ledger.errors import NothingAbout
from dizuo.foundation.ledger.suites import NATIONAL
from dizuo.foundation.store import APP, ERASER, LOADER, SEALER, Connection, Pool

pytestmark = pytest.mark.usefixtures("empty_ledger")
ME, OTHER = 31, 32
ledger = load_tool()


def load_mine() -> Any:
    """tools/verify_mine.py, imported from its file."""
    if "verify_mine" not in sys.modules:
        spec = importlib.util.spec_from_file_location("verify_mine", ROOT / "tools" / "verify_mine.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["verify_mine"] = module
        spec.loader.exec_module(module)
    return sys.modules["verify_mine"]


mine = load_mine()


async def fill(pool: Pool, count: int, start: int = 0) -> list[int]:
    """Entries of which every third is about me, every third about somebody else, every third about nobody."""
    entries = [
        Entry("read", {"n": n, "依据": "户口登记条例§7"}, (ME, OTHER, None)[n % 3], {"case": f"WX{n}"})
        for n in range(start, start + count)
    ]
    return await pool.fetchval("SELECT ledger.append_batch($1)", entries)


async def mirror(connection: Connection, folder: Path, size: int) -> None:
    """The public log as a folder, with what its entries say."""
    levels = (("entries", ENTRIES, size), ("contents", CONTENTS, size), ("0", 0, size), ("1", 1, size >> 8))
    for name, level, count in levels:
        for index, width in ledger.widths(count):
            path = folder / ledger.tile_path(name, index, width)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(await tile_bytes(connection, Tile(level, index, width)))
    (folder / "checkpoint").write_text(await served_checkpoint(connection))


async def erased(app_pool: Pool, eraser_pool: Pool, entries: list[int]) -> None:
    about = {"entries": entries, "basis": "个人信息保护法§47"}
    reason = await app_pool.fetchval("SELECT ledger.append('ledger.erase', $1, NULL, NULL)", about)
    for entry in entries:
        assert await eraser_pool.fetchval("SELECT ledger.erase($1, $2)", entry, reason)


def test_keys_only_go_forwards() -> None:
    first = bytes(32)
    tags = dict(tags_from(4, first, 7))
    assert list(tags) == [4, 5, 6, 7]
    assert tags[4] == tag_of(first)
    assert tags[6] == tag_of(key_after(key_after(first)))
    assert len(set(tags.values())) == 4
    assert {len(tag) for tag in tags.values()} == {16}
    assert mine.tag_of(first) == tag_of(first)
    assert mine.key_after(first) == key_after(first)


async def test_every_person_is_numbered_without_a_gap_over_many_sealings(
    app_pool: Pool, owner_pool: Pool, sealer_pool: Pool, key: SigningKey
) -> None:
    for start in range(0, 120, 40):
        ids = await fill(app_pool, 40, start)
        await Sealer(sealer_pool, key, key.name, batch=7).seal_once()
    await fill(app_pool, 3, 120)  # these have no place yet
    async with app_pool.acquire() as connection:
        told = await counted(connection, ME)
        assert (told.first, told.last, told.missing, told.erased) == (1, 40, (), ())
        assert (told.waiting, told.older, told.whole) == (1, 0, True)
        assert sorted(told.numbers.values()) == list(range(1, 41))
        assert told.numbers[ids[-3]] == 40
        nobody = await counted(connection, 99)
        assert (nobody.first, nobody.last, nobody.whole) == (0, 0, True)
    rows = await owner_pool.fetch("SELECT tag, entry FROM ledger.leaf")
    assert len({row["tag"] for row in rows}) == 120  # also those about nobody have one of their own
    async with owner_pool.acquire() as connection:
        assert (await verify(connection, key.public)).ok


@pytest.mark.parametrize("role", [APP, LOADER, SEALER, ERASER])
async def test_nobody_reads_or_writes_the_keys(pg: Callable[..., Any], role: str) -> None:
    async with pg(role) as connection:
        for statement in (
            "SELECT * FROM ledger.person",
            "UPDATE ledger.person SET next = 1",
            "TABLE ledger.erased_tag",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


@pytest.fixture
async def kept(
    app_pool: Pool, eraser_pool: Pool, sealer: Sealer, key: SigningKey, tmp_path: Path
) -> tuple[Path, str]:
    """A folder with the log's copy, its key and my file; the file's text. One of my entries is erased, in the middle."""
    ids = await fill(app_pool, 60)
    await sealer.seal_once()
    await erased(app_pool, eraser_pool, [ids[9]])
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        text = (await complete_proof(connection, ME)).decode()
        await mirror(connection, tmp_path / "log", 61)
    (tmp_path / "key").write_text(f"{key.public}\n")
    return tmp_path, text


def told(folder: Path, text: str, capsys: pytest.CaptureFixture[str], *more: object) -> tuple[int, str]:
    (folder / "mine").write_text(text)
    code = mine.main(["mine", str(folder / "mine"), "--key", str(folder / "key"), *map(str, more)])
    out = capsys.readouterr()
    return code, out.out + out.err


async def test_the_file_proves_that_nothing_is_missing(
    kept: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, text = kept
    code, said = told(folder, text, capsys)
    assert (code, "numbers 1 to 20, none missing; 1 erased lawfully" in said) == (0, True), said
    assert "number 21 is on none of the first 61 entries of the log" in said
    code, said = told(folder, endless(text), capsys)
    assert (code, "give --log" in said) == (0, True), said
    code, said = told(folder, text, capsys, "--log", folder / "log")
    assert (code, "no other of the first 61 entries" in said) == (0, True), said
    extras = [
        base64.b64decode(line.split(" ")[-2]) for line in endless(text).split("\n\n")[0].split("\n")[3:]
    ]
    assert len(extras) == 20
    assert not any(b"WX" in extra for extra in extras), "a case number is personal"
    assert mine.main(["contents", str(folder / "log"), "--key", str(folder / "key")]) == 0


def endless(text: str) -> str:
    """The file in its first form, which did not say where the list ends."""
    return without(without(text, "rest "), "tags ").replace("dizuo-complete/2\n", "dizuo-complete/1\n")


def without(text: str, start: str) -> str:
    return "\n".join(line for line in text.split("\n") if not line.startswith(start))


def shortened(text: str) -> str:
    """The last entry is withheld and the count is put back, as somebody would who hides the newest use."""
    return without(text, "entry 20 ").replace("last 20\n", "last 19\n")


def exchanged(text: str) -> str:
    return (
        text.replace("entry 3 ", "entry x ").replace("entry 4 ", "entry 3 ").replace("entry x ", "entry 4 ")
    )


def altered(text: str) -> str:
    line = next(line for line in text.split("\n") if line.startswith("entry 3 "))
    words = line.split(" ")
    data = base64.b64decode(words[3]).replace(b"kind read", b"kind look")
    return text.replace(words[3], base64.b64encode(data).decode())


def other_tag(text: str) -> str:
    """An entry of mine is replaced by somebody else's: its content stands in the tree under another tag."""
    line = next(line for line in text.split("\n") if line.startswith("entry 3 "))
    words = line.split(" ")
    data = base64.b64decode(words[3])
    return text.replace(words[3], base64.b64encode(data[:-33] + bytes(16).hex().encode() + b"\n").decode())


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        (lambda text: without(text, "entry 5 "), "number 5 is missing"),
        (lambda text: without(text, "entry 20 "), "number 20 is missing"),
        (lambda text: without(text, "erased 4 "), "number 4 is missing"),
        (exchanged, "does not have number"),
        (altered, "does not lead to the signed root"),
        (other_tag, "does not lead to the signed root"),
        (lambda text: text.replace("first 1 ", "first 2 "), "does not have number"),
        (lambda text: text.replace("last 20\n", "last 21\n"), "number 21 is missing"),
        (lambda text: text.replace("\n61\n", "\n62\n"), "does not fit"),
        (lambda text: text.replace("entry 6 ", "older "), "does not have number|is missing|broken"),
        (lambda text: text[: len(text) // 2], "broken|not a|base64"),
        (lambda text: "", "not a"),
    ],
    ids=["one withheld", "the last withheld", "an erased one withheld", "two exchanged", "altered", "another's", "begun late",
         "counted up", "checkpoint", "called older", "cut off", "empty"],
)  # fmt: skip
async def test_a_bent_file_is_found(
    kept: tuple[Path, str], capsys: pytest.CaptureFixture[str], bend: Callable[[str], str], says: str
) -> None:
    folder, text = kept
    assert bend(text) != text
    code, said = told(folder, bend(text), capsys)
    assert code == 1
    assert any(word in said for word in says.split("|")), said


async def test_a_list_that_stops_early_is_found_in_the_public_log(
    kept: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, text = kept
    code, said = told(folder, shortened(text), capsys)
    assert (code, "number 20 is at place 57" in said) == (1, True), said
    hidden = endless(shortened(text))
    assert told(folder, hidden, capsys)[0] == 0  # in itself it is whole
    code, said = told(folder, hidden, capsys, "--log", folder / "log")
    assert (code, "number 20 is at place 57" in said) == (1, True), said


async def test_another_ledger_and_another_key_are_found(
    kept: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, text = kept
    path = folder / "log/tile/0/000.p/61"
    path.write_bytes(path.read_bytes()[32:] + path.read_bytes()[:32])
    assert told(folder, text, capsys, "--log", folder / "log")[0] == 1
    (folder / "key").write_text(str(SigningKey.generate("test.dizuo/ledger").public))
    assert told(folder, text, capsys)[0] == 1
    (folder / "key").write_text("nonsense")
    assert told(folder, text, capsys)[0] in (1, 2)


async def test_an_entry_that_the_list_leaves_out_is_told(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer, key: SigningKey
) -> None:
    """Somebody with the database takes an entry from a person, or the person from an entry."""
    ids = await fill(app_pool, 12)
    await sealer.seal_once()
    async with owner_pool.acquire() as owner, owner.transaction():
        await owner.execute("ALTER TABLE ledger.entry DISABLE TRIGGER append_only")
        await owner.execute("UPDATE ledger.entry SET subject = NULL WHERE id = $1", ids[3])
        await owner.execute("ALTER TABLE ledger.entry ENABLE TRIGGER append_only")
    async with app_pool.acquire() as connection:
        told = await counted(connection, ME)
        assert (told.missing, told.whole) == ((2,), False)
    async with owner_pool.acquire() as connection:
        assert {"altered", "misnumbered"} <= set((await verify(connection, key.public)).counts)


async def test_forgetting_unlinks_the_oldest_and_the_rest_still_verifies(
    app_pool: Pool, eraser_pool: Pool, owner_pool: Pool, sealer: Sealer, key: SigningKey, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    ids = await fill(app_pool, 30)
    await sealer.seal_once()
    before = await owner_pool.fetchval("SELECT first_key FROM ledger.person WHERE subject = $1", ME)
    await erased(app_pool, eraser_pool, [ids[0], ids[3], ids[12]])
    assert await eraser_pool.fetchval("SELECT ledger.forget_numbers($1)", ME) == 2
    assert await eraser_pool.fetchval("SELECT ledger.forget_numbers($1)", ME) == 0
    assert await eraser_pool.fetchval("SELECT ledger.forget_numbers(77)") == 0
    row = await owner_pool.fetchrow("SELECT * FROM ledger.person WHERE subject = $1", ME)
    assert row is not None
    assert (row["first"], row["first_key"]) == (3, key_after(key_after(before)))
    assert await owner_pool.fetchval("SELECT count(*) FROM ledger.erased_tag") == 1
    await fill(app_pool, 3)
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        counts = await counted(connection, ME)
        assert (counts.first, counts.last, counts.erased, counts.whole) == (3, 11, (5,), True)
        text = (await complete_proof(connection, ME)).decode()
        await mirror(connection, tmp_path / "log", 34)
    (tmp_path / "key").write_text(f"{key.public}\n")
    code, said = told(tmp_path, text, capsys, "--log", tmp_path / "log")
    assert (code, "numbers 3 to 11, none missing; 1 erased" in said) == (0, True), said
    async with owner_pool.acquire() as connection:
        assert (await verify(connection, key.public)).ok


async def test_entries_from_before_there_were_numbers_stay_valid(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer, key: SigningKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """Leaves of the first version under a checkpoint, as an installation of before has them; then it goes on with numbers."""
    await fill(app_pool, 30)
    async with owner_pool.acquire() as owner:
        await owner.execute(OLD_LEAVES)
        hashes = [row["hash"] for row in await owner.fetch("SELECT hash FROM ledger.leaf ORDER BY seq")]
        await sealed_by_hand(owner, hashes, key)
    await fill(app_pool, 30)
    await sealer.seal_once()
    async with owner_pool.acquire() as connection:
        report = await verify(connection, key.public)
        assert (report.ok, report.sealed) == (True, 60), report.problems
    async with app_pool.acquire() as connection:
        counts = await counted(connection, ME)
        assert (counts.last, counts.older, counts.whole) == (10, 10, True)
        text = (await complete_proof(connection, ME)).decode()
        await mirror(connection, tmp_path / "log", 60)
    (tmp_path / "key").write_text(f"{key.public}\n")
    code, said = told(tmp_path, text, capsys, "--log", tmp_path / "log")
    assert (code, "numbers 1 to 10, none missing; 0 erased lawfully, 10 from before" in said) == (0, True), (
        said
    )
    assert mine.main(["contents", str(tmp_path / "log"), "--key", str(tmp_path / "key")]) == 0


OLD_LEAVES = """
    INSERT INTO ledger.leaf (seq, entry, hash)
    SELECT row_number() OVER (ORDER BY tx, id) - 1, id, sha256('\\x00'::bytea || convert_to(
        'dizuo-entry/1' || E'\\nid ' || id::text || E'\\nat ' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        || E'\\nkind ' || kind || E'\\nbody ' || body::text || E'\\ncommitment ' || encode(commitment, 'hex') || E'\\n', 'UTF8'))
    FROM ledger.entry
"""


async def sealed_by_hand(owner: Connection, hashes: list[bytes], key: SigningKey) -> None:
    from dizuo.foundation.ledger import Checkpoint
    from dizuo.foundation.ledger.merkle import Edge

    edge = Edge()
    nodes = list(edge.grow(hashes, 4))
    for level, position, value in nodes:
        await owner.execute("INSERT INTO ledger.node VALUES ($1, $2, $3)", level, position, value)
    note = Checkpoint(key.name, edge.size, edge.root()).signed(key)
    await owner.execute(
        "INSERT INTO ledger.checkpoint (size, root, note, tx, entry)"
        " SELECT $1, $2, $3, tx, id FROM ledger.entry ORDER BY tx DESC, id DESC LIMIT 1",
        edge.size, edge.root(), note,
    )  # fmt: skip


async def test_nothing_about_somebody_is_no_file(app_pool: Pool, sealer: Sealer) -> None:
    await fill(app_pool, 3)
    async with app_pool.acquire() as connection:
        with pytest.raises(NothingAbout):
            await complete_proof(connection, ME)
        await sealer.seal_once()
        with pytest.raises(NothingAbout):
            await complete_proof(connection, 12345)


async def test_under_sm3_and_sm2_all_of_it_holds_too(
    app_pool: Pool, owner_pool: Pool, sealer_pool: Pool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = SigningKey.generate("city.example/sm", NATIONAL)
    sealer = Sealer(sealer_pool, key, key.name, batch=11)
    await fill(app_pool, 40)
    await sealer.seal_once()
    async with owner_pool.acquire() as connection:
        report = await verify(connection, key.public)
        assert report.ok, report.problems
    async with app_pool.acquire() as connection:
        text = (await complete_proof(connection, ME)).decode()
        await mirror(connection, tmp_path / "log", 40)
    (tmp_path / "key").write_text(f"{key.public}\n")
    code, said = told(tmp_path, text, capsys, "--log", tmp_path / "log")
    assert (code, "numbers 1 to 14, none missing" in said) == (0, True), said
    fewer = without(text, "entry 14 ").replace("last 14\n", "last 13\n")
    assert told(tmp_path, fewer, capsys)[0] == 1
    fewer = endless(fewer)
    assert told(tmp_path, fewer, capsys)[0] == 0  # in itself it is whole
    code, said = told(tmp_path, fewer, capsys, "--log", tmp_path / "log")
    assert (code, "number 14 is at place" in said) == (1, True), said
    assert told(tmp_path, without(text, "entry 9 "), capsys)[0] == 1
