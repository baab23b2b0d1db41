"""Writes what can be found of a dataset: its texts and columns as entries with n-grams, its rows as chunks with postings.

The owner's work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dizuo.engines.opendata.folding import entry_text, fold, grams, sounds
from dizuo.engines.opendata.model import DatasetSeen
from dizuo.engines.opendata.postings import CHUNK, SPAN, first_rank, pack
from dizuo.engines.opendata.reads import all_rows
from dizuo.foundation.store import Connection, Pool

ROWS: Final = 20_000
"""Of a larger dataset this many rows can be found by search; all of them by the filters of its page."""
_SAID: Final = {"dataset": 0, "column": 1}
_ENTRY: Final = ("rank", "dataset", "kind", "shown", "place", "folded", "grams")
_POSTING: Final = ("gram", "chunk", "entries", "held")

Entry = tuple[str, str, str, str, str]
"""dataset, kind, shown, place, folded"""


async def index_dataset(
    conn: Connection, pool: Pool | Connection, seen: DatasetSeen, names: Mapping[str, str]
) -> int:
    """Write the entries of one dataset anew; ``names`` are what people call its provider and theme. Gives how many.

    A dataset that is not published, or open only to some, has no rows that everybody finds. ``conn`` is in a transaction.
    """
    await forget_entries(conn, seen.id)
    if seen.state != "published":
        return 0
    entries = list(about(seen, names))
    if seen.open_type == "unconditional" and seen.version:
        async for batch in all_rows(pool, seen):
            entries += [
                (seen.id, "row", " · ".join(texts)[:300], str(row.n), entry_text(*texts))
                for row in batch
                if (texts := [value for value in row.data.values() if isinstance(value, str) and value])
            ]
            if len(entries) >= ROWS:
                break
    await write_entries(conn, entries[: ROWS + 200])
    for word in {seen.title, *seen.also, *(column.zh for column in seen.columns)}:
        await conn.execute(
            "INSERT INTO opendata.word (word, sound) VALUES ($1, $2) ON CONFLICT DO NOTHING", fold(word), sounds(word)[0]
        )  # fmt: skip
    return len(entries)


async def forget_entries(conn: Connection, dataset: str) -> None:
    """Nothing of a dataset is found any longer. ``conn`` is in a transaction, or does it at once."""
    await conn.execute(
        "WITH gone AS (DELETE FROM opendata.chunk WHERE dataset = $1) DELETE FROM opendata.entry WHERE dataset = $1",
        dataset,
    )


def about(seen: DatasetSeen, names: Mapping[str, str]) -> Iterator[Entry]:
    """The entries of what is said of a dataset, and of each of its columns."""
    called = " ".join((seen.title, *seen.also))
    said = (seen.title, seen.title_en, *seen.also, names.get(seen.provider, seen.provider), names.get(f"theme.{seen.theme}", ""),
            seen.abstract, seen.abstract_en, seen.spatial)  # fmt: skip
    yield seen.id, "dataset", seen.title, "", entry_text(*said, sounding=called)
    for column in seen.columns:
        yield (
            seen.id,
            "column",
            column.zh,
            column.id,
            entry_text(column.zh, column.en, column.id, column.says, sounding=column.zh),
        )


async def write_entries(conn: Connection, entries: Sequence[Entry]) -> None:
    """Add entries behind those of their kind, rows by dataset. ``conn`` is in a transaction of its own."""
    await conn.execute("SELECT pg_advisory_xact_lock(7070)")
    rows: dict[str, list[Entry]] = {}
    said: dict[str, list[Entry]] = {}
    for entry in entries:
        (rows if entry[1] == "row" else said).setdefault(
            entry[0] if entry[1] == "row" else entry[1], []
        ).append(entry)
    for kind, some in said.items():
        await _write_said(conn, kind, some)
    for dataset, some in rows.items():
        for at in range(0, len(some), CHUNK):
            await _write_chunk(conn, dataset, some[at : at + CHUNK])


async def _write_said(conn: Connection, kind: str, entries: Sequence[Entry]) -> None:
    low = _SAID[kind] * SPAN
    top: Any = await conn.fetchval(
        "SELECT coalesce(max(rank), $1) FROM opendata.entry WHERE rank >= $1 AND rank < $2", low, low + SPAN
    )
    records = [(rank, *entry, grams(entry[4])) for rank, entry in enumerate(entries, int(top) + 1)]
    await conn.copy_records_to_table("entry", records=records, columns=_ENTRY, schema_name="opendata")


async def _write_chunk(conn: Connection, dataset: str, entries: Sequence[Entry]) -> None:
    chunk: Any = await conn.fetchval(
        "INSERT INTO opendata.chunk (dataset, entries) VALUES ($1, $2) RETURNING id", dataset, len(entries)
    )
    records = [(rank, *entry, ()) for rank, entry in enumerate(entries, first_rank(chunk))]
    await conn.copy_records_to_table("entry", records=records, columns=_ENTRY, schema_name="opendata")
    places: defaultdict[int, list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        for number in grams(entry[4]):
            places[number].append(place)
    held = [(gram, chunk, len(some), pack(some, len(entries))) for gram, some in sorted(places.items())]
    await conn.copy_records_to_table("posting", records=held, columns=_POSTING, schema_name="opendata")
