"""What a source's steward takes along to correct: rejected rows as intake gives them, and rows that wait for an identity or a key."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final

from dizuo.engines.lake.intake import Intake, delivery, returned_rows
from dizuo.engines.lake.intake.arrow import pa, pc, pq
from dizuo.engines.lake.intake.deliveries import QUERIES
from dizuo.engines.lake.review.errors import PurposeMissing
from dizuo.engines.lake.review.stewards import Steward

_BATCH: Final = 5_000


async def take_rejected(intake: Intake, id: int, steward: Steward, purpose: str) -> Iterator[bytes]:
    """The rejected rows of a delivery as CSV (UTF-8 with byte order mark), piece by piece; the entry is durable before the first.

    Errors: DeliveryUnknown, NotSteward, PurposeMissing, the pool's.
    """
    steward.must_mind((await delivery(intake.pool, id)).source)
    return await returned_rows(intake, id, by=steward.account, why=_stated(purpose))


async def take_held(intake: Intake, id: int, steward: Steward, purpose: str) -> Iterator[bytes]:
    """The rows of a published delivery that wait (no identity, no key, number taken), with what was delivered in them; else as `take_rejected`."""
    found = await delivery(intake.pool, id)
    steward.must_mind(found.source)
    body = {
        "delivery": id, "source": found.source, "held": found.rows_held, "by": steward.account, "why": _stated(purpose),
    }  # fmt: skip
    await intake.pool.fetchval(QUERIES["ledger"], "lake.returned", body)
    told = sorted(intake.places.root.glob(f"golden/*/fates/{found.source}-{id}.parquet"))
    return _held(told[-1] if told else None, intake.places.rows(found.source, id))


def _stated(purpose: str) -> str:
    said = " ".join(purpose.split())
    if not said:
        raise PurposeMissing({"purpose": "请选择用途。"})
    return said[:200]


def _held(fates: Path | None, rows: Path) -> Iterator[bytes]:
    """Fates and raw rows both stand in the order of their lines, but only the few held lines are kept in memory."""
    if fates is None or not rows.exists():
        yield _lines([("行号", "原因代码", "原因")])
        return
    held: Any = pq.read_table(fates, columns=["line", "code", "says"], filters=[("fate", "=", "held")])
    why: dict[int, tuple[str, str]] = {
        int(line): (str(code), str(says))
        for line, code, says in zip(*(held.column(name).to_pylist() for name in ("line", "code", "says")), strict=True)
    }  # fmt: skip
    wanted: Any = pa.array(list(why), type=pa.int64())
    with pq.ParquetFile(rows) as file:
        columns = [name for name in file.schema_arrow.names if name != "line"]
        yield _lines([("行号", "原因代码", "原因", *columns)])
        for batch in file.iter_batches(_BATCH, columns=["line", *columns]):
            few = batch.filter(pc.is_in(pc.cast(batch.column("line"), pa.int64()), value_set=wanted))
            if few.num_rows:
                yield _lines(
                    [
                        (
                            str(row["line"]),
                            *why[int(row["line"])],
                            *(str(row[name] or "") for name in columns),
                        )
                        for row in few.to_pylist()
                    ],
                    begin=False,
                )


def _lines(rows: Sequence[Sequence[str]], *, begin: bool = True) -> bytes:
    text = StringIO("\ufeff" if begin else "")
    text.seek(0, 2)
    csv.writer(text, lineterminator="\r\n").writerows([_disarmed(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _disarmed(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula gets an apostrophe."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠") else cell
