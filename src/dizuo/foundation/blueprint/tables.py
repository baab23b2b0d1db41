"""Reads the CSV tables of a city: divisions, their history, and places of service."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal, cast

from dizuo.foundation.blueprint.findings import Log, Span, nearest
from dizuo.foundation.blueprint.folder import Folder, text_of
from dizuo.foundation.blueprint.model import Division, Place, ServicePlace

MAX_ROWS = 200_000
_MAX_FINDINGS = 20  # of one table: a column shifted by one would otherwise complain ten thousand times
Level = Literal["city", "district", "town", "village"]


class Row:
    """One line of a table; reading a cell reports what is wrong with it, at its line."""

    def __init__(self, table: Table, line: int, cells: dict[str, str]) -> None:
        self.table = table
        self.line = line
        self.cells = cells

    def text(self, column: str, *, needed: bool = True) -> str:
        value = self.cells.get(column, "").strip()
        if needed and not value:
            self.wrong(column, f"`{column}` 是空的。", "补上。")
        return value

    def date(self, column: str) -> dt.date | None:
        value = self.text(column, needed=False)
        if not value:
            return None
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            self.wrong(column, f"`{value[:40]}` 不是日期。", "写成 2026-11-23 这样，或留空。")
            return None

    def number(self, column: str, low: float, high: float) -> float:
        value = self.text(column, needed=False)
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            self.wrong(column, f"`{value[:40]}` 不在 {low:g} 到 {high:g} 之间。", "检查经纬度，经度在前。")
            return low
        return number

    def code(self, column: str, digits: Sequence[int], *, needed: bool = True) -> str:
        value = self.text(column, needed=needed)
        if value and not (value.isascii() and value.isdigit() and len(value) in digits):
            said = "、".join(str(n) for n in digits)
            self.wrong(
                column, f"`{value[:40]}` 不是 {said} 位数字的代码。", "检查代码；表格软件可能改动了长数字。"
            )
        return value

    def wrong(
        self, column: str, message: str, fix: str, *, code: str = "table-cell", suggest: str | None = None
    ) -> None:
        self.table.wrong(self.line, column, message, fix, code, suggest)


class Table:
    """A CSV file with a header; knows the needed and the possible columns."""

    def __init__(
        self, folder: Folder, file: str, needed: Sequence[str], possible: Sequence[str], log: Log
    ) -> None:
        self.file = file
        self.log = log
        self.lines: list[str] = []
        self.rows: list[Row] = []
        self._count = 0
        text = text_of(file, folder.files[file], log)
        if text is not None:
            self._read(text, needed, possible)

    def _read(self, text: str, needed: Sequence[str], possible: Sequence[str]) -> None:
        self.lines = text.split("\n")
        self.log.lines_of(self.file, self.lines)
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            header = [name.strip() for name in next(reader, list[str]())]
            if not self._header(header, needed, possible):
                return
            for cells in reader:
                if not cells:
                    continue
                if len(self.rows) >= MAX_ROWS:
                    message = f"表格超过 {MAX_ROWS:,} 行。"
                    self.wrong(reader.line_num, "", message, "只保留需要的行。", "too-large")
                    return
                if len(cells) != len(header):
                    said = f"这一行有 {len(cells)} 列，表头有 {len(header)} 列。"
                    self.wrong(reader.line_num, "", said, "检查逗号；含逗号的文字要加双引号。", "table-row")
                    continue
                self.rows.append(Row(self, reader.line_num, dict(zip(header, cells, strict=True))))
        except csv.Error as error:
            self.wrong(
                max(1, reader.line_num), "", f"CSV 写法不对：{error}。", "检查双引号是否成对。", "table-row"
            )

    def _header(self, header: list[str], needed: Sequence[str], possible: Sequence[str]) -> bool:
        known = [*needed, *possible]
        good = True
        for name in needed:
            if name not in header:
                guess = nearest(name, [h for h in header if h not in known])
                fix = f"把列名 `{guess}` 改为 `{name}`。" if guess else f"加上 `{name}` 列。"
                self.wrong(1, guess or "", f"表头缺少 `{name}` 列。", fix, "table-header")
                good = False
        for name in header:
            if header.count(name) > 1:
                self.wrong(1, name, f"列名 `{name}` 重复。", "删掉其中一列。", "table-header")
                good = False
            elif name not in known and good:
                self.wrong(
                    1, name, f"不认识列 `{name}`。", f"可以有的列：{'、'.join(known)}。", "table-header"
                )
        return good

    def wrong(
        self,
        line: int,
        column: str,
        message: str,
        fix: str,
        code: str = "table-cell",
        suggest: str | None = None,
    ) -> None:
        self._count += 1
        if self._count > _MAX_FINDINGS:
            return
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        start, width = (
            _cell(source, self._header_index(column)) if line > 1 else (source.find(column), len(column))
        )
        span = Span(Place(self.file, line, max(0, start) + 1), max(1, width))
        self.log.add(code, span, message, fix=fix, suggest=suggest)

    def _header_index(self, column: str) -> int:
        header = self.lines[0].split(",") if self.lines else []
        return header.index(column) if column in header else 0


def _cell(line: str, index: int) -> tuple[int, int]:
    """Where the n-th cell of a simple line stands; the line's start when quotes make it unsure."""
    if '"' in line:
        return 0, 1
    parts = line.split(",")
    if index >= len(parts):
        return 0, 1
    return sum(len(part) + 1 for part in parts[:index]), max(1, len(parts[index]))


