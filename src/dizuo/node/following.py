"""A subscription's stream: events in order, each verified, and how far we came on disk only after each was handled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from dizuo.foundation.signing import SigningKeyUnknown, sign_request
from dizuo.node.client import PREFIX, BaseClient
from dizuo.node.errors import BaseSaidNo, BaseUnreachable, EventNotBelieved, FeedEnded
from dizuo.node.home import write_private
from dizuo.node.pushes import event_is_ours

STOPPED: Final = "dizuo.feed.stopped"
_SIGNED: Final = ": dizuo-signature "
_SILENCE: Final = 45.0
"""Seconds without a line, not even a comment, after which the connection is taken for dead. The base speaks every 15."""
_LONGEST_PAUSE: Final = 60.0
_BUSY: Final = (429, 502, 503, 504)
"""The base, or the proxy before it, has no place for us now: we come back."""
Handle = Callable[[Mapping[str, Any]], None]


def follow(
    client: BaseClient,
    subscription: int,
    handle: Handle,
    *,
    until: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Have every event handled, in order, at least once, until the subscription ends or ``until`` says so.

    A lost connection is taken up again behind the last event that was handled. Errors: FeedEnded, EventNotBelieved,
    BaseSaidNo, NodeKeyMissing, BaseNotTrusted.
    """
    place = client.home.folder / f"subscription-{subscription}.last"
    pause = 1.0
    while not until():
        try:
            for event in _events(client, subscription, _last(place)):
                handle(event)
                write_private(place, str(event["id"]).encode())
                pause = 1.0
                if until():
                    return
            sleep(0.2)  # the base ends a stream after an hour, for a fresh signature
        except BaseUnreachable:
            sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)


def _last(place: Path) -> str:
    return place.read_text("utf-8").strip() if place.exists() else ""


def _events(client: BaseClient, subscription: int, last: str) -> Iterator[Mapping[str, Any]]:
    url = f"{client.home.settings.base}{PREFIX}/subscriptions/{subscription}/events"
    signed = sign_request(client.home.signing_key(), "GET", url, now=int(client.now().timestamp()))
    headers = {**signed.headers, "accept": "text/event-stream"}
    if last:
        headers["last-event-id"] = last
    client.journal.note("follow", subscription=subscription, after=last)
    timeout = client.httpx.Timeout(10.0, read=_SILENCE)
    try:
        with client.http.stream("GET", url, headers=headers, timeout=timeout) as response:
            if response.status_code in _BUSY:
                raise BaseUnreachable(5, why=f"{response.status_code}")
            if response.status_code != 200:
                raise BaseSaidNo(response.status_code, _refusal(response.read()))
            yield from _parsed(client, response.iter_lines())
    except client.httpx.HTTPError as error:
        raise BaseUnreachable(1, why=type(error).__name__) from error


def _parsed(client: BaseClient, lines: Iterator[str]) -> Iterator[Mapping[str, Any]]:
    """Server-sent events (WHATWG HTML §9.2), each with the comment line that carries its signature."""
    id, kind, data, signature = "", "", "", ""
    for line in lines:
        if line.startswith(_SIGNED):
            signature = line.removeprefix(_SIGNED)
        elif line.startswith("id: "):
            id = line[4:]
        elif line.startswith("event: "):
            kind = line[7:]
        elif line.startswith("data: "):
            data = line[6:]
        elif not line and data:
            if not _ours(client, signature, id, data.encode()):
                raise EventNotBelieved(event=id)
            told = msgspec.json.decode(data, type=dict[str, Any])
            if kind == STOPPED:
                raise FeedEnded(why=str(told.get("says", told.get("reason", ""))))
            yield told
            id, kind, data, signature = "", "", "", ""


def _ours(client: BaseClient, signature: str, id: str, data: bytes) -> bool:
    keyid, _, value = signature.partition(" ")
    try:
        key = client.keys.find(keyid)
    except SigningKeyUnknown:
        return False
    return event_is_ours(key, value, id, data)


def _refusal(body: bytes) -> Mapping[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except msgspec.DecodeError:
        return {}
