"""Wrappers (gzip, zip): looked at before they are opened, opened as a stream, counted while they unfold.

Nothing is ever unpacked under a name that an archive chose: one member is read as a stream of bytes.
"""

from __future__ import annotations

import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from dizuo.engines.lake.intake.errors import ArchiveBomb, ArchiveRefused, FileCut, FormatDiffers
from dizuo.engines.lake.intake.limits import Limits

_PIECE = 1 << 20
_TRICK = re.compile(r"(^|[/\\])\.\.([/\\]|$)|^[/\\]|^[A-Za-z]:|\\|[\x00-\x1f\x7f]")
_IGNORED = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$)")
_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x1f\x8b", "gzip"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"PAR1", "parquet"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!", "rar"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"%PDF", "pdf"),
    (257, b"ustar", "tar"),
)
_SAID = {
    "gzip": "gzip 压缩包", "zip": "zip 压缩包", "parquet": "Parquet 文件", "7z": "7z 压缩包", "rar": "rar 压缩包",
    "zstd": "zstd 压缩包", "bzip2": "bzip2 压缩包", "xz": "xz 压缩包", "pdf": "PDF 文件", "tar": "tar 包", "xlsx": "Excel 文件（xlsx）",
    "ole": "加了密码的 Excel，或旧格式的 .xls", "text": "文本文件",
}  # fmt: skip
_DECLARED = {
    "csv": "CSV",
    "jsonl": "JSON 行",
    "xlsx": "Excel（xlsx）",
    "parquet": "Parquet",
    "table": "数据表",
    "push": "推送",
}


class Stream(Protocol):
    """Bytes that are read once, from beginning to end."""

    def read(self, size: int, /) -> bytes: ...


def kind_of(head: bytes) -> str:
    """What the first bytes (at least 512 where there are so many) say it is; 'text' when they say nothing."""
    for at, mark, kind in _KINDS:
        if head[at : at + len(mark)] == mark:
            return kind
    return "text"


@contextmanager
def unfolded(path: Path, declared: str, limits: Limits) -> Iterator[Stream]:
    """The content of a delivery as a stream, out of its wrapper if it has one.

    Shapes: `declared` is the source's format; what the bytes are counts, whatever the file was called. Errors:
    ArchiveRefused, ArchiveBomb, FileCut, FormatDiffers when the content is of another kind.
    """
    wanted = declared if declared in ("xlsx", "parquet") else "text"
    with path.open("rb") as file:
        kind = content_kind(path)
        if kind == "zip" and not is_workbook(path):
            with _member(path, limits) as inner:
                yield _Checked(inner, wanted, declared)
        elif kind == "gzip":
            yield _Checked(_Gunzip(file, limits), wanted, declared)
        else:
            _must_be(wanted, "xlsx" if kind == "zip" else kind, declared)
            yield file


@contextmanager
def whole(path: Path, declared: str, limits: Limits) -> Iterator[Path]:
    """The content of a delivery as a file that can be read at any place (workbooks, Parquet).

    An unwrapped copy is kept for the time of the block, in the system's temporary folder. Errors: as `unfolded`.
    """
    kind = content_kind(path)
    if kind == "gzip" or (kind == "zip" and not is_workbook(path)):
        with (
            unfolded(path, declared, limits) as stream,
            tempfile.NamedTemporaryFile(prefix="dizuo-lake-") as out,
        ):
            while piece := stream.read(_PIECE):
                out.write(piece)
            out.flush()
            _must_be(declared, _with_workbook(Path(out.name)), declared)
            yield Path(out.name)
        return
    _must_be(declared, "xlsx" if kind == "zip" else kind, declared)
    yield path


def is_workbook(path: Path) -> bool:
    """Whether a zip is a workbook (OOXML). Errors: FileCut when its directory cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise FileCut(f"zip 的目录读不出来（{error}）") from None


def _with_workbook(path: Path) -> str:
    kind = content_kind(path)
    return "xlsx" if kind == "zip" and is_workbook(path) else kind


def content_kind(path: Path) -> str:
    """What the file's first bytes say it is; see `kind_of`."""
    with path.open("rb") as file:
        return kind_of(file.read(512))


def _must_be(wanted: str, kind: str, declared: str) -> None:
    if kind != wanted:
        raise FormatDiffers(f"申报的是 {_DECLARED.get(declared, declared)}，交来的是{_SAID.get(kind, kind)}")


