"""Writes what can be found of a dataset: its texts, columns and rows as entries with n-grams. The owner's work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from dizuo.engines.opendata.folding import entry_text, fold, grams, sounds
from dizuo.engines.opendata.model import DatasetSeen
from dizuo.engines.opendata.reads import all_rows
from dizuo.foundation.store import Connection, Pool

ROWS: Final = 20_000
"""Of a larger dataset this many rows can be found by search; all of them by the filters of its page."""
_BATCH: Final = 5_000
_KINDS: Final = {"dataset": 0, "column": 1, "row": 2}
_SPAN: Final = 10**12
COUNTED: Final = 50_000
"""Of more entries than this, a sample of so many is counted."""
_COUNT: Final = """
INSERT INTO opendata.gram SELECT g, (count(*) * $2::float8)::bigint
FROM opendata.entry e TABLESAMPLE SYSTEM ($3::float8) REPEATABLE (1), unnest(e.grams) g
GROUP BY g HAVING count(*) * $2::float8 > $1::float8
"""
_SOUGHT: Final = """
INSERT INTO opendata.sought AS s (dataset, grams) VALUES ($1, $2)
ON CONFLICT (dataset) DO UPDATE SET grams = ARRAY(SELECT unnest(s.grams) UNION SELECT unnest(EXCLUDED.grams))
"""

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
    await conn.execute("DELETE FROM opendata.entry WHERE dataset = $1", dataset)
    await conn.execute("DELETE FROM opendata.sought WHERE dataset = $1", dataset)


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
    """Add entries behind those of their kind, and count their grams. ``conn`` is in a transaction of its own."""
    await conn.execute("SELECT pg_advisory_xact_lock(7070)")
    sought: dict[str, set[int]] = {}
    for at in range(0, len(entries), _BATCH):
        batch = entries[at : at + _BATCH]
        await _write(conn, batch, sought)
    for dataset, together in sought.items():
        await conn.execute(_SOUGHT, dataset, sorted(together))


async def _write(conn: Connection, batch: Iterable[Entry], sought: dict[str, set[int]]) -> None:
    first: dict[str, int] = {}
    records: list[tuple[object, ...]] = []
    for dataset, kind, shown, place, folded in batch:
        if kind not in first:
            low = _KINDS[kind] * _SPAN
            top: Any = await conn.fetchval(
                "SELECT coalesce(max(rank), $1) FROM opendata.entry WHERE rank >= $1 AND rank < $2", low, low + _SPAN
            )  # fmt: skip
            first[kind] = int(top)
        first[kind] += 1
        numbers = grams(folded)
        records.append((first[kind], dataset, kind, shown, place, folded, numbers))
        if kind == "row":
            sought.setdefault(dataset, set()).update(numbers)
    columns = ["rank", "dataset", "kind", "shown", "place", "folded", "grams"]
    await conn.copy_records_to_table("entry", records=records, columns=columns, schema_name="opendata")


async def count_grams(conn: Connection, rare: int = 200) -> None:
    """Count anew how many entries have each gram; once after all datasets are written. ``conn`` is in a transaction.

    Of many entries some are counted and the rest reckoned: the numbers say which way of looking is the quicker one, and
    whatever they say, nothing is missed.
    """
    entries = int(await conn.fetchval("SELECT count(*) FROM opendata.entry"))
    share = min(1.0, COUNTED / max(1, entries))
    await conn.execute("DELETE FROM opendata.gram")
    await conn.execute(_COUNT, float(rare), 1 / share, 100 * share)
    await conn.execute("UPDATE opendata.entry_count SET entries = $1", entries)
