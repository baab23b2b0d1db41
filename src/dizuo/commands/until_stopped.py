"""A small server of another organisation's own process: it runs until somebody stops it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer


def serve_until_stopped(server: ThreadingHTTPServer, close: Callable[[], object]) -> None:
    """Serve until SIGINT or SIGTERM, then close the socket and whatever stands behind it."""

    def stop(_number: int, _frame: object) -> None:
        threading.Thread(target=server.shutdown).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        server.serve_forever(poll_interval=0.2)
    finally:
        server.server_close()
        close()
