"""Rights between departments held against what was read under them: never used, never asked for, never needed."""

from __future__ import annotations

import datetime as dt
import importlib.util
from pathlib import Path
from typing import Any

from dizuo.commands.policy import shared_lines
from dizuo.foundation.policy import HeldGrant, analyse_shared, recorded, shared

_SPEC = importlib.util.spec_from_file_location(
    "small_city_of_shared", Path(__file__).resolve().parents[1] / "registers" / "small_city.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
small = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(small)

SINCE, UNTIL = dt.date(2026, 11, 1), dt.date(2026, 11, 23)


def row(
    grant: int, *fields: str, entries: int = 1, kind: str = "register.read", **body: Any
) -> dict[str, Any]:
    face = {
        "grant": grant, "resource": "R/person", "register": "person", "fields": list(fields), "serves": "newborn",
        "basis": "social:58", "purpose": "为参保人员发放社会保障卡", "method": "query", "key": "hrss.1", "state": "found",
        "actor": {"kind": "system", "unit": "hrss", "channel": "system"}, **body,
    }  # fmt: skip
    body = {name: value for name, value in face.items() if value is not None}
    return {
        "kind": kind,
        "body": body,
        "stands": "self",
        "entries": entries,
        "example": 100 + grant,
        "last_at": None,
    }


def held(id: int, *fields: str, **more: Any) -> HeldGrant:
    given: dict[str, Any] = {
        "consumer": "hrss", "resource": "R/person", "title": "人口", "register": "person", "matter": "newborn", "basis": "social:58",
        "starts": dt.date(2026, 1, 1), "expires": dt.date(2027, 1, 1), "state": "open", "opened_on": dt.date(2026, 1, 1),
    }  # fmt: skip
    return HeldGrant(id=id, fields=fields, **(given | more))


def test_a_use_under_a_right_tells_enough_and_is_no_item_s() -> None:
    rows = [
        row(1, "name", entries=3),
        row(1, "name", entries=2, state="missing"),
        row(1, kind="register.refused", reason="fields"),
    ]
    assert recorded(rows) == ((), 0), "neither an item's read nor one that tells too little"
    uses = shared(rows)
    assert [(one.kind, one.grant, one.fields, one.entries) for one in uses] == [
        ("read", 1, ("name",), 5),
        ("refused", 1, (), 1),
    ]


def test_rights_without_a_read_and_fields_without_one() -> None:
    uses = shared([row(1, "name", entries=4), row(3, kind="register.refused", entries=2)])
    rights = [
        held(1, "name", "phone"), held(2, "name"), held(3, "name", opened_on=dt.date(2026, 11, 20)),
        held(4, "name", state="revoked"), held(5, "name", expires=dt.date(2026, 10, 1)),
    ]  # fmt: skip
    report = analyse_shared(small.small_city(), uses, rights, SINCE, UNTIL)
    assert (report.entries, report.grants, report.duties) == (4, 3, 0)
    assert [(one.grant, one.since, one.refused) for one in report.idle] == [
        (2, SINCE, 0),
        (3, dt.date(2026, 11, 20), 2),
    ]
    assert [(one.grant, one.fields, one.entries) for one in report.unasked] == [(1, ("phone",), 4)]
    lines = "\n".join(shared_lines(report))
    assert "4 entries of reads under 3 rights" in lines
    assert "2  hrss  R/person 人口  newborn  social:58  since 2026-11-01" in lines
    assert "phone  of 4 reads" in lines


def test_what_no_item_of_the_reader_needs_is_told() -> None:
    city = small.small_city()
    needed = {
        fact.partition(".")[2]
        for item in city.matters["newborn"].items
        if item.department == "hrss"
        for need in item.needs
        for fact in need.facts
        if next(p for p in city.matters["newborn"].parties if p.id == fact.partition(".")[0]).register
        == "person"
    }
    assert needed >= {"phone"}
    assert "illness" not in needed
    uses = shared([
        row(1, "phone", "illness", entries=3), row(1, "phone", entries=1, actor={"kind": "system", "unit": "psb"}),
        row(2, "phone", serves="gone"), row(3, "phone", serves=None), row(4, "diary", register="婚姻登记（演示）"),
    ])  # fmt: skip
    report = analyse_shared(city, uses, [], SINCE, UNTIL)
    told = {(one.consumer, one.matter, one.field): one.entries for one in report.unneeded}
    assert told[("hrss", "newborn", "illness")] == 3
    assert told[("hrss", "gone", "phone")] == 1, "a matter that nobody declares needs nothing"
    assert ("hrss", "newborn", "phone") not in told
    assert not any(field == "diary" for _, _, field in told), (
        "no declaration says what of a node's resource is needed"
    )
    assert report.duties == 1
