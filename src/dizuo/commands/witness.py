"""`dizuo witness`: watch ledgers for somebody independent of them, such as the audit office; needs no database."""

from __future__ import annotations

import argparse
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from dizuo.commands.until_stopped import serve_until_stopped
from dizuo.commands.verify import read_key
from dizuo.foundation.kernel.errors import Conflict, DizuoError
from dizuo.foundation.ledger import SigningKey, witness_key
from dizuo.foundation.ledger.witness import KEY_FILE, LARGEST_REQUEST, TEXT, Answer, Witness


class WitnessAddressTaken(Conflict):
    """见证人不能在 {host}:{port} 上工作：{why}。"""

    fix = "请用 --host、--port 换一个地址或端口。"


PATIENCE = 10
"""Seconds that a connection may be silent."""


def run(arguments: argparse.Namespace) -> int:
    """Serve add-checkpoint until told to stop. Errors: KeyInvalid, WitnessStateBroken."""
    state: Path = arguments.state.absolute()
    key = SigningKey.load(state, arguments.name, KEY_FILE)
    print(f"witness key {witness_key(key)}", flush=True)
    if arguments.key_only:
        return 0
    logs = {found.name: found for found in map(read_key, arguments.log)}
    witness = Witness(state, key, logs, time.time)
    try:
        server = serving(witness, arguments.host, arguments.port)
    except OSError as error:
        raise WitnessAddressTaken(host=arguments.host, port=arguments.port, why=error.strerror) from error
    host, port = server.server_address[:2]
    print(f"watching {', '.join(logs) or 'no log'} at http://{host!s}:{port}", flush=True)
    serve_until_stopped(server, witness.close)
    return 0


def serving(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """A server of this witness, bound and not yet running; port 0 takes a free one."""

    class Handler(_Handler):
        served = witness

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    disable_nagle_algorithm = True
    wbufsize = -1
    served: ClassVar[Witness]

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if self.path != "/add-checkpoint":
            self.close_connection = True
            self._send(Answer(404, "POST /add-checkpoint\n"))
        elif not (length.isascii() and length.isdigit() and int(length) <= LARGEST_REQUEST):
            self.close_connection = True
            self._send(Answer(400, "content-length is needed, at most 64 KiB\n"))
        else:
            self._send(self._answer(self.rfile.read(int(length))))

    def _answer(self, body: bytes) -> Answer:
        try:
            return self.served.add_checkpoint(body)
        except (DizuoError, OSError) as error:
            # Nothing was signed. The operator must see it; the log tries again later.
            print(f"witness: {error}", file=sys.stderr, flush=True)
            return Answer(500, "the witness cannot keep its state\n")

    def _send(self, answer: Answer) -> None:
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("content-type", answer.media_type or TEXT)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not printed: what matters is in the state folder."""
