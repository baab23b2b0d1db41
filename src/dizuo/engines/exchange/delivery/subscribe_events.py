"""Events as CloudEvents 1.0 (structured JSON, and batches of it), and as server-sent events."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from dizuo.engines.exchange.delivery.subscribe_model import FeedEvent, Subscription
from dizuo.foundation.signing import PrivateKey

STRUCTURED: Final = "application/cloudevents+json"
BATCHED: Final = "application/cloudevents-batch+json"
CONTEXT: Final = b"dizuo-feed-event/1\n"
_PREFIX: Final = "dizuo.register."
_encode = msgspec.json.Encoder().encode


def cloud_event(subscription: int, grant: int, register: str, city: str, event: FeedEvent) -> dict[str, Any]:
    """One event as a CloudEvent (v1.0.2, §3; JSON format §3).

    ``id`` is the same however often it is delivered; ``source`` and ``id`` together are unique. ``subject`` is the record's
    number in the ledger, not its key. ``sequence`` (an extension that CloudEvents documents) orders texts as positions do.
    """
    data: dict[str, Any] | None = None
    if event.ref is not None:
        data = {
            "register": register,
            "record": event.ref,
            "version": event.version,
            "fields": event.fields,
            "values": event.values,
        }
    made: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id(subscription, event.position),
        "source": f"urn:dizuo:{city}:subscription:{subscription}",
        "type": _PREFIX + event.kind,
        "time": event.at.isoformat(),
        "sequence": f"{event.position:020d}",
        "grantid": str(grant),
        "datacontenttype": "application/json",
        "data": data if data is not None else {"register": register},
    }
    if event.ref is not None:
        made["subject"] = f"{register}/#{event.ref}"
    return made


def event_id(subscription: int, position: int) -> str:
    """The id that an event has in every delivery."""
    return f"{subscription}-{position}"


def position_of(subscription: int, text: str) -> int | None:
    """The position in an id that we gave for this subscription; None for anything else."""
    head, dash, tail = text.partition("-")
    if dash and head == str(subscription) and tail.isascii() and tail.isdigit() and len(tail) <= 18:
        return int(tail)
    return None


def webhook_body(owner: Subscription, city: str, events: Sequence[FeedEvent]) -> tuple[bytes, str]:
    """Body and media type of one push: one structured event where the subscription takes them singly, else a batch."""
    made = [cloud_event(owner.id, owner.grant, owner.register, city, event) for event in events]
    if owner.batch == 1:
        return _encode(made[0]), STRUCTURED
    return _encode(made), BATCHED


def server_sent(owner: Subscription, city: str, event: FeedEvent, key: PrivateKey) -> bytes:
    """One event of a text/event-stream (WHATWG HTML §9.2): JSON has no line ends, so it is one ``data`` line."""
    made = cloud_event(owner.id, owner.grant, owner.register, city, event)
    return signed_event(key, made["id"], made["type"], _encode(made))


def signed_event(key: PrivateKey, id: str, kind: str, data: bytes) -> bytes:
    """An event with its signature in a comment line, which readers that do not look at it pass over.

    A stream has no end to put a digest over, so each event is signed: CONTEXT, id, a line end, the data.
    """
    signature = base64.b64encode(key.sign(CONTEXT + id.encode() + b"\n" + data)).decode()
    head = f": dizuo-signature {key.id} {signature}\n" + (f"id: {id}\n" if id else "") + f"event: {kind}\n"
    return head.encode() + b"data: " + data + b"\n\n"
