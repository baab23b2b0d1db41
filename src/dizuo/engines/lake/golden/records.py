"""One golden record per key: for each field the first source in its order that says something, and who that was.

Within one source the newest row speaks; where it is silent, the next older one of the same record. Tables, per register:
``of_<register>_<source>`` (key, newest row, values), ``gold_<register>`` (the records), ``lost_<register>`` (keys held back).
"""

# ruff: noqa: S608 - statements are put together from declared identifiers, never from what rows say
from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dizuo.engines.lake.golden.plan import (
    ENTITIES,
    FeedPlan,
    FieldPlan,
    Plan,
    RegisterPlan,
    mention_of_number,
)
from dizuo.engines.lake.golden.staging import quoted
from dizuo.foundation.blueprint.model_source import Source

PART = 1_250_000
"""Records that are put together at once: all sources of a part are held side by side, which must fit into memory."""
NUMBERS = {"citizen_id": "[0-9]{17}[0-9X]", "uscc": "[0-9A-Z]{18}"}
ENTITY_OF = {"citizen_id": "person", "uscc": "enterprise"}


def claims(
    lake: duckdb.DuckDBPyConnection, plan: Plan, entity: str, rows_of: Callable[[str, str], str]
) -> str:
    """A query for the number that every subject claims: cid, place (the least comes first), number.

    Taken from the subjects' own register by its key's order of sources, then the newest row. ``rows_of`` gives what to select from
    for a source and the column of whose row it is.
    """
    base = plan.base(entity)
    said: list[str] = []
    if base is not None:
        key = next(field for field in base.fields if field.id == base.key)
        for rank, source in enumerate(key.order):
            for feed in base.feeds_of(source):
                column = feed.feed.fields.get(base.key)
                if column and feed.feed.of:
                    whose = f"cid_{feed.feed.of}"
                    number = _number(plan.sources[source], lake, column, key.type)
                    said.append(
                        f"SELECT {whose} AS cid, {number} AS number, {rank} AS rank, as_of FROM {rows_of(source, whose)} AS r"
                        f" WHERE {whose} IS NOT NULL{_when(feed)}"
                    )
    rows = " UNION ALL ".join(said) or (
        "SELECT NULL::BIGINT AS cid, NULL::VARCHAR AS number, 0 AS rank, NULL::TIMESTAMP AS as_of WHERE false"
    )
    # One text that sorts as (rank, newest first, number) is several times faster to take the least of than a row.
    place = "rank::VARCHAR || lpad((99999999999 - epoch(as_of)::BIGINT)::VARCHAR, 11, '0')"
    return (
        "SELECT cid, best[:12] AS place, best[13:] AS number FROM ("
        f"SELECT cid, min({place} || number) AS best FROM ({rows}) WHERE number IS NOT NULL GROUP BY cid)"
    )


def winners(claim: str) -> str:
    """A query for whose each claimed number is: number, cid. Of two identities the one whose source comes first, then whose row
    is newer; the other has none and waits for identity."""
    return (
        "SELECT number, best[13:]::BIGINT AS cid FROM ("
        f"SELECT number, min(place || lpad(cid::VARCHAR, 19, '0')) AS best FROM {claim} GROUP BY number)"
    )


