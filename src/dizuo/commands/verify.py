"""`dizuo verify`: prove the ledger whole, or check one downloaded proof, under a key that is named."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path

from dizuo.commands import progress
from dizuo.commands.building import Tell
from dizuo.commands.database import opened
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.ledger import (
    KEY_FILE,
    PublicKey,
    Report,
    SigningKey,
    check_cosignatures,
    check_stamps,
    read_certificate,
    read_witnesses,
    verify,
    verify_proof,
)
from dizuo.foundation.store import OWNER, Database, connect
from dizuo.settings import read_runtime

PROVES: Mapping[str, str] = {
    "given": "  given by you. If you had it from elsewhere than this installation, a ledger that was written anew and\n"
    "  signed with another key would be found out.",
    "own": "  this installation's own, made from the secret in its data folder. This shows that nothing was altered by\n"
    "  somebody without that secret. Whoever has it could have written everything anew: to rule that out, give the key\n"
    "  and a checkpoint that you kept elsewhere (--public-key, --checkpoint).",
}
"""What a result under such a key says, and what it leaves open."""


class NothingToVerify(DizuoError):
    """{path} 里没有账本。"""

    fix = "请用 --data 指出安装的数据目录；只核对一份证明时，请用 --public-key 给出公钥。"


def run(arguments: argparse.Namespace) -> int:
    """0 when nothing was altered; 1 with every finding when something was.

    Errors: KeyInvalid, CheckpointInvalid (also a cosignature that does not hold), StampInvalid.
    """
    data = arguments.data.absolute()
    if not (arguments.proof and arguments.public_key) and not (data / "secrets" / KEY_FILE).exists():
        raise NothingToVerify(path=data)
    key = read_key(arguments.public_key) if arguments.public_key else own_key(data, arguments.city)
    print(f"key {key}")
    print(PROVES["given" if arguments.public_key else "own"])
    if arguments.proof:
        proven = verify_proof(arguments.proof.read_bytes(), key)
        print(
            f"Entry {proven.id} ({proven.kind}, {proven.at.isoformat()}) is number {proven.index} of {proven.checkpoint.size}."
        )
        return 0
    own = own_key(data, arguments.city)
    if key != own:
        print(f"NOTE   this installation signs with another key now:\n  {own}")
    kept = arguments.checkpoint.read_text() if arguments.checkpoint else None
    with progress.shown() as tell, opened(data, lambda s: tell(s, 0, 0)) as database:
        report, others = asyncio.run(_verify(database, key, kept, tell, arguments))
    _tell(report)
    for line in others:
        print(line)
    return 0 if report.ok else 1


def read_key(given: str) -> PublicKey:
    """A verifier key (C2SP signed-note: name+id+key), itself or the first line of the file that it names."""
    path = Path(given)
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines()
        given = next((line for line in lines if line.strip()), "")
    return PublicKey.parse(given)


def own_key(data: Path, city: Path) -> PublicKey:
    """The public key of this installation's secret.

    Its name comes from what `dizuo up` wrote down, so that an error in a declaration keeps nobody from verifying.
    """
    runtime = data / "runtime.json"
    origin = read_runtime(str(runtime)).ledger_origin if runtime.exists() else f"{load_city(city).id}.dizuo"
    return SigningKey.load(data, origin).public


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


async def _verify(
    database: Database, key: PublicKey, kept: str | None, tell: Tell, arguments: argparse.Namespace
) -> tuple[Report, list[str]]:
    conn = await connect(database.dsn(OWNER))
    others: list[str] = []
    try:
        report = await verify(conn, key, kept=kept, progress=lambda done, total: tell("verify", done, total))
        if arguments.witnesses:
            keys = [one.key for one in read_witnesses(arguments.witnesses)]
            for name, (count, size) in (await check_cosignatures(conn, keys)).items():
                others.append(f"{name} signed {count:,} checkpoints, the newest of {size:,} entries")
        if arguments.tsa:
            stamps = await check_stamps(conn, read_certificate(str(arguments.tsa)))
            last = f", the last at {stamps[-1].at.isoformat()} by {stamps[-1].authority}" if stamps else ""
            others.append(f"{len(stamps):,} checkpoints are time-stamped{last}")
        return report, others
    finally:
        await conn.close()
