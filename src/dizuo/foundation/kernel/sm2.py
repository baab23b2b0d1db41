"""SM2 signatures with SM3 (GB/T 32918.2-2016, GB/T 32905-2016) as plain bytes: secrets of 32, points x‖y of 64, signatures r‖s of 64.

Always over the digest: given a message, the library first makes 32 nonces for a stream of signatures and uses one of them.
"""

from __future__ import annotations

from typing import Final

import gmssl_pyx
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

SIGNER: Final = b"1234567812345678"
"""The signer's id where both ends agreed on no other (GB/T 35276)."""
# What a signer's hash covers before the signer's own point (GB/T 32918.2 §5.5): the length of the id in bits, the id, and
# a, b and the base point of the recommended curve (GB/T 32918.5).
_BEFORE: Final = (
    (len(SIGNER) * 8).to_bytes(2, "big")
    + SIGNER
    + bytes.fromhex(
        "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc"
        "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93"
        "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
        "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
    )
)


def sm3(data: bytes) -> bytes:
    """SM3 (GB/T 32905-2016): 32 bytes."""
    return bytes(gmssl_pyx.sm3_hash(data))


def make_sm2() -> tuple[bytes, bytes]:
    """A new pair from the system's random bytes: (secret, public)."""
    public, secret = gmssl_pyx.sm2_key_generate()
    return bytes(secret), bytes(public)


def signer_hash(public: bytes) -> bytes:
    """The hash of the signer with this point, Z of GB/T 32918.2 §5.5: made once a key, 32 bytes."""
    return sm3(_BEFORE + public)


def sign_sm2(secret: bytes, signer: bytes, message: bytes) -> bytes:
    """The signature of a message by the signer whose hash is ``signer``; another one each time."""
    r, s = decode_dss_signature(bytes(gmssl_pyx.sm2_sign_sm3_digest(secret, sm3(signer + message))))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verify_sm2(public: bytes, signer: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the owner of this point, whose hash is ``signer``, signed the message; False for bytes that are neither."""
    if len(signature) != 64 or len(public) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        return bool(
            gmssl_pyx.sm2_verify_sm3_digest(public, sm3(signer + message), encode_dss_signature(r, s))
        )
    except (gmssl_pyx.GmsslInnerError, ValueError):  # no point of the curve, or numbers out of its order
        return False
