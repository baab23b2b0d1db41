"""The resource code (信息资源代码): 类 (1 digit) 项 (2) 目 (3) 细目 (any) / 顺序码 (any). Pure.

类 and 项 follow 编制指南: 1 base registers, 2 themes, 3 departments. Ours, and not held against an official list: 目 is the
organisation's number in this catalogue, 细目 the city's division code, so that codes of two cities never meet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

CLASSES: Final[Mapping[str, tuple[str, str]]] = {
    "1": ("基础信息资源", "Base registers"), "2": ("主题信息资源", "Themes"), "3": ("部门信息资源", "Departments"),
}  # fmt: skip
BASES: Final[Mapping[str, tuple[str, str, str]]] = {
    "person": ("01", "人口", "Persons"), "enterprise": ("02", "法人", "Legal entities"),
    "geography": ("03", "自然资源和空间地理", "Natural resources and geography"), "credit": ("04", "社会信用", "Credit"),
    "licence": ("05", "电子证照", "E-licences"),
}  # fmt: skip
THEMES: Final[tuple[str, ...]] = (
    "公共服务", "健康保障", "社会保障", "食品药品安全", "安全生产", "价格监管", "能源安全", "信用体系", "城乡建设", "社区治理",
    "生态环保", "应急维稳",
)  # fmt: skip
LEVELS_OF: Final[Mapping[str, tuple[str, str, str]]] = {
    "city": ("01", "市级", "City"), "district": ("02", "区县级", "District"), "town": ("03", "镇街级", "Town"),
    "village": ("04", "村居级", "Village"),
}  # fmt: skip
_CODE: Final = re.compile(r"([123])([0-9]{2})([0-9]{3})([0-9A-Z]{0,40})/([0-9A-Z]{1,20})")


class CodeParts(msgspec.Struct, frozen=True):
    """A resource code taken apart."""

    class_: str
    item: str
    organisation: int
    detail: str
    sequence: str

    @property
    def prefix(self) -> str:
        """Everything before the sequence."""
        return f"{self.class_}{self.item}{self.organisation:03}{self.detail}"


def parts_of(code: str) -> CodeParts | None:
    """The parts of a code, or None when it is none."""
    found = _CODE.fullmatch(code)
    return None if found is None else CodeParts(found[1], found[2], int(found[3]), found[4], found[5])


def prefix(class_: str, item: str, organisation: int, city: str) -> str:
    """What stands before the sequence: 类项目细目."""
    return f"{class_}{item}{organisation:03}{city}"


def code_of(prefix: str, sequence: int) -> str:
    """A whole code; the sequence has six digits at least."""
    return f"{prefix}/{sequence:06}"


def base_category(base: str) -> tuple[str, str]:
    """(类项, 信息资源分类 in words) of a base register."""
    number, zh, _ = BASES[base]
    return f"1{number}", f"{CLASSES['1'][0]}/{zh}"


def department_category(level: str, short: str) -> tuple[str, str]:
    """(类项, 信息资源分类 in words) of a department at a level."""
    number, zh, _ = LEVELS_OF[level]
    return f"3{number}", f"{CLASSES['3'][0]}/{zh}/{short}"


def theme_category(theme: str) -> tuple[str, str]:
    """(类项, 信息资源分类 in words) of a theme. Errors: ValueError for an unknown one."""
    return f"2{THEMES.index(theme) + 1:02}", f"{CLASSES['2'][0]}/{theme}"
