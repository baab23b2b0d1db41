"""The front page's own sentences, from invented facts (演示数据)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dizuo.doors.citizen import DOOR
from dizuo.doors.citizen.home import FocusView, due, focus, greeting
from dizuo.doors.citizen.views_case import counted
from dizuo.engines.cases import ApplicationState, CaseLine, DraftView, Endings, Home
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.web.words import load_words

WORDS = load_words(Path(DOOR.folder))
CITY = load_city(Path(__file__).resolve().parents[3] / "cities" / "wuxi")
NOW = dt.datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)


def line(state: ApplicationState, **more: object) -> CaseLine:
    facts = {
        "number": "WX20261123000017",
        "matter": "restaurant",
        "title": "演示店，开办餐饮店一件事",
        "state": state,
        "promised": NOW + dt.timedelta(days=9),
        "submitted_at": NOW,
        "ended_at": None,
        "items": 5,
        "ended": 3,
        "rated": False,
    }
    return CaseLine(**{**facts, **more})  # type: ignore[arg-type]


def home(*, running: tuple[CaseLine, ...] = (), ended: tuple[CaseLine, ...] = ()) -> Home:
    return Home((), running, ended, (), (), 0)


@pytest.mark.parametrize(
    ("lang", "says"),
    [
        ("zh", "5 项里办好了 2 项，1 项没有办成，2026 年 12 月 2 日前全部办完"),
        ("en", "2 of 5 done, 1 refused, all by 2 December 2026"),
    ],
)
def test_a_refused_item_is_not_counted_as_done(lang: str, says: str) -> None:
    running = line(ApplicationState.PARTLY_DONE)
    ends = {running.number: Endings(total=5, done=2, refused=1, dropped=0)}
    (found,) = due(home(running=(running,)), ends, CITY, lang, WORDS[lang])
    assert found.note == says


def test_withdrawn_items_are_said() -> None:
    assert counted(Endings(5, 1, 0, 4), "zh", WORDS["zh"]) == "5 项里办好了 1 项，4 项撤回了"
    assert counted(Endings(5, 1, 1, 3), "en", WORDS["en"]) == "1 of 5 done, 1 refused, 3 withdrawn"


def test_what_ended_badly_is_not_shown_as_done() -> None:
    refused = line(ApplicationState.REFUSED, ended_at=NOW)
    (found,) = due(home(ended=(refused,)), {}, CITY, "zh", WORDS["zh"])
    assert (found.tag, found.kind, found.icon) == ("没有办成", "bad", "doc")
    done = line(ApplicationState.DONE, ended_at=NOW)
    (found,) = due(home(ended=(done,)), {}, CITY, "zh", WORDS["zh"])
    assert (found.tag, found.kind, found.icon) == ("全部办好", "ok", "check")


def test_the_greeting_shortens_only_names_of_three() -> None:
    words = WORDS["zh"]
    assert greeting(NOW, "林晓晴", words).startswith("晓晴，上午好")
    assert greeting(NOW, "欧阳明日", words).startswith("欧阳明日，")
    assert greeting(NOW, "王五", words).startswith("王五，")


def first_card(mine: Home, acting: str = "", ends: dict[str, Endings] | None = None) -> FocusView:
    session: Any = SimpleNamespace(acting_for=SimpleNamespace(name=acting) if acting else None)
    waits = due(mine, ends or {}, CITY, "zh", WORDS["zh"])
    return focus(mine, waits, ends or {}, session, "zh", WORDS["zh"])


def test_all_done_is_said_only_when_nothing_waits_or_runs() -> None:
    assert first_card(home()).tag == "都办好了"
    running = line(ApplicationState.WAITING_FOR_CONSENT)
    card = first_card(home(running=(running,)), ends={running.number: Endings(5, 2, 0, 0)})
    assert (card.tag, card.href, card.done, card.total) == ("正在办", f"/cases/{running.number}", 2, 5)
    assert card.says == "有一项在等家人同意。"
    draft = DraftView("d1", "senior", Words("老年人优待证和高龄津贴"), 1, 1, NOW)
    card = first_card(Home((draft,), (running,), (), (), (), 0))
    assert (card.title, card.says) == ("有一件事等您", "没办完：老年人优待证和高龄津贴")
    assert card.href == "/matters/senior/apply?draft=d1"


def test_whoever_acts_for_another_is_told_so() -> None:
    assert first_card(home(), "演示店").title == "正在替演示店办事"
