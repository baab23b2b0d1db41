"""Loading: land → check every row → keep what was rejected → publish into the registers, in bounded transactions.

A delivery is known by its bytes: the same file twice changes nothing. Each transaction publishes up to CHUNK rows
together with the line reached, so a load that was killed goes on where it stopped. Nothing is ever deleted because
it is absent from a delivery: an empty file wipes nobody.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import msgspec
import psycopg
from psycopg.rows import TupleRow, tuple_row

from dizuo.engines.lake.checking import Fault, Numbers, RowCheck, Scalar
from dizuo.engines.lake.delivery import DeliveryFile, Manifest, read_manifest
from dizuo.engines.lake.errors import DeliveryAltered, DeliveryRefused, DeliveryUndeclared
from dizuo.engines.lake.landing import land
from dizuo.engines.lake.reading import Line, Opened, open_delivery
from dizuo.engines.lake.simulate import Progress
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.store.roles import LOADER

CHUNK = 50_000
_RAW = 4_000
_encode = msgspec.json.Encoder().encode
Connection = psycopg.Connection[TupleRow]


class DatabaseLike(Protocol):
    """What gives the loader's address; see `dizuo.foundation.store.Database`."""

    def dsn(self, role: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of one file. `state`: published | known (these bytes were published before) | refused."""

    file: DeliveryFile
    state: str
    delivery: int | None = None
    accepted: int = 0
    rejected: int = 0
    added: int = 0
    changed: int = 0
    refused: DeliveryRefused | None = None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of a folder of deliveries."""

    manifest: Manifest
    files: tuple[Loaded, ...]

    @property
    def refused(self) -> tuple[Loaded, ...]:
        return tuple(file for file in self.files if file.state == "refused")

    @property
    def rejected(self) -> int:
        return sum(file.rejected for file in self.files)


def load(
    database: DatabaseLike,
    city: City,
    folder: Path,
    progress: Progress | None = None,
    *,
    landing: Path | None = None,
) -> LoadReport:
    """Load a folder of deliveries as the database role `dizuo_loader`.

    Shapes: `landing` is where copies are kept (default: `landing` beside the folder). The registers' declarations
    must have been published. A file that cannot be taken is refused with its reason, and the others still go in.
    Errors: DeliveryFolderUnusable for the folder as a whole; psycopg.Error when the database is away (run again).
    """
    manifest = read_manifest(folder)
    tell = progress or _silent
    total = sum(file.rows for file in manifest.files)
    done = 0
    results: list[Loaded] = []
    with psycopg.connect(database.dsn(LOADER), row_factory=tuple_row) as connection:
        connection.execute("SET statement_timeout = '10min'")
        connection.commit()
        loader = _Loader(connection, city, folder, landing or folder.parent / "landing", manifest.today)
        for file in _owners_first(city, manifest.files):
            tell(f"入库 {file.register_name}（{file.department_name}）", done, total)
            results.append(loader.load(file))
            done += file.rows
    tell("入库", total, total)
    return LoadReport(manifest, tuple(results))


def _owners_first(city: City, files: Iterable[DeliveryFile]) -> list[DeliveryFile]:
    """The source of a register's key makes the records; other departments' fields then join them."""

    def order(file: DeliveryFile) -> int:
        register = city.registers.get(file.register)
        return 0 if register is not None and register.fields[register.key].source == file.department else 1

    return sorted(files, key=order)


class _Loader:
    """One connection and what is the same for all files of a folder."""

    def __init__(self, connection: Connection, city: City, folder: Path, landing: Path, today: date) -> None:
        self._connection = connection
        self._city = city
        self._folder = folder
        self._landing = landing
        self._today = today
        self._numbers = Numbers(city, today)

    def load(self, file: DeliveryFile) -> Loaded:
        try:
            path = land(self._folder, file, self._landing)
        except DeliveryRefused as refusal:
            return Loaded(file, "refused", refused=refusal)
        delivery, state, line = self._enter(file, path)
        if state == "published":
            return Loaded(file, "known", delivery)
        try:
            opened, check = self._open(file, path)
        except DeliveryRefused as refusal:
            self._connection.execute(
                "UPDATE lake.delivery SET state = 'refused', refused_code = %s, refused_says = %s, finished_at = now()"
                " WHERE id = %s",
                (refusal.code, refusal.message, delivery),
            )
            self._connection.commit()
            return Loaded(file, "refused", delivery, refused=refusal)
        return self._publish(file, delivery, opened, check, line)

    def _open(self, file: DeliveryFile, path: Path) -> tuple[Opened, RowCheck]:
        register = self._city.registers.get(file.register)
        if register is None:
            raise DeliveryUndeclared(f"没有登记簿“{file.register[:40]}”")
        opened = open_delivery(path, file.encoding, file.delimiter)
        check = RowCheck(self._city, register, file.department, opened.header, self._today, self._numbers)
        found = opened.count()
        if found != file.rows:
            raise DeliveryAltered(f"清单写的是 {file.rows:,} 行，文件里有 {found:,} 行")
        return opened, check

    def _enter(self, file: DeliveryFile, path: Path) -> tuple[int, str, int]:
        """The delivery's row (id, state, line reached), made when these bytes are new; a refused one gets another try."""
        row = self._connection.execute(
            """
            INSERT INTO lake.delivery AS d (department, register, name, sha256, bytes, period_from, period_to, declaration)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (department, register, sha256) DO UPDATE
            SET declaration = excluded.declaration, refused_code = NULL, refused_says = NULL,
                state = CASE d.state WHEN 'refused' THEN 'landed' ELSE d.state END
            RETURNING id, state, published_line
            """,
            (
                file.department, file.register, file.path, file.sha256, path.stat().st_size, file.period_from,
                file.period_to, self._city.version,
            ),
        ).fetchone()  # fmt: skip
        self._connection.commit()
        assert row is not None
        return int(row[0]), str(row[1]), int(row[2])

    def _publish(
        self, file: DeliveryFile, delivery: int, opened: Opened, check: RowCheck, line: int
    ) -> Loaded:
        accepted = rejected = added = changed = 0
        fallback = file.period_to.isoformat()
        for part in _parts(opened.lines(after=max(line, 1))):
            chunk = _checked(part, check, fallback)
            new, renewed = _absorb(self._connection, file, delivery, chunk)
            self._connection.execute(
                """
                UPDATE lake.delivery SET published_line = %s, encoding = %s, accepted = accepted + %s,
                       rejected = rejected + %s, added = added + %s, changed = changed + %s WHERE id = %s
                """,
                (chunk.last, opened.encoding, len(chunk.rows), len(chunk.faults), new, renewed, delivery),
            )
            self._connection.commit()
            accepted += len(chunk.rows)
            rejected += len(chunk.faults)
            added += new
            changed += renewed
        self._connection.execute(
            "UPDATE lake.delivery SET state = 'published', encoding = %s, finished_at = now() WHERE id = %s",
            (opened.encoding, delivery),
        )
        self._connection.commit()
        return Loaded(file, "published", delivery, accepted, rejected, added, changed)


@dataclass(slots=True)
class _Chunk:
    """Up to CHUNK lines, sorted into what goes into the registers and what does not."""

    rows: list[tuple[int, str, str, bytes]] = field(default_factory=list[tuple[int, str, str, bytes]])
    faults: list[tuple[int, Fault, str]] = field(default_factory=list[tuple[int, Fault, str]])
    last: int = 0


def _parts(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while part := list(islice(lines, CHUNK)):
        yield part


def _checked(part: list[Line], check: RowCheck, fallback: str) -> _Chunk:
    chunk = _Chunk(last=part[-1].number)
    seen: set[str] = set()
    for line in part:
        found = line.cells if isinstance(line.cells, Fault) else check.row(line.cells)
        if not isinstance(found, Fault) and found[0] in seen:
            found = Fault(
                "repeated", check.register.fields[check.register.key].name.zh, "同一批里这个主键已经出现过"
            )
        if isinstance(found, Fault):
            chunk.faults.append((line.number, found, line.raw))
            continue
        key, values, as_of = found
        seen.add(key)
        chunk.rows.append((line.number, key, as_of or fallback, _encode(values)))
    return chunk


def _absorb(connection: Connection, file: DeliveryFile, delivery: int, chunk: _Chunk) -> tuple[int, int]:
    """Publish one chunk and keep its rejected rows, inside the caller's transaction; returns (added, changed)."""
    cursor = connection.cursor()
    if chunk.faults:
        with cursor.copy("COPY lake.rejected (delivery, line, code, field, says, raw) FROM STDIN") as copy:
            for number, fault, raw in chunk.faults:
                copy.write_row(
                    (delivery, number, fault.code, fault.column, storable(fault.says), storable(raw[:_RAW]))
                )
        _count_kinds(cursor, delivery, chunk)
    if not chunk.rows:
        return 0, 0
    number_of_load = uuid.uuid4()
    head = f"{number_of_load}\t".encode()
    where = f"\t{_copied(file.register)}\t".encode()
    source = f"\t{_copied(file.department)}\t"
    with cursor.copy(
        "COPY registers.intake (load, line, register, key, source, source_date, data) FROM STDIN"
    ) as copy:
        buffer = bytearray()
        for number, key, as_of, data in chunk.rows:
            buffer += head + str(number).encode() + where + f"{_copied(key)}{source}{as_of}\t".encode()
            buffer += data.replace(b"\\", b"\\\\") + b"\n"
            if len(buffer) > 1 << 18:
                copy.write(bytes(buffer))
                buffer.clear()
        copy.write(bytes(buffer))
    about: dict[str, Scalar] = {
        "delivery": delivery, "department": file.department, "register": file.register, "sha256": file.sha256,
        "to_line": chunk.last, "rejected": len(chunk.faults),
    }  # fmt: skip
    row = cursor.execute(
        "SELECT registers.absorb(%s, %s)", (number_of_load, _encode(about).decode())
    ).fetchone()
    assert row is not None
    counts: dict[str, Any] = row[0]
    return int(counts["new"]), int(counts["changed"])


def _count_kinds(cursor: psycopg.Cursor[TupleRow], delivery: int, chunk: _Chunk) -> None:
    """How many rows failed which check in which column: what may be told without showing a row."""
    kinds = Counter((fault.column, fault.code) for _, fault, _ in chunk.faults)
    cursor.executemany(
        """
        INSERT INTO lake.rejected_kind AS k (delivery, field, code, rows) VALUES (%s, %s, %s, %s)
        ON CONFLICT (delivery, field, code) DO UPDATE SET rows = k.rows + excluded.rows
        """,
        [(delivery, column, code, count) for (column, code), count in kinds.items()],
    )


def _copied(text: str) -> str:
    """A text as COPY's text format wants it."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def storable(text: str) -> str:
    """A rejected line as PostgreSQL can keep it: NUL becomes ␀, bytes that were no characters become \\xNN."""
    shown = text.replace("\0", "␀")
    return shown.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _silent(_: str, __: int, ___: int) -> None:
    return None
