"""Reads Parquet: values become text as people write them; numbers that lost digits are not believed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dizuo.engines.lake.intake.arrow import np, pa, pc, pq
from dizuo.engines.lake.intake.checks import EXPONENT_SAYS
from dizuo.engines.lake.intake.csv_reader import read_csv
from dizuo.engines.lake.intake.errors import ArchiveBomb, ContentUnreadable, FileCut
from dizuo.engines.lake.intake.faults import Fault
from dizuo.engines.lake.intake.heading import Heading, match
from dizuo.engines.lake.intake.limits import Limits
from dizuo.engines.lake.intake.objects import number_text
from dizuo.engines.lake.intake.parts import Opened, Part, table_of
from dizuo.engines.lake.intake.wrapping import content_kind, whole
from dizuo.foundation.blueprint.model_source import Source

_BATCH = 65_536
_EAST = dt.timedelta(hours=8)


@contextmanager
def read_parquet(path: Path, source: Source, limits: Limits) -> Iterator[Opened]:
    """Open a Parquet delivery. Rows are numbered from 1.

    Dates and times become ISO text, whole numbers digits, times with a zone the city's clock. Errors: FileCut,
    HeaderDiffers, ContentUnreadable for a nested column, ArchiveBomb.
    """
    with whole(path, "parquet", limits) as file:
        try:
            opened = pq.ParquetFile(file)
        except (pa.ArrowInvalid, OSError) as error:
            raise FileCut(f"Parquet 读不出来（{str(error).splitlines()[0][:120]}）") from None
        with opened:
            _bound(opened, limits)
            schema = opened.schema_arrow
            heading = match(source, schema.names)
            for id, place in heading.places.items():
                _plain_column(source.columns[id].column, schema.field(place).type)
            yield Opened(heading, _parts(source, opened, heading))


@contextmanager
def read_table(path: Path, source: Source, limits: Limits) -> Iterator[Opened]:
    """Open what came from a table: a pull is landed as CSV, a first load of a large one may come as Parquet."""
    reader = read_parquet if content_kind(path) == "parquet" else read_csv
    with reader(path, source, limits) as opened:
        yield opened


def _bound(opened: Any, limits: Limits) -> None:
    meta = opened.metadata
    groups = [meta.row_group(n).total_byte_size for n in range(meta.num_row_groups)]
    if meta.num_rows > limits.rows:
        raise ArchiveBomb(f"有 {meta.num_rows:,} 行，超过 {limits.rows:,} 行")
    if sum(groups) > limits.unpacked:
        raise ArchiveBomb(f"展开超过 {limits.unpacked >> 20:,} MB")
    if max(groups, default=0) > limits.sheet * 2:
        raise ArchiveBomb(f"有一个行组展开超过 {limits.sheet >> 19:,} MB，请把行组写小一些")


def _plain_column(header: str, kind: Any) -> None:
    if pa.types.is_nested(kind):
        raise ContentUnreadable(f"“{header}”一栏是嵌套结构，应当是一个值")


def _parts(source: Source, opened: Any, heading: Heading) -> Iterator[Part]:
    names = opened.schema_arrow.names
    wanted = [names[place] for place in heading.places.values()]
    first = 1
    try:
        for batch in opened.iter_batches(_BATCH, columns=wanted, use_threads=False):
            lines = pa.array(np.arange(first, first + batch.num_rows), pa.int64())
            first += batch.num_rows
            yield _part(source, heading, batch, lines, names)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileCut(f"Parquet 读到第 {first:,} 行读不下去（{str(error).splitlines()[0][:120]}）") from None


def _part(source: Source, heading: Heading, batch: Any, lines: Any, names: list[str]) -> Part:
    columns: dict[str, Any] = {}
    faults: dict[int, tuple[str, str, str]] = {}
    for id, place in heading.places.items():
        header = source.columns[id].column
        text, lossy = as_text(batch.column(names[place]))
        columns[id] = text
        for at in lossy:
            faults.setdefault(at, (header, "exponent", EXPONENT_SAYS))
        for at in _no_text(text):
            faults.setdefault(at, (header, "encoding", "这一格不是 UTF-8 编码的文本"))
            columns[id] = _without(columns[id], at)
    table = table_of(source, lines, columns)
    if not faults:
        return Part(table)
    at = sorted(faults)
    rows = table.take(pa.array(at, pa.int64())).to_pylist()
    told = [Fault(row["line"], *faults[place], "\t".join(row[id] or "" for id in source.columns))
            for place, row in zip(at, rows, strict=True)]  # fmt: skip
    keep = np.ones(len(lines), bool)
    keep[at] = False
    return Part(table.filter(pa.array(keep)), told)


def as_text(values: Any) -> tuple[Any, list[int]]:
    """A column as text ('' becomes null), and the positions of numbers that may have lost digits."""
    kind = values.type
    lossy: list[int] = []
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if pa.types.is_floating(kind):
        numbers = values.to_pylist()
        texts = [None if number is None else number_text(number) for number in numbers]
        lossy = [at for at, number in enumerate(numbers) if number is not None and texts[at] is None]
        lossy = [at for at in lossy if numbers[at] == numbers[at]]  # NaN is how some tools write nothing
        return pa.array([repr(numbers[at]) if at in set(lossy) else t for at, t in enumerate(texts)] if lossy else texts, pa.string()), lossy  # fmt: skip
    if pa.types.is_timestamp(kind):
        if kind.tz is not None:
            values = pc.add(values.cast(pa.timestamp("us")), pa.scalar(_EAST))
        seconds = values.cast(pa.timestamp("s"), safe=False)
        exact = pc.all(pc.equal(seconds.cast(values.type), values)).as_py() is not False
        values = seconds if exact else values
    text = values.cast(pa.string(), safe=False) if not pa.types.is_string(kind) else values
    return pc.if_else(pc.equal(pc.binary_length(text), 0), pa.scalar(None, pa.string()), text), lossy


def _no_text(values: Any) -> list[int]:
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        raw = values.cast(pa.binary()).to_pylist()
        return [at for at, cell in enumerate(raw) if cell is not None and not _utf8(cell)]
    return []


def _utf8(cell: bytes) -> bool:
    try:
        cell.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _without(values: Any, at: int) -> Any:
    mask = np.zeros(len(values), bool)
    mask[at] = True
    return pc.if_else(pa.array(mask), pa.scalar("�", pa.string()), values)
