"""A department's webhook in a few lines: an HTTP/1.1 server that keeps every request and answers as it is told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Push:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def events(self) -> list[dict[str, Any]]:
        told = json.loads(self.body)
        return told if isinstance(told, list) else [told]


@dataclass
class Consumer:
    """``status`` is the answer; ``extra`` are headers of it; ``silent`` never answers."""

    status: int = 204
    extra: str = ""
    silent: bool = False
    pushes: list[Push] = field(default_factory=list)
    port: int = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    @property
    def permitted(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def events(self) -> list[dict[str, Any]]:
        """Events that were answered with success, in the order of their arrival, repeated ones included."""
        return [event for push in self.pushes for event in push.events]

    @property
    def ids(self) -> list[str]:
        return [event["id"] for event in self.events]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in lines[1:] if line)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                if self.silent:
                    await asyncio.sleep(3600)
                if 200 <= self.status < 300:
                    self.pushes.append(Push(lines[0].split(" ")[1], headers, body))
                writer.write(f"HTTP/1.1 {self.status} Told\r\n{self.extra}content-length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
