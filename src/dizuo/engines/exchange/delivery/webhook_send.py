"""One push: signed (RFC 9421), to a checked address, without redirects, within a time, whatever comes back read in small."""

from __future__ import annotations

import asyncio
import email.utils
import ssl
from collections.abc import Callable
from typing import Final

import httpcore
import msgspec

from dizuo.engines.exchange.delivery.subscribe_errors import WebhookAddressRefused
from dizuo.engines.exchange.delivery.webhook_address import Addresses, CheckedNetwork
from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.signing import ED25519, Algorithm, PrivateKey, sign_request

PATIENCE: Final = 10.0
"""Seconds for one push, connecting and answering together."""
_READ: Final = 4096
_LONGEST_WAIT: Final = 3600


class Outcome(msgspec.Struct, frozen=True):
    """How one push ended. ``gone``: the consumer wants no more (410). ``wait``: seconds that it asked for (Retry-After)."""

    ok: bool
    error: str = ""
    gone: bool = False
    wait: int = 0


class WebhookSender:
    """Sends pushes. ``key`` gives the key of an algorithm that signs now: it may be another one tomorrow. ``close`` when done."""

    def __init__(
        self,
        key: Callable[[Algorithm], PrivateKey],
        addresses: Addresses,
        now: Now,
        *,
        patience: float = PATIENCE,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._key = key
        self._addresses = addresses
        self._now = now
        self._patience = patience
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or ssl.create_default_context(),
            max_connections=None,
            max_keepalive_connections=64,
            keepalive_expiry=30,
            network_backend=CheckedNetwork(addresses),
        )

    async def send(
        self, target: str, body: bytes, content_type: str, algorithm: Algorithm = ED25519
    ) -> Outcome:
        """POST once, signed with the receiver's algorithm. Never raises for what the other end does."""
        try:
            self._addresses.parts(target)
            async with asyncio.timeout(self._patience):
                return await self._send(target, body, content_type, algorithm)
        except WebhookAddressRefused as error:
            return Outcome(False, error.message)
        except TimeoutError:
            return Outcome(False, f"{self._patience:g} 秒没有答复")
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            ssl.SSLError,
            OSError,
        ) as error:
            return Outcome(False, f"{type(error).__name__}: {error}"[:200])

    async def _send(self, target: str, body: bytes, content_type: str, algorithm: Algorithm) -> Outcome:
        signed = sign_request(
            self._key(algorithm),
            "POST",
            target,
            now=int(self._now().timestamp()),
            body=body,
            content_type=content_type,
        )
        headers = [(name.encode(), value.encode()) for name, value in signed.headers.items()]
        headers += [(b"accept-encoding", b"identity"), (b"content-length", str(len(body)).encode())]
        async with self._pool.stream("POST", target, headers=headers, content=body) as response:
            status = response.status
            told = {name.lower(): value for name, value in response.headers}
            length = told.get(b"content-length", b"")
            if length.isdigit() and int(length) <= _READ:
                await response.aread()  # a small answer is read out, so that the connection can serve again
        if 200 <= status < 300:
            return Outcome(True)
        if 300 <= status < 400:
            return Outcome(False, f"{status}：推送不跟随跳转")
        wait = self._wait(told.get(b"retry-after", b"").decode("latin-1"))
        return Outcome(False, f"对方答复 {status}", gone=status == 410, wait=wait)

    def _wait(self, text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 7:
            return min(int(text), _LONGEST_WAIT)
        parsed = email.utils.parsedate_tz(text) if text else None
        if parsed is None:
            return 0
        try:
            seconds = email.utils.mktime_tz(parsed) - self._now().timestamp()
        except (OverflowError, ValueError):
            return 0
        return max(0, min(int(seconds), _LONGEST_WAIT))

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()
