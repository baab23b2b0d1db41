"""A set of keys signed by each of its keys: known by one, followed to the next, believed from nobody else."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.signing import (
    ED25519,
    SM2,
    DigestWrong,
    KeyMalformed,
    PrivateKey,
    PublicKey,
    SignatureExpired,
    SignatureFromFuture,
    SignatureIncomplete,
    SignatureMissing,
    SignatureWrong,
    SigningKeyUnknown,
    follow_key_set,
    jwks,
    sign_key_set,
    sign_response,
)

NOW = 1_800_000_000
OLD, NEW, OTHER = PrivateKey.make("base.1"), PrivateKey.make("base.2"), PrivateKey.make("base.3", SM2)
THIEF = PrivateKey.make("base.1")


def published(*keys: PrivateKey, now: int = NOW) -> tuple[dict[str, str], bytes]:
    body = msgspec.json.encode(jwks(key.public for key in keys))
    return sign_key_set(keys, body, "application/json", now=now), body


def follow(
    headers: Mapping[str, str], body: bytes, *known: PrivateKey, now: int = NOW
) -> tuple[PublicKey, ...]:
    return follow_key_set(headers, body, {key.id: key.public for key in known}.__getitem__, now=now)


@pytest.mark.parametrize("known", [OLD, NEW, OTHER])
def test_whoever_knows_one_key_learns_the_others(known: PrivateKey) -> None:
    headers, body = published(OLD, NEW, OTHER)
    told = follow(headers, body, known)
    assert [(key.id, key.algorithm, key.raw) for key in told] == [
        (key.id, key.algorithm, key.public.raw) for key in (OLD, NEW, OTHER)
    ]


def test_a_rotation_is_followed_step_by_step_and_not_over_a_gap() -> None:
    first = follow(*published(OLD, NEW), OLD)
    third = PrivateKey.make("base.4", ED25519)
    later = published(NEW, third)
    with pytest.raises(SigningKeyUnknown):
        follow(*later, OLD)
    known = {key.id: key for key in first}
    assert {key.id for key in follow_key_set(*later, known.__getitem__, now=NOW)} == {"base.2", "base.4"}


def test_a_set_of_the_same_names_with_other_keys_is_not_believed() -> None:
    headers, body = published(THIEF, NEW)
    with pytest.raises(SignatureWrong):
        follow(headers, body, OLD)


def test_nothing_in_it_can_be_altered() -> None:
    headers, body = published(OLD, NEW)
    more = msgspec.json.encode(jwks([OLD.public, THIEF.public]))
    forged, _ = published(THIEF)
    wrong: list[tuple[dict[str, str], bytes, type[DizuoError]]] = [
        (headers, more, DigestWrong),
        ({**headers, "content-digest": forged["content-digest"]}, body, SignatureWrong),
        ({**headers, "content-type": "text/plain"}, body, SignatureWrong),
        ({**headers, "signature-input": headers["signature-input"].replace(str(NOW), str(NOW + 1))}, body, SignatureWrong),
        ({**headers, "signature-input": headers["signature-input"].replace('"@status" ', "")}, body, SignatureIncomplete),
        ({k: v for k, v in headers.items() if k != "signature"}, body, SignatureMissing),
    ]  # fmt: skip
    for changed, content, error in wrong:
        with pytest.raises(error):
            follow(changed, content, OLD, NEW)


def test_an_old_set_is_not_believed_for_ever() -> None:
    """It could hide that a key has ended since."""
    headers, body = published(OLD)
    with pytest.raises(SignatureExpired):
        follow(headers, body, OLD, now=NOW + 331)
    with pytest.raises(SignatureFromFuture):
        follow(headers, body, OLD, now=NOW - 31)


def test_an_answer_to_a_call_is_no_set_of_keys() -> None:
    """Another purpose, another tag: a signed answer that looks like a set cannot stand in for one."""
    body = msgspec.json.encode(jwks([THIEF.public]))
    headers = sign_response(OLD, 200, body, None, now=NOW)
    with pytest.raises(SignatureMissing):
        follow(headers, body, OLD)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"keys":[]}', b'{"keys":[{"kty":"EC","crv":"P-256"}]}'])
def test_what_is_no_set_is_refused_though_signed(body: bytes) -> None:
    headers = sign_key_set([OLD], body, "application/json", now=NOW)
    with pytest.raises(KeyMalformed):
        follow(headers, body, OLD)
