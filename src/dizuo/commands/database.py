"""The database of an installation: the embedded server, or the one that `DIZUO_DATABASE_URL` names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dizuo.foundation.store import Database, Server, external
from dizuo.settings import DATABASE_URL, private_folder


@contextmanager
def opened(data: Path, tell: Callable[[str], None] | None = None) -> Iterator[Database]:
    """The database, started when it is ours and not running; ours stops when nobody else uses it."""
    private_folder(data)
    url = os.environ.get(DATABASE_URL)
    if url:
        yield external(url, data)
        return
    server = Server.start(data, progress=tell)
    try:
        yield server
    finally:
        server.close()
