"""Brings the departments that the declarations name into the exchange: whoever is not declared is never a consumer."""

from __future__ import annotations

from typing import Final

from dizuo.foundation.blueprint.model import City
from dizuo.foundation.store import Connection, Queries

_QUERIES: Final = Queries.load("dizuo.engines.exchange", "requests.sql")


async def publish_departments(conn: Connection, city: City) -> int:
    """Make the exchange's departments those of the declarations; one that is gone is retired, not deleted. Owner only.

    Returns how many there are. A right that a retired department holds stays on record and can be revoked.
    """
    wanted = list(city.organisations.values())
    async with conn.transaction():
        await conn.execute(
            _QUERIES["publish_departments"],
            [one.id for one in wanted],
            [one.name.zh for one in wanted],
            [one.uscc for one in wanted],
        )
        await conn.execute(_QUERIES["retire_departments"], [one.id for one in wanted])
    return len(wanted)
