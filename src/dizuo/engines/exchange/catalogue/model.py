"""A resource of the catalogue (政务数据资源) and the words of its attributes (编制指南的核心元数据). No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import msgspec

from dizuo.foundation.blueprint.kinds_catalogue import (
    CYCLES as CYCLES,  # named once, for both
)
from dizuo.foundation.store import Row

SHARE_TYPES: Final[Mapping[int, str]] = {1: "无条件共享", 2: "有条件共享", 3: "不予共享"}
OPEN_TYPES: Final[Mapping[int, str]] = {1: "无条件开放", 2: "有条件开放", 3: "不予开放"}
ITEM_TYPES: Final[Mapping[str, str]] = {
    "C": "字符型", "N": "数值型", "Y": "货币型", "D": "日期型", "T": "日期时间型", "L": "逻辑型", "M": "备注型",
    "G": "通用型", "B": "双精度型", "I": "整型", "F": "浮点型",
}  # fmt: skip
STATES: Final[Mapping[str, str]] = {
    "draft": "草稿", "department_review": "待部门审核", "authority_review": "待主管审核", "published": "已发布",
    "changing": "变更中", "offline": "已下线",
}  # fmt: skip
METHODS: Final[Mapping[str, str]] = {
    "query": "接口（查一个主体）", "batch": "接口（批量比对）", "subscribe": "接口（订阅变化）", "bulk": "文件（整份）",
}  # fmt: skip
LEVELS: Final = ("L1", "L2", "L3", "L4")


class ResourceField(msgspec.Struct, frozen=True):
    """One item of a resource (信息项). ``type`` is a key of ITEM_TYPES; ``datum`` the concept, ``basis`` law:article, or ''."""

    id: str
    zh: str
    en: str
    type: str
    level: str
    personal: bool
    datum: str = ""
    basis: str = ""


class Resource(msgspec.Struct, frozen=True):
    """A resource with its core metadata; it mirrors exchange.resource.

    ``provider`` is an organisation's id; ``share_type`` and ``open_type`` are keys of SHARE_TYPES and OPEN_TYPES,
    ``update_cycle`` of CYCLES, ``state`` of STATES. ``derived`` names the attributes that nobody declared and that wait
    to be confirmed. Source: 政务信息资源目录编制指南（2017）.
    """

    code: str
    title: str
    provider: str
    kind: str
    share_type: int
    update_cycle: str
    title_en: str = ""
    abstract: str = ""
    abstract_en: str = ""
    provider_code: str = ""
    register: str | None = None
    source: str | None = None
    fields: tuple[ResourceField, ...] = ()
    category: str = ""
    format: str = ""
    share_condition: str = ""
    share_basis: str = ""
    share_methods: tuple[str, ...] = ()
    open_type: int = 3
    open_condition: str = ""
    level: str = "L1"
    related: tuple[str, ...] = ()
    state: str = "published"
    state_why: str = ""
    derived: tuple[str, ...] = ()
    published_on: date | None = None
    changed_at: datetime | None = None

    @property
    def personal(self) -> bool:
        """Whether any item is personal information (个人信息)."""
        return any(field.personal for field in self.fields)

    @property
    def verified(self) -> bool:
        """Whether every attribute was declared by a person."""
        return not self.derived

    def field(self, id: str) -> ResourceField | None:
        """The item of this id, or None."""
        return next((field for field in self.fields if field.id == id), None)


COLUMNS: Final = Resource.__struct_fields__
"""The columns of exchange.resource, named as the attributes."""

OWN: Final = tuple(
    name for name in COLUMNS if name not in {"code", "state", "state_why", "published_on", "changed_at"}
)
"""What a declaration or an import says of a resource; the rest is the catalogue's own."""


def resource_of(row: Row) -> Resource:
    """A row of exchange.resource as a structure."""
    return msgspec.convert(dict(row), Resource)


def plain(value: object) -> Any:
    """An attribute as JSON has it."""
    return msgspec.to_builtins(value)
