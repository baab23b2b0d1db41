"""What the days after the first bring: births, deaths, moves, corrections, each told to the departments it concerns."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from dizuo.engines.lake.simulation import simulate_sources
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.identity import CitizenId

ROOT = Path(__file__).resolve().parents[3]
DAY = dt.date(2026, 11, 23)
DAYS = 4
Rows = dict[tuple[str, int], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(ROOT / "cities" / "wuxi")


@pytest.fixture(scope="module")
def folder(city: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("days")
    simulate_sources(city, out, people=60_000, seed=12, day=DAY, days=DAYS, workers=1)
    return out


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict[tuple[str, int], dict[str, dict[str, Any]]]:
    """By source and day: record → truth."""
    found: dict[tuple[str, int], dict[str, dict[str, Any]]] = {}
    for path in (folder / "truth").iterdir():
        source, day, _ = path.name.split(".")
        table = pq.read_table(path).to_pylist()
        found[source, (dt.date.fromisoformat(day) - DAY).days] = {row["record_id"]: row for row in table}
    return found


def csv_rows(folder: Path, source: str, day: int, encoding: str) -> list[dict[str, str]]:
    path = folder / "deliveries" / source / f"{DAY + dt.timedelta(days=day)}.csv"
    with path.open(encoding=encoding, newline="") as text:
        return list(csv.DictReader(text))


def entities(truth: Any, source: str, day: int, mention: str) -> set[str]:
    return {row["entity_id"] for record, row in truth[source, day].items() if record.endswith(f":{mention}")}


def test_a_child_is_born_registered_and_insured_a_day_later(folder: Path, truth: Any) -> None:
    born: dict[int, set[str]] = {}
    for day in range(1, DAYS + 1):
        path = folder / "deliveries" / "births" / f"{DAY + dt.timedelta(days=day)}.jsonl"
        today = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        fresh = {
            r["出生医学证明编号"]
            for r in today
            if r["出生时间"].startswith(str(DAY + dt.timedelta(days=day)))
        }
        assert fresh
        children = truth["births", day]
        born[day] = {children[f"births:{no}:mother"]["entity_id"] for no in fresh}
    known = set().union(*(entities(truth, "hukou", day, "self") for day in range(DAYS + 1)))
    newborn = {
        row["公民身份号码"]
        for day in range(1, DAYS + 1)
        for row in csv_rows(folder, "hukou", day, "gb18030")
        if row["出生日期"] > f"{DAY:%Y%m%d}"
    }
    assert newborn
    assert all(
        CitizenId.parse(number, DAY + dt.timedelta(days=DAYS)).birth > DAY for number in newborn if number
    )
    assert born[1] & known


def test_the_dead_are_reported_and_taken_off_the_register(folder: Path, truth: Any) -> None:
    for day in range(1, DAYS + 1):
        path = folder / "deliveries" / "deaths" / f"{DAY + dt.timedelta(days=day)}.xlsx"
        names, *rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        died = names.index("死亡日期")
        assert all(row[died] <= DAY + dt.timedelta(days=day) for row in rows)
        dead = {record.split(":")[1]: row["entity_id"] for record, row in truth["deaths", day].items()}
        today = {dead[row[0]] for row in rows if row[died] == DAY + dt.timedelta(days=day) and row[0] in dead}
        off = {
            truth["hukou", day][f"hukou:{row['人员编号']}:self"]["entity_id"]
            for row in csv_rows(folder, "hukou", day, "gb18030")
            if row["人员状态"] == "死亡注销"
        }
        # One in fifty is forgotten by the police.
        assert len(today & off) >= len(today) - 2


def test_what_was_wrong_is_put_right_and_stays_right(truth: Any) -> None:
    right = 0
    for source in ("residence_permits", "medical_insurance", "enterprises"):
        last: dict[str, list[str]] = {r: row["errors"] for r, row in truth[source, 0].items()}
        gone: set[str] = set()
        for day in range(1, DAYS + 1):
            for record, row in truth[source, day].items():
                slips = set(row["errors"]) - {
                    "late",
                    "repeated_row",
                    "phone_missing",
                    "phone_old",
                    "address_old",
                }
                before = set(last.get(record, ())) - {
                    "late",
                    "repeated_row",
                    "phone_missing",
                    "phone_old",
                    "address_old",
                }
                if record in gone:
                    assert not slips
                elif record in last and before and not slips:
                    gone.add(record)
                    right += 1
                elif record in last and before:
                    assert slips >= before, "a slip is repeated until it is corrected"
                last[record] = row["errors"]
    assert right > 5


def test_each_row_keeps_its_entity(truth: Any) -> None:
    seen: dict[str, str] = {}
    for rows in truth.values():
        for record, row in rows.items():
            assert seen.setdefault(record, row["entity_id"]) == row["entity_id"]


def test_new_telephones_reach_the_departments(folder: Path) -> None:
    before = {
        row["医保编号"]: row["手机号"]
        for row in pq.read_table(folder / "deliveries" / "medical_insurance" / f"{DAY}.parquet").to_pylist()
    }
    changed = defaultdict(int)
    for day in range(1, DAYS + 1):
        path = folder / "deliveries" / "medical_insurance" / f"{DAY + dt.timedelta(days=day)}.parquet"
        for row in pq.read_table(path).to_pylist():
            old, new = before.get(row["医保编号"]), row["手机号"]
            if old and new and old != new:
                changed[day] += 1
                assert new.replace(" ", "").startswith(("164", "169", "161", "168"))
    assert all(changed[day] > 3 for day in range(1, DAYS + 1))


def test_new_firms_are_founded_on_their_day(folder: Path) -> None:
    for day in range(1, DAYS + 1):
        date = str(DAY + dt.timedelta(days=day))
        rows = csv_rows(folder, "enterprises", day, "utf-8")
        assert sum(row["成立日期"] == date for row in rows) >= 2
        assert all(row["成立日期"] <= date for row in rows)
