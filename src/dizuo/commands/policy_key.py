"""`dizuo policy-key`: make, list and revoke the keys with which other systems ask policy (AuthZEN).

Who asks stays in the installation's secrets; the ledger is told of every key made and revoked, by its number.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt

from dizuo.commands.database import opened
from dizuo.doors.data.authzen_keys import Keys, PolicyKey
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.ledger import Entry
from dizuo.foundation.store import LOADER, Database, connect


class PolicyKeyWords(DizuoError):
    """命令不完整：{why}。"""

    fix = "dizuo policy-key make 谁来问 --by 经办人；dizuo policy-key revoke 编号 --by 经办人 --why 原因；dizuo policy-key list。"


def run(arguments: argparse.Namespace) -> int:
    """Do one of the three; the key is printed once and kept nowhere. Errors: PolicyKeyWords, PolicyKeyUnknown."""
    check(arguments)
    data = arguments.data.absolute()
    keys, now = Keys.of(data), SystemNow()()
    if arguments.action == "list":
        print(_listed(keys.all()))
        return 0
    with opened(data) as database:
        if arguments.action == "make":
            made, key = keys.new(arguments.which, arguments.by, now, dt.timedelta(days=arguments.days))
            body = {"key": made.id, "by": made.made_by, "until": made.expires_at.isoformat()}
            # Entered before it works: a key that the ledger does not know never answers.
            asyncio.run(_enter(database, Entry("policy.key_made", body)))
            keys.add(made)
            print(f"{key}\nKey {made.id} of {made.asker}. It is shown this once; only its hash is kept.")
            return 0
        # Stopped before it is entered: nothing may keep a stolen key alive.
        gone = keys.revoke(int(arguments.which), arguments.by, arguments.why, now)
        body = {"key": gone.id, "by": gone.revoked_by, "why": gone.revoked_why}
        asyncio.run(_enter(database, Entry("policy.key_revoked", body)))
        print(f"Key {gone.id} of {gone.asker} is revoked.")
    return 0


def check(arguments: argparse.Namespace) -> None:
    """Whether the words belong together. Errors: PolicyKeyWords."""
    if arguments.action == "list":
        return
    if not arguments.which:
        raise PolicyKeyWords(why="没有写是谁来问或哪把密钥")
    if not arguments.by:
        raise PolicyKeyWords(why="没有写由谁经办（--by）")
    if arguments.action == "revoke" and not (arguments.which.isdigit() and arguments.why):
        raise PolicyKeyWords(why="停用要写密钥编号和原因（--why）")


async def _enter(database: Database, entry: Entry) -> None:
    connection = await connect(database.dsn(LOADER))
    try:
        await connection.fetchval("SELECT ledger.append_batch($1)", [entry])
    finally:
        await connection.close()


def _listed(keys: tuple[PolicyKey, ...]) -> str:
    if not keys:
        return "No keys."
    lines: list[str] = []
    for key in reversed(keys):
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else f"until {key.expires_at:%Y-%m-%d}"
        lines.append(f"{key.id:>4}  {key.asker:24} {state:20} by {key.made_by}".rstrip())
    return "\n".join(lines)
