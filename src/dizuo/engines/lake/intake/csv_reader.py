"""Reads CSV (UTF-8 with or without byte order mark, GB 18030 and therefore GBK), also as pulled from a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dizuo.engines.lake.intake.arrow import pc
from dizuo.engines.lake.intake.csv_records import Cutter, Records
from dizuo.engines.lake.intake.errors import ContentUnreadable, HeaderDiffers
from dizuo.engines.lake.intake.heading import Heading, Note, match, plain
from dizuo.engines.lake.intake.limits import Limits
from dizuo.engines.lake.intake.lines import SAID, Lines
from dizuo.engines.lake.intake.parts import Opened, Part, table_of
from dizuo.engines.lake.intake.wrapping import unfolded
from dizuo.foundation.blueprint.model_source import Source

_DELIMITERS = {",": "逗号", ";": "分号", "\t": "制表符", "|": "竖线", "，": "全角逗号"}


@contextmanager
def read_csv(path: Path, source: Source, limits: Limits) -> Iterator[Opened]:
    """Open a CSV delivery. Lines are physical lines, the header's is 1; a quoted line break belongs to its record.

    Errors: ContentUnreadable (empty, UTF-16, no text), HeaderDiffers, those of wrappers.
    """
    with unfolded(path, source.delivery.format, limits) as stream:
        lines = Lines(stream)
        if not lines.head:
            raise ContentUnreadable("文件是空的，连表头也没有")
        encoding, headers, notes = _header(source, lines.first_line())
        heading = match(source, headers)
        if notes:
            heading = Heading(heading.width, heading.places, heading.missing, (*notes, *heading.notes))
        yield Opened(heading, _parts(source, lines, heading, encoding), delimiter_of(source))


def delimiter_of(source: Source) -> str:
    """The declared delimiter; what is pulled from a table is written with commas."""
    return "," if source.delivery.format == "table" else source.delivery.delimiter or ","


def _header(source: Source, line: bytes) -> tuple[str, list[str], tuple[Note, ...]]:
    """(encoding, headers, notes): the encoding in which the header says the most declared names."""
    table = source.delivery.format == "table"
    declared = "utf-8" if table or source.delivery.encoding.startswith("utf-8") else "gb18030"
    other = "gb18030" if declared == "utf-8" else "utf-8"
    wanted = {plain(column.column) for column in source.columns.values()}
    best: tuple[int, str, list[str]] = (-1, declared, [])
    for encoding in (declared,) if table else (declared, other):
        headers = _split(line.decode(encoding, "replace"), delimiter_of(source))
        found = len({plain(header) for header in headers} & wanted)
        if found > best[0]:
            best = (found, encoding, headers)
    found, encoding, headers = best
    if not found:
        _other_delimiter(source, line, (declared, other), wanted)
    if encoding == declared:
        return encoding, headers, ()
    says = f"申报的编码是 {SAID[declared]}，文件实际是 {SAID[encoding]}，已按实际的读"
    return encoding, headers, (Note("encoding_differs", says),)


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), list[str]())
    except csv.Error:
        return line.split(delimiter)


def _other_delimiter(source: Source, line: bytes, encodings: tuple[str, str], wanted: set[str]) -> None:
    declared = delimiter_of(source)
    for encoding in encodings:
        text = line.decode(encoding, "replace")
        for other, word in _DELIMITERS.items():
            if other != declared and len({plain(header) for header in text.split(other)} & wanted) > 1:
                said = _DELIMITERS.get(declared, declared)
                raise HeaderDiffers(f"申报用{said}分隔，文件里用的是{word}")


def _parts(source: Source, lines: Lines, heading: Heading, encoding: str) -> Iterator[Part]:
    cutter = Cutter(heading.width, delimiter_of(source), tuple(range(heading.width)))
    last = 2
    for block in lines.blocks(encoding):
        last = block.first + block.text.count(b"\n")
        if block.faults:
            yield Part(table_of(source, [], {}), block.faults)
        for records in cutter.cut(block.first, block.text, False):
            yield _part(source, heading, records)
    for records in cutter.cut(last, b"", True):
        yield _part(source, heading, records)


def _part(source: Source, heading: Heading, records: Records) -> Part:
    columns: dict[str, Any] = {id: records.columns[place] for id, place in heading.places.items()}
    table = table_of(source, records.lines, columns)
    # A line without anything in any cell, declared or not, is no row; spreadsheets leave them at the end by the thousand.
    key = columns[source.row_key]
    if key.null_count:
        blank = pc.is_null(key)
        for column in records.columns.values():
            blank = pc.and_(blank, pc.is_null(column))
        if pc.any(blank).as_py():
            table = table.filter(pc.invert(blank))
    return Part(table, records.faults)
