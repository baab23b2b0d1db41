"""What the city's own declarations look like: city, calendar, laws, clocks, purposes, divisions, places,
organisations and registers."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from msgspec.structs import replace

from dizuo.foundation.blueprint.groups import Key, Keyed, ListOf, MapOf, Record, may, sole
from dizuo.foundation.blueprint.kinds_catalogue import CATALOGUE
from dizuo.foundation.blueprint.model import (
    Article,
    BadRating,
    ClockDef,
    Field,
    FormerName,
    Law,
    Organisation,
    Place,
    Post,
    Purpose,
    Register,
    Words,
)
from dizuo.foundation.blueprint.shape import Bool, Date, Enum, Int, Optional, Text, words_of
from dizuo.foundation.blueprint.values import LAW, LENGTH, WORDS

ID = Text(r"[a-z][a-z0-9_]*", "小写字母开头，由小写字母、数字和下划线组成", 64)
DOTTED = Text(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", "由点隔开的小写词，例如 birth.household", 128)
_TIME = Text(r"([01][0-9]|2[0-3]):[0-5][0-9]", " 08:30 这样的时刻")
DATA_FILE = Text(r"[A-Za-z0-9_][A-Za-z0-9_./-]*\.(csv|geojson)", "城市文件夹内 .csv 或 .geojson 文件的路径")
_LEVELS = Enum({"city": "市", "district": "区县", "town": "街道、镇", "village": "社区、村"})


class CityHead(NamedTuple):
    """city.yaml as read; the loader joins it with everything else."""

    id: str
    name: Words
    code: str
    timezone: str
    working_hours: tuple[tuple[str, ...], ...]
    after_hours: str
    hotline: str
    languages: tuple[str, ...]
    demonstration: bool
    number_prefix: str
    organisations: tuple[str, ...]
    bad_rating: BadRating | None
    place: Place


_BAD_RATING = Record(
    BadRating,
    {
        "contact_clock": Key(DOTTED, "收到差评后，多久联系评价人核实"),
        "mend_clock": Key(DOTTED, "收到差评后，多久整改到位"),
    },
)

CITY = Record(
    CityHead,
    {
        "id": Key(ID, "城市的代号"),
        "name": Key(WORDS, "名称"),
        "code": Key(Text("[0-9]{6}", "六位行政区划代码"), "行政区划代码（GB/T 2260）"),
        "timezone": Key(Enum({"Asia/Shanghai": "北京时间"}), "时区"),
        "working_hours": Key(
            ListOf(ListOf(_TIME, 2), 1), '工作时间，例如 [["08:30", "12:00"], ["13:30", "17:30"]]'
        ),
        "after_hours": Key(
            Enum({"next_workday": "下班后提交的，算下一工作日收到", "same_day": "算当天收到"}),
            "下班后提交算哪天收到",
        ),
        "hotline": Key(Text("[0-9-]{3,20}", "电话号码"), "求助电话"),
        "languages": Key(ListOf(Enum({"zh": "中文", "en": "英文"}), 1), "页面语言，中文必须有"),
        "demonstration": Key(Bool(), "演示环境：人员和单位都是虚构的"),
        "number_prefix": Key(Text("[A-Z]{1,4}", "一到四个大写字母"), "办件编号的开头"),
        "organisations": may(ListOf(ID), "部门的先后顺序", ()),
        "bad_rating": may(_BAD_RATING, "差评的核实、整改和回访；不写就只记下评价"),
    },
    "一个城市",
    kind="city/1",
)


class CalendarYear(NamedTuple):
    """calendar/<year>.yaml: the city's own holidays and make-up workdays of one year."""

    year: int
    holidays: tuple[dt.date, ...]
    workdays: tuple[dt.date, ...]
    source: str
    place: Place


CALENDAR = Record(
    CalendarYear,
    {
        "year": Key(Int(2004, 2100), "年份"),
        "holidays": Key(ListOf(Date()), "放假的工作日"),
        "workdays": Key(ListOf(Date()), "调休上班的周末"),
        "source": Key(Text(), "发布文件", lack="unsourced", why="节假日安排没有写依据（source）。"),
    },
    "一年的放假和调休安排",
    kind="calendar/1",
)


def _article(place: Place, number: str, gist: str, verified: bool) -> Article:
    return Article(number, gist, verified, place)


