"""Every statement of this engine is one that the database understands, as the role that runs it."""

from __future__ import annotations

from typing import Any

from dizuo.engines.cases import CENTRE, ENDINGS, FIXES, FOLLOW_UPS, QUERIES, READS


async def test_every_statement_prepares_for_the_web_role(pg: Any) -> None:
    async with pg("dizuo_app") as conn:
        await QUERIES.prepare_all(conn)
        await READS.prepare_all(conn)
        await CENTRE.prepare_all(conn)
        await FIXES.prepare_all(conn)
        await FOLLOW_UPS.prepare_all(conn)
        await ENDINGS.prepare_all(conn)