def numbers(lake: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Tables ``kept.claim_<entity>`` (cid, place, number), ``kept.number_<entity>`` (cid, number) of every subject that has one, and
    ``kept.taken_<entity>`` (cid) of those whose number is another's; the last two as ``number_<entity>`` and ``number_taken_<entity>``."""
    for entity in ENTITIES:
        said = claims(lake, plan, entity, lambda source, _: f"in_{source}")
        lake.execute(f"CREATE OR REPLACE TABLE kept.claim_{entity} AS {said}")
        lake.execute(f"CREATE OR REPLACE TEMP TABLE claimed AS {winners(f'kept.claim_{entity}')}")
        for table, join in (("number", "SEMI"), ("taken", "ANTI")):
            chosen = "cid, number" if table == "number" else "cid"
            lake.execute(
                f"CREATE OR REPLACE TABLE kept.{table}_{entity} AS SELECT {chosen} FROM kept.claim_{entity} {join} JOIN claimed USING (cid, number)"
            )
        make(lake, f"number_{entity}", f"SELECT * FROM kept.number_{entity}", "VIEW")
        make(lake, f"number_taken_{entity}", f"SELECT * FROM kept.taken_{entity}", "VIEW")


def records(
    lake: duckdb.DuckDBPyConnection, plan: Plan, register: RegisterPlan, file: Path, only_these: str = ""
) -> None:
    """Write ``file`` and make ``gold_<register>`` a view of it: key, cid (entities), v_<field>, s_<field> (place of its source in ``register.sources``), for
    each source s d_<s> (delivery), l_<s> (line), a_<s> (as of), o_<s> (fields taken from an older row), valid_from, valid_to. ``only_these`` is a relation (k) of the identities or keys to make."""
    for source in register.sources:
        _of_source(lake, plan, register, source)
    # The sources of the key make the records; others' fields join them: a telephone number alone is nobody's record.
    makers = next(field.order for field in register.fields if field.id == register.key)
    asked = [f"SELECT k FROM of_{register.id}_{source}" for source in makers]
    everybody = asked[0] if len(asked) == 1 else f"SELECT DISTINCT k FROM ({' UNION ALL '.join(asked)})"
    if only_these:
        everybody = f"SELECT k FROM ({everybody}) SEMI JOIN {only_these} USING (k)"
    values: list[str] = []
    for field in register.fields:
        places = [register.sources.index(source) for source in field.order]
        said = ", ".join(f't{i}."v_{field.id}"' for i in places)
        which = " ".join(f'WHEN t{i}."v_{field.id}" IS NOT NULL THEN {i}' for i in places)
        values.append(f'coalesce({said}) AS "v_{field.id}"')
        values.append(f'CASE {which} END::UTINYINT AS "s_{field.id}"')
    rows = ", ".join(
        f"t{i}.delivery AS d_{s}, t{i}.line AS l_{s}, t{i}.as_of AS a_{s}, t{i}.older AS o_{s}"
        for i, s in enumerate(register.sources)
    )
    own = _valid(register)
    number = _numbered(register)
    row = lake.execute(f"SELECT count(*) FROM ({everybody})").fetchone()
    parts = max(1, -(-(int(row[0]) if row else 0) // PART))
    made: list[Path] = []
    for n in range(parts):
        only = f" WHERE hash(k) % {parts} = {n}" if parts > 1 else ""
        joins = "".join(
            f" LEFT JOIN (SELECT * FROM of_{register.id}_{source}{only}) AS t{i} ON t{i}.k = b.k"
            for i, source in enumerate(register.sources)
        )
        part = file.with_suffix(f".{n}.part")
        lake.execute(
            f"COPY (SELECT * REPLACE ({_key_again(register)}), {own}"
            f" FROM (SELECT {number.head}, {', '.join(values)}, {rows}"
            f" FROM (SELECT * FROM ({everybody}){only}) AS b{joins}{number.joins(only)}))"
            f" TO {quoted(part)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
        )
        made.append(part)
    if parts > 1:
        whole = file.with_suffix(".part")
        listed = ", ".join(quoted(part) for part in made)
        lake.execute(
            f"COPY (FROM read_parquet([{listed}])) TO {quoted(whole)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
        )
        os.replace(whole, file)
        for part in made:
            part.unlink()
    else:
        os.replace(made[0], file)
    make(lake, f"gold_{register.id}", f"SELECT * FROM read_parquet({quoted(file)})", "VIEW")


@dataclass(frozen=True, slots=True)
class _Numbered:
    """How a record comes to its key: the columns ``key`` and ``cid``, and the entity whose numbers are joined, if any."""

    head: str
    entity: str

    def joins(self, only: str) -> str:
        if not self.entity:
            return ""
        only = only.replace("hash(k)", "hash(cid)")
        return (
            f" LEFT JOIN (SELECT * FROM number_{self.entity}{only}) AS n ON n.cid = b.k"
            f" ANTI JOIN number_taken_{self.entity} AS x ON x.cid = b.k"
        )


def _numbered(register: RegisterPlan) -> _Numbered:
    if not register.entity:
        return _Numbered("b.k AS key, NULL::BIGINT AS cid", "")
    digit = ENTITIES.index(register.entity) + 1
    key = f"coalesce(n.number, 'T{digit}' || lpad(b.k::VARCHAR, 16, '0'))"
    return _Numbered(f"{key} AS key, b.k AS cid", register.entity)


def _key_again(register: RegisterPlan) -> str:
    """The key's field says what the key is: of an entity the identity's number, whoever delivered another."""
    field = f'"v_{register.key}"'
    if not register.entity:
        return f"key AS {field}"
    return f"CASE WHEN key[1] = 'T' THEN NULL ELSE key END AS {field}"


def _valid(register: RegisterPlan) -> str:
    """From when to when a record holds: what it says itself, else since its owner's row."""
    own = [f"a_{source}" for source in register.sources]
    named = {field.id for field in register.fields}
    since = 'TRY_CAST("v_valid_from" AS DATE)' if "valid_from" in named else "NULL"
    until = 'TRY_CAST("v_valid_to" AS DATE)' if "valid_to" in named else "NULL::DATE"
    return f"coalesce({since}, {', '.join(own)})::DATE AS valid_from, {until} AS valid_to"


def _of_source(lake: duckdb.DuckDBPyConnection, plan: Plan, register: RegisterPlan, source: str) -> None:
    """What one source says about each record: its newest row, filled from its older ones."""
    fields = [field for field in register.fields if source in field.order]
    feeds = register.feeds_of(source)
    said = " UNION ALL BY NAME ".join(
        _rows(lake, plan, register, plan.sources[source], feed, fields) for feed in feeds
    )
    # Wide rows are written once, into the run's file: without a join to make, the rows stay where they are.
    joined = any(_whose(plan.sources[source], feed, field, register) for feed in feeds for field in fields)
    make(lake, f"rows_{register.id}_{source}", said, "TABLE" if joined else "VIEW")
    names = [f'"v_{field.id}"' for field in fields]
    lake.execute(
        f"CREATE OR REPLACE TEMP TABLE several AS SELECT k FROM rows_{register.id}_{source} GROUP BY k HAVING count(*) > 1"
    )
    kind = "STRUCT(field VARCHAR, delivery INTEGER, line BIGINT, as_of TIMESTAMP)[]"
    many = lake.execute("SELECT count(*) FROM several").fetchone()
    if many is None or not many[0]:
        rows = f"SELECT k, as_of, delivery, line, {', '.join(names)}, NULL::{kind} AS older FROM rows_{register.id}_{source}"
        make(lake, f"of_{register.id}_{source}", rows, "VIEW")
        return
    newest = "(as_of, delivery, line)"
    picked = ", ".join(
        f"arg_max({name}, {newest}) FILTER ({name} IS NOT NULL) AS {name},"
        f" arg_max({{'field': '{field.id}', 'delivery': delivery, 'line': line, 'as_of': as_of}}, {newest})"
        f" FILTER ({name} IS NOT NULL) AS f{i}"
        for i, (name, field) in enumerate(zip(names, fields, strict=True))
    )
    listed = ", ".join(f"f{i}" for i in range(len(fields)))
    older = f"list_filter([{listed}], lambda f: f IS NOT NULL AND (f.delivery, f.line) <> (delivery, line))"
    make(
        lake,
        f"of_{register.id}_{source}",
        f"SELECT k, as_of, delivery, line, {', '.join(names)}, NULL::{kind} AS older"
        f" FROM rows_{register.id}_{source} ANTI JOIN several USING (k)"
        f" UNION ALL SELECT k, as_of, delivery, line, {', '.join(names)}, {older} AS older FROM ("
        f" SELECT k, arg_max(as_of, {newest}) AS as_of, arg_max(delivery, {newest}) AS delivery, arg_max(line, {newest}) AS line,"
        f" {picked} FROM rows_{register.id}_{source} SEMI JOIN several USING (k) GROUP BY k)",
        "TABLE",
    )


def make(lake: duckdb.DuckDBPyConnection, name: str, query: str, kind: str) -> None:
    """A table or a view in the place of whichever was there."""
    found = lake.execute(
        "SELECT table_type FROM information_schema.tables WHERE table_catalog = current_database()"
        " AND table_schema = current_schema() AND table_name = ?",
        [name],
    ).fetchall()
    for (old,) in found:
        lake.execute(f"DROP {'VIEW' if old == 'VIEW' else 'TABLE'} {name}")
    lake.execute(f"CREATE {kind} {name} AS {query}")


def _rows(
    lake: duckdb.DuckDBPyConnection,
    plan: Plan,
    register: RegisterPlan,
    source: Source,
    feed: FeedPlan,
    fields: list[FieldPlan],
) -> str:
    """The rows that one feed gives: k, where from, and the values in the register's own types."""
    said = {
        field.id: _value(lake, source, feed.feed.fields[field.id], field, register)
        for field in fields
        if field.id in feed.feed.fields
    }
    if register.entity:
        key, where = f"r.cid_{feed.feed.of}", f"r.cid_{feed.feed.of} IS NOT NULL"
    else:
        key = said.get(register.key, "NULL")
        where = f"{key} IS NOT NULL" + (f" AND r.cid_{feed.feed.of} IS NOT NULL" if feed.feed.of else "")
    values = "".join(f', {value} AS "v_{name}"' for name, value in said.items())
    joins = "".join(
        f" LEFT JOIN number_{ENTITY_OF[field.subject]} AS n_{field.id} ON n_{field.id}.cid = r.cid_{mention}"
        for field in fields
        if (mention := _whose(source, feed, field, register))
    )
    missing = "".join(f', NULL::{_kind(field)} AS "v_{field.id}"' for field in fields if field.id not in said)
    return (
        f"SELECT {key} AS k, r.as_of, r.delivery, r.line{values}{missing} FROM in_{source.id} AS r{joins}"
        f" WHERE {where}{_when(feed)}"
    )


def key_of(
    lake: duckdb.DuckDBPyConnection, source: Source, feed: FeedPlan, register: RegisterPlan
) -> str | None:
    """The key that a row r of this feed gives to a register without identities; None when the feed has none."""
    field = next(field for field in register.fields if field.id == register.key)
    column = feed.feed.fields.get(field.id)
    return _value(lake, source, column, field, register) if column and source.id in field.order else None


def _whose(source: Source, feed: FeedPlan, field: FieldPlan, register: RegisterPlan) -> str:
    """The mention whose number this field holds in this feed, where identity knows it better than the cell."""
    column = feed.feed.fields.get(field.id)
    return named(source, column, field, register) if column else ""


def named(source: Source, column: str, field: FieldPlan, register: RegisterPlan) -> str:
    """The mention whose number a column holds for this field; empty when the cell itself counts."""
    if not field.subject or (register.entity and field.id == register.key):
        return ""  # an entity's key is put in at the end, for the whole record
    return mention_of_number(source, column, field.subject)


def _when(feed: FeedPlan) -> str:
    return f" AND r.when_{feed.nth}" if feed.feed.when is not None else ""


def _kind(field: FieldPlan) -> str:
    return {"number": "DOUBLE", "boolean": "BOOLEAN"}.get(field.type, "VARCHAR")


def _value(
    lake: duckdb.DuckDBPyConnection, source: Source, column: str, field: FieldPlan, register: RegisterPlan
) -> str:
    cell = f'r."{column}"'
    match field.type:
        case "date":
            return f"strftime({cell}::DATE, '%Y-%m-%d')"
        case "datetime":
            return f"strftime({cell}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S+08:00')"
        case "number":
            return f"TRY_CAST({cell} AS DOUBLE)"
        case "money":
            return f"TRY_CAST({cell} AS DECIMAL(24, 2))::VARCHAR"
        case "boolean":
            return f"TRY_CAST({cell} AS BOOLEAN)"
        case "citizen_id" | "uscc":
            said = _number(source, lake, column, field.type)
            if named(source, column, field, register):
                # Whose number it is was found by identity: a slip in it is not carried on.
                return f"coalesce(n_{field.id}.number, {said})"
            return said
        case _:
            return f"nullif({cell}::VARCHAR, '')"


def _number(source: Source, lake: duckdb.DuckDBPyConnection, column: str, type_: str) -> str:
    """A number as delivered, when it has the form of one. A column of persons' numbers that also holds organisations' codes
    keeps those beside it; a person's number that stands there is a wrong one."""
    cell = f'r."{column}"'
    known = {str(row[0]) for row in lake.execute(f"DESCRIBE in_{source.id}").fetchall()}
    if type_ == "uscc" and f"{column}_other" in known:
        cell = f'coalesce({cell}, r."{column}_other")'
    return f"CASE WHEN regexp_full_match({cell}, '{NUMBERS[type_]}') THEN {cell} END"
