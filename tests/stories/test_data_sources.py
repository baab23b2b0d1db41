"""The steward looks where every source stands; everybody sees counts, nobody sees a row."""

from __future__ import annotations

import pytest
from town import Town

DELIVER = """
WITH come AS (
    INSERT INTO lake.source_delivery (source, name, sha256, bytes, format, mode, period, declaration)
    VALUES ($1, $2, encode(sha256(convert_to($2, 'UTF8')), 'hex'), 1234567, 'csv', 'full', $3::text::date, 'test') RETURNING id
) SELECT id FROM come
"""
WAY = (
    "UPDATE lake.source_delivery SET state = 'read', rows_in = 1000, rows_read = 990, rows_rejected = 10 WHERE id = $1",
    "UPDATE lake.source_delivery SET state = 'standardised' WHERE id = $1",
    "UPDATE lake.source_delivery SET state = 'checked' WHERE id = $1",
    "UPDATE lake.source_delivery SET state = 'linked' WHERE id = $1",
    "UPDATE lake.source_delivery SET state = 'published', rows_published = 960, rows_merged = 25, rows_held = 5 WHERE id = $1",
)
HELD = """
UPDATE lake.source_delivery SET state = 'held', held_from = state, why_code = 'drop', why_says = '比上一批少了 40%。' WHERE id = $1
"""


@pytest.fixture(scope="module")
async def deliveries(town: Town) -> dict[str, int]:
    """Hukou of last Friday is published; marriage's of last month was the last and is late; vehicles' is held; deaths' is on the way."""
    made: dict[str, int] = {}
    # What the demonstration delivered is put aside: this story tells of these four alone.
    await town.owner.execute("TRUNCATE lake.source_delivery CASCADE")
    for source, period in (
        ("hukou", "2026-11-20"), ("marriage", "2026-10-30"), ("vehicles", "2026-11-20"), ("deaths", "2026-11-20"),
    ):  # fmt: skip
        made[source] = await town.owner.fetchval(DELIVER, source, f"{source}-{period}.csv", period)
    for source in ("hukou", "marriage"):
        for step in WAY:
            await town.owner.execute(step, made[source])
    await town.owner.execute(HELD, made["vehicles"])
    await town.owner.execute(WAY[0], made["deaths"])
    await town.owner.execute(
        "INSERT INTO lake.source_rejected_kind VALUES ($1, 'read', '公民身份号码', 'required', 7), ($1, 'read', '', 'columns', 3)",
        made["hukou"],
    )
    await town.owner.execute(
        "INSERT INTO lake.source_quality VALUES ($1, 'number_well_formed', 'normativity', 990, 1, 0.995),"
        " ($1, 'number_present', 'completeness', 990, 99, 0.99)",
        made["hukou"],
    )
    return made


async def test_the_list_says_who_is_in_time_and_puts_what_needs_somebody_first(
    town: Town, deliveries: dict[str, int]
) -> None:
    visitor = town.visitor()
    found = (await visitor.client.get("/data/sources.json")).json()
    lines = {line["id"]: line for line in found["sources"]}
    assert len(lines) == len(town.dizuo.city.sources) >= 14
    assert lines["hukou"]["health"] == "按时"
    # Daily, one working day after each: Saturday 31 October's were due on Monday 2 November.
    assert lines["marriage"]["health"] == "逾期 21 天"
    assert lines["vehicles"]["health"] == "暂停，等人看"
    assert lines["deaths"]["tone"] == "warn"
    assert lines["enterprises"]["health"] == "还没交过"
    assert {found["sources"][0]["id"], found["sources"][1]["id"]} == {"marriage", "vehicles"}
    assert lines["hukou"]["quality"] == "1 / 2"
    totals = {name: value for name, value, _ in found["totals"]}
    assert (totals["最近一批"], totals["要处理"], totals["质量规则"]) == ("3,000", "2", "1 / 2")


