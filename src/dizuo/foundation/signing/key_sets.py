"""A published set of keys, signed by each of them: who knows one of the keys can follow to the next without asking anybody.

The set (a JWK Set) travels as a response with one signature a key (RFC 9421 §4.3), under the tag TAG_KEYS. It answers no call, so it
is bound to none; it is believed for a few minutes, and a later reader asks again.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from dizuo.foundation.signing.base import Context, Input, base_of, read_inputs, write_input
from dizuo.foundation.signing.digest import check_digest, content_digest
from dizuo.foundation.signing.errors import (
    KeyMalformed,
    SignatureExpired,
    SignatureFromFuture,
    SignatureIncomplete,
    SignatureMalformed,
    SignatureWrong,
    SigningKeyUnknown,
)
from dizuo.foundation.signing.keys import PrivateKey, PublicKey
from dizuo.foundation.signing.messages import LONGEST, SKEW

TAG_KEYS: Final = "dizuo-exchange-keys"
_COVERED: Final = (("@status", ""), ("content-digest", ""), ("content-type", ""))
_MOST: Final = 100


class KeySet(msgspec.Struct, frozen=True):
    """The keys of a published set, and when it was signed (seconds since 1970): an older set must not take the place of a newer one."""

    keys: tuple[PublicKey, ...]
    created: int


def sign_key_set(keys: Iterable[PrivateKey], body: bytes, content_type: str, *, now: int) -> dict[str, str]:
    """The headers of a 200 answer with the set as its body: a signature by each key.

    A key that is not in the set any more may sign it, too: who knows only that one learns that it has ended.
    """
    headers = {"content-type": content_type, "content-digest": content_digest(body)}
    context = Context(headers, {"@status": "200"})
    inputs: list[str] = []
    signatures: list[str] = []
    for number, key in enumerate(keys, 1):
        label = f"key{number}"
        parameters: dict[str, str | int] = {
            "created": now,
            "keyid": key.id,
            "alg": key.algorithm,
            "tag": TAG_KEYS,
        }
        text = write_input(_COVERED, parameters)
        made = key.sign(base_of(Input(label, text, _COVERED, parameters, ""), context))
        inputs.append(f"{label}={text}")
        signatures.append(f"{label}=:{base64.b64encode(made).decode()}:")
    return {**headers, "signature-input": ", ".join(inputs), "signature": ", ".join(signatures)}


def follow_key_set(
    headers: Mapping[str, str],
    body: bytes,
    find: Callable[[str], PublicKey],
    *,
    now: int,
    skew: int = SKEW,
) -> tuple[PublicKey, ...]:
    """The keys of a set that one of our known keys signed: the ones to know from now on. ``find`` gives a known key.

    Errors: as for ``verify_key_set``.
    """
    return verify_key_set(headers, body, find, now=now, skew=skew).keys


def verify_key_set(
    headers: Mapping[str, str],
    body: bytes,
    find: Callable[[str], PublicKey],
    *,
    now: int,
    skew: int = SKEW,
) -> KeySet:
    """A set that one of our known keys signed, with its time. ``find`` gives a known key.

    Errors: SigningKeyUnknown when none of its signatures is by a known key; SignatureMissing, SignatureIncomplete,
    SignatureWrong, SignatureExpired, SignatureFromFuture, DigestWrong; KeyMalformed. In each case keep the keys that you have.
    """
    for given in read_inputs(headers, TAG_KEYS):
        try:
            key = find(str(given.parameters.get("keyid", "")))
        except (SigningKeyUnknown, KeyError):
            continue
        created = _check(given, key, headers, now, skew)
        check_digest(headers.get("content-digest", ""), body)
        return KeySet(_read(body), created)
    raise SigningKeyUnknown()


def _check(given: Input, key: PublicKey, headers: Mapping[str, str], now: int, skew: int) -> int:
    """When the set was signed."""
    missing = [name for name, _ in _COVERED if (name, "") not in given.components]
    if missing:
        raise SignatureIncomplete(what="、".join(missing))
    created = given.parameters.get("created")
    if not isinstance(created, int):
        raise SignatureIncomplete(what="created")
    if created > now + skew:
        raise SignatureFromFuture(created=created, skew=skew)
    # An older set could hide that a key has ended since.
    if created < now - LONGEST - skew:
        raise SignatureExpired(expires=created + LONGEST)
    if given.parameters.get("alg", key.algorithm) != key.algorithm:
        raise SignatureMalformed(why="签名算法（alg）与密钥的算法不一样")
    base = base_of(given, Context(headers, {"@status": "200"}))
    try:
        signature = base64.b64decode(given.signature[1:-1], validate=True)
    except ValueError:
        raise SignatureMalformed(why="签名不是 base64") from None
    if not key.verifies(signature, base):
        raise SignatureWrong()
    return created


def _read(body: bytes) -> tuple[PublicKey, ...]:
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
        listed = msgspec.convert(told.get("keys"), list[dict[str, Any]])
    except (msgspec.ValidationError, msgspec.DecodeError):
        raise KeyMalformed({"keys": "不是 JWK Set。"}) from None
    if not 0 < len(listed) <= _MOST:
        raise KeyMalformed({"keys": "不是 JWK Set。"})
    return tuple(PublicKey.from_jwk(one) for one in listed)
