"""The node's own log of what it asked and answered: lines of JSON, each bound to the one before, on disk before anything leaves.

It names no person: the case does, in the department's own system.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from dizuo.node.errors import JournalBroken

FILE: Final = "journal.jsonl"
_START: Final = "0" * 64
_encode = msgspec.json.Encoder(order="deterministic").encode


class Journal:
    """The log of one node. Several processes may write: each waits for the other."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self.path = folder / FILE
        self._now = now

    def note(self, what: str, **about: Any) -> str:
        """Add a line and have it on disk; gives its hash, by which later lines may name it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            line = {"at": self._now().isoformat(), "what": what, **about, "before": _last_hash(file)}
            hashed = _hash(line)
            file.write(_encode({**line, "hash": hashed}) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return hashed

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """Every line, each held against the one before. Errors: JournalBroken with the line's number."""
        before = _START
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, text in enumerate(file, 1):
                try:
                    line = msgspec.json.decode(text, type=dict[str, Any])
                except msgspec.DecodeError:
                    raise JournalBroken(line=number) from None
                hashed = line.pop("hash", "")
                if line.get("before") != before or _hash(line) != hashed or not text.endswith(b"\n"):
                    raise JournalBroken(line=number)
                before = hashed
                yield line


def _hash(line: Mapping[str, Any]) -> str:
    return hashlib.sha256(_encode(line)).hexdigest()


def _last_hash(file: Any) -> str:
    """The hash in the last line; a line that was cut off by a crash is closed, so that the break stays visible."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return _START
    file.seek(max(0, size - 65536))
    text: bytes = file.read()
    if not text.endswith(b"\n"):
        file.write(b"\n")
    last = text.rstrip(b"\n").rpartition(b"\n")[2]
    try:
        return str(msgspec.json.decode(last, type=dict[str, Any]).get("hash", ""))
    except msgspec.DecodeError:
        return ""
