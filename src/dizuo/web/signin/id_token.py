"""Verifies an ID Token (OpenID Connect Core 1.0 §3.1.3.7), each check with its own answer."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, cast

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError

from dizuo.web.signin.errors import IdentityNotProven
from dizuo.web.signin.provider import Provider

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
_OLDEST = 15 * 60


async def verified_claims(
    token: str,
    provider: Provider,
    *,
    client_id: str,
    nonce: str,
    access_token: str | None,
    now: float,
    skew: int,
    algorithms: Sequence[str] = ALGORITHMS,
) -> dict[str, Any]:
    """The claims of an ID Token that passed every check. `now` in seconds since 1970, `skew` in seconds.

    Errors: IdentityNotProven that names the check; ProviderUnavailable when the keys cannot be fetched.
    """
    header = _header(token)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise IdentityNotProven(f"签名算法 {str(algorithm)[:20]} 不被接受")
    kid = header.get("kid")
    key = await provider.key(kid if isinstance(kid, str) else None, algorithm)
    if key is None:
        raise IdentityNotProven("签名用的密钥不在平台公布的密钥里")
    try:
        claims = jwt.decode(token, key, algorithms=[algorithm]).claims
    except JoseError as error:
        raise IdentityNotProven(f"签名不对（{error.error}）") from None
    except ValueError:
        raise IdentityNotProven("签名不对") from None
    _check_parties(claims, provider.issuer, client_id)
    _check_times(claims, now, skew)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise IdentityNotProven("nonce 不是这次登录的")
    _check_access_token(claims, access_token, algorithm)
    return dict(claims)


def _header(token: str) -> dict[str, Any]:
    if len(token) > 64 * 1024 or token.count(".") != 2:
        raise IdentityNotProven("ID Token 格式不对")
    part = token.split(".", 1)[0]
    try:
        value = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, msgspec.DecodeError):
        raise IdentityNotProven("ID Token 格式不对") from None
    if not isinstance(value, dict):
        raise IdentityNotProven("ID Token 格式不对")
    return cast("dict[str, Any]", value)


def _check_parties(claims: dict[str, Any], issuer: str, client_id: str) -> None:
    if claims.get("iss") != issuer:
        raise IdentityNotProven("签发者不是配置的平台")
    audience = claims.get("aud")
    audiences = cast("list[Any]", audience) if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise IdentityNotProven("证明不是给本系统的")
    authorised = claims.get("azp")
    if (len(audiences) > 1 or authorised is not None) and authorised != client_id:
        raise IdentityNotProven("证明是给别的系统用的")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise IdentityNotProven("没有用户标识")


def _check_times(claims: dict[str, Any], now: float, skew: int) -> None:
    expires = _seconds(claims, "exp")
    issued = _seconds(claims, "iat")
    if expires + skew <= now:
        raise IdentityNotProven("证明已经过期")
    if issued - skew > now:
        raise IdentityNotProven("签发时间在将来，两边的时钟可能差得太多")
    if now - issued > _OLDEST + skew:
        raise IdentityNotProven("证明签发得太早")
    if "nbf" in claims and _seconds(claims, "nbf") - skew > now:
        raise IdentityNotProven("证明还没有生效")


def _seconds(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise IdentityNotProven(f"缺少时间 {name}")
    return float(value)


def _check_access_token(claims: dict[str, Any], access_token: str | None, algorithm: str) -> None:
    """`at_hash` binds the access token to this ID Token; optional in the code flow, but wrong is wrong."""
    said = claims.get("at_hash")
    if said is None or access_token is None or algorithm.startswith("Ed"):
        return
    digest = hashlib.new("sha" + algorithm[-3:], access_token.encode("ascii", "replace")).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    if not hmac.compare_digest(str(said).encode(), half.encode()):
        raise IdentityNotProven("访问令牌与证明不是一起签发的")
