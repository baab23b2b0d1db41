"""What a source's steward takes along to correct: rejected rows as intake gives them, and rows that wait for an identity or a key."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final

from dizuo.engines.lake.intake import Intake, delivery, returned_rows
from dizuo.engines.lake.intake.arrow import np, pa, pq
from dizuo.engines.lake.intake.deliveries import QUERIES
from dizuo.engines.lake.review.errors import PurposeMissing, RowsGone
from dizuo.engines.lake.review.stewards import Steward
from dizuo.foundation.kernel.cells import harmless

_BATCH: Final = 5_000


async def take_rejected(intake: Intake, id: int, steward: Steward, purpose: str) -> Iterator[bytes]:
    """The rejected rows of a delivery as CSV (UTF-8 with byte order mark), piece by piece; the entry is durable before the first.

    Errors: DeliveryUnknown, NotSteward, PurposeMissing, RowsGone when their file is not there, the pool's.
    """
    found = await delivery(intake.pool, id)
    steward.must_mind(found.source)
    first = intake.places.rejected(found.source, id)
    if found.rows_rejected and not first.exists() and not any(first.parent.glob(f"{id}.*.parquet")):
        raise RowsGone(delivery=id)
    return await returned_rows(intake, id, by=steward.account, why=_stated(purpose))


async def take_held(intake: Intake, id: int, steward: Steward, purpose: str) -> Iterator[bytes]:
    """The rows of a published delivery that wait (no identity, no key, number taken), with what was delivered in them; else as `take_rejected`."""
    found = await delivery(intake.pool, id)
    steward.must_mind(found.source)
    told = sorted(intake.places.root.glob(f"golden/*/fates/{found.source}-{id}.parquet"))
    rows = intake.places.rows(found.source, id)
    if not told or not rows.exists():
        raise RowsGone(delivery=id)
    body = {
        "delivery": id, "source": found.source, "held": found.rows_held, "by": steward.account, "why": _stated(purpose),
    }  # fmt: skip
    await intake.pool.fetchval(QUERIES["ledger"], "lake.returned", body)
    return _held(told[-1], rows)


def _stated(purpose: str) -> str:
    said = " ".join(purpose.split())
    if not said:
        raise PurposeMissing({"purpose": "请选择用途。"})
    return said[:200]


def _held(fates: Path, rows: Path) -> Iterator[bytes]:
    """Only the lines that wait and the codes of their reasons are kept in memory, a few bytes each, however many there are."""
    held: Any = pq.read_table(
        fates,
        columns=["line", "code", "says"],
        filters=[("fate", "=", "held")],
        read_dictionary=["code", "says"],
    ).sort_by("line")
    wanted: Any = np.asarray(held.column("line"), dtype="int64")
    with pq.ParquetFile(rows) as file:
        names = [name for name in file.schema_arrow.names if name != "line"]
        yield _lines([("行号", "原因代码", "原因", *names)])
        for batch in file.iter_batches(_BATCH, columns=["line", *names]):
            lines: Any = np.asarray(batch.column("line"), dtype="int64")
            if not len(lines) or not len(wanted):
                continue
            at: Any = np.searchsorted(wanted, lines)
            hit: Any = np.isin(lines, wanted[at.min() : at.max() + 1], assume_unique=True)
            few: Any = batch.filter(pa.array(hit)).to_pylist()
            why: Any = held.take(pa.array(at[hit])).to_pylist() if few else []
            if few:
                yield _lines(
                    [
                        (
                            str(row["line"]),
                            said["code"],
                            said["says"],
                            *(str(row[name] or "") for name in names),
                        )
                        for row, said in zip(few, why, strict=True)
                    ],
                    begin=False,
                )


def _lines(rows: Sequence[Sequence[str]], *, begin: bool = True) -> bytes:
    text = StringIO("\ufeff" if begin else "")
    text.seek(0, 2)
    csv.writer(text, lineterminator="\r\n").writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode()
