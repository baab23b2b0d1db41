"""From a register's field back to the columns that feed it (血缘): which source is asked first, and which after it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dizuo.foundation.blueprint.model import City
from dizuo.foundation.blueprint.model_source import PARTS, Source, SourceColumn


class Origin(msgspec.Struct, frozen=True):
    """One column that feeds a register field: the source, its department, the column's id and header, the part of it
    that is used (empty: the whole), the mention whose record is meant, and its turn (0 is asked first)."""

    source: str
    department: str
    column: str
    header: str
    part: str
    mention: str
    turn: int


def column_of(source: Source, name: str) -> tuple[SourceColumn, str] | None:
    """The column that a name of the standard row comes from and which part of it, or None when there is none."""
    if name in source.columns:
        return source.columns[name], ""
    for column in source.columns.values():
        for part in PARTS.get(column.as_, ()):
            if name == f"{column.id}_{part}":
                return column, part
    return None


def names_of(source: Source) -> Mapping[str, str]:
    """Every name of a source's standard row that a rule or a feed may use, with its standard; parts are `text`."""
    names: dict[str, str] = {column.id: column.as_ for column in source.columns.values()}
    for column in source.columns.values():
        for part in PARTS.get(column.as_, ()):
            names.setdefault(f"{column.id}_{part}", "text")
    return names


def feed_order(
    sources: Mapping[str, Source], department: str, fallback: tuple[str, ...], feeders: tuple[str, ...]
) -> tuple[str, ...]:
    """The order in which sources are asked for one field (一数一源, then the declared fallback order).

    ``department`` is the field's own, ``feeders`` are ids of the sources that feed it. First comes the department's
    source that the fallback order does not name, then whatever the order names: a source, or an organisation, which
    stands for those of its sources that are not named themselves. Sources in no such place are left out.
    """
    order: list[str] = []

    def take(names: list[str]) -> None:
        order.extend(name for name in names if name in feeders and name not in order)

    def of(organisation: str) -> list[str]:
        return [s for s in feeders if sources[s].department == organisation and s not in fallback]

    take(of(department))
    for name in fallback:
        take([name] if name in sources else of(name))
    return tuple(order)


def sources_of(city: City, register: str) -> Mapping[str, tuple[Origin, ...]]:
    """For every field of a register the columns that feed it, in the order in which they are asked; a field that no
    source feeds has none. Errors: KeyError for an unknown register."""
    fields = city.registers[register].fields
    fed: dict[str, list[tuple[Source, str, str]]] = {name: [] for name in fields}
    for source in city.sources.values():
        for feed in source.feeds:
            if feed.register == register:
                for field, name in feed.fields.items():
                    fed[field].append((source, name, feed.of))
    lineage: dict[str, tuple[Origin, ...]] = {}
    for name, field in fields.items():
        feeders = tuple(dict.fromkeys(source.id for source, _, _ in fed[name]))
        order = feed_order(city.sources, field.source, field.fallback, feeders)
        origins = [_origin(source, column, of, order.index(source.id)) for source, column, of in fed[name]]
        lineage[name] = tuple(sorted(origins, key=lambda origin: origin.turn))
    return lineage


def _origin(source: Source, name: str, mention: str, turn: int) -> Origin:
    found = column_of(source, name)
    if found is None:
        raise LookupError(f"{source.id} has no {name}")  # the checker lets no such city through
    column, part = found
    return Origin(source.id, source.department, column.id, column.column, part, mention, turn)
