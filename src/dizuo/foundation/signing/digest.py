"""Content-Digest (RFC 9530): made and checked over the bytes of a body as they travel."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

from dizuo.foundation.kernel.sm2 import sm3
from dizuo.foundation.signing.errors import DigestWrong

DigestName = Literal["sha-256", "sha-512", "sm3"]

_MADE_BY: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "sha-256": lambda body: hashlib.sha256(body).digest(),
    "sha-512": lambda body: hashlib.sha512(body).digest(),
    # Not in the registry of RFC 9530 §7.2; agreed between the parties, as GB/T 32905 asks for SM3.
    "sm3": sm3,
}
_MEMBER = re.compile(r"\s*([a-z0-9*_.\-]+)=:([A-Za-z0-9+/=]*):\s*")


def content_digest(body: bytes, name: DigestName = "sha-256") -> str:
    """The field's value for a body: ``sha-256=:…:``."""
    return f"{name}=:{base64.b64encode(_MADE_BY[name](body)).decode()}:"


def check_digest(value: str, body: bytes) -> None:
    """Hold a body against the field: every digest that we know must fit, and there must be one. Errors: DigestWrong."""
    known = 0
    for part in value.split(","):
        member = _MEMBER.fullmatch(part)
        if member is None:
            raise DigestWrong()
        made_by = _MADE_BY.get(member[1])
        if made_by is None:
            continue
        try:
            told = base64.b64decode(member[2], validate=True)
        except binascii.Error:
            raise DigestWrong() from None
        if not hmac.compare_digest(made_by(body), told):
            raise DigestWrong()
        known += 1
    if not known:
        raise DigestWrong()
