"""Taking a folder of simulated deliveries (演示数据) as the departments would bring them: files, a table to pull, records pushed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

from dizuo.engines.lake.intake import (
    MAX_PUSH,
    MAX_RECORDS,
    Delivery,
    Intake,
    collect,
    find_key,
    make_key,
    pull,
    push,
    receive,
    revoke_key,
)
from dizuo.engines.lake.simulation import DeliveredFile, fill_table, read_sources

Tell = Callable[[str, int, int], None]
_BY = "demonstration"


async def take_folder(
    intake: Intake,
    folder: Path,
    *,
    until: dt.date | None = None,
    after: dt.date | None = None,
    door: Intake | None = None,
    tables: str = "",
    tell: Tell | None = None,
) -> list[Delivery]:
    """Receive what arrives in a simulated folder, in the order of arrival, up to the day ``until``, after the day ``after``.

    Shapes: ``door`` is the same intake as the web's role, which takes pushed records; without it they are left out. ``tables`` is the address of a PostgreSQL where the table of a table source is filled and then pulled; without
    it such deliveries are left out. Errors: OSError and msgspec.DecodeError for the folder, those of ``receive``.
    """
    coming = sorted(
        (
            one
            for one in read_sources(folder).deliveries
            if (until is None or one.arrives <= until) and (after is None or one.arrives > after)
        ),
        key=lambda one: (one.arrives, one.source),
    )
    taken: list[Delivery] = []
    for done, one in enumerate(coming):
        if tell is not None:
            tell(f"收到 {intake.source(one.source).name.zh}", done, len(coming))
        landed = await _taken(intake, door, one, folder / one.path, tables)
        if landed is not None:
            taken.append(landed)
    return taken


async def _taken(
    intake: Intake, door: Intake | None, one: DeliveredFile, path: Path, tables: str
) -> Delivery | None:
    if one.format == "push":
        return None if door is None else await _pushed(intake, door, one, path)
    if one.format != "table":
        name = f"{one.source}/{path.name}"
        return (
            await receive(
                intake, one.source, path, one.day, name=name, mode="full" if one.mode == "full" else "changes"
            )
        ).delivery
    if not tables:
        return None
    fill_table(tables, intake.source(one.source), path)
    pulled = await pull(intake, one.source, tables)
    return None if pulled is None else pulled.delivery


async def _pushed(intake: Intake, door: Intake, one: DeliveredFile, path: Path) -> Delivery | None:
    """Push a file's records with a key that lives as long as that takes, then close and land what was pushed."""
    number, secret = await make_key(
        intake, one.source, by=_BY, note="演示推送", per_minute=1_000_000, life=dt.timedelta(days=1)
    )
    try:
        key = await find_key(door, secret)
        assert key is not None
        for place, body in enumerate(_bodies(path)):
            await push(door, key, one.source, body, once=f"{one.delivery}:{place}")
    finally:
        await revoke_key(intake, number, by=_BY, why="演示推送结束")
    return await collect(intake, one.source)


def _bodies(path: Path) -> Iterator[bytes]:
    """The lines of a file in requests as large as one may be."""
    lines: list[bytes] = []
    size = 0
    with path.open("rb") as file:
        for line in file:
            if lines and (len(lines) == MAX_RECORDS or size + len(line) > MAX_PUSH):
                yield b"".join(lines)
                lines, size = [], 0
            lines.append(line)
            size += len(line)
    if lines:
        yield b"".join(lines)
