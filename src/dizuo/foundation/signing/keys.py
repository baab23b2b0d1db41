"""Keys of both algorithms: Ed25519 (RFC 8032) and SM2 with SM3 (GB/T 32918.2, GB/T 32905), public ones as JWK."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, cast

import gmssl_pyx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from dizuo.foundation.signing.errors import KeyMalformed

Algorithm = Literal["ed25519", "sm2-sm3"]
"""``ed25519`` is the name in RFC 9421 §6.2.2. ``sm2-sm3`` is not registered there: both ends must have agreed on it."""
ED25519: Final[Algorithm] = "ed25519"
SM2: Final[Algorithm] = "sm2-sm3"
_ED_LENGTH: Final = 32
_SM2_LENGTH: Final = 64
_SM2_SECRET: Final = 32
_SM2_SIGNER: Final = b"1234567812345678"
# What a signer's hash covers before the signer's own point (GB/T 32918.2 §5.5): the length of the id in bits, the id, and
# a, b and the base point of the recommended curve (GB/T 32918.5).
_SM2_BEFORE: Final = (
    (len(_SM2_SIGNER) * 8).to_bytes(2, "big")
    + _SM2_SIGNER
    + bytes.fromhex(
        "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc"
        "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93"
        "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
        "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
    )
)


class PublicKey:
    """A key to verify with. ``id`` is the keyid of signatures; ``raw`` is 32 bytes (Ed25519) or x‖y, 64 bytes (SM2).

    Errors: KeyMalformed for bytes that are no key.
    """

    __slots__ = ("_ed", "_signer", "algorithm", "id", "raw")

    def __init__(self, id: str, algorithm: Algorithm, raw: bytes) -> None:
        self.id: Final = id
        self.algorithm: Final = algorithm
        self.raw: Final = raw
        if len(raw) != (_ED_LENGTH if algorithm == ED25519 else _SM2_LENGTH):
            raise KeyMalformed({"x": "公钥的长度不对。"})
        self._ed = Ed25519PublicKey.from_public_bytes(raw) if algorithm == ED25519 else None
        self._signer = gmssl_pyx.sm3_hash(_SM2_BEFORE + raw) if algorithm == SM2 else b""

    def sm2_digest(self, message: bytes) -> bytes:
        """What SM2 signs of a message: SM3 over the hash of the signer, which is made once a key, and the message; 32 bytes."""
        return gmssl_pyx.sm3_hash(self._signer + message)

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
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            return bool(
                gmssl_pyx.sm2_verify_sm3_digest(
                    self.raw, self.sm2_digest(message), encode_dss_signature(r, s)
                )
            )
        except (gmssl_pyx.GmsslInnerError, ValueError):  # no point of the curve, or numbers out of its order
            return False

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
        public, secret = gmssl_pyx.sm2_key_generate()
        return cls(id, SM2, secret, public)

    def sign(self, message: bytes) -> bytes:
        """64 bytes: Ed25519's signature, or SM2's r‖s."""
        if self._ed is not None:
            return self._ed.sign(message)
        # Over the digest: given a message, the library first makes 32 nonces for a stream of signatures and uses one of them.
        r, s = decode_dss_signature(
            gmssl_pyx.sm2_sign_sm3_digest(self.secret, self.public.sm2_digest(message))
        )
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

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
