"""The web server: worker processes that run `dizuo.app:application`.

Run by `dizuo up` as `python -m dizuo.serve HOST PORT WORKERS`, in a process of its own: workers are forked, and a fork must
not inherit the threads of progress bars and supervisors. The runtime file is named by DIZUO_RUNTIME.
"""

from __future__ import annotations

import os
import signal
import sys

from granian import Granian
from granian.constants import Interfaces, Loops

GRACE = 5
"""Seconds that a worker has for the requests that it is answering when it is told to stop."""
_STOP = (signal.SIGINT, signal.SIGTERM)


def stop_unready_workers() -> None:
    """Have a worker that does not serve yet end at once when it is told to stop.

    A forked worker begins with the server's own handlers, which note the signal where nobody looks; it would sit out its
    whole grace. It gets the system's answer to the signal instead, until it sets up its own. Signals wait from before the
    fork until that is done.
    """

    def hold() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)

    def go_on() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)

    def in_worker() -> None:
        for number in _STOP:
            signal.signal(number, signal.SIG_DFL)
        go_on()

    os.register_at_fork(before=hold, after_in_parent=go_on, after_in_child=in_worker)


def main(host: str, port: int, workers: int) -> None:
    """Serve until told to stop; requests under way are answered first, for at most ``GRACE`` seconds."""
    stop_unready_workers()
    Granian(
        "dizuo.app:application",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        factory=True,
        loop=Loops.uvloop,
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE,
    ).serve()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
