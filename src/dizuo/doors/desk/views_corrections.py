"""One reported error as the source department sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from dizuo.engines.cases import Correction
from dizuo.foundation.blueprint.model import City

from .telling import full_day, pick, remaining, when
from .views_queue import RailView


class CorrectionView(msgspec.Struct, frozen=True):
    """One reported error as the source department sees it."""

    rail: RailView
    here: str
    number: str
    title: str
    lines: list[tuple[str, str]]
    left: str
    until: str
    open: bool
    result: str
    wants: str
    reason: str
    answer: str
    errors: list[tuple[str, str]]


def correction_view(
    city: City,
    found: Correction,
    rail: RailView,
    sent: Mapping[str, str],
    errors: Mapping[str, str],
    now: dt.datetime,
    lang: str,
    words: dict[str, dict[str, str]],
) -> CorrectionView:
    """The page, with what was typed."""
    w = words["correction"]
    register, source = city.registers[found.register], city.organisations[found.source]
    lines = [
        (w["register"], pick(register.name, lang)),
        (w["field"], found.field_name),
        (w["says"], found.says or w["no_words"]),
        (w["wants"], found.wants),
        (w["reporter"], found.reporter),
        (w["opened"], when(found.opened_at, now, words["time"], lang)),
        (w["source"], pick(source.name, lang)),
    ]
    return CorrectionView(
        rail=rail,
        here="waiting",
        number=found.number,
        title=f"{pick(register.name, lang)}，{found.field_name}",
        lines=lines,
        left=remaining(found.due, now, words["time"]),
        until=full_day(found.due, lang),
        open=found.state == "open",
        result=w[f"state_{found.state}"] + (f"：{found.reason}" if found.reason else ""),
        wants=sent.get("value") or found.wants,
        reason=sent.get("reason") or "",
        answer=sent.get("answer") or "",
        errors=list(errors.items()),
    )
