"""The simulated deliveries as a whole: the same bytes every time, every file readable, the truth complete."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from dizuo.cli import main
from dizuo.engines.lake import read_demonstration
from dizuo.engines.lake.simulation import KINDS, SourcesManifest, read_sources, simulate_sources
from dizuo.engines.lake.simulation import blocks as blocks_module
from dizuo.engines.lake.simulation.errors import FolderInUse, NothingToSimulate, SimulationTooLarge
from dizuo.engines.lake.simulation.events import DAILY
from dizuo.engines.lake.simulation.merging import sha256_of
from dizuo.engines.lake.simulation.people import BLOCK, STRIDE
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import SystemNow

ROOT = Path(__file__).resolve().parents[3]
DAY = dt.date(2026, 11, 23)
Row = dict[str, str | None]


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(ROOT / "cities" / "wuxi")


@pytest.fixture(scope="module")
def folder(city: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sources")
    simulate_sources(city, out, people=8_000, seed=5, day=DAY, days=3, block=2_500, workers=1)
    return out


@pytest.fixture(scope="module")
def manifest(folder: Path) -> SourcesManifest:
    return read_sources(folder)


def rows_of(city: City, folder: Path, manifest: SourcesManifest, place: int) -> list[Row]:
    """One delivery's rows by header, read with nothing but its declared format and encoding."""
    file = manifest.deliveries[place]
    path = folder / file.path
    if file.format == "csv":
        with path.open(encoding=file.encoding, newline="") as text:
            return [dict(row) for row in csv.DictReader(text, delimiter=file.delimiter, strict=True)]
    if file.format in ("jsonl", "push"):
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if file.format == "xlsx":
        names, *rest = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        return [{str(n): str(v) or None for n, v in zip(names, row, strict=True)} for row in rest]
    table = pq.read_table(path)
    return table.cast(pa.schema([(name, pa.string()) for name in table.column_names])).to_pylist()


def test_every_file_is_readable_as_declared_and_has_its_rows(
    city: City, folder: Path, manifest: SourcesManifest
) -> None:
    assert "演示数据" in manifest.notice
    assert {file.source for file in manifest.deliveries} == set(city.sources)
    for place, file in enumerate(manifest.deliveries):
        rows = rows_of(city, folder, manifest, place)
        declared = [column.column for column in city.sources[file.source].columns.values()]
        assert len(rows) == file.rows, file.path
        assert sha256_of(folder / file.path) == file.sha256
        if not file.oddity and rows:
            assert list(rows[0]) == declared
        assert file.format == city.sources[file.source].delivery.format


def test_the_household_register_holds_characters_of_four_bytes(
    folder: Path, manifest: SourcesManifest
) -> None:
    file = next(f for f in manifest.deliveries if f.source == "hukou" and f.day == DAY)
    raw = (folder / file.path).read_bytes()
    assert file.encoding == "gb18030"
    assert raw.endswith(b"\r\n")
    text = raw.decode("gb18030")
    long = {c for c in text if len(c.encode("gb18030")) == 4 and c not in "\r\n"}
    assert long, "a name with a rare character"
    with pytest.raises(UnicodeDecodeError):
        raw.decode("gbk")


def test_the_truth_tells_of_every_row_and_only_of_rows(
    city: City, folder: Path, manifest: SourcesManifest
) -> None:
    for place, file in enumerate(manifest.deliveries):
        if "once more" in file.oddity:
            continue
        source = city.sources[file.source]
        truth = pq.read_table(folder / "truth" / f"{file.source}.{file.day}.parquet").to_pylist()
        records = [row["record_id"] for row in truth]
        assert len(records) == len(set(records))
        key = source.columns[source.row_key].column
        keys = {str(row[key]) for row in rows_of(city, folder, manifest, place)}
        named: dict[str, set[str]] = {}
        for record in records:
            one, row_key, mention = record.split(":")
            assert one == source.id
            assert mention in {m.id for m in source.mentions}
            named.setdefault(row_key, set()).add(mention)
        assert set(named) == keys
        assert {kind for row in truth for kind in row["errors"]} <= set(KINDS)
        assert {row["entity_id"][0] for row in truth} <= {"P", "E"}


