"""Random typed rules over random rows give the same answers in PostgreSQL and in Python, nulls included."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.rules import (
    BOOLEAN,
    DATE,
    DATETIME,
    NUMBER,
    TEXT,
    TIME,
    ListType,
    Months,
    RuleErrors,
    SqlColumn,
    Type,
    compile_python,
    compile_sql,
    parse,
)
from dizuo.foundation.store import OWNER, Server, connect

TODAY = date(2026, 11, 23)

COLUMNS: dict[str, tuple[str, str, Type]] = {  # path → name in SQL, SQL type of the column, type
    "p.n": ("pn", "numeric", NUMBER),
    "m": ("m", "numeric", NUMBER),
    "p.t": ("pt", "text", TEXT),
    "s": ("s", "text", TEXT),
    "b": ("b", "boolean", BOOLEAN),
    "c": ("c", "boolean", BOOLEAN),
    "p.born": ("born", "date", DATE),
    "d": ("d", "date", DATE),
    "at": ("at_", "timestamptz", DATETIME),
    "seen": ("seen", "timestamptz", DATETIME),
    "opens": ("opens", "time", TIME),
    "ns": ("ns", "numeric[]", ListType(NUMBER)),
    "ts": ("ts", "text[]", ListType(TEXT)),
}

# --- rows ---------------------------------------------------------------------------------------------------

numbers = st.decimals(-1_000_000, 1_000_000, places=3) | st.sampled_from(
    [Decimal(n) for n in (0, 1, -1, 2, 10)]
)
texts = st.text(st.sampled_from(list("aBzZ09 _%\\\n.无锡梁溪·é𠮷\ufffd")), max_size=6)
dates = st.dates(date(1890, 1, 1), date(2120, 12, 31)) | st.sampled_from(
    [date(2024, 2, 29), date(2026, 11, 23), date(1, 1, 1), date(9999, 12, 31)]
)
moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=SHANGHAI))
times = st.times().map(lambda at: at.replace(microsecond=0))


def maybe(values: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.none() | values


CELLS: dict[str, SearchStrategy[Any]] = {
    "p.n": maybe(numbers),
    "m": maybe(numbers),
    "p.t": maybe(texts),
    "s": maybe(texts),
    "b": maybe(st.booleans()),
    "c": maybe(st.booleans()),
    "p.born": maybe(dates),
    "d": maybe(dates),
    "at": maybe(moments),
    "seen": maybe(moments),
    "opens": maybe(times),
    "ns": maybe(st.lists(maybe(numbers), max_size=4)),
    "ts": maybe(st.lists(maybe(texts), max_size=4)),
}
rows = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=5)

# --- rules, as text, so that the parser takes part ------------------------------------------------------------


LEAVES = {
    "num": ("p.n", "m", "p.n", "m", "null", "0", "1", "-2", "2.5", "0.001", "1000000", "123.456"),
    "txt": ("p.t", "s", "p.t", "s", "null", '"无锡"', '""', '"a"', '"𠮷B"', '"a%_"'),
    "yes": ("b", "c", "b", "c", "true", "false", "null"),
    "day": ("p.born", "d", "p.born", "d", "null", "today()", 'date("2024-02-29")', '@"2026-10-01"'),
    "mom": ("at", "seen", "at", "seen", "null", 'date and time("2026-11-23T08:30:00")'),
    "dur": ('duration("P3D")', 'duration("PT36H")', 'duration("-PT90M")', '@"P1DT1S"', "null"),
    "mon": ('duration("P1M")', 'duration("-P13M")', '@"P4Y"', "null"),
    "tim": ("opens", "opens", 'time("08:30:00")', "null"),
    "nums": ("ns", "ns", "[1, 2, null]", "[]", "null", "[p.n, m]"),
    "txts": ("ts", "ts", '["无锡", "a", null]', "[]"),
}
TEMPLATES: dict[str, tuple[str, ...]] = {
    "num": (
        "{num} + {num1}",
        "{num} - {num1}",
        "{num} * {num1}",
        "{num} / {num1}",
        "{num} ** 2",
        "{num} ** 0",
        "-{num}",
        "count({nums})",
        "sum({nums})",
        "min({nums})",
        "sum([{num}, {num1}])",
        "min({num}, {num1})",
        "max([{num}, {num1}, {num2}])",
        "floor({num})",
        "ceiling({num})",
        "abs({num})",
        "round half up({num}, 1)",
        "round half up({num}, -2)",
        "round half up({num})",
        "string length({txt})",
        "age({day}, {day1})",
        "{day}.year + {day}.month * {day}.day",
        "{day}.weekday",
        "{mom}.hour",
        "{mom}.day",
        "({day} - {day1}).days",
        "{dur}.days",
        "{mon}.years + {mon}.months",
    ),
    "txt": (
        "{txt} + {txt1}",
        "substring({txt}, 2)",
        "substring({txt}, -2, 1)",
        "substring({txt}, 1, 2)",
        "upper case({txt})",
        "lower case({txt})",
        "max({txt}, {txt1})",
    ),
    "yes": (
        "{yes} and {yes1}",
        "{yes} or {yes1} or {yes2}",
        "not({yes})",
        "{yes} = {yes1}",
        *[
            f"{{{kind}}} {op} {{{kind}1}}"
            for op in ("=", "!=")
            for kind in ("num", "txt", "day", "tim", "mon")
        ],
        *[
            f"{{{kind}}} {op} {{{kind}1}}"
            for op in ("<", "<=", ">", ">=")
            for kind in ("num", "txt", "day", "mom", "dur", "mon", "tim")
        ],
        "{num} between {num1} and {num2}",
        "{txt} between {txt1} and {txt2}",
        "{num} in [{num1}..{num2}]",
        "{num} in ({num1}..{num2}]",
        "{day} in [{day1}..{day2})",
        "{txt} in [{txt1}, {txt2}]",
        "{txt} in ({txt1}, {txt2})",
        "{num} in ({num1}, < {num2}, [1..5])",
        "{num} in {nums}",
        "{txt} in {txts}",
        "list contains({nums}, {num})",
        "list contains({txts}, {txt})",
        "contains({txt}, {txt1})",
        "starts with({txt}, {txt1})",
        "ends with({txt}, {txt1})",
        'matches({txt}, "^[a-z无]+.?(锡|0|\\\\s)*$")',
        'matches({txt}, "[^a]\\\\d{1,2}")',
        "is defined({txt})",
        "exists({nums})",
        "exists({num})",
        "all([{yes}, {yes1}])",
        "any({yes}, {yes1}, {yes2})",
    ),
    "day": (
        "{day} + {dur}",
        "{day} - {dur}",
        "{day} + {mon}",
        "{mon} + {day}",
        "{day} - {mon}",
        "date({mom})",
    ),
    "mom": (
        "{mom} + {dur}",
        "{mom} - {dur}",
        "{mom} + {mon}",
        "{mom} - {mon}",
    ),
    "dur": (
        "{day} - {day1}",
        "{mom} - {mom1}",
        "{dur} + {dur1}",
        "{dur} - {dur1}",
        "-{dur}",
    ),
    "mon": (
        "{mon} + {mon1}",
        "-{mon}",
    ),
}
_PLACE = re.compile(r"\{(num|txt|yes|day|mom|dur|mon|tim|nums|txts)[12]?\}")


def rule(rng: random.Random, kind: str, depth: int) -> str:
    """A random well-typed rule; hypothesis chooses the seed and the depth."""
    if kind not in TEMPLATES or depth == 0 or rng.random() < 0.15:
        return rng.choice(LEAVES[kind])
    common = (f"coalesce({{{kind}}}, {{{kind}1}})", f"if {{yes}} then {{{kind}}} else {{{kind}1}}")
    template = rng.choice((*TEMPLATES[kind], *common))
    return "(" + _PLACE.sub(lambda place: rule(rng, place[1], depth - 1), template) + ")"


# --- both sides ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def connection(server: Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        server.dsn(OWNER, "postgres"), autocommit=True, cursor_factory=psycopg.RawCursor
    ) as opened:
        # Answers must not depend on the session's time zone.
        opened.execute("SET TIME ZONE 'America/New_York'")
        yield opened


def in_sql(connection: psycopg.Connection, text: str, table: list[dict[str, Any]]) -> list[object]:
    columns = {path: SqlColumn(f'r."{name}"', kind) for path, (name, _, kind) in COLUMNS.items()}
    fragment = compile_sql(parse(text), columns, today=TODAY)
    selects: list[str] = []
    params = list(fragment.params)
    for index, row in enumerate(table):
        cells: list[str] = []
        for path, (name, sql_type, _) in COLUMNS.items():
            params.append(row[path])
            cells.append(f'${len(params)}::{sql_type} AS "{name}"')
        selects.append(f"SELECT {index} AS position, {', '.join(cells)}")
    query = f"SELECT {fragment.text} FROM ({' UNION ALL '.join(selects)}) AS r ORDER BY r.position"
    return [plain(value) for (value,) in connection.execute(query, params).fetchall()]


def in_python(text: str, table: list[dict[str, Any]]) -> list[object]:
    run = compile_python(parse(text))
    return [plain(run(row, TODAY)) for row in table]


def plain(value: object) -> object:
    """Durations as SQL holds them: seconds or months."""
    if isinstance(value, timedelta):
        return Decimal(value // timedelta(microseconds=1)).scaleb(-6)
    if isinstance(value, Months):
        return Decimal(value.n)
    return value


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    kind=st.sampled_from(["yes", "yes", "yes", "num", "txt", "day", "mom", "dur", "mon"]),
    seed=st.integers(0, 2**64),
    depth=st.integers(1, 4),
    table=rows,
)
def test_same_answers(
    connection: psycopg.Connection, kind: str, seed: int, depth: int, table: list[dict[str, Any]]
):
    text = rule(random.Random(seed), kind, depth)
    note(text)
    assert in_sql(connection, text, table) == in_python(text, table)


ROW: dict[str, Any] = {
    **dict.fromkeys(COLUMNS),
    "p.n": Decimal(7),
    "p.t": "无锡梁溪",
    "b": True,
    "p.born": date(2024, 2, 29),
    "at": datetime(2026, 11, 23, 0, 30, tzinfo=SHANGHAI),
    "opens": time(8, 30),
    "ns": [Decimal(1), None],
    "ts": [],
}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("p.n / 3", Decimal("2.333333333333")),
        ("-p.n / 2 * 2", Decimal(-7)),
        ("1 / 0", None),
        ("m = null", True),
        ("m != null", False),
        ("m < 1", None),
        ("not(m < 1)", None),
        ("m < 1 and false", False),
        ("m < 1 or true", True),
        ("if m < 1 then 1 else 2", Decimal(2)),
        ("p.t < s", None),
        ('"B" < "a"', True),
        ('"𠮷" > "\\uffff"', True),
        ('age(p.born, @"2025-02-28")', Decimal(0)),
        ('age(p.born, @"2025-03-01")', Decimal(1)),
        ("age(today(), p.born)", None),
        ('p.born + duration("P1Y")', date(2025, 2, 28)),
        ('@"9999-12-31" + duration("P1D")', None),
        ('@"0001-01-01" - duration("P1M")', None),
        ('@"2026-11-23" - duration("PT1H")', date(2026, 11, 22)),
        ("date(at)", date(2026, 11, 23)),
        ("at.hour", Decimal(0)),
        ("sum(ns)", None),
        ("count(ns)", Decimal(2)),
        ("list contains(ns, m)", True),
        ("m in ns", True),
        ("exists(ts)", False),
        ("is defined(ts)", True),
        ('s in ["a", null]', True),
        ('matches(p.t, "^.{4}$")', True),
        ("substring(p.t, -2)", "梁溪"),
        ("min(s, p.t)", None),
        ("round half up(-2.5)", Decimal(-3)),
        ("(-2) ** 3", Decimal(-8)),
    ],
)
def test_the_answers_that_people_ask_about(connection: psycopg.Connection, text: str, answer: object):
    assert in_python(text, [ROW]) == [answer]
    assert in_sql(connection, text, [ROW]) == [answer]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("some x in ns satisfies x > 1", "不能写成 SQL"),
        ("for x in ns return x", "不能写成 SQL"),
        ("{a: 1}", "记录"),
        ("ns[1]", "筛选"),
        ("[1, 2]", "列表"),
        ("p = null", "“p”是记录"),
        ('string join(ts, ",") = "a"', "string join"),
        ("distinct values(ns) = ns", "不能写成 SQL"),
        ("substring(s, m)", "整数常量"),
        ("m in concatenate(ns, ns)", "数组的列"),
        ('m > "a"', "不能和"),
    ],
)
def test_what_sql_cannot_say_is_refused(text: str, words: str):
    columns = {path: SqlColumn(name, kind) for path, (name, _, kind) in COLUMNS.items()}
    with pytest.raises(RuleErrors) as caught:
        compile_sql(parse(text), columns, today=TODAY)
    assert words in caught.value.render()


def test_constants_never_enter_the_text_and_places_are_numbered_from_first():
    columns = {"s": SqlColumn("r.s", TEXT), "d": SqlColumn("r.d", DATE), "at": SqlColumn("r.at", DATETIME)}
    rule = (
        """s = "'; DROP TABLE person; --" and d - @"2026-01-01" < @"P3D" and at > @"2026-01-01T00:00:00" """
    )
    fragment = compile_sql(parse(rule), columns, first=5)
    assert "DROP" not in fragment.text
    assert fragment.params == (
        "'; DROP TABLE person; --",
        date(2026, 1, 1),
        Decimal(3 * 86400),
        datetime(2026, 1, 1, tzinfo=SHANGHAI),
    )
    assert all(f"${n}::" in fragment.text for n in (5, 6, 7, 8))
    assert fragment.type == BOOLEAN


async def test_the_pool_that_the_engines_use_takes_the_parameters_as_they_are(server: Server):
    rule = (
        's in ("a", null) and n between 1 and 2.5 and d + @"P1D" > today() and at < @"2026-11-23T08:30:00" '
        'and opens >= time("08:30:00") and matches(s, "^a$") and d - @"2026-11-01" < @"P30D"'
    )
    columns = {
        "s": SqlColumn("r.s", TEXT),
        "n": SqlColumn("r.n", NUMBER),
        "d": SqlColumn("r.d", DATE),
        "at": SqlColumn("r.at", DATETIME),
        "opens": SqlColumn("r.opens", TIME),
    }
    fragment = compile_sql(parse(rule), columns, today=TODAY, first=1)
    row = (
        "SELECT 'a'::text AS s, 2::numeric AS n, DATE '2026-11-23' AS d, "
        "TIMESTAMPTZ '2026-11-23 08:29+08' AS at, TIME '08:30' AS opens"
    )
    connection = await connect(server.dsn(OWNER, "postgres"))
    try:
        assert (
            await connection.fetchval(f"SELECT {fragment.text} FROM ({row}) AS r", *fragment.params) is True
        )
    finally:
        await connection.close(timeout=5)


def test_the_text_of_a_deep_rule_stays_small():
    columns = {"d": SqlColumn("r.d", DATE)}
    deep = "d" + ' + duration("P1D")' * 60
    assert len(compile_sql(parse(deep), columns).text) < 20_000


def test_today_must_be_given():
    with pytest.raises(ValueError, match="today"):
        compile_sql(parse("d < today()"), {"d": SqlColumn("d", DATE)})
    with pytest.raises(ValueError, match="today"):
        compile_python(parse("d < today()"))({})
