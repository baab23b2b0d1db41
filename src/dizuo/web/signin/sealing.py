"""What is kept in the browser between leaving for the identity provider and coming back: sealed, short-lived, once.

AES-256-GCM: the browser can neither read nor change it, and what it holds (state, nonce, PKCE verifier) is useless
without the provider's answer.
"""

from __future__ import annotations

import base64
import secrets

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dizuo.web.signin.errors import SignInLost
from dizuo.web.signin.model import KEEP

_PURPOSE = b"dizuo sign-in"
_MAX = 4_096


class Kept(msgspec.Struct, frozen=True):
    """One sign-in under way. `expires` is in seconds since 1970."""

    state: str
    nonce: str
    verifier: str
    back: str
    expires: int


class Sealer:
    """Seals and opens with a key derived from the installation's web secret (at least 16 bytes)."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("the secret needs at least 16 bytes")
        key = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret)
        self._cipher = AESGCM(key)

    def new(self, back: str, now: float) -> tuple[Kept, str]:
        """A new sign-in and its sealed form."""
        kept = Kept(_random(), _random(), _random(), back, int(now) + KEEP)
        nonce = secrets.token_bytes(12)
        sealed = nonce + self._cipher.encrypt(nonce, msgspec.json.encode(kept), _PURPOSE)
        return kept, base64.urlsafe_b64encode(sealed).decode("ascii")

    def open(self, sealed: str, now: float) -> Kept:
        """The sign-in under way. Errors: SignInLost when it is absent, altered, foreign or too old."""
        if not sealed or len(sealed) > _MAX:
            raise SignInLost()
        try:
            raw = base64.urlsafe_b64decode(sealed.encode("ascii"))
            kept = msgspec.json.decode(self._cipher.decrypt(raw[:12], raw[12:], _PURPOSE), type=Kept)
        except (ValueError, UnicodeEncodeError, InvalidTag, msgspec.DecodeError):
            raise SignInLost() from None
        if kept.expires < now:
            raise SignInLost()
        return kept


def _random() -> str:
    return secrets.token_urlsafe(32)
