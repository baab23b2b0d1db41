"""Keys of both algorithms: Ed25519 (RFC 8032) and SM2 with SM3 (GB/T 32918.2, GB/T 32905), public ones as JWK."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dizuo.foundation.kernel.sm2 import make_sm2, sign_sm2, signer_hash, verify_sm2
from dizuo.foundation.signing.errors import KeyMalformed

Algorithm = Literal["ed25519", "sm2-sm3"]
"""``ed25519`` is the name in RFC 9421 §6.2.2. ``sm2-sm3`` is not registered there: both ends must have agreed on it."""
ED25519: Final[Algorithm] = "ed25519"
SM2: Final[Algorithm] = "sm2-sm3"
_ED_LENGTH: Final = 32
_SM2_LENGTH: Final = 64
_SM2_SECRET: Final = 32


class PublicKey:
    """A key to verify with. ``id`` is the keyid of signatures; ``raw`` is 32 bytes (Ed25519) or x‖y, 64 bytes (SM2), ``signer`` the hash
    that SM2 puts before a message.

    Errors: KeyMalformed for bytes that are no key.
    """

    __slots__ = ("_ed", "algorithm", "id", "raw", "signer")

    def __init__(self, id: str, algorithm: Algorithm, raw: bytes) -> None:
        self.id: Final = id
        self.algorithm: Final = algorithm
        self.raw: Final = raw
        if len(raw) != (_ED_LENGTH if algorithm == ED25519 else _SM2_LENGTH):
            raise KeyMalformed({"x": "公钥的长度不对。"})
        self._ed = Ed25519PublicKey.from_public_bytes(raw) if algorithm == ED25519 else None
        self.signer: Final = signer_hash(raw) if algorithm == SM2 else b""

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether this key's owner signed the message. SM2 signatures are r‖s, 64 bytes, signer id 1234567812345678."""
        if len(signature) != 64:
            return False
        if self._ed is not None:
            try:
                self._ed.verify(signature, message)
            except InvalidSignature:
                return False
            return True
        return verify_sm2(self.raw, self.signer, signature, message)

    def as_jwk(self) -> dict[str, str]:
        """The key as a JSON Web Key."""
        if self.algorithm == ED25519:
            return {
                "kty": "OKP",
                "crv": "Ed25519",
                "kid": self.id,
                "alg": self.algorithm,
                "use": "sig",
                "x": _text(self.raw),
            }
        return {
            "kty": "EC",
            "crv": "SM2",
            "kid": self.id,
            "alg": self.algorithm,
            "use": "sig",
            "x": _text(self.raw[:32]),
            "y": _text(self.raw[32:]),
        }

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any], id: str = "") -> PublicKey:
        """A key from its JWK; ``id`` overrides ``kid``. Errors: KeyMalformed, also when it holds a private part."""
        if "d" in jwk:
            raise KeyMalformed({"d": "这里有私钥。请立即作废这对密钥，只交公钥。"})
        kid = id or str(jwk.get("kid", ""))
        kind = (jwk.get("kty"), jwk.get("crv"))
        if kind == ("OKP", "Ed25519"):
            return cls(kid, ED25519, _bytes(jwk, "x"))
        if kind == ("EC", "SM2"):
            return cls(kid, SM2, _bytes(jwk, "x") + _bytes(jwk, "y"))
        raise KeyMalformed({"kty": "只认 Ed25519（OKP）和 SM2（EC）。"})


class PrivateKey:
    """A key to sign with. ``secret`` is 32 bytes and belongs in a file that only its owner reads."""

    __slots__ = ("_ed", "algorithm", "id", "public", "secret")

    def __init__(self, id: str, algorithm: Algorithm, secret: bytes, public: bytes = b"") -> None:
        self.id: Final = id
        self.algorithm: Final = algorithm
        self.secret: Final = secret
        if len(secret) != _SM2_SECRET or (algorithm == SM2 and len(public) != _SM2_LENGTH):
            raise KeyMalformed({"d": "私钥的长度不对；SM2 私钥要连同公钥保存。"})
        self._ed = Ed25519PrivateKey.from_private_bytes(secret) if algorithm == ED25519 else None
        raw = self._ed.public_key().public_bytes_raw() if self._ed is not None else public
        self.public: Final = PublicKey(id, algorithm, raw)

    @classmethod
    def make(cls, id: str, algorithm: Algorithm = ED25519) -> PrivateKey:
        """A new key from the system's random bytes."""
        if algorithm == ED25519:
            return cls(id, ED25519, Ed25519PrivateKey.generate().private_bytes_raw())
        return cls(id, SM2, *make_sm2())

    def sign(self, message: bytes) -> bytes:
        """64 bytes: Ed25519's signature, or SM2's r‖s."""
        if self._ed is not None:
            return self._ed.sign(message)
        return sign_sm2(self.secret, self.public.signer, message)

    def as_jwk(self) -> dict[str, str]:
        """The private key as a JSON Web Key, for its owner's file only."""
        return {**self.public.as_jwk(), "d": _text(self.secret)}

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> PrivateKey:
        """The key of such a file. Errors: KeyMalformed."""
        public = PublicKey.from_jwk({name: value for name, value in jwk.items() if name != "d"})
        return cls(public.id, public.algorithm, _bytes(jwk, "d"), public.raw)


def jwks(keys: Iterable[PublicKey]) -> dict[str, list[dict[str, str]]]:
    """A JWK Set (RFC 7517 §5)."""
    return {"keys": [key.as_jwk() for key in keys]}


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(jwk: Mapping[str, Any], name: str) -> bytes:
    value = cast(object, jwk.get(name))
    if not isinstance(value, str) or len(value) != 43:
        raise KeyMalformed({name: f"{name} 要是 32 字节的 base64url。"})
    try:
        return base64.b64decode(value.replace("-", "+").replace("_", "/") + "=", validate=True)
    except (binascii.Error, ValueError):
        raise KeyMalformed({name: f"{name} 要是 32 字节的 base64url。"}) from None
