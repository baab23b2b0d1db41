"""From mentions to nodes: one node is one person or enterprise as written, however many departments wrote the same.

All mentions with the same number and the same name are one node, so that pairs of them need not be compared; a mention without a
number is a node of its own unless another says word for word the same. A node keeps two telephones and two addresses, the least
and the greatest of all it was ever told: the outcome does not depend on the order in which deliveries came.
"""

# ruff: noqa: S608 - names of tables and numbers of our own, never anything delivered

from __future__ import annotations

import importlib
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow

from dizuo.engines.lake.identity.enterprise import CORE
from dizuo.engines.lake.identity.person import CROWDED, SHARED_PHONE
from dizuo.engines.lake.identity.sounds import sounded
from dizuo.engines.lake.identity.spec import lasting_sql

Connection = duckdb.DuckDBPyConnection
_pa: Final[Any] = pyarrow
_pc: Final[Any] = importlib.import_module("pyarrow.compute")

_NAMES: Final = 20_000
_PART: Final = 1_000_000
"""About how many mentions are grouped at once, so that memory stays bounded."""
_NODE: Final = "(md5_number({text}) >> 66)::BIGINT"
# Written as it is read back, it is all digits; a pattern says so too, but slower.
_DIVISION: Final = (
    "CASE WHEN length(division) = 12 AND TRY_CAST(division AS BIGINT)::VARCHAR = division THEN TRY_CAST(division AS BIGINT)"
    " WHEN regexp_full_match(division, '[0-9]{6,12}') THEN rpad(division, 12, '0')::BIGINT END"
)

# A mention as numbers and normal texts. `node` is what it is grouped by: number and name, else every word of it, else itself.
_MENTION: Final = f"""
WITH told AS (
    SELECT record_id, as_of, nullif(trim(name), '') AS name, nullif(trim(former_name), '') AS former, {{own}},{{more_told}}
           TRY_CAST(sex AS TINYINT) AS sex, birth_date AS birth,
           coalesce(TRY_CAST(phone AS UBIGINT), CASE WHEN phone <> '' THEN {
    lasting_sql("'tel|' || phone")
} END) AS phone, {_DIVISION} AS division,
           nullif(address_rest, '') AS rest, regexp_extract(address_rest, '([0-9]+)[^0-9]+([0-9]+)[^0-9]*$', ['last_but_one', 'last']) AS numbers
    FROM {{mentions}}{{more_from}} WHERE entity = '{{entity}}'
)
SELECT record_id, as_of, {
    _NODE.format(
        text='''CASE
           WHEN number IS NOT NULL THEN concat_ws('|', 'n', number_ok::INT, number, coalesce(name, ''))
           WHEN name IS NOT NULL AND coalesce(phone::VARCHAR, rest, birth::VARCHAR) IS NOT NULL
           THEN concat_ws('|', 'w', name, coalesce(birth::VARCHAR, ''), coalesce(sex, 0), coalesce(phone, 0), coalesce(division, 0),
                          coalesce(rest, ''){more_words})
           ELSE 'r|' || record_id END'''
    )
} AS node,
       name, CASE WHEN former <> name THEN former END AS former, number, number_ok, birth, sex, phone,{{more_said}}
       CASE WHEN division % 1000 <> 0 THEN division END AS community,
       CASE WHEN (division // 1000) % 1000 <> 0 THEN (division // 1000)::INTEGER END AS town,
       CASE WHEN numbers.last <> '' OR regexp_matches(rest, '[0-9]') THEN {
    lasting_sql("concat_ws('|', division // 1000000, rest)")
} END AS place,
       CASE WHEN numbers.last <> '' THEN {
    lasting_sql("concat_ws('|', division // 1000000, numbers.last_but_one, numbers.last)")
} END AS door,
       CASE WHEN number_ok AND length(number) = 18 AND TRY_CAST(substr(number, 7, 8) AS INTEGER)
                 = year(birth) * 10000 + month(birth) * 100 + day(birth) THEN birth END AS birth_own
FROM told
"""

_OWN_NUMBER: Final = {
    "person": "citizen_id IS NOT NULL AS number_ok,"
    " coalesce(citizen_id, CASE WHEN length(id_other) BETWEEN 5 AND 30 THEN id_other END) AS number",
    "enterprise": "uscc IS NOT NULL AS number_ok,"
    " coalesce(uscc, CASE WHEN length(id_other) BETWEEN 5 AND 30 THEN id_other END) AS number",
}