_VERIFIED = Key(
    Bool(),
    "是否有人对照过官方原文",
    lack="verification-unmarked",
    why="没有标明是否对照过官方原文（verified）。",
)
_ARTICLE = Record(
    _article,
    {
        "number": Key(Text(), "条的序号"),
        "gist": Key(Text(), "用自己的话写的大意"),
        "verified": _VERIFIED,
    },
)


class Period(NamedTuple):
    start: dt.date
    end: dt.date | None
    place: Place


_PERIOD = Record(
    Period,
    {"from": Key(Date(), "施行日期", to="start"), "to": may(Optional(Date()), "失效日期", to="end")},
)


def _law(place: Place, id: str, effective: Period, **rest: Any) -> Law:
    return Law(id=id, effective_from=effective.start, effective_to=effective.end, place=place, **rest)


LAW_KIND = Record(
    _law,
    {
        "id": Key(Text(), "文件名"),
        "title": Key(WORDS, "全称"),
        "number": Key(Text(), "文号"),
        "issuer": Key(Text(), "制定机关"),
        "effective": Key(_PERIOD, "施行期间"),
        "source": may(Text(), "文本来源", ""),
        "articles": Key(
            Keyed(_ARTICLE, "number", r"[0-9A-Za-z一-鿿._-]{1,20}", '写条的序号，例如 "7"'), "引用到的条"
        ),
    },
    "一部法律、法规、规章或规范性文件",
    kind="law/1",
)

_CLOCK = Record(
    ClockDef,
    {
        "id": Key(DOTTED, "代号"),
        "name": Key(WORDS, "名称"),
        "starts_on": Key(Text(), "从什么时候起算"),
        "length": Key(LENGTH, "法定时限"),
        "extension": may(Optional(LENGTH), "可以延长多久"),
        "extension_approver": may(Optional(Text()), "谁批准延长"),
        "law": Key(LAW, "依据", lack="unsourced", why="法定时限没有写依据（law）。"),
        "verified": _VERIFIED,
    },
)
CLOCKS = Record(sole, {"clocks": Key(ListOf(_CLOCK), "法定时限")}, "法定时限", kind="clocks/1")

_PURPOSE = Record(
    Purpose,
    {
        "id": Key(DOTTED, "代号；点后更窄，例如 birth.household 在 birth 之内"),
        "name": Key(WORDS, "名称"),
        "basis": Key(LAW, "依据", lack="unsourced", why="处理目的没有写依据（basis）。"),
    },
)
PURPOSES = Record(
    sole,
    {"purposes": Key(ListOf(_PURPOSE), "处理目的")},
    "处理个人信息的目的",
    kind="purposes/1",
)


class DivisionFiles(NamedTuple):
    source: str
    licence: str
    towns: str | None
    villages: str | None
    history: str
    shapes: str | None
    place: Place


DIVISIONS = Record(
    DivisionFiles,
    {
        "source": Key(Text(), "数据从哪里来", lack="unsourced", why="区划数据没有写来源（source）。"),
        "licence": Key(Text(), "许可"),
        "towns": may(DATA_FILE, "街道和镇"),
        "villages": may(DATA_FILE, "社区和村"),
        "history": Key(DATA_FILE, "市和区县，包括历史代码"),
        "shapes": may(DATA_FILE, "示意边界"),
    },
    "行政区划",
    kind="divisions/1",
)


class PlaceFile(NamedTuple):
    id: str
    file: str
    source: str
    place: Place


_PLACES = Record(
    PlaceFile,
    {
        "id": Key(ID, "代号"),
        "file": Key(DATA_FILE, "CSV 文件"),
        "source": Key(Text(), "数据从哪里来", lack="unsourced", why="网点没有写来源（source）。"),
    },
)
PLACES = Record(sole, {"lists": Key(ListOf(_PLACES), "网点清单")}, "服务网点", kind="places/1")


def _former(place: Place, name: str, start: dt.date | None, to: dt.date, **rest: Any) -> FormerName:
    return FormerName(name, start, to, **rest)


