"""Whom a run touches: by rows that are new, replaced or dropped, by what identity moved, by numbers that changed hands.

From the rows that count (``kept.current_<source>``) and the deliveries that came since, per source: ``fresh_<source>`` (rows that count
from now on), ``gone_<source>`` (rows that do no more, with their rowid as ``"#"``, a name that no column of a source has); per register ``touched_<register>`` (k); and at last
``in_<source>``, all rows of those who are touched: from these the same statements make records as from everybody's rows.
"""

# ruff: noqa: S608 - statements are put together from declared identifiers and file names
from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dizuo.engines.lake.golden.kept import About, twice_of
from dizuo.engines.lake.golden.plan import ENTITIES, Plan, RegisterPlan
from dizuo.engines.lake.golden.records import ENTITY_OF, claims, key_of, make, named, winners
from dizuo.engines.lake.golden.staging import NEWEST, Delivery, current, mentions_used, mode_of, quoted, stage
from dizuo.engines.lake.identity.mapped import IdentityMap
from dizuo.foundation.blueprint.model_source import Source

if TYPE_CHECKING:
    import duckdb

_MOST = 0.3
"""When more than this share of all rows changed, making everything anew is no dearer."""
_FEW = 100_000
"""Rows that never count as many."""


def touch(
    lake: duckdb.DuckDBPyConnection,
    plan: Plan,
    deliveries: Sequence[Delivery],
    said: About,
    identity: IdentityMap,
    today: dt.date,
) -> tuple[str, ...] | None:
    """Work out the tables above; the sources that have one row per row key from now on, or None when nearly everything changed."""
    single = set(said.single)
    added = {source.id: _added(source, deliveries, said) for source in plan.sources.values()}
    _identities(lake, plan, added, said, identity)
    for source in plan.sources.values():
        own = added[source.id]
        counted = current(source, deliveries)
        if own is None:
            _restaged(lake, plan, source, counted, identity.everybody, today)
            single -= {source.id}
            single |= {source.id} if any(mode_of(source, d) == "changes" for d in counted) else set()
        elif own:
            _renewed(lake, plan, source, own, today, source.id in single)
            single |= {source.id}
        else:
            _same(lake, source.id)
        if own is not None:
            _moved(lake, plan, source)
    if _too_many(lake, plan):
        return None
    _numbers(lake, plan)
    _keys(lake, plan)
    for source in plan.sources.values():
        _chosen(lake, plan, source)
    _numbers_at_hand(lake, plan)
    return tuple(sorted(single))


# ------------------------------------------------------------------------------------------------ rows


def _added(source: Source, deliveries: Sequence[Delivery], said: About) -> tuple[Delivery, ...] | None:
    """The deliveries of changes that came to those that counted; None when the rows that count have to be found anew."""
    counted = current(source, deliveries)
    before = set(said.counted.get(source.id, ()))
    new = tuple(d for d in counted if d.id not in before)
    if before <= {d.id for d in counted} and all(mode_of(source, d) == "changes" for d in new):
        return new
    return None


def _identities(
    lake: duckdb.DuckDBPyConnection,
    plan: Plan,
    added: dict[str, tuple[Delivery, ...] | None],
    said: About,
    identity: IdentityMap,
) -> None:
    """Tables ``whose`` (record_id, cid) of the delivered rows and ``news`` (source, row_key, mention, cid) of what identity moved.

    Of the file of everybody only those are looked up who were delivered, where what moved stands in files of its own."""
    asked: list[str] = []
    for source in plan.sources.values():
        registers = [register for register in plan.registers if source.id in register.sources]
        for mention in mentions_used(source, registers):
            asked += [
                f"SELECT '{source.id}:' || row_key || ':{mention}' AS record_id FROM read_parquet({quoted(d.standard)})"
                for d in added[source.id] or ()
            ]
    wanted = " UNION ".join(asked) or "SELECT '' AS record_id WHERE false"
    lake.execute(f"CREATE OR REPLACE TABLE asked AS {wanted}")
    lake.execute(
        f"CREATE OR REPLACE TABLE whose AS SELECT record_id, cid, since FROM {identity.changes}"
        f" WHERE since > {said.since} OR record_id IN (SELECT record_id FROM asked)"
    )
    older = "record_id IN (SELECT record_id FROM asked)"
    if identity.known > said.since:
        older = f"(since > {said.since} OR {older})"
    lake.execute(
        f"INSERT INTO whose SELECT record_id, cid, since FROM {identity.whole} WHERE {older}"
        f" AND record_id NOT IN (SELECT record_id FROM {identity.changes})"
    )
    lake.execute(
        "CREATE OR REPLACE TABLE news AS SELECT source, mention, cid,"
        " record_id[len(source) + 2 : len(record_id) - len(mention) - 1] AS row_key FROM (SELECT record_id, cid,"
        " split_part(record_id, ':', 1) AS source, regexp_extract(record_id, '[^:]*$') AS mention"
        f" FROM whose WHERE since > {said.since})"
    )


