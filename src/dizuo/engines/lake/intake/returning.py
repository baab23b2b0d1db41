"""What a department has to correct: the rejected rows of one delivery with their reasons, as a file that it can open safely."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

from dizuo.engines.lake.intake.arrow import pq
from dizuo.engines.lake.intake.deliveries import QUERIES, Intake, delivery
from dizuo.foundation.kernel.cells import harmless

_HEADER = ("行号", "栏目", "原因代码", "原因", "原文")
_NAMES = ("line", "column", "code", "says", "raw")
_BATCH = 5_000


async def returned_rows(intake: Intake, id: int, *, by: str, why: str) -> Iterator[bytes]:
    """The rejected rows of a delivery as CSV (UTF-8 with byte order mark), piece by piece, those of later stages too.

    Personal data, for the delivering department only: `by` is the account that takes them, `why` the purpose. The entry in
    the ledger is on disk before the first row is given out. Errors: DeliveryUnknown, the pool's.
    """
    found = await delivery(intake.pool, id)
    body = {"delivery": id, "source": found.source, "rows": found.rows_rejected, "by": by, "why": why[:500]}
    await intake.pool.fetchval(QUERIES["ledger"], "lake.returned", body)
    first = intake.places.rejected(found.source, id)
    return _pieces(sorted(path for path in (first, *first.parent.glob(f"{id}.*.parquet")) if path.exists()))


def _pieces(paths: Sequence[Path]) -> Iterator[bytes]:
    yield ("\ufeff" + _lines([_HEADER])).encode()
    for path in dict.fromkeys(paths):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH, columns=list(_NAMES)):
                columns = (batch.column(name).to_pylist() for name in _NAMES)
                yield _lines(
                    [tuple(str(cell) for cell in row) for row in zip(*columns, strict=True)]
                ).encode()


def _lines(rows: Sequence[Sequence[str]]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()
