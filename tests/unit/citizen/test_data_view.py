"""我的数据: entries of the ledger as the person concerned reads them, from invented entries (演示数据)."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import pytest

from dizuo.doors.citizen import DOOR
from dizuo.doors.citizen.views_data import DataMaker, KeptThere, by_me, kept_by
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.ledger import EntryView
from dizuo.web.words import load_words

CITY = load_city(Path(__file__).resolve().parents[3] / "cities" / "wuxi")
WORDS = load_words(Path(DOOR.folder))
NOW = dt.datetime(2026, 11, 23, 10, 0, 30, tzinfo=SHANGHAI)
ME, NAME = 7, "林晓晴"
_IDS = itertools.count(1)


def entry(
    kind: str = "register.read",
    *,
    case: str = "form:newborn",
    who: int = ME,
    name: str = NAME,
    at: dt.datetime = NOW,
    **body: Any,
) -> EntryView:
    facts = {"actor": {"kind": "resident", "channel": "online"}, "matter": "newborn", **body}
    return EntryView(
        next(_IDS), at, kind, facts, {"case": case, "subject": who, "name": name, "key": "#1"}, None
    )


def maker(lang: str = "zh") -> DataMaker:
    return DataMaker(CITY, ME, NAME, lang, WORDS[lang])


def test_a_look_that_took_nothing_says_so_and_why() -> None:
    looks = [
        entry(case="home:newborn", register="person", state="found", fields=[]),
        entry(case="home:newborn", register="birth_certificate", state="missing"),
    ]
    (use,) = maker().uses(looks)
    assert use.title == "查了人口、出生医学证明，没有取内容"
    assert (use.why, use.case, use.who) == ("首页为您提前准备“新生儿出生一件事”", "", "您自己")
    assert [u.says for u in use.uses] == ["人口：只用来对上人，没有取内容", "出生医学证明：没有查到"]
    (english,) = maker("en").uses(looks)
    assert english.why == "prepared in advance for your front page, “A baby is born”"


def test_somebody_elses_front_page_is_not_called_yours() -> None:
    (use,) = maker().uses([entry(case="home:newborn", who=8, name="王启明", register="birth_certificate")])
    assert use.who == "另一位居民", "who else was concerned is told, not who it is"
    assert use.why == "打开自己的首页，系统提前准备“新生儿出生一件事”"


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("form:newborn", "填“新生儿出生一件事”时"),
        ("window:newborn", "窗口工作人员替您填“新生儿出生一件事”时"),
        ("home:newborn", ""),
        ("", ""),
    ],
)
def test_where_it_happened(case: str, says: str) -> None:
    (use,) = maker().uses([entry(case=case, register="person", fields=["name"])])
    assert (use.case, use.case_href) == (says, "")


def test_reads_of_one_minute_are_one_use_and_of_another_case_another() -> None:
    rounds = [
        entry(register="person", fields=["name"]),
        entry(register="household", fields=["address"], at=NOW + dt.timedelta(seconds=20)),
        entry(register="person", fields=["name"], case="WX20261123000017"),
        entry(register="person", fields=["name"], at=NOW - dt.timedelta(minutes=2)),
    ]
    uses = maker().uses(rounds)
    assert [len(use.uses) for use in uses] == [2, 1, 1]
    assert uses[0].title == "用了人口、户"
    # No entry is lost: each keeps its own proof.
    assert sorted(u.proof for use in uses for u in use.uses) == sorted(
        f"/me/data/{one.id}/proof" for one in rounds
    )


def test_looking_at_the_list_often_is_one_line_a_day() -> None:
    views = [entry("data.viewed", case="", at=NOW - dt.timedelta(minutes=30 * n)) for n in range(3)]
    yesterday = entry("data.viewed", case="", at=NOW - dt.timedelta(days=1))
    titles = [use.title for use in maker().uses([*views, yesterday])]
    assert titles == ["看了这份使用记录（3 次）", "看了这份使用记录"]


def test_who_reports_an_error_is_oneself_and_the_field_is_named() -> None:
    body = {"register": "person", "field": "phone", "actor": {"kind": "resident", "channel": "online"}}
    report = EntryView(99, NOW, "correction.report", body, {"correction": "JC1", "key": "#1"}, None)
    assert by_me(report, ME, NAME)
    assert kept_by(report, "mine", ME, NAME)
    (use,) = maker().uses([report])
    assert (use.who, use.uses[0].says) == ("您自己", "人口：手机号")


def test_what_a_department_keeps_itself_is_named_as_the_catalogue_names_it() -> None:
    body = {"resource": "306099/7", "register": "公积金缴存", "node": "fund", "fields": ["acct_bal", "other"], "state": "found", "grant": 3,
            "actor": {"kind": "system", "unit": "hrss", "channel": "system"}}  # fmt: skip
    read = EntryView(98, NOW, "register.read", body, {"case": "HRSS-1"}, None)
    kept = {"306099/7": KeptThere("Fund deposits", {"acct_bal": "Balance"})}
    (bare,) = maker().uses([read])
    assert bare.uses[0].says == "公积金缴存：acct_bal、other"
    (use,) = DataMaker(CITY, ME, NAME, "en", WORDS["en"], kept).uses([read])
    assert "Balance" in use.uses[0].says
    assert "acct_bal" not in use.uses[0].says
    assert "Fund deposits" in use.uses[0].says
    assert "Fund deposits" in use.title
    assert not use.uses[0].wrong, "what is at a department is corrected there"
