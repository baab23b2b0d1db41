"""Whether a delivery that could be read may go on by itself: pure rules over counts, so that nothing wipes a register."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dizuo.engines.lake.intake.reading import Outcome
from dizuo.foundation.blueprint.model_source import Source

_MOST = 0.5
_FEW = 20


@dataclass(frozen=True, slots=True)
class Before:
    """The last full delivery that went on: its period and how many of its rows could be read."""

    period: dt.date
    read: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a delivery waits for a person: a code and one sentence."""

    code: str
    says: str


def judge(source: Source, mode: str, period: dt.date, outcome: Outcome, before: Before | None) -> Hold | None:
    """The first reason to hold a delivery, or None.

    Shapes: `mode` is the delivery's (full or changes); `before` counts for full ones only. A hold loses nothing: rows are read and kept, a steward
    releases or refuses them, and what was published before stays.
    """
    if outcome.moved:
        return Hold("columns_moved", outcome.moved)
    if outcome.missing:
        headers = "”“".join(source.columns[id].column for id in outcome.missing)
        return Hold("column_missing", f"少了申报的“{headers}”，放行会把原有的值当作空")
    if outcome.rows_in >= _FEW and outcome.rejected > _MOST * outcome.rows_in:
        return Hold(
            "mostly_rejected",
            f"{outcome.rows_in:,} 行里有 {outcome.rejected:,} 行不能用，超过一半",
        )
    if mode != "full":
        return None
    if not outcome.read:
        return Hold("empty", "全量交付里一行能用的也没有，放行会把原有的记录当作全部消失")
    if before is None:
        return None
    if period < before.period:
        return Hold("older", f"数据所属日期 {period} 早于已经收下的 {before.period}，放行会用旧的盖掉新的")
    if outcome.read < (1 - source.delivery.largest_drop) * before.read:
        share = 1 - outcome.read / before.read
        return Hold(
            "dropped",
            f"比上一次少 {share:.0%}（{before.read:,} → {outcome.read:,} 行），"
            f"超过申报的上限 {source.delivery.largest_drop:.0%}",
        )
    return None
