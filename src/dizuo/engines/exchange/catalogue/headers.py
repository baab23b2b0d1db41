"""The headers of a department's catalogue sheet: the 13 core metadata of 编制指南 by the names that departments use, in any order. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from dizuo.engines.exchange.catalogue.errors import SheetUnreadable
from dizuo.engines.exchange.catalogue.model import CYCLES, ITEM_TYPES, METHODS

HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "category": ("信息资源分类", "资源分类", "目录分类", "数据资源分类"),
    "title": ("信息资源名称", "资源名称", "目录名称", "数据资源名称", "数据目录名称"),
    "code": ("信息资源代码", "资源代码", "目录代码", "数据资源代码", "目录编码"),
    "provider": ("信息资源提供方", "提供方", "提供单位", "提供部门", "数源单位", "数源部门", "资源提供方"),
    "provider_code": ("信息资源提供方代码", "提供方代码", "提供单位代码", "统一社会信用代码"),
    "abstract": ("信息资源摘要", "摘要", "资源摘要", "资源描述", "简介"),
    "format": ("信息资源格式", "资源格式", "格式", "数据格式"),
    "items": ("信息项信息", "信息项", "信息项名称", "数据项", "数据项名称"),
    "item_types": ("数据类型", "信息项类型", "信息项数据类型", "数据项类型"),
    "share_type": ("共享类型", "共享属性"),
    "share_condition": ("共享条件", "共享条件说明"),
    "share_method": ("共享方式", "共享方式类型"),
    "share_basis": ("共享依据", "不予共享依据", "不共享依据", "法律依据"),
    "open_type": ("是否向社会开放", "开放属性", "开放类型", "是否开放"),
    "open_condition": ("开放条件", "开放条件说明"),
    "update_cycle": ("更新周期", "更新频率"),
    "published_on": ("发布日期", "发布时间"),
    "related": ("关联资源代码", "关联信息资源代码", "关联目录代码", "关联及类目名称"),
    "source": ("来源数据源", "数据源", "挂接数据源"),
}  # fmt: skip
NEEDED: Final = ("title", "share_type", "update_cycle")
_SHARES: Final = {"1": 1, "2": 2, "3": 3, "无条件共享": 1, "无条件": 1, "有条件共享": 2, "有条件": 2, "不予共享": 3, "不予": 3, "不共享": 3}  # fmt: skip
_OPENS: Final = {"1": 1, "2": 2, "3": 3, "是": 1, "否": 3, "无条件开放": 1, "无条件": 1, "有条件开放": 2, "有条件": 2, "不予开放": 3, "不予": 3, "不开放": 3}  # fmt: skip
_CYCLES: Final = {**{zh: id for id, zh in CYCLES.items()}, "每天": "daily", "日": "daily", "每季": "quarterly", "季度": "quarterly", "半年": "half_yearly", "年": "yearly", "月": "monthly", "周": "weekly", "天": "daily", "年度": "yearly"}  # fmt: skip
_METHODS: Final = (("库表", "bulk"), ("数据库", "bulk"), ("文件", "bulk"), ("接口", "query"), ("服务", "query"), ("拷", "bulk"), ("介质", "bulk"), ("邮件", "bulk"))  # fmt: skip


def find_headers(rows: Sequence[Sequence[str]]) -> tuple[int, Mapping[str, int]]:
    """(place of the header row, column of each thing), in the first 20 rows. Errors: SheetUnreadable."""
    known = {plain(name): key for key, names in HEADERS.items() for name in names}
    best: tuple[int, dict[str, int]] = (0, {})
    for place, row in enumerate(rows[:20]):
        found: dict[str, int] = {}
        for column, text in enumerate(row):
            key = known.get(plain(text))
            if key is not None:
                found.setdefault(key, column)
        if len(found) > len(best[1]):
            best = place, found
    missing = [HEADERS[key][0] for key in NEEDED if key not in best[1]]
    if missing:
        why = f"表头里没有{'、'.join(f'“{name}”' for name in missing)}"
        raise SheetUnreadable({"file": f"{why}。"}, (SheetUnreadable.__doc__ or "").strip().format(why=why))
    return best


def plain(text: str) -> str:
    """A header without width, blanks, stars and what stands in brackets."""
    bare = "".join(unicodedata.normalize("NFKC", text[:200]).split()).strip("*:").lower()
    return re.sub(r"\(.*?\)|\[.*?\]", "", bare)


def share_of(text: str) -> int | None:
    """A share type, or None when the text is none."""
    return _SHARES.get(plain(text))


def open_of(text: str) -> int | None:
    """An open type, or None when the text is none."""
    return _OPENS.get(plain(text))


def cycle_of(text: str) -> str | None:
    """An update cycle, or None when the text is none."""
    bare = plain(text)
    return bare if bare in CYCLES else _CYCLES.get(bare)


def methods_of(text: str) -> tuple[str, ...]:
    """The ways of sharing that a text names."""
    found = [key for key in METHODS if key in plain(text).split("、")]
    return tuple(dict.fromkeys(found + [method for word, method in _METHODS if word in text]))


def item_type_of(text: str) -> str | None:
    """A letter of ITEM_TYPES from a letter or a Chinese name such as 字符型, or None."""
    bare = plain(text)
    if bare.upper() in ITEM_TYPES:
        return bare.upper()
    return next(
        (
            letter
            for letter, zh in ITEM_TYPES.items()
            if bare and (bare == zh or bare == zh.removesuffix("型"))
        ),
        None,
    )
