"""Being told to stop while a command still builds: as by Ctrl-C, and never lost.

Python raises the interrupt wherever it happens to be. In a destructor or a callback of the collector nobody can catch it:
it is printed as "ignored" and dropped, and the command would go on as if nothing had been said. Here it is said again.
"""

from __future__ import annotations

import signal
import sys

AGAIN = 0.01  # seconds until a dropped interrupt is said again


def until_serving() -> None:
    """SIGTERM ends what is being built as Ctrl-C does, so that whatever was opened is closed and the database stops."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGALRM, _interrupt)
    ordinary = sys.unraisablehook

    def dropped(unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
        else:
            ordinary(unraisable)

    sys.unraisablehook = dropped


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
