"""Departments that deliver a few rows, for the tests of golden records (演示数据)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb

from dizuo.engines.lake.golden import SAYS, Delivery, build, open_golden

TODAY = dt.date(2026, 11, 23)
LIN, WANG, ZHOU, SUN = "320213199403151026", "320211199201011015", "320213198801010020", "320213197001010018"
_TYPES = {
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "integer": "BIGINT",
    "decimal": "DECIMAL(24,4)",
    "boolean": "BOOLEAN",
}


class Desk:
    """Departments that deliver a few rows: standard rows and the identity map as the stages before write them."""

    def __init__(self, city: Any, folder: Path) -> None:
        self.city, self.folder = city, folder
        self.deliveries: list[Delivery] = []
        self.identity: dict[str, int] = {}

    def deliver(
        self,
        source: str,
        rows: list[dict[str, Any]],
        *,
        day: int = 20,
        who: dict[str, list[int | None]],
        mode: str = "",
    ) -> Delivery:
        """``who``: mention → city identity of each row (None: not linked)."""
        spec = self.city.sources[source]
        number = len(self.deliveries) + 1
        path = self.folder / "standard" / source / f"{number}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = []
        for line, row in enumerate(rows, 2):
            cells = [f"{line}::BIGINT AS line", f"'{row[spec.row_key]}' AS row_key"]
            for column in spec.columns.values():
                kind = _TYPES.get(column.as_, "VARCHAR")
                said = row.get(column.id)
                cells.append(f"{'NULL' if said is None else repr(str(said))}::{kind} AS {column.id}")
                if column.as_ == "citizen_id":
                    cells += [
                        f"'{'ok' if said else 'missing'}' AS {column.id}_state",
                        f"NULL::VARCHAR AS {column.id}_other",
                    ]
                if column.as_ == "name" and said:
                    cells += [f"'{said[:1]}' AS {column.id}_surname", f"'{said[1:]}' AS {column.id}_given"]
                if column.as_ == "address":
                    cells.append(
                        f"{'NULL' if said is None else repr('320213001000')}::VARCHAR AS {column.id}_division"
                    )
            parts.append("SELECT " + ", ".join(cells))
            for mention, cids in who.items():
                if (cid := cids[line - 2]) is not None:
                    self.identity[f"{source}:{row[spec.row_key]}:{mention}"] = cid
        with duckdb.connect() as lake:
            lake.execute(f"COPY ({' UNION ALL BY NAME '.join(parts)}) TO '{path}' (FORMAT parquet)")
        delivery = Delivery(source, number, path, dt.date(2026, 11, day), mode=mode)
        self.deliveries.append(delivery)
        return delivery

    def run(self, name: str) -> Any:
        path = self.folder / f"identity-{name}.parquet"
        rows = ", ".join(f"('{record}', {cid}::BIGINT)" for record, cid in self.identity.items())
        with duckdb.connect() as lake:
            lake.execute(
                f"COPY (SELECT * FROM (VALUES {rows}) AS m(record_id, cid)) TO '{path}' (FORMAT parquet)"
            )
        with open_golden(self.folder / "work", memory="512MB", threads=1) as lake:
            return build(lake, self.city, self.deliveries, path, self.folder / name, TODAY)

    def gold(self, run: Any, register: str) -> dict[str, dict[str, Any]]:
        with duckdb.connect() as lake:
            found = lake.execute(f"SELECT * FROM '{run.file(register)}'")
            names = [c[0].removeprefix("v_") for c in found.description]
            return {row[names.index("key")]: dict(zip(names, row, strict=True)) for row in found.fetchall()}

    def fate(self, run: Any, delivery: Delivery) -> dict[int, tuple[str, str]]:
        (told,) = [f for f in run.fates if f.delivery == delivery.id]
        with duckdb.connect() as lake:
            rows = lake.execute(f"SELECT line, fate, code, says FROM '{told.file}' ORDER BY line").fetchall()
        assert all(says == SAYS[code] for _, _, code, says in rows)
        return {line: (fate, code) for line, fate, code, _ in rows}


def hukou(no: str, number: str | None, name: str, **more: Any) -> dict[str, Any]:
    return {"person_no": no, "household_no": "H1", "citizen_id": number, "name": name, "sex": "2", "state": "1",
            "birth_date": "1994-03-15", "relation_to_head": "20", "updated_at": "2026-11-19 10:00:00", **more}  # fmt: skip


def insured(no: str, number: str | None, name: str, **more: Any) -> dict[str, Any]:
    return {"account_no": no, "id_number": number, "name": name, "kind": "1", "state": "1",
            "updated_at": "2026-10-01 08:00:00", **more}  # fmt: skip


def permit(no: str, number: str | None, name: str, **more: Any) -> dict[str, Any]:
    return {
        "permit_no": no,
        "id_number": number,
        "name": name,
        "id_kind": "1",
        "updated_at": "2026-09-01 08:00:00",
        **more,
    }
