"""A9 over what departments really delivered: sampled columns of the lake's files, counts only."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as arrow_parquet
import pytest

from dizuo.engines.exchange import catalogue
from dizuo.engines.exchange.catalogue.deriving import drafts
from dizuo.engines.exchange.catalogue.lake_content import contents_found, holds_citizen_id
from dizuo.engines.lake import intake
from dizuo.foundation.blueprint import City
from dizuo.foundation.blueprint.model_source import Source
from dizuo.foundation.store import Pool

pa: Any = arrow
pq: Any = arrow_parquet


@pytest.fixture
async def published(app_pool: Pool, declared: City, now: datetime) -> City:
    await catalogue.publish_catalogue(app_pool, declared, now)
    return declared


def delivered_rows(
    data: Path, source: Source, delivery: int, rows: list[dict[str, str | None]], group: int = 50
) -> Path:
    """A delivery as the lake keeps it, in row groups of ``group``."""
    columns = {"line": list(range(2, len(rows) + 2))}
    columns |= {name: [row.get(name) for row in rows] for name in source.columns}
    file = intake.Places.of(data).rows(source.id, delivery)
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), file, row_group_size=group)
    return file


def low_columns(city: City) -> tuple[Source, list[str]]:
    """A source with two columns of level L1 or L2 that are not personal, and their ids."""
    for draft in drafts(city):
        plain = [
            field.id for field in draft.resource.fields if field.level in ("L1", "L2") and not field.personal
        ]
        if draft.resource.source and len(plain) > 2:
            return city.sources[draft.resource.source], plain[:2]
    raise AssertionError("every column is personal")


async def test_the_audit_reads_what_the_lake_holds(
    app_pool: Pool, owner_pool: Pool, published: City, now: datetime, tmp_path: Path
) -> None:
    """Only the newest delivery counts; numbers stand far behind in a file of many row groups."""
    source, (first, second) = low_columns(published)
    clean = [{first: "甲", second: "110105194912310021"} for _ in range(400)]  # a wrong check digit is none
    bad = [{first: "附言 11010519491231002X", second: "乙"} for _ in range(200)]
    delivered_rows(tmp_path, source, 3, clean)
    found = {one.field: one for one in contents_found(tmp_path, [source.id, "never_came"])[source.id]}
    assert (found[first].seen, found[first].citizen_ids, found[second].citizen_ids) == (200, 0, 0)
    await catalogue.audit_catalogue(app_pool, published, now, data=tmp_path)
    known = {one.about for one in await catalogue.findings(app_pool, rule="A9")}
    delivered_rows(tmp_path, source, 10, clean + bad)
    await catalogue.audit_catalogue(app_pool, published, now, data=tmp_path)
    (ticket,) = [one for one in await catalogue.findings(app_pool, rule="A9") if one.about not in known]
    assert ticket.about.partition("#")[2] == first
    assert ticket.params["share"] == "25.0%"
    rows = await owner_pool.fetch(
        "SELECT to_jsonb(f)::text AS told FROM exchange.finding f UNION ALL SELECT body::text FROM ledger.entry"
    )
    assert not [row for row in rows if row["told"] and "11010519491231002" in row["told"]]
    # What was sent again without them is found no more.
    delivered_rows(tmp_path, source, 11, clean)
    await catalogue.audit_catalogue(app_pool, published, now, data=tmp_path)
    assert {one.about for one in await catalogue.findings(app_pool, rule="A9")} == known


def test_a_file_that_is_no_parquet_is_left_out(city: City, tmp_path: Path) -> None:
    source, _ = low_columns(city)
    delivered_rows(tmp_path, source, 4, [{}]).write_bytes(b"PAR1 cut")
    assert contents_found(tmp_path, [source.id]) == {}
    delivered_rows(tmp_path, source, 5, [])
    assert contents_found(tmp_path, [source.id]) == {}


@pytest.mark.parametrize(
    ("text", "holds"),
    [("11010519491231002X", True), ("11010519491231002x。", True), ("号110105194912310021", False), ("9110105194912310020", False),
     ("111010519491231002X", False), ("", False), ("11010519491231002", False)],
)  # fmt: skip
async def test_the_lake_and_the_registers_know_a_number_alike(
    app_pool: Pool, owner_pool: Pool, text: str, holds: bool
) -> None:
    assert holds_citizen_id(text) is holds
    assert await owner_pool.fetchval("SELECT registers.holds_citizen_id($1)", text) is holds