async def test_a_source_tells_its_contract_its_lineage_and_its_quality(
    town: Town, deliveries: dict[str, int]
) -> None:
    visitor = town.visitor()
    await visitor.open("/data/sources/hukou")
    text = visitor.page.text
    assert "常住人口管理系统" in text
    assert "GB 18030" in text
    found = (await visitor.client.get("/data/sources/hukou.json")).json()
    address = next(column for column in found["columns"] if column["id"] == "address")
    assert ["人口 · 户籍地区划", "/data/registers/person"] in address["feeds"]
    rules = {rule["says"]: rule for rule in found["rules"]}
    assert rules["公民身份号码的长度和校验码要对"]["share"] == "99.89%"
    assert rules["公民身份号码的长度和校验码要对"]["tone"] == "ok"
    assert rules["出生满一年的人要有公民身份号码"]["tone"] == "bad"
    assert rules["性别与号码第十七位一致"]["share"] == "—"


async def test_a_delivery_accounts_for_every_row(town: Town, deliveries: dict[str, int]) -> None:
    visitor = town.visitor()
    found = (await visitor.client.get(f"/data/deliveries/{deliveries['hukou']}.json")).json()
    fates = {name: int(count.replace(",", "")) for name, count in found["fates"]}
    assert sum(fates.values()) == 1000
    assert [stage["state"] for stage in found["stages"]] == ["done"] * 6
    assert ["公民身份号码", "主键是空的", "7"] in found["faults"]
    assert ["整行", "栏数不对", "3"] in found["faults"]


async def test_a_running_delivery_reloads_only_when_asked(town: Town, deliveries: dict[str, int]) -> None:
    visitor = town.visitor()
    still = await visitor.client.get(f"/data/deliveries/{deliveries['deaths']}")
    assert "refresh" not in still.headers
    live = await visitor.client.get(f"/data/deliveries/{deliveries['deaths']}?live=1")
    assert live.headers["refresh"] == "5"
    done = await visitor.client.get(f"/data/deliveries/{deliveries['hukou']}?live=1")
    assert "refresh" not in done.headers
    held = await visitor.client.get(f"/data/deliveries/{deliveries['vehicles']}")
    assert "比上一批少了 40%。" in held.text


@pytest.mark.parametrize(
    "path", ["/data/sources/nobody", "/data/deliveries/0", "/data/deliveries/x", "/data/deliveries/1e3"]
)
async def test_what_is_not_there_is_said(town: Town, path: str) -> None:
    answer = await town.visitor().client.get(path)
    assert answer.status_code == 404
    assert "请从数源" in answer.text


async def test_quality_is_computed_by_department_and_late_ones_come_first(
    town: Town, deliveries: dict[str, int]
) -> None:
    visitor = town.visitor()
    found = (await visitor.client.get("/data/quality.json")).json()
    lines = {line["id"]: line for line in found["departments"]}
    assert found["departments"][0]["id"] == "civil"  # the only one that is late
    assert lines["civil"]["late"] == "1"
    assert lines["psb"]["sources"] == 3
    assert (lines["psb"]["rows"], lines["psb"]["back"]) == ("1,000", "1.00%")
    assert (lines["psb"]["rules"], lines["psb"]["rules_tone"]) == ("1 / 2", "bad")
    assert lines["education"]["rows"] == "—"


async def test_the_five_base_registers_answer_the_same_questions(
    town: Town, deliveries: dict[str, int]
) -> None:
    visitor = town.visitor()
    await visitor.open("/data/assessment")
    assert "五大基础库自评" in visitor.page.text
    found = (await visitor.client.get("/data/assessment.json")).json()
    assert found["bases"] == ["人口库", "法人库", "电子证照库", "地理库", "信用库"]
    answers = {one["name"]: [text for text, _ in one["answers"]] for one in found["criteria"]}
    assert int(answers["记录"][0].replace(",", "")) > 100
    assert answers["质量规则达标"][0] == "1 / 2"
    person = next(one for one in found["criteria"] if one["name"] == "按时更新的数源")["answers"][0]
    assert person[1] == "bad"  # marriage is late


async def test_a_register_tells_which_column_feeds_each_field(town: Town) -> None:
    found = (await town.visitor().client.get("/data/registers/person.json")).json()
    phone = next(field for field in found["fields"] if field["id"] == "phone")
    assert [label for label, _ in phone["origins"]][:1] == ["居住证 · 联系电话"]
    name = next(field for field in found["fields"] if field["id"] == "name")
    assert name["origins"][0] == ["常住户口登记 · 姓名", "/data/sources/hukou"]
