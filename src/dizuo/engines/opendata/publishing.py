"""Publishes the declared datasets: make, guard, inspect, and only then release; the owner's work, at start and by command.

Each dataset is a transaction of its own: one that cannot be made or does not pass the gate keeps nobody else from it, and
its last good version stays where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import asyncpg
import msgspec

from dizuo.engines.opendata import counted, hiding, indexing, making, noise
from dizuo.engines.opendata.errors import BudgetSpent, DomainUnknown, MakeFailed
from dizuo.engines.opendata.gate import Finding, inspect, passes
from dizuo.engines.opendata.making import MadeRow
from dizuo.engines.opendata.model import FORMATS
from dizuo.engines.opendata.reads import dataset as read_dataset
from dizuo.engines.registers import Dimension, count_records
from dizuo.foundation.blueprint.kinds_dataset import THEMES
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.blueprint.model_dataset import Dataset
from dizuo.foundation.store import Connection

Statistics = Mapping[str, Callable[[], Awaitable[Sequence[Mapping[str, object]]]]]
Outcome = Literal["released", "same", "refused", "spent", "failed"]
_BATCH: Final = 2_000
_KEPT_VERSIONS: Final = 5
_SAY = """
INSERT INTO opendata.dataset AS d (id, title, title_en, abstract, abstract_en, provider, theme, open_type, condition, condition_en,
    cycle, licence, spatial, temporal, also, fields, formats, shapes, made)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, title_en = excluded.title_en, abstract = excluded.abstract,
    abstract_en = excluded.abstract_en, provider = excluded.provider, theme = excluded.theme, open_type = excluded.open_type,
    condition = excluded.condition, condition_en = excluded.condition_en, cycle = excluded.cycle, licence = excluded.licence,
    spatial = excluded.spatial, temporal = excluded.temporal, also = excluded.also, fields = excluded.fields,
    formats = excluded.formats, shapes = excluded.shapes, made = excluded.made, changed_at = now()
WHERE d.origin = 'declared'
"""
_REPORT = """
INSERT INTO opendata.gate_report (dataset, by, passed, rows, digest, findings, entry)
VALUES ($1, $2, $3, $4, $5, $6, ledger.append('opendata.gate', jsonb_build_object('dataset', $1::text, 'passed', $3::boolean,
    'rows', $4::bigint, 'digest', encode($5::bytea, 'hex'), 'by', $2::text), NULL, NULL)) RETURNING id