def _same(lake: duckdb.DuckDBPyConnection, source: str) -> None:
    lake.execute(f"CREATE OR REPLACE TABLE fresh_{source} AS SELECT * FROM kept.current_{source} LIMIT 0")
    lake.execute(
        f'CREATE OR REPLACE TABLE gone_{source} AS SELECT *, 0::BIGINT AS "#" FROM kept.current_{source} LIMIT 0'
    )
    lake.execute(
        f"CREATE OR REPLACE TABLE out_{source} AS SELECT 0 AS delivery, 0::BIGINT AS line WHERE false"
    )


def _renewed(
    lake: duckdb.DuckDBPyConnection,
    plan: Plan,
    source: Source,
    added: Sequence[Delivery],
    today: dt.date,
    single: bool,
) -> None:
    """Changes came: of rows with one row key the newest counts."""
    name = source.id
    stage(lake, plan, source, added, "whose", today, f"fresh_{name}")
    same = f'SELECT c.*, c.rowid AS "#" FROM kept.current_{name} AS c SEMI JOIN fresh_{name} USING (row_key)'
    if not single:
        # A snapshot may have said a row twice; from the first change on each row key has one row.
        same += (
            f' UNION SELECT c.*, c.rowid AS "#" FROM kept.current_{name} AS c SEMI JOIN'
            f" {twice_of(lake, name)} USING (row_key)"
        )
    lake.execute(f"CREATE OR REPLACE TEMP TABLE beside AS {same}")
    lake.execute(
        'CREATE OR REPLACE TEMP TABLE ranked AS SELECT delivery, line, "#" FROM ('
        f'SELECT row_key, as_of, delivery, line, NULL::BIGINT AS "#" FROM fresh_{name}'
        ' UNION ALL SELECT row_key, as_of, delivery, line, "#" FROM beside)'
        f" QUALIFY row_number() OVER (PARTITION BY row_key ORDER BY {NEWEST}) > 1"
    )
    lake.execute(f'CREATE OR REPLACE TABLE gone_{name} AS SELECT * FROM beside SEMI JOIN ranked USING ("#")')
    lake.execute(f'INSERT INTO out_{name} SELECT delivery, line FROM ranked WHERE "#" IS NULL')
    lake.execute(
        f'DELETE FROM fresh_{name} WHERE (delivery, line) IN (SELECT (delivery, line) FROM ranked WHERE "#" IS NULL)'
    )


def _restaged(
    lake: duckdb.DuckDBPyConnection,
    plan: Plan,
    source: Source,
    counted: Sequence[Delivery],
    identity: str,
    today: dt.date,
) -> None:
    """A snapshot came, or a delivery was taken back: the rows that count are found anew; those that stayed as they were are left."""
    name = source.id
    stage(lake, plan, source, counted, identity, today, f"fresh_{name}")
    columns = [str(row[0]) for row in lake.execute(f"DESCRIBE kept.current_{name}").fetchall()]
    same = " AND ".join(f'f."{column}" IS NOT DISTINCT FROM c."{column}"' for column in columns)
    lake.execute(
        f'CREATE OR REPLACE TABLE gone_{name} AS SELECT c.*, c.rowid AS "#" FROM kept.current_{name} AS c'
        f" ANTI JOIN fresh_{name} AS f ON {same}"
    )
    lake.execute(
        f"CREATE OR REPLACE TABLE fresh_{name} AS SELECT f.* FROM fresh_{name} AS f"
        f" ANTI JOIN kept.current_{name} AS c ON {same}"
    )


