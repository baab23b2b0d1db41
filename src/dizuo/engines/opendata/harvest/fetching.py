"""Fetches an address that somebody else wrote, without being turned against our own network (SSRF).

Every host is looked up here, every address that it has is judged, and the connection goes to the very address that was
judged: a name that answers differently a moment later gains nothing. Redirects are followed by hand and judged alike.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx
import msgspec

from dizuo.foundation.kernel.public_addresses import Address, is_public

from .errors import AddressRefused, FetchFailed, TooMuch

SIZE: Final = 128 << 20
SECONDS: Final = 120.0
REDIRECTS: Final = 4
AGENT: Final = "dizuo-harvest"
_SCHEMES: Final = {"http": 80, "https": 443}
# NAT64 and 6to4 carry an IPv4 address inside, which must be public as well.
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class Fetched(msgspec.Struct, frozen=True):
    """What came: bytes, media type, the address that gave it, and by what to ask whether it changed. ``same``: it did not."""

    url: str
    body: bytes
    media_type: str
    etag: str = ""
    last_modified: str = ""
    same: bool = False
    status: int = 200


class Fetcher:
    """Fetches for one source. ``allowed`` are networks that are not public and still may be called for it."""

    def __init__(
        self,
        allowed: Sequence[str] = (),
        *,
        size: int = SIZE,
        seconds: float = SECONDS,
        resolve: Resolver | None = None,
    ) -> None:
        self._allowed = tuple(ipaddress.ip_network(one, strict=False) for one in allowed)
        self._size = size
        self._seconds = seconds
        self._resolve = resolve or _resolve

    async def get(
        self,
        url: str,
        *,
        accept: str = "*/*",
        etag: str = "",
        last_modified: str = "",
        missing_ok: bool = False,
    ) -> Fetched:
        """Fetch an address. ``missing_ok``: 403, 404 and 410 come back as such.

        Errors: AddressRefused for what may not be called, TooMuch past the limits, FetchFailed with what happened.
        """
        asked = {"accept": accept, "user-agent": AGENT, "accept-encoding": "gzip"}
        if etag:
            asked["if-none-match"] = etag
        if last_modified:
            asked["if-modified-since"] = last_modified
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(url, asked, missing_ok)
        except TimeoutError:
            raise TooMuch(why=f"{self._seconds:.0f} 秒没有取完") from None
        except httpx.HTTPError as error:
            raise FetchFailed(why=f"连不上（{type(error).__name__}）") from None

    async def _follow(self, url: str, asked: Mapping[str, str], missing_ok: bool) -> Fetched:
        for _ in range(REDIRECTS + 1):
            answer = await self._once(url, asked)
            if answer.status not in (301, 302, 303, 307, 308):
                return self._judged(answer, missing_ok)
            target = urljoin(url, answer.etag)
            if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
                raise AddressRefused(why="从 https 转到了不加密的地址")
            url = target
        raise FetchFailed(why=f"转了 {REDIRECTS} 次还没有到")

    def _judged(self, answer: Fetched, missing_ok: bool) -> Fetched:
        if answer.status in (200, 304) or (missing_ok and answer.status in (403, 404, 410)):
            return msgspec.structs.replace(answer, same=answer.status == 304)
        raise FetchFailed(why=f"对方回答 {answer.status}")

    async def _once(self, url: str, asked: Mapping[str, str]) -> Fetched:
        """One request to the judged address. Of a redirect the target is told in ``etag``."""
        parts, host, port = split(url)
        address = await self._judge(host, port)
        literal = f"[{address}]" if isinstance(address, ipaddress.IPv6Address) else str(address)
        target = (
            f"{parts.scheme}://{literal}:{port}{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        )
        shown = f"[{host}]" if ":" in host else host
        named = shown if port == _SCHEMES[parts.scheme] else f"{shown}:{port}"
        extensions = {"sni_hostname": host} if parts.scheme == "https" else {}
        async with httpx.AsyncClient(trust_env=False, timeout=30, follow_redirects=False) as client:
            request = client.build_request(
                "GET", target, headers={**asked, "host": named}, extensions=extensions
            )
            answer = await client.send(request, stream=True)
            try:
                if answer.is_redirect:
                    return Fetched(
                        url, b"", "", etag=answer.headers.get("location", ""), status=answer.status_code
                    )
                body = await self._body(answer)
            finally:
                await answer.aclose()
        headers = answer.headers
        return Fetched(
            url, body, headers.get("content-type", ""), headers.get("etag", "")[:300],
            headers.get("last-modified", "")[:100], status=answer.status_code,
        )  # fmt: skip

    async def _body(self, answer: httpx.Response) -> bytes:
        told = answer.headers.get("content-length", "")
        if told.isascii() and told.isdigit() and int(told) > self._size:
            raise TooMuch(why=f"超过 {self._size >> 20} MB")
        body = bytearray()
        async for chunk in answer.aiter_bytes():  # unpacked: a small file that grows is stopped here
            body += chunk
            if len(body) > self._size:
                raise TooMuch(why=f"超过 {self._size >> 20} MB")
        return bytes(body)

    async def _judge(self, host: str, port: int) -> Address:
        """The address to call. One address that may not be called refuses the name: who answers so is not to be trusted."""
        found = await self._resolve(host, port)
        if not found:
            raise FetchFailed(why=f"找不到主机 {host[:80]}")
        for address in found:
            if not self.may_call(address):
                raise AddressRefused(why=f"{host[:80]} 在内部网络")
        return found[0]

    def may_call(self, address: Address) -> bool:
        """Whether an address is public, or in a network that the operator named for this source."""
        if any(address in network for network in self._allowed):
            return True
        inner = _inside(address)
        if inner is not None:
            return self.may_call(inner)
        return is_public(address)


class Resolver:
    """How a host's addresses are found; tests give their own."""

    async def __call__(self, host: str, port: int) -> list[Address]:
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            pass
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return []
        listed = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
        return list(dict.fromkeys(listed))


_resolve: Final = Resolver()


def split(url: str) -> tuple[SplitResult, str, int]:
    """The parts of an address that may be fetched, its host and port. Errors: AddressRefused."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused(why="地址读不懂") from None
    host = parts.hostname or ""
    if parts.scheme not in _SCHEMES or not host or parts.username or parts.password:
        raise AddressRefused(why="只能是 http 或 https，不带用户名")
    if not url.isascii() or any(sign <= " " for sign in url):
        raise AddressRefused(why="地址里有不能用的字符")
    # 0x7f.1 and 2130706433 are addresses for some libraries and names for others.
    if not _is_literal(host) and host.rpartition(".")[2][:1].isdigit():
        raise AddressRefused(why="主机写法不明确")
    return parts, host, port or _SCHEMES[parts.scheme]


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _inside(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address carries."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
