"""What kind of values stand in a register's fields, by their form in a sample: counts, never a value."""

from __future__ import annotations

from typing import Final

import msgspec

from dizuo.foundation.store import Pool

_FOUND: Final = (
    "SELECT field, seen, filled, citizen_ids, phones, pictures FROM registers.formats_found($1, $2)"
)


class FormatsFound(msgspec.Struct, frozen=True):
    """One field in a sample of ``seen`` records: how many say anything (``filled``), how many of these hold a citizen's number
    with its check digit, a mobile number, or a picture."""

    field: str
    seen: int
    filled: int
    citizen_ids: int
    phones: int
    pictures: int


async def formats_found(pool: Pool, register: str, sample: int = 300) -> tuple[FormatsFound, ...]:
    """The fields that occur in up to 2 × ``sample`` records of a register; none for an empty one. Errors: the pool's."""
    rows = await pool.fetch(_FOUND, register, max(1, min(sample, 10_000)))
    return tuple(FormatsFound(*row.values()) for row in rows)