_FORMER = Record(
    _former,
    {
        "name": Key(Text(), "当时的名称"),
        "from": may(Optional(Date()), "启用日期", to="start"),
        "to": Key(Date(), "停用日期"),
        "how": may(Enum({"renamed": "改名", "merged": "并入本部门"}), "怎么成了现在的部门", "renamed"),
        "uscc": may(
            Text("[0-9A-Z]{18}", "18 位统一社会信用代码"), "当时的统一社会信用代码，和现在不同才写", ""
        ),
    },
)
_POST = Record(
    Post,
    {
        "id": Key(DOTTED, "代号"),
        "name": Key(WORDS, "名称"),
        "powers": Key(ListOf(DOTTED), "这个岗位可以做什么"),
    },
)
ORGANISATION = Record(
    Organisation,
    {
        "id": Key(ID, "文件名"),
        "name": Key(WORDS, "全称"),
        "short": Key(WORDS, "简称"),
        "level": Key(_LEVELS, "层级"),
        "parent": may(Optional(ID), "上级部门"),
        "uscc": Key(Text("[0-9A-Z]{18}|", "18 位统一社会信用代码"), "统一社会信用代码"),
        "units_at": Key(_LEVELS, "在哪一级设机构"),
        "unit_name": Key(WORDS, "机构名称，其中 {division} 换成区划名"),
        "former": may(ListOf(_FORMER), "历史名称", ()),
        "posts": Key(ListOf(_POST), "岗位"),
        "contact": Key(Text(), "电话"),
        "review_body": Key(WORDS, "复议机关"),
        "court": Key(WORDS, "管辖法院"),
    },
    "一个部门",
    kind="organisation/1",
)

FIELD_TYPES = words_of(
    ("text", "number", "boolean", "date", "datetime", "code", "division", "citizen_id", "uscc", "money")
)


def _field(place: Place, id: str, verified: bool | None, codes: dict[str, Words], **rest: Any) -> Field:
    # A field without a code list has nothing to hold against a standard.
    return Field(
        id=id, codes=codes, verified=not codes if verified is None else verified, place=place, **rest
    )


_FIELD = Record(
    _field,
    {
        "id": Key(ID, "代号"),
        "name": Key(WORDS, "名称"),
        "type": Key(Enum(FIELD_TYPES), "类型"),
        "datum": may(DOTTED, "数据项；同一数据项只能有一个来源。不写时是 登记簿.字段", ""),
        "source": Key(ID, "来源部门", lack="unsourced", why="字段没有写来源部门（source）。"),
        "fallback": may(ListOf(ID), "来源没有值时，依次再看哪些部门或数据源", ()),
        "basis": Key(LAW, "依据", lack="unsourced", why="字段没有写法律依据（basis）。"),
        "level": Key(Enum({"L1": "公开", "L2": "一般", "L3": "敏感", "L4": "高度敏感"}), "数据级别"),
        "personal": Key(Bool(), "是不是个人信息"),
        "lookup": may(Bool(), "是否用来查找", False),
        "notable": may(Bool(), "没有调取时，要在页面上说明", False),
        "codes": may(MapOf(WORDS, r"[^\s:]{1,40}", "写代码，不含空格"), "代码表", {}),
        "code_system": may(Text(), "代码表的标准和版本", ""),
        "verified": may(Optional(Bool()), "代码表是否对照过标准原文"),
    },
)


def _register(place: Place, id: str, fields: tuple[Field, ...], **rest: Any) -> Register:
    named = {f.id: f if f.datum else replace(f, datum=f"{id}.{f.id}") for f in reversed(fields)}
    return Register(id=id, fields=dict(reversed(named.items())), place=place, **rest)


REGISTER = Record(
    _register,
    {
        "id": Key(ID, "文件名"),
        "name": Key(WORDS, "名称"),
        "base": Key(
            Enum(
                {
                    "person": "人口",
                    "enterprise": "法人",
                    "licence": "证照",
                    "geography": "地理",
                    "credit": "信用",
                }
            ),
            "属于哪个基础库",
        ),
        "owner": Key(ID, "主管部门"),
        "entity": Key(Bool(), "每个人或每家单位只有一条记录"),
        "key": Key(ID, "作为主键的字段"),
        "subjects": Key(ListOf(ID), "说明记录与谁有关的字段；这些人看得到每一次调取"),
        "correction_clock": Key(DOTTED, "更正错误的时限"),
        "fields": Key(ListOf(_FIELD, 1), "字段"),
        "catalogue": may(Optional(CATALOGUE), "在资源目录里的共享属性、开放属性和更新周期"),
    },
    "一个登记簿",
    kind="register/1",
)


def hours_of(head: CityHead) -> tuple[tuple[str, str], ...]:
    """The city's working hours as pairs; a wrong pair was already a finding."""
    return tuple((pair[0], pair[1]) for pair in head.working_hours if len(pair) == 2)
