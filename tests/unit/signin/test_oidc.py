"""Signing in with OpenID Connect against a real provider, and every way in which it must fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import httpx
import pytest
from openid_provider import REDIRECT, SECRET, RunningProvider, visit

from dizuo.web.signin import OidcSettings, OidcSignIn
from dizuo.web.signin.errors import (
    IdentityIncomplete,
    IdentityNotProven,
    ProviderUnavailable,
    SignInDeclined,
    SignInForged,
    SignInLost,
    SignInMisconfigured,
    SignInRejected,
    SignInReplayed,
)
from dizuo.web.signin.id_token import verified_claims
from dizuo.web.signin.provider import Provider

KEY = b"0123456789abcdef0123456789abcdef"


class Clock:
    """Seconds since 1970, moved by tests."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def sign_in(
    provider: RunningProvider, clock: Clock | None = None, *, key: bytes = KEY, **changes: str
) -> OidcSignIn:
    raw = {"issuer": provider.issuer, "client_id": "dizuo", "client_secret": SECRET, "redirect_uri": REDIRECT}
    return OidcSignIn(OidcSettings.read({**raw, **changes}), key, clock=clock or Clock(), keys_pause=0)


def with_query(url: str, **changes: str) -> str:
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
    return urlunsplit(parts._replace(query=urlencode(query)))


@pytest.mark.parametrize("client", ["dizuo", "another", "public"])
async def test_a_person_signs_in(provider: RunningProvider, client: str) -> None:
    adapter = sign_in(provider, client_id=client, client_secret="" if client == "public" else SECRET)
    begun = await adapter.begin("/me?tab=cases")
    person = await adapter.finish(await visit(begun.redirect), begun.kept)
    assert (person.name, person.scheme, person.number) == ("林晓晴", "citizen_id", "320211199610141026")
    assert (person.back, person.provider, person.account) == ("/me?tab=cases", provider.issuer, None)
    await adapter.close()


async def test_claims_may_be_in_the_id_token_itself(start_provider: Callable[..., RunningProvider]) -> None:
    adapter = sign_in(start_provider(conform=False))
    begun = await adapter.begin("/")
    assert (await adapter.finish(await visit(begun.redirect), begun.kept)).number == "320211199610141026"


async def test_the_request_carries_pkce_state_and_nonce_and_no_secret(provider: RunningProvider) -> None:
    adapter = sign_in(provider)
    first, second = await adapter.begin("/"), await adapter.begin("/")
    queries = [parse_qs(urlsplit(b.redirect).query) for b in (first, second)]
    for name in ("state", "nonce", "code_challenge"):
        assert len(queries[0][name][0]) >= 43
        assert queries[0][name] != queries[1][name]
    assert queries[0]["code_challenge_method"] == ["S256"]
    assert queries[0]["response_type"] == ["code"]
    assert "secret" not in first.redirect
    assert queries[0]["state"][0] not in first.kept, "what the browser keeps is sealed"


async def test_a_forged_state_is_refused(provider: RunningProvider) -> None:
    adapter = sign_in(provider)
    begun = await adapter.begin("/")
    answer = await visit(begun.redirect)
    with pytest.raises(SignInForged):
        await adapter.finish({**answer, "state": "x" * 43}, begun.kept)
    with pytest.raises(SignInForged):
        await adapter.finish({k: v for k, v in answer.items() if k != "state"}, begun.kept)
    assert (await adapter.finish(answer, begun.kept)).name == "林晓晴", "the refused attempts cost nothing"


async def test_another_persons_answer_in_my_browser_is_refused(provider: RunningProvider) -> None:
    adapter = sign_in(provider)
    attacker, mine = await adapter.begin("/"), await adapter.begin("/")
    answer = await visit(attacker.redirect, "nobody")
    with pytest.raises(SignInForged):
        await adapter.finish(answer, mine.kept)


async def test_an_answer_from_another_issuer_is_refused(provider: RunningProvider) -> None:
    adapter = sign_in(provider)
    begun = await adapter.begin("/")
    answer = await visit(begun.redirect)
    assert answer["iss"] == provider.issuer
    with pytest.raises(SignInForged):
        await adapter.finish({**answer, "iss": "https://evil.example"}, begun.kept)
    with pytest.raises(SignInForged):
        await adapter.finish({k: v for k, v in answer.items() if k != "iss"}, begun.kept)


async def test_a_replayed_answer_is_refused_here_and_at_the_provider(provider: RunningProvider) -> None:
    adapter = sign_in(provider)
    begun = await adapter.begin("/")
    answer = await visit(begun.redirect)
    await adapter.finish(answer, begun.kept)
    with pytest.raises(SignInReplayed):
        await adapter.finish(answer, begun.kept)
    other_process = sign_in(provider)
    with pytest.raises(SignInReplayed):
        await other_process.finish(answer, begun.kept)