class _Checked:
    """What comes out of a wrapper has to be of the declared kind, and no wrapper again."""

    def __init__(self, inner: Stream, wanted: str, declared: str) -> None:
        head = inner.read(512)
        while len(head) < 512 and (more := inner.read(512)):
            head += more
        kind = kind_of(head)
        if kind in ("gzip", "7z", "rar", "zstd", "bzip2", "xz", "tar") or (
            kind == "zip" and wanted != "xlsx"
        ):
            raise ArchiveRefused(f"里面还是一个{_SAID[kind]}")
        _must_be(wanted, "xlsx" if kind == "zip" else kind, declared)
        self._head = head
        self._inner = inner

    def read(self, size: int, /) -> bytes:
        if self._head:
            head, self._head = self._head[:size], self._head[size:]
            return head
        return self._inner.read(size)


class _Gunzip:
    """A gzip stream, counted; several members one after another are one content."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._packed = 0
        self._unpacked = 0
        self._rest = b""
        self._unzip = zlib.decompressobj(31)
        self._ended = False

    def read(self, size: int, /) -> bytes:
        out = b""
        while not out and not self._ended:
            data = self._rest or self._next()
            try:
                out = self._unzip.decompress(data, size)
            except zlib.error as error:
                raise FileCut(f"gzip 解不开（{error}）") from None
            self._rest = self._unzip.unconsumed_tail
            self._count(len(out))
            if self._unzip.eof:
                self._turn()
        return out

    def _next(self) -> bytes:
        data = self._file.read(_PIECE)
        if not data:
            raise FileCut(f"gzip 没有结尾，只有 {self._packed:,} 个字节")
        self._packed += len(data)
        return data

    def _turn(self) -> None:
        rest = self._unzip.unused_data or self._file.read(_PIECE)
        if not rest:
            self._ended = True
            return
        if not rest.startswith(b"\x1f"):
            if rest.strip(b"\0"):
                raise FileCut("gzip 结尾之后还有别的内容")
            self._ended = True
            return
        self._packed += 0 if self._unzip.unused_data else len(rest)
        self._rest = rest
        self._unzip = zlib.decompressobj(31)

    def _count(self, more: int) -> None:
        self._unpacked += more
        _bound(self._packed, self._unpacked, self._limits)


@contextmanager
def _member(path: Path, limits: Limits) -> Iterator[Stream]:
    """The one member of a zip, as a stream."""
    try:
        with zipfile.ZipFile(path) as archive:
            info = _only(archive, limits)
            with archive.open(info) as inner:
                yield _Unzip(inner, info.compress_size, limits)
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise FileCut(f"zip 解不开（{error}）") from None


class _Unzip:
    """A member's bytes, counted: what the directory says of its size is not believed."""

    def __init__(self, inner: Stream, packed: int, limits: Limits) -> None:
        self._inner = inner
        self._packed = packed
        self._unpacked = 0
        self._limits = limits

    def read(self, size: int, /) -> bytes:
        out = self._inner.read(size)
        self._unpacked += len(out)
        _bound(self._packed, self._unpacked, self._limits)
        return out


def _only(archive: zipfile.ZipFile, limits: Limits) -> zipfile.ZipInfo:
    members = archive.infolist()
    if len(members) > limits.members:
        raise ArchiveRefused(f"里面有 {len(members):,} 个文件")
    for info in members:
        check_member(info)
    files = [info for info in members if not info.is_dir() and not _IGNORED.search(info.filename)]
    if len(files) != 1:
        names = "、".join(info.filename[:40] for info in files[:5])
        raise ArchiveRefused(f"里面应当只有一个数据文件，却有 {len(files)} 个{f'：{names}' if names else ''}")
    return files[0]


def check_member(info: zipfile.ZipInfo) -> None:
    """Refuse a member that is encrypted, a link, badly named or packed in a way nobody reads. Errors: ArchiveRefused."""
    name = info.orig_filename[:80]
    if _TRICK.search(info.orig_filename):
        shown = name.encode("unicode_escape").decode("ascii") if not name.isprintable() else name
        raise ArchiveRefused(f"里面的文件名“{shown}”指到目录外面或含有控制字符")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveRefused(f"里面的“{name}”是链接或设备，不是普通文件")
    if info.flag_bits & 0x1:
        raise ArchiveRefused(f"“{name}”加了密码")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArchiveRefused(f"“{name}”用了少见的压缩方法（{info.compress_type}）")


def _bound(packed: int, unpacked: int, limits: Limits) -> None:
    if unpacked > limits.unpacked:
        raise ArchiveBomb(f"展开超过 {limits.unpacked >> 20:,} MB")
    if unpacked > limits.ratio_from and unpacked > limits.ratio * max(packed, 1):
        raise ArchiveBomb(f"{packed:,} 个字节展开成 {unpacked:,} 个以上，超过 {limits.ratio} 倍")
