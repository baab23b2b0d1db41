"""Bring the declarations into the database; only the owner can, and it is entered in the ledger."""

from __future__ import annotations

import msgspec

from dizuo.engines.registers.access import AccessSpec, FieldSpec, compile_city
from dizuo.engines.registers.bulk_fallbacks import declare_fallbacks
from dizuo.engines.registers.sealed_reads import seal_rules
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.ledger import declare_grounds
from dizuo.foundation.store import Connection

_FIELDS = """
WITH declared AS (
    SELECT * FROM jsonb_to_recordset($1::text::jsonb)
        AS f(register text, field text, source text, type text, is_key boolean, lookup boolean, subject text)
), gone AS (
    DELETE FROM registers.field f
    WHERE NOT EXISTS (SELECT 1 FROM declared d WHERE d.register = f.register AND d.field = f.field)
)
INSERT INTO registers.field AS f SELECT * FROM declared
ON CONFLICT (register, field) DO UPDATE SET source = EXCLUDED.source, type = EXCLUDED.type,
    is_key = EXCLUDED.is_key, lookup = EXCLUDED.lookup, subject = EXCLUDED.subject
WHERE (f.source, f.type, f.is_key, f.lookup, f.subject)
    IS DISTINCT FROM (EXCLUDED.source, EXCLUDED.type, EXCLUDED.is_key, EXCLUDED.lookup, EXCLUDED.subject)
"""

# A field that became one to find by must find the records that are there already.
_BACKFILL = """
INSERT INTO registers.lookup (register, field, value, key)
SELECT r.register, f.field, r.data ->> f.field, r.key
FROM registers.field f JOIN registers.record r ON r.register = f.register AND r.superseded_at IS NULL
WHERE f.lookup AND r.data ->> f.field IS NOT NULL AND f.register || '.' || f.field <> ALL ($1::text[])
"""

_RETIRE = """
UPDATE registers.access a SET retired_at = now()
WHERE a.retired_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM unnest($1::text[], $2::text[]) AS k(id, version) WHERE k.id = a.id AND k.version = a.version)
"""

_ACCESS = """
INSERT INTO registers.access (id, version, spec) VALUES ($1, $2, $3::text::jsonb)
ON CONFLICT (id, version) DO UPDATE SET retired_at = NULL WHERE registers.access.retired_at IS NOT NULL
RETURNING (xmax = 0) AS new
"""

_PARTIES = """
INSERT INTO registers.access_party
SELECT $1, $2, p.ord, p.party, p.register, p.key_field, p.given, p.pick, p.order_by, p.matches, p.wheres, p.labels
FROM jsonb_to_recordset($3::text::jsonb) AS p(ord smallint, party text, register text, key_field text, given boolean,
    pick text, order_by text, matches jsonb, wheres jsonb, labels text[])
"""

_GRANTS = """
INSERT INTO registers.access_grant
SELECT $1, $2, g.item, g.party, g.fields, g.purpose, g.basis
FROM jsonb_to_recordset($3::text::jsonb) AS g(item text, party text, fields text[], purpose text, basis text)
"""

_WRITES = """
INSERT INTO registers.access_write
SELECT $1, $2, w.item, w.register, w.fields, w.purpose, w.basis
FROM jsonb_to_recordset($3::text::jsonb) AS w(item text, register text, fields text[], purpose text, basis text)
"""


async def publish(conn: Connection, city: City) -> bool:
    """Make this version of the city the one that reads are held against; False when it is that already.

    ``conn`` belongs to the owner. Earlier versions are kept for audit and refuse reads from now on. The plans that
    were worked out from them are dropped.
    """
    fields, accesses = compile_city(city)
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(7001, hashtext('registers.publish'))")
        known = await conn.fetchval(
            "SELECT coalesce(array_agg(register || '.' || field), '{}') FROM registers.field WHERE lookup"
        )
        changed = await conn.execute(_FIELDS, _json(fields)) != "INSERT 0 0"
        await declare_fallbacks(conn, city)
        await declare_grounds(conn, seal_rules(city))
        await conn.execute(_BACKFILL, known)
        retired = await conn.execute(_RETIRE, [a.id for a in accesses], [a.version for a in accesses])
        changed |= retired != "UPDATE 0"
        for access in accesses:
            changed |= await _publish_one(conn, access)
        if changed:
            await conn.execute("DELETE FROM registers.access_plan")
            about: dict[str, object] = {
                "version": city.version,
                "matters": [a.id for a in accesses],
                "fields": len(fields),
            }
            await conn.fetchval(
                "SELECT ledger.append('declarations.published', $1::text::jsonb, NULL, NULL)", _json(about)
            )
    return changed


async def _publish_one(conn: Connection, access: AccessSpec) -> bool:
    row = await conn.fetchrow(_ACCESS, access.id, access.version, _json(access))
    if row is None or not row["new"]:
        return row is not None
    await conn.execute(_PARTIES, access.id, access.version, _json(access.parties))
    await conn.execute(_GRANTS, access.id, access.version, _json(access.grants))
    await conn.execute(_WRITES, access.id, access.version, _json(access.writes))
    return True


def _json(value: AccessSpec | tuple[object, ...] | tuple[FieldSpec, ...] | dict[str, object]) -> str:
    return msgspec.json.encode(value).decode()
