"""Who may speak for a field where its source is silent: the declared order, as the database has to know it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dizuo.foundation.blueprint.model import City, Field
from dizuo.foundation.store import Connection

_DECLARE = """
WITH declared AS (
    SELECT * FROM jsonb_to_recordset($1::text::jsonb) AS f(register text, field text, source text, ord smallint)
), gone AS (
    DELETE FROM registers.fallback b WHERE NOT EXISTS (
        SELECT FROM declared d WHERE (d.register, d.field, d.source) = (b.register, b.field, b.source))
)
INSERT INTO registers.fallback AS b (register, field, source, ord) SELECT * FROM declared
ON CONFLICT (register, field, source) DO UPDATE SET ord = EXCLUDED.ord WHERE b.ord <> EXCLUDED.ord
"""


def fallbacks_of(field: Field, departments: Mapping[str, str]) -> tuple[str, ...]:
    """The organisations that are asked after the field's own source, in order; ``departments`` is source id → organisation."""
    asked = dict.fromkeys(departments.get(name, name) for name in field.fallback)
    return tuple(org for org in asked if org != field.source)


async def declare_fallbacks(conn: Connection, city: City) -> None:
    """Bring the declared fallback orders into the database, beside ``publish``; ``conn`` belongs to the owner."""
    departments = {source.id: source.department for source in city.sources.values()}
    rows = [
        {"register": register.id, "field": field.id, "source": org, "ord": place}
        for register in city.registers.values()
        for field in register.fields.values()
        for place, org in enumerate(fallbacks_of(field, departments))
    ]
    await conn.execute(_DECLARE, msgspec.json.encode(rows).decode())
