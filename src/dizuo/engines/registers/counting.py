"""How many records of a register there are by a few dimensions: the only thing that open data learns of the registers.

Run by the owner when datasets are made, never by the web's role; what comes out still has to pass the publication gate.
"""

# ruff: noqa: S608 - statements are put together from pieces of our own; names of fields and values go as parameters

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, Literal

import msgspec

from dizuo.foundation.store import Connection

_DATE: Final = "^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}"
_READ: Final[Mapping[str, str]] = {
    "value": "r.data ->> {field}",
    "year": "left(r.data ->> {field}, 4)",
    "month": "left(r.data ->> {field}, 7)",
    "district": "left(r.data ->> {field}, 6)",
    "town": "left(r.data ->> {field}, 9)",
    "head": "left(r.data ->> {field}, {width})",
    "age_band": (
        "CASE WHEN r.data ->> {field} ~ '" + _DATE + "' THEN (least({top}, extract(year FROM age({day},"
        " left(r.data ->> {field}, 10)::date))::integer / {width} * {width}))::text END"
    ),
}


class Dimension(msgspec.Struct, frozen=True):
    """One dimension: a field and how it is read. ``age_band`` gives the first year of the band of ``width`` years, all from
    ``top`` upwards in one; ``head`` the first ``width`` characters."""

    field: str
    read: Literal["value", "year", "month", "age_band", "district", "town", "head"]
    width: int = 5
    top: int = 85


async def count_records(
    conn: Connection, register: str, by: Sequence[Dimension], where: Mapping[str, str], day: date
) -> tuple[tuple[tuple[str | None, ...], int], ...]:
    """The records in force, counted by the dimensions; ages are those of ``day``. ``conn`` is the owner's.

    A combination without a record is not named; None stands for a field that is not known. Errors: the connection's.
    """
    given: list[object] = [register]

    def param(value: object, kind: str) -> str:
        given.append(value)
        return f"${len(given)}::{kind}"

    parts = [
        _READ[one.read].format(
            field=param(one.field, "text"),
            **(
                {
                    "width": param(one.width, "integer"),
                    "top": param(one.top, "integer"),
                    "day": param(day, "date"),
                }
                if one.read == "age_band"
                else {"width": param(one.width, "integer")}
                if one.read == "head"
                else {}
            ),
        )
        for one in by
    ]
    kept = [f"r.data ->> {param(name, 'text')} = {param(value, 'text')}" for name, value in where.items()]
    places = ", ".join(str(at + 1) for at in range(len(parts)))
    rows = await conn.fetch(
        f"SELECT {', '.join(f'{part} AS d{at}' for at, part in enumerate(parts))}, count(*) AS n FROM registers.record r"
        f" WHERE {' AND '.join(['r.register = $1', 'r.superseded_at IS NULL', *kept])} GROUP BY {places} ORDER BY {places}",
        *given,
    )  # fmt: skip
    return tuple((tuple(row[at] for at in range(len(parts))), int(row["n"])) for row in rows)
