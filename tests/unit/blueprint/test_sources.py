"""The declared sources: the fourteen of Wuxi hold what was agreed, rules can fail, and lineage has an order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from dizuo.engines.lake.standard.rows import parts_of
from dizuo.foundation import rules
from dizuo.foundation.blueprint import City, load_city, sources_of
from dizuo.foundation.blueprint.lineage import column_of, feed_order, names_of
from dizuo.foundation.blueprint.model_source import PARTS, Source

CITIES = Path(__file__).parents[3] / "cities"
WUXI = load_city(CITIES / "wuxi")
TODAY = dt.date(2026, 11, 23)
CHINA = dt.timezone(dt.timedelta(hours=8))
DIMENSIONS = {"normativity", "completeness", "accuracy", "consistency", "timeliness", "accessibility"}
Value = str | Decimal | bool | dt.date | dt.datetime | None

# What was agreed with the fourteen departments: who delivers, in which form, whole or changes, how often.
AGREED = {
    "hukou": ("psb", "csv", "gb18030", "full", "daily"),
    "residence_permits": ("psb", "csv", "utf-8-sig", "changes", "daily"),
    "marriage": ("civil", "csv", "utf-8", "changes", "daily"),
    "births": ("health", "jsonl", "utf-8", "changes", "daily"),
    "deaths": ("health", "xlsx", "utf-8", "changes", "weekly"),
    "social_insurance": ("hrss", "parquet", "utf-8", "full", "monthly"),
    "medical_insurance": ("medical", "table", "utf-8", "changes", "daily"),
    "school_enrolment": ("education", "csv", "gb18030", "full", "yearly"),
    "real_estate": ("land", "csv", "gb18030", "changes", "daily"),
    "vehicles": ("psb", "csv", "utf-8", "full", "weekly"),
    "enterprises": ("market", "csv", "utf-8", "full", "daily"),
    "licences": ("data", "jsonl", "utf-8", "changes", "daily"),
    "disabled": ("dpf", "xlsx", "utf-8", "full", "monthly"),
    "credit": ("drc", "push", "utf-8", "changes", "realtime"),
}
HEADERS = {
    "hukou": "人员编号 户号 公民身份号码 姓名 曾用名 性别 出生日期 民族 籍贯 出生地 与户主关系 户别 户籍地址 母亲公民身份号码 父亲公民身份号码 "
    "出生医学证明编号 身份证有效期止 人员状态 曾用证件号码 立户日期 户内人数 户状态 更新时间",
    "residence_permits": "居住证号 姓名 证件类型 证件号码 性别 出生日期 户籍地 现住址 联系电话 签发日期 有效期止 更新时间",
    "marriage": "登记字号 男方姓名 男方证件号码 女方姓名 女方证件号码 登记类别 登记日期 登记机关 原结婚证字号 以前的婚姻 更新时间",
    "births": "出生医学证明编号 新生儿姓名 性别 出生时间 母亲姓名 母亲证件号码 父亲姓名 父亲证件号码 签发机构 母亲住址 "
    "出生地点 签发日期 胎数 胎次序 出生体重（克） 出生身长（厘米） 孕周 分娩方式 健康状况 落户状态 证明状态 更新时间",
    "deaths": "死亡证明编号 姓名 证件号码 性别 出生日期 死亡日期 户籍地址 填报单位 死亡地点 死亡原因 更新时间",
    "social_insurance": "个人编号 姓名 证件号码 性别 出生日期 单位名称 单位统一社会信用代码 险种 参保状态 手机号 "
    "社保卡号 社保卡状态 金融账户状态 合作银行 缴费基数 累计缴费月数 更新时间",
    "medical_insurance": "医保编号 姓名 证件号码 参保类型 参保状态 手机号 联系地址 参保地 参保日期 缴费单位 缴费单位代码 生育保险状态 "
    "分娩费用结算 待报销分娩费用 监护人证件号码 个人账户余额 更新时间",
    "school_enrolment": "学籍号 姓名 证件号码 性别 出生日期 学校 年级 监护人姓名 监护人电话 家庭住址 在读学历 更新时间",
    "real_estate": "不动产单元号 产权证号 权利人 证件号码 坐落 建筑面积 共有情况 登记日期 规划用途 权属状态 成交价格（元） 抵押情况 更新时间",
    "vehicles": "号牌号码 号牌种类 所有人 证件号码 住址 手机号 品牌型号 初次登记日期 机动车状态 更新时间",
    "enterprises": "统一社会信用代码 名称 主体类型 法定代表人 法定代表人证件号码 注册资本（万元） 成立日期 住所 经营范围 行业代码 登记状态 "
    "联系电话 营业期限止 登记机关 从业人数 更新时间",
    "licences": "证照编码 证照类型 持证主体 持证主体代码 颁发机构 颁发日期 有效期止 证照状态 证照名称 有效期起 信任级别 所属区划 更新时间",
    "disabled": "残疾证号 姓名 证件号码 性别 残疾类别 残疾等级 住址 联系电话 监护人姓名 发证日期 更新时间",
    "credit": "记录编号 主体名称 主体代码 信息类别 决定文书号 决定日期 决定机关 内容 公示截止 更新时间",
}


@pytest.fixture
def wuxi() -> City:
    return WUXI


def test_template_cities_need_no_sources() -> None:
    assert load_city(CITIES / "template").sources == {}


def test_the_contracts_are_the_agreed_ones(wuxi: City) -> None:
    said = {
        s.id: (s.department, s.delivery.format, s.delivery.encoding, s.delivery.mode, s.delivery.cycle)
        for s in wuxi.sources.values()
    }
    assert said == AGREED
    assert wuxi.sources["vehicles"].delivery.delimiter == "|"
    table = wuxi.sources["medical_insurance"].delivery.table
    assert table is not None
    assert table.watermark == "updated_at"


@pytest.mark.parametrize("name", AGREED)
def test_headers_are_the_agreed_ones(wuxi: City, name: str) -> None:
    assert [c.column for c in wuxi.sources[name].columns.values()] == HEADERS[name].split()


@pytest.mark.parametrize("name", AGREED)
def test_every_source_has_a_basis_a_steward_and_rules_in_every_dimension(wuxi: City, name: str) -> None:
    source = wuxi.sources[name]
    assert source.basis is not None
    posts = {post.id: post for post in wuxi.organisations[source.department].posts}
    assert any(power.endswith(".correct") for power in posts[source.steward].powers)
    assert {rule.dimension for rule in source.quality} == DIMENSIONS
    assert source.as_of == "updated_at"
    assert all(words.en for words in [source.name, source.system, *(rule.says for rule in source.quality)])


# --- rules that can hold and can fail -------------------------------------------------------------------

_ID = "320211199001011234"
# A plausible standard row of every source, beyond what the type alone gives.
ROWS: Mapping[str, Mapping[str, Value]] = {
    "hukou": {"citizen_id": "320211199001011231", "sex": "1", "birth_date": dt.date(1990, 1, 1), "state": "1",
              "id_valid_to": dt.date(2030, 1, 1)},
    "residence_permits": {"id_kind": "1", "valid_to": dt.date(2027, 10, 1)},
    "marriage": {"husband_id": "320211199001011231", "wife_id": "320211199001011240"},
    "births": {"certificate_no": "U320000001", "mother_id": "320211199001011240", "father_id": "320211199001011231",
               "born_at": dt.datetime(2026, 10, 28, 8, tzinfo=CHINA)},
    "deaths": {"citizen_id": "320211193001011231", "sex": "1", "died_on": dt.date(2026, 10, 20)},
    "social_insurance": {"birth_date": dt.date(1990, 1, 1)},
    "medical_insurance": {"phone": None},
    "school_enrolment": {"student_no": "G320211201501011234", "birth_date": dt.date(2015, 1, 1),
                         "citizen_id": "320211201501011231", "sex": "1"},
    "real_estate": {"unit_no": "320211001001GB00001F00010001", "area": Decimal(89)},
    "vehicles": {"plate": "苏B12345", "plate_kind": "02", "registered_on": dt.date(2020, 5, 1)},
    "enterprises": {"industry": "F5212", "capital": Decimal(1_000_000), "founded_on": dt.date(2015, 6, 1)},
    "licences": {"number": "SC-2026.1", "state": "1", "valid_to": dt.date(2030, 1, 1)},
    "disabled": {"certificate_no": "32021119900101123144", "citizen_id": "320211199001011231"},
    "credit": {"subject_code": "91320211MA1NXXXX0A", "kind": "2", "valid_to": dt.date(2027, 1, 1),
               "decided_on": dt.date(2026, 10, 25)},
}  # fmt: skip


def good_row(source: Source) -> dict[str, Value]:
    row: dict[str, Value] = {}
    for name, standard in names_of(source).items():
        found = column_of(source, name)
        assert found is not None
        part = found[1]
        if part:
            row[name] = {"state": "ok", "division": "320211001", "other": None}.get(part, "样例")
        elif standard in ("date", "datetime"):
            day = dt.datetime(2026, 11, 1, 9, tzinfo=CHINA)
            row[name] = day if standard == "datetime" else dt.date(2026, 10, 1)
        elif standard in ("integer", "decimal"):
            row[name] = Decimal(1)
        else:
            row[name] = _ID if standard == "citizen_id" else "样例"
    return row | dict(ROWS[source.id])


def spoilt(name: str, value: Value) -> list[Value]:
    """What may go wrong with one value."""
    others: list[Value] = [None]
    if isinstance(value, dt.date):  # moments as well
        others += [value + dt.timedelta(days=9_000), value - dt.timedelta(days=50_000)]
    elif isinstance(value, Decimal):
        others += [Decimal(-1), Decimal(10) ** 15]
    else:
        others += [
            "",
            "错",
            "bad_check",
            "bad_region",
            "missing",
            "upgraded",
            "2",
            "51",
            "320200000",
            "320281101",
        ]
        others += ["320211199001011231", "320211199001011240"]
    return others


def holds(source: Source, rule_text: str, row: Mapping[str, Value]) -> bool:
    return rules.compile_python(rules.parse(rule_text))(row, today=TODAY) is True


@pytest.mark.parametrize("name", AGREED)
def test_a_plausible_row_passes_every_rule_and_every_rule_can_fail(wuxi: City, name: str) -> None:
    source = wuxi.sources[name]
    row = good_row(source)
    assert [rule.id for rule in source.quality if not holds(source, rule.rule.text, row)] == []
    never = [
        rule.id
        for rule in source.quality
        if all(
            holds(source, rule.rule.text, {**row, column: other})
            for column, value in row.items()
            for other in spoilt(column, value)
        )
    ]
    assert never == [], "these rules hold whatever goes wrong"


@pytest.mark.parametrize("name", ["real_estate", "vehicles", "licences", "credit"])
@pytest.mark.parametrize(
    ("code", "entity"),
    [
        ("320211199001011231", "person"),
        ("32021119900101123X", "person"),
        ("320211900101123", "person"),
        ("E12345678", "person"),
        (None, "person"),
        ("91320211MA1NXXXX0A", "enterprise"),
        ("913202110000000000", "enterprise"),
        ("12320200DEM0000140", "enterprise"),
    ],
)
def test_one_column_of_two_kinds_of_number_makes_exactly_one_mention(
    wuxi: City, name: str, code: str | None, entity: str
) -> None:
    source = wuxi.sources[name]
    column = next(m.citizen_id for m in source.mentions if m.entity == "person")
    made = [
        m.entity
        for m in source.mentions
        if m.when is not None and holds(source, m.when.text, {**good_row(source), column: code})
    ]
    assert made == [entity]


def test_only_a_living_heads_row_tells_about_the_household(wuxi: City) -> None:
    source = wuxi.sources["hukou"]
    feed = next(f for f in source.feeds if f.register == "household")
    assert feed.when is not None
    row = good_row(source)
    told = {
        (relation, state): holds(
            source, feed.when.text, {**row, "relation_to_head": relation, "state": state}
        )
        for relation in ("02", "10")
        for state in ("1", "2")
    }
    assert told == {("02", "1"): True, ("02", "2"): False, ("10", "1"): False, ("10", "2"): False}


# --- lineage --------------------------------------------------------------------------------------------


def test_lineage_leads_from_a_field_to_columns_in_the_order_of_asking(wuxi: City) -> None:
    person = sources_of(wuxi, "person")
    assert [(o.turn, o.source, o.header) for o in person["name"]] == [
        (0, "hukou", "姓名"),
        (1, "residence_permits", "姓名"),
        (2, "medical_insurance", "姓名"),
        (3, "social_insurance", "姓名"),
    ]
    assert [o.source for o in person["phone"]] == [
        "residence_permits", "medical_insurance", "social_insurance", "vehicles",
    ]  # fmt: skip
    (first, *_) = person["division"]
    assert (first.column, first.part, first.mention) == ("address", "division", "self")
    assert person["fund_account"] == ()  # nobody delivers it yet
    assert set(person) == set(wuxi.registers["person"].fields)
    with pytest.raises(KeyError):
        sources_of(wuxi, "persons")


def test_every_fed_field_is_fed_by_its_own_department_or_a_declared_fallback(wuxi: City) -> None:
    for register in wuxi.registers.values():
        for field_id, origins in sources_of(wuxi, register.id).items():
            field = register.fields[field_id]
            for origin in origins:
                assert origin.department == field.source or {origin.department, origin.source} & set(
                    field.fallback
                ), (register.id, field_id, origin.source)


def made(wuxi: City, **departments: str) -> dict[str, Source]:
    pattern = wuxi.sources["credit"]
    return {name: msgspec.structs.replace(pattern, id=name, department=d) for name, d in departments.items()}


@pytest.mark.parametrize(
    ("feeders", "fallback", "order"),
    [
        ("a", (), "a"),
        ("ab", ("b",), "ab"),
        ("ab", ("b", "a"), "ba"),
        ("abc", ("b", "civil"), "abc"),
        ("abc", ("civil", "b"), "acb"),
        ("cab", ("civil", "b"), "acb"),
        ("acd", ("d", "civil"), "adc"),
        ("ac", (), "a"),
        ("c", ("civil",), "c"),
    ],
)
def test_the_own_source_first_then_the_declared_order(
    wuxi: City, feeders: str, fallback: tuple[str, ...], order: str
) -> None:
    sources = made(wuxi, a="psb", b="psb", c="civil", d="civil")
    assert feed_order(sources, "psb", fallback, tuple(feeders)) == tuple(order)


def test_names_of_a_standard_row_are_columns_and_their_parts(wuxi: City) -> None:
    source = wuxi.sources["hukou"]
    names = names_of(source)
    assert {f"citizen_id_{part}" for part in PARTS["citizen_id"]} <= set(names)
    assert column_of(source, "address_town_mca") == (source.columns["address"], "town_mca")
    assert column_of(source, "address_street") is None


@pytest.mark.parametrize("name", AGREED)
def test_the_parts_that_rules_may_use_are_those_that_standardising_makes(wuxi: City, name: str) -> None:
    for column in wuxi.sources[name].columns.values():
        assert parts_of(column) == tuple(f"{column.id}_{part}" for part in PARTS.get(column.as_, ()))
