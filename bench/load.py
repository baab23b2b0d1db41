"""A small HTTP load generator on raw sockets: keep-alive, one request in flight a connection, bounded in time.

Shared by the page benchmarks. It costs about 40 µs of CPU a request, on the same cores as what it measures.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """One run: requests a second, latencies in milliseconds, how many answers were not 200, bytes of one body."""

    rate: float
    p50: float
    p95: float
    p99: float
    failed: int
    size: int
    seconds: float


def request_bytes(path: str, host: str, cookie: str = "", gzip: bool = False) -> bytes:
    """A GET as bytes."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: keep-alive"]
    if cookie:
        lines.append(f"Cookie: {cookie}")
    if gzip:
        lines.append("Accept-Encoding: gzip")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _one(
    host: str,
    port: int,
    requests: Sequence[bytes],
    until: float,
    kept: list[float],
    bad: list[int],
    size: list[int],
    shift: int,
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    n = shift
    try:
        while time.perf_counter() < until:
            begun = time.perf_counter()
            writer.write(requests[n % len(requests)])
            n += 1
            head = await reader.readuntil(b"\r\n\r\n")
            low = head.lower()
            at = low.find(b"content-length:")
            length = int(low[at + 15 : low.index(b"\r\n", at)]) if at >= 0 else 0
            if length:
                await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 200"):
                bad.append(1)
            size[0] = length
            kept.append(time.perf_counter() - begun)
    finally:
        writer.close()


async def measure(
    host: str, port: int, requests: Sequence[bytes], *, connections: int, seconds: float
) -> Measured:
    """Load for so many seconds over so many connections."""
    kept: list[float] = []
    bad: list[int] = []
    size = [0]
    begun = time.perf_counter()
    until = begun + seconds
    await asyncio.gather(*(_one(host, port, requests, until, kept, bad, size, i) for i in range(connections)))
    spent = time.perf_counter() - begun
    kept.sort()

    def at(share: float) -> float:
        return kept[min(len(kept) - 1, int(len(kept) * share))] * 1000 if kept else 0.0

    return Measured(len(kept) / spent, at(0.5), at(0.95), at(0.99), len(bad), size[0], spent)
