"""What the declaration of a department's source looks like: contract, columns, mentions, feeds and quality rules."""

from __future__ import annotations

from typing import Any

from dizuo.foundation.blueprint.groups import Key, ListOf, MapOf, Record, may
from dizuo.foundation.blueprint.kinds_catalogue import CATALOGUE
from dizuo.foundation.blueprint.kinds_city import DOTTED, ID
from dizuo.foundation.blueprint.model import Place, Words
from dizuo.foundation.blueprint.model_source import (
    Feed,
    Mention,
    QualityRule,
    Source,
    SourceColumn,
    SourceDelivery,
    SourceTable,
)
from dizuo.foundation.blueprint.shape import Bool, Enum, Int, Optional, Share, Text
from dizuo.foundation.blueprint.values import EXPR, LAW, LENGTH, WORDS

_SQL_NAME = Text(r"[A-Za-z_一-鿿][0-9A-Za-z_一-鿿]{0,62}", "数据库里的名称")
_FIELD = Text(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", "`登记簿.字段`，例如 person.sex", 130)
_CODE = r"[^\s:]{1,40}"
_AS = Enum(
    {
        "text": "文字",
        "name": "姓名或名称",
        "citizen_id": "公民身份号码（GB 11643）",
        "uscc": "统一社会信用代码（GB 32100）",
        "date": "日期",
        "datetime": "时间",
        "phone": "电话",
        "address": "地址，切到街道、社区",
        "division": "区划代码",
        "code": "代码，要有代码表",
        "integer": "整数",
        "decimal": "小数",
        "boolean": "是或否",
    }
)

_TABLE = Record(
    SourceTable,
    {
        "schema": Key(_SQL_NAME, "模式名"),
        "name": Key(_SQL_NAME, "表名或视图名"),
        "watermark": Key(ID, "按哪一列取新的和变了的行（列的代号）"),
    },
)
_DELIVERY = Record(
    SourceDelivery,
    {
        "format": Key(
            Enum(
                {
                    "csv": "带表头的文本",
                    "xlsx": "表格",
                    "jsonl": "每行一个 JSON",
                    "parquet": "列式文件",
                    "table": "部门的 PostgreSQL 库表",
                    "push": "部门通过接口推送",
                }
            ),
            "怎么送来",
        ),
        "encoding": may(
            Enum({"utf-8": "", "utf-8-sig": "带 BOM 的 UTF-8", "gb18030": "含 GBK、GB 2312"}),
            "文字编码，csv 才写",
            "utf-8",
        ),
        "delimiter": may(Text("[,;|^\t]", "一个分隔符：, ; | ^ 或制表符"), "分隔符，csv 才写", ","),
        "mode": Key(Enum({"full": "每次送全部", "changes": "只送新增和变化的"}), "全量还是增量"),
        "cycle": Key(
            Enum(
                {
                    "realtime": "实时",
                    "daily": "每日",
                    "weekly": "每周",
                    "monthly": "每月",
                    "quarterly": "每季度",
                    "yearly": "每年",
                }
            ),
            "更新周期",
        ),
        "due": Key(LENGTH, "周期结束后多久送到"),
        "largest_drop": may(Share(), "全量比上次少多少以上就先扣下不发布，例如 0.3", 0.3),
        "table": may(Optional(_TABLE), "取哪个库表，format 是 table 才写"),
    },
)


def _column(place: Place, verified: bool | None, codes: dict[str, Words], **rest: Any) -> SourceColumn:
    # A column without a code list of its own has nothing to hold against a standard.
    return SourceColumn(
        codes=codes, verified=not codes if verified is None else verified, place=place, **rest
    )


_COLUMN = Record(
    _column,
    {
        "id": Key(ID, "代号"),
        "column": Key(Text(longest=120), "表头，和送来的一字不差"),
        "as": Key(_AS, "按什么标准化", to="as_"),
        "required": may(Bool(), "空着就退回这一行", False),
        "personal": may(Bool(), "是不是个人信息", False),
        "basis": may(Optional(LAW), "这一列自己的依据，数据源的依据不够时写"),
        "register": may(_FIELD, "用哪个登记簿字段的代码表", ""),
        "codes": may(MapOf(WORDS, _CODE, "写代码，不含空格"), "自己的代码表", {}),
        "code_system": may(Text(), "自己的代码表的标准和版本", ""),
        "verified": may(Optional(Bool()), "自己的代码表是否对照过标准原文"),
        "synonyms": may(
            MapOf(Text(_CODE, "一个代码", 40), r".{1,60}", "写送来的写法"),
            "送来的别的写法 → 代码；代码和代码的中文名不用写",
            {},
        ),
        "times": may(Int(1, 100_000_000), "数字乘以多少换成我们的单位，例如万元写 10000", 1),
    },
)

_MENTION = Record(
    Mention,
    {
        "id": Key(ID, "代号"),
        "entity": Key(Enum({"person": "人", "enterprise": "单位"}), "是人还是单位"),
        "name": Key(ID, "姓名或名称在哪一列"),
        "citizen_id": may(ID, "公民身份号码在哪一列", ""),
        "uscc": may(ID, "统一社会信用代码在哪一列", ""),
        "sex": may(ID, "性别在哪一列", ""),
        "birth_date": may(ID, "出生日期在哪一列", ""),
        "phone": may(ID, "电话在哪一列", ""),
        "address": may(ID, "地址在哪一列", ""),
        "former_name": may(ID, "曾用名在哪一列", ""),
        "when": may(Optional(EXPR), "哪些行才有这个主体"),
    },
)
_FEED = Record(
    Feed,
    {
        "register": Key(ID, "登记簿"),
        "of": may(ID, "说的是哪个主体（mentions 的代号）", ""),
        "when": may(Optional(EXPR), "哪些行才供给"),
        "fields": Key(MapOf(ID), "登记簿字段 → 列，或列的一部分，例如 address_division"),
    },
)
_QUALITY = Record(
    QualityRule,
    {
        "id": Key(ID, "代号"),
        "dimension": Key(
            Enum(
                {
                    "normativity": "规范性",
                    "completeness": "完整性",
                    "accuracy": "准确性",
                    "consistency": "一致性",
                    "timeliness": "时效性",
                    "accessibility": "可访问性",
                }
            ),
            "质量维度（GB/T 36344-2018）",
        ),
        "says": Key(WORDS, "给部门看的一句话"),
        "rule": Key(EXPR, "每一行要成立的判断"),
        "at_least": Key(Share(), "至少多少行成立，例如 0.99"),
    },
)


def _source(place: Place, columns: tuple[SourceColumn, ...], **rest: Any) -> Source:
    named = {column.id: column for column in reversed(columns)}
    return Source(columns=dict(reversed(named.items())), place=place, **rest)


SOURCE = Record(
    _source,
    {
        "id": Key(ID, "文件名"),
        "name": Key(WORDS, "名称"),
        "department": Key(ID, "哪个部门送来"),
        "system": Key(WORDS, "出自部门的哪个系统"),
        "basis": may(Optional(LAW), "收集的法律依据；有个人信息就必须写"),
        "steward": Key(DOTTED, "对质量负责的岗位（这个部门的岗位）"),
        "delivery": Key(_DELIVERY, "怎么送、多久送一次"),
        "row_key": Key(ID, "在部门系统里认出一行的列"),
        "as_of": may(ID, "说明这一行什么时候更新的列", ""),
        "columns": Key(ListOf(_COLUMN, 1), "列"),
        "mentions": may(ListOf(_MENTION), "每一行说到哪些人和单位", ()),
        "feeds": may(ListOf(_FEED), "供给登记簿的哪些字段", ()),
        "quality": may(ListOf(_QUALITY), "质量规则", ()),
        "catalogue": may(Optional(CATALOGUE), "在资源目录里的共享属性、开放属性和更新周期"),
    },
    "一个部门的一个数据源",
    kind="source/1",
)
