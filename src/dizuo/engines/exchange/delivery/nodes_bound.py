"""Which resources are asked for at their department's node: bound by an operator's command only, never by a declaration in a file."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

import asyncpg
import msgspec

from dizuo.engines.exchange.delivery.asked_node_errors import (
    NodeAddressRefused,
    NodeKeyNotTheirs,
    ResourceNotAtNode,
)
from dizuo.engines.exchange.delivery.keys import QUERIES
from dizuo.foundation.kernel.public_addresses import is_metadata, is_public
from dizuo.foundation.store import Connection, Pool


class BoundNode(msgspec.Struct, frozen=True):
    """A resource's node as the operator bound it, with what it answered and failed today."""

    resource: str
    title: str
    organisation: str
    address: str
    keys: tuple[str, ...]
    private: bool
    made_by: str
    made_at: dt.datetime
    stopped_at: dt.datetime | None
    answered: int
    failed: int
    probes: int
    probes_failed: int
    last_why: str


async def bind_node(
    connection: Connection, resource: str, address: str, keys: Sequence[str], by: str, *, private: bool
) -> str:
    """Ask for this resource there from now on; gives its department. As the loader.

    ``private`` is the operator's word that the address may be in the departments' own network, and plain http there.
    Errors: NodeAddressRefused, ResourceNotAtNode, NodeKeyNotTheirs.
    """
    clean = checked_address(address, private=private)
    try:
        return str(await connection.fetchval(QUERIES["bind_node"], resource, clean, list(keys), private, by))
    except asyncpg.PostgresError as error:
        match str(getattr(error, "sqlstate", "")):
            case "DZ080":
                raise ResourceNotAtNode(
                    {"resource": f"资源 {resource} 不能登记到节点。"}, resource=resource
                ) from None
            case "DZ081":
                raise NodeKeyNotTheirs({"key": f"不是提供部门在用的签名密钥：{'、'.join(keys)}。"}) from None
            case _:
                raise


async def stop_node(connection: Connection, resource: str, by: str, why: str) -> bool:
    """Ask there no more; False: nobody did. As the loader."""
    return bool(await connection.fetchval(QUERIES["stop_node"], resource, by, why))


async def bound_nodes(connection: Connection | Pool) -> tuple[BoundNode, ...]:
    """Every node ever bound."""
    rows = await connection.fetch(QUERIES["bound_nodes"])
    return tuple(msgspec.convert(dict(row), BoundNode) for row in rows)


def checked_address(address: str, *, private: bool) -> str:
    """An address as it is kept. What its name means is looked at with every connection. Errors: NodeAddressRefused."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise NodeAddressRefused(why="写法不对") from None
    if parts.scheme not in ("http", "https") or not host or not address.isascii() or " " in address:
        raise NodeAddressRefused(why="要写 https://主机[:端口]")
    if parts.username is not None or parts.query or parts.fragment or "\\" in address:
        raise NodeAddressRefused(why="不能有用户名、口令、? 和 #")
    if parts.scheme == "http" and not private:
        raise NodeAddressRefused(why="只用 https；政务内网里的地址加 --private")
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        number = None
    if number is not None and (is_metadata(number) or not (private or is_public(number))):
        raise NodeAddressRefused(why="是本机链路、云平台元数据或内网地址；确是政务内网的加 --private")
    return address.rstrip("/")
