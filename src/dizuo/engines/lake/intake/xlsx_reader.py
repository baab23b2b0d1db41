"""Reads workbooks (XLSX): values only, several sheets, a title above the header, a header of two merged rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dizuo.engines.lake.intake.arrow import calamine
from dizuo.engines.lake.intake.checks import EXPONENT_SAYS
from dizuo.engines.lake.intake.errors import FileCut, HeaderDiffers
from dizuo.engines.lake.intake.faults import Fault
from dizuo.engines.lake.intake.heading import Heading, Note, match, plain
from dizuo.engines.lake.intake.limits import Limits
from dizuo.engines.lake.intake.objects import number_text
from dizuo.engines.lake.intake.parts import Opened, Part, rows_of
from dizuo.engines.lake.intake.workbook import Beneath, beneath
from dizuo.engines.lake.intake.wrapping import whole
from dizuo.foundation.blueprint.model_source import Source

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

SHEET: Final = 10_000_000
"""Added to the row numbers of every further sheet, so that a line is one row of the delivery."""
_TOP = 10
_FLUSH = 20_000
_EPOCH = dt.datetime(1899, 12, 30)
_SERIAL = range(18_000, 110_000)  # 1949 … 2201 as Excel counts days
_Cell = str | float | int | bool | dt.date | dt.datetime | dt.time | dt.timedelta


@dataclass(frozen=True, slots=True)
class _Table:
    """A sheet whose header was found: the row it ends on (from 0), what was matched, its place among the read ones."""

    sheet: CalamineSheet
    header: int
    heading: Heading
    under: Beneath
    offset: int


@contextmanager
def read_xlsx(path: Path, source: Source, limits: Limits) -> Iterator[Opened]:
    """Open a workbook. Lines are the sheet's row numbers; those of the n-th further sheet begin at n × 10,000,000.

    Sheets with the declared header are read, others are noted with their rows. Errors: FileCut, HeaderDiffers when no
    sheet has the header, those of archives.
    """
    with whole(path, "xlsx", limits) as file:
        under = beneath(file, limits)
        try:
            with calamine.CalamineWorkbook.from_path(str(file)) as book:
                tables, notes = _tables(book, source, under)
                first = tables[0].heading
                heading = Heading(
                    first.width, first.places, first.missing, (*first.notes, *notes, *_formulas(tables))
                )
                yield Opened(heading, _parts(source, tables))
        except calamine.CalamineError as error:
            raise FileCut(f"Excel 文件读不出来（{str(error)[:120]}）") from None


def _tables(
    book: CalamineWorkbook, source: Source, under: dict[str, Beneath]
) -> tuple[list[_Table], list[Note]]:
    tables: list[_Table] = []
    notes: list[Note] = []
    refused: HeaderDiffers | None = None
    for name in book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        if not sheet.height:
            continue
        try:
            row, headers = _header(source, sheet)
            heading = match(source, headers)
        except HeaderDiffers as error:
            refused = refused or error
            notes.append(
                Note("sheet_skipped", f"工作表“{name[:40]}”没有申报的表头，没有读", sheet.total_height)
            )
            continue
        tables.append(_Table(sheet, row, heading, under.get(name, Beneath()), len(tables) * SHEET))
        if row:
            notes.append(Note("title_rows", f"工作表“{name[:40]}”的表头在第 {row + 1} 行，上面的没有读", row))
    if not tables:
        raise refused or HeaderDiffers("工作簿是空的，连表头也没有")
    return tables, notes


def _header(source: Source, sheet: CalamineSheet) -> tuple[int, list[str]]:
    """(row, headers) of the row among the first ten, alone or with the one above it, that says the most declared names."""
    wanted = {plain(column.column) for column in source.columns.values()}
    left = sheet.start[1] if sheet.start else 0
    top = [[_said(cell) for cell in row] for row in islice(sheet.iter_rows(), _TOP)]
    filled = [list(row) for row in top]
    for (top_row, first), (_, last) in sheet.merged_cell_ranges or []:
        if top_row < len(filled):
            row = filled[top_row]
            for column in range(first - left, min(last - left + 1, len(row))):
                row[column] = row[max(first - left, 0)]
    best: tuple[int, int, list[str]] = (0, 0, top[0] if top else [])
    for row, names in enumerate(top):
        for headers in (names, _joined(filled[row - 1], names, wanted)) if row else (names,):
            found = sum(1 for header in headers if plain(header) in wanted)
            if found > best[0]:
                best = (found, row, headers)
    return best[1], best[2]


def _joined(above: Sequence[str], below: Sequence[str], wanted: set[str]) -> list[str]:
    """Headers of two rows: the lower alone when it is declared, else both together, else the upper over nothing."""
    out: list[str] = []
    for upper, lower in zip(above, below, strict=True):
        both = f"{upper}{lower}"
        if plain(both) in wanted or (lower and plain(lower) not in wanted):
            out.append(both)
        else:
            out.append(lower or upper)
    return out


def _said(cell: _Cell) -> str:
    return cell if isinstance(cell, str) else str(cell)


def _formulas(tables: Iterable[_Table]) -> Iterator[Note]:
    for table in tables:
        if table.under.formulas:
            says = f"工作表“{table.sheet.name[:40]}”里有公式，只取了算出来的值"
            yield Note("formula", says, table.under.formulas)
        merged = [r for r in table.sheet.merged_cell_ranges or [] if r[1][0] > table.header]
        if merged:
            says = f"工作表“{table.sheet.name[:40]}”的数据里有合并单元格，只有左上一格有值"
            yield Note("merged_cells", says, len(merged))


def _parts(source: Source, tables: Iterable[_Table]) -> Iterator[Part]:
    for table in tables:
        yield from _Rows(source, table).parts()


class _Rows:
    """Renders the rows of one sheet."""

    def __init__(self, source: Source, table: _Table) -> None:
        self._source = source
        self._table = table
        self._left = table.sheet.start[1] if table.sheet.start else 0
        self._wanted = [(column, table.heading.places.get(id, -1)) for id, column in source.columns.items()]
        self._odd_rows = {row for row, _ in table.under.empty} | {row for row, _ in table.under.errors}

    def parts(self) -> Iterator[Part]:
        numbers: list[int] = []
        rows: list[list[str | None]] = []
        faults: list[Fault] = []
        for at, cells in enumerate(self._table.sheet.iter_rows()):
            if at <= self._table.header or not any(cell != "" for cell in cells):
                continue
            found = self._row(at, cells)
            if isinstance(found, Fault):
                faults.append(found)
            else:
                numbers.append(self._table.offset + at + 1)
                rows.append(found)
            if len(rows) >= _FLUSH:
                yield Part(rows_of(self._source, numbers, rows), faults)
                numbers, rows, faults = [], [], []
        yield Part(rows_of(self._source, numbers, rows), faults)

    def _row(self, at: int, cells: Sequence[_Cell]) -> list[str | None] | Fault:
        out: list[str | None] = []
        for column, place in self._wanted:
            if place < 0 or place >= len(cells):
                out.append(None)
                continue
            cell = cells[place]
            if at in self._odd_rows and (says := self._odd(at, place)):
                return self._fault(at, column.column, "formula", says, cells)
            if isinstance(cell, str):
                out.append(cell or None)
                continue
            text = _rendered(cell, column.as_)
            if text is None:
                return self._fault(at, column.column, "exponent", EXPONENT_SAYS, cells)
            out.append(text)
        return out

    def _odd(self, row: int, place: int) -> str:
        cell = (row, place + self._left)
        if cell in self._table.under.errors:
            return f"这一格的值是错误 {self._table.under.errors[cell]}"
        if cell in self._table.under.empty:
            return "这一格是公式，文件里没有算出来的值；请“粘贴为值”后重新交付"
        return ""

    def _fault(self, at: int, column: str, code: str, says: str, cells: Sequence[_Cell]) -> Fault:
        raw = "\t".join(_said(cell) for cell in cells)
        return Fault(self._table.offset + at + 1, column, code, says, raw)


def _rendered(cell: Any, standard: str) -> str | None:
    """A value as people write it; None for a number that may have lost digits."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, dt.datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, int | float):
        if standard in ("date", "datetime") and int(cell) in _SERIAL:
            when = _EPOCH + dt.timedelta(days=float(cell))
            return f"{when:%Y-%m-%d}" if standard == "date" else f"{when:%Y-%m-%d %H:%M:%S}"
        return number_text(float(cell))
    return str(cell)
