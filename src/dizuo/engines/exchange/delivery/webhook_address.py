"""Where pushes may go: a public https address, or a host that the operator permitted by name. Nowhere else, however written.

Against server-side request forgery: the name is resolved here, every address it has is looked at, and the connection is
made to the very address that was looked at, so that a name which means something else a moment later (DNS rebinding)
gains nothing. Redirects are not followed at all (see webhook_send).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpcore

from dizuo.engines.exchange.delivery.subscribe_errors import WebhookAddressRefused
from dizuo.foundation.kernel.public_addresses import Address, is_metadata, is_public

Resolve = Callable[[str, int], Awaitable[Iterable[str]]]
HOSTS: Final = "DIZUO_WEBHOOK_HOSTS"
"""Environment variable: ``host`` or ``host:port``, separated by commas, that pushes may go to though http or private."""
_LONGEST: Final = 500
# Networks that carry an IPv4 address inside: what they lead to cannot be told from outside.
_TUNNELS: Final = (
    ipaddress.ip_network("64:ff9b::/96"),
    ipaddress.ip_network("64:ff9b:1::/48"),
    ipaddress.ip_network("2002::/16"),
    ipaddress.ip_network("2001::/32"),
    ipaddress.ip_network("::/96"),
)


async def system_resolve(host: str, port: int) -> Iterable[str]:
    """Every address of a name, as the system's resolver tells them. Errors: OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Addresses:
    """What may be connected to. ``permitted`` are ``host`` or ``host:port`` of DIZUO_WEBHOOK_HOSTS: http and private are allowed there."""

    def __init__(self, permitted: Iterable[str] = (), resolve: Resolve = system_resolve) -> None:
        self._permitted = frozenset(name.strip().lower() for name in permitted if name.strip())
        self._resolve = resolve

    @classmethod
    def permitted(cls, environment: Mapping[str, str]) -> Addresses:
        """As the installation's environment permits (``DIZUO_WEBHOOK_HOSTS``)."""
        return cls(environment.get(HOSTS, "").split(","))

    async def check(self, target: str) -> None:
        """Whether a subscription may have this target, by its text and by what it resolves to now. Errors: WebhookAddressRefused."""
        host, port = self.parts(target)
        await self.addresses(host, port)

    def parts(self, target: str) -> tuple[str, int]:
        """Host and port of a target that is well formed and of an allowed scheme. Errors: WebhookAddressRefused."""
        try:
            parts = urlsplit(target)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise WebhookAddressRefused("地址的写法不对") from None
        if (
            len(target) > _LONGEST
            or not target.isascii()
            or not target.isprintable()
            or " " in target
            or not host
        ):
            raise WebhookAddressRefused("地址的写法不对")
        if parts.username is not None or parts.password is not None or parts.fragment or "\\" in target:
            raise WebhookAddressRefused("地址里不能有用户名、口令、# 或反斜线")
        if parts.scheme not in {"https", "http"}:
            raise WebhookAddressRefused("只用 https")
        port = port or (443 if parts.scheme == "https" else 80)
        if parts.scheme == "http" and not self.permits(host, port):
            raise WebhookAddressRefused("只用 https")
        return host, port

    def permits(self, host: str, port: int) -> bool:
        """Whether the operator named this host."""
        host = host.lower()
        return host in self._permitted or f"{host}:{port}" in self._permitted

    async def addresses(self, host: str, port: int) -> list[str]:
        """What the name means now, every one of it allowed. Errors: WebhookAddressRefused."""
        try:
            found = list(dict.fromkeys(await self._resolve(host, port)))
        except (OSError, UnicodeError):
            raise WebhookAddressRefused("这个主机名解析不出来") from None
        if not found:
            raise WebhookAddressRefused("这个主机名解析不出来")
        for text in found:
            self._judge(text, self.permits(host, port))
        return found

    def _judge(self, text: str, permitted: bool) -> None:
        try:
            address: Address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            raise WebhookAddressRefused("这个主机名解析不出来") from None
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        # never a consumer, not even of a permitted host
        if is_metadata(address):
            raise WebhookAddressRefused("它是本机链路或云平台元数据的地址")
        if permitted:
            return
        if any(address in network for network in _TUNNELS):
            raise WebhookAddressRefused("它是转换过的地址，看不出通向哪里")
        if not is_public(address):
            raise WebhookAddressRefused("它是内网、本机或保留的地址")


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were looked at; TLS still holds the certificate against the name."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._inner = cast(httpcore.AsyncNetworkBackend, httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the parameter is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """The first of the name's addresses that answers. Errors: WebhookAddressRefused, httpcore's."""
        last: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in await self._addresses.addresses(host, port):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last or httpcore.ConnectError("no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the parameter is httpcore's
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never. Errors: WebhookAddressRefused."""
        raise WebhookAddressRefused("它不是网络地址")

    async def sleep(self, seconds: float) -> None:
        """As the library asks."""
        await self._inner.sleep(seconds)
