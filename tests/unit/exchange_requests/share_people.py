"""Invented officials and resources (演示数据) for the tests of requests and rights."""

from __future__ import annotations

from dizuo.engines.registers import Actor

FREE, ASKED, CLOSED, DRAFT = "TEST001/1", "TEST002/1", "TEST003/1", "TEST004/1"


def _fields(*names: str) -> list[dict[str, object]]:
    return [
        {"id": name, "zh": name, "en": name, "type": "C", "level": "L3", "personal": True} for name in names
    ]


RESOURCES = (
    (FREE, "企业登记", "market", "enterprise", _fields("uscc", "name", "address"), 1, "", "", "published"),
    (ASKED, "人口", "psb", "person", _fields("citizen_id", "name", "sex", "phone"), 2, "按事项使用", "", "published"),
    (CLOSED, "残疾人证", "dpf", "disability_certificate", _fields("citizen_id", "grade"), 3, "", "disabled-2018:2", "published"),
    (DRAFT, "车辆", "psb", "vehicle", _fields("plate"), 2, "按事项使用", "", "draft"),
)  # fmt: skip


def official(account: str, unit: str, *powers: str, post: str = "officer") -> Actor:
    return Actor("official", official=account, post=post, unit=unit, name=f"演示{account}", powers=powers)
