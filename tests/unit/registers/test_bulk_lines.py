"""Lots of lines in the order of their numbers, whatever order they come in."""

from __future__ import annotations

import collections

import duckdb
import pyarrow as pa
import pytest

from dizuo.engines.registers import BulkRows
from dizuo.engines.registers import bulk_lines as lines


def batch(first: int, *texts: str) -> pa.RecordBatch:
    numbers = list(range(first, first + len(texts)))
    return pa.record_batch([pa.array(texts), pa.array(numbers, pa.int64())], ["line", "nth"])


def told(batches: list[pa.RecordBatch], done: int = 0) -> list[tuple[int, bytes]]:
    return [(rows, b"".join(bytes(part) for part in lot)) for rows, lot in lines.parts(batches, done, 3)]


def test_a_batch_that_overtakes_another_waits_for_it():
    batches = [batch(2, "c", "d"), batch(0, "a", "b"), batch(4), batch(5, "f"), batch(4, "e")]
    assert told(batches) == [(4, b"abcd"), (2, b"ef")]
    assert told([batch(4, "e"), batch(2, "c", "d")], done=2) == [(3, b"cde")]


@pytest.mark.parametrize(
    "wrong", [[batch(1, "b")], [batch(0, "a"), batch(2, "c")], [batch(0, "a"), batch(0, "a")]]
)
def test_a_number_that_is_missing_or_comes_twice_is_no_load(wrong):
    with pytest.raises(lines.OrderLost):
        told(wrong)


def test_what_came_before_the_order_was_lost_stands():
    torn = pa.record_batch([pa.array(["c", "e"]), pa.array([2, 4], pa.int64())], ["line", "nth"])
    given = lines.parts([batch(0, "a", "b"), torn], 0, 3)
    rows, lot = next(given)
    assert (rows, b"".join(bytes(part) for part in lot)) == (2, b"ab")
    with pytest.raises(lines.OrderLost):
        next(given)


def test_batches_do_not_wait_without_end(monkeypatch):
    monkeypatch.setattr(lines, "MOST_EARLY", 3)
    early = [batch(n, "x") for n in range(5, 0, -1)]
    with pytest.raises(lines.OrderLost):
        told([*early, batch(0, "a")])
    assert told([*early[-3:], batch(0, "a")]) == [(3, b"axx"), (1, b"x")]


def test_sides_of_a_union_are_numbered_alike_every_time():
    """DuckDB hands the second side out first now and then; the lots must be the same all the same."""
    lake = duckdb.connect()
    lake.execute("SET disabled_optimizers = 'build_side_probe_side'")
    lake.execute("CREATE TABLE bulk_who AS SELECT 'c1' AS who, 7 AS id")
    one = "SELECT '{}' AS key, '{{}}' AS data, '{{}}' AS sources, NULL::DATE AS valid_from, NULL::DATE AS valid_to, '{}' AS s0"
    rows = BulkRows("person", f"{one.format(1, 1)} UNION ALL {one.format(2, 2)}", (("s0", "citizen_id"),))
    seen: collections.Counter[bytes] = collections.Counter()
    for _ in range(300):
        reader = lake.cursor().sql(lines.record_lines(rows, 10) + " WHERE nth >= 0").to_arrow_reader(1000)
        seen[b"".join(bytes(part) for _, lot in lines.parts(reader, 0, 100) for part in lot)] += 1
    assert list(seen) == [b"person\t1\t10\t{7}\t{}\t{}\t\\N\t\\N\nperson\t2\t11\t{}\t{}\t{}\t\\N\t\\N\n"]