async def test_a_code_without_its_verifier_is_refused_by_the_provider(provider: RunningProvider) -> None:
    adapter = sign_in(provider)
    stolen, mine = await adapter.begin("/"), await adapter.begin("/")
    code = (await visit(stolen.redirect))["code"]
    answer = await visit(mine.redirect)
    with pytest.raises(SignInReplayed):
        await adapter.finish({**answer, "code": code}, mine.kept)


async def test_a_wrong_nonce_is_refused(provider: RunningProvider) -> None:
    adapter = sign_in(provider)
    begun = await adapter.begin("/")
    answer = await visit(with_query(begun.redirect, nonce="another-nonce"))
    with pytest.raises(IdentityNotProven, match="nonce"):
        await adapter.finish(answer, begun.kept)


async def test_a_token_for_another_client_is_refused(provider: RunningProvider) -> None:
    token, nonce = await id_token(provider, client_id="another")
    async with httpx.AsyncClient(trust_env=False) as client:
        keys = Provider(provider.issuer, client)
        claims = await verify(token, keys, nonce, client_id="another")
        assert claims["aud"] == "another"
        with pytest.raises(IdentityNotProven, match="不是给本系统的"):
            await verify(token, keys, nonce, client_id="dizuo")


async def test_an_expired_token_is_refused_and_a_small_skew_is_not(
    start_provider: Callable[..., RunningProvider],
) -> None:
    provider = start_provider(idTokenSeconds=60)
    for ahead, refused in ((100.0, False), (-50.0, False), (130.0, True), (-70.0, True)):
        clock = Clock()
        adapter = sign_in(provider, clock)
        begun = await adapter.begin("/")
        answer = await visit(begun.redirect)
        clock.ahead = ahead
        if refused:
            with pytest.raises(IdentityNotProven, match="过期" if ahead > 0 else "将来"):
                await adapter.finish(answer, begun.kept)
        else:
            assert (await adapter.finish(answer, begun.kept)).number


async def test_rotated_keys_are_fetched_and_old_ones_are_gone(
    start_provider: Callable[..., RunningProvider],
) -> None:
    provider = start_provider()
    adapter = sign_in(provider)
    old_token, old_nonce = await id_token(provider, client_id="dizuo", adapter=adapter)
    provider.restart()
    begun = await adapter.begin("/")
    assert (await adapter.finish(await visit(begun.redirect), begun.kept)).name == "林晓晴"
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(IdentityNotProven, match="密钥"):
            await verify(old_token, Provider(provider.issuer, client), old_nonce, client_id="dizuo")


async def test_an_altered_token_is_refused(provider: RunningProvider) -> None:
    token, nonce = await id_token(provider, client_id="dizuo")
    head, body, signature = token.split(".")
    async with httpx.AsyncClient(trust_env=False) as client:
        keys = Provider(provider.issuer, client)
        swapped = "A" if body[10] != "A" else "B"
        for broken in (
            f"{head}.{body[:10]}{swapped}{body[11:]}.{signature}",
            f"{head}.{body}.{signature[:-8]}AAAAAAAA",
            f"{head}.{body}.",
            f"{head}.{body}",
            "",
            "a.b.c",
            "林.晓.晴",
        ):
            with pytest.raises(IdentityNotProven):
                await verify(broken, keys, nonce, client_id="dizuo")


async def test_whoever_cancels_is_told_kindly(provider: RunningProvider) -> None:
    adapter = sign_in(provider)
    begun = await adapter.begin("/")
    with pytest.raises(SignInDeclined):
        await adapter.finish(await visit(begun.redirect, abort=True), begun.kept)


async def test_a_person_without_a_number_or_with_a_wrong_one(provider: RunningProvider) -> None:
    adapter = sign_in(provider)
    begun = await adapter.begin("/")
    with pytest.raises(IdentityIncomplete, match="citizen_id"):
        await adapter.finish(await visit(begun.redirect, "nobody"), begun.kept)
    begun = await adapter.begin("/")
    with pytest.raises(IdentityNotProven, match="不是有效的号码") as caught:
        await adapter.finish(await visit(begun.redirect, "broken"), begun.kept)
    assert "320211199610141027" not in str(caught.value), "an error must not carry the number"


