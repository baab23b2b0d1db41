# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""A workbook with one sheet, streamed row group by row group: text in the cells, real dates where a date is declared.

Made by hand because a sheet of a quarter of a million rows must neither be held in memory nor depend on the clock
(the same rows give the same bytes).
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pyarrow as pa

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.text import Column, pc

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>'
    '<sheet name="数据" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_REL}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_REL}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '</numFmts><fonts count="1"><font/></fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="164" applyNumberFormat="1"/>'
    "</cellXfs></styleSheet>",
}
_EPOCH = np.datetime64("1899-12-30", "D")


class Workbook:
    """Writes rows of text; columns in `dates` hold ISO dates and become date cells."""

    def __init__(self, path: Path, names: list[str], dates: set[str]) -> None:
        self._zip = ZipFile(path, "w", ZIP_DEFLATED, compresslevel=3)
        for part, body in _PARTS.items():
            self._zip.writestr(_info(part), _HEAD + body)
        self._letters = [_letters(place) for place in range(len(names))]
        self._dates = [name in dates for name in names]
        self._sheet = self._zip.open(_info("xl/worksheets/sheet1.xml"), "w", force_zip64=True)
        cells = "".join(_cell(letter, 1, name) for letter, name in zip(self._letters, names, strict=True))
        self._sheet.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData><row r="1">{cells}</row>'.encode())
        self._row = 1

    def write(self, columns: list[Column]) -> None:
        """Rows under the last ones."""
        count = len(columns[0])
        if not count:
            return
        line = text.plain(np.arange(self._row + 1, self._row + 1 + count))
        parts: list[Column | str] = ['<row r="', line, '">']
        for letter, column, date in zip(self._letters, columns, self._dates, strict=True):
            parts.append(
                pc.fill_null(
                    _date_cell(letter, line, column) if date else _text_cell(letter, line, column), ""
                )
            )
        rows = text.join(*parts, "</row>")
        self._sheet.write(rows.buffers()[2].to_pybytes())
        self._row += count

    def __enter__(self) -> Workbook:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()
        self._zip.close()


def _text_cell(letter: str, line: Column, column: Column) -> Column:
    safe = text.replaced(text.replaced(column, "&", "&amp;"), "<", "&lt;")
    return text.join(
        f'<c r="{letter}', line, '" t="inlineStr"><is><t xml:space="preserve">', safe, "</t></is></c>"
    )


def _date_cell(letter: str, line: Column, column: Column) -> Column:
    days = np.asarray(column.cast(pa.date32())).astype("datetime64[D]")
    number = pa.array((days - _EPOCH).astype(np.int64), mask=np.isnat(days)).cast(pa.string())
    return text.join(f'<c r="{letter}', line, '" s="1"><v>', number, "</v></c>")


def _cell(letter: str, row: int, value: str) -> str:
    return f'<c r="{letter}{row}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def _letters(place: int) -> str:
    word = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        word = chr(65 + rest) + word
    return word


def _info(name: str) -> ZipInfo:
    info = ZipInfo(name, (2026, 1, 1, 0, 0, 0))
    info.compress_type = ZIP_DEFLATED
    return info
