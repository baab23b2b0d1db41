"""Day after day: a run that makes only what it touches stands where a run that makes everything anew stands."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import duckdb
import pytest
from golden_desk import TODAY, Desk, hukou, insured, permit

from dizuo.engines.lake.golden import (
    build,
    open_golden,
    plan_of,
    put_together,
    records_of,
)
from dizuo.foundation.blueprint import load_city

ROOT = Path(__file__).resolve().parents[3]
NUMBERS = [f"32021319{n:02}0101{n:02}1{n % 10}" for n in range(40, 64)]


@pytest.fixture(scope="module")
def city() -> Any:
    return load_city(ROOT / "cities" / "wuxi")


class Days(Desk):
    """Departments that deliver day after day, and an identity map that says since when somebody is whose."""

    def __init__(self, city: Any, folder: Path) -> None:
        super().__init__(city, folder)
        self.day = 0
        self.mapped: dict[str, tuple[int, int]] = {}
        self.held: set[int] = set()
        self.last: Path | None = None

    def map_file(self, name: str) -> Path:
        for record, cid in self.identity.items():
            if self.mapped.get(record, (None, 0))[0] != cid:
                self.mapped[record] = (cid, self.day)
        path = self.folder / f"identity-{name}.parquet"
        rows = ", ".join(
            f"('{r}', {cid}::BIGINT, {since}::INTEGER)" for r, (cid, since) in self.mapped.items()
        )
        with duckdb.connect() as lake:
            lake.execute(
                f"COPY (SELECT * FROM (VALUES {rows}) AS m(record_id, cid, since)) TO '{path}' (FORMAT parquet)"
            )
        return path

    def map_in_parts(self) -> Path:
        """The same map as identity leaves it: everybody of the first day, and what each day since has changed."""
        self.map_file("now")
        now = self.folder / "identity-now.parquet"
        first = self.folder / "parts" / "map.parquet"
        of_today = first.parent / "changed" / f"{self.day:06d}.parquet"
        of_today.parent.mkdir(parents=True, exist_ok=True)
        if self.day == 1:
            now.replace(first)
        else:
            with duckdb.connect() as lake:
                lake.execute(f"COPY (FROM '{now}' WHERE since = {self.day}) TO '{of_today}' (FORMAT parquet)")
        return first

    def made(self, deliveries: list[Any], name: str, *, follows: Path | None, keep: bool) -> Any:
        path = self.map_in_parts() if keep else self.map_file(name)
        with open_golden(self.folder / "work", memory="512MB", threads=1) as lake:
            return build(
                lake, self.city, deliveries, path, self.folder / name, TODAY,
                follows=follows, keep=self.folder / "kept.duckdb" if keep else None,
            )  # fmt: skip

    def next_day(self) -> tuple[Any, Any]:
        """Today's run, and the same made from nothing."""
        self.day += 1
        self.map_file("now")
        seen = [d for d in self.deliveries if d.id not in self.held]
        run = self.made(seen, f"{self.day:06d}", follows=self.last, keep=True)
        anew = self.made(seen, f"anew-{self.day}", follows=None, keep=False)
        self.last = run.folder
        return run, anew

    def told(self) -> None:
        """Today's fates are known: tomorrow tells those of tomorrow's rows."""
        self.deliveries = [
            type(d)(d.source, d.id, d.standard, d.period, d.rejected, d.id not in self.held, d.mode)
            for d in self.deliveries
        ]


def standing(days: Days, folder: Path, register: Any) -> list[Any]:
    with duckdb.connect() as lake:
        columns = "key, cid, valid_from, valid_to, " + ", ".join(
            f'"{kind}_{name}"'
            for kind, names in (
                ("v", [f.id for f in register.fields]), ("s", [f.id for f in register.fields]),
                ("d", register.sources), ("l", register.sources), ("a", register.sources), ("o", register.sources),
            ) for name in names)  # fmt: skip
        return lake.execute(
            f"SELECT {columns} FROM {records_of(folder, register)} ORDER BY key, cid"
        ).fetchall()


def same(days: Days, run: Any, anew: Any) -> None:
    plan = plan_of(days.city, frozenset(d.source for d in days.deliveries))
    assert run.records == anew.records
    for register in plan.registers:
        assert standing(days, run.folder, register) == standing(days, anew.folder, register), register.id
    assert [(f.source, f.delivery, f.rows, f.published, f.merged, f.held) for f in run.fates] == [
        (f.source, f.delivery, f.rows, f.published, f.merged, f.held) for f in anew.fates
    ]
    for one, other in zip(run.fates, anew.fates, strict=True):
        with duckdb.connect() as lake:
            rows = [
                lake.execute(f"SELECT line, fate, code FROM '{f.file}' ORDER BY line").fetchall()
                for f in (one, other)
            ]
        assert rows[0] == rows[1]


