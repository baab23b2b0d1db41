"""Sealing, proofs, and what verification finds when the owner of the database cheats."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest

from dizuo.foundation.ledger import Entry, Sealer, SigningKey, consistency, proof, verify, verify_proof
from dizuo.foundation.ledger.errors import (
    CheckpointInvalid,
    EntryNotSealed,
    EntryUnknown,
    LedgerBroken,
    ProofInvalid,
)
from dizuo.foundation.ledger.merkle import verify_consistency
from dizuo.foundation.ledger.verify import Report
from dizuo.foundation.store import Pool

pytestmark = pytest.mark.usefixtures("empty_ledger")


async def append(pool: Pool, count: int, start: int = 0) -> list[int]:
    entries = [
        Entry("read", {"n": n, "依据": "户口登记条例§7"}, 100 + n % 7, {"case": f"WX{n}"})
        for n in range(start, start + count)
    ]
    return await pool.fetchval("SELECT ledger.append_batch($1)", entries)


async def checked(pool: Pool, key: SigningKey, kept: str | None = None) -> Report:
    async with pool.acquire() as connection:
        return await verify(connection, key.public, kept=kept)


async def cheat(pool: Pool, *statements: str) -> None:
    """What somebody who owns the database can do: put the guards aside, write, put them back."""
    async with pool.acquire() as connection, connection.transaction():
        for statement in (*guards("DISABLE"), *statements, *guards("ENABLE")):
            await connection.execute(statement)


def guards(verb: str) -> list[str]:
    tables = ("entry", "leaf", "node", "checkpoint")
    return [f"ALTER TABLE ledger.{table} {verb} TRIGGER append_only" for table in tables]


async def test_sealing_covers_everything_in_batches(
    app_pool: Pool, owner_pool: Pool, sealer_pool: Pool, key: SigningKey
) -> None:
    sealer = Sealer(sealer_pool, key, key.name, batch=64)
    assert await sealer.seal_once() == 0
    await append(app_pool, 150)
    assert await sealer.seal_once() == 150
    await append(app_pool, 1)
    assert (
        await Sealer(sealer_pool, key, key.name).seal_once() == 1
    )  # another process goes on from what is stored
    await append(app_pool, 300)
    assert await sealer.seal_once() == 300
    report = await checked(owner_pool, key)
    assert report.ok, report.problems
    assert (report.sealed, report.pending, report.checkpoints) == (451, 0, 9)


async def test_a_late_commit_is_sealed_too(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer, key: SigningKey
) -> None:
    async with app_pool.acquire() as slow:
        late = slow.transaction()
        await late.start()  # pyright: ignore[reportAttributeAccessIssue]
        await slow.fetchval("SELECT ledger.append('slow', '{}', NULL, NULL)")
        await append(app_pool, 5)
        assert await sealer.seal_once() == 0  # they wait: the slow one may still come before them
        report = await checked(owner_pool, key)
        assert (report.ok, report.pending) == (True, 5)
        await late.commit()  # pyright: ignore[reportAttributeAccessIssue]
    assert await sealer.seal_once() == 6
    async with app_pool.acquire() as slow:
        late = slow.transaction()
        await late.start()  # pyright: ignore[reportAttributeAccessIssue]
        await slow.fetchval("SELECT ledger.append('undone', '{}', NULL, NULL)")
        await late.rollback()  # pyright: ignore[reportAttributeAccessIssue]
    assert await sealer.seal_once() == 0
    assert (await checked(owner_pool, key)).ok


async def test_two_sealers_and_many_writers(
    app_pool: Pool, owner_pool: Pool, sealer_pool: Pool, key: SigningKey
) -> None:
    stop = asyncio.Event()
    sealers = [Sealer(sealer_pool, key, key.name, interval=0.005, batch=50) for _ in range(2)]
    running = [asyncio.create_task(sealer.run(stop)) for sealer in sealers]

    async def write(n: int) -> None:
        for turn in range(10):
            await append(app_pool, 7, n * 1000 + turn * 7)

    await asyncio.gather(*(write(n) for n in range(6)))
    stop.set()
    await asyncio.gather(*running)
    await sealers[0].seal_once()
    report = await checked(owner_pool, key)
    assert report.ok, report.problems
    assert (report.sealed, report.pending) == (420, 0)


async def test_the_bytes_under_a_leaf_are_the_same_in_sql_and_python(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer, key: SigningKey
) -> None:
    awkward: list[Entry] = [
        Entry(
            "read",
            {"b": 1, "aa": [1.5, -2.25, 10**15, None, True], "名": '龘\u2028"\\\n\t𠮷'},
            1,
            {"x": "\u0001"},
        ),
        Entry("read", {}),
        Entry("a.b_c9", {"z": {"y": {"x": []}}}, None, {"only": "payload"}),
    ]
    numbers = await app_pool.fetchval("SELECT ledger.append_batch($1)", awkward)
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        for number, entry in zip(numbers, awkward, strict=True):
            proven = verify_proof(await proof(connection, number), key.public)
            assert (proven.id, proven.kind, proven.body) == (number, entry.kind, entry.body)
    assert (await checked(owner_pool, key)).ok


async def test_every_entry_has_a_proof_that_nobody_can_bend(
    app_pool: Pool, sealer_pool: Pool, key: SigningKey
) -> None:
    sealer = Sealer(sealer_pool, key, key.name, batch=100)
    numbers = await append(app_pool, 333)
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        texts = [await proof(connection, number) for number in numbers]
    for number, text in zip(numbers, texts, strict=True):
        proven = verify_proof(text, key.public)
        assert (proven.id, proven.checkpoint.size) == (number, 333)
    text = texts[17].decode()
    lines = text.split("\n")
    other = texts[18].decode().split("\n")
    bent: Sequence[str] = [
        text.replace("index 17", "index 18"),
        text.replace(lines[1], other[1]),
        text.replace(lines[3], other[4]),
        text.replace(lines[3] + "\n", ""),
        text.replace("\n333\n", "\n334\n"),
        text.replace("tlog-proof@v1", "tlog-proof@v2"),
        text.replace("extra ", "extra !"),
        text.replace("index 17", "index -17"),
        text.replace("index 17", "index " + "9" * 5000),
        text.replace("index 17\n", "index 17\n" + (lines[3] + "\n") * 100),
        "",
        "x" * 2_000_000,
    ]
    for wrong in bent:
        assert wrong != text
        with pytest.raises((ProofInvalid, CheckpointInvalid)):
            verify_proof(wrong, key.public)
    with pytest.raises(CheckpointInvalid):
        verify_proof(text, SigningKey.generate(key.name).public)


async def test_a_proof_comes_after_sealing(app_pool: Pool, sealer: Sealer) -> None:
    [number] = await append(app_pool, 1)
    async with app_pool.acquire() as connection:
        with pytest.raises(EntryNotSealed):
            await proof(connection, number)
        with pytest.raises(EntryUnknown):
            await proof(connection, 10**15)
        await sealer.seal_once()
        assert await proof(connection, number)


async def test_checkpoints_extend_one_another(app_pool: Pool, sealer: Sealer) -> None:
    for count in (3, 60, 1, 200):
        await append(app_pool, count)
        await sealer.seal_once()
    async with app_pool.acquire() as connection:
        heads = await connection.fetch("SELECT size, root FROM ledger.checkpoint ORDER BY size")
        for older, newer in pairwise(heads):
            path = await consistency(connection, older["size"], newer["size"])
            assert verify_consistency(older["size"], newer["size"], older["root"], newer["root"], path)


async def test_proofs_survive_erasure(
    app_pool: Pool, eraser_pool: Pool, owner_pool: Pool, sealer: Sealer, key: SigningKey
) -> None:
    numbers = await append(app_pool, 20)
    await sealer.seal_once()
    about = {"entries": numbers[:3], "basis": "个人信息保护法§47"}
    reason = await app_pool.fetchval("SELECT ledger.append('ledger.erase', $1, NULL, NULL)", about)
    for number in numbers[:3]:
        assert await eraser_pool.fetchval("SELECT ledger.erase($1, $2)", number, reason)
    await sealer.seal_once()
    report = await checked(owner_pool, key)
    assert report.ok, report.problems
    assert report.erased == 3
    async with app_pool.acquire() as connection:
        assert verify_proof(await proof(connection, numbers[0]), key.public).body["n"] == 0


# A cheat who knows how persons are numbered counts them down to what is left.
NUMBERS_CUT = [
    """
    DO $$ DECLARE p record; k bytea; BEGIN
        FOR p IN SELECT q.*, (SELECT count(*) FROM ledger.entry e WHERE e.subject = q.subject) AS left FROM ledger.person q LOOP
            k := p.first_key;
            FOR n IN 1 .. p.left LOOP k := sha256('\\x03'::bytea || k); END LOOP;
            UPDATE ledger.person SET next = p.left + 1, next_key = k WHERE subject = p.subject;
        END LOOP;
    END $$
    """
]

CHEATS = {
    "altered body": ("altered", ["UPDATE ledger.entry SET body = body || '{\"n\": -1}' WHERE id = {5}"]),
    "altered time": (
        "altered",
        ["UPDATE ledger.entry SET at = at - interval '1 microsecond' WHERE id = {5}"],
    ),
    "altered kind": ("altered", ["UPDATE ledger.entry SET kind = 'refuse' WHERE id = {5}"]),
    "another person": ("altered", ["UPDATE ledger.entry SET subject = 999 WHERE id = {5}"]),
    "another payload": ("altered", ["UPDATE ledger.entry SET payload = '{}' WHERE id = {5}"]),
    "payload torn off": (
        "altered",
        ["UPDATE ledger.entry SET salt = NULL, payload = NULL, subject = NULL WHERE id = {5}"],
    ),
    "altered with its leaf": (
        "reordered",
        [
            "UPDATE ledger.entry SET subject = 999, commitment = sha256(salt || '999'::bytea || E'\\n' || payload::text::bytea) WHERE id = {5}",
            "UPDATE ledger.leaf SET hash = sha256('\\x00'::bytea || convert_to((SELECT 'dizuo-entry/2' || E'\\ntag ' || encode(tag, 'hex')"
            " || E'\\ncontent ' || encode(sha256(ledger.content(id, at, kind, body, commitment)), 'hex') || E'\\n'"
            " FROM ledger.entry WHERE id = {5}), 'UTF8')) WHERE entry = {5}",
        ],
    ),
    "removed entry": ("removed", ["DELETE FROM ledger.entry WHERE id = {5}"]),
    "removed entry and leaf": (
        "removed",
        ["DELETE FROM ledger.entry WHERE id = {5}", "DELETE FROM ledger.leaf WHERE entry = {5}"],
    ),
    "removed and closed up": (
        "reordered",
        [
            "DELETE FROM ledger.entry WHERE id = {5}",
            "DELETE FROM ledger.leaf WHERE entry = {5}",
            "UPDATE ledger.leaf SET seq = seq - 1000 WHERE seq > 4",
            "UPDATE ledger.leaf SET seq = seq + 999 WHERE seq < 0",
        ],
    ),
    "two exchanged": (
        "reordered",
        [
            "UPDATE ledger.leaf SET seq = -1 WHERE seq = 5",
            "UPDATE ledger.leaf SET seq = 5 WHERE seq = 6",
            "UPDATE ledger.leaf SET seq = 6 WHERE seq = -1",
        ],
    ),
    "end cut off": (
        "truncated",
        ["DELETE FROM ledger.entry WHERE id >= {90}", "DELETE FROM ledger.leaf WHERE seq >= 90"],
    ),
    "another tag": ("altered", ["UPDATE ledger.leaf SET tag = substr(sha256(tag), 1, 16) WHERE entry = {5}"]),
    "counted down": ("misnumbered", ["UPDATE ledger.person SET next = next - 1"]),
    "another person's key": (
        "misnumbered",
        ["UPDATE ledger.person SET first_key = sha256(first_key) WHERE subject = 101"],
    ),
    "checkpoint changed": (
        "checkpoint",
        ["UPDATE ledger.checkpoint SET root = sha256(root) WHERE size = 100"],
    ),
    "checkpoint removed": ("checkpoint", ["DELETE FROM ledger.checkpoint WHERE size = 100"]),
    "note resigned by nobody": (
        "checkpoint",
        ["UPDATE ledger.checkpoint SET note = replace(note, E'\\n100\\n', E'\\n101\\n') WHERE size = 100"],
    ),
    "node changed": (
        "reordered",
        ["UPDATE ledger.node SET hash = sha256(hash) WHERE level = 4 AND position = 2"],
    ),
    "slipped in behind": (
        "unsealed",
        [
            "INSERT INTO ledger.entry (tx, first, kind, body, commitment) SELECT tx, false, 'read', '{}', '' FROM ledger.entry ORDER BY id LIMIT 1",
            "UPDATE ledger.entry SET tx = '3' WHERE id = (SELECT max(id) FROM ledger.entry)",
        ],
    ),
    "erased without a reason": (
        "erased",
        [
            "UPDATE ledger.entry SET salt = NULL, payload = NULL, subject = NULL, erased_by = {6} WHERE id = {5}"
        ],
    ),
}


@pytest.mark.parametrize("name", CHEATS)
async def test_verification_finds(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer, key: SigningKey, name: str
) -> None:
    numbers = await append(app_pool, 100)
    await sealer.seal_once()
    assert (await checked(owner_pool, key)).ok
    kind, statements = CHEATS[name]
    filled = []
    for statement in statements:
        for place in (5, 6, 90):
            statement = statement.replace(f"{{{place}}}", str(numbers[place]))
        filled.append(statement)
    await cheat(owner_pool, *filled)
    report = await checked(owner_pool, key)
    assert not report.ok
    assert kind in report.counts, report.problems
    if kind in {"altered", "erased"}:
        assert {problem.entry for problem in report.problems if problem.kind == kind} == {numbers[5]}


async def test_a_ledger_cut_short_with_its_checkpoints_needs_one_kept_outside(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer, key: SigningKey
) -> None:
    await append(app_pool, 40)
    await sealer.seal_once()
    await append(app_pool, 40)
    await sealer.seal_once()
    kept = await app_pool.fetchval("SELECT note FROM ledger.checkpoint WHERE size = 80")
    assert (await checked(owner_pool, key, kept)).ok
    await cheat(
        owner_pool,
        "DELETE FROM ledger.entry WHERE id IN (SELECT entry FROM ledger.leaf WHERE seq >= 40)",
        "DELETE FROM ledger.leaf WHERE seq >= 40",
        "DELETE FROM ledger.node WHERE level = 4 AND position >= 2",
        "DELETE FROM ledger.checkpoint WHERE size > 40",
    )
    assert set((await checked(owner_pool, key)).counts) == {
        "misnumbered"
    }  # each person lacks their last numbers
    await cheat(owner_pool, *NUMBERS_CUT)
    assert (await checked(owner_pool, key)).ok  # consistent in itself: nobody inside can tell
    assert set((await checked(owner_pool, key, kept)).counts) == {"truncated"}


async def test_a_ledger_written_anew_needs_a_checkpoint_kept_outside(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer, sealer_pool: Pool, key: SigningKey
) -> None:
    await append(app_pool, 40)
    await sealer.seal_once()
    kept = await app_pool.fetchval("SELECT note FROM ledger.checkpoint WHERE size = 40")
    await cheat(
        owner_pool,
        *(f"DELETE FROM ledger.{table}" for table in ("entry", "leaf", "node", "checkpoint", "person")),
    )
    await append(app_pool, 50, start=500)
    await Sealer(sealer_pool, key, key.name).seal_once()  # the thief has the key as well
    assert (await checked(owner_pool, key)).ok
    assert set((await checked(owner_pool, key, kept)).counts) == {"forked"}


async def test_the_sealer_stops_rather_than_sign_over_a_break(
    app_pool: Pool, owner_pool: Pool, sealer_pool: Pool, key: SigningKey
) -> None:
    await append(app_pool, 37)
    await Sealer(sealer_pool, key, key.name).seal_once()
    await cheat(owner_pool, "UPDATE ledger.leaf SET hash = sha256(hash) WHERE seq = 36")
    await append(app_pool, 1)
    with pytest.raises(LedgerBroken):
        await Sealer(sealer_pool, key, key.name).seal_once()


async def test_after_a_move_to_another_server_sealing_goes_on(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer, sealer_pool: Pool, key: SigningKey
) -> None:
    """A restored database counts transactions from the new server's number, which may be smaller."""
    await append(app_pool, 30)
    await sealer.seal_once()
    await append(app_pool, 7)
    await cheat(
        owner_pool,
        "UPDATE ledger.entry SET tx = (tx::text::bigint + 1000000000)::text::xid8",
        "UPDATE ledger.checkpoint SET tx = (tx::text::bigint + 1000000000)::text::xid8",
    )
    await append(app_pool, 5)
    moved = Sealer(sealer_pool, key, key.name, batch=8)
    assert await moved.seal_once() == 12
    await append(app_pool, 20)
    assert await moved.seal_once() == 20
    report = await checked(owner_pool, key)
    assert report.ok, report.problems
    assert (report.sealed, report.pending) == (62, 0)