# Who represents an enterprise (法定代表人) stands in the same row of the same delivery as a mention of a person that is called "legal".
_MORE: Final = {
    "more_told": " legal_id, legal_name,",
    "more_words": ", legal_id, legal_name",
    "more_said": " legal_id, legal_name,",
    "more_from": f""" LEFT JOIN (
        SELECT left(record_id, length(record_id) - 6) AS of_row, min({lasting_sql("'id|' || coalesce(citizen_id, id_other)")}) AS legal_id,
               min({lasting_sql("'name|' || nullif(trim(name), '')")}) AS legal_name
        FROM {{mentions}} WHERE entity = 'person' AND ends_with(record_id, ':legal') GROUP BY of_row
    ) legal ON legal.of_row = regexp_replace(record_id, ':[^:]*$', '')""",
}
_LEGAL: Final = ("legal_id", "legal_name")

# What a node was ever told, as columns that can be merged with later mentions in any order.
RAW_COLUMNS: Final = (
    "node BIGINT", "name VARCHAR", "number VARCHAR", "number_ok BOOLEAN", "former VARCHAR", "birth DATE", "birth_own DATE", "sex TINYINT",
    "tel_a UBIGINT", "tel_b UBIGINT", "community_a BIGINT", "community_b BIGINT", "town_a INTEGER", "town_b INTEGER",
    "place_a UBIGINT", "place_b UBIGINT", "door_a UBIGINT", "door_b UBIGINT", "mentions BIGINT", "touched INTEGER",
)  # fmt: skip
_OWN_BIRTH: Final = (
    "CASE WHEN length(number) = 18 THEN TRY_CAST(substr(number, 7, 4) || '-' || substr(number, 11, 2) || '-' || substr(number, 13, 2)"
    " AS DATE) END"
)
_GROUPED: Final = """
SELECT node, any_value(name) AS name, any_value(number) AS number, any_value(number_ok) AS number_ok, max(former) AS former,
       min(birth) AS birth, max(birth_own) AS birth_own, min(sex) AS sex,
       min(phone) AS tel_a, max(phone) AS tel_b, min(community) AS community_a, max(community) AS community_b,
       min(town) AS town_a, max(town) AS town_b, min(place) AS place_a, max(place) AS place_b, min(door) AS door_a, max(door) AS door_b,
       count(*) AS mentions, {run}::INTEGER AS touched{more}
FROM {source} GROUP BY node
"""
_MERGED: Final = """
SELECT n.node, n.name, n.number, n.number_ok, greatest(o.former, n.former) AS former, least(o.birth, n.birth) AS birth,
       coalesce(o.birth_own, n.birth_own) AS birth_own, least(o.sex, n.sex) AS sex,
       least(o.tel_a, n.tel_a) AS tel_a, greatest(o.tel_b, n.tel_b) AS tel_b,
       least(o.community_a, n.community_a) AS community_a, greatest(o.community_b, n.community_b) AS community_b,
       least(o.town_a, n.town_a) AS town_a, greatest(o.town_b, n.town_b) AS town_b,
       least(o.place_a, n.place_a) AS place_a, greatest(o.place_b, n.place_b) AS place_b,
       least(o.door_a, n.door_a) AS door_a, greatest(o.door_b, n.door_b) AS door_b,
       coalesce(o.mentions, 0) + n.mentions AS mentions, n.touched{more}
FROM grouped n LEFT JOIN told_{entity} o USING (node)
"""
# A run that tells a node nothing new leaves it untouched: nothing about it is compared again.
_NEWS: Final = """
o.node IS NULL OR (n.former, n.birth, n.birth_own, n.sex, n.tel_a, n.tel_b, n.community_a, n.community_b, n.town_a, n.town_b, n.place_a,
                   n.place_b, n.door_a, n.door_b)
   IS DISTINCT FROM (o.former, o.birth, o.birth_own, o.sex, o.tel_a, o.tel_b, o.community_a, o.community_b, o.town_a, o.town_b, o.place_a,
                     o.place_b, o.door_a, o.door_b)
"""

