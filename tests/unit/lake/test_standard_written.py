"""A statement that was kept gives the very rows of one that is worked out anew, on any day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from standard_sample import kinds, rows, sources, wuxi

from dizuo.engines.lake.standard import Outputs, Standards, open_engine, standardise
from dizuo.engines.lake.standard import run as step
from dizuo.engines.lake.standard.written import Days, Written

SOURCE = "credit"
DAYS = [dt.date(2026, 11, 23), dt.date(2026, 11, 24), dt.date(2027, 1, 9), dt.date(2031, 7, 9)]


def landed(folder: Path, source: str) -> Path:
    declared = sources()[source]
    schema = pa.schema([(n, pa.int64() if n == "line" else pa.string()) for n in kinds(declared)])
    pq.write_table(pa.table(rows(declared, 60), schema=schema), folder / "raw.parquet")
    return folder / "raw.parquet"


def made(raw: Path, source: str, day: dt.date, folder: Path, kept: Path | None) -> list[Any]:
    out = Outputs(*(folder / f"{name}.parquet" for name in ("s", "m", "r", "f")))
    told = standardise(
        raw, sources()[source], Standards.of(wuxi().city, day), out, day - dt.timedelta(days=1),
        open_engine("1GB", 1), kept,
    )  # fmt: skip
    paths = (out.standard, out.mentions, out.rejected, folder / "f.parquet")
    return [told, *(sorted(map(str, pq.read_table(path).to_pylist())) for path in paths)]


def test_kept_or_not_the_rows_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw, kept = landed(tmp_path, SOURCE), tmp_path / "kept"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    for day in DAYS[:2]:
        made(raw, SOURCE, day, tmp_path / "one", kept)
    assert all(msgspec.json.decode(path.read_bytes())["template"] for path in kept.glob("*.json"))
    anew = made(raw, SOURCE, DAYS[-1], tmp_path / "two", None)
    # By now every statement is known: nobody works one out again.
    for work in ("standard_rows", "rejected_rows", "mentions", "failing_rows", "rule_counts", "fault_counts"):
        monkeypatch.setattr(step, work, lambda *_: pytest.fail("worked out again"))
    assert made(raw, SOURCE, DAYS[-1], tmp_path / "one", kept) == anew


class Desk:
    """A statement with a small table in memory and two dates, and how often it was worked out."""

    def __init__(self, folder: Path, version: str = "1") -> None:
        self.engine = open_engine("1GB", 1)
        self.written = Written(folder / "kept", sources()[SOURCE], version)
        self.folder, self.worked = folder, 0

    def rows(self, today: dt.date, how: Callable[[Days], Any] | None = None) -> list[dict[str, Any]]:
        def make(of: Days) -> Any:
            self.worked += 1
            return (how or self.plain)(of)

        statement = self.written.statement(
            self.engine, "toy", Days(today, today - dt.timedelta(days=3)), make
        )
        self.written.run(self.engine, statement, self.folder / "out.parquet")
        return pq.read_table(self.folder / "out.parquet").to_pylist()

    @staticmethod
    def plain(of: Days) -> Any:
        held = ibis.memtable({"n": [1, 2], "said": ["a", "20310709"]})
        return held.mutate(
            today=ibis.literal(of.today),
            delivered=ibis.literal(of.delivered),
            short=ibis.literal(f"{of.today:%Y%m%d}"),
        )

    @staticmethod
    def told(day: dt.date) -> list[dict[str, Any]]:
        rest = {"today": day, "delivered": day - dt.timedelta(days=3), "short": f"{day:%Y%m%d}"}
        return [{"n": 1, "said": "a", **rest}, {"n": 2, "said": "20310709", **rest}]


def test_only_dates_are_put_in_and_tables_are_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for worked, day in zip((1, 4, 4, 4, 4), [*DAYS, dt.date(2032, 8, 6)], strict=True):
        assert desk.rows(day) == Desk.told(day)
        assert desk.worked == worked
    again = Desk(tmp_path)
    assert again.rows(DAYS[0]) == Desk.told(DAYS[0])
    assert again.worked == 0


def test_a_day_that_is_reckoned_with_is_worked_out_every_time(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    def adults(of: Days) -> Any:
        return ibis.memtable({"n": [1]}).mutate(
            since=ibis.literal(of.today.replace(year=of.today.year - 18, day=1))
        )

    for day in DAYS:
        assert desk.rows(day, adults)[0]["since"] == day.replace(year=day.year - 18, day=1)
    assert desk.worked == 1 + 3 + 1 + 1


def test_other_declarations_are_other_statements(tmp_path: Path) -> None:
    for day in DAYS:
        Desk(tmp_path).rows(day)
    other = Desk(tmp_path, version="2")
    assert other.rows(DAYS[0]) == Desk.told(DAYS[0])
    assert other.worked == 1


@pytest.mark.parametrize("damage", ["{", '{"days": 3}', ""])
def test_what_is_damaged_is_written_again(tmp_path: Path, damage: str) -> None:
    desk = Desk(tmp_path)
    for day in DAYS:
        desk.rows(day)
    (kept,) = (tmp_path / "kept").glob("*.json")
    kept.write_text(damage)
    assert desk.rows(DAYS[0]) == Desk.told(DAYS[0])


def test_a_lost_table_is_written_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for day in DAYS:
        desk.rows(day)
    (table,) = (tmp_path / "kept").glob("*.parquet")
    table.unlink()
    assert Desk(tmp_path).rows(DAYS[0]) == Desk.told(DAYS[0])