def _moved(lake: duckdb.DuckDBPyConnection, plan: Plan, source: Source) -> None:
    """Rows that nobody delivered anew and that identity gave to somebody else."""
    name = source.id
    registers = [register for register in plan.registers if name in register.sources]
    mentions = sorted(mentions_used(source, registers))
    if not mentions:
        return
    news = f"(SELECT row_key, mention, cid FROM news WHERE source = '{name}')"
    lake.execute(
        f'CREATE OR REPLACE TEMP TABLE stirred AS SELECT c.*, c.rowid AS "#" FROM kept.current_{name} AS c'
        f' SEMI JOIN {news} AS n ON n.row_key = c.row_key ANTI JOIN gone_{name} AS g ON g."#" = c.rowid'
    )
    joins = "".join(
        f" LEFT JOIN {news} AS n{i} ON n{i}.row_key = s.row_key AND n{i}.mention = '{mention}'"
        for i, mention in enumerate(mentions)
    )
    anew = ", ".join(
        f"coalesce(n{i}.cid, s.cid_{mention}) AS cid_{mention}" for i, mention in enumerate(mentions)
    )
    differs = " OR ".join(f"n{i}.cid <> s.cid_{m} OR (s.cid_{m} IS NULL AND n{i}.cid IS NOT NULL)" for i, m in enumerate(mentions))  # fmt: skip
    lake.execute(
        f"CREATE OR REPLACE TEMP TABLE stirred_anew AS SELECT s.* REPLACE ({anew}) FROM stirred AS s{joins} WHERE {differs}"
    )
    lake.execute(
        f'INSERT INTO gone_{name} BY NAME SELECT s.* FROM stirred AS s SEMI JOIN stirred_anew USING ("#")'
    )
    lake.execute(f'INSERT INTO fresh_{name} BY NAME SELECT * EXCLUDE ("#") FROM stirred_anew')


def _too_many(lake: duckdb.DuckDBPyConnection, plan: Plan) -> bool:
    parts = " + ".join(
        f"(SELECT count(*) FROM fresh_{s}) + (SELECT count(*) FROM gone_{s})" for s in plan.sources
    )
    whole = " + ".join(f"(SELECT count(*) FROM kept.current_{s})" for s in plan.sources)
    row = lake.execute(f"SELECT {parts or 0}, {whole or 0}").fetchone()
    assert row is not None
    return int(row[0]) > max(_FEW, _MOST * int(row[1]))


def _standing(source: str) -> str:
    """The rows that were there before and still count, as something to select from."""
    return f'(SELECT c.* FROM kept.current_{source} AS c ANTI JOIN gone_{source} AS g ON g."#" = c.rowid)'


# ----------------------------------------------------------------------------------------------- subjects


def _owners(plan: Plan, source: str, entity: str) -> tuple[str, ...]:
    """The columns that say which subjects of a kind a source's rows are about, as records' owners."""
    found = {
        f"cid_{feed.feed.of}"
        for register in plan.registers
        if register.entity == entity
        for feed in register.feeds_of(source)
        if feed.feed.of
    }
    return tuple(sorted(found))


def _named_in(plan: Plan, source: Source) -> dict[str, set[str]]:
    """entity → the columns of the identities whose numbers stand in this source's records of others."""
    found: dict[str, set[str]] = {entity: set() for entity in ENTITIES}
    for register in plan.registers:
        for feed in register.feeds_of(source.id):
            for field in register.subjects:
                column = feed.feed.fields.get(field.id)
                if column and (mention := named(source, column, field, register)):
                    found[ENTITY_OF[field.subject]].add(f"cid_{mention}")
    return found


