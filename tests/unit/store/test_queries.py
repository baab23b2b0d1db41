"""Query files: cut by name, errors with file and line, prepared at start."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from dizuo.foundation.store import Pool, Queries
from dizuo.foundation.store.errors import QueryFileInvalid, QueryUnknown

GOOD = """-- Head of the file.

-- one --
-- Says one.
SELECT 1;

-- two_2 --
SELECT $1::int
-- a comment inside
+ 1
"""


def test_a_file_is_cut_by_names() -> None:
    queries = Queries.parse("q.sql", GOOD)
    assert list(queries) == ["one", "two_2"]
    assert queries["one"] == "-- Says one.\nSELECT 1"
    assert queries["two_2"].endswith("+ 1")


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("SELECT 1\n-- one --\nSELECT 1", 1, "第一个名字之前"),
        ("-- one --\nSELECT 1\n-- one --\nSELECT 2", 3, "第 1 行已经有了"),
        ("\n-- one --\n-- only words\n-- two --\nSELECT 1", 2, "下面没有语句"),
        ("-- one --\n", 1, "下面没有语句"),
    ],
)
def test_a_broken_file_names_its_line(text: str, line: int, why: str) -> None:
    with pytest.raises(QueryFileInvalid, match=f"第 {line} 行.*{why}"):
        Queries.parse("q.sql", text)


def test_an_unknown_name_suggests() -> None:
    with pytest.raises(QueryUnknown, match="two_2"):
        Queries.parse("q.sql", GOOD)["tow_2"]


def test_a_package_without_the_file_is_told() -> None:
    with pytest.raises(QueryFileInvalid, match="没有这个文件"):
        Queries.load("dizuo.foundation.store", "none.sql")


async def test_a_typo_fails_the_start(app_pool: Pool) -> None:
    queries = Queries.parse("q.sql", GOOD + "\n-- typo --\nSELECT nmae FROM store.job\n")
    async with app_pool.acquire() as connection:
        await Queries.parse("q.sql", GOOD).prepare_all(connection)
        with pytest.raises(QueryFileInvalid, match=r"第 12 行.*nmae"):
            await queries.prepare_all(connection)


async def test_every_query_file_of_the_foundation_prepares(owner_pool: Pool) -> None:
    root = Path(importlib.import_module("dizuo.foundation.store").__file__ or "").parents[1]
    found = sorted(root.glob("*/sql/*queries.sql"))
    assert found
    async with owner_pool.acquire() as connection:
        for file in found:
            await Queries.load(f"dizuo.foundation.{file.parents[1].name}", file.name).prepare_all(connection)
