"""How often the interface of a resource really answered (可用率): counted from calls and probes of the last seven days, never reported."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec

from dizuo.engines.exchange.catalogue.publishing import QUERIES
from dizuo.foundation.store import Pool

LEAST: Final = 0.99
"""The share of answers below which the audit's rule A11 speaks (目录核查规则 A11, our own list)."""
ENOUGH: Final = 20
"""So many tries are needed before a share says something."""
DAYS: Final = 7


class Availability(msgspec.Struct, frozen=True):
    """Calls of departments and probes of the base, over some days. A call refused by its right was answered."""

    answered: int
    failed: int
    probes: int
    probes_failed: int
    last_why: str = ""

    @property
    def tries(self) -> int:
        return self.answered + self.failed + self.probes

    @property
    def share(self) -> float | None:
        """The share of tries that were answered; None where nobody tried."""
        return (self.tries - self.failed - self.probes_failed) / self.tries if self.tries else None

    @property
    def short(self) -> bool:
        """Whether it is below LEAST, with enough tries to say so."""
        return self.share is not None and self.tries >= ENOUGH and self.share < LEAST


async def availability(pool: Pool, today: date, days: int = DAYS) -> Mapping[str, Availability]:
    """By resource code, for those that anybody called or probed in the last ``days`` days. Errors: the pool's."""
    rows = await pool.fetch(QUERIES["availability"], today, days)
    return {
        row["resource"]: Availability(
            row["answered"], row["failed"], row["probes"], row["probes_failed"], row["last_why"]
        )
        for row in rows
    }
