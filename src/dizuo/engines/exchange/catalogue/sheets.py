"""A department's catalogue as a sheet: XLSX or CSV (UTF-8, GBK) read into rows of cells, bounded, with formulas marked."""

from __future__ import annotations

import csv
import importlib
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec

from dizuo.engines.exchange.catalogue.errors import SheetUnreadable

MAX_BYTES: Final = 10_000_000
MAX_ROWS: Final = 5_000
MAX_COLUMNS: Final = 200
_MAX_UNPACKED: Final = 80_000_000
_FORMULA: Final = re.compile(rb'<c\s[^>]*?r="([A-Z]{1,3})([0-9]{1,7})"[^>]*>\s*<f[\s>/]')
_SHEET: Final = re.compile(rb'<sheet\s[^>]*?r:id="([^"]+)"')
_TARGET: Final = re.compile(rb"<Relationship\s[^>]*?>")


class Cell(msgspec.Struct, frozen=True):
    """One cell's text, without blanks around it; ``formula``: it was computed by the sheet, or would be by whoever opens it."""

    text: str
    formula: bool = False


class Sheet(msgspec.Struct, frozen=True):
    """The first sheet of a file: rows of cells, the first row being line 1; ``encoding``: xlsx, utf-8 or gb18030."""

    rows: tuple[tuple[Cell, ...], ...]
    encoding: str


def read_sheet(content: bytes) -> Sheet:
    """Read a file by what it is, whatever its name says. Errors: SheetUnreadable."""
    if not content.strip():
        raise _unreadable("文件是空的")
    if len(content) > MAX_BYTES:
        raise _unreadable(f"文件超过 {MAX_BYTES // 1_000_000} MB")
    if content.startswith(b"PK\x03\x04"):
        return _workbook(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise _unreadable("这是旧格式的 XLS，请另存为 XLSX")
    if b"\x00" in content or content.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8")):
        raise _unreadable("这不是表格文件")
    return _text(content)


def _unreadable(why: str) -> SheetUnreadable:
    said = SheetUnreadable.__doc__ or ""
    return SheetUnreadable({"file": f"{why}。"}, said.strip().format(why=why))


def _text(content: bytes) -> Sheet:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # A cell may be as large as a file: it is the row that is refused then, with its line.
        csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES))
        try:
            rows = _bounded(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error as error:
            raise _unreadable(f"CSV 的引号或分隔不对（{error}）") from error
        return Sheet(tuple(rows), "utf-8" if encoding == "utf-8-sig" else encoding)
    raise _unreadable("文字编码既不是 UTF-8，也不是 GBK")


def _bounded(lines: Iterable[Sequence[object]]) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for line in lines:
        if len(rows) >= MAX_ROWS:
            raise _unreadable(f"超过 {MAX_ROWS} 行，请分成几个文件")
        if len(line) > MAX_COLUMNS:
            raise _unreadable(f"第 {len(rows) + 1} 行超过 {MAX_COLUMNS} 列")
        rows.append(tuple(_cell(value) for value in line))
    return rows


def _cell(value: object) -> Cell:
    text = _said(value)
    # A text that a spreadsheet would compute when it is opened is one that nobody wants in a catalogue.
    return Cell(text, text[:1] in ("=", "@") or (text[:1] in ("+",) and len(text) > 1))


def _said(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _workbook(content: bytes) -> Sheet:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(one.file_size for one in packed.infolist()) > _MAX_UNPACKED:
                raise _unreadable("展开后太大")
            formulas = _formulas(packed)
        calamine: Any = importlib.import_module("python_calamine")
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = book.get_sheet_by_index(0)
        rows = _bounded(sheet.to_python(skip_empty_area=False))
    except SheetUnreadable:
        raise
    except Exception as error:  # whatever a broken file makes a reader say, it is a broken file
        raise _unreadable("不是完整的 XLSX") from error
    for column, line in formulas:
        if line <= len(rows) and column <= len(rows[line - 1]):
            row = list(rows[line - 1])
            row[column - 1] = Cell(row[column - 1].text, True)
            rows[line - 1] = tuple(row)
    return Sheet(tuple(rows), "xlsx")


def _formulas(packed: zipfile.ZipFile) -> set[tuple[int, int]]:
    """(column, line) of every computed cell of the first sheet, from 1."""
    first = _SHEET.search(packed.read("xl/workbook.xml"))
    path = "worksheets/sheet1.xml"
    if first is not None:
        for found in _TARGET.findall(packed.read("xl/_rels/workbook.xml.rels")):
            if b'Id="' + first[1] + b'"' in found and (target := re.search(rb'Target="([^"]+)"', found)):
                path = target[1].decode().removeprefix("/xl/")
    return {(_column(column), int(line)) for column, line in _FORMULA.findall(packed.read(f"xl/{path}"))}


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
