"""OpenID Connect: Authorization Code with PKCE, state and nonce, against any provider with discovery.

The person's browser goes to the provider and comes back with a code; we exchange it, verify the ID Token and take the
citizen number from the configured claim (from userinfo when the ID Token has none).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote, urlencode

import httpx
import msgspec

from dizuo.foundation.kernel.clock_source import Now, SystemNow
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.kernel.identity import CitizenId, UnifiedCode
from dizuo.web.signin.errors import (
    IdentityIncomplete,
    IdentityNotProven,
    ProviderUnavailable,
    SignInDeclined,
    SignInForged,
    SignInMisconfigured,
    SignInRejected,
    SignInReplayed,
)
from dizuo.web.signin.id_token import verified_claims
from dizuo.web.signin.model import KEEP, Begun, Choice, SignedIn
from dizuo.web.signin.provider import Metadata, Provider, check_address
from dizuo.web.signin.sealing import Kept, Sealer

_USED = 100_000


class OidcSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to sign in with one provider. `client_secret` empty means a public client (PKCE alone).

    `claim` is the claim with the number, `scheme` what number it is; `skew` in seconds is how far the clocks may differ;
    `acr` asks for a level of assurance and refuses a lower one.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    client_secret: str = ""
    scope: str = "openid profile"
    claim: str = "citizen_id"
    name_claim: str = "name"
    scheme: Literal["citizen_id", "uscc"] = "citizen_id"
    acr: str = ""
    skew: int = 60

    @classmethod
    def read(cls, raw: Mapping[str, str]) -> OidcSettings:
        """Settings from text by name. Errors: SignInMisconfigured that names the setting."""
        try:
            settings = msgspec.convert(dict(raw), cls, strict=False)
        except msgspec.ValidationError as error:
            raise SignInMisconfigured(str(error)) from None
        check_address(settings.issuer, "issuer")
        check_address(settings.redirect_uri, "redirect_uri")
        if "openid" not in settings.scope.split():
            raise SignInMisconfigured("scope 里要有 openid")
        if not settings.client_id:
            raise SignInMisconfigured("缺少 client_id")
        if not 0 <= settings.skew <= 300:
            raise SignInMisconfigured("skew 要在 0 到 300 秒之间")
        return settings


class OidcSignIn:
    """Signs people in at an OpenID provider. `secret` seals what the browser keeps meanwhile.

    `clock` gives seconds since 1970; tests set it, and hand in their own HTTP client.
    """

    kind: Literal["demo", "oidc"] = "oidc"

    def __init__(
        self,
        settings: OidcSettings,
        secret: bytes,
        *,
        client: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.time,
        now: Now | None = None,
        keys_pause: float = 5.0,
    ) -> None:
        self._settings = settings
        self._sealer = Sealer(secret)
        self._clock = clock
        self._now: Now = now or SystemNow()
        # No redirects: a token request that is sent elsewhere is a leak. No proxy from the environment either.
        self._client = client or httpx.AsyncClient(timeout=10.0, follow_redirects=False, trust_env=False)
        self._provider = Provider(settings.issuer, self._client, keys_pause)
        self._used: dict[str, int] = {}

    async def choices(self) -> Sequence[Choice]:
        return ()

    async def begin(self, back: str) -> Begun:
        """The provider's page for this sign-in. Errors: ProviderUnavailable, SignInMisconfigured."""
        metadata = await self._provider.metadata()
        kept, sealed = self._sealer.new(back, self._clock())
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(kept.verifier.encode()).digest()).rstrip(b"=").decode()
        )
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._settings.redirect_uri,
            "scope": self._settings.scope,
            "state": kept.state,
            "nonce": kept.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if self._settings.acr:
            query["acr_values"] = self._settings.acr
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        return Begun(f"{metadata.authorization_endpoint}{joint}{urlencode(query)}", sealed)

    async def finish(self, answer: Mapping[str, str], kept: str) -> SignedIn:
        """Who came back. `answer` are the query parameters of the redirect, `kept` the cookie of `begin`.

        Errors: SignInLost, SignInForged, SignInReplayed, SignInDeclined, SignInRejected, IdentityNotProven,
        IdentityIncomplete, ProviderUnavailable.
        """
        started = self._sealer.open(kept, self._clock())
        metadata = await self._provider.metadata()
        self._check_answer(answer, started, metadata)
        code = answer.get("code", "")
        if not code or len(code) > 4_096:
            raise SignInRejected("没有授权码")
        self._use_once(started)
        tokens = await self._exchange(metadata, code, started)
        access_token = tokens.get("access_token")
        access = access_token if isinstance(access_token, str) else None
        claims = await verified_claims(
            str(tokens.get("id_token") or ""),
            self._provider,
            client_id=self._settings.client_id,
            nonce=started.nonce,
            access_token=access,
            now=self._clock(),
            skew=self._settings.skew,
        )
        if self._settings.acr and claims.get("acr") != self._settings.acr:
            raise IdentityNotProven("认证强度不够")
        if not claims.get(self._settings.claim) and metadata.userinfo_endpoint and access:
            claims = {
                **await self._userinfo(metadata.userinfo_endpoint, access, str(claims["sub"])),
                **claims,
            }
        return self._signed_in(claims, started)

    async def close(self) -> None:
        """Close the HTTP connections."""
        await self._client.aclose()

    def _check_answer(self, answer: Mapping[str, str], started: Kept, metadata: Metadata) -> None:
        state = answer.get("state", "")
        if not hmac.compare_digest(state.encode(), started.state.encode()):
            raise SignInForged()
        # RFC 9207: the answer names its issuer, so that one provider cannot pass off another's code.
        issuer = answer.get("iss")
        if issuer is None and metadata.authorization_response_iss_parameter_supported:
            raise SignInForged()
        if issuer is not None and issuer != metadata.issuer:
            raise SignInForged()
        error = answer.get("error")
        if error == "access_denied":
            raise SignInDeclined()
        if error in ("server_error", "temporarily_unavailable"):
            raise ProviderUnavailable(error)
        if error is not None:
            raise SignInRejected(error[:60])

    def _use_once(self, started: Kept) -> None:
        """A sealed sign-in is good once in this process; across processes the provider refuses the used code."""
        now = int(self._clock())
        if started.state in self._used:
            raise SignInReplayed()
        if len(self._used) >= _USED:
            self._used = {state: until for state, until in self._used.items() if until > now}
        self._used[started.state] = now + KEEP

    async def _exchange(self, metadata: Metadata, code: str, started: Kept) -> dict[str, Any]:
        settings = self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": settings.redirect_uri,
            "code_verifier": started.verifier,
        }
        basic: tuple[str, str] | None = None
        methods = metadata.token_endpoint_auth_methods_supported
        if not settings.client_secret:
            form["client_id"] = settings.client_id
        elif "client_secret_basic" in methods or "client_secret_post" not in methods:
            # RFC 6749 §2.3.1: both parts are form-encoded before they become basic credentials.
            basic = (quote(settings.client_id, safe=""), quote(settings.client_secret, safe=""))
        else:
            form |= {"client_id": settings.client_id, "client_secret": settings.client_secret}
        status, answer = await self._provider.post_form(metadata.token_endpoint, form, basic)
        if status == 200:
            return answer
        error = str(answer.get("error") or f"HTTP {status}")[:60]
        if error == "invalid_grant":
            raise SignInReplayed()
        if error in ("invalid_client", "unauthorized_client"):
            raise SignInMisconfigured(f"平台不认 client_id 或 client_secret（{error}）")
        if status >= 500:
            raise ProviderUnavailable(error)
        raise SignInRejected(error)

    async def _userinfo(self, endpoint: str, access_token: str, subject: str) -> dict[str, Any]:
        claims = await self._provider.get_json(endpoint, {"authorization": f"Bearer {access_token}"})
        if claims.get("sub") != subject:
            raise IdentityNotProven("用户信息不是同一个人的")
        return claims

    def _signed_in(self, claims: Mapping[str, Any], started: Kept) -> SignedIn:
        settings = self._settings
        number = claims.get(settings.claim)
        if not isinstance(number, str) or not number:
            raise IdentityIncomplete(settings.claim)
        try:
            if settings.scheme == "citizen_id":
                normal = CitizenId.parse(number, self._now.today()).value
            else:
                normal = UnifiedCode.parse(number).value
        except Invalid:
            raise IdentityNotProven(f"{settings.claim} 不是有效的号码") from None
        name = claims.get(settings.name_claim)
        return SignedIn(
            name=name if isinstance(name, str) else "",
            back=started.back,
            provider=settings.issuer,
            scheme=settings.scheme,
            number=normal,
            level=str(claims.get("acr") or ""),
        )
