"""How requests went (考核口径 of domain §1.6): computed from the record of steps, never reported by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import msgspec

from dizuo.engines.exchange.requests.grants import QUERIES
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.store import Connection, Pool

_LEVELS: Final[Mapping[str, int]] = {"village": 1, "town": 2, "district": 3, "city": 4}


class ProviderFigures(msgspec.Struct, frozen=True):
    """How one provider answered conditional requests. `mean_days` in working days, None where no clock could be counted."""

    provider: str
    answers: int
    mean_days: float | None
    in_time: int
    timed: int
    refused: int


class Figures(msgspec.Struct, frozen=True):
    """Since a moment: answers and their mean in working days; kept of those that could be timed; refusals and why; requests sent, opened,
    still running; rights usable today and how many of them are real-time interfaces; how often a collection was prevented;
    ``returned``: subjects and records delivered to departments of a lower level than the provider's (数据回流), and under how many rights."""

    answers: int
    mean_days: float | None
    in_time: int
    timed: int
    refused: int
    by_reason: Mapping[str, int]
    by_provider: tuple[ProviderFigures, ...]
    sent: int
    satisfied: int
    running: int
    rights: int
    real_time: int
    pointed_requests: int
    pointed_questions: int
    returned: int
    returned_rights: int

    @property
    def prevented(self) -> int:
        """重复采集拦截: pointed to an existing right or field, and not asked for all the same."""
        return self.pointed_requests + self.pointed_questions

    @property
    def decided(self) -> int:
        """Requests that are no longer running: the base of the satisfied share."""
        return self.sent - self.running


async def figures(pool: Pool | Connection, city: City, since: dt.datetime, today: dt.date) -> Figures:
    """The figures of all requests answered or sent since a moment; ``city`` says who stands where. Errors: the pool's."""
    levels = {one.id: _LEVELS[one.level] for one in city.organisations.values()}
    row = await pool.fetchrow(QUERIES["figures"], since, today, levels)
    assert row is not None
    return msgspec.convert(dict(row), Figures)
