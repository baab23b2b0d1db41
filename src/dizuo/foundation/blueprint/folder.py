"""Walks a city folder: which files there are, which are refused, their bytes and the version of the whole.

A city is data. Whatever could be code, could lead out of the folder, or could exhaust the machine is refused before
a byte of it is read.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dizuo.foundation.blueprint.findings import Log
from dizuo.foundation.blueprint.model import Place

MAX_YAML = 2 * 1024 * 1024
MAX_DATA = 64 * 1024 * 1024
MAX_FILES = 20_000
_DATA = {".csv", ".geojson"}
_TEXT = {".md", ".txt", ""}
_IMAGES = {".png", ".jpg", ".jpeg", ".svg", ".webp"}
_CODE = {
    ".py",
    ".pyc",
    ".sh",
    ".js",
    ".ts",
    ".sql",
    ".so",
    ".exe",
    ".rb",
    ".pl",
    ".ps1",
    ".bat",
    ".jar",
    ".wasm",
    ".html",
}
_BARE_NAMES = {"NOTICE", "LICENSE", "README"}


@dataclass(frozen=True, slots=True)
class Folder:
    """The accepted files of a city: path relative to the folder (with ``/``) → bytes."""

    files: dict[str, bytes]
    version: str

    def under(self, prefix: str, suffix: str) -> list[str]:
        return sorted(path for path in self.files if path.startswith(prefix) and path.endswith(suffix))


def read_folder(root: Path, log: Log) -> Folder:
    """Every file of the folder that a city may have; all others are findings. Symlinks within the folder are followed."""
    files: dict[str, bytes] = {}
    if not root.is_dir():
        log.add(
            "no-city",
            Place(root.name or ".", 1, 1),
            "没有这个城市文件夹。",
            fix="检查路径；新城市可从 cities/template 复制。",
        )
        return Folder({}, "")
    base = root.resolve()
    for path in _walk(base, base, log):
        name = path.relative_to(base).as_posix()
        if len(files) >= MAX_FILES:
            log.add("too-large", Place(name, 1, 1), f"文件超过 {MAX_FILES:,} 个。", fix="合并文件。")
            break
        data = _read(path, name, log)
        if data is not None:
            files[name] = data
    return Folder(files, _version(files))


def _walk(folder: Path, base: Path, log: Log) -> list[Path]:
    found: list[Path] = []
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        place = Place(folder.relative_to(base).as_posix(), 1, 1)
        log.add("unreadable", place, f"打不开这个文件夹：{error.strerror}。", fix="检查文件夹权限。")
        return found
    for entry in entries:
        path = Path(entry.path)
        name = path.relative_to(base).as_posix()
        if entry.name.startswith(".") and not entry.is_symlink():
            continue
        if not name.isprintable():
            # Also bytes that are no UTF-8; a name is printed in messages and must not move the terminal.
            place = Place(name.encode("unicode_escape").decode("ascii"), 1, 1)
            log.add("unexpected-file", place, "文件名里有不能显示的字符。", fix="改名。")
        elif entry.is_symlink() and not _inside(path, base):
            log.add(
                "leaves-folder",
                Place(name, 1, 1),
                "这个链接指向城市文件夹以外。",
                fix="把内容复制进来，并删掉链接。",
            )
        elif entry.is_symlink() and entry.is_dir():
            log.add("leaves-folder", Place(name, 1, 1), "不接受指向文件夹的链接。", fix="把文件夹复制进来。")
        elif entry.is_dir():
            found += _walk(path, base, log)
        elif _may_be_here(entry.name, name, log):
            found.append(path)
    return found


def _inside(path: Path, base: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(base)
    except (OSError, RuntimeError):  # dangling, or a loop of links
        return False


def _may_be_here(file: str, name: str, log: Log) -> bool:
    suffix = PurePosixPath(file).suffix.lower()
    if suffix in _IMAGES or suffix in (_TEXT - {""}) or file in _BARE_NAMES:
        return False  # allowed beside declarations, but nothing is read from it
    if suffix in _DATA or suffix == ".yaml":
        return True
    place = Place(name, 1, 1)
    if suffix in _CODE:
        log.add(
            "code-in-city",
            place,
            f"城市文件夹里不能有代码（{suffix}）。城市只声明，不编程。",
            fix="删掉这个文件；如果声明不够用，请给引擎增加一种声明。",
        )
    elif suffix == ".yml":
        log.add(
            "unexpected-file",
            place,
            "声明文件的后缀是 .yaml。",
            fix=f"改名为 {PurePosixPath(name).with_suffix('.yaml')}。",
        )
    else:
        log.add(
            "unexpected-file",
            place,
            "城市文件夹里不该有这种文件。",
            fix="只放 .yaml、.csv、.geojson、.md 和图片。",
        )
    return False


def _read(path: Path, name: str, log: Log) -> bytes | None:
    place = Place(name, 1, 1)
    try:
        # Non-blocking, so that a named pipe cannot hold the checker; the kind is checked on the open file.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        log.add("unreadable", place, f"打不开这个文件：{error.strerror}。", fix="检查文件权限。")
        return None
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(file.fileno())
        if not stat.S_ISREG(info.st_mode):
            log.add("unexpected-file", place, "这不是普通文件。", fix="换成普通文件。")
            return None
        limit = MAX_YAML if path.suffix == ".yaml" else MAX_DATA
        if info.st_size > limit:
            log.add(
                "too-large",
                place,
                f"文件有 {info.st_size / 1048576:.1f} MB，上限是 {limit // 1048576} MB；没有读取。",
                fix="拆成几个文件，或只保留需要的行。",
            )
            return None
        return file.read(limit + 1)[:limit]


def text_of(name: str, data: bytes, log: Log) -> str | None:
    """The file's text. Anything but UTF-8 without a byte-order mark is a finding."""
    place = Place(name, 1, 1)
    if data.startswith(b"\xef\xbb\xbf"):
        log.add("not-utf8", place, "文件开头有 BOM 标记。", fix="另存为 UTF-8（无 BOM）。")
        return None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        log.add("not-utf8", place, "文件是 UTF-16 编码。", fix="另存为 UTF-8（无 BOM）。")
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        guess = "看起来是 GBK 编码" if _is_gbk(data) else f"第 {error.start + 1} 个字节不是 UTF-8"
        log.add(
            "not-utf8",
            Place(name, line, 1),
            f"文件不是 UTF-8 编码，{guess}。",
            fix="另存为 UTF-8（无 BOM）。",
        )
        return None


def _is_gbk(data: bytes) -> bool:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _version(files: dict[str, bytes]) -> str:
    total = hashlib.sha256()
    for name in sorted(files):
        # Lengths keep two neighbouring files from trading bytes without changing the sum.
        total.update(f"{len(name.encode())}:{name}:{len(files[name])}:".encode())
        total.update(files[name])
    return total.hexdigest()
