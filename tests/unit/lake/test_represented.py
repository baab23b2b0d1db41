"""Who represents which enterprise, from the golden records that were published last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from dizuo.engines.lake import DeliveryFolderUnusable, DemoPerson, demo_subjects, read_demonstration
from dizuo.engines.lake.pipeline import Published
from dizuo.engines.lake.represented import representatives
from dizuo.foundation.blueprint import City

LIN, ZHOU = "320211199603071026", "320204198510018575"
ROWS = """
SELECT * FROM (VALUES
    (1, '91320213DEMJRH779D', '320204198510018575', '梁味坊', '1', DATE '2026-10-30'),
    (2, '91320213DEM000001X', '320204198510018575', '歇业的', '5', DATE '2026-10-30'),
    (3, '91320213DEM000002X', NULL, '没有代表的', '1', DATE '2026-10-30'),
    (4, 'T20000000000000007', '320211199603071026', '没有代码的', '1', DATE '2026-10-30'),
    (5, '91320213DEM000003X', '320211199603071026', NULL, '1', DATE '2020-01-02')
) AS e(cid, key, v_legal_citizen_id, v_name, v_state, valid_from)
"""


def run(data: Path, number: int, rows: str = ROWS) -> None:
    """A published run of the lake with these enterprises."""
    folder = data / "lake" / "golden" / f"{number:06d}"
    folder.mkdir(parents=True)
    with duckdb.connect() as lake:
        lake.execute(f"COPY ({rows}) TO '{folder / 'enterprise.parquet'}' (FORMAT parquet)")
    (folder.parent / "published.json").write_bytes(msgspec.json.encode(Published(last=number)))


async def test_only_who_is_in_business_and_known_is_represented(
    database: Any, declared: City, tmp_path: Path
) -> None:
    assert list(representatives(database, declared, tmp_path)) == []
    run(tmp_path, 1)
    found = list(representatives(database, declared, tmp_path))
    assert [(one.name, str(one.as_of)) for one in found] == [
        ("91320213DEM000003X", "2020-01-02"),
        ("梁味坊", "2026-10-30"),
    ]
    people = [DemoPerson("zhou", ZHOU, "周立新", "", ""), DemoPerson("lin", LIN, "林晓晴", "", "")]
    subjects = demo_subjects(database, people)
    assert [one.person for one in found] == [subjects[LIN], subjects[ZHOU]]
    assert len({one.enterprise for one in found}) == 2
    # Asked again, everybody is who they were.
    assert list(representatives(database, declared, tmp_path)) == found


async def test_the_last_published_run_counts(database: Any, declared: City, tmp_path: Path) -> None:
    run(tmp_path, 1)
    run(tmp_path, 2, f"{ROWS} WHERE v_name = '梁味坊'")
    assert [one.name for one in representatives(database, declared, tmp_path)] == ["梁味坊"]


async def test_a_city_without_delivered_enterprises_has_no_representatives(
    database: Any, declared: City, tmp_path: Path
) -> None:
    run(tmp_path, 1)
    (tmp_path / "lake" / "golden" / "000001" / "enterprise.parquet").unlink()
    assert list(representatives(database, declared, tmp_path)) == []


async def test_what_a_later_run_did_not_touch_still_stands(
    database: Any, declared: City, tmp_path: Path
) -> None:
    run(tmp_path, 1)
    run(tmp_path, 2, f"{ROWS} WHERE v_name = '梁味坊'")
    later = tmp_path / "lake" / "golden" / "000002"
    (later / "run.json").write_text('{"run": {"builds_on": "000001"}}')
    (later / "touched").mkdir()
    with duckdb.connect() as lake:
        told = later / "touched" / "enterprise.parquet"
        lake.execute(f"COPY (SELECT 1 AS k) TO '{told}' (FORMAT parquet)")
    names = [one.name for one in representatives(database, declared, tmp_path)]
    assert names == ["91320213DEM000003X", "梁味坊"]


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"demo": 5}'])
def test_a_folder_without_a_whole_manifest_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DeliveryFolderUnusable):
        read_demonstration(tmp_path)


def test_a_manifest_tells_the_day_and_who_may_be_chosen(tmp_path: Path) -> None:
    person = DemoPerson("lin", LIN, "林晓晴", "新手妈妈", "New mother")
    text = msgspec.json.encode({"kind": "simulation/1", "day": "2026-11-23", "people": 7, "demo": [person]})
    (tmp_path / "manifest.json").write_bytes(text)
    told = read_demonstration(tmp_path)
    assert (str(told.day), told.demo) == ("2026-11-23", (person,))
