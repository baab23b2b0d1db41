"""New checkpoints reach the witnesses; a dead one harms nothing, and a rewound or forked ledger gets no signature."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dizuo import clerk
from dizuo.commands.witness import serving
from dizuo.foundation.ledger import (
    Checkpoint,
    Entry,
    KnownWitness,
    Sealer,
    SigningKey,
    Submitter,
    check_cosignatures,
    cosignatures,
    proof,
    read_witnesses,
    served_checkpoint,
    verify_proof,
    witness_key,
)
from dizuo.foundation.ledger.errors import WitnessesInvalid
from dizuo.foundation.ledger.witness import Witness
from dizuo.foundation.store import Pool
from ports import free_port

pytestmark = pytest.mark.usefixtures("empty_ledger")
AUDIT = SigningKey.generate("audit.example/w1")
NOW = 1_795_000_000


@contextmanager
def standing(folder: Path, log: SigningKey, key: SigningKey = AUDIT) -> Iterator[KnownWitness]:
    witness = Witness(folder, key, {log.name: log.public}, lambda: NOW)
    server = serving(witness, "127.0.0.1", 0)
    runner = threading.Thread(target=server.serve_forever, args=(0.05,))
    runner.start()
    try:
        yield KnownWitness(witness_key(key), f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        runner.join()
        server.server_close()
        witness.close()


async def add(pool: Pool, sealer: Sealer, count: int) -> list[int]:
    ids: list[int] = await pool.fetchval(
        "SELECT ledger.append_batch($1)", [Entry("read", {"n": n}, 7, {"case": "WX"}) for n in range(count)]
    )
    await sealer.seal_once()
    return ids


async def test_checkpoints_are_cosigned_and_served_so(
    app_pool: Pool, sealer_pool: Pool, sealer: Sealer, key: SigningKey, tmp_path: Path
) -> None:
    with standing(tmp_path, key) as known:
        submitter = Submitter(sealer_pool, [known])
        assert await submitter.submit_once() == 0  # nothing to sign
        first = await add(app_pool, sealer, 3)
        assert await submitter.submit_once() == 1
        assert await submitter.submit_once() == 0  # signed already
        await add(app_pool, sealer, 300)
        assert await submitter.submit_once() == 1
        async with sealer_pool.acquire() as connection:
            assert await check_cosignatures(connection, [known.key]) == {AUDIT.name: (2, 303)}
            stranger = witness_key(SigningKey.generate(AUDIT.name))
            assert await check_cosignatures(connection, [stranger]) == {}
        async with app_pool.acquire() as connection:
            note = await served_checkpoint(connection)
            assert Checkpoint.open(note, key.public).size == 303
            assert [one.at for one in cosignatures(note, [known.key])] == [NOW]
            last = await add(app_pool, sealer, 1)
            assert await served_checkpoint(connection) == note, "a fresh cosigned one comes before a bare one"
            kept = (await proof(connection, first[0])).decode()
            assert verify_proof(kept, key.public).checkpoint.size == 303
            assert len(cosignatures(kept.partition("\n\n")[2], [known.key])) == 1
            assert verify_proof(await proof(connection, last[0]), key.public).checkpoint.size == 304


async def test_a_dead_witness_harms_nothing(
    app_pool: Pool, sealer_pool: Pool, sealer: Sealer, key: SigningKey, tmp_path: Path
) -> None:
    dead = KnownWitness(witness_key(SigningKey.generate("dead.example")), f"http://127.0.0.1:{free_port()}")
    with standing(tmp_path, key) as known:
        submitter = Submitter(sealer_pool, [dead, known], interval=0.05)
        stop = asyncio.Event()
        running = asyncio.create_task(submitter.run(stop))
        for size in (5, 10):
            await add(app_pool, sealer, 5)
            for _ in range(200):
                async with app_pool.acquire() as connection:
                    note = await served_checkpoint(connection)
                if Checkpoint.open(note, key.public).size == size and cosignatures(note, [known.key]):
                    break
                await asyncio.sleep(0.05)
            else:
                pytest.fail("the living witness did not sign")
        stop.set()
        await running


async def test_a_witness_that_knows_more_or_less_than_it_told_is_met_where_it_is(
    app_pool: Pool, owner_pool: Pool, sealer_pool: Pool, sealer: Sealer, key: SigningKey, tmp_path: Path
) -> None:
    with standing(tmp_path / "a", key) as known:
        await add(app_pool, sealer, 5)
        assert await Submitter(sealer_pool, [known]).submit_once() == 1
        await forget_cosignatures(owner_pool)  # its answer was lost on the way
        await add(app_pool, sealer, 5)
        assert await Submitter(sealer_pool, [known]).submit_once() == 1
    await add(app_pool, sealer, 5)
    with standing(tmp_path / "b", key) as renewed:  # it lost its state
        assert await Submitter(sealer_pool, [renewed]).submit_once() == 1


async def forget_cosignatures(owner: Pool) -> None:
    async with owner.acquire() as connection, connection.transaction():
        await connection.execute(
            "ALTER TABLE ledger.cosignature DISABLE TRIGGER append_only; TRUNCATE ledger.cosignature;"
            "ALTER TABLE ledger.cosignature ENABLE TRIGGER append_only"
        )


@pytest.mark.parametrize(("count", "says"), [(4, "rewound"), (10, "does not go on"), (12, "does not go on")])
async def test_a_ledger_written_anew_is_not_cosigned(
    app_pool: Pool, owner_pool: Pool, sealer_pool: Pool, sealer: Sealer, key: SigningKey, tmp_path: Path,
    caplog: pytest.LogCaptureFixture, count: int, says: str,
) -> None:  # fmt: skip
    """Whoever holds the database and the key can write everything anew; the witness remembers."""
    with standing(tmp_path, key) as known:
        await add(app_pool, sealer, 10)
        assert await Submitter(sealer_pool, [known]).submit_once() == 1
        async with owner_pool.acquire() as connection, connection.transaction():
            for table in ("entry", "leaf", "node", "checkpoint", "cosignature"):
                await connection.execute(
                    f"ALTER TABLE ledger.{table} DISABLE TRIGGER append_only; TRUNCATE ledger.{table};"
                    f"ALTER TABLE ledger.{table} ENABLE TRIGGER append_only"
                )
        await add(app_pool, Sealer(sealer_pool, key, key.name), count)
        with caplog.at_level(logging.ERROR):
            assert await Submitter(sealer_pool, [known]).submit_once() == 0
        assert says in caplog.text
        async with app_pool.acquire() as connection:
            assert not cosignatures(await served_checkpoint(connection), [known.key])


def test_the_file_of_witnesses_is_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "witnesses"
    line = f"witness audit {witness_key(AUDIT)} http://127.0.0.1:1/w"
    path.write_text(f"# 审计局\n\n{line}/\nquorum audit\n")
    assert read_witnesses(path) == [KnownWitness(witness_key(AUDIT), "http://127.0.0.1:1/w")]
    for wrong in (
        f"{line} more",
        line.replace("http:", "file:"),
        line.replace(":1/", ":99999/"),
        f"{line}\n{line}",
        "witness audit",
    ):
        path.write_text(wrong)
        with pytest.raises(WitnessesInvalid):
            read_witnesses(path)
    with pytest.raises(WitnessesInvalid):
        read_witnesses(tmp_path / "nowhere")


async def test_nothing_outside_stops_the_clerk(
    sealer_pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file of witnesses that cannot be read, and a certificate that is none, are told; sealing is not their business."""
    monkeypatch.setenv("DIZUO_WITNESSES", str(tmp_path / "nowhere"))
    monkeypatch.setenv("DIZUO_TSA_URL", "https://tsa.example")
    stop = asyncio.Event()
    with caplog.at_level(logging.ERROR):
        await clerk.beside("witnessing", clerk.have_witnessed(sealer_pool, stop))
        await clerk.beside("time stamps", clerk.have_stamped(sealer_pool, stop))
    assert "witnessing ended" in caplog.text
    assert "time stamps ended" in caplog.text
