"""What became of every row that came in: published, merged, held or rejected, with the reason in words.

published  a value of the row stands in a golden record
merged     the row belongs to a record that others describe better or newer, or says nothing that a register keeps
held       the row has no record yet: whose it is is not decided, or its number is somebody else's, or a key is missing
rejected   the row could not be standardised (its own file says why)
"""

# ruff: noqa: S608 - statements are put together from declared identifiers and file names
from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dizuo.engines.lake.golden.errors import GoldenUnaccounted
from dizuo.engines.lake.golden.plan import Plan, RegisterPlan
from dizuo.engines.lake.golden.staging import Delivery, quoted

SAYS = {
    "used": "这一行的内容已进入登记簿。",
    "newer": "同一记录有更新的内容，这一行已合并。",
    "superseded": "同一行后来又交付过，以新的为准。",
    "better": "这些字段以数源部门的内容为准，这一行已合并。",
    "nothing_to_add": "登记簿不保存这一行的内容，已与本人身份合并。",
    "no_identity": "这一行是谁还没有认定，正在等待核对。",
    "no_key": "缺少登记簿的主键，补上后才能入库。",
    "no_record": "这个主体还没有登记，等登记部门交付后入库。",
    "number_taken": "证件号码已属于另一个人，正在等待核对。",
}
"""Reason code → one sentence for the department."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the rows of one delivery, in numbers; ``file`` lists every row (line, fate, code, says)."""

    source: str
    delivery: int
    rows: int
    published: int
    merged: int
    held: int
    rejected: int
    file: Path


def fates(
    lake: duckdb.DuckDBPyConnection, plan: Plan, deliveries: Iterable[Delivery], folder: Path
) -> tuple[Fate, ...]:
    """Tell the fate of every row of the deliveries that were not told before.

    Errors: GoldenUnaccounted when a row would end in none of the four or in two of them.
    """
    told: list[Fate] = []
    by_source: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        if not delivery.told and delivery.source in plan.sources:
            by_source.setdefault(delivery.source, []).append(delivery)
    for source, own in by_source.items():
        _judge(lake, plan, source)
        told += [_tell(lake, delivery, folder) for delivery in own]
    return tuple(told)


def _judge(lake: duckdb.DuckDBPyConnection, plan: Plan, source: str) -> None:
    """Table ``fate`` (delivery, line, code) of the rows of one source that were staged."""
    registers = [register for register in plan.registers if source in register.sources]
    used: list[str] = []
    member: list[str] = []
    why: list[str] = []
    for register in registers:
        used.append(_used(register, source))
        key = "cid" if register.entity else "key"
        member.append(
            f"SELECT r.delivery, r.line FROM rows_{register.id}_{source} AS r SEMI JOIN gold_{register.id} AS g ON g.{key} = r.k"
        )
        if register.entity:
            why.append(
                f"SELECT r.delivery, r.line, 'number_taken' AS code FROM rows_{register.id}_{source} AS r"
                f" SEMI JOIN number_taken_{register.entity} AS x ON x.cid = r.k"
            )
        why.append(f"SELECT delivery, line, 'no_record' AS code FROM rows_{register.id}_{source}")
        why += _unfed(plan, register, source)
    nothing = "SELECT 0 AS delivery, 0::BIGINT AS line WHERE false"
    lake.execute(
        f"CREATE OR REPLACE TEMP TABLE row_used AS SELECT DISTINCT delivery, line FROM ({' UNION ALL '.join(used) or nothing})"
    )
    lake.execute(
        f"CREATE OR REPLACE TEMP TABLE row_member AS SELECT DISTINCT delivery, line FROM ({' UNION ALL '.join(member) or nothing})"
    )
    lake.execute(
        "CREATE OR REPLACE TEMP TABLE row_why AS SELECT delivery, line,"
        " min_by(code, list_position(['number_taken', 'no_identity', 'no_key', 'no_record'], code)) AS code FROM ("
        + (" UNION ALL ".join(why) or f"SELECT *, '' AS code FROM ({nothing})")
        + ") GROUP BY ALL"
    )
    lake.execute(
        "CREATE OR REPLACE TEMP TABLE fate AS"
        " SELECT r.delivery, r.line, CASE WHEN u.line IS NOT NULL THEN 'used' WHEN m.line IS NOT NULL THEN 'better'"
        " ELSE coalesce(w.code, 'nothing_to_add') END AS code"
        f" FROM in_{source} AS r LEFT JOIN row_used AS u USING (delivery, line) LEFT JOIN row_member AS m USING (delivery, line)"
        " LEFT JOIN row_why AS w USING (delivery, line)"
        f" UNION ALL SELECT delivery, line, 'superseded' FROM out_{source}"
    )


