"""Landing: an immutable copy of every delivered file, named by its content."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dizuo.engines.lake.delivery import DeliveryFile, sha256_of
from dizuo.engines.lake.errors import DeliveryAltered


def land(folder: Path, file: DeliveryFile, landing: Path) -> Path:
    """Copy a file to `landing/ab/abcd….csv`, read-only, once; returns the copy.

    Errors: DeliveryAltered when the file is absent or its bytes are not those the manifest vouches for.
    """
    source = folder / file.path
    target = landing / file.sha256[:2] / f"{file.sha256}.csv"
    if target.exists():
        if sha256_of(target) == file.sha256:
            return target
        target.chmod(0o600)
        target.unlink()  # a copy that was damaged on disk is worthless; the delivery is still there
    if not source.is_file() or source.is_symlink():
        raise DeliveryAltered(f"清单里的 {file.path} 不存在")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = target.with_suffix(".part")
    shutil.copyfile(source, beside)
    found = sha256_of(beside)
    if found != file.sha256:
        beside.unlink()
        raise DeliveryAltered(f"{file.path} 的 SHA-256 是 {found[:12]}…，清单写的是 {file.sha256[:12]}…")
    with beside.open("rb") as copied:
        os.fsync(copied.fileno())
    beside.chmod(0o400)
    beside.replace(target)
    return target
