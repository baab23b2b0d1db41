"""Sign and verify requests and responses. Times are seconds since 1970; headers are lower-case names to values."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from dizuo.foundation.signing.base import (
    BINDING,
    TAG_ANSWER,
    TAG_CALL,
    Context,
    Input,
    base_of,
    read_input,
    write_input,
)
from dizuo.foundation.signing.digest import check_digest, content_digest
from dizuo.foundation.signing.errors import (
    ResponseNotOurs,
    SignatureExpired,
    SignatureFromFuture,
    SignatureIncomplete,
    SignatureMalformed,
    SignatureMissing,
    SignatureTooLong,
    SignatureWrong,
)
from dizuo.foundation.signing.keys import SM2, PrivateKey, PublicKey

SKEW: Final = 30
"""How many seconds the other end's clock may be ahead of or behind ours."""
LONGEST: Final = 300
"""The longest time between ``created`` and ``expires``: for so long a nonce must be remembered."""
SEQUENCE: Final = "dizuo-sequence"
"""A header with a number that only grows per key, for callers to whom order matters; it must be covered when sent."""
_LABEL: Final = "dizuo"
_NONCE: Final = (16, 64)
_JSON: Final = "application/json"
_WHERE: Final = (("@target-uri",), ("@authority", "@path", "@query"))

FindKey = Callable[[str], PublicKey]
"""The key of a keyid. Errors: SigningKeyUnknown, SigningKeyEnded."""


class Signed(msgspec.Struct, frozen=True):
    """What a caller keeps of a request that it sent, to know the answer by: ``headers`` are to be sent as they are."""

    headers: Mapping[str, str]
    label: str
    signature: str


class Verified(msgspec.Struct, frozen=True):
    """A message whose signature holds. ``nonce`` is empty and ``expires`` is ``created`` in answers."""

    key: PublicKey
    label: str
    signature: str
    created: int
    expires: int
    nonce: str
    sequence: int | None


def target_uri(url: str) -> str:
    """An absolute URL as ``@target-uri`` has it: host in lower case, no default port, at least ``/``."""
    parts = urlsplit(url)
    authority = _authority(parts.scheme, parts.netloc)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme.lower()}://{authority}{parts.path or '/'}{query}"


def sign_request(
    key: PrivateKey,
    method: str,
    url: str,
    *,
    now: int,
    body: bytes = b"",
    content_type: str = _JSON,
    lifetime: int = 60,
    nonce: str = "",
    sequence: int | None = None,
) -> Signed:
    """The headers of a signed request: Content-Digest and Content-Type where there is a body, Signature-Input, Signature.

    The digest is SHA-256, for SM2 keys SM3. The nonce is 128 random bits unless given.
    """
    headers: dict[str, str] = {}
    covered = ["@method", "@target-uri"]
    if body:
        headers["content-type"] = content_type
        headers["content-digest"] = content_digest(body, "sm3" if key.algorithm == SM2 else "sha-256")
        covered += ["content-digest", "content-type"]
    if sequence is not None:
        headers[SEQUENCE] = str(sequence)
        covered.append(SEQUENCE)
    parameters: dict[str, str | int] = {
        "created": now,
        "expires": now + lifetime,
        "nonce": nonce or secrets.token_urlsafe(16),
        "keyid": key.id,
        "alg": key.algorithm,
        "tag": TAG_CALL,
    }
    derived = {"@method": method, "@target-uri": target_uri(url)}
    return _signed(key, tuple((name, "") for name in covered), parameters, Context(headers, derived))


def verify_request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    find: FindKey,
    *,
    now: int,
    skew: int = SKEW,
) -> Verified:
    """Whose request this is. ``url`` is absolute, as it was asked for.

    Checks in this order: there is a signature for us, it covers what it must, its time, its key, the signature, the digest.
    Errors: a SignatureRefused for each, and those of ``find``. Replays are not seen here.
    """
    given = read_input(headers, TAG_CALL)
    _covers_request(given, headers, body)
    created, expires = _times(given, now, skew)
    nonce = given.parameters.get("nonce")
    if not isinstance(nonce, str) or not _NONCE[0] <= len(nonce) <= _NONCE[1]:
        raise SignatureIncomplete(what=f"nonce（{_NONCE[0]} 到 {_NONCE[1]} 个字符）")
    parts = urlsplit(url)
    derived = {
        "@method": method,
        "@target-uri": target_uri(url),
        "@authority": _authority(parts.scheme, parts.netloc),
        "@path": parts.path or "/",
        "@query": f"?{parts.query}",
    }
    key = _verify(given, Context(headers, derived), find)
    if body or "content-digest" in headers:
        check_digest(headers.get("content-digest", ""), body)
    return Verified(key, given.label, given.signature, created, expires, nonce, _sequence(headers))


