"""Subscriptions for departments' systems: make, look, replay, end, and the stream of events; each call signed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, Any, Final, TypeVar
from weakref import WeakKeyDictionary

import msgspec
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from dizuo.engines.exchange import delivery, feeds
from dizuo.foundation.signing import PrivateKey
from dizuo.web import WebRequest, json
from dizuo.web.errors import MethodNotAllowed

from . import api_exchange
from .api_feed_openapi import describe

LARGEST: Final = 16 * 1024
_MOST = (1 << 62) - 1
_Number = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
_EVENTS: Final = {"content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no"}
_streams: Final[WeakKeyDictionary[Any, feeds.Streams]] = WeakKeyDictionary()
Read = TypeVar("Read")


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    grant: Annotated[int, msgspec.Meta(ge=1, le=_MOST)]
    channel: feeds.Channel
    target: Annotated[str, msgspec.Meta(max_length=500)] = ""
    batch: Annotated[int, msgspec.Meta(ge=1, le=200)] = 100
    after: _Number | None = None


class _Back(msgspec.Struct, forbid_unknown_fields=True):
    after: _Number


class Flowing(StreamingResponse):
    """A body that flows, and what is done after it however it ended, also when the line went dead before its first byte."""

    def __init__(
        self, content: AsyncIterator[bytes], headers: Mapping[str, str], after: Callable[[], None]
    ) -> None:
        super().__init__(content, headers=headers)
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._after()


def body_as(kind: type[Read], body: bytes) -> Read:
    """A request's body as what is wanted. Errors: CallInvalid with the place, CallUnreadable."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        says, _, place = str(error).partition(" - at ")
        raise delivery.CallInvalid({place.strip("`") or "$": f"{says}。"}) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise delivery.CallUnreadable(why="不是 UTF-8 的 JSON") from None


async def made(request: WebRequest) -> Response:
    """Subscribe to the changes of a granted register."""

    async def act(exchange: delivery.Exchange, caller: delivery.Caller, body: bytes) -> object:
        await feeds.once(exchange.pool, caller)
        wanted = body_as(_Wanted, body)
        if wanted.channel == "webhook":
            await feeds.Addresses.permitted(os.environ).check(wanted.target)
        elif wanted.target:
            raise delivery.CallInvalid({"$.target": "只有 webhook 才写 target。"})
        return shown(
            await feeds.subscribe(
                exchange.pool, caller.consumer, wanted.grant, wanted.channel,
                target=wanted.target, batch=wanted.batch, after=wanted.after,
            )
        )  # fmt: skip

    return await api_exchange.signed(request, act)


async def listed(request: WebRequest) -> Response:
    """The caller's subscriptions with how each is doing."""

    async def act(exchange: delivery.Exchange, caller: delivery.Caller, _: bytes) -> object:
        await feeds.once(exchange.pool, caller)
        found = await feeds.subscriptions(exchange.pool, caller.consumer)
        return {"ok": True, "subscriptions": [shown(one) for one in found]}

    return await api_exchange.signed(request, act)


async def one(request: WebRequest) -> Response:
    """One of the caller's subscriptions."""

    async def act(exchange: delivery.Exchange, caller: delivery.Caller, _: bytes) -> object:
        await feeds.once(exchange.pool, caller)
        return shown(await feeds.subscription(exchange.pool, caller.consumer, _number(request)))

    return await api_exchange.signed(request, act)


async def ended(request: WebRequest) -> Response:
    """End a subscription."""

    async def act(exchange: delivery.Exchange, caller: delivery.Caller, _: bytes) -> object:
        await feeds.once(exchange.pool, caller)
        await feeds.unsubscribe(exchange.pool, caller.consumer, _number(request))
        return shown(await feeds.subscription(exchange.pool, caller.consumer, _number(request)))

    return await api_exchange.signed(request, act)


async def replayed(request: WebRequest) -> Response:
    """Go back to an earlier position."""

    async def act(exchange: delivery.Exchange, caller: delivery.Caller, body: bytes) -> object:
        await feeds.once(exchange.pool, caller)
        after = body_as(_Back, body).after
        return shown(await feeds.replay(exchange.pool, caller.consumer, _number(request), after))

    return await api_exchange.signed(request, act)


async def interface(request: WebRequest) -> Response:
    """Subscriptions and downloads, for machines (OpenAPI)."""
    return json(describe(request.dizuo.city, request.shell.site.version))


async def events(request: WebRequest) -> Response:
    """The stream itself (text/event-stream); refused like every other call, with a signed answer."""
    admitted: list[tuple[delivery.Exchange, delivery.Caller, feeds.Subscription, int]] = []

    async def act(exchange: delivery.Exchange, caller: delivery.Caller, _: bytes) -> object:
        if request.method != "GET":
            raise MethodNotAllowed(["GET"])
        await feeds.once(exchange.pool, caller)
        owner = await feeds.subscription(exchange.pool, caller.consumer, _number(request))
        if owner.channel != "stream":
            raise feeds.SubscriptionUnknown(subscription=owner.id)
        after = await feeds.begin(exchange.pool, owner, request.headers.get("last-event-id", ""))
        streams_of(exchange).enter(caller.consumer)
        admitted.append((exchange, caller, owner, after))
        return {"ok": True}

    answer = await api_exchange.signed(request, act)
    return _flowing(*admitted[0]) if admitted else answer


def _flowing(
    exchange: delivery.Exchange, caller: delivery.Caller, owner: feeds.Subscription, after: int
) -> Response:
    def key() -> PrivateKey:
        return exchange.server.signing(caller.signed.key.algorithm, exchange.now())

    opened_with = caller.signed.key.id
    pieces = feeds.stream(exchange.pool, owner, exchange.city.id, key, opened_with, after)
    return Flowing(pieces, _EVENTS, lambda: streams_of(exchange).leave(caller.consumer))


def streams_of(exchange: delivery.Exchange) -> feeds.Streams:
    """The open streams of this process's exchange."""
    return _streams.setdefault(exchange, feeds.Streams())


def _number(request: WebRequest) -> int:
    number = int(request.path_params["subscription"])
    if number > _MOST:
        raise feeds.SubscriptionUnknown(subscription=number)
    return number


def shown(owner: feeds.Subscription) -> dict[str, Any]:
    """A subscription as its consumer sees it."""
    told = msgspec.structs.asdict(owner)
    return {"ok": True, "subscription": told.pop("id"), **told, "circuit": owner.circuit}
