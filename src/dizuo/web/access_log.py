"""One line per request on stderr, without anything about a person: no address, no name, no number in the path."""

from __future__ import annotations

import traceback
from datetime import datetime
from typing import TextIO


class AccessLog:
    """Writes ``time number method route status bytes milliseconds who``. The route is the table's row, with its
    ``{places}``, so that neither a case number nor a query is ever written."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def line(
        self,
        *,
        when: datetime,
        number: str,
        method: str,
        route: str,
        status: int,
        size: int,
        ms: float,
        who: str,
    ) -> None:
        self._out.write(
            f"{when:%Y-%m-%dT%H:%M:%S%z} {number} {method} {route} {status} {size} {ms:.1f}ms {who}\n"
        )

    def broken(self, *, when: datetime, number: str, route: str, error: BaseException, tell: bool) -> None:
        """An error that nobody foresaw: where, and of what kind.

        The message may quote a person's data, so it is told only where all data are invented.
        """
        steps = traceback.extract_tb(error.__traceback__)
        trail = " < ".join(
            f"{step.filename.rpartition('/')[2]}:{step.lineno}" for step in reversed(steps[-8:])
        )
        said = f" {error}" if tell else ""
        self._out.write(
            f"{when:%Y-%m-%dT%H:%M:%S%z} {number} BROKEN {route} {type(error).__name__}{said} at {trail}\n"
        )
        self._out.flush()
