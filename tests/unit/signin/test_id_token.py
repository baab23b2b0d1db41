"""ID Tokens that no honest provider would issue, made here with keys of our own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from dizuo.web.signin.errors import IdentityNotProven, ProviderUnavailable, SignInMisconfigured
from dizuo.web.signin.id_token import verified_claims
from dizuo.web.signin.provider import Provider

ISSUER = "https://id.example.com"
RSA = RSAKey.generate_key(2048, parameters={"kid": "r1", "use": "sig"})
EC = ECKey.generate_key("P-256", parameters={"kid": "e1", "use": "sig"})


class Answers:
    """What the pretended provider answers, and how often it was asked for keys."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [dict(RSA.as_dict(private=False)), dict(EC.as_dict(private=False))]
        self.metadata: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/jwks",
        }
        self.key_fetches = 0
        self.raw: bytes | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.raw is not None:
            return httpx.Response(200, content=self.raw)
        if request.url.path == "/jwks":
            self.key_fetches += 1
            return httpx.Response(200, json={"keys": self.keys})
        return httpx.Response(200, json=self.metadata)


@pytest.fixture
def answers() -> Answers:
    return Answers()


def provider(answers: Answers, pause: float = 0.0) -> Provider:
    return Provider(ISSUER, httpx.AsyncClient(transport=httpx.MockTransport(answers)), pause)


def claims(**changes: object) -> dict[str, Any]:
    now = int(time.time())
    base = {"iss": ISSUER, "aud": "dizuo", "sub": "u1", "exp": now + 300, "iat": now, "nonce": "n"}
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def signed(content: dict[str, Any], key: RSAKey | ECKey = RSA, **header: str) -> str:
    algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
    return jwt.encode({"alg": algorithm, "kid": str(key.kid), **header}, content, key)


async def verify(token: str, source: Provider, access_token: str | None = None) -> dict[str, Any]:
    return await verified_claims(
        token, source, client_id="dizuo", nonce="n", access_token=access_token, now=time.time(), skew=60
    )


@pytest.mark.parametrize("key", [RSA, EC])
async def test_an_honest_token_passes(answers: Answers, key: RSAKey | ECKey) -> None:
    assert (await verify(signed(claims(), key), provider(answers)))["sub"] == "u1"


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_no_signature_is_not_a_signature(answers: Answers) -> None:
    for algorithm in ("none", "None", "", None, 5):
        with pytest.raises(IdentityNotProven, match="签名算法"):
            await verify(f"{part({'alg': algorithm})}.{part(claims())}.", provider(answers))


async def test_a_public_key_is_not_a_shared_secret(answers: Answers) -> None:
    body = f"{part({'alg': 'HS256', 'kid': 'r1'})}.{part(claims())}"
    mac = hmac.new(RSA.as_pem(private=False), body.encode(), hashlib.sha256).digest()
    with pytest.raises(IdentityNotProven, match="签名算法"):
        await verify(f"{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}", provider(answers))


async def test_a_strangers_key_under_a_known_name(answers: Answers) -> None:
    forged = RSAKey.generate_key(2048, parameters={"kid": "r1"})
    with pytest.raises(IdentityNotProven, match="签名不对"):
        await verify(signed(claims(), forged), provider(answers))


async def test_a_key_of_another_kind_under_a_known_name(answers: Answers) -> None:
    with pytest.raises(IdentityNotProven, match="密钥"):
        await verify(signed(claims(), RSA, kid="e1"), provider(answers))


async def test_without_a_name_the_only_fitting_key_counts_and_two_do_not(answers: Answers) -> None:
    token = jwt.encode({"alg": "RS256"}, claims(), RSA)
    assert await verify(token, provider(answers))
    answers.keys.append(dict(RSAKey.generate_key(2048, parameters={"kid": "r2"}).as_dict(private=False)))
    with pytest.raises(IdentityNotProven, match="密钥"):
        await verify(token, provider(answers))


async def test_encryption_keys_and_shared_keys_in_the_set_are_passed_over(answers: Answers) -> None:
    answers.keys = [
        {**RSA.as_dict(private=False), "use": "enc"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "r1"},
        {"kty": "strange", "kid": "x"},
    ]
    with pytest.raises(IdentityNotProven, match="密钥"):
        await verify(signed(claims()), provider(answers))


async def test_unknown_names_do_not_make_us_flood_the_provider(answers: Answers) -> None:
    source = provider(answers, pause=60)
    for number in range(20):
        with pytest.raises(IdentityNotProven):
            await verify(signed(claims(), RSA, kid=f"made-up-{number}"), source)
    assert answers.key_fetches == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"iss": "https://id.example.com/"}, "签发者"),
        ({"aud": "another"}, "不是给本系统的"),
        ({"aud": []}, "不是给本系统的"),
        ({"aud": ["dizuo", "another"]}, "别的系统"),
        ({"aud": ["dizuo", "another"], "azp": "another"}, "别的系统"),
        ({"azp": "another"}, "别的系统"),
        ({"sub": ""}, "用户标识"),
        ({"sub": None}, "用户标识"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": 1}, "过期"),
        ({"iat": None}, "iat"),
        ({"iat": 1}, "太早"),
        ({"iat": 2**40}, "将来"),
        ({"nbf": 2**40}, "还没有生效"),
        ({"nonce": None}, "nonce"),
        ({"nonce": "m"}, "nonce"),
        ({"nonce": ["n"]}, "nonce"),
        ({"at_hash": "AAAA"}, "访问令牌"),
    ],
)
async def test_claims_that_are_refused(answers: Answers, changes: dict[str, object], says: str) -> None:
    with pytest.raises(IdentityNotProven, match=says):
        await verify(signed(claims(**changes)), provider(answers), access_token="a token")


async def test_several_audiences_with_us_as_the_party_and_a_right_hash_pass(answers: Answers) -> None:
    digest = hashlib.sha256(b"a token").digest()[:16]
    at_hash = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    token = signed(claims(aud=["another", "dizuo"], azp="dizuo", at_hash=at_hash))
    assert await verify(token, provider(answers), access_token="a token")


async def test_a_discovery_document_of_somebody_else(answers: Answers) -> None:
    answers.metadata["issuer"] = "https://evil.example"
    with pytest.raises(SignInMisconfigured, match="evil"):
        await provider(answers).metadata()


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_a_discovery_document_that_leads_out_of_https_or_is_cut(answers: Answers, name: str) -> None:
    answers.metadata[name] = "http://id.example.com/x"
    with pytest.raises(SignInMisconfigured, match="https"):
        await provider(answers).metadata()
    del answers.metadata[name]
    with pytest.raises(SignInMisconfigured, match=name):
        await provider(answers).metadata()


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b'"x"', b"{" + b" " * 600_000 + b"}"])
async def test_answers_that_are_no_json_object(answers: Answers, raw: bytes) -> None:
    answers.raw = raw
    with pytest.raises(ProviderUnavailable):
        await provider(answers).metadata()
