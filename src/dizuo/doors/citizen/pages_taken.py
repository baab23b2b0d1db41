"""我的数据 to take along (个人信息保护法 45: 查阅、复制): a table, the same for machines, and the proof that nothing is missing."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any, Final

import msgspec
from starlette.responses import Response

from dizuo.foundation.kernel.cells import harmless
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.ledger import EntryView, complete_proof, entries_of
from dizuo.web import WebRequest, attachment

from .pages_data import data_maker, enter_viewing, kept_there, tallies
from .people import subject_of

MOST: Final = 20_000
_LOT: Final = 1000


class Taken(msgspec.Struct, frozen=True):
    """One entry as the person keeps it. ``number``: the reader's own; ``entry``: the ledger's; ``seq``: its leaf."""

    number: int | None
    at: dt.datetime
    what: str
    who: str
    why: str
    law: str
    case: str
    details: str
    entry: int
    seq: int | None
    kind: str
    proof: str


def safe(text: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "" if text is None else harmless(str(text))


async def _taken(request: WebRequest, form: str) -> tuple[list[Taken], bytes]:
    """(every entry about the reader, the oldest first; the proof), in the reader's language. Entered as a look."""
    subject = subject_of(request)
    found: list[EntryView] = []
    async with request.dizuo.pool.acquire() as connection:
        while len(found) < MOST:
            some = await entries_of(connection, subject, before=found[-1].id if found else None, limit=_LOT)
            found += some
            if len(some) < _LOT:
                break
        numbers = (await tallies(request).of(connection, subject)).whole.numbers
        proven = await complete_proof(connection, subject)
    maker = data_maker(request, await kept_there(request, found))
    rows: list[Taken] = []
    for entry in reversed(found):
        (use,) = maker.uses([entry])
        (used,) = use.uses
        rows.append(
            Taken(
                numbers.get(entry.id), to_shanghai(entry.at), use.title, use.who, use.why, use.law, use.case,
                " ".join(filter(None, (used.says, use.note))), entry.id, entry.seq, entry.kind, used.proof,
            )
        )  # fmt: skip
    await enter_viewing(request, subject, form)
    return rows, proven


async def as_csv(request: WebRequest) -> Response:
    """Every use as a table for a spreadsheet."""
    rows, _ = await _taken(request, "csv")
    words = request.shell.templates(request.door).words[request.lang]["tracker"]
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow([words[f"col_{name}"] for name in Taken.__struct_fields__])
    for row in rows:
        table.writerow([safe(value) for value in _cells(row)])
    # With a byte order mark, or Excel takes the Chinese for something else.
    return attachment(file.getvalue().encode("utf-8-sig"), "dizuo-my-data.csv", "text/csv; charset=utf-8")


def _cells(row: Taken) -> list[Any]:
    cells = list(msgspec.structs.astuple(row))
    cells[1] = row.at.isoformat(timespec="seconds")
    return cells


async def as_json(request: WebRequest) -> Response:
    """Every use for machines, with the proof that none is missing inside."""
    rows, proven = await _taken(request, "json")
    app = request.dizuo
    body = {
        "format": "dizuo-my-data/1",
        "key": str(app.ledger_key),
        "entries": rows,
        "complete": proven.decode(),
    }
    return attachment(
        msgspec.json.format(msgspec.json.encode(body)), "dizuo-my-data.json", "application/json"
    )


async def whole(request: WebRequest) -> Response:
    """The proof that no entry about the reader is missing, for tools/verify_mine.py."""
    subject = subject_of(request)
    async with request.dizuo.pool.acquire() as connection:
        proven = await complete_proof(connection, subject)
    await enter_viewing(request, subject, "proof")
    return attachment(proven, "dizuo-complete.txt", "text/plain; charset=utf-8")
