"""Landing (落地): an immutable copy of the bytes as delivered, named by what they are."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dizuo.engines.lake.intake.errors import FileTooLarge, FileUnsafe
from dizuo.engines.lake.intake.limits import Limits
from dizuo.engines.lake.intake.places import Places, sync_folder

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Landed:
    """Landed bytes: SHA-256 in lower-case hexadecimal, count, where; ``new`` is False when they were there already."""

    sha256: str
    bytes: int
    path: Path
    new: bool


def land(what: Path | BinaryIO | Iterable[bytes], places: Places, limits: Limits | None = None) -> Landed:
    """Copy a file or stream to `landing/ab/<sha256>`, read-only and on disk when this returns.

    Shapes: a path is opened without following links; a stream is read to its end. The copy appears whole or not at
    all; the same bytes are kept once. A copy that was damaged on disk is replaced. Errors: FileUnsafe (no ordinary
    file, a link), FileTooLarge, OSError when the disk is full.
    """
    bound = (limits or Limits()).landed
    incoming = places.root / "landing" / ".incoming"
    incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = incoming / f"{os.getpid()}-{secrets.token_hex(8)}"
    try:
        sha256, size = _copy(_pieces(what), part, bound)
        target = places.landed(sha256)
        if target.exists():
            if _same(target, sha256, size):
                return Landed(sha256, size, target, new=False)
            target.unlink()
        target.parent.mkdir(exist_ok=True, mode=0o700)
        part.chmod(0o400)
        part.replace(target)
        sync_folder(target.parent)
        sync_folder(target.parent.parent)
        return Landed(sha256, size, target, new=True)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def sweep(places: Places) -> int:
    """Remove copies that a killed process left unfinished; returns how many. No process may be landing meanwhile."""
    incoming = places.root / "landing" / ".incoming"
    left = list(incoming.iterdir()) if incoming.is_dir() else []
    for part in left:
        part.unlink()
    return len(left)


def _pieces(what: Path | BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(what, Path):
        with _opened(what) as file:
            yield from iter(lambda: file.read(_PIECE), b"")
    elif hasattr(what, "read"):
        yield from iter(lambda: what.read(_PIECE), b"")  # pyright: ignore[reportAttributeAccessIssue, reportUnknownLambdaType, reportUnknownMemberType]
    else:
        yield from what


def _opened(path: Path) -> BinaryIO:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise FileUnsafe(f"{path.name} 不存在") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileUnsafe(f"{path.name} 是符号链接") from None
        raise FileUnsafe(f"{path.name} 打不开（{error.strerror}）") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FileUnsafe(f"{path.name} 不是普通文件")
    return os.fdopen(handle, "rb")


def _copy(pieces: Iterable[bytes], part: Path, bound: int) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        for piece in pieces:
            size += len(piece)
            if size > bound:
                raise FileTooLarge(f"超过 {bound >> 20:,} MB")
            digest.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest(), size


def _same(target: Path, sha256: str, size: int) -> bool:
    if target.stat().st_size != size:
        return False
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256
