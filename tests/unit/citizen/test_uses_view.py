"""我的数据 around the list, from invented entries (演示数据): complete or not, new kinds of use, filter, days, seals, a safe table."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from dizuo.doors.citizen import DOOR
from dizuo.doors.citizen.pages_taken import safe
from dizuo.doors.citizen.views_data import DataMaker, UseView
from dizuo.doors.citizen.views_uses import Chosen, UsesMaker
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.ledger import Counted, EntryView, Objection, Use
from dizuo.web.words import load_words

CITY = load_city(Path(__file__).resolve().parents[3] / "cities" / "wuxi")
WORDS = load_words(Path(DOOR.folder))
NOW = dt.datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)
ME = 7
EXCHANGE: dict[str, Any] = {
    "actor": {"kind": "system", "unit": "education", "channel": "system"},
    "register": "household",
    "fields": ["address"],
    "purpose": "义务教育入学资格核验",
    "basis": "pipl-2021:13",
    "grant": 3,
    "method": "query",
}


def use(first: int, *, unit: str = "edu", actor: str = "system", purpose: str = "入学") -> Use:
    return Use(unit, actor, purpose, first, NOW, NOW, 1)


def maker(lang: str = "zh") -> UsesMaker:
    return UsesMaker(CITY, lang, WORDS[lang])


def entries(*some: EntryView) -> list[UseView]:
    return DataMaker(CITY, ME, "林晓晴", "zh", WORDS["zh"]).uses(some, {1: 12})


def entry(kind: str, body: dict[str, Any], payload: dict[str, Any] | None = None) -> EntryView:
    return EntryView(1, NOW, kind, body, payload, 5)


def counts(**changed: Any) -> Counted:
    told: dict[str, Any] = {
        "first": 1, "last": 9, "numbers": {}, "erased": (), "missing": (), "waiting": 0, "older": 0,
    }  # fmt: skip
    return Counted(**(told | changed))


def test_complete_says_how_far_and_what_else() -> None:
    whole = maker().whole(counts(erased=(2, 3), waiting=1, older=4), 1)
    assert (whole.says, whole.ok) == ("完整：第 1–9 条，没有缺", True)
    assert whole.notes == [
        "其中 2 条满了保存期，依法删去了内容，号还在。",
        "其中 1 条依法暂不公开，到期公开。",
        "另有 1 条刚刚记下，几秒后编号。",
        "另有 4 条是开始编号以前记的，照样列出。",
    ]
    assert maker("en").whole(counts(), 0).says == "Complete: numbers 1–9, none missing"


def test_a_gap_is_never_called_complete() -> None:
    whole = maker().whole(counts(missing=(4, 7)), 0)
    assert not whole.ok
    assert whole.says.startswith("第 4、7 条不在这里")
    nothing = maker().whole(counts(first=0, last=0), 0)
    assert (nothing.ok, nothing.any) == (True, False)


def test_new_is_what_a_department_did_for_the_first_time_since_the_last_look() -> None:
    some = [
        use(50),
        use(20),
        use(60, actor="resident", unit=""),
        use(70, unit="psb", actor="official", purpose="newborn"),
    ]
    found = maker().new(some, 40)
    assert len(found) == 2
    assert "第一次用了您的数据：入学" in found[0].says
    assert found[0].href == "/me/data?unit=edu&purpose=%E5%85%A5%E5%AD%A6"
    assert "新生儿出生一件事" in found[1].says
    assert maker().new(some, None) == [], "at the first visit everything is new, so nothing is pointed out"


@pytest.mark.parametrize(
    ("query", "href"),
    [
        ({}, "/me/data"),
        ({"since": "2026-11-01", "until": "x"}, "/me/data?since=2026-11-01"),
        ({"kind": "mine", "unit": "edu"}, "/me/data?kind=mine&unit=edu"),
        ({"since": "2026-13-01", "purpose": "a&b"}, "/me/data?purpose=a%26b"),
    ],
)
def test_a_choice_is_an_address(query: dict[str, str], href: str) -> None:
    assert Chosen.read(query).href() == href


def test_days_of_a_filter_are_whole_days_of_the_city() -> None:
    chosen = Chosen.read({"since": "2026-11-01", "until": "2026-11-01"}).filter
    assert chosen.since == dt.datetime(2026, 11, 1, tzinfo=SHANGHAI)
    assert chosen.until == dt.datetime(2026, 11, 2, tzinfo=SHANGHAI)
    assert Chosen.read({"until": "9999-12-31"}).filter.until is None


def test_uses_stand_under_their_day_and_none_is_hidden() -> None:
    some = [
        EntryView(
            n,
            NOW - dt.timedelta(hours=7 * n),
            "register.read",
            {"register": "person", "fields": ["name"]},
            {},
            n,
        )
        for n in range(6)
    ]
    days = maker().days(DataMaker(CITY, ME, "林晓晴", "zh", WORDS["zh"]).uses(some))
    assert [day.title for day in days] == [
        "2026 年 11 月 23 日",
        "2026 年 11 月 22 日",
        "2026 年 11 月 21 日",
    ]
    assert sum(len(day.uses) for day in days) == 6


def test_a_read_through_the_exchange_says_who_why_and_on_which_law() -> None:
    (told,) = entries(entry("register.read", EXCHANGE, {"case": "入学-1", "key": "#5"}))
    assert told.who.endswith("部门系统（经数据交换）")
    assert told.who.startswith("市教育局")
    assert told.why == "义务教育入学资格核验"
    assert "个人信息保护法" in told.law
    assert (told.case, told.case_href) == ("入学-1", "")
    assert told.uses[0].number == "第 12 条"
    assert told.objects == "/me/data/object?entry=1"


def test_nobody_objects_to_what_they_did_themselves() -> None:
    own = {"actor": {"kind": "resident", "channel": "online"}, "register": "person", "fields": ["name"]}
    assert entries(entry("register.read", own, {"subject": ME}))[0].objects == ""
    unknown = EXCHANGE | {"actor": {"kind": "system", "unit": "nowhere"}}
    assert entries(entry("register.read", unknown))[0].objects == ""


def test_a_sealed_entry_says_when_it_opens_and_nothing_else() -> None:
    body = {
        "opens_on": "2027-01-05",
        "basis": "cpl-2018:152",
        "tells": True,
        "actor": {"kind": "official", "unit": "psb"},
    }
    (told,) = entries(entry("sealed", body))
    assert told.note == "依法暂不公开，2027 年 1 月 5 日公开。"
    assert (told.title, told.why) == ("依法暂不公开的一次使用", "依法暂不能说")
    assert told.uses[0].wrong == ""


def test_an_opened_seal_is_told_like_any_use_with_its_day() -> None:
    body = {
        "entry": 3,
        "since": "2026-08-01",
        "kind": "register.read",
        "said": EXCHANGE,
        "basis": "cpl-2018:152",
    }
    (told,) = entries(entry("sealed.opened", body))
    assert told.note == "依法暂未公开，2026 年 8 月 1 日起记在账上，现已公开。"
    assert told.why == "义务教育入学资格核验"
    assert told.objects == "/me/data/object?entry=1"


def test_objections_say_who_answers_by_when() -> None:
    told = maker().objections(
        [
            Objection("YY1", 4, "edu", "没有办", NOW, NOW, "open", "", None),
            Objection("YY2", 5, "edu", "太多", NOW, NOW, "upheld", "已停用", NOW),
        ]
    )
    assert told[0].note.endswith("最晚 2026 年 11 月 23 日 10:00 答复")
    assert (told[1].tag, told[1].note.endswith("答复：已停用")) == ("成立", True)


@pytest.mark.parametrize("text", ["=1+1", "+86", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe(text) == f"'{text}"
    assert safe("读" + text) == "读" + text
    assert safe(None) == ""