def _rows(
    folder: Folder, at: Span, file: str | None, needed: Sequence[str], possible: Sequence[str], log: Log
) -> Iterator[Row]:
    if not file:
        return
    if file not in folder.files:
        log.add(
            "missing-file",
            at,
            f"没有文件 {file}。",
            suggest=nearest(file, folder.files),
            fix="检查路径（从城市文件夹算起）。",
        )
        return
    yield from Table(folder, file, needed, possible, log).rows


def read_history(folder: Folder, at: Span, file: str, log: Log) -> list[Division]:
    """City and districts with every period of every code; ``file`` columns: code, name, level, parent, valid_from,
    valid_to, successor; name_en where the city gives an English name."""
    found: list[Division] = []
    needed = ("code", "name", "level", "parent", "valid_from", "valid_to")
    for row in _rows(
        folder, at, file, needed, ("successor", "mca_code", "nbs_code", "lon", "lat", "name_en"), log
    ):
        level = row.text("level")
        if level not in ("city", "district"):
            row.wrong("level", f"`{level[:20]}` 不是 city 或 district。", "改成 city 或 district。")
            continue
        code = row.code("code", (6,))
        start, end = row.date("valid_from"), row.date("valid_to")
        if start is not None and end is not None and end < start:
            row.wrong("valid_to", f"{code} 的停用日期早于启用日期。", "检查两个日期。", code="range-reversed")
        found.append(
            Division(
                code=code,
                mca_code=code,
                nbs_code=code,
                name=row.text("name"),
                level=level,
                parent=row.code("parent", (6,), needed=level == "district"),
                valid_from=start,
                valid_to=end,
                centre=_centre(row),
                en=row.text("name_en", needed=False),
                successor=row.code("successor", (6,), needed=False),
            )
        )
    _overlaps(found, file, log)
    return found


def _overlaps(history: list[Division], file: str, log: Log) -> None:
    periods: dict[str, list[Division]] = {}
    for row in history:
        periods.setdefault(row.code, []).append(row)
    for code, rows in periods.items():
        rows.sort(key=lambda d: d.valid_from or dt.date.min)
        for one, other in itertools.pairwise(rows):
            if (one.valid_to or dt.date.max) >= (other.valid_from or dt.date.min):
                line = 2 + history.index(other)
                log.add(
                    "range-overlaps",
                    Place(file, line, 1),
                    f"代码 {code} 的两段有效期重叠：{one.name}到 {one.valid_to or '今'}，{other.name}从 {other.valid_from or '起初'}。",
                    fix="让前一段在后一段开始之前结束。",
                )