def signature_sent(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Label and signature of a request, verified or not, so that a refusal too can be bound to it; None without one."""
    try:
        given = read_input(headers, TAG_CALL)
    except (SignatureMissing, SignatureMalformed):
        return None
    return given.label, given.signature


def sign_response(
    key: PrivateKey,
    status: int,
    body: bytes,
    request: tuple[str, str] | None,
    *,
    now: int,
    content_type: str = _JSON,
    digest: str = "",
) -> dict[str, str]:
    """The headers of a signed answer to the request with that label and signature (see ``signature_sent``).

    ``digest`` is the field's value where the body is not at hand as bytes. Without a request there is nothing to bind to;
    the caller's ``verify_response`` will then refuse the answer.
    """
    headers = {
        "content-type": content_type,
        "content-digest": digest or content_digest(body, "sm3" if key.algorithm == SM2 else "sha-256"),
    }
    covered: list[tuple[str, str]] = [("@status", ""), ("content-digest", ""), ("content-type", "")]
    bound: dict[str, str] = {}
    if request is not None:
        more = f';req;key="{request[0]}"'
        covered.append((BINDING, more))
        bound[BINDING + more] = request[1]
    parameters: dict[str, str | int] = {
        "created": now,
        "keyid": key.id,
        "alg": key.algorithm,
        "tag": TAG_ANSWER,
    }
    return dict(
        _signed(key, tuple(covered), parameters, Context(headers, {"@status": str(status)}, bound)).headers
    )


def verify_response(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    sent: Signed,
    find: FindKey,
    *,
    now: int,
    skew: int = SKEW,
) -> Verified:
    """Whose answer this is, and that it is the answer to what was sent.

    Errors: ResponseNotOurs when it is bound to another request or to none; else as ``verify_request``.
    """
    given = read_input(headers, TAG_ANSWER)
    names = {name for name, more in given.components if not more}
    missing = [name for name in ("@status", "content-digest", "content-type") if name not in names]
    if missing:
        raise SignatureIncomplete(what="、".join(missing))
    more = f';req;key="{sent.label}"'
    if (BINDING, more) not in given.components:
        raise ResponseNotOurs()
    created = given.parameters.get("created")
    if not isinstance(created, int):
        raise SignatureIncomplete(what="created")
    if created > now + skew:
        raise SignatureFromFuture(created=created, skew=skew)
    if created < now - LONGEST - skew:
        raise SignatureExpired(expires=created + LONGEST)
    context = Context(headers, {"@status": str(status)}, {BINDING + more: sent.signature})
    try:
        key = _verify(given, context, find)
    except SignatureWrong:
        raise ResponseNotOurs("答复的签名对不上：内容被改过、不是对方签的，或是对别的请求的答复。") from None
    check_digest(headers.get("content-digest", ""), body)
    return Verified(key, given.label, given.signature, created, created, "", None)


# -------------------------------------------------------------------------------------------------------- parts


def _signed(
    key: PrivateKey,
    components: tuple[tuple[str, str], ...],
    parameters: Mapping[str, str | int],
    context: Context,
) -> Signed:
    text = write_input(components, parameters)
    base = base_of(Input(_LABEL, text, components, parameters, ""), context)
    signature = f":{base64.b64encode(key.sign(base)).decode()}:"
    headers = {**context.headers, "signature-input": f"{_LABEL}={text}", "signature": f"{_LABEL}={signature}"}
    return Signed(headers, _LABEL, signature)


def _covers_request(given: Input, headers: Mapping[str, str], body: bytes) -> None:
    names = {name for name, more in given.components if not more}
    if len(names) != len(given.components):
        raise SignatureMalformed(why="请求的签名里不用 ;req、;key、;sf、;bs、;tr")
    needed = ["@method"]
    if body or "content-digest" in headers:
        needed += ["content-digest", "content-type"]
    if SEQUENCE in headers:
        needed.append(SEQUENCE)
    missing = [name for name in needed if name not in names]
    if not any(names.issuperset(way) for way in _WHERE):
        missing.append("@target-uri")
    missing += [name for name in ("created", "expires", "nonce", "keyid") if name not in given.parameters]
    if missing:
        raise SignatureIncomplete(what="、".join(missing))


def _times(given: Input, now: int, skew: int) -> tuple[int, int]:
    created, expires = given.parameters["created"], given.parameters["expires"]
    if not isinstance(created, int) or not isinstance(expires, int):
        raise SignatureMalformed(why="created 和 expires 要是整数")
    if created > now + skew:
        raise SignatureFromFuture(created=created, skew=skew)
    if expires < now - skew:
        raise SignatureExpired(expires=expires)
    if not 0 < expires - created <= LONGEST:
        raise SignatureTooLong(longest=LONGEST)
    return created, expires


def _verify(given: Input, context: Context, find: FindKey) -> PublicKey:
    keyid, algorithm = given.parameters.get("keyid"), given.parameters.get("alg")
    if not isinstance(keyid, str) or not keyid:
        raise SignatureIncomplete(what="keyid")
    base = base_of(given, context)
    key = find(keyid)
    # The key says which algorithm; a message may only agree (RFC 9421 §3.2, step 6).
    if algorithm is not None and algorithm != key.algorithm:
        raise SignatureMalformed(why="签名算法（alg）与密钥的算法不一样")
    try:
        signature = base64.b64decode(given.signature[1:-1], validate=True)
    except binascii.Error:
        raise SignatureMalformed(why="签名不是 base64") from None
    if not key.verifies(signature, base):
        raise SignatureWrong()
    return key


def _sequence(headers: Mapping[str, str]) -> int | None:
    text = headers.get(SEQUENCE)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise SignatureMalformed(why="Dizuo-Sequence 要是不超过 15 位的整数")
    return int(text)


def _authority(scheme: str, netloc: str) -> str:
    host = netloc.rpartition("@")[2].lower()
    default = {"http": ":80", "https": ":443"}.get(scheme.lower(), "")
    return host.removesuffix(default) if default else host
