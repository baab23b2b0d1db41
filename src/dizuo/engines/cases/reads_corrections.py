"""Corrections (校核纠错) in figures, by the department that is the source: for the data door; nothing personal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import msgspec

from dizuo.engines.cases.context import Cases
from dizuo.foundation.store import Queries

_CORRECTIONS: Final[Mapping[str, str]] = Queries.load("dizuo.engines.cases", "corrections.sql")
LATELY: Final = dt.timedelta(days=90)


class CorrectionFigures(msgspec.Struct, frozen=True):
    """One department: open, past their clock (政务数据共享条例: 校核); ended in the last ninety days, in time, confirmed."""

    source: str
    open: int
    over: int
    ended: int
    in_time: int
    confirmed: int


async def corrections_by_source(cases: Cases) -> Mapping[str, CorrectionFigures]:
    """By organisation id; departments without any are absent. Errors: the pool's."""
    now = cases.now()
    rows = await cases.pool.fetch(_CORRECTIONS["by_source"], now, now - LATELY)
    return {row["source"]: msgspec.convert(dict(row), CorrectionFigures) for row in rows}
