"""`dizuo exchange-key`: register, list and revoke the keys with which departments' systems sign; rotate the server's own.

Works as the loader: the serving processes can verify with a key, not register one. Every change stands in the ledger. A key of the
server's own that somebody else may have is revoked like any other: another one signs from then on.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
from pathlib import Path
from typing import Any, cast

import msgspec

from dizuo.commands.database import opened
from dizuo.engines.exchange import delivery
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.ledger import Entry
from dizuo.foundation.signing import ED25519, SM2, Algorithm, PublicKey
from dizuo.foundation.store import LOADER, Connection, Database, connect


class ExchangeKeyWords(DizuoError):
    """命令不完整：{why}。"""

    fix = (
        "dizuo exchange-key add 部门 --jwk 公钥文件 --by 经办人；dizuo exchange-key revoke 密钥编号 --by 经办人 --why 原因；"
        "dizuo exchange-key rotate [ed25519|sm2-sm3] --by 经办人；dizuo exchange-key list。"
    )


def run(arguments: argparse.Namespace) -> int:
    """Do one of the four. Errors: ExchangeKeyWords, KeyMalformed, DepartmentUnknown, SigningKeyTaken, SigningKeyNotInUse."""
    check(arguments)
    with opened(arguments.data.absolute()) as database:
        print(asyncio.run(_act(database, arguments)))
    return 0


def check(arguments: argparse.Namespace) -> None:
    """Whether the words belong together. Errors: ExchangeKeyWords."""
    action, which = arguments.action, arguments.which
    if action == "list":
        return
    if not arguments.by:
        raise ExchangeKeyWords(why="没有写由谁经办（--by）")
    if action in {"add", "revoke"} and not which:
        raise ExchangeKeyWords(why="没有写是哪个部门或哪把密钥")
    if action == "add" and arguments.jwk is None:
        raise ExchangeKeyWords(why="没有给公钥文件（--jwk）")
    if action == "revoke" and not arguments.why:
        raise ExchangeKeyWords(why="没有写停用的原因（--why）")
    if action == "rotate" and which not in ("", ED25519, SM2):
        raise ExchangeKeyWords(why=f"算法只有 {ED25519} 和 {SM2}")


async def _act(database: Database, arguments: argparse.Namespace) -> str:
    now = SystemNow()()
    connection = await connect(database.dsn(LOADER))
    try:
        match arguments.action:
            case "add":
                since = now if arguments.since is None else arguments.since
                until = since + dt.timedelta(days=arguments.days)
                key = read_public(arguments.jwk)
                id = await delivery.add_signing_key(
                    connection, arguments.which, key, since, until, arguments.by
                )
                return (
                    f"{id}\nKey of {arguments.which} until {until:%Y-%m-%d}. Its owner signs with keyid {id}."
                )
            case "revoke":
                if said := await _withdrawn(connection, arguments, now):
                    return said
                of = await delivery.revoke_signing_key(
                    connection, arguments.which, arguments.by, arguments.why
                )
                return f"Key {arguments.which} of {of} is revoked."
            case "rotate":
                return await _rotated(connection, arguments, now)
            case _:
                return _listed(await delivery.signing_keys(connection), now)
    finally:
        await connection.close()


async def _rotated(connection: Connection, arguments: argparse.Namespace, now: dt.datetime) -> str:
    algorithm = cast(Algorithm, arguments.which or ED25519)
    server = delivery.ServerKeys(arguments.data.absolute(), load_city(arguments.city).id)
    key = server.rotate(algorithm, now)
    body = {"key": key.id, "algorithm": algorithm, "by": arguments.by}
    await connection.fetchval("SELECT ledger.append_batch($1)", [Entry("exchange.server_key_made", body)])
    return f"{key.id} signs answers from now on; older keys stay published for {delivery.OVERLAP.days} days."


async def _withdrawn(connection: Connection, arguments: argparse.Namespace, now: dt.datetime) -> str:
    """Take back a key of the server's own; '' when it is none of them."""
    if delivery.OWN not in arguments.which:
        return ""
    server = delivery.ServerKeys(arguments.data.absolute(), load_city(arguments.city).id)
    key = server.withdraw(arguments.which, now)
    if key is None:
        return ""
    body = {"key": arguments.which, "next": key.id, "by": arguments.by, "why": arguments.why}
    await connection.fetchval(
        "SELECT ledger.append_batch($1)", [Entry("exchange.server_key_withdrawn", body)]
    )
    return f"{arguments.which} is withdrawn: nothing signed with it is ours any more. {key.id} signs."


def read_public(path: Path) -> PublicKey:
    """The public key in a JWK file. Errors: ExchangeKeyWords (no such file, no JSON), KeyMalformed (also a private key)."""
    try:
        jwk: Any = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        raise ExchangeKeyWords(why=f"公钥文件 {path.name} 读不出来") from None
    if not isinstance(jwk, dict):
        raise ExchangeKeyWords(why=f"公钥文件 {path.name} 不是一个 JWK")
    return PublicKey.from_jwk(cast("dict[str, Any]", jwk), "new")


def _listed(keys: tuple[delivery.SigningKey, ...], now: dt.datetime) -> str:
    if not keys:
        return "No keys."
    lines: list[str] = []
    for key in reversed(keys):
        if key.revoked_at is not None:
            state = f"revoked {key.revoked_at:%Y-%m-%d} ({key.revoked_why})"
        elif now < key.valid_from:
            state = f"from {key.valid_from:%Y-%m-%d}"
        else:
            state = f"{'until' if now < key.valid_until else 'ended'} {key.valid_until:%Y-%m-%d}"
        lines.append(f"{key.id:24} {key.consumer:16} {key.algorithm:8} {state}  by {key.made_by}")
    return "\n".join(lines)