# A telephone or door of a crowd is no evidence; a telephone of a few is weak evidence.
_CONTACT: Final = f"""
CASE WHEN pa.node_count IS NULL THEN t.tel_a END AS phone_a,
       CASE WHEN pb.node_count IS NULL AND t.tel_b > t.tel_a THEN t.tel_b END AS phone_b,
       coalesce(CASE WHEN pa.node_count < {CROWDED} THEN t.tel_a END, CASE WHEN pb.node_count < {CROWDED} THEN t.tel_b END) AS phone_s,
       t.community_a, CASE WHEN t.community_b > t.community_a THEN t.community_b END AS community_b,
       t.town_a, CASE WHEN t.town_b > t.town_a THEN t.town_b END AS town_b,
       CASE WHEN ca.place IS NULL THEN t.place_a END AS place_a,
       CASE WHEN cb.place IS NULL AND t.place_b > t.place_a THEN t.place_b END AS place_b,
       t.door_a, CASE WHEN t.door_b > t.door_a THEN t.door_b END AS door_b
"""
_CONTACT_JOINS: Final = """
LEFT JOIN shared_phone pa ON pa.phone = t.tel_a
LEFT JOIN shared_phone pb ON pb.phone = t.tel_b
LEFT JOIN crowded_place ca ON ca.place = t.place_a
LEFT JOIN crowded_place cb ON cb.place = t.place_b
"""
# A node as the comparisons want it.
_PERSON: Final = f"""
SELECT t.node, t.touched, t.name, c.sound, c.blurred, c.outline, t.former, f.blurred AS former_blurred,
       (c.nodes::DOUBLE / {{total}})::FLOAT AS name_tf, t.number, t.number_ok,
       coalesce(t.birth_own, t.birth, CASE WHEN t.number_ok THEN {_OWN_BIRTH} END) AS birth,
       coalesce(strftime(coalesce(t.birth_own, t.birth), '%Y%m%d'),
                CASE length(t.number) WHEN 18 THEN substr(t.number, 7, 8) WHEN 15 THEN '19' || substr(t.number, 7, 6) END) AS born,
       coalesce(t.sex, CASE WHEN t.number_ok THEN 2 - (substr(t.number, 17, 1)::TINYINT % 2) END)::TINYINT AS sex,
       {_CONTACT}
FROM {{told}} t
LEFT JOIN (SELECT * FROM name_count c JOIN name_sound s USING (name)) c ON c.name = t.name
LEFT JOIN (SELECT name, blurred FROM name_sound WHERE name IN (SELECT former FROM {{told}})) f ON f.name = t.former
{_CONTACT_JOINS}
"""
_ENTERPRISE: Final = f"""
SELECT t.node, t.touched, t.name, (c.nodes::DOUBLE / {{total}})::FLOAT AS name_tf, {CORE} AS core, t.number, t.number_ok,
       t.legal_id_a, CASE WHEN t.legal_id_b > t.legal_id_a THEN t.legal_id_b END AS legal_id_b,
       t.legal_name_a, CASE WHEN t.legal_name_b > t.legal_name_a THEN t.legal_name_b END AS legal_name_b,
       {_CONTACT}
FROM {{told}} t
LEFT JOIN name_count c ON c.name = t.name
{_CONTACT_JOINS}
"""
_NODE_OF: Final = {"person": _PERSON, "enterprise": _ENTERPRISE}
_FEW: Final = 0.1
"""Up to this share of touched nodes the others are left as they are."""


def create_tables(store: Connection, entity: str) -> None:
    """The tables of an entity, when they are not there yet."""
    store.execute(f"CREATE TABLE IF NOT EXISTS told_{entity} ({', '.join(RAW_COLUMNS)})")
    if entity == "enterprise":  # also in a store that was made before representatives were compared
        for column in (f"{legal}_{side}" for legal in _LEGAL for side in "ab"):
            store.execute(f"ALTER TABLE told_{entity} ADD COLUMN IF NOT EXISTS {column} UBIGINT")
    store.execute(
        "CREATE TABLE IF NOT EXISTS name_sound (name VARCHAR, sound UBIGINT, blurred UBIGINT, outline VARCHAR)"
    )


def mention_sql(entity: str, mentions: str, *, apart: bool = False) -> str:
    """The mentions of an entity as a bracketed query; ``mentions`` is SQL that can stand after FROM."""
    told = _MENTION
    for place, text in _MORE.items():
        told = told.replace(f"{{{place}}}", text if entity == "enterprise" else "")
    told = (
        told.replace("{own}", _OWN_NUMBER[entity]).replace("{entity}", entity).replace("{mentions}", mentions)
    )
    if apart:
        return f"(SELECT * REPLACE ({_NODE.format(text='record_id')} AS node) FROM ({told}))"
    return f"({told})"


