"""The progress page's words, from an invented case (演示数据)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from dizuo.doors.citizen import DOOR
from dizuo.doors.citizen import views_case as room
from dizuo.doors.citizen.case_facts import ProgressView
from dizuo.doors.citizen.views_case import CaseMaker
from dizuo.engines.cases import ApplicationState, ItemState, Progress, ProgressItem
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.web.words import load_words

CITY = load_city(Path(__file__).resolve().parents[3] / "cities" / "wuxi")
WORDS = load_words(Path(DOOR.folder))
NOW = dt.datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)
ITEMS = {item.id: item for item in CITY.matters["newborn"].items}


def item(name: str, state: ItemState, *waits: str, **more: Any) -> ProgressItem:
    return ProgressItem(
        **{  # type: ignore[arg-type]
            "id": name,
            "name": ITEMS[name].name,
            "department": Words("市公安局", "Police"),
            "state": state,
            "word": state.word,
            "waits_for": tuple(ITEMS[one].name for one in waits),
            "due_promise": None,
            "due_statute": None,
            "level": None,
            "paused": False,
            "pause_reason": "",
            "fix": None,
            "decision": None,
            "documents": (),
            "may_withdraw": True,
            "answers": (),
            **more,
        }
    )


def event(name: str, at: dt.datetime = NOW, on: str = "", who: str = "系统", reason: str = "") -> Any:
    return SimpleNamespace(
        at=at, what=name, item=ITEMS[on].name if on else None, who=who, reason=reason, name=name
    )


def consent(party: str, state: str = "pending") -> Any:
    return SimpleNamespace(
        id=party, party=party, items=("household",), state=state, expires_at=NOW + dt.timedelta(days=7)
    )


CASE = Progress(
    number="WX20261123000017",
    matter="newborn",
    matter_name=CITY.matters["newborn"].name,
    title="王沐言，新生儿出生一件事",
    state=ApplicationState.WAITING_FOR_CONSENT,
    submitted_at=NOW,
    promised=NOW + dt.timedelta(days=8),
    ended_at=None,
    channel="online",
    items=(
        item("household", ItemState.CONSENT),
        item("enrol", ItemState.WAITING, "household"),
        item("card", ItemState.WAITING, "household"),
        item("vaccination", ItemState.DONE),
        item("cost", ItemState.REFUSED),
    ),
    done=2,
    total=5,
    consents=(consent("father"), consent("father_head", "given")),
    answers=(),
    documents=(),
    history=(),
    may_withdraw=True,
    may_rate=False,
    rating=None,
)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The page of a case in a language; the engine is asked for nothing."""

    async def shown(lang: str = "zh", **changed: Any) -> ProgressView:
        async def progress(*_: object) -> Progress:
            return msgspec.structs.replace(CASE, **changed)

        monkeypatch.setattr(room, "progress", progress)
        maker = CaseMaker(SimpleNamespace(city=CITY, cases=None), Actor("resident", 7), lang, WORDS[lang])
        return await maker.progress(CASE.number)

    return shown


async def test_it_says_whose_consent_is_missing(told: Any) -> None:
    page = await told()
    assert page.items[0].note == "市公安局 · 等爸爸同意，2026 年 11 月 30 日前"
    assert page.next[0] == WORDS["zh"]["receipt"]["next_consent"]
    english = await told("en")
    assert english.items[0].note == "Police · Father to agree by 30 November 2026"
    # Nobody is waited for once all have answered.
    assert (await told(consents=(consent("father", "given"),))).items[0].note == "市公安局"


async def test_what_waits_for_the_same_is_one_sentence(told: Any) -> None:
    waits = [line for line in (await told()).next if "自动开始" in line]
    assert waits == ["“户口登记”办好，居民医保参保登记、社会保障卡就自动开始。"]


async def test_a_refused_item_is_no_done_one(told: Any) -> None:
    assert (await told()).bar == "5 项里办好了 1 项，1 项没有办成"


async def test_one_item_in_one_minute_is_one_line(told: Any) -> None:
    late = NOW + dt.timedelta(minutes=9)
    lines = (
        event("submit", who="林晓晴"),
        event("auto_grant", on="vaccination"),
        event("issue", on="vaccination"),
        event("complete", at=late, on="vaccination"),
        event("wait", on="enrol"),
        event("notify_fix", at=late, on="household", who="工作人员", reason="少一份说明"),
        event("start_special", at=late, on="household", who="工作人员", reason="要鉴定"),
    )
    history = (await told(history=lines)).history
    assert [one.what for one in history] == [
        "户口登记：特别程序开始，时限暂停",
        "户口登记：请您补正",
        "预防接种建档：办好了",
        "预防接种建档：自动核验通过、制证",
        "提交",
    ]
    # Different reasons are never put into one line.
    assert history[0].who == "工作人员 · 要鉴定"
    assert history[1].who == "工作人员 · 少一份说明"
    english = (await told("en", history=lines)).history
    assert english[0].who.startswith("an official")


async def test_a_pause_says_why_in_the_readers_language(told: Any) -> None:
    paused = item("household", ItemState.SPECIAL, paused=True, pause_reason="听证，需要20天")
    assert "时限暂停：听证，需要20天" in (await told(items=(paused,))).items[0].note
    assert "clock paused: hearing，需要20天" in (await told("en", items=(paused,))).items[0].note