def read_towns(folder: Folder, at: Span, file: str | None, log: Log) -> list[Division]:
    """Streets and towns with both official codes (民政部, 国家统计局); nine digits each."""
    found: list[Division] = []
    needed = ("code", "name", "parent", "mca_code", "nbs_code")
    possible = ("kind", "relation", "valid_from", "valid_to", "lon", "lat", "name_en")
    for row in _rows(folder, at, file, needed, possible, log):
        start, end = row.date("valid_from"), row.date("valid_to")
        if start is not None and end is not None and end < start:
            row.wrong("valid_to", "停用日期早于启用日期。", "检查两个日期。", code="range-reversed")
        found.append(
            Division(
                code=row.code("code", (9,)),
                mca_code=row.code("mca_code", (9,), needed=False),
                nbs_code=row.code("nbs_code", (9,), needed=False),
                name=row.text("name"),
                level="town",
                parent=row.code("parent", (6,)),
                valid_from=start,
                valid_to=end,
                centre=_centre(row),
                en=row.text("name_en", needed=False),
            )
        )
    return found


def read_villages(folder: Folder, at: Span, file: str | None, log: Log) -> list[Division]:
    """Communities and villages, twelve digits, under towns."""
    found: list[Division] = []
    possible = ("kind", "mca_code", "nbs_code", "valid_from", "valid_to", "lon", "lat")
    for row in _rows(folder, at, file, ("code", "name", "parent"), possible, log):
        code = row.code("code", (12,))
        found.append(
            Division(
                code=code,
                mca_code=row.code("mca_code", (12,), needed=False),
                nbs_code=row.code("nbs_code", (12,), needed=False) or code,
                name=row.text("name"),
                level="village",
                parent=row.code("parent", (9,)),
                valid_from=row.date("valid_from"),
                valid_to=row.date("valid_to"),
                centre=_centre(row),
            )
        )
    return found


def _centre(row: Row) -> tuple[float, float] | None:
    if not row.text("lon", needed=False):
        return None
    return row.number("lon", 73, 136), row.number("lat", 3, 54)


def read_places(
    folder: Folder, at: Span, list_id: str, file: str, log: Log
) -> list[tuple[Row, ServicePlace]]:
    """Places of service of one list; columns are the fields of ``ServicePlace`` without ``list``."""
    found: list[tuple[Row, ServicePlace]] = []
    needed = ("id", "name", "division", "address", "lon", "lat", "hours", "phone")
    seen: set[str] = set()
    for row in _rows(folder, at, file, needed, (), log):
        place_id = row.text("id")
        if place_id in seen:
            row.wrong("id", f"`{place_id}` 出现了两次。", "改成另一个代号。", code="duplicate-id")
        seen.add(place_id)
        found.append(
            (
                row,
                ServicePlace(
                    id=place_id,
                    list=list_id,
                    name=row.text("name"),
                    division=row.code("division", (6, 9, 12)),
                    address=row.text("address"),
                    lon=row.number("lon", 73, 136),
                    lat=row.number("lat", 3, 54),
                    hours=row.text("hours"),
                    phone=row.text("phone", needed=False),
                ),
            )
        )
    return found


def check_shapes(folder: Folder, at: Span, file: str | None, log: Log) -> None:
    """A GeoJSON file must be a FeatureCollection; its coordinates are only drawn, never decided on."""
    if not file:
        return
    if file not in folder.files:
        log.add(
            "missing-file", at, f"没有文件 {file}。", suggest=nearest(file, folder.files), fix="检查路径。"
        )
        return
    text = text_of(file, folder.files[file], log)
    if text is None:
        return
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        log.add("table-row", Place(file, 1, 1), "这不是 GeoJSON。", fix="导出为 GeoJSON FeatureCollection。")
        return
    if not isinstance(data, dict) or cast("dict[str, Any]", data).get("type") != "FeatureCollection":
        log.add(
            "table-row",
            Place(file, 1, 1),
            "这不是 GeoJSON FeatureCollection。",
            fix="导出为 FeatureCollection。",
        )