def tell(store: Connection, entity: str, mentions: str, run: int, *, apart: bool = False) -> int:
    """Enter new or changed mentions of "person" or "enterprise"; returns how many nodes have news.

    ``mentions`` is SQL that can stand after FROM, with the columns of the contract. Leaves the table ``said_<entity>`` (record_id,
    node) of this run: of a record mentioned twice the later. ``apart``: every mention is a node of its own, as learning wants it.
    """
    create_tables(store, entity)
    # Reading a mention costs more than all that is done with it: its words are read once, though two tables are made of them.
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE told_now AS SELECT * FROM {mention_sql(entity, mentions, apart=apart)}"
    )
    store.execute(f"CREATE OR REPLACE TABLE said_{entity} AS SELECT record_id, node, as_of FROM told_now")
    _keep_latest(store, f"said_{entity}")
    first = _one(store, f"SELECT count(*) FROM told_{entity}") == 0
    if not first:
        store.execute(f"CREATE OR REPLACE TEMP TABLE grouped AS FROM told_{entity} LIMIT 0")
    parts = -(-_one(store, "SELECT count(*) FROM told_now") // _PART)
    for part in range(parts):
        mine = f"(FROM told_now WHERE node % {parts} = {part})" if parts > 1 else "told_now"
        store.execute(
            f"INSERT INTO {f'told_{entity}' if first else 'grouped'} {grouped_sql(mine, run, entity)}"
        )
    store.execute("DROP TABLE told_now")
    if not first:
        legal = [f"{c}_{side}" for c in _LEGAL for side in "ab"] if entity == "enterprise" else []
        pick = {"a": "least", "b": "greatest"}
        more_merged = "".join(f", {pick[c[-1]]}(o.{c}, n.{c}) AS {c}" for c in legal)
        more_news = "".join(f" OR n.{c} IS DISTINCT FROM o.{c}" for c in legal)
        store.execute(
            f"CREATE OR REPLACE TEMP TABLE merged AS {_MERGED.format(entity=entity, more=more_merged)}"
        )
        store.execute(
            "CREATE OR REPLACE TEMP TABLE news AS"
            f" SELECT n.* FROM merged n LEFT JOIN told_{entity} o USING (node) WHERE {_NEWS}{more_news}"
        )
        store.execute(f"DELETE FROM told_{entity} WHERE node IN (SELECT node FROM news)")
        store.execute(f"INSERT INTO told_{entity} SELECT * FROM news")
        for table in ("grouped", "merged", "news"):
            store.execute(f"DROP TABLE {table}")
    if entity == "person":
        _hear_names(store, run)
    return _one(store, f"SELECT count(*) FROM told_{entity} WHERE touched = {run}")


def build(store: Connection, entity: str, run: int = 0) -> int:
    """Make the table ``node_<entity>`` from what was told; returns how many nodes there are.

    When ``run`` touched few of them, only those are made anew, and those whose telephone or door has become a crowd's by them. How
    frequent the names of the others are is then left as it was: of a pair, the touched node knows the frequency of today.
    """
    told = f"told_{entity}"
    touched = f"SELECT node FROM {told} WHERE touched = {run}"
    few = _exists(store, f"node_{entity}") and _one(
        store, f"SELECT count(*) FROM ({touched})"
    ) <= _FEW * _one(store, f"SELECT count(*) FROM {told}")
    # How many names share it, not how many nodes: one person's five records are no crowd.
    phones = _shared(told, "tel", SHARED_PHONE, few, run)
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE shared_phone AS SELECT v AS phone, names AS node_count FROM ({phones})"
    )
    places = _shared(told, "place", CROWDED, few, run)
    store.execute(f"CREATE OR REPLACE TEMP TABLE crowded_place AS SELECT v AS place FROM ({places})")
    if few:
        store.execute(
            f"CREATE OR REPLACE TEMP TABLE anew AS {touched}"
            f" UNION SELECT node FROM {told} WHERE tel_a IN (SELECT phone FROM shared_phone) OR tel_b IN (SELECT phone FROM shared_phone)"
            f" UNION SELECT node FROM {told} WHERE place_a IN (FROM crowded_place) OR place_b IN (FROM crowded_place)"
        )
    wanted = "name IN (SELECT name FROM anew JOIN {told} USING (node))" if few else "name IS NOT NULL"
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE name_count AS SELECT name, count(*) AS nodes FROM {told} WHERE {wanted.format(told=told)} GROUP BY name"
    )
    named = max(_one(store, f"SELECT count(name) FROM {told}"), 1)
    if few:
        store.execute(f"DELETE FROM node_{entity} WHERE node IN (SELECT node FROM anew)")
        mine = f"(FROM {told} SEMI JOIN anew USING (node))"
        store.execute(f"INSERT INTO node_{entity} {node_sql(entity, mine, named)}")
    else:
        store.execute(f"CREATE OR REPLACE TABLE node_{entity} AS {node_sql(entity, told, named)}")
    for table in ("name_count", "shared_phone", "crowded_place", *(("anew",) if few else ())):
        store.execute(f"DROP TABLE {table}")
    return _one(store, f"SELECT count(*) FROM node_{entity}")


