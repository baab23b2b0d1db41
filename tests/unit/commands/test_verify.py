"""`dizuo verify` under a key that was kept elsewhere: which key it used, what that shows, and a ledger written anew."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dizuo.foundation.ledger import Checkpoint, PublicKey, Sealer, SigningKey, proof
from dizuo.foundation.store import APP, OWNER, SEALER, Server, connect, discover, migrate, open_pool
from dizuo.settings import Runtime

ORIGIN = "example.dizuo"
OTHERS = SigningKey.generate(ORIGIN)


class Installation:
    """A ledger of fifty sealed entries in a data folder of its own."""

    def __init__(self, data: Path, server: Server) -> None:
        self.data = data
        self.server = server
        self.key = SigningKey.load(data, ORIGIN).public
        self.proof = data.parent / "proof.txt"
        self.checkpoint = data.parent / "kept.checkpoint"

    async def fill(self) -> None:
        (self.data / "runtime.json").write_bytes(msgspec.json.encode(self.runtime()))
        await migrate(self.server, [room for room in discover() if room.schema in {"store", "ledger"}])
        app = await connect(self.server.dsn(APP))
        entries = [{"kind": "read", "body": {"n": n}, "subject": n} for n in range(50)]
        numbers = await app.fetchval("SELECT ledger.append_batch($1)", entries)
        await app.close()
        await self.seal()
        owner = await connect(self.server.dsn(OWNER))
        self.proof.write_bytes(await proof(owner, numbers[7]))
        self.checkpoint.write_text(await owner.fetchval("SELECT note FROM ledger.checkpoint"))
        await owner.close()

    def runtime(self) -> Runtime:
        """What `dizuo up` writes down for its processes."""
        return Runtime(
            city="nowhere", data=str(self.data), app_dsn="", sealer_dsn="", web_secret="",
            ledger_key=str(self.key), ledger_origin=ORIGIN, public_url="",
        )  # fmt: skip

    async def seal(self) -> None:
        pool = await open_pool(self.server.dsn(SEALER), min_size=1, max_size=1)
        await Sealer(pool, SigningKey.load(self.data, ORIGIN), ORIGIN).seal_once()
        await pool.close()

    async def write_anew(self) -> None:
        """What somebody can do who owns the database and the secrets: another story, whole and well signed."""
        owner = await connect(self.server.dsn(OWNER))
        for table in ("entry", "leaf", "node", "checkpoint"):
            await owner.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER USER")
        await owner.execute("UPDATE ledger.entry SET body = '{\"n\": 0}' WHERE id % 2 = 0")
        await owner.execute(
            "DELETE FROM ledger.leaf; DELETE FROM ledger.node; DELETE FROM ledger.checkpoint; DELETE FROM ledger.person"
        )
        await owner.close()
        (self.data / "secrets" / "ledger-key").unlink()
        await self.seal()


def alone(work: Coroutine[Any, Any, None]) -> None:
    with ThreadPoolExecutor(1) as executor:  # a loop of its own: the session's may be running
        executor.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def installed() -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="dizuo-verify-"))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir(mode=0o755)
    with Server.start(data, options={"shared_buffers": "16MB"}) as server:
        made = Installation(data, server)
        alone(made.fill())
        yield made
    shutil.rmtree(folder, ignore_errors=True)


def verify(*arguments: str | Path) -> tuple[int, str]:
    """Exit code, and all that was said."""
    done = subprocess.run(
        [sys.executable, "-m", "dizuo.cli", "verify", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def test_without_a_key_it_says_that_the_installation_vouches_for_itself(installed: Installation) -> None:
    code, said = verify("--data", installed.data)
    assert code == 0, said
    assert f"key {installed.key}" in said
    assert "this installation's own" in said
    assert "--public-key" in said


@pytest.mark.parametrize("way", ["file", "text"])
def test_with_the_right_key(installed: Installation, tmp_path: Path, way: str) -> None:
    file = tmp_path / "wuxi.key"
    file.write_text(f"\n{installed.key}\n")
    code, said = verify(
        "--data", installed.data, "--public-key", file if way == "file" else str(installed.key)
    )
    assert code == 0, said
    assert f"key {installed.key}" in said
    assert "given by you" in said
    assert "NOTE" not in said
    assert "Nothing was altered" in said


def test_with_a_wrong_key_no_checkpoint_holds(installed: Installation) -> None:
    code, said = verify("--data", installed.data, "--public-key", str(OTHERS.public))
    assert code == 1, said
    assert f"key {OTHERS.public}" in said
    assert f"signs with another key now:\n  {installed.key}" in said
    assert f"没有 {ORIGIN} 的签名" in said
    assert "Nothing was altered" not in said


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("wuxi.dizuo", "三段"),
        (str(OTHERS.public).replace("+", "+0", 1), "抄错"),
        (f"{OTHERS.public.name}+{OTHERS.public.id.hex()}+AQ==", "Ed25519"),
        ("no/such/file.key", "三段"),
    ],
    ids=["one part", "a digit", "a byte", "no file"],
)
def test_a_key_that_was_copied_wrong(installed: Installation, key: str, why: str) -> None:
    code, said = verify("--data", installed.data, "--public-key", key)
    assert code == 2, said
    assert why in said
    assert "fix:" in said


def test_one_proof_needs_no_installation(installed: Installation, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    code, said = verify("--data", nowhere, "--proof", installed.proof, "--public-key", str(installed.key))
    assert code == 0, said
    assert "is number 7 of 50" in said
    code, said = verify("--data", nowhere, "--proof", installed.proof, "--public-key", str(OTHERS.public))
    assert code == 2, said
    assert "is number" not in said
    assert not nowhere.exists()


@pytest.mark.parametrize("more", [[], ["--proof"], ["--public-key"]])
def test_where_there_is_no_ledger_none_is_made(
    installed: Installation, tmp_path: Path, more: list[str]
) -> None:
    value = {"--proof": str(installed.proof), "--public-key": str(installed.key)}
    nowhere = tmp_path / "nowhere"
    code, said = verify("--data", nowhere, *more, *(value[name] for name in more))
    assert code == 2, said
    assert "没有账本" in said
    assert not nowhere.exists()


def test_a_ledger_written_anew_is_found_by_a_key_kept_elsewhere(installed: Installation) -> None:
    """The last test of this file: what it does cannot be taken back."""
    kept: PublicKey = installed.key
    assert Checkpoint.open(installed.checkpoint.read_text(), kept).size == 50
    alone(installed.write_anew())
    code, said = verify("--data", installed.data)
    assert code == 0, said  # the installation vouches for itself, as it said
    code, said = verify("--data", installed.data, "--public-key", str(kept))
    assert code == 1, said
    assert "signs with another key now" in said
    code, said = verify(
        "--data", installed.data, "--public-key", str(kept), "--checkpoint", installed.checkpoint
    )
    assert code == 1, said
    assert "您保存的签名清单不同" in said
