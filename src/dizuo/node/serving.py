"""The node's small HTTP server: two addresses, one method, bounded in size and time."""

from __future__ import annotations

import contextlib
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final

from dizuo.foundation.kernel.errors import DizuoError
from dizuo.node.provider import ALIVE, LARGEST, PATH, Provider, Reply

PATIENCE: Final = 10
"""Seconds that a connection may be silent."""
DRAINED: Final = 4 * LARGEST
"""Octets of a refused body that are still read, so that whoever sends them gets to read the refusal."""
_TEXT: Final = {"content-type": "text/plain; charset=utf-8"}


def serving(provider: Provider, host: str, port: int) -> ThreadingHTTPServer:
    """A server of this provider, bound and not yet running; port 0 takes a free one. Errors: OSError."""

    class Handler(_Handler):
        served = provider

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "dizuo-node"
    sys_version = ""
    timeout = PATIENCE
    disable_nagle_algorithm = True
    wbufsize = -1
    served: ClassVar[Provider]

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if self.path not in (PATH, ALIVE):
            self._refuse(Reply(404, _TEXT, f"POST {PATH}\n".encode()), length)
        elif not (length.isascii() and length.isdigit() and int(length) <= LARGEST):
            self._refuse(Reply(413, _TEXT, b"content-length is needed, at most 512 KiB\n"), length)
        else:
            body = self.rfile.read(int(length))
            headers: dict[str, str] = {}
            for name, value in self.headers.items():
                key = name.lower()
                headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
            self._send(self._answer(headers, body))

    def _answer(self, headers: dict[str, str], body: bytes) -> Reply:
        try:
            return self.served.answer(headers, body, self.path)
        except (DizuoError, OSError) as error:
            # Nothing was answered: what cannot be noted or signed is not said. The operator must see it.
            print(f"node: {error}", file=sys.stderr, flush=True)
            return Reply(500, _TEXT, b"the node cannot answer now\n")

    def _refuse(self, reply: Reply, length: str) -> None:
        """Say no, say that the connection ends (RFC 9112 § 9.6), and let what is still coming in come in."""
        self.close_connection = True
        self._send(reply)
        self.wfile.flush()
        left = min(int(length), DRAINED) if length.isascii() and length.isdigit() else DRAINED
        with contextlib.suppress(OSError):
            while left > 0 and (read := self.rfile.read1(min(left, 1 << 16))):
                left -= len(read)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        if self.close_connection:
            self.send_header("connection", "close")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not printed: what matters is in the journal."""
