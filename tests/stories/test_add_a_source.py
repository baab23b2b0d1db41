"""A department's fifteenth source, added by following docs/do/add-a-source.md to the letter: no Python, in six steps."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from dizuo.engines.lake.intake import Places, land, read_file
from dizuo.foundation.blueprint import check_city, sources_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "do" / "add-a-source.md").read_text(encoding="utf-8")
NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
# Invented, with right check digits where a number is right (演示数据).
SAMPLE = """个人账号,姓名,证件号码,单位名称,单位统一社会信用代码,缴存状态,月缴存额,更新时间
320200001,演示甲,320211199001011231,演示有限公司,,正常,1200.50,2026-11-20 09:00:00
320200002,演示乙,,演示有限公司,,停缴,0,2026-11-20 09:00:00
,演示丙,,演示有限公司,,正常,800,2026-11-20 09:00:00
"""


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A copy of the city with the file that the page writes."""
    folder = tmp_path / "wuxi"
    shutil.copytree(ROOT / "cities" / "wuxi", folder)
    (folder / "sources" / "housing_fund.yaml").write_text(declared(), encoding="utf-8")
    return folder


def declared() -> str:
    return "".join(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))


def test_the_page_has_at_most_six_steps() -> None:
    steps = re.findall(r"^## ([0-9])\. ", PAGE, re.MULTILINE)
    assert steps == [str(n + 1) for n in range(len(steps))]
    assert len(steps) <= 6


def test_the_file_of_the_page_is_clean_and_feeds_what_it_says(city: Path) -> None:
    report = check_city(city)
    assert report.render() == ""
    assert report.city is not None
    assert report.counts["source"] == 15
    (origin,) = sources_of(report.city, "person")["fund_account"]
    assert (origin.source, origin.header) == ("housing_fund", "个人账号")


def test_what_the_page_says_about_telephones_is_what_the_checker_says(city: Path) -> None:
    file = city / "sources" / "housing_fund.yaml"
    text = declared().replace(
        "  - {id: monthly,", "  - {id: phone, column: 手机号, as: phone, personal: true}\n  - {id: monthly,"
    )
    text = text.replace("{fund_account: account_no}", "{fund_account: account_no, phone: phone}")
    file.write_text(text, encoding="utf-8")
    (finding,) = check_city(city).findings
    assert f"error[{finding.code}]: {finding.message}" in PAGE

    person = city / "registers" / "person.yaml"
    order = "[residence_permits, medical, hrss, vehicles]"
    asked = person.read_text(encoding="utf-8")
    assert asked.count(order) == 1
    person.write_text(asked.replace(order, order.replace("]", ", fund]")), encoding="utf-8")
    report = check_city(city)
    assert report.render() == ""
    assert report.city is not None
    assert sources_of(report.city, "person")["phone"][-1].source == "housing_fund"


def test_a_delivery_of_the_new_source_is_read_without_any_code(city: Path, tmp_path: Path) -> None:
    loaded = check_city(city).city
    assert loaded is not None
    delivered = tmp_path / "公积金.csv"
    delivered.write_bytes(SAMPLE.encode("gb18030"))
    landed = land(delivered, Places.of(tmp_path / "data"))
    rows, rejected = tmp_path / "rows.parquet", tmp_path / "rejected.parquet"
    outcome = read_file(landed.path, loaded.sources["housing_fund"], rows=rows, rejected=rejected, now=NOW)
    assert (outcome.rows_in, outcome.read, outcome.rejected) == (3, 2, 1)
    assert outcome.missing == ()
    kept = parquet.read_table(rows).to_pylist()
    assert [(row["line"], row["account_no"], row["state"]) for row in kept] == [
        (2, "320200001", "正常"),
        (3, "320200002", "停缴"),
    ]
    (refused,) = parquet.read_table(rejected).to_pylist()
    assert (refused["line"], refused["column"]) == (4, "个人账号")
