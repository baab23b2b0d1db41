"""The receiving end of pushes and streams: is this the base's word?"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from dizuo.foundation.signing import PublicKey, verify_request

EVENT_CONTEXT: Final = b"dizuo-feed-event/1\n"
"""What the signed bytes of a streamed event begin with; its id, a line end and its data follow."""


def verify_push(
    url: str, headers: Mapping[str, str], body: bytes, find: Callable[[str], PublicKey], *, now: int
) -> Sequence[Mapping[str, Any]]:
    """The CloudEvents of a push to our ``url``, in order; whoever sees an ``id`` twice has had it.

    ``headers`` in lower case. Errors: a SignatureRefused by its cause.
    """
    verify_request("POST", url, headers, body, find, now=now)
    told: Any = msgspec.json.decode(body)
    return cast("list[dict[str, Any]]", told) if isinstance(told, list) else [cast("dict[str, Any]", told)]


def event_is_ours(key: PublicKey, signature: str, id: str, data: bytes) -> bool:
    """Whether a streamed event was signed by that key."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return key.verifies(raw, EVENT_CONTEXT + id.encode() + b"\n" + data)
