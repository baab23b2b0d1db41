"""What officials read: lengths of time, colours of states, lines of a fix request, the search of declarations."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from dizuo.doors.desk.measures import MEASURES, wants_of
from dizuo.doors.desk.search import find
from dizuo.doors.desk.telling import remaining, span, state_kind
from dizuo.engines.cases import ItemState
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import FrozenNow
from dizuo.web import Form
from dizuo.web.words import load_words

SRC = Path(__file__).resolve().parents[3] / "src" / "dizuo" / "doors"
WORDS = load_words(SRC / "desk")["zh"]


@pytest.fixture(scope="module")
def wuxi() -> City:
    return load_city(Path(__file__).resolve().parents[3] / "cities" / "wuxi")


@pytest.mark.parametrize(
    ("length", "says"),
    [
        (timedelta(0), "0 分钟"),
        (timedelta(seconds=29), "0 分钟"),
        (timedelta(minutes=59, seconds=31), "1 小时"),
        (timedelta(hours=2, minutes=5), "2 小时 5 分钟"),
        (timedelta(days=4, hours=7, minutes=40), "4 天 7 小时"),
        (timedelta(days=3), "3 天"),
    ],
)
def test_a_length_in_at_most_two_units(length: timedelta, says: str) -> None:
    assert span(length.total_seconds(), WORDS["time"]).strip() == says


def test_time_left_and_time_over_are_different_words(frozen_now: FrozenNow) -> None:
    now = frozen_now()
    assert remaining(now + timedelta(hours=1), now, WORDS["time"]).startswith("还剩")
    assert remaining(now - timedelta(hours=1), now, WORDS["time"]).startswith("超")
    assert remaining(None, now, WORDS["time"]) == "没有时限"


def test_every_state_has_a_colour_and_refusals_are_never_green() -> None:
    assert {state_kind(state) for state in ItemState} <= {"", "ok", "warn", "bad", "info"}
    assert state_kind(ItemState.REFUSED) == state_kind(ItemState.SENT_BACK) == "bad"
    assert state_kind(ItemState.GRANTED) == "ok"


def test_a_fix_request_takes_what_was_ticked_and_what_was_written() -> None:
    sent = Form(
        [
            ("found", "地址不一样"),
            ("want_1", ""),
            ("why_1", "空的不算"),
            ("want_3", "合同第 2 页"),
            ("why_3", "缺"),
        ]
    )
    assert [(want.what, want.why) for want in wants_of(sent)] == [("地址不一样", ""), ("合同第 2 页", "缺")]
    assert wants_of(Form([])) == []


def test_every_step_has_its_words() -> None:
    words = WORDS["measure"]
    for measure in MEASURES.values():
        for part in ("title", "intro", "button"):
            assert words[f"{measure.id}_{part}"]
        for field in measure.fields:
            assert words[f"field_{field.name}"]


def test_the_search_knows_matters_and_laws_and_nobody(wuxi: City) -> None:
    assert any(one.href == "/data/matters/newborn" for one in find(wuxi, "上户口", "zh"))
    assert any(one.kind == "law" for one in find(wuxi, "户口登记条例", "zh"))
    assert find(wuxi, "林晓晴", "zh") == []
