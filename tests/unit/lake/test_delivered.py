"""What anybody may know of what came for a register: counts, columns and kinds of fault, and never a row."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import pytest

from dizuo.engines.lake import last_deliveries
from dizuo.foundation.blueprint import City

DAY = dt.date(2026, 11, 20)


async def delivered(
    conn: Any, source: str, state: str = "published", *, rejected: int = 0, day: dt.date = DAY
) -> int:
    """A delivery of ten rows as the lake leaves it."""
    number: int = await conn.fetchval(
        "INSERT INTO lake.source_delivery (source, sha256, format, mode, period, declaration, state, why_code, why_says,"
        " rows_in, rows_read, rows_rejected, rows_published)"
        " VALUES ($1, $2, 'csv', 'full', $3, 'd', $4, $5, $5, 10, 10 - $6::bigint, $6, 10 - $6::bigint) RETURNING id",
        source, hashlib.sha256(f"{source}{day}{state}{rejected}".encode()).hexdigest(), day, state,
        "header" if state == "refused" else None, rejected,
    )  # fmt: skip
    if rejected:
        await conn.execute(
            "INSERT INTO lake.source_rejected_kind (delivery, stage, col, code, rows) VALUES ($1, 'read', '姓名', 'missing', 1),"
            " ($1, 'standardised', '姓名', 'missing', $2)",
            number,
            rejected - 1,
        )
    return number


async def test_a_register_is_told_what_came_last_from_each_source_that_feeds_it(
    declared: City, pg: Any, app_pool: Any
) -> None:
    async with pg() as conn:
        await delivered(conn, "hukou", rejected=2, day=DAY - dt.timedelta(days=1))
        last = await delivered(conn, "hukou", rejected=3)
        births = await delivered(conn, "births")
    found = await last_deliveries(app_pool, declared)
    of_person = {one.source: one for one in found if one.register == "person"}
    assert set(of_person) == {"hukou"}
    one = of_person["hukou"]
    assert (one.delivery, one.department, one.period_to, one.rows, one.rejected) == (last, "psb", DAY, 10, 3)
    assert [(kind.field, kind.code, kind.rows) for kind in one.faults] == [("姓名", "missing", 3)]
    # The police's register of households has the same delivery; the hospitals' certificates another one.
    assert [o.delivery for o in found if o.register == "household"] == [last]
    assert [(o.delivery, o.faults) for o in found if o.register == "birth_certificate"] == [(births, ())]


async def test_a_refused_delivery_is_news_too(declared: City, pg: Any, app_pool: Any) -> None:
    async with pg() as conn:
        number = await delivered(conn, "marriage", "refused")
    (one,) = [one for one in await last_deliveries(app_pool, declared) if one.register == "marriage"]
    assert (one.delivery, one.state) == (number, "refused")


async def test_the_web_sees_counts_and_nothing_else(declared: City, pg: Any) -> None:
    async with pg("dizuo_app") as conn:
        readable = {
            (row["table_name"], row["column_name"])
            for row in await conn.fetch(
                "SELECT table_name, column_name FROM information_schema.column_privileges"
                " WHERE table_schema = 'lake' AND grantee = 'dizuo_app' AND privilege_type = 'SELECT'"
            )
        }
        with pytest.raises(Exception, match="permission denied"):
            await conn.execute("SELECT body FROM lake.push")
    # Nothing that a department wrote about anybody, anywhere in the lake.
    personal = {"raw", "says", "line", "body", "left_values", "right_values"}
    assert readable
    assert not {column for _, column in readable} & personal