async def test_a_wrong_secret_is_the_operators_fault(provider: RunningProvider) -> None:
    adapter = sign_in(provider, client_secret="not it")
    begun = await adapter.begin("/")
    with pytest.raises(SignInMisconfigured, match="client_secret"):
        await adapter.finish(await visit(begun.redirect), begun.kept)


@pytest.mark.parametrize("kept", ["", "x", "x" * 5000, "林", "AAAA" * 40])
async def test_nothing_kept_means_starting_again(provider: RunningProvider, kept: str) -> None:
    with pytest.raises(SignInLost):
        await sign_in(provider).finish({"code": "c", "state": "s"}, kept)


async def test_what_was_kept_is_good_for_ten_minutes_and_for_this_installation(
    provider: RunningProvider,
) -> None:
    clock = Clock()
    adapter = sign_in(provider, clock)
    begun = await adapter.begin("/")
    with pytest.raises(SignInLost):
        await sign_in(provider, key=b"another key, 16 bytes or more").finish({}, begun.kept)
    clock.ahead = 601
    with pytest.raises(SignInLost):
        await adapter.finish({}, begun.kept)


async def test_other_answers_of_the_provider(provider: RunningProvider) -> None:
    adapter = sign_in(provider)
    begun = await adapter.begin("/")
    state = parse_qs(urlsplit(begun.redirect).query)["state"][0]
    base = {"state": state, "iss": provider.issuer}
    with pytest.raises(ProviderUnavailable):
        await adapter.finish({**base, "error": "temporarily_unavailable"}, begun.kept)
    with pytest.raises(SignInRejected, match="invalid_scope"):
        await adapter.finish({**base, "error": "invalid_scope"}, begun.kept)
    with pytest.raises(SignInRejected):
        await adapter.finish(base, begun.kept)


async def test_a_provider_that_is_away(start_provider: Callable[..., RunningProvider]) -> None:
    provider = start_provider()
    adapter = sign_in(provider)
    begun = await adapter.begin("/")
    answer = await visit(begun.redirect)
    provider.stop()
    with pytest.raises(ProviderUnavailable):
        await adapter.finish(answer, begun.kept)
    with pytest.raises(ProviderUnavailable):
        await sign_in(provider).begin("/")


async def test_a_level_of_assurance_that_the_provider_did_not_reach(provider: RunningProvider) -> None:
    adapter = sign_in(provider, acr="urn:strong")
    begun = await adapter.begin("/")
    assert "acr_values" in begun.redirect
    with pytest.raises(IdentityNotProven, match="强度"):
        await adapter.finish(await visit(begun.redirect), begun.kept)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"issuer": "http://id.example.com"}, "https"),
        ({"redirect_uri": "http://city.example.com/back"}, "https"),
        ({"scope": "profile"}, "openid"),
        ({"client_id": ""}, "client_id"),
        ({"skew": "4000"}, "skew"),
        ({"skew": "soon"}, "skew"),
        ({"client_sercet": "x"}, "client_sercet"),
        ({"scheme": "passport"}, "scheme"),
    ],
)
def test_settings_that_are_refused_at_once(changes: dict[str, str], says: str) -> None:
    raw = {
        "issuer": "https://id.example.com",
        "client_id": "dizuo",
        "redirect_uri": "https://city.example.com/back",
    }
    OidcSettings.read(raw)
    with pytest.raises(SignInMisconfigured, match=says):
        OidcSettings.read({**raw, **changes})


async def id_token(
    provider: RunningProvider, client_id: str, adapter: OidcSignIn | None = None
) -> tuple[str, str]:
    """A genuine ID Token and its nonce, taken from the wire while a person signs in."""
    seen: list[str] = []

    async def remember(response: httpx.Response) -> None:
        await response.aread()
        if response.url.path == "/token":
            seen.append(response.json()["id_token"])

    client = httpx.AsyncClient(trust_env=False, event_hooks={"response": [remember]})
    raw = {
        "issuer": provider.issuer,
        "client_id": client_id,
        "client_secret": SECRET,
        "redirect_uri": REDIRECT,
    }
    taker = OidcSignIn(OidcSettings.read(raw), KEY, client=client, keys_pause=0)
    begun = await taker.begin("/")
    await taker.finish(await visit(begun.redirect), begun.kept)
    if adapter is not None:  # it must have the old keys in memory too
        again = await adapter.begin("/")
        await adapter.finish(await visit(again.redirect), again.kept)
    return seen[0], parse_qs(urlsplit(begun.redirect).query)["nonce"][0]


async def verify(token: str, provider: Provider, nonce: str, *, client_id: str) -> dict[str, object]:
    return await verified_claims(
        token, provider, client_id=client_id, nonce=nonce, access_token=None, now=time.time(), skew=60
    )
