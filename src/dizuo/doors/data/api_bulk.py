"""Downloads in bulk for departments' systems: start, manifest, parts; each call signed, each answer over its digest."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any, Final
from weakref import WeakKeyDictionary

import msgspec
from starlette.responses import Response

from dizuo.engines.exchange import delivery, feeds
from dizuo.foundation.signing import Algorithm, sign_response, signature_sent
from dizuo.web import WebRequest
from dizuo.web.errors import MethodNotAllowed

from . import api_exchange
from .api_feed import Flowing, body_as

LARGEST: Final = 32 * 1024
_PIECE: Final = 256 * 1024
_desks: Final[WeakKeyDictionary[delivery.Exchange, feeds.BulkDesk]] = WeakKeyDictionary()
_finishing: Final[set[asyncio.Task[None]]] = set()
"""Entries of how far a part was sent: written though the line went dead meanwhile."""


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    grant: Annotated[int, msgspec.Meta(ge=1, le=(1 << 62) - 1)]
    format: feeds.BulkFormat = "parquet"
    fields: Annotated[list[Annotated[str, msgspec.Meta(max_length=100)]], msgspec.Meta(max_length=200)] = []
    part_size: Annotated[int, msgspec.Meta(ge=100, le=100_000)] = 50_000


def _desk(request: WebRequest) -> feeds.BulkDesk:
    exchange = api_exchange.exchange_of(request)
    return _desks.setdefault(exchange, feeds.BulkDesk(exchange.pool, request.dizuo.data / "spool"))


async def started(request: WebRequest) -> Response:
    """Begin a download under a grant."""

    async def act(exchange: delivery.Exchange, caller: delivery.Caller, body: bytes) -> object:
        await feeds.once(exchange.pool, caller)
        wanted = body_as(_Wanted, body)
        return _shown(
            await _desk(request).start(
                caller.consumer, wanted.grant, wanted.format, wanted.fields, wanted.part_size
            )
        )

    return await api_exchange.signed(request, act)


async def manifest(request: WebRequest) -> Response:
    """The download with its parts so far, their record numbers and digests."""

    async def act(exchange: delivery.Exchange, caller: delivery.Caller, _: bytes) -> object:
        await feeds.once(exchange.pool, caller)
        return _shown(await _desk(request).manifest(caller.consumer, _id(request)))

    return await api_exchange.signed(request, act)


async def part(request: WebRequest) -> Response:
    """One part as a file, everybody in it entered before its first byte."""
    ready: list[tuple[feeds.MadePart, Algorithm]] = []
    async with AsyncExitStack() as until_sent:

        async def act(exchange: delivery.Exchange, caller: delivery.Caller, _: bytes) -> object:
            if request.method != "GET":
                raise MethodNotAllowed(["GET"])
            await feeds.once(exchange.pool, caller)
            number = min(int(request.path_params["part"]), 1 << 30)
            making = _desk(request).part(caller.consumer, _id(request), number)
            ready.append((await until_sent.enter_async_context(making), caller.signed.key.algorithm))
            return {"ok": True}

        answer = await api_exchange.signed(request, act)
        if not ready:
            return answer
        return _file(request, *ready[0], until_sent.pop_all())


def _file(
    request: WebRequest, made: feeds.MadePart, algorithm: Algorithm, until_sent: AsyncExitStack
) -> Response:
    exchange = api_exchange.exchange_of(request)
    now = exchange.now()
    headers = sign_response(
        exchange.server.signing(algorithm, now), 200, b"", signature_sent(dict(request.headers)),
        now=int(now.timestamp()), content_type=made.media_type,
        digest=f"sha-256=:{base64.b64encode(made.digest).decode()}:",
    )  # fmt: skip
    more = {"content-length": str(made.bytes), "cache-control": "no-store"}
    sending = _Sending(made)

    def after() -> None:
        # Not awaited where it ended: when the line went dead, everything awaited there is cancelled at once.
        task = asyncio.create_task(_finish(_desk(request), made, sending.sent, until_sent))
        _finishing.add(task)
        task.add_done_callback(_finishing.discard)

    return Flowing(sending.pieces(), {**headers, **more}, after)


class _Sending:
    """A part on its way, and how much of it has left."""

    def __init__(self, made: feeds.MadePart) -> None:
        self.made = made
        self.sent = 0

    async def pieces(self) -> AsyncIterator[bytes]:
        while piece := await asyncio.to_thread(self.made.file.read, _PIECE):
            yield piece
            self.sent += len(piece)


async def _finish(desk: feeds.BulkDesk, made: feeds.MadePart, sent: int, until_sent: AsyncExitStack) -> None:
    async with until_sent:
        await desk.sent(made, sent)


def _id(request: WebRequest) -> uuid.UUID:
    try:
        return uuid.UUID(str(request.path_params["bulk"]))
    except ValueError:
        return uuid.UUID(int=0)


def _shown(bulk: feeds.Bulk) -> dict[str, Any]:
    return {"ok": True, **msgspec.to_builtins(bulk)}
