"""How dates, counts and identifiers look to people, in Chinese and in English."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from minijinja import Markup, escape

from dizuo.foundation.kernel.clock_source import to_shanghai

from .words import fill

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October")
MONTHS = (*_MONTHS, "November", "December")
_CLAUSE = re.compile(r"([！，。？：])")
_WEEKDAYS = {"zh": "一二三四五六日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


def as_date(value: dt.date | dt.datetime | str) -> dt.date:
    """A date from a date, an instant (on the city's clock) or ISO text."""
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    if isinstance(value, dt.datetime):
        return (to_shanghai(value) if value.tzinfo else value).date()
    return value


def day(value: dt.date | dt.datetime | str | None, lang: str = "zh") -> str:
    """2026 年 11 月 16 日 / 16 November 2026; nothing for None; text that is no date stays as it is."""
    if value is None or value == "":
        return ""
    try:
        date = as_date(value)
    except ValueError:
        return str(value)
    if lang == "en":
        return f"{date.day} {MONTHS[date.month - 1]} {date.year}"
    return f"{date.year} 年 {date.month} 月 {date.day} 日"


def short_day(value: dt.date | dt.datetime | str | None, lang: str = "zh") -> str:
    """11 月 16 日 周一 / Mon 16 November: a near date, with its weekday."""
    if value is None or value == "":
        return ""
    date = as_date(value)
    weekday = _WEEKDAYS[lang][date.weekday()]
    if lang == "en":
        return f"{weekday} {date.day} {MONTHS[date.month - 1]}"
    return f"{date.month} 月 {date.day} 日（周{weekday}）"


def moment(value: dt.datetime | str | None, lang: str = "zh") -> str:
    """2026 年 11 月 16 日 08:42, on the city's clock."""
    if value is None or value == "":
        return ""
    try:
        when = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return str(value)
    when = to_shanghai(when) if when.tzinfo else when
    return f"{day(when, lang)} {when:%H:%M}"


def iso_moment(value: dt.datetime) -> str:
    """2026-11-16 08:42, for tables."""
    return f"{to_shanghai(value):%Y-%m-%d %H:%M}"


def masked(number: str | None, keep_head: int = 6, keep_tail: int = 4) -> str:
    """320211********1026: an identity number with its middle hidden; a short text is hidden whole."""
    if not number:
        return ""
    if len(number) <= keep_head + keep_tail:
        return "*" * len(number)
    return number[:keep_head] + "*" * (len(number) - keep_head - keep_tail) + number[-keep_tail:]


def phrases(text: str) -> Markup:
    """A heading with its phrases kept together: ``请确认|宝宝的信息`` may break only at the bar.

    CSS cannot find Chinese word boundaries, so headings mark their phrases; without a mark, clauses are phrases.
    """
    marked = text if "|" in text else _CLAUSE.sub(r"\1|", text)
    parts = [part for part in marked.split("|") if part]
    # English phrases need the space that Chinese ones must not have.
    between = " " if parts and parts[0][-1:].isascii() else ""
    return Markup(between.join(f'<span class="nb">{escape(part)}</span>' for part in parts))


def thousands(value: int) -> str:
    """4,126."""
    return f"{value:,}"


def plain(text: str) -> str:
    """A heading's text without its phrase marks, for <title>."""
    return text.replace("|", "")


FILTERS: dict[str, Callable[..., object]] = {
    "day": day,
    "short_day": short_day,
    "moment": moment,
    "iso_moment": iso_moment,
    "masked": masked,
    "nb": phrases,
    "plain": plain,
    "fill": fill,
    "thousands": thousands,
}
