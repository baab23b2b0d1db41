"""Tokens in forms: against forged submits (CSRF) and against submitting the same thing twice.

A form's token is a fresh nonce and an HMAC over the nonce and the address it submits to, under the session's key.
The nonce changes on every rendering, so compressing the page gives nothing away (BREACH).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

CSRF_FIELD = "csrf"
ONCE_FIELD = "form_token"
_NONCE = 9
_MAC = 18


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii")


def csrf_token(key: bytes, action: str) -> str:
    """The token that a form to ``action`` (a path without query) must carry."""
    nonce = secrets.token_bytes(_NONCE)
    return _encode(nonce + _mac(key, nonce, action))


def csrf_ok(key: bytes, action: str, token: str) -> bool:
    """Whether the token was made for this session and this address; constant time in the secret part."""
    if len(token) != (_NONCE + _MAC) * 4 // 3:
        return False
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii"))
    except (ValueError, UnicodeEncodeError):
        return False
    return hmac.compare_digest(raw[_NONCE:], _mac(key, raw[:_NONCE], action))


def _mac(key: bytes, nonce: bytes, action: str) -> bytes:
    return hmac.new(key, nonce + action.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()[:_MAC]


def once_token() -> str:
    """A token that makes a submit idempotent: the same token twice is the same application."""
    return secrets.token_urlsafe(18)


def visitor_key(secret: bytes, visitor: str) -> bytes:
    """The form key of somebody who has not signed in, derived from their visitor cookie."""
    return hmac.new(secret, b"visitor:" + visitor.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