def _used(register: RegisterPlan, source: str) -> str:
    """Rows that a value was taken from: the newest of each record, and older ones for single fields."""
    i = register.sources.index(source)
    spoke = [field for field in register.fields if source in field.order]
    newest = " OR ".join(
        f"(\"s_{f.id}\" = {i} AND NOT list_contains(coalesce(list_transform(o_{source}, lambda x: x.field), []), '{f.id}'))"
        for f in spoke
    )
    plain = " OR ".join(f'"s_{f.id}" = {i}' for f in spoke)
    one_of = " OR ".join(f"(x.field = '{f.id}' AND \"s_{f.id}\" = {i})" for f in spoke)
    gold = f"gold_{register.id}"
    return (
        f"SELECT d_{source} AS delivery, l_{source} AS line FROM {gold} WHERE o_{source} IS NULL AND ({plain})"
        f" UNION ALL SELECT d_{source}, l_{source} FROM {gold} WHERE o_{source} IS NOT NULL AND ({newest})"
        f" UNION ALL SELECT x.delivery, x.line FROM (SELECT *, unnest(o_{source}) AS x FROM {gold}"
        f" WHERE o_{source} IS NOT NULL) WHERE {one_of}"
    )


def _unfed(plan: Plan, register: RegisterPlan, source: str) -> list[str]:
    """Rows that a feed should have taken and could not: nobody knows whose they are, or they have no key."""
    found: list[str] = []
    for feed in register.feeds_of(source):
        when = f" AND when_{feed.nth}" if feed.feed.when is not None else ""
        mention = next((m for m in plan.sources[source].mentions if m.id == feed.feed.of), None)
        if mention is not None and mention.when is None:
            found.append(
                f"SELECT delivery, line, 'no_identity' AS code FROM in_{source} WHERE cid_{mention.id} IS NULL{when}"
            )
        column = feed.feed.fields.get(register.key)
        if column and not register.entity:
            found.append(
                f"SELECT delivery, line, 'no_key' AS code FROM in_{source} WHERE \"{column}\" IS NULL{when}"
            )
    return found


def _tell(lake: duckdb.DuckDBPyConnection, delivery: Delivery, folder: Path) -> Fate:
    says = " ".join(f"WHEN '{code}' THEN '{text}'" for code, text in SAYS.items())
    kinds = (
        "CASE WHEN code = 'used' THEN 'published' WHEN code IN ('no_identity', 'no_key', 'no_record', 'number_taken') THEN 'held'"
        " ELSE 'merged' END"
    )
    # A full delivery that a newer one replaced before it was ever published has no staged rows: all of it is superseded.
    rows = (
        f"SELECT s.line, coalesce(f.code, 'superseded') AS code FROM read_parquet({quoted(delivery.standard)}) AS s"
        f" LEFT JOIN (SELECT line, code FROM fate WHERE delivery = {delivery.id}) AS f USING (line)"
    )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / f"{delivery.source}-{delivery.id}.parquet"
    beside = file.with_suffix(".part")
    rejected = _rejected(lake, delivery)
    lake.execute(
        f"COPY (SELECT line, {kinds} AS fate, code, CASE code {says} END AS says FROM ({rows}) ORDER BY line)"
        f" TO {quoted(beside)} (FORMAT parquet, COMPRESSION zstd)"
    )
    os.replace(beside, file)
    counted = dict(
        lake.execute(f"SELECT fate, count(*) FROM read_parquet({quoted(file)}) GROUP BY fate").fetchall()
    )
    whole = lake.execute(
        f"SELECT count(*), count(DISTINCT line) FROM read_parquet({quoted(delivery.standard)})"
    ).fetchone()
    total = sum(int(n) for n in counted.values())
    if whole is None or int(whole[0]) != total or int(whole[1]) != total:
        missing = abs((int(whole[0]) if whole else 0) - total) or 1
        raise GoldenUnaccounted(delivery=f"{delivery.source}/{delivery.id}", missing=missing)
    return Fate(
        delivery.source,
        delivery.id,
        total + rejected,
        int(counted.get("published", 0)),
        int(counted.get("merged", 0)),
        int(counted.get("held", 0)),
        rejected,
        file,
    )


def _rejected(lake: duckdb.DuckDBPyConnection, delivery: Delivery) -> int:
    files = [quoted(path) for path in delivery.rejected if path.exists()]
    if not files:
        return 0
    row = lake.execute(
        f"SELECT count(DISTINCT line) FROM read_parquet([{', '.join(files)}], union_by_name = true)"
    ).fetchone()
    return int(row[0]) if row else 0
