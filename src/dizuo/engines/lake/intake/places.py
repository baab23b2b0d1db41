"""Where the lake keeps things on disk: landed bytes by content, rows by source and delivery."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of the lake under an installation's data folder (`data`/lake)."""

    root: Path

    @classmethod
    def of(cls, data: Path) -> Places:
        """The lake of the installation whose data folder this is."""
        return cls(data / "lake")

    def landed(self, sha256: str) -> Path:
        """The bytes with this SHA-256 (lower-case hexadecimal)."""
        return self.root / "landing" / sha256[:2] / sha256

    def rows(self, source: str, delivery: int) -> Path:
        """Raw rows of a delivery, as Parquet."""
        return self.root / "rows" / source / f"{delivery}.parquet"

    def rejected(self, source: str, delivery: int) -> Path:
        """Rows of a delivery that could not be taken, with their reasons, as Parquet."""
        return self.root / "rejected" / source / f"{delivery}.parquet"


def sync_folder(folder: Path) -> None:
    """Make a rename inside a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
