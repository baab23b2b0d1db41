"""Secrets of one installation: random, one file each, readable by their owner only."""

from __future__ import annotations

import os
import secrets as randomness
from collections.abc import Callable
from pathlib import Path

from dizuo.foundation.store.errors import DataFolderUnusable

FOLDER = "secrets"


def secret_text(data: Path, name: str, make: Callable[[], str] | None = None) -> str:
    """The secret ``name`` of the installation in ``data``, made on first use (256 random bits by default).

    Kept as ``<data>/secrets/<name>``, mode 0600 in a folder of mode 0700. Two processes that ask at once get the
    same answer. Errors: DataFolderUnusable when another person may read the file, or it is empty.
    """
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    if not path.exists():
        _create_once(path, (make or _random)())
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise DataFolderUnusable(
            str(path), f"权限是 {mode:04o}，别人也能读", f"请运行 chmod 600 {path}，并考虑更换这个口令。"
        )
    text = path.read_text("utf-8").strip()
    if not text:
        raise DataFolderUnusable(str(path), "文件是空的", "请从备份恢复这个文件。")
    return text


def _random() -> str:
    return randomness.token_urlsafe(32)


def _create_once(path: Path, text: str) -> None:
    """Write beside, then link: the file appears whole or not at all, and the first writer wins."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{randomness.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return
    finally:
        os.unlink(beside)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
