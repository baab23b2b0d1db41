"""`dizuo forget`: what is old enough goes, what the law keeps stays, and every word of a refusal helps."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dizuo.commands.forget import latest_before
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.store import APP, OWNER, Server, connect, discover, migrate

ROOT = Path(__file__).resolve().parents[3]


class Ledger:
    """Entries about 71 and 72: two long ago, one of today."""

    def __init__(self, data: Path, server: Server) -> None:
        self.data = data
        self.server = server

    async def fill(self) -> None:
        await migrate(self.server, discover())
        app = await connect(self.server.dsn(APP))
        entries = [{"kind": "read", "body": {}, "subject": n, "payload": {"case": "K"}} for n in (71, 71, 72)]
        await app.fetchval("SELECT ledger.append_batch($1)", entries)
        await app.close()
        owner = await connect(self.server.dsn(OWNER))
        await owner.execute("ALTER TABLE ledger.entry DISABLE TRIGGER USER")
        await owner.execute("UPDATE ledger.entry SET at = now() - interval '4 years' WHERE id IN (1, 3)")
        await owner.execute("ALTER TABLE ledger.entry ENABLE TRIGGER USER")
        await owner.close()

    async def entries(self) -> list[tuple[Any, ...]]:
        owner = await connect(self.server.dsn(OWNER))
        rows = await owner.fetch("SELECT id, kind, subject, payload, body FROM ledger.entry ORDER BY id")
        await owner.close()
        return [tuple(row.values()) for row in rows]


def alone(work: Any) -> Any:
    with ThreadPoolExecutor(1) as executor:  # a loop of its own: the session's may be running
        return executor.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    folder = Path(tempfile.mkdtemp(prefix="dizuo-forget-"))
    folder.chmod(0o755)
    with Server.start(folder, options={"shared_buffers": "16MB"}) as server:
        made = Ledger(folder, server)
        alone(made.fill())
        yield made
    shutil.rmtree(folder, ignore_errors=True)


def forget(ledger: Ledger, **changed: str) -> tuple[int, str]:
    """Exit code and all that was said; ``changed`` replaces an argument."""
    city = str(ROOT / "cities" / "template")
    given = {
        "subject": "71",
        "before": "2023-01-01",
        "basis": "pipl-2021:46",
        "case": "JC1",
        "city": city,
        **changed,
    }
    arguments = [part for name, value in given.items() for part in (f"--{name}", value)]
    done = subprocess.run(
        [sys.executable, "-m", "dizuo.cli", "forget", "--data", str(ledger.data), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"basis": "pipl-2021:9999"}, "没有 pipl-2021:9999"),
        ({"basis": "pipl"}, "没有 pipl。"),
        ({"before": "2999-01-01"}, "至少 3 年"),
    ],
)
def test_what_is_refused_changes_nothing(ledger: Ledger, changed: dict[str, str], why: str) -> None:
    before = alone(ledger.entries())
    code, said = forget(ledger, **changed)
    assert code == 2, said
    assert why in said
    assert "fix:" in said
    assert alone(ledger.entries()) == before


def test_what_is_old_goes_with_an_entry_that_says_why(ledger: Ledger) -> None:
    code, said = forget(ledger)
    assert code == 0, said
    assert "1 entries about identity 71" in said
    assert "0 cases of this person" in said
    entries = alone(ledger.entries())
    assert [(e[0], e[2]) for e in entries[:3]] == [(1, None), (2, 71), (3, 72)]
    assert entries[0][3] is None
    assert entries[1][3] == {"case": "K"}
    assert entries[3][1:] == (
        "ledger.erase", None, {"case": "JC1"}, {"entries": [1], "basis": "pipl-2021:46", "count": 1}
    )  # fmt: skip
    code, said = forget(ledger)
    assert code == 0, said
    assert said.startswith("0 entries")
    assert len(alone(ledger.entries())) == 4


@pytest.mark.parametrize(
    ("today", "latest"),
    [
        ((2026, 11, 23), (2023, 11, 23)),
        ((2028, 2, 29), (2025, 2, 28)),
        ((2027, 1, 1), (2024, 1, 1)),
    ],
)
def test_three_years_are_kept(today: tuple[int, int, int], latest: tuple[int, int, int]) -> None:
    now = dt.datetime(*today, 15, 30, tzinfo=SHANGHAI)
    assert latest_before(now) == dt.datetime(*latest, tzinfo=SHANGHAI)
