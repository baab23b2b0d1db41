"""Which hash and signature a ledger uses: SHA-256 with Ed25519, or SM3 with SM2 (GB/T 32905, GB/T 32918). One for its life."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dizuo.foundation.kernel.sm2 import make_sm2, sign_sm2, signer_hash, sm3, verify_sm2
from dizuo.foundation.ledger.merkle import Digest, sha256

ED25519: Final = b"\x01"
COSIGNATURE: Final = b"\x04"
SM2: Final = b"\xffdizuo/sm2-sm3/1"
"""The signature type of C2SP signed-note for algorithms that have no number of their own: 0xff and a name."""
SUITE: Final = "DIZUO_LEDGER_SUITE"
"""The environment variable that chooses the suite when a ledger's key is first made: `ed25519` (the default) or `sm2`."""


@dataclass(frozen=True)
class Suite:
    """A pair of hash and signature. Sizes in bytes; a public key's ``size`` follows its ``kind`` in a verifier key.

    ``sign`` takes a secret and the text, ``verify`` a public key, the signature of 64 bytes and the text.
    """

    name: str
    kind: bytes
    size: int
    digest: Digest
    make: Callable[[], bytes]
    public_of: Callable[[bytes], bytes]
    sign: Callable[[bytes, bytes], bytes]
    verify: Callable[[bytes, bytes, bytes], bool]
    secret_size: int


def _ed25519_secret() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    )


@functools.lru_cache(16)
def _ed25519_private(secret: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(secret)


def _ed25519_public(secret: bytes) -> bytes:
    return (
        _ed25519_private(secret)
        .public_key()
        .public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    )


def _ed25519_sign(secret: bytes, text: bytes) -> bytes:
    return _ed25519_private(secret).sign(text)


def _ed25519_verify(public: bytes, signature: bytes, text: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


# A point's hash is made once: a log signs with one key, a verifier looks at few.
_signer = functools.lru_cache(64)(signer_hash)


def _sm2_secret() -> bytes:
    # The library does not compute a public key from a secret one: both are kept, the secret first.
    return b"".join(make_sm2())


def _sm2_sign(secret: bytes, text: bytes) -> bytes:
    return sign_sm2(secret[:32], _signer(secret[32:]), text)


def _sm2_verify(public: bytes, signature: bytes, text: bytes) -> bool:
    return len(public) == 64 and verify_sm2(public, _signer(public), signature, text)


INTERNATIONAL: Final = Suite(
    "ed25519", ED25519, 32, sha256, _ed25519_secret, _ed25519_public, _ed25519_sign, _ed25519_verify, 32
)
NATIONAL: Final = Suite(
    "sm2", SM2, 64, sm3, _sm2_secret, lambda secret: secret[32:], _sm2_sign, _sm2_verify, 96
)
SUITES: Final = {suite.name: suite for suite in (INTERNATIONAL, NATIONAL)}


def suite_of(kind: bytes) -> Suite:
    """The suite of a key's kind; a witness cosigns with Ed25519 whatever it watches."""
    return NATIONAL if kind == SM2 else INTERNATIONAL


def suite_named(name: str | None) -> Suite:
    """The suite that a ledger's database names; nothing stands for the first one."""
    return SUITES[name] if name else INTERNATIONAL