class Chance:
    """What departments and identity may do on a day, by lot."""

    def __init__(self, days: Days, seed: int) -> None:
        self.days, self.lot = days, random.Random(seed)

    def at(self, day: int | None = None) -> str:
        return f"2026-11-{(day or 1 + self.days.day):02} {self.lot.randrange(24):02}:{self.lot.randrange(60):02}:00"

    def somebody(self) -> tuple[int, str | None]:
        n = self.lot.randrange(len(NUMBERS) - 2)
        return n, self.lot.choice([NUMBERS[n], NUMBERS[n], NUMBERS[n], None, NUMBERS[n + 1]])

    def person(self, n: int) -> int | None:
        return self.lot.choice([100 + n, 100 + n, 100 + n, 100 + n, 100 + n + self.lot.randrange(2), None])

    def several(self, source: str, most: int) -> tuple[list[dict[str, Any]], dict[str, list[int | None]]]:
        rows: list[dict[str, Any]] = []
        who: list[int | None] = []
        other: list[int | None] = []
        for _ in range(self.lot.randint(1, most)):
            n, number = self.somebody()
            name, phone = (
                self.lot.choice("赵钱孙李周") + str(self.lot.randrange(3)),
                self.lot.choice([None, f"1380000{n:04}"]),
            )
            if source == "hukou":
                rows.append(hukou(str(n), number, name, updated_at=self.at(), relation_to_head=self.lot.choice(["01", "20"]),
                                  household_no=f"H{n % 5}", mother_citizen_id=self.lot.choice([None, NUMBERS[n + 1]])))  # fmt: skip
            elif source == "medical_insurance":
                rows.append(
                    insured(f"M{n + self.lot.randrange(2)}", number, name, phone=phone, updated_at=self.at())
                )
            elif source == "residence_permits":
                rows.append(permit(f"P{n}", number, name, phone=phone, updated_at=self.at()))
            else:
                m, wife = self.somebody()
                other.append(self.person(m))
                rows.append({"registration_no": f"J{n % 7}", "husband_name": name, "husband_id": number, "wife_name": name, "wife_id": wife,
                             "kind": self.lot.choice("12"), "registered_on": "2020-05-20", "updated_at": self.at(),
                             "ends": self.lot.choice([None, f"J{m % 7}"])})  # fmt: skip
            who.append(self.person(n))
        if source == "marriage":
            return rows, {"husband": who, "wife": other}
        return rows, {"self": who}

    def deliver(self, source: str, most: int, mode: str = "") -> None:
        rows, who = self.several(source, most)
        late = self.lot.random() < 0.2
        self.days.deliver(
            source, rows, day=max(1, 1 + self.days.day - (3 if late else 0)), who=who, mode=mode
        )
        if self.lot.random() < 0.15:
            self.days.held.add(len(self.days.deliveries))  # nobody sees it yet

    def judge(self) -> None:
        """Merges, splits and moves: rows that nobody delivers anew become somebody else's."""
        for record in self.lot.sample(sorted(self.days.identity), min(3, len(self.days.identity))):
            self.days.identity[record] = 100 + self.lot.randrange(len(NUMBERS))
        if self.lot.random() < 0.5:
            one, other = self.lot.sample(range(100, 100 + len(NUMBERS)), 2)
            for record, cid in self.days.identity.items():
                if cid == one:
                    self.days.identity[record] = other


SOURCES = ("hukou", "medical_insurance", "residence_permits", "marriage")


@pytest.mark.parametrize("seed", [0])
def test_many_days_by_lot_stand_where_everything_made_anew_stands(
    city: Any, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes, late and held deliveries, snapshots that drop rows, merges and splits, numbers that two people claim."""
    days = Days(city, tmp_path)
    chance = Chance(days, seed)
    for source in SOURCES:
        chance.deliver(source, 25)
    days.held.clear()
    run, anew = days.next_day()
    assert not run.builds_on
    same(days, run, anew)
    days.told()
    followed = 0
    for day in range(3):
        chance.judge()
        for source in chance.lot.sample(SOURCES, 2):
            chance.deliver(source, 6, mode="changes")
        if day == 1:
            chance.deliver("hukou", 20, mode="full")
        if day == 2:
            days.held.clear()
            days.held.add(
                chance.lot.choice([d.id for d in days.deliveries[4:] if d.told])
            )  # a steward took one back
        run, anew = days.next_day()
        followed += bool(run.builds_on)
        same(days, run, anew)
        days.told()
    assert followed == 3
    plan = plan_of(city, frozenset(d.source for d in days.deliveries))
    before = {register.id: standing(days, run.folder, register) for register in plan.registers}
    with duckdb.connect() as lake:
        assert not put_together(lake, plan, run.folder)
        assert put_together(lake, plan, run.folder, longest=3)
    assert {register.id: standing(days, run.folder, register) for register in plan.registers} == before


def test_every_declared_source_may_send_changes(city: Any, tmp_path: Path) -> None:
    """Whatever a source calls its columns, a day of it is a day: all of them once, then each with one row more and one anew."""
    days = Days(city, tmp_path)

    def everybody(keys: str, mode: str, moment: str) -> None:
        for nth, source in enumerate(city.sources.values()):
            rows = [{source.row_key: f"{source.id}{key}", source.as_of: moment} for key in keys]
            who: dict[str, list[int | None]] = {
                m.id: [(1000 if m.entity == "enterprise" else 0) + 10 * nth + int(key) for key in keys]
                for m in source.mentions
            }
            days.deliver(source.id, rows, day=1 + days.day, who=who, mode=mode)

    everybody("123", "full", "2026-11-01 00:00:00")
    days.day = 1
    days.last = days.made(days.deliveries, "000001", follows=None, keep=True).folder
    days.told()
    everybody("34", "changes", "2026-11-02 00:00:00")
    run, anew = days.next_day()
    assert run.builds_on
    same(days, run, anew)
