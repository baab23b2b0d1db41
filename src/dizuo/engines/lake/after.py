"""What a load leaves for others: identity ids of demo characters, who represents which enterprise, rejected rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow, tuple_row

from dizuo.engines.lake.checking import Fault, RowCheck
from dizuo.engines.lake.delivery import DeliveryFile, Manifest, read_manifest
from dizuo.engines.lake.loading import DatabaseLike
from dizuo.engines.lake.reading import open_delivery
from dizuo.foundation.blueprint.model import City, Register
from dizuo.foundation.kernel.cells import harmless
from dizuo.foundation.store.roles import LOADER

_BATCH = 10_000
_IN_BUSINESS = "1"


@dataclass(frozen=True, slots=True)
class Represents:
    """A legal representative (法定代表人) of an enterprise in business; both as identity ids."""

    enterprise: int
    person: int
    name: str
    as_of: date


def demo_subjects(database: DatabaseLike, manifest: Manifest) -> dict[str, int]:
    """Identity ids of the manifest's demo characters, by citizen number."""
    numbers = [person.citizen_id for person in manifest.demo]
    with psycopg.connect(database.dsn(LOADER), row_factory=tuple_row) as connection:
        return dict(zip(numbers, _identities(connection, "citizen_id", numbers), strict=True))


def representatives(database: DatabaseLike, city: City, folder: Path) -> Iterator[Represents]:
    """Who represents which enterprise, from the delivered enterprise register, in batches.

    Rows that would be rejected are passed over. Errors: those of opening a delivery; psycopg.Error.
    """
    manifest = read_manifest(folder)
    with psycopg.connect(database.dsn(LOADER), row_factory=tuple_row) as connection:
        for file in manifest.files:
            register = city.registers.get(file.register)
            if register is None or not _names_representatives(register, file):
                continue
            batch: list[tuple[str, str, str, date]] = []
            for row in _rows(city, register, file, folder, manifest.today):
                batch.append(row)
                if len(batch) == _BATCH:
                    yield from _resolved(connection, batch)
                    batch.clear()
            yield from _resolved(connection, batch)
        connection.commit()


def _names_representatives(register: Register, file: DeliveryFile) -> bool:
    person = register.fields.get("legal_citizen_id")
    return register.base == "enterprise" and person is not None and person.source == file.department


def _rows(
    city: City, register: Register, file: DeliveryFile, folder: Path, today: date
) -> Iterator[tuple[str, str, str, date]]:
    opened = open_delivery(folder / file.path, file.encoding, file.delimiter)
    check = RowCheck(city, register, file.department, opened.header, today)
    for line in opened.lines():
        found = line.cells if isinstance(line.cells, Fault) else check.row(line.cells)
        if isinstance(found, Fault):
            continue
        key, values, as_of = found
        person = values.get("legal_citizen_id")
        if isinstance(person, str) and values.get("state", _IN_BUSINESS) == _IN_BUSINESS:
            day = date.fromisoformat(as_of) if as_of else file.period_to
            yield key, person, str(values.get("name") or key), day


def _resolved(
    connection: psycopg.Connection[TupleRow], batch: Sequence[tuple[str, str, str, date]]
) -> Iterator[Represents]:
    enterprises = _identities(connection, "uscc", [row[0] for row in batch])
    people = _identities(connection, "citizen_id", [row[1] for row in batch])
    for enterprise, person, (_, _, name, day) in zip(enterprises, people, batch, strict=True):
        yield Represents(enterprise, person, name, day)


def _identities(connection: psycopg.Connection[TupleRow], scheme: str, numbers: Sequence[str]) -> list[int]:
    if not numbers:
        return []
    row = connection.execute(
        "SELECT registers.identities(%s, %s::text[])", (scheme, list(numbers))
    ).fetchone()
    connection.commit()
    assert row is not None
    return list(row[0])


def rejected_rows(database: DatabaseLike, delivery: int) -> Iterator[str]:
    """The rejected rows of a delivery as lines of a CSV that the department can open.

    Cells that a spreadsheet would run as a formula are disarmed with an apostrophe. Personal data: for the
    delivering department only.
    """
    with psycopg.connect(database.dsn(LOADER), row_factory=tuple_row) as connection:
        yield "\ufeff" + _csv_line(("行号", "原因代码", "栏目", "原因", "原文"))
        with connection.cursor("rejected") as cursor:
            cursor.execute(
                "SELECT line, code, field, says, raw FROM lake.rejected WHERE delivery = %s ORDER BY line",
                (delivery,),
            )
            for line, code, field, says, raw in cursor:
                yield _csv_line((str(line), code, field, says, raw))


def _csv_line(cells: Sequence[str]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return text.getvalue()
