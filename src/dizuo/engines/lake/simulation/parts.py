# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""A block's share of a delivery, written apart and put together afterwards in the order of blocks.

CSV and JSON lines are written as the bytes they will be; what is put together into Parquet or XLSX is kept as Arrow.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.dice import Dice, Ints
from dizuo.engines.lake.simulation.rates import KINDS, RATES, TRAITS
from dizuo.engines.lake.simulation.rows import Rows
from dizuo.engines.lake.simulation.text import Column, pc
from dizuo.foundation.blueprint.model_source import Source

REPEATED = np.int64(1 << KINDS.index("repeated_row"))
_LINE_ENDS = {"gb18030": "\r\n"}


def header(source: Source, renamed: tuple[str, str], extra: str) -> list[str]:
    """The headers of a delivery; `renamed` exchanges one for another, `extra` adds one."""
    names = [column.column for column in source.columns.values()]
    names = [renamed[1] if name == renamed[0] else name for name in names]
    return [*names, extra] if extra else names


def csv_head(source: Source, names: list[str]) -> bytes:
    """The first line of a CSV delivery, with the byte order mark where the source has one."""
    how = source.delivery
    end = _LINE_ENDS.get(how.encoding, "\n")
    return ((how.delimiter or ",").join(names) + end).encode(how.encoding)


def csv_lines(source: Source, columns: list[Column]) -> bytes:
    """Rows of a CSV delivery in its encoding; cells are quoted only where they must be."""
    how = source.delivery
    delimiter = how.delimiter or ","
    cells = [_quoted(pc.fill_null(column, ""), delimiter) for column in columns]
    end = _LINE_ENDS.get(how.encoding, "\n")
    lines = pc.binary_join_element_wise(pc.binary_join_element_wise(*cells, delimiter), end, "")
    return _encoded(lines, how.encoding)


def _quoted(cells: Column, delimiter: str) -> Column:
    needs = np.asarray(pc.or_(pc.match_substring(cells, delimiter), pc.match_substring(cells, '"')))
    if not needs.any():
        return cells
    doubled = text.replaced(text.some(cells, needs), '"', '""')
    return text.put(cells, needs, text.join('"', doubled, '"'))


def json_lines(names: list[str], columns: list[Column]) -> bytes:
    """Rows of a JSON lines delivery: one object a line, null where nothing is known."""
    parts: list[Column | str] = []
    for place, (name, column) in enumerate(zip(names, columns, strict=True)):
        escaped = text.replaced(text.replaced(column, "\\", "\\\\"), '"', '\\"')
        value = pc.fill_null(text.join('"', escaped, '"'), "null")
        parts += [("{" if place == 0 else ",") + f'"{name}":', value]
    return _encoded(text.join(*parts, "}\n"), "utf-8")


def _encoded(lines: Column, encoding: str) -> bytes:
    """The bytes of an Arrow string array laid end to end, which is how it keeps them already."""
    if not len(lines):
        return b""
    data = lines.buffers()[2].to_pybytes()
    return data if encoding.startswith("utf-8") else data.decode("utf-8").encode(encoding)


def arrow(names: list[str], columns: list[Column], path: Path) -> None:
    """Rows kept as an Arrow file until they are put together."""
    table = pa.table(columns, names=names)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def repeats(source: str, dice: Dice, rows: Rows, numbers: Ints, day: int) -> Ints:
    """The rows' places in the order of delivery, some of them twice, and the truth told about it."""
    places = np.arange(len(rows), dtype=np.int64)
    twice = dice.chance(f"repeated/{day}", numbers, RATES[source].repeated_row)
    for said in rows.said:
        said.errors[twice] |= REPEATED
    copies = np.flatnonzero(twice)
    where = np.concatenate([places, np.minimum(copies + 1 + copies % 40, len(rows) - 1)])
    return np.concatenate([places, copies])[np.argsort(where, kind="stable")]


TRUTH = pa.schema(
    [
        ("record_id", pa.string()),
        ("entity_id", pa.string()),
        ("errors", pa.list_(pa.string())),
        ("traits", pa.list_(pa.string())),
    ]
)


def truth(source: Source, rows: Rows, path: Path) -> int:
    """The truth of all mentions of a block's rows, as an Arrow file; how many mentions.

    As in the declaration of sources: whose name and numbers are all empty in a row is not mentioned by it.
    """
    declared = {mention.id: mention for mention in source.mentions}
    count = 0
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, TRUTH) as writer:
        for said in rows.said:
            by = declared[said.mention]
            empty = [text.isnull(rows.columns[c]) for c in (by.name, by.citizen_id, by.uscc) if c]
            present = said.present & ~np.logical_and.reduce(empty)
            record = text.join(f"{rows.source}:", text.some(rows.key, present), f":{said.mention}")
            table = pa.table(
                [record, text.some(said.entity, present), _words(said.errors[present], KINDS),
                 _words(said.traits[present], TRAITS)],
                schema=TRUTH,
            )  # fmt: skip
            writer.write_table(table)
            count += len(record)
    return count


def _words(bits: Ints, kinds: tuple[str, ...]) -> Column:
    """Lists of the kinds whose bits are set."""
    some = np.flatnonzero(bits)
    flags = (bits[some, None] >> np.arange(len(kinds))) & 1
    _, kind = np.nonzero(flags)
    sizes = np.zeros(len(bits), np.int64)
    sizes[some] = flags.sum(axis=1)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    values = text.column(kinds).take(pa.array(kind))
    return pa.ListArray.from_arrays(pa.array(offsets), values)
