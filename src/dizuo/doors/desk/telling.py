"""Saying times, states and declarations to officials: short words, numbers first."""

from __future__ import annotations

import datetime as dt

from dizuo.engines.cases import ItemState
from dizuo.foundation.blueprint.model import Length, Words
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.kernel.clocks import Level
from dizuo.web.format import day, short_day
from dizuo.web.words import fill

Sentences = dict[str, str]

KINDS = {Level.GREEN: "ok", Level.YELLOW: "warn", Level.RED: "bad", Level.BLACK: "bad"}
_UNITS = {
    "workday": ("个工作日", "workdays"),
    "calendar_day": ("天", "days"),
    "work_hour": ("个工作小时", "working hours"),
    "hour": ("小时", "hours"),
    "month": ("个月", "months"),
    "year": ("年", "years"),
}
_WARN = (ItemState.WAITING, ItemState.CONSENT, ItemState.FIX_AWAITED, ItemState.SPECIAL, ItemState.RETURNED)
_BAD = (ItemState.REFUSED, ItemState.NOT_ACCEPTED, ItemState.SENT_BACK, ItemState.VOID)
_BY_WORD = {state.word: state for state in ItemState}


def pick(words: Words | None, lang: str) -> str:
    """The words in the reader's language; Chinese when the city gave no other."""
    if words is None:
        return ""
    return words.en if lang == "en" and words.en else words.zh


def length(value: Length, lang: str) -> str:
    """3 个工作日 / 3 workdays."""
    zh, en = _UNITS[value.unit]
    return f"{value.n} {en}" if lang == "en" else f"{value.n} {zh}"


def span(seconds: float, words: Sentences) -> str:
    """A length of time in at most two units: 4 天 7 小时, 28 分钟."""
    minutes = max(0, round(seconds / 60))
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        return fill(words["days"], n=days) + (fill(words["hours"], n=hours) if hours else "")
    if hours:
        return fill(words["hours"], n=hours) + (
            fill(words["minutes"], n=minutes % 60) if minutes % 60 else ""
        )
    return fill(words["minutes"], n=minutes)


def remaining(due: dt.datetime | None, now: dt.datetime, words: Sentences) -> str:
    """还剩 2 天 3 小时 / 超 40 分钟 / 没有时限."""
    if due is None:
        return words["no_due"]
    seconds = (due - now).total_seconds()
    return fill(words["left" if seconds >= 0 else "over"], span=span(abs(seconds), words))


def when(moment: dt.datetime, now: dt.datetime, words: Sentences, lang: str) -> str:
    """今天 10:14, else the day and the time."""
    local = to_shanghai(moment)
    if local.date() == to_shanghai(now).date():
        return fill(words["today"], time=f"{local:%H:%M}")
    return f"{short_day(local, lang)} {local:%H:%M}"


def full_day(moment: dt.datetime | dt.date | None, lang: str) -> str:
    """2026 年 11 月 16 日."""
    return day(moment, lang)


def state_kind(state: ItemState) -> str:
    """The colour of a state's tag; colour is never alone, the word stands in it."""
    if state.succeeded:
        return "ok"
    if state in _WARN:
        return "warn"
    if state in _BAD:
        return "bad"
    return "" if state in (ItemState.WITHDRAWN, ItemState.FORWARDED) else "info"


def kind_of_word(word: str) -> str:
    """The same for a state that is told by its word alone."""
    state = _BY_WORD.get(word)
    return "" if state is None else state_kind(state)
