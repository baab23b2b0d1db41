"""What every action and read of this engine works with, opened once a process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from dizuo.engines.cases.compiled import CompiledMatter, calendar_of, compiled
from dizuo.engines.cases.errors import MatterNotFound
from dizuo.engines.registers import ReadRequest, ReadResult, RegisterChange, Written
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.policy import Policy
from dizuo.foundation.store import Pool, Queries, Tx

QUERIES: Final[Mapping[str, str]] = Queries.load("dizuo.engines.cases")
READS: Final[Mapping[str, str]] = Queries.load("dizuo.engines.cases", "reads.sql")
FIXES: Final[Mapping[str, str]] = Queries.load("dizuo.engines.cases", "fixes.sql")


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "calendar", calendar_of(self.city))

    def matter(self, matter_id: str) -> CompiledMatter:
        """The compiled matter. Errors: MatterNotFound."""
        declared = self.city.matters.get(matter_id)
        if declared is None:
            raise MatterNotFound()
        return compiled(self.city, declared)
