"""What a workbook's XML says that a reader of values does not: formulas, error values, the order of its sheets.

It is read as a stream and counted, so a workbook is unfolded here once before anything holds it in memory.
"""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dizuo.engines.lake.intake.errors import ArchiveBomb, ArchiveRefused, FileCut
from dizuo.engines.lake.intake.limits import Limits
from dizuo.engines.lake.intake.wrapping import check_member

_PIECE = 1 << 20
_TAIL = 40_000  # longer than any cell that matters here: a cell holds at most 32,767 characters
# Every repetition is bounded: a sheet is anybody's bytes, and an unbounded one takes quadratic time on the worst of them.
_CELL = re.compile(rb"""\br\s{0,9}=\s{0,9}["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
_FORMULA = re.compile(rb"<c\b[^>]{0,300}>\s{0,9}<f[ />]")
_EMPTY = re.compile(
    rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^>]{0,300}>\s{0,9}<f(?:[^>]{0,300}/>|[^>]{0,300}>[^<]{0,9000}</f>)\s{0,9}'
    rb"(?:<v\s{0,9}/>|<v></v>)?\s{0,9}</c>"
)
_ERROR = re.compile(
    rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^>]{0,300}\bt="e"[^>]{0,300}>'
    rb"(?:<f[^>]{0,300}>[^<]{0,9000}</f>|<f[^>]{0,300}/>)?\s{0,9}<v>([^<]{1,20})</v>"
)
_SHEET = re.compile(r"<sheet\b[^>]{0,1000}>")
_ATTRIBUTE = re.compile(r'([\w:]{1,40})="([^"]{0,1000})"')
_RELATION = re.compile(r"<Relationship\b[^>]{0,1000}>")


@dataclass(slots=True)
class Beneath:
    """What stands beneath the values of one sheet. Cells are (row, column), both from 0."""

    formulas: int = 0
    height: int = 0
    width: int = 0
    empty: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    errors: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])


def beneath(path: Path, limits: Limits) -> dict[str, Beneath]:
    """By sheet name, in the order of the workbook. Errors: ArchiveRefused, ArchiveBomb, FileCut."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > limits.members:
                raise ArchiveRefused(f"里面有 {len(members):,} 个文件")
            for info in members:
                check_member(info)
            sheets = _sheets(archive)
            found = {name: Beneath() for name in sheets.values()}
            left = limits.sheet
            for info in members:
                target = found.get(sheets.get(info.filename, ""))
                for text in _pieces(archive, info, left, limits):
                    if target is not None:
                        _scan(text, target)
                        _span(info.filename, target, limits)
                left -= info.file_size
            return found
    except (zipfile.BadZipFile, EOFError, zlib.error, OSError) as error:
        raise FileCut(f"Excel 文件解不开（{error}）") from None


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: int, limits: Limits) -> Iterator[bytes]:
    """The member's text in pieces that end with a cell; the size that its directory claims is not believed."""
    size = 0
    rest = b""
    with archive.open(info) as member:
        while piece := member.read(_PIECE):
            size += len(piece)
            if size > max(left, 0) or (
                size > limits.ratio_from and size > limits.ratio * max(info.compress_size, 1)
            ):
                raise ArchiveBomb(f"{info.filename[:40]} 展开超过 {size >> 20:,} MB")
            text = rest + piece
            cut = text.rfind(b"</c>") + 4
            if cut < 4:
                cut = max(len(text) - _TAIL, 0)
            yield text[:cut]
            rest = text[cut:]
    if rest:
        yield rest


def _span(name: str, sheet: Beneath, limits: Limits) -> None:
    """A reader of values holds the whole rectangle, so two cells in opposite corners are a bomb."""
    if sheet.height * sheet.width > limits.cells:
        raise ArchiveBomb(f"{name[:40]} 占了 {sheet.height:,} 行 × {sheet.width:,} 栏")


def _scan(text: bytes, into: Beneath) -> None:
    if cells := _CELL.findall(text):
        into.width = max(into.width, *(_column(letters) for letters in {letters for letters, _ in cells}))
        into.height = max(into.height, *(int(digits) for digits in {digits for _, digits in cells}))
    if b"<f" in text:
        into.formulas += len(_FORMULA.findall(text))
        into.empty.update(_cell(match[1], match[2]) for match in _EMPTY.finditer(text))
    if b't="e"' in text:
        for match in _ERROR.finditer(text):
            into.errors[_cell(match[1], match[2])] = html.unescape(match[3].decode("utf-8", "replace"))


def _cell(letters: bytes, digits: bytes) -> tuple[int, int]:
    return int(digits) - 1, _column(letters) - 1


def _column(letters: bytes) -> int:
    """A is 1, AA is 27."""
    column = 0
    for letter in letters.upper():
        column = column * 26 + letter - 64
    return column


def _sheets(archive: zipfile.ZipFile) -> dict[str, str]:
    """Member → sheet name, in the order of the workbook."""
    book = _small(archive, "xl/workbook.xml")
    relations: dict[str, str] = {}
    for tag in _RELATION.findall(_small(archive, "xl/_rels/workbook.xml.rels")):
        attributes = dict(_ATTRIBUTE.findall(tag))
        relations[attributes.get("Id", "")] = attributes.get("Target", "")
    found: dict[str, str] = {}
    for tag in _SHEET.findall(book):
        attributes = dict(_ATTRIBUTE.findall(tag))
        target = relations.get(attributes.get("r:id", ""), "").lstrip("/").removeprefix("xl/")
        if target:
            found[f"xl/{target}"] = html.unescape(attributes.get("name", ""))
    return found


def _small(archive: zipfile.ZipFile, name: str) -> str:
    try:
        with archive.open(name) as member:
            text = member.read(_PIECE + 1)
    except KeyError:
        raise FileCut(f"Excel 文件里没有 {name}") from None
    if len(text) > _PIECE:
        raise ArchiveBomb(f"{name} 展开超过 {_PIECE >> 20} MB")
    return text.decode("utf-8", "replace")
