"""Signed requests and answers: what is believed, and the one error of everything that is not."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from gmssl_pyx import sm2_verify

from dizuo.foundation.kernel.sm2 import sm3
from dizuo.foundation.signing import (
    ED25519,
    SM2,
    TAG_CALL,
    DigestWrong,
    KeyMalformed,
    PrivateKey,
    PublicKey,
    ResponseNotOurs,
    SignatureExpired,
    SignatureFromFuture,
    SignatureIncomplete,
    SignatureMalformed,
    SignatureMissing,
    SignatureTooLong,
    SignatureWrong,
    Signed,
    SigningKeyUnknown,
    content_digest,
    sign_request,
    sign_response,
    signature_sent,
    target_uri,
    verify_request,
    verify_response,
)
from dizuo.foundation.signing.base import Context, Input, base_of, write_input

NOW = 1_795_400_000
URL = "https://data.example.cn/data/exchange/v1/query"
BODY = b'{"case": "X1", "subject": {"citizen_id": "320213199403151026"}}'
KEYS = {name: PrivateKey.make(f"psb.{name}", name) for name in (ED25519, SM2)}
SERVER = PrivateKey.make("city.1")


def find(*keys: PrivateKey) -> Any:
    known = {key.id: key.public for key in (keys or (*KEYS.values(), SERVER))}

    def one(id: str) -> PublicKey:
        if id not in known:
            raise SigningKeyUnknown()
        return known[id]

    return one


def call(algorithm: str = ED25519, **more: Any) -> Signed:
    return sign_request(KEYS[algorithm], "POST", URL, **{"now": NOW, "body": BODY, **more})  # type: ignore[index]


def check(
    sent: Signed, method: str = "POST", url: str = URL, body: bytes = BODY, now: int = NOW, **more: Any
) -> Any:
    return verify_request(method, url, {**sent.headers, **more}, body, find(), now=now)


@pytest.mark.parametrize("algorithm", [ED25519, SM2])
def test_a_call_and_its_answer(algorithm: str) -> None:
    sent = call(algorithm)
    known = check(sent)
    assert (known.key.id, known.key.algorithm) == (f"psb.{algorithm}", algorithm)
    assert known.expires - known.created == 60
    assert len(known.nonce) == 22
    server = PrivateKey.make("city.2", algorithm)  # type: ignore[arg-type]
    headers = sign_response(server, 200, b'{"ok": true}', signature_sent(sent.headers), now=NOW)
    assert verify_response(200, headers, b'{"ok": true}', sent, find(server), now=NOW).key.id == "city.2"


def test_no_two_calls_have_one_nonce() -> None:
    assert len({check(call()).nonce for _ in range(50)}) == 50


@pytest.mark.parametrize("algorithm", [ED25519, SM2])
@pytest.mark.parametrize(
    "what", ["method", "path", "query", "host", "type", "digest", "created", "expires", "nonce", "key"]
)
def test_whatever_is_altered_is_noticed(algorithm: str, what: str) -> None:
    sent = call(algorithm)
    given = sent.headers["signature-input"]
    other = {
        "method": {"method": "GET"},
        "path": {"url": URL.replace("query", "batch")},
        "query": {"url": URL + "?all=1"},
        "host": {"url": URL.replace("example", "elsewhere")},
        "type": {"content-type": "text/plain"},
        "digest": {"content-digest": content_digest(b"{}"), "body": b"{}"},
        "created": {"signature-input": given.replace(f"created={NOW}", f"created={NOW + 1}")},
        "expires": {"signature-input": given.replace(f"expires={NOW + 60}", f"expires={NOW + 200}")},
        "nonce": {"signature-input": given.replace('nonce="', 'nonce="A')},
        "key": {"signature-input": given.replace(f"psb.{algorithm}", f"psb.{SM2 if algorithm == ED25519 else ED25519}")
                .replace(f'alg="{algorithm}"', f'alg="{SM2 if algorithm == ED25519 else ED25519}"')},
    }[what]  # fmt: skip
    with pytest.raises(SignatureWrong):
        check(sent, **other)  # type: ignore[arg-type]


def test_another_body_under_the_same_digest() -> None:
    with pytest.raises(DigestWrong):
        check(call(), body=BODY.replace(b"X1", b"X2"))


def test_the_body_taken_away() -> None:
    with pytest.raises(DigestWrong):
        check(call(), body=b"")


def test_signed_again_with_another_key() -> None:
    """The thief has no key of ours: claiming ours the signature is wrong, claiming his own nobody knows him."""
    thief = PrivateKey.make(KEYS[ED25519].id)
    with pytest.raises(SignatureWrong):
        check(sign_request(thief, "POST", URL, now=NOW, body=BODY))
    with pytest.raises(SigningKeyUnknown):
        check(sign_request(PrivateKey.make("thief"), "POST", URL, now=NOW, body=BODY))


def test_clocks() -> None:
    sent = call()
    assert check(sent, now=NOW + 90)  # within the declared allowance
    assert check(sent, now=NOW - 30)
    with pytest.raises(SignatureExpired):
        check(sent, now=NOW + 91)
    with pytest.raises(SignatureFromFuture):
        check(sent, now=NOW - 31)
    with pytest.raises(SignatureTooLong):
        check(call(lifetime=301))
    with pytest.raises(SignatureTooLong):
        check(call(lifetime=0))


@pytest.mark.parametrize(
    ("covered", "missing"),
    [
        (("@target-uri", "content-digest", "content-type"), "@method"),
        (("@method", "content-digest", "content-type"), "@target-uri"),
        (("@method", "@authority", "@path", "content-digest", "content-type"), "@target-uri"),
        (("@method", "@target-uri", "content-type"), "content-digest"),
        (("@method", "@target-uri", "content-digest"), "content-type"),
    ],
)
def test_what_must_be_covered(covered: tuple[str, ...], missing: str) -> None:
    with pytest.raises(SignatureIncomplete) as caught:
        check(by_library(covered=covered))
    assert missing in caught.value.message


@pytest.mark.parametrize("missing", ["created", "expires", "nonce", "keyid"])
def test_parameters_that_must_be_there(missing: str) -> None:
    import re

    sent = call()
    given = re.sub(rf';{missing}=("[^"]*"|\d+)', "", sent.headers["signature-input"])
    with pytest.raises(SignatureIncomplete) as caught:
        check(sent, **{"signature-input": given})
    assert missing in caught.value.message


def test_without_a_signature_or_with_another_applications() -> None:
    for headers in ({}, {"signature-input": "a=()"}, {"signature": "a=:AA==:"}):
        with pytest.raises(SignatureMissing):
            verify_request("POST", URL, headers, BODY, find(), now=NOW)
    sent = call()
    with pytest.raises(SignatureMissing):
        check(sent, **{"signature-input": sent.headers["signature-input"].replace(TAG_CALL, "other")})


@pytest.mark.parametrize(
    ("given", "signed"),
    [
        ("dizuo=(", "dizuo=:AA==:"),
        ("dizuo=1", "dizuo=:AA==:"),
        ("\u4e2d", "x"),
        ('a=("@method");tag="dizuo-exchange"', "b=:AA==:"),
        ('a=("@method");tag="dizuo-exchange", b=("@path");tag="dizuo-exchange"', "a=:AA==:, b=:AA==:"),
        ('a=("@method" "@method");tag="dizuo-exchange"', "a=:AA==:"),
        ('a=("@METHOD");tag="dizuo-exchange"', "a=:AA==:"),
        ('a=("@method";req);created=1;expires=2;nonce="n";keyid="k";tag="dizuo-exchange"', "a=:AA==:"),
        ('a=("@method" "@target-uri" "content-digest" "content-type");created="x";expires=2;nonce="n";keyid="k";tag="dizuo-exchange"', "a=:AA==:"),
        ("a=" + "(" * 5000, "a=:AA==:"),
        ('a=("\\"");tag="dizuo-exchange"', "a=:AA==:"),
    ],
)  # fmt: skip
def test_nonsense_is_told_from_forgery(given: str, signed: str) -> None:
    with pytest.raises((SignatureMalformed, SignatureMissing)):
        verify_request("POST", URL, {"signature-input": given, "signature": signed, "content-type": "x", "content-digest": "y"}, b"", find(), now=NOW)  # fmt: skip


def test_a_covered_header_cannot_speak_for_another_line() -> None:
    given = Input("a", "()", (("x", ""),), {}, "")
    with pytest.raises(SignatureMalformed):
        base_of(given, Context({"x": 'a\n"@method": GET'}, {}))


def test_the_algorithm_is_the_keys() -> None:
    sent = call()
    with pytest.raises(SignatureMalformed):
        check(
            sent,
            **{"signature-input": sent.headers["signature-input"].replace('alg="ed25519"', 'alg="sm2-sm3"')},
        )


@pytest.mark.parametrize(
    "digest", ["", "sha-256", "md5=:AAAA:", "sha-256=:!!:", "sha-256=:AAAA:", "sha-512=:AAAA:,sha-256=:AAAA:"]
)
def test_digests_that_do_not_hold(digest: str) -> None:
    sent = with_digest(digest)
    with pytest.raises(DigestWrong):
        check(sent)


def with_digest(digest: str) -> Signed:
    """Our call with whatever digest, signed as it is."""
    key = KEYS[ED25519]
    covered = tuple((name, "") for name in ("@method", "@target-uri", "content-digest", "content-type"))
    parameters = {"created": NOW, "expires": NOW + 60, "nonce": "n" * 20, "keyid": key.id, "tag": TAG_CALL}
    text = write_input(covered, parameters)
    headers = {"content-type": "application/json", "content-digest": digest}
    context = Context(headers, {"@method": "POST", "@target-uri": URL})
    signature = base64.b64encode(
        key.sign(base_of(Input("a", text, covered, parameters, ""), context))
    ).decode()
    return Signed(
        {**headers, "signature-input": f"a={text}", "signature": f"a=:{signature}:"}, "a", signature
    )


def test_every_known_digest_must_hold() -> None:
    both = f"{content_digest(BODY)}, {content_digest(b'', 'sm3')}"
    with pytest.raises(DigestWrong):
        check(with_digest(both))
    assert check(with_digest(f"{content_digest(BODY)}, {content_digest(BODY, 'sm3')}, new=:AAAA:"))


# ------------------------------------------------------------------------------------------------------ answers


def test_an_answer_to_another_call_is_refused() -> None:
    first, second = call(), call()
    headers = sign_response(SERVER, 200, b"{}", signature_sent(first.headers), now=NOW)
    assert verify_response(200, headers, b"{}", first, find(), now=NOW)
    for wrong in (
        lambda: verify_response(200, headers, b"{}", second, find(), now=NOW),
        lambda: verify_response(403, headers, b"{}", first, find(), now=NOW),
        lambda: verify_response(200, {**headers, "content-type": "text/html"}, b"{}", first, find(), now=NOW),
        lambda: verify_response(200, sign_response(SERVER, 200, b"{}", None, now=NOW), b"{}", first, find(), now=NOW),
        lambda: verify_response(200, sign_response(PrivateKey.make("city.1"), 200, b"{}", signature_sent(first.headers), now=NOW), b"{}", first, find(), now=NOW),
    ):  # fmt: skip
        with pytest.raises(ResponseNotOurs):
            wrong()
    with pytest.raises(DigestWrong):
        verify_response(200, headers, b"{ }", first, find(), now=NOW)
    with pytest.raises(SignatureExpired):
        verify_response(200, headers, b"{}", first, find(), now=NOW + 331)
    with pytest.raises(SignatureFromFuture):
        verify_response(200, headers, b"{}", first, find(), now=NOW - 31)


def test_a_call_is_no_answer() -> None:
    """Tags keep the two apart: what a caller signed can never be sent back to it."""
    sent = call()
    with pytest.raises(SignatureMissing):
        verify_response(200, sent.headers, BODY, sent, find(), now=NOW)


# ------------------------------------------------------------------------------------------------------ keys


@pytest.mark.parametrize("algorithm", [ED25519, SM2])
def test_keys_survive_their_files(algorithm: str) -> None:
    key = KEYS[algorithm]  # type: ignore[index]
    again = PrivateKey.from_jwk(key.as_jwk())
    assert PublicKey.from_jwk(key.public.as_jwk()).verifies(again.sign(b"x"), b"x")
    with pytest.raises(KeyMalformed):
        PublicKey.from_jwk(key.as_jwk())


@pytest.mark.parametrize("jwk", [{}, {"kty": "OKP", "crv": "Ed25519", "x": "AA"}, {"kty": "EC", "crv": "P-256"}, {"kty": "EC", "crv": "SM2", "x": "!" * 43, "y": 1}])  # fmt: skip
def test_keys_that_are_none(jwk: dict[str, Any]) -> None:
    with pytest.raises(KeyMalformed):
        PublicKey.from_jwk(jwk)


@pytest.mark.parametrize("raw", [b"\0" * 64, b"\xff" * 64])
def test_a_point_off_the_curve_verifies_nothing(raw: bytes) -> None:
    assert not PublicKey("k", SM2, raw).verifies(b"\1" * 64, b"x")


def test_sm2_signatures_are_the_standards_with_its_default_signer() -> None:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    key = KEYS[SM2]
    raw = key.sign(b"abc")
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    assert sm2_verify(key.public.raw, b"abc", der, b"1234567812345678")


# ------------------------------------------------------------------------------------------ against the RFC and a peer


def test_the_ed25519_example_of_rfc_9421() -> None:
    """Appendix B.2.6, with the key of B.1.4."""
    public = PublicKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "kid": "test-key-ed25519", "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"})  # fmt: skip
    text = '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"'
    covered = tuple((name.strip('"'), "") for name in text[1 : text.index(")")].split(" "))
    headers = {
        "date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "content-type": "application/json",
        "content-length": "18",
    }
    derived = {"@method": "POST", "@path": "/foo", "@authority": "example.com"}
    base = base_of(Input("sig-b26", text, covered, {}, ""), Context(headers, derived))
    signature = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    assert public.verifies(base64.b64decode(signature), base)
    assert not public.verifies(base64.b64decode(signature), base + b" ")


class Peer:
    """A message as http-message-signatures takes it."""

    def __init__(self, method: str, url: str, headers: dict[str, str]) -> None:
        self.method, self.url, self.headers = method, url, headers


def by_library(
    covered: tuple[str, ...] = ("@method", "@target-uri", "content-digest", "content-type"),
) -> Signed:
    """A request signed by another implementation of RFC 9421."""
    import datetime as dt

    from http_message_signatures import HTTPMessageSigner, algorithms
    from http_message_signatures.resolvers import MappingKeyResolver

    key = KEYS[ED25519]
    keys = MappingKeyResolver(public_keys={}, private_keys={key.id: key._ed})
    message = Peer("POST", URL, {"content-type": "application/json", "content-digest": content_digest(BODY)})
    at = dt.datetime.fromtimestamp(NOW, dt.UTC)
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=keys).sign(
        message, key_id=key.id, created=at, expires=at + dt.timedelta(seconds=60), nonce="n" * 20, label="lib",
        tag=TAG_CALL, covered_component_ids=covered, use_existing_digest=True,
    )  # fmt: skip
    return Signed({k.lower(): v for k, v in message.headers.items()}, "lib", "")


@pytest.mark.parametrize("covered", [("@method", "@target-uri", "content-digest", "content-type"),
                                     ("content-type", "@query", "@path", "content-digest", "@authority", "@method")])  # fmt: skip
def test_what_another_implementation_signs_we_verify(covered: tuple[str, ...]) -> None:
    assert check(by_library(covered)).label == "lib"


def test_what_we_sign_another_implementation_verifies() -> None:
    from http_message_signatures import HTTPMessageVerifier, algorithms
    from http_message_signatures.resolvers import MappingKeyResolver

    key = KEYS[ED25519]
    keys = MappingKeyResolver(public_keys={key.id: key.public._ed}, private_keys={})
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=keys)
    verifier.validate_created_and_expires = lambda *_, **__: None  # type: ignore[method-assign]
    sent = call()
    message = Peer("POST", URL, dict(sent.headers))
    verified = verifier.verify(message, expect_tag=TAG_CALL, body=BODY, max_age=None)
    assert [one.nonce for one in verified] == [check(sent).nonce]


def test_a_lawful_field_in_another_spelling_is_read_too() -> None:
    """Spaces between members, another signature beside ours: what a proxy may do to structured fields."""
    sent = call()
    other = 'proxy=("@method");created=1;keyid="p"'
    spaced = sent.headers["signature-input"].replace('" "', '"  "', 1)
    both = {
        "signature-input": f"{other},  {spaced}",
        "signature": f"proxy=:AAAA:, {sent.headers['signature']}",
    }
    assert check(sent, **both).nonce == check(sent).nonce


@pytest.mark.parametrize(
    ("url", "is_"),
    [
        ("HTTP://Example.CN:80/a?b=%E4", "http://example.cn/a?b=%E4"),
        ("https://example.cn:443", "https://example.cn/"),
        ("https://example.cn:8443/x", "https://example.cn:8443/x"),
        ("http://127.0.0.1:8043/x?", "http://127.0.0.1:8043/x"),
    ],
)
def test_the_address_as_it_is_signed(url: str, is_: str) -> None:
    assert target_uri(url) == is_


def test_sm2_holds_the_example_of_the_standard() -> None:
    """GB/T 32918.5-2017, annex A.2: its key, its digest of "message digest", its signature."""
    public = bytes.fromhex(
        "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
    )
    secret = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
    key = PrivateKey("example", SM2, secret, public)
    assert (
        sm3(key.public.signer + b"message digest").hex()
        == "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"
    )
    signature = bytes.fromhex(
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
        "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
    )
    assert key.public.verifies(signature, b"message digest")
    assert not key.public.verifies(signature, b"message digesu")
    made = {key.sign(b"message digest") for _ in range(3)}
    assert len(made) == 3, "a nonce used twice would give the key away"
    assert all(key.public.verifies(one, b"message digest") for one in made)
