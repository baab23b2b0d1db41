"""The web server: worker processes that run `dizuo.app:application`.

Run by `dizuo up` as `python -m dizuo.serve HOST PORT WORKERS`, in a process of its own: workers are forked, and a fork must
not inherit the threads of progress bars and supervisors. The runtime file is named by DIZUO_RUNTIME.
"""

from __future__ import annotations

import sys

from granian import Granian
from granian.constants import Interfaces, Loops


def main(host: str, port: int, workers: int) -> None:
    """Serve until told to stop; requests under way are answered first, for at most five seconds."""
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
        workers_kill_timeout=5,
    ).serve()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
