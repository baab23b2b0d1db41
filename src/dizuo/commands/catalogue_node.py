"""`dizuo catalogue-node`: which resources stay at their department and are asked for at its node.

Works as the loader: a serving process can bind none, because an address decides whom the base calls.
"""

from __future__ import annotations

import argparse
import asyncio

from dizuo.commands.database import opened
from dizuo.engines.exchange import delivery
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.store import APP, LOADER, Database, connect, open_pool


class CatalogueNodeWords(DizuoError):
    """命令不完整：{why}。"""

    fix = (
        "dizuo catalogue-node bind 资源代码 --address https://节点地址 --key 密钥编号 --by 经办人 [--private]；"
        "dizuo catalogue-node stop 资源代码 --by 经办人 --why 原因；dizuo catalogue-node list；dizuo catalogue-node probe。"
    )


def run(arguments: argparse.Namespace) -> int:
    """Do one of the four; exit code 1 when a probed node does not answer. Errors: CatalogueNodeWords, those of binding."""
    check(arguments)
    with opened(arguments.data.absolute()) as database:
        if arguments.action == "probe":
            return asyncio.run(_probe(database, arguments))
        print(asyncio.run(_act(database, arguments)))
    return 0


def check(arguments: argparse.Namespace) -> None:
    """Whether the words belong together. Errors: CatalogueNodeWords."""
    if arguments.action in ("list", "probe"):
        return
    if not (arguments.resource and arguments.by):
        raise CatalogueNodeWords(why="要写资源代码和经办人（--by）")
    if arguments.action == "bind" and not (arguments.address and arguments.key):
        raise CatalogueNodeWords(why="要写节点地址（--address）和它的签名密钥（--key）")
    if arguments.action == "stop" and not arguments.why:
        raise CatalogueNodeWords(why="没有写原因（--why）")


async def _act(database: Database, arguments: argparse.Namespace) -> str:
    connection = await connect(database.dsn(LOADER))
    try:
        match arguments.action:
            case "bind":
                whose = await delivery.bind_node(
                    connection, arguments.resource, arguments.address, arguments.key, arguments.by,
                    private=arguments.private,
                )  # fmt: skip
                return f"{arguments.resource} is asked for at the node of {whose}. dizuo catalogue-node probe tries it."
            case "stop":
                done = await delivery.stop_node(connection, arguments.resource, arguments.by, arguments.why)
                return f"{arguments.resource} {'is asked for there no more' if done else 'was at no node'}."
            case _:
                return _listed(await delivery.bound_nodes(connection))
    finally:
        await connection.close()


async def _probe(database: Database, arguments: argparse.Namespace) -> int:
    now = SystemNow()
    pool = await open_pool(database.dsn(APP), min_size=1, max_size=4)
    try:
        exchange = delivery.Exchange(pool, load_city(arguments.city), arguments.data.absolute(), now)
        silent = await exchange.nodes.probe_all()
        await exchange.close()
        print(_listed(await delivery.bound_nodes(pool)))
        return 1 if silent else 0
    finally:
        await pool.close()


def _listed(nodes: tuple[delivery.BoundNode, ...]) -> str:
    if not nodes:
        return "No resource is at a node."
    return "\n".join(
        f"{one.resource:24} {one.organisation:16} {one.address}  {'private ' if one.private else ''}{','.join(one.keys)}  "
        f"{'stopped' if one.stopped_at else 'asked'}  today {one.answered} answered, {one.failed} failed, "
        f"{one.probes - one.probes_failed} of {one.probes} probes{f' ({one.last_why})' if one.last_why else ''}  {one.title}"
        for one in nodes
    )