"""
_RELEASE = "SELECT opendata.release($1, $2, $3, $4, $5, $6, $7, $8)"
_ROWS = """
INSERT INTO opendata.row (dataset, version, n, data, shape)
SELECT $1, $2, r.n, r.data, r.shape FROM jsonb_to_recordset($3) AS r (n bigint, data jsonb, shape jsonb)
"""


class Published(msgspec.Struct, frozen=True):
    """What became of one dataset: a new version, the same as before, refused by the gate, out of budget, or not made."""

    dataset: str
    outcome: Outcome
    version: int
    findings: tuple[Finding, ...] = ()
    why: str = ""


class Release(msgspec.Struct, frozen=True):
    """Rows ready for the gate; ``table`` when they are counts; ``made_from`` tells whether anything is new."""

    rows: Sequence[MadeRow]
    table: counted.Table | None
    made_from: bytes
    epsilon: float = 0.0
    accuracy: float | None = None


async def publish_datasets(
    conn: Connection,
    city: City,
    folder: Path,
    day: date,
    statistics: Statistics,
    *,
    by: str = "dizuo",
    only: str = "",
) -> tuple[Published, ...]:
    """Publish every declared dataset, or ``only`` one. ``conn`` is the owner's; ``day`` is that of ages and periods.

    Datasets that are declared no longer are withdrawn. Errors: the connection's; what is wrong with one dataset is told
    in its outcome.
    """
    told: list[Published] = []
    for dataset in city.datasets.values():
        if not only or dataset.id == only:
            told.append(await _publish(conn, city, dataset, folder, day, statistics, by))
    if not only:
        gone: Any = await conn.fetch(
            "UPDATE opendata.dataset SET state = 'withdrawn', changed_at = now() WHERE origin = 'declared'"
            " AND state = 'published' AND id <> ALL ($1::text[]) RETURNING id",
            list(city.datasets),
        )
        for row in gone:
            await indexing.forget_entries(conn, row["id"])
    if any(one.outcome == "released" for one in told):
        await conn.execute("ANALYZE opendata.entry, opendata.posting")
    return tuple(told)


async def _publish(
    conn: Connection, city: City, dataset: Dataset, folder: Path, day: date, statistics: Statistics, by: str
) -> Published:
    await conn.execute(_SAY, *_said(city, dataset))
    before: Any = await conn.fetchrow(
        "SELECT d.version, v.made_from FROM opendata.dataset d LEFT JOIN opendata.version v"
        " ON v.dataset = d.id AND v.version = d.version WHERE d.id = $1", dataset.id
    )  # fmt: skip
    version = int(before["version"])
    if dataset.open_type == "closed":
        return Published(dataset.id, "same", version)  # said in the declarations, and nowhere else
    try:
        noisy = _period_digest(dataset, day) if dataset.gate.guard == "noise" else None
        if noisy is not None and before["made_from"] == noisy:
            return Published(dataset.id, "same", version)
        ready = await make(conn, city, dataset, folder, day, statistics)
    except (MakeFailed, DomainUnknown) as error:
        return Published(dataset.id, "failed", version, why=error.message)
    if before["made_from"] == ready.made_from:
        return Published(dataset.id, "same", version)
    rows = [row for row, _ in ready.rows]
    findings = inspect(dataset, rows, ready.table)
    digest = digest_of(ready.rows)
    passed = passes(findings)
    report = await conn.fetchval(
        _REPORT, dataset.id, by, passed, len(rows), digest, msgspec.to_builtins(findings)
    )
    if not passed:
        return Published(dataset.id, "refused", version, findings)
    try:
        async with conn.transaction():
            version = await _release(conn, dataset, ready, report, digest)
            seen = await read_dataset(conn, dataset.id)
            await indexing.index_dataset(conn, conn, seen, names_of(city))
    except asyncpg.PostgresError as error:
        if getattr(error, "sqlstate", "") != "DZ071":
            raise
        return Published(dataset.id, "spent", version, why=BudgetSpent(dataset=dataset.id).message)
    return Published(dataset.id, "released", version, findings)


async def _release(conn: Connection, dataset: Dataset, ready: Release, report: int, digest: bytes) -> int:
    version = int(
        await conn.fetchval(
            _RELEASE, dataset.id, report, len(ready.rows), digest, ready.made_from, ready.epsilon,
            dataset.gate.budget, ready.accuracy,
        )
    )  # fmt: skip
    for at in range(0, len(ready.rows), _BATCH):
        batch = [
            {"n": at + place, "data": data, "shape": shape}
            for place, (data, shape) in enumerate(ready.rows[at : at + _BATCH], 1)
        ]
        await conn.execute(_ROWS, dataset.id, version, batch)
    told = {"quality": quality_of(dataset, [row for row, _ in ready.rows])}
    await conn.execute("UPDATE opendata.dataset SET extras = extras || $2 WHERE id = $1", dataset.id, told)
    await conn.execute(
        "DELETE FROM opendata.row WHERE dataset = $1 AND version <= $2", dataset.id, version - _KEPT_VERSIONS
    )
    return version


async def make(
    conn: Connection, city: City, dataset: Dataset, folder: Path, day: date, statistics: Statistics
) -> Release:
    """The rows of a dataset, guarded as declared and not yet inspected. Errors: MakeFailed, DomainUnknown."""
    made = dataset.made
    if made.count is not None:
        return await _counted(conn, city, dataset, day)
    if made.declared is not None:
        rows = making.declared_rows(city, dataset)
    elif made.file:
        rows = making.file_rows(dataset, (folder / made.file).read_bytes())
    else:
        supply = statistics.get(str(made.statistic))
        if supply is None:
            raise MakeFailed(dataset=dataset.id, why=f"没有统计 {made.statistic}")
        rows = [(making.in_columns(dataset, row), None) for row in await supply()]
    rows = making.points(dataset, rows)
    return Release(rows, None, digest_of(rows))


async def _counted(conn: Connection, city: City, dataset: Dataset, day: date) -> Release:
    count, gate = dataset.made.count, dataset.gate
    assert count is not None
    by = [Dimension(one.of, one.as_, one.width, one.top) for one in count.by]
    numbers = await count_records(conn, count.register, by, count.where, day)
    dimensions = [one.column for one in count.by]
    table = counted.table(city, dataset, numbers, closed=gate.guard == "noise")
    if gate.guard == "noise":
        table = noise.noised(table, gate.epsilon)
    table = counted.with_totals(table, dimensions, gate.totals)
    if gate.guard == "suppress":
        table = hiding.hidden(table, gate.least)
    rows: list[MadeRow] = [
        (making.in_columns(dataset, row), None) for row in counted.rows_of(city, dataset, table)
    ]
    if gate.guard == "noise":
        return Release(rows, table, _period_digest(dataset, day), gate.epsilon, noise.accuracy(gate.epsilon))
    return Release(rows, table, digest_of(rows))


def quality_of(dataset: Dataset, rows: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """How complete the rows are: the share of cells that say something, and the empty ones by column."""
    # What was hidden to protect people is no gap, and the note why it was is no datum.
    told = [name for name in dataset.fields if name != "note"]
    gaps = {name: sum(row.get(name) in (None, "") and not row.get("note") for row in rows) for name in told}
    cells = len(rows) * len(told)
    full = 1.0 if not cells else 1 - sum(gaps.values()) / cells
    return {"complete": round(full, 6), "gaps": {name: gap for name, gap in gaps.items() if gap}}


def digest_of(rows: Sequence[MadeRow]) -> bytes:
    """SHA-256 of the rows in their order: one JSON array ``[{values}, shape]`` a line, keys as written."""
    total = hashlib.sha256()
    for data, shape in rows:
        total.update(msgspec.json.encode([data, shape]) + b"\n")
    return total.digest()


def _period_digest(dataset: Dataset, day: date) -> bytes:
    """What a noised release depends on: the declaration and the period, never the records, so that whether there is a new
    release says nothing about anybody."""
    period = {
        "daily": day.isoformat(),
        "weekly": "{}-W{}".format(*day.isocalendar()[:2]),
        "monthly": f"{day:%Y-%m}",
        "quarterly": f"{day.year}-Q{(day.month + 2) // 3}",
        "half_yearly": f"{day.year}-H{(day.month + 5) // 6}",
    }.get(dataset.cycle, str(day.year))
    said = msgspec.to_builtins([dataset.id, dataset.made.count, dataset.gate, period])
    return hashlib.sha256(msgspec.json.encode(said)).digest()


def _said(city: City, dataset: Dataset) -> list[object]:
    fields = [
        {
            "id": one.id, "zh": one.name.zh, "en": one.name.en, "type": one.type, "says": one.says.zh,
            "says_en": one.says.en, "unit": one.unit, "facet": one.facet,
        }
        for one in dataset.fields.values()
    ]  # fmt: skip
    formats = [*FORMATS, *(["geojson"] if dataset.shapes else [])]
    return [
        dataset.id, dataset.title.zh, dataset.title.en, dataset.abstract.zh, dataset.abstract.en, dataset.provider,
        dataset.theme, dataset.open_type, dataset.condition.zh, dataset.condition.en, dataset.cycle, dataset.licence,
        dataset.spatial.zh, dataset.temporal.zh, list(dataset.also), fields, formats, dataset.shapes,
        _made(city, dataset),
    ]  # fmt: skip


def _made(city: City, dataset: Dataset) -> dict[str, object]:
    """From what it is made and how it is guarded, as its page tells."""
    made, gate = dataset.made, dataset.gate
    way = next(key for key in ("declared", "file", "statistic", "count") if getattr(made, key))
    told: dict[str, object] = {"way": way, "of": made.declared or made.file or made.statistic or ""}
    if made.count is not None:
        told["of"] = made.count.register
        told["name"] = city.registers[made.count.register].name.zh
        told["by"] = [one.column for one in made.count.by]
    if gate.least or gate.guard == "noise":
        told |= {"guard": gate.guard, "least": gate.least, "epsilon": gate.epsilon, "budget": gate.budget}
    return told


def names_of(city: City) -> dict[str, str]:
    """What people call providers (by id) and themes (``theme.id``)."""
    units = {one.id: f"{one.name.zh} {one.short.zh} {one.name.en}" for one in city.organisations.values()}
    return {**units, **{f"theme.{theme}": name for theme, name in THEMES.items()}}
