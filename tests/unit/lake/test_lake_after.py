"""What a load leaves for others: rejected rows as a file, demo characters, who represents which enterprise."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
from pathlib import Path

from police_file import TODAY, Deliver, as_csv, number, only, person

from dizuo.engines.lake import (
    DeliveryFile,
    Manifest,
    demo_subjects,
    load,
    rejected_rows,
    representatives,
    simulate,
)
from dizuo.engines.lake.delivery import write_manifest
from dizuo.engines.lake.numbering import unified_code
from dizuo.foundation.blueprint import City


async def test_rejected_rows_come_back_as_a_file_that_no_spreadsheet_runs(deliver: Deliver, database) -> None:
    report = deliver(as_csv([person(561, 姓名="=1+1"), person(562, 性别="9x")]))
    delivery = only(report).delivery
    assert delivery is not None
    lines = list(csv.reader(io.StringIO("".join(rejected_rows(database, delivery)).removeprefix("\ufeff"))))
    assert lines[0] == ["行号", "原因代码", "栏目", "原因", "原文"]
    assert [line[:3] for line in lines[1:]] == [["2", "formula", "姓名"], ["3", "code", "性别"]]
    assert not any(cell[:1] in "=+-@" for line in lines for cell in line if cell)


async def test_a_whole_invented_city_goes_in(database, declared: City, tmp_path: Path, pg) -> None:
    manifest = simulate(declared, tmp_path / "city", 1_500, 11, TODAY)
    told: list[tuple[str, int, int]] = []
    report = await asyncio.to_thread(
        load,
        database,
        declared,
        tmp_path / "city",
        lambda *step: told.append(step),
        landing=tmp_path / "landing",
    )
    assert not report.refused
    assert report.rejected == 0
    assert sum(f.accepted for f in report.files) == sum(f.rows for f in manifest.files)
    assert told[-1][1] == told[-1][2]
    subjects = demo_subjects(database, manifest)
    assert len(subjects) == len({p.citizen_id for p in manifest.demo})
    owner = next(p for p in manifest.demo if p.acts_for)
    shops = list(representatives(database, declared, tmp_path / "city"))
    assert [s.name for s in shops if s.person == subjects[owner.citizen_id]] == [
        "无锡市梁味坊餐饮有限公司（演示）"
    ]
    async with pg() as conn:
        lin = await conn.fetchrow(
            "SELECT data, sources FROM registers.record WHERE register = 'person' AND superseded_at IS NULL AND data ->> 'name' = '林晓晴'"
        )
    assert set(lin["sources"]) == {"psb", "data", "education", "fund"}
    assert lin["data"]["phone"].startswith("1990000")


async def test_enterprises_out_of_business_are_represented_by_nobody(
    database, declared: City, tmp_path: Path
) -> None:
    header = ("统一社会信用代码", "名称", "法定代表人公民身份号码", "登记状态")
    lines = [
        header,
        (unified_code("91", "320213", 1), "演示甲", number(1), "1"),
        (unified_code("91", "320213", 2), "演示乙", number(1), "3"),
    ]
    raw = "\n".join(",".join(line) for line in lines).encode() + b"\n"
    (tmp_path / "e.csv").write_bytes(raw)
    file = DeliveryFile(
        path="e.csv", department="market", department_name="演示", register="enterprise", register_name="演示", period_from=TODAY,
        period_to=TODAY, encoding="utf-8", rows=2, sha256=hashlib.sha256(raw).hexdigest(),
    )  # fmt: skip
    write_manifest(
        tmp_path, Manifest(notice="演示数据", city="wuxi", today=TODAY, people=0, seed=0, files=(file,))
    )
    assert [r.name for r in representatives(database, declared, tmp_path)] == ["演示甲"]
