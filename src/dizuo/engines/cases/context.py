"""What every action and read of this engine works with, opened once a process."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from dizuo.engines.cases.compiled import CompiledMatter, calendar_of, compiled
from dizuo.engines.cases.errors import MatterNotFound
from dizuo.engines.registers import ReadRequest, ReadResult, RegisterChange, Written
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.ledger import Batcher
from dizuo.foundation.policy import Policy
from dizuo.foundation.store import Pool, Queries, Row, Tx

QUERIES: Final[Mapping[str, str]] = Queries.load("dizuo.engines.cases")
READS: Final[Mapping[str, str]] = Queries.load("dizuo.engines.cases", "reads.sql")
FIXES: Final[Mapping[str, str]] = Queries.load("dizuo.engines.cases", "fixes.sql")
FOLLOW_UPS: Final[Mapping[str, str]] = Queries.load("dizuo.engines.cases", "follow_up.sql")


Asked = tuple[int, int | None, str, uuid.UUID | None]
"""Person, for whom they act, matter, draft."""


class RegistersLike(Protocol):
    """The part of the registers that cases use."""

    async def read(self, request: ReadRequest) -> ReadResult: ...

    async def identity_of(self, scheme: str, number: str, channel: str = "online") -> int | None: ...

    async def apply_writes(self, tx: Tx, changes: Sequence[RegisterChange]) -> tuple[Written, ...]: ...


@dataclass(frozen=True)
class Cases:
    """The case engine of one city: database, declarations, registers, and the clock."""

    pool: Pool
    city: City
    registers: RegistersLike
    policy: Policy
    now: Now
    calendar: WorkCalendar = field(init=False)
    unfinished: Batcher[Asked, Row] = field(init=False)
    """Many people's unfinished work in one statement (see ``drafts.resume_form``)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "calendar", calendar_of(self.city))
        object.__setattr__(self, "unfinished", Batcher[Asked, Row](self._unfinished, limit=128))

    async def _unfinished(self, asked: Sequence[Asked]) -> Sequence[Row]:
        subjects, acting, matters, drafts = zip(*asked, strict=True)
        return await self.pool.fetch(READS["unfinished"], subjects, acting, matters, drafts)

    def matter(self, matter_id: str) -> CompiledMatter:
        """The compiled matter. Errors: MatterNotFound."""
        declared = self.city.matters.get(matter_id)
        if declared is None:
            raise MatterNotFound()
        return compiled(self.city, declared)
