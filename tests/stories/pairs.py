"""Something for stewards to look at: pairs of records that wait, a delivery that is held, one with rows to correct on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from town import Town

STEWARD = "沈博文"
OTHER = "陈志刚"
"""Of the police, whose post minds hukou and residence permits."""
LEFT = {"name": "王建国", "sex": "1", "birth_date": "1985-03-07", "citizen_id": "320211198503071233", "phone": "13800000001",
        "address_rest": "演示路 1 号 2 幢 301 室"}  # fmt: skip
RIGHT = {
    "name": "王建囯",
    "sex": "1",
    "birth_date": "1985-03-07",
    "citizen_id": "320211198503071250",
    "address_rest": "演示路 1 号 2 幢 301 室",
}
EVIDENCE = {
    "steps": [
        {"id": "prior", "what": "起点", "says": "约 7,500,000 人里任取一人", "bits": -22.8, "total": -22.8, "strength": ""},
        {"id": "name", "what": "姓名", "says": "字形相近", "bits": 9.1, "total": -13.7, "strength": "支持"},
        {"id": "citizen_id", "what": "证件号码", "says": "不同，两个都有效", "bits": -4.0, "total": -17.7, "strength": "反对"},
        {"id": "address", "what": "地址", "says": "完全相同", "bits": 18.2, "total": 0.5, "strength": "强烈支持"},
    ],
    "bits": 0.5,
    "probability": 0.586,
    "says": "约 58.6% 的可能是同一人",
}  # fmt: skip
_PAIR = """
INSERT INTO lake.identity_pair (store, run, entity, left_record, right_record, left_cid, right_cid, weight, why, evidence, left_values, right_values, subjects)
SELECT gen_random_uuid(), 1, 'person', $1, $2, 1, 2, 0.5, 'two_numbers', $3, $4, $5, $6 RETURNING id
"""
_DELIVER = """
INSERT INTO lake.source_delivery (source, name, sha256, bytes, format, mode, period, declaration)
VALUES ($1, $2, encode(sha256(convert_to($2, 'UTF8')), 'hex'), 1234567, 'csv', 'full', $3::text::date, 'test') RETURNING id
"""
_WAY = (
    "state = 'read', rows_in = 1000, rows_read = 998, rows_rejected = 2",
    "state = 'standardised', rows_read = 997, rows_rejected = 3",
    "state = 'checked'",
    "state = 'linked'",
    "state = 'published', rows_published = 960, rows_merged = 35, rows_held = 2",
)
_HELD = "state = 'held', held_from = state, why_code = 'dropped', why_says = '比上一批少了 40%。'"


async def ask(
    town: Town, left: str = "hukou:1:self", right: str = "residence_permits:2:self", *subjects: int
) -> int:
    """Put two records before people."""
    return int(
        await town.owner.fetchval(_PAIR, left, right, *(_json(x) for x in (EVIDENCE, LEFT, RIGHT)), list(subjects))
    )  # fmt: skip


def _json(value: Any) -> Any:
    """The town's pools speak JSON by themselves; this only makes sure that it is JSON."""
    return json.loads(json.dumps(value))


async def deliver(town: Town, source: str, period: str, *, held: bool = False) -> int:
    """A delivery of a source: published with 3 rejected and 2 waiting rows, or held as soon as it was read."""
    name = f"{source}-{period}{'-held' if held else ''}.csv"
    id = int(await town.owner.fetchval(_DELIVER, source, name, period))
    for step in (_WAY[0], _HELD) if held else _WAY:
        await town.owner.execute(f"UPDATE lake.source_delivery SET {step} WHERE id = $1", id)
    if not held:
        await town.owner.execute(
            "INSERT INTO lake.source_rejected_kind VALUES ($1, 'read', '', 'columns', 2), ($1, 'standardised', '公民身份号码', 'citizen_id', 1)",
            id,
        )
        _write(town.database.data / "lake", source, id)
    return id


def _write(lake: Path, source: str, id: int) -> None:
    """The files that the stages leave behind, two of the cells such that a spreadsheet would run them."""
    folder = lake / "rejected" / source
    _table(folder / f"{id}.parquet", line=[7, 9], column=["", ""], code=["columns", "columns"], says=["栏数不对。"] * 2,
           raw=['=HYPERLINK("http://example.invalid")', "王,小明"])  # fmt: skip
    _table(
        folder / f"{id}.standard.parquet",
        line=[12],
        column=["公民身份号码"],
        code=["citizen_id"],
        says=["校验码不对。"],
        raw=["@32021"],
    )
    _table(
        lake / "rows" / source / f"{id}.parquet",
        line=[2, 3, 4, 5],
        姓名=["甲", "=乙", "丙", None],
        电话=["1", "2", "3", "4"],
    )
    _table(lake / "golden" / "000001" / "fates" / f"{source}-{id}.parquet", line=[2, 3, 4, 5],
           fate=["published", "held", "merged", "held"], code=["used", "no_identity", "better", "no_key"],
           says=["进了。", "还不知道是谁。", "并了。", "缺主键。"])  # fmt: skip


def _table(path: Path, **columns: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