def _gather(lake: duckdb.DuckDBPyConnection, plan: Plan, tables: Iterable[str], entity: str) -> None:
    """Add the owners of the rows in these tables to ``touched_<entity>``."""
    said = " UNION ".join(
        f"SELECT {column} AS cid FROM {table}_{source} WHERE {column} IS NOT NULL"
        for source in plan.sources
        for table in tables
        for column in _owners(plan, source, entity)
    )
    if said:
        lake.execute(
            f"INSERT INTO touched_{entity} SELECT cid FROM ({said}) ANTI JOIN touched_{entity} USING (cid)"
        )


def _numbers(lake: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Who is touched: the subjects of changed rows, those whose number came, went or changed hands, and who is named with it.

    Tables per entity: ``spoken_of`` (whose rows changed), ``claim_now``, ``contending`` (all who claim a number that one of them
    claims), ``number_now`` and ``taken_now`` of these, ``touched``.
    """
    for source in plan.sources:
        make(lake, f"in_{source}", f"SELECT * FROM fresh_{source} LIMIT 0", "TABLE")
    for entity in ENTITIES:
        lake.execute(f"CREATE OR REPLACE TABLE touched_{entity} (cid BIGINT)")
        _gather(lake, plan, ("fresh", "gone"), entity)
        lake.execute(f"CREATE OR REPLACE TABLE spoken_of_{entity} AS SELECT cid FROM touched_{entity}")

        def theirs(source: str, whose: str, entity: str = entity) -> str:
            return (
                f"(SELECT * FROM (SELECT * FROM {_standing(source)} UNION ALL BY NAME SELECT * FROM fresh_{source})"
                f" WHERE {whose} IN (SELECT cid FROM spoken_of_{entity}))"
            )

        lake.execute(f"CREATE OR REPLACE TABLE claim_now_{entity} AS {claims(lake, plan, entity, theirs)}")
        lake.execute(
            f"CREATE OR REPLACE TEMP TABLE contested AS SELECT number FROM claim_now_{entity}"
            f" UNION SELECT number FROM kept.claim_{entity} WHERE cid IN (SELECT cid FROM spoken_of_{entity})"
        )
        lake.execute(
            f"CREATE OR REPLACE TEMP TABLE contender AS SELECT cid, place, number FROM claim_now_{entity} UNION ALL"
            f" SELECT cid, place, number FROM kept.claim_{entity} WHERE number IN (SELECT number FROM contested)"
            f" AND cid NOT IN (SELECT cid FROM spoken_of_{entity})"
        )
        lake.execute(f"CREATE OR REPLACE TEMP TABLE claimed AS {winners('contender')}")
        lake.execute(
            f"CREATE OR REPLACE TABLE number_now_{entity} AS SELECT cid, number FROM contender SEMI JOIN claimed USING (cid, number)"
        )
        lake.execute(
            f"CREATE OR REPLACE TABLE taken_now_{entity} AS SELECT cid FROM contender ANTI JOIN claimed USING (cid, number)"
        )
        lake.execute(
            f"CREATE OR REPLACE TABLE contending_{entity} AS SELECT cid FROM spoken_of_{entity} UNION SELECT cid FROM contender"
        )
        # Of everybody who contends: who has another number than before, or lost or got the right to one.
        lake.execute(
            f"CREATE OR REPLACE TABLE renumbered_{entity} AS SELECT c.cid FROM contending_{entity} AS c"
            f" LEFT JOIN (SELECT * FROM kept.number_{entity} WHERE cid IN (SELECT cid FROM contending_{entity})) AS o USING (cid)"
            f" LEFT JOIN number_now_{entity} AS n USING (cid)"
            f" WHERE o.number IS DISTINCT FROM n.number"
            f" OR (c.cid IN (SELECT cid FROM kept.taken_{entity})) <> (c.cid IN (SELECT cid FROM taken_now_{entity}))"
        )
    for source in plan.sources.values():
        told = [
            f"{column} IN (SELECT cid FROM renumbered_{entity})"
            for entity, columns in _named_in(plan, source).items()
            for column in sorted(columns)
        ]
        # Rows that stay as they are in records that do not: somebody whom they name has another number.
        lake.execute(
            f"CREATE OR REPLACE TABLE also_{source.id} AS SELECT * FROM {_standing(source.id)} WHERE {' OR '.join(told) or 'false'}"
        )
    for entity in ENTITIES:
        lake.execute(
            f"INSERT INTO touched_{entity} SELECT cid FROM renumbered_{entity} ANTI JOIN touched_{entity} USING (cid)"
        )
        _gather(lake, plan, ("also",), entity)


def _keys(lake: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """``touched_<register>`` (k) of every register: identities, or keys that changed rows give or gave."""
    for register in plan.registers:
        if register.entity:
            query = f"SELECT cid AS k FROM touched_{register.entity}"
            make(lake, f"touched_k_{register.id}", query, "TABLE")
            continue
        said = [
            f"SELECT {key} AS k FROM {table}_{source} AS r"
            for source in register.sources
            for key in _key_texts(lake, plan, register, source)
            for table in ("fresh", "gone", "also")
        ]
        rows = " UNION ".join(said) or "SELECT ''::VARCHAR AS k WHERE false"
        make(lake, f"touched_k_{register.id}", f"SELECT k FROM ({rows}) WHERE k IS NOT NULL", "TABLE")


def _key_texts(lake: duckdb.DuckDBPyConnection, plan: Plan, register: RegisterPlan, source: str) -> list[str]:
    found = (key_of(lake, plan.sources[source], feed, register) for feed in register.feeds_of(source))
    return list(dict.fromkeys(key for key in found if key))


def _chosen(lake: duckdb.DuckDBPyConnection, plan: Plan, source: Source) -> None:
    """``in_<source>``: everything that it says about those who are touched, and every row that came."""
    told = [
        f"r.{column} IN (SELECT cid FROM touched_{entity})"
        for entity in ENTITIES
        for column in _owners(plan, source.id, entity)
    ]
    for register in plan.registers:
        if not register.entity and source.id in register.sources:
            told += [
                f"{key} IN (SELECT k FROM touched_k_{register.id})"
                for key in _key_texts(lake, plan, register, source.id)
            ]
    make(
        lake,
        f"in_{source.id}",
        f"SELECT r.* FROM {_standing(source.id)} AS r WHERE {' OR '.join(told) or 'false'}"
        f" UNION ALL BY NAME SELECT * FROM fresh_{source.id}",
        "TABLE",
    )


def _numbers_at_hand(lake: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """``number_<entity>`` and ``number_taken_<entity>`` of those whom the chosen rows name."""
    for entity in ENTITIES:
        said: list[str] = []
        for source in plan.sources.values():
            registers = [register for register in plan.registers if source.id in register.sources]
            used = mentions_used(source, registers)
            said += [
                f"SELECT cid_{mention.id} AS cid FROM in_{source.id} WHERE cid_{mention.id} IS NOT NULL"
                for mention in source.mentions
                if mention.id in used and mention.entity == entity
            ]
        everybody = " UNION ".join(said) or "SELECT NULL::BIGINT AS cid WHERE false"
        lake.execute(f"CREATE OR REPLACE TEMP TABLE at_hand AS {everybody}")
        make(
            lake,
            f"number_{entity}",
            f"SELECT cid, number FROM kept.number_{entity} WHERE cid IN (SELECT cid FROM at_hand)"
            f" AND cid NOT IN (SELECT cid FROM contending_{entity}) UNION ALL SELECT cid, number FROM number_now_{entity}",
            "TABLE",
        )
        make(
            lake,
            f"number_taken_{entity}",
            f"SELECT cid FROM kept.taken_{entity} WHERE cid IN (SELECT cid FROM at_hand)"
            f" AND cid NOT IN (SELECT cid FROM contending_{entity}) UNION ALL SELECT cid FROM taken_now_{entity}",
            "TABLE",
        )
