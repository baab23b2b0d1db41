"""What the block ``catalogue`` of a register or a source looks like: terms of sharing, of opening, cycle, abstract."""

from __future__ import annotations

from dizuo.foundation.blueprint.groups import Key, ListOf, Record, may
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.blueprint.model_catalogue import CatalogueTerms, Opening, Sharing
from dizuo.foundation.blueprint.shape import Enum, Optional
from dizuo.foundation.blueprint.values import LAW, WORDS

CYCLES: dict[str, str] = {
    "realtime": "实时",
    "daily": "每日",
    "weekly": "每周",
    "monthly": "每月",
    "quarterly": "每季度",
    "half_yearly": "每半年",
    "yearly": "每年",
    "irregular": "不定期",
    "never": "不更新",
}

_NOTHING = Words("", "")
_SHARING = Record(
    Sharing,
    {
        "type": Key(
            Enum({"unconditional": "无条件共享", "conditional": "有条件共享", "none": "不予共享"}), "共享类型"
        ),
        "condition": may(WORDS, "共享条件，有条件共享才写，也必须写", _NOTHING),
        "basis": may(Optional(LAW), "依据；不予共享必须写"),
        "methods": may(
            ListOf(
                Enum(
                    {
                        "query": "接口，查一个主体",
                        "batch": "接口，批量比对",
                        "subscribe": "接口，订阅变化",
                        "bulk": "文件，整份",
                    }
                )
            ),
            "共享方式；不写时按有没有个人信息定",
            (),
        ),
    },
)
_OPENING = Record(
    Opening,
    {
        "type": Key(
            Enum({"unconditional": "无条件开放", "conditional": "有条件开放", "none": "不予开放"}), "开放类型"
        ),
        "condition": may(WORDS, "开放条件，有条件开放才写，也必须写", _NOTHING),
    },
)
CATALOGUE = Record(
    CatalogueTerms,
    {
        "abstract": may(WORDS, "信息资源摘要", _NOTHING),
        "share": may(Optional(_SHARING), "共享属性"),
        "open": may(Optional(_OPENING), "开放属性"),
        "cycle": may(
            Enum(CYCLES),
            "更新周期；不写时按数据源的周期",
            "",
        ),
    },
    "资源目录里的共享属性、开放属性和更新周期",
)
