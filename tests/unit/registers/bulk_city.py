"""The small city, loaded in bulk: rows as relations, and what stands in the database afterwards."""

from __future__ import annotations

import hashlib
import json
import uuid

import duckdb
import msgspec
from small_city import small_city

from dizuo.engines.registers import BulkRows, bulk_load, declare_fallbacks, publish
from dizuo.foundation.store import LOADER

CHILD = "320213202001010014"


def the_city():
    city = small_city()
    person = city.registers["person"]
    fields = {**person.fields, "phone": msgspec.structs.replace(person.fields["phone"], fallback=("hrss",))}
    registers = {**city.registers, "person": msgspec.structs.replace(person, fields=fields)}
    return msgspec.structs.replace(city, registers=registers)


def relation(rows):
    """Rows (key, data, sources, numbers) as a relation of literals."""
    lines = []
    for key, data, sources, numbers in rows:
        said = [key, json.dumps(data, ensure_ascii=False), json.dumps(sources), *numbers]
        quoted = ["NULL" if s is None else "'" + s.replace("'", "''") + "'" for s in said]
        lines.append(f"({', '.join(quoted)}, DATE '2026-11-20', NULL::DATE)")
    width = len(rows[0][3])
    names = ", ".join(["key", "data", "sources", *(f"s{i}" for i in range(width)), "valid_from", "valid_to"])
    return f"SELECT * FROM (VALUES {', '.join(lines)}) AS r({names})"


def person(number, **data):
    return (number, {"citizen_id": number, **data}, {"psb": "2026-11-20"}, [number])


def people(*rows):
    return BulkRows("person", relation(rows), (("s0", "citizen_id"),))


def certificate(*numbers):
    mother, father = numbers
    data = {"number": "C1", "mother_id": mother, "father_id": father, "child_sex": "2", "state": "0",
            "born_on": "2026-11-16", "weight": 3200}  # fmt: skip
    rows = [("C1", data, {"health": "2026-11-20"}, [father, mother])]
    return BulkRows("certificate", relation(rows), (("s0", "citizen_id"), ("s1", "citizen_id")))


def load(database, rows, name="first", **more):
    digest = hashlib.sha256(name.encode()).hexdigest()
    return bulk_load(database, duckdb.connect(), rows, digest=digest, about={"deliveries": [name]}, **more)


async def declared(pg):
    """The city's declarations in the database."""
    city = the_city()
    async with pg() as owner:
        await publish(owner, city)
        await declare_fallbacks(owner, city)
    return city


async def clear(pg):
    """Registers that hold nothing, and no load left open by another test."""
    async with pg() as owner:
        await owner.execute(
            "SELECT registers.bulk_clear();"
            "TRUNCATE registers.record, registers.lookup, registers.identity, registers.tally, registers.change_note"
        )


async def deliver(pg, row):
    """One record of one delivery, absorbed."""
    register, key, source, data = row
    number = uuid.uuid4()
    async with pg(LOADER) as loader:
        await loader.execute(
            "INSERT INTO registers.intake (load, line, register, key, source, source_date, data)"
            " VALUES ($1, 1, $2, $3, $4, '2026-11-19', $5)", number, register, key, source, data)  # fmt: skip
        await loader.fetchval("SELECT registers.absorb($1, '{}')", number)


async def shape(pg):
    """Everything about the three tables that a reader or a later migration could stumble over."""
    async with pg() as owner:
        rows = await owner.fetch("""
            SELECT 'column' AS kind, c.table_name || '.' || c.column_name AS name,
                   concat_ws(' ', c.data_type, c.is_nullable, c.identity_generation, c.collation_name, c.column_default) AS says
            FROM information_schema.columns c
            WHERE table_schema = 'registers' AND table_name IN ('identity', 'record', 'lookup')
            UNION ALL SELECT 'index', i.indexname, i.indexdef FROM pg_indexes i
            WHERE i.schemaname = 'registers' AND i.tablename IN ('identity', 'record', 'lookup')
            UNION ALL SELECT 'constraint', k.conrelid::regclass || ' ' || k.conname, pg_get_constraintdef(k.oid)
            FROM pg_constraint k WHERE k.conrelid IN ('registers.identity'::regclass, 'registers.record'::regclass,
                                                     'registers.lookup'::regclass) AND k.contype <> 'n'
            UNION ALL SELECT 'trigger', t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t
            WHERE t.tgrelid = 'registers.record'::regclass
            UNION ALL SELECT 'rights', r.relname, concat_ws(' ', r.relacl, r.relowner::regrole, r.reloptions)
            FROM pg_class r WHERE r.relnamespace = 'registers'::regnamespace AND r.relkind IN ('r', 'S')
            ORDER BY 1, 2, 3""")  # fmt: skip
        return [tuple(row) for row in rows]


async def state(pg):
    """What a reader could come to know: records with their people by number, and what they are found by."""
    async with pg() as owner:
        records = await owner.fetch("""
            SELECT r.register, r.key, r.version, r.data, r.sources, r.superseded_at IS NULL AS stands, ARRAY(
                SELECT i.scheme || ':' || i.number FROM unnest(r.subjects) WITH ORDINALITY AS s(id, ord)
                JOIN registers.identity i ON i.id = s.id ORDER BY s.ord) AS people
            FROM registers.record r ORDER BY 1, 2, 3""")
        lookups = await owner.fetch("SELECT register, field, value, key, known_to IS NULL AS stands FROM registers.lookup"
                                    " ORDER BY 1, 2, 3, 4")  # fmt: skip
        return [dict(r) for r in records], [tuple(r) for r in lookups]
