"""Places packed as a list or as bits lie over one another as sets do; rows that were there before get them by migration."""

from __future__ import annotations

import random
from importlib.resources import files
from typing import Any

import pytest

from dizuo.engines.opendata import find, find_sets
from dizuo.engines.opendata.folding import grams
from dizuo.engines.opendata.postings import CHUNK, chunk_of, first_rank, meet, pack

_DROPPED = """
DROP TABLE opendata.posting, opendata.chunk;
DROP FUNCTION opendata.postings, opendata.texts, opendata.said, opendata.said_of_sets;
DROP INDEX opendata.entry_said;
"""


@pytest.mark.parametrize("size", [1, 7, 64, 65, 1_000, CHUNK])
def test_places_meet_as_sets_do(size: int) -> None:
    dice = random.Random(size)
    for _ in range(15):
        some = [
            sorted(dice.sample(range(size), max(1, int(size * dice.choice((0.001, 0.02, 0.0625, 0.5, 1))))))
            for _ in range(dice.randint(1, 4))
        ]
        held = [(len(one), pack(one, size)) for one in some]
        assert list(meet(held)) == sorted(set[int](some[0]).intersection(*some[1:]))
        assert all(len(packed) <= max(2, -(-size // 8)) for _, packed in held)


def test_a_rank_tells_its_chunk() -> None:
    for chunk in (1, 2, 30_000_000):
        assert chunk_of(first_rank(chunk)) == chunk_of(first_rank(chunk) + CHUNK - 1) == chunk


async def test_rows_from_before_are_found_after_the_migration(pg: Any) -> None:
    """More rows than a chunk has, with ranks in a line as they were."""
    texts = [f"第{n}号 {'甲乙'[n % 2]}" for n in range(CHUNK + 10)]
    migration = (files("dizuo.engines.opendata") / "sql" / "0006_pre_postings.sql").read_text("utf-8")
    async with pg() as owner:
        transaction = owner.transaction()
        await transaction.start()
        await owner.execute(_DROPPED)
        await owner.execute(
            "INSERT INTO opendata.dataset (id, title, provider, open_type, cycle)"
            " VALUES ('laws', '演示数据', 'data', 'unconditional', 'daily')"
        )
        records = [
            (2 * 10**12 + n, "laws", "row", text, str(n), text, grams(text)) for n, text in enumerate(texts)
        ]
        columns = ["rank", "dataset", "kind", "shown", "place", "folded", "grams"]
        await owner.copy_records_to_table("entry", records=records, columns=columns, schema_name="opendata")
        await owner.execute(migration)
        for query in ("甲", "号 乙", "第20485号", "2048", "第1"):
            truth = [str(n) for n, text in enumerate(texts) if all(term in text for term in query.split())]
            got = await find(owner, query, "row", limit=2_000)
            assert [hit.place for hit in got.hits] == truth[:2_000], query
            assert "laws" in await find_sets(owner, query), query
        await transaction.rollback()
