"""Static files under addresses that contain their own hash: cached for ever, compressed once at start."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
PREFIX = "/static/"


class StaticFile(msgspec.Struct, frozen=True):
    """One file as it is sent: raw, and gzipped when that is smaller."""

    name: str
    url: str
    media_type: str
    raw: bytes
    gzipped: bytes | None
    etag: str


class StaticFiles:
    """All static files of the shell and the doors, by name and by address."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._by_name: dict[str, StaticFile] = {}
        self._by_url: dict[str, StaticFile] = {}
        for folder in folders:
            if folder.is_dir():
                for path in sorted(folder.iterdir()):
                    if path.suffix in TYPES and path.is_file():
                        self._add(path)

    def _add(self, path: Path) -> None:
        if path.name in self._by_name:
            raise ValueError(f"two static files are named {path.name}; a page could not tell them apart")
        raw = path.read_bytes()
        digest = hashlib.sha256(raw).hexdigest()[:12]
        packed = gzip.compress(raw, 9, mtime=0)
        file = StaticFile(
            name=path.name,
            url=f"{PREFIX}{path.stem}.{digest}{path.suffix}",
            media_type=TYPES[path.suffix],
            raw=raw,
            gzipped=packed if len(packed) < len(raw) else None,
            etag=f'"{digest}"',
        )
        self._by_name[path.name] = file
        self._by_url[file.url] = file

    def url(self, name: str) -> str:
        """The hashed address of a file. Errors: KeyError for a file that does not exist: a page would be bare."""
        return self._by_name[name].url

    def at(self, path: str) -> StaticFile | None:
        """The file at an address, or None."""
        return self._by_url.get(path)

    def named(self, name: str) -> StaticFile:
        """The file of a name."""
        return self._by_name[name]
