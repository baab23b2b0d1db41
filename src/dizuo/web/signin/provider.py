"""An OpenID provider as its discovery document and key set describe it, fetched with care and remembered for a while."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from dizuo.web.signin.errors import ProviderUnavailable, SignInMisconfigured

DISCOVERY = "/.well-known/openid-configuration"
_REMEMBER_METADATA = 3_600.0
_REMEMBER_KEYS = 600.0
_MAX_ANSWER = 512 * 1024
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Metadata(msgspec.Struct, frozen=True):
    """The part of the discovery document that we use (OpenID Connect Discovery 1.0 §3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    code_challenge_methods_supported: tuple[str, ...] = ()
    authorization_response_iss_parameter_supported: bool = False


class Provider:
    """Fetches metadata and keys. `keys_pause` is the least time in seconds between two fetches for unknown keys."""

    def __init__(self, issuer: str, client: httpx.AsyncClient, keys_pause: float = 5.0) -> None:
        check_address(issuer, "issuer")
        self.issuer = issuer
        self._client = client
        self._keys_pause = keys_pause
        self._metadata: tuple[Metadata, float] | None = None
        self._keys: tuple[tuple[Key, ...], float] | None = None
        self._lock = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """The discovery document. Errors: ProviderUnavailable, SignInMisconfigured when it is not this issuer's."""
        known = self._metadata
        if known is not None and time.monotonic() - known[1] < _REMEMBER_METADATA:
            return known[0]
        try:
            raw = await self.get_json(self.issuer.rstrip("/") + DISCOVERY)
        except ProviderUnavailable:
            if known is not None:
                return known[0]
            raise
        try:
            found = msgspec.convert(raw, Metadata)
        except msgspec.ValidationError as error:
            raise SignInMisconfigured(f"{self.issuer} 的发现文档不完整（{error}）") from None
        if found.issuer != self.issuer:
            raise SignInMisconfigured(f"配置的 issuer 是 {self.issuer}，发现文档里是 {found.issuer}")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
            address = getattr(found, name)
            if address is not None:
                check_address(address, name)
        self._metadata = (found, time.monotonic())
        return found

    async def key(self, kid: str | None, algorithm: str) -> Key | None:
        """The signing key that a token's header names; fetched again when it is unknown (key rotation).

        Without `kid` the only key of the algorithm's type counts; several are ambiguous and none is returned.
        """
        found = _pick(await self._known_keys(), kid, algorithm)
        if found is None and await self._refetch():
            found = _pick(await self._known_keys(), kid, algorithm)
        return found

    async def _known_keys(self) -> tuple[Key, ...]:
        if self._keys is None or time.monotonic() - self._keys[1] > _REMEMBER_KEYS:
            await self._fetch_keys()
        assert self._keys is not None
        return self._keys[0]

    async def _refetch(self) -> bool:
        """Fetch the keys for an unknown kid, but not so often that forged tokens make us flood the provider."""
        if self._keys is not None and time.monotonic() - self._keys[1] < self._keys_pause:
            return False
        await self._fetch_keys()
        return True

    async def _fetch_keys(self) -> None:
        async with self._lock:
            raw = await self.get_json((await self.metadata()).jwks_uri)
            keys: list[Key] = []
            listed = raw.get("keys")
            for entry in cast("list[Any]", listed) if isinstance(listed, list) else []:
                if not isinstance(entry, dict):
                    continue
                jwk = cast("dict[str, Any]", entry)
                # Symmetric keys have no business in a published set; encryption keys sign nothing.
                if jwk.get("kty") == "oct" or jwk.get("use", "sig") != "sig":
                    continue
                try:
                    keys.append(JWKRegistry.import_key(jwk))
                except (JoseError, ValueError, TypeError):
                    continue  # a key type that we do not know is no reason to lose the others
            self._keys = (tuple(keys), time.monotonic())

    async def get_json(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """GET a JSON object. Errors: ProviderUnavailable."""
        return await self._json("GET", url, headers=dict(headers or {}))

    async def post_form(
        self, url: str, form: Mapping[str, str], basic: tuple[str, str] | None
    ) -> tuple[int, dict[str, Any]]:
        """POST a form; (status, JSON object). Errors: ProviderUnavailable for no or no JSON answer."""
        headers = {"accept": "application/json"}
        if basic is not None:
            headers["authorization"] = "Basic " + base64.b64encode(":".join(basic).encode()).decode("ascii")
        try:
            answer = await self._client.post(url, data=dict(form), headers=headers)
        except httpx.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from None
        return answer.status_code, _object(answer)

    async def _json(self, method: str, url: str, headers: dict[str, str]) -> dict[str, Any]:
        try:
            answer = await self._client.request(
                method, url, headers={"accept": "application/json", **headers}
            )
        except httpx.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from None
        if answer.status_code != 200:
            raise ProviderUnavailable(f"HTTP {answer.status_code}")
        return _object(answer)


def check_address(address: str, name: str) -> None:
    """Refuse an address that is not https (http only on this very machine). Errors: SignInMisconfigured."""
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return
    raise SignInMisconfigured(f"{name} 要用 https，现在是 {address[:80]}")


def _object(answer: httpx.Response) -> dict[str, Any]:
    if len(answer.content) > _MAX_ANSWER:
        raise ProviderUnavailable("答复太长")
    try:
        value = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        raise ProviderUnavailable("答复不是 JSON") from None
    if not isinstance(value, dict):
        raise ProviderUnavailable("答复不是 JSON 对象")
    return cast("dict[str, Any]", value)


_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


def _pick(keys: tuple[Key, ...], kid: str | None, algorithm: str) -> Key | None:
    fitting = [key for key in keys if key.key_type == _TYPES.get(algorithm[:2])]
    if kid is not None:
        return next((key for key in fitting if key.kid == kid), None)
    return fitting[0] if len(fitting) == 1 else None