def test_blocks_do_not_know_each_other_and_never_meet(
    city: City, folder: Path, manifest: SourcesManifest
) -> None:
    for place, file in enumerate(manifest.deliveries):
        if file.day != DAY:
            continue
        source = city.sources[file.source]
        key = source.columns[source.row_key].column
        rows = rows_of(city, folder, manifest, place)
        once = {json.dumps(row, ensure_ascii=False): row[key] for row in rows}
        assert len(once) == len(set(once.values())), "two different rows of one key"
        assert len(rows) - len(once) < 0.01 * len(rows) + 4
    truth = pq.read_table(folder / "truth" / f"hukou.{DAY}.parquet").to_pylist()
    assert len({row["entity_id"] for row in truth}) == len(truth)
    blocks = {int(row["entity_id"][1:]) // STRIDE for row in truth}
    assert blocks == {0, 1, 2, 3}


def test_the_same_seed_gives_the_same_bytes_whatever_the_workers(
    city: City, manifest: SourcesManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = simulate_sources(
        city, tmp_path / "two", people=8_000, seed=5, day=DAY, days=3, block=2_500, workers=2
    )
    assert again == manifest
    other = simulate_sources(city, tmp_path / "other", people=300, seed=6, day=DAY, workers=1)
    assert {f.sha256 for f in other.deliveries}.isdisjoint({f.sha256 for f in manifest.deliveries})


def test_more_days_do_not_change_the_first_delivery(
    city: City, manifest: SourcesManifest, tmp_path: Path
) -> None:
    alone = simulate_sources(
        city, tmp_path / "alone", people=8_000, seed=5, day=DAY, days=0, block=2_500, workers=1
    )
    first = {f.source: f.sha256 for f in manifest.deliveries if f.day == DAY}
    assert {f.source: f.sha256 for f in alone.deliveries} == first


def test_days_hold_changes_of_the_daily_sources_and_the_declared_oddities(manifest: SourcesManifest) -> None:
    later = [file for file in manifest.deliveries if file.day > DAY]
    assert {file.source for file in later} == set(DAILY)
    assert all(file.mode == "changes" for file in later)
    first = sum(file.rows for file in manifest.deliveries if file.day == DAY)
    for day in range(1, 4):
        rows = sum(
            f.rows
            for f in later
            if f.day == DAY + dt.timedelta(days=day) and not f.oddity.startswith("the same")
        )
        assert 0.0005 * first < rows < 0.01 * first
    assert {f.oddity for f in later} - {""} == {
        "extra column 备注", "column 联系电话 renamed 手机号码", "arrives a day late", "the same file once more",
    }  # fmt: skip
    again = next(f for f in later if f.oddity == "the same file once more")
    assert [f.sha256 for f in later].count(again.sha256) == 2
    late = next(f for f in later if f.oddity == "arrives a day late")
    assert late.arrives == late.day + dt.timedelta(days=1)


def test_a_strange_folder_is_left_alone(city: City, tmp_path: Path) -> None:
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "mine.txt").write_text("mine")
    with pytest.raises(FolderInUse):
        simulate_sources(city, tmp_path, people=100, seed=1, day=DAY, workers=1)
    assert (tmp_path / "truth" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(("people", "days"), [(0, 0), (BLOCK * 498, 0), (100, -1), (100, 5_000)])
def test_what_cannot_be_simulated_is_refused_before_anything_is_written(
    city: City, tmp_path: Path, people: int, days: int
) -> None:
    with pytest.raises(SimulationTooLarge):
        simulate_sources(city, tmp_path, people=people, seed=1, day=DAY, days=days, workers=1)
    assert not list(tmp_path.iterdir())


def test_a_city_without_sources_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(NothingToSimulate):
        simulate_sources(
            load_city(ROOT / "cities" / "template"), tmp_path, people=9, seed=1, day=DAY, workers=1
        )


def test_a_hamlet_can_be_simulated_and_sends_snapshots(city: City, tmp_path: Path) -> None:
    for people in (1, 2, 40):
        manifest = simulate_sources(
            city, tmp_path, people=people, seed=people, day=DAY, days=2, snapshots=True, workers=1
        )
        by_day = {f.day: f for f in manifest.deliveries if f.source == "hukou"}
        assert [f.mode for f in by_day.values()] == ["full"] * 3
        assert by_day[DAY + dt.timedelta(days=2)].rows >= by_day[DAY].rows
        assert {f.mode for f in manifest.deliveries if f.source == "marriage"} == {"changes"}


def test_blocks_are_bounded() -> None:
    for people in (1, 99_999, 100_001, 7_500_000):
        plan = blocks_module.Plan(people, 1, DAY, 0)
        sizes = [plan.size(block) for block in range(plan.blocks)]
        assert sum(sizes) == people
        assert max(sizes) <= BLOCK
        assert max(sizes) * 1.5 < STRIDE


def test_the_command_ends_today_and_has_the_cast_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["simulate", "--people", "300", "--workers", "1", "--out"]
    assert main([*command, str(tmp_path / "s"), "--days", "1"]) == 0
    manifest = read_sources(tmp_path / "s")
    assert max(file.day for file in manifest.deliveries) == SystemNow()().date()
    assert manifest.demo == ()
    assert "演示数据" in capsys.readouterr().out
    assert main([*command, str(tmp_path / "c"), "--cast"]) == 0
    told = read_demonstration(tmp_path / "c")
    assert (told.day, told.demo) == (SystemNow()().date(), read_sources(tmp_path / "c").demo)
    assert len(told.demo) > 20
