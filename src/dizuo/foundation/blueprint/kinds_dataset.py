"""What the declaration of an open dataset looks like: what it says, its columns, what it is made from, its gate."""

from __future__ import annotations

from typing import Any

from dizuo.foundation.blueprint.groups import Key, ListOf, MapOf, Record, may
from dizuo.foundation.blueprint.kinds_catalogue import CYCLES
from dizuo.foundation.blueprint.kinds_city import DATA_FILE, ID
from dizuo.foundation.blueprint.model import Place, Words
from dizuo.foundation.blueprint.model_dataset import Count, CountBy, Dataset, DatasetField, Gate, Made
from dizuo.foundation.blueprint.shape import Bool, Enum, Int, Optional, Text
from dizuo.foundation.blueprint.values import WORDS

THEMES: dict[str, str] = {
    "business": "经贸工商",
    "transport": "交通出行",
    "institutions": "机构团体",
    "culture": "文化休闲",
    "health": "卫生健康",
    "education": "教育科技",
    "livelihood": "社会民生",
    "environment": "资源环境",
    "housing": "城建住房",
    "safety": "公共安全",
    "agriculture": "农业农村",
    "employment": "社保就业",
    "finance": "财税金融",
    "credit": "信用服务",
}
OPEN_TYPES: dict[str, str] = {
    "unconditional": "无条件开放",
    "conditional": "有条件开放",
    "closed": "不予开放",
}

_FIELD = Record(
    DatasetField,
    {
        "id": Key(ID, "代号"),
        "name": Key(WORDS, "名称"),
        "type": Key(Enum({"text": "文字", "integer": "整数", "decimal": "小数", "date": "日期", "boolean": "是或否"}), "类型"),
        "says": may(WORDS, "说明", Words("")),
        "unit": may(Text(longest=20), "单位", ""),
        "identifier": may(
            Enum({
                "none": "不是",
                "citizen_id": "公民身份号码",
                "name": "姓名",
                "phone": "电话",
                "uscc": "个人经营者的统一社会信用代码",
                "address": "住址",
            }),
            "是不是个人的直接标识",
            "none",
        ),
        "institution": may(WORDS, "内容像个人标识、其实是机构的，写明为什么", Words("")),
        "quasi": may(Bool(), "和别的列放在一起能不能认出一个人", False),
        "facet": may(Bool(), "页面按它计数和筛选", False),
    },
)  # fmt: skip
_BY = Record(
    CountBy,
    {
        "column": Key(ID, "写进哪一列"),
        "of": Key(ID, "登记簿的哪个字段"),
        "as": may(
            Enum({
                "value": "原值",
                "year": "年",
                "month": "年月",
                "age_band": "年龄段，按 width 年一段",
                "district": "区县（代码前 6 位）",
                "town": "街镇（代码前 9 位）",
                "head": "前 width 个字符",
            }),
            "怎么取",
            "value",
            to="as_",
        ),
        "width": may(Int(1, 50), "年龄段几年一段，或取几个字符", 5),
        "top": may(Int(1, 130), "从几岁起并成一段", 85),
    },
)  # fmt: skip
_COUNT = Record(
    Count,
    {
        "register": Key(ID, "数哪个登记簿"),
        "where": may(MapOf(Text(longest=60)), "只数哪些记录：字段 → 值", {}),
        "by": Key(ListOf(_BY, 1), "按什么数"),
        "into": Key(ID, "数目写进哪一列"),
    },
)
_MADE = Record(
    Made,
    {
        "declared": may(
            Optional(Enum({
                "divisions": "区县和街镇",
                "villages": "社区和村",
                "items": "事项",
                "clocks": "法定时限",
                "organisations": "部门",
                "places": "服务网点（写明 list）",
                "laws": "法规",
                "registers": "登记簿的字段",
                "datasets": "开放数据集目录",
            })),
            "城市声明里的什么",
        ),
        "list": may(ID, "哪个网点清单，declared 是 places 才写", ""),
        "file": may(DATA_FILE, "城市文件夹里的文件", ""),
        "statistic": may(
            Optional(Enum({"work": "办件情况", "data_quality": "数据质量", "ledger": "用数账本"})),
            "系统自己的哪项统计",
        ),
        "count": may(Optional(_COUNT), "数登记簿里的记录"),
    },
)  # fmt: skip


def _gate(place: Place, epsilon: str, budget: str, **rest: Any) -> Gate:
    return Gate(epsilon=float(epsilon or 0), budget=float(budget or 0), place=place, **rest)


_NUMBER = Text(r"[0-9]{1,2}(\.[0-9]{1,3})?", " 0 到 99 的数，例如 0.5")


_GATE = Record(
    _gate,
    {
        "least": may(Int(0, 1000), "少于几个算小数目；0 表示不含个人信息，不设", 0),
        "guard": may(
            Enum({"refuse": "有小数目就不发布", "suppress": "隐去小数目和能推出它的数", "noise": "差分隐私，加噪声"}),
            "小数目怎么办",
            "refuse",
        ),
        "epsilon": may(_NUMBER, "每次发布用多少隐私预算（ε）", "0"),
        "budget": may(_NUMBER, "全部发布合计最多用多少（ε）", "0"),
        "totals": may(ListOf(ID), "对哪些列也发布合计", ()),
    },
)  # fmt: skip
_OPEN = Gate(0, "refuse", 0.0, 0.0, (), Place("", 1, 1))


def _dataset(place: Place, fields: tuple[DatasetField, ...], gate: Gate | None, **rest: Any) -> Dataset:
    named = {field.id: field for field in fields}
    return Dataset(fields=named, gate=gate or _OPEN, place=place, **rest)


DATASET = Record(
    _dataset,
    {
        "id": Key(ID, "文件名"),
        "title": Key(WORDS, "名称"),
        "abstract": Key(WORDS, "摘要"),
        "provider": Key(ID, "提供单位"),
        "theme": Key(Enum(THEMES), "领域（中国开放数林）"),
        "open_type": may(Enum(OPEN_TYPES), "开放类型", "unconditional"),
        "condition": may(WORDS, "开放条件；有条件开放必须写", Words("")),
        "cycle": Key(Enum(CYCLES), "更新周期"),
        "licence": may(Text(longest=120), "许可", "无锡市公共数据开放许可 1.0（署名）"),
        "spatial": may(WORDS, "空间范围", Words("")),
        "temporal": may(WORDS, "时间范围", Words("")),
        "also": may(ListOf(Text(longest=40)), "人们还会用哪些词找它", ()),
        "shapes": may(Bool(), "每一行有没有图形", False),
        "fields": Key(ListOf(_FIELD, 1), "列"),
        "made": Key(_MADE, "从什么做成"),
        "gate": may(Optional(_GATE), "开放前审查"),
    },
    "一个开放数据集",
    kind="dataset/1",
)
