"""`dizuo verify`: prove the ledger whole, or check one downloaded proof."""

from __future__ import annotations

import argparse
import asyncio

from dizuo.commands import progress
from dizuo.commands.building import Tell
from dizuo.commands.database import opened
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.ledger import PublicKey, Report, SigningKey, verify, verify_proof
from dizuo.foundation.store import OWNER, Database, connect


def run(arguments: argparse.Namespace) -> int:
    """0 when nothing was altered; 1 with every finding when something was."""
    data = arguments.data.absolute()
    key = SigningKey.load(data, f"{load_city(arguments.city).id}.dizuo").public
    if arguments.proof:
        proven = verify_proof(arguments.proof.read_bytes(), key)
        print(
            f"Entry {proven.id} ({proven.kind}, {proven.at.isoformat()}) is number {proven.index} of {proven.checkpoint.size}."
        )
        return 0
    kept = arguments.checkpoint.read_text() if arguments.checkpoint else None
    with progress.shown() as tell, opened(data, lambda s: tell(s, 0, 0)) as database:
        report = asyncio.run(_verify(database, key, kept, tell))
    _tell(report)
    return 0 if report.ok else 1


def _tell(report: Report) -> None:
    print(
        f"{report.sealed:,} entries sealed, {report.pending:,} waiting to be sealed, {report.erased:,} erased lawfully, "
        f"{report.checkpoints:,} signed checkpoints; verified in {report.seconds:.1f} s"
    )
    print(f"root {report.root.hex()}")
    for problem in report.problems:
        print(f"  {problem.kind}: {problem.message}")
    for kind, count in report.counts.items():
        print(f"{count:,} × {kind}")
    if report.ok:
        print("Nothing was altered, removed or reordered.")


async def _verify(database: Database, key: PublicKey, kept: str | None, tell: Tell) -> Report:
    conn = await connect(database.dsn(OWNER))
    try:
        return await verify(conn, key, kept=kept, progress=lambda done, total: tell("verify", done, total))
    finally:
        await conn.close()