def _exists(store: Connection, table: str) -> bool:
    return bool(_one(store, f"SELECT count(*) FROM duckdb_tables() WHERE table_name = '{table}'"))


def _known(column: str, few: bool, told: str, run: int) -> str:
    """A column that is known, and of a small run one that a touched node has."""
    if not few:
        return f"{column} IS NOT NULL"
    stem = column[:-2]
    mine = (f"SELECT {c} FROM {told} WHERE touched = {run}" for c in (f"{stem}_a", f"{stem}_b"))
    return f"{column} IN ({' UNION ALL '.join(mine)})"


def _shared(told: str, stem: str, least: int, few: bool, run: int) -> str:
    """Telephones or doors (v) that go under ``least`` names or more, with how many (names)."""
    a, b = f"{stem}_a", f"{stem}_b"
    one = f"FROM {told} WHERE {_known(a, few, told, run)}"
    two = f"FROM {told} WHERE {b} > {a} AND {_known(b, few, told, run)}"
    # What fewer nodes have goes under fewer names: numbers are counted first, and names are looked at only where there may be enough.
    often = f"SELECT v FROM (SELECT {a} AS v {one} UNION ALL SELECT {b} {two}) GROUP BY v HAVING count(*) >= {least}"
    return (
        f"WITH often AS MATERIALIZED ({often}) SELECT v, count(*) AS names FROM (SELECT {a} AS v, name {one} AND {a} IN (FROM often)"
        f" UNION SELECT {b}, name {two} AND {b} IN (FROM often)) GROUP BY v HAVING count(*) >= {least}"
    )


def node_sql(entity: str, told: str, named: int) -> str:
    """The query that makes nodes of a table like ``told_<entity>``; ``named`` is how many of them have a name."""
    return _NODE_OF[entity].format(told=told, total=named)


def grouped_sql(told: str, run: int, entity: str = "person") -> str:
    """The query that makes of mentions (`mention_sql`) what ``told_<entity>`` holds, one row for each node."""
    more = (
        "".join(f", min({c}) AS {c}_a, max({c}) AS {c}_b" for c in _LEGAL) if entity == "enterprise" else ""
    )
    return _GROUPED.format(source=told, run=run, more=more)


def _keep_latest(store: Connection, said: str) -> None:
    """Of a record that was mentioned more than once in these files, keep the latest mention."""
    short = "(hash(record_id) % 4294967296)::UINTEGER"
    found = np.sort(store.execute(f"SELECT {short} AS h FROM told_now").fetchnumpy()["h"])
    twice = np.unique(found[1:][found[1:] == found[:-1]])
    if not len(twice):
        return
    store.register("twice", _pa.table({"h": twice}))
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE spare AS SELECT place FROM (SELECT rowid AS place, row_number() OVER"
        f" (PARTITION BY record_id ORDER BY as_of DESC NULLS LAST, node) AS nth FROM {said} WHERE {short} IN (SELECT h FROM twice))"
        " WHERE nth > 1"
    )
    store.unregister("twice")
    store.execute(f"DELETE FROM {said} WHERE rowid IN (SELECT place FROM spare)")
    store.execute("DROP TABLE spare")


def _hear_names(store: Connection, run: int) -> None:
    """Readings of this run's names that are not in ``name_sound`` yet, some thousands at a time, so that Python never holds many."""
    told = f"told_person WHERE touched = {run}"
    new = store.sql(
        f"SELECT DISTINCT name FROM (SELECT name FROM {told} UNION ALL SELECT former FROM {told}) t"
        " WHERE name IS NOT NULL AND name NOT IN (SELECT name FROM name_sound)"
    ).to_arrow_table()
    for batch in new.to_batches(max_chunksize=_NAMES):
        enter_names(store, batch.column(0))


def enter_names(store: Connection, names: Any) -> None:
    """Readings of some names (an Arrow array of texts) into ``name_sound``; no name becomes an object of Python's."""
    if not len(names):
        return
    plain = _pc.replace_substring(names, "\n", " ")
    whole = _pa.ListArray.from_arrays(_pa.array([0, len(names)], _pa.int32()), plain)
    lines = _pc.binary_join(whole, "\n")[0].as_py()
    found = [_pc.split_pattern(_pa.array([text]), "\n").flatten() for text in sounded(lines)]
    store.register("heard", _pa.table([names, *found], ["name", "sound", "blurred", "outline"]))
    store.execute(
        f"INSERT INTO name_sound SELECT name, {lasting_sql('substr(sound, 2)')}, {lasting_sql('substr(blurred, 2)')}, outline FROM heard"
    )
    store.unregister("heard")


def _one(store: Connection, query: str) -> int:
    return int(store.execute(query).fetchall()[0][0])
