"""From raw rows and a source's declaration to standard rows and rejected rows, as Ibis expressions.

Every raw row is in exactly one of the two. A required cell that cannot be standardised rejects its row; an optional
one becomes null and is counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dizuo.engines.lake.standard.addresses import PARTS, addressed, cleaned
from dizuo.engines.lake.standard.cells import (
    MAX_CELL,
    Recipe,
    either,
    emptied,
    joined,
    nothing,
    staged,
    text,
    trimmed,
    written,
)
from dizuo.engines.lake.standard.characters import half_width
from dizuo.engines.lake.standard.dates import dates, moments
from dizuo.engines.lake.standard.faults import SENTENCES
from dizuo.engines.lake.standard.identifiers import CitizenIds, unified_codes
from dizuo.engines.lake.standard.phones import phones
from dizuo.engines.lake.standard.places import Places
from dizuo.engines.lake.standard.surnames import PARTS as NAME_PARTS
from dizuo.engines.lake.standard.terms import Rows, Value, ibis, some
from dizuo.engines.lake.standard.texts import names, texts
from dizuo.engines.lake.standard.values import booleans, codes, decimals, integers
from dizuo.foundation.blueprint.divisions import PROVINCES
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.blueprint.model_source import Source, SourceColumn

KINDS: Mapping[str, str] = {
    "date": "date",
    "datetime": "timestamp",
    "integer": "int64",
    "decimal": "decimal(24, 4)",
    "boolean": "boolean",
}
"""Type of a standardiser's value; text where it is not named."""


@dataclass(frozen=True, slots=True)
class Standards:
    """What standardising needs of a city; made once for a day and shared by all sources."""

    city: City
    places: Places
    ids: CitizenIds

    @classmethod
    def of(cls, city: City, today: dt.date) -> Standards:
        """What the standardisers know of a city on a day."""
        return cls(city, Places(city), CitizenIds.of(city, today))

    def spellings(self, column: SourceColumn) -> Mapping[str, str]:
        """Every spelling of a code column → code; empty when it has no list."""
        listed = column.codes
        if not listed and column.register:
            register, _, field = column.register.partition(".")
            listed = self.city.registers[register].fields[field].codes
        known = {code: code for code in listed}
        for code, words in listed.items():
            known.setdefault(words.zh, code)
        return known | dict(column.synonyms)


def standard_rows(raw: Rows, source: Source, standards: Standards) -> Rows:
    """The standard rows: `line`, `row_key`, every column with its type and parts, `faults`.

    Shapes: ``raw`` has `line` (int64) and a text column for each declared column id. Beside the parts of the lake's
    contract there are `<id>_other` (citizen_id: what was delivered and is none), `<id>_raw` (name: as delivered,
    where it differs), `<id>_surname`, `<id>_given`, `<id>_form` (name: cut in two) and `faults` ("column:code column:code", or null). Write them out before filtering or counting them:
    an optimizer that pushes an aggregate into the stages writes their expressions out many times.
    """
    columns = list(source.columns.values())
    t = _worked(raw, columns, standards)
    required = [c for c in columns if c.required]
    if required:
        t = t.filter([t[f"{c.id}__value"].notnull() for c in required])
    selected: dict[str, Value] = {
        "line": t["line"],
        "row_key": t[f"{source.row_key}__value"].cast("string"),
    }
    for column in columns:
        selected[column.id] = t[f"{column.id}__value"].cast(KINDS.get(column.as_, "string"))
        for part in parts_of(column):
            selected[part] = t[part].cast("string")
    selected["faults"] = _all_faults(t, columns)
    return t.select(**selected)


def rejected_rows(raw: Rows, source: Source, standards: Standards) -> Rows:
    """The rows that a required cell rejects: `line`, `column` (header), `code`, `says`, `raw` (the cell, ≤ 4,000)."""
    required = [c for c in source.columns.values() if c.required]
    if not required:
        t = raw.filter(ibis.literal(False))
        return t.select("line", **dict.fromkeys(("column", "code", "says", "raw"), nothing()))
    bare = raw.select("line", *(c.id for c in required))
    t = _worked(bare, required, standards)
    missing = [t[f"{c.id}__value"].isnull() for c in required]

    def first(of: Sequence[Value | str]) -> Value:
        return either(*zip(missing, of, strict=True), other=nothing())

    t = t.filter(some(missing))
    t = t.select(
        "line",
        column=first([c.column for c in required]),
        code=first([text(t, f"{c.id}__fault").fill_null("missing") for c in required]),
        raw=first([text(t, c.id).left(MAX_CELL) for c in required]),
    )
    code = text(t, "code")
    says = either(*[(code == known, sentence) for known, sentence in SENTENCES.items()], other=nothing())
    return t.select("line", "column", "code", says=says, raw=t["raw"])


def fault_counts(standard: Rows) -> Rows:
    """How many optional cells of standard rows were at fault: `column` (id), `code`, `cells`."""
    each = standard.filter(standard["faults"].notnull()).select(fault=text(standard, "faults").split(" "))
    each = each.select(fault=each["fault"].unnest())
    fault = text(each, "fault")
    split = each.select(column=fault.re_extract("^([^:]*):", 1), code=fault.re_extract(":(.*)$", 1))
    return split.group_by("column", "code").aggregate(cells=split.count())


def parts_of(column: SourceColumn) -> tuple[str, ...]:
    """The names of the columns that a column yields beside its own."""
    parts = {
        "citizen_id": ("state", "other"),
        "name": ("raw", *NAME_PARTS),
        "address": PARTS,
    }.get(column.as_, ())
    return tuple(f"{column.id}_{part}" for part in parts)


def _worked(raw: Rows, columns: Iterable[SourceColumn], standards: Standards) -> Rows:
    chosen = list(columns)
    t = staged(raw, [_recipe(column, standards) for column in chosen])
    t = t.select(*_wanted(t, chosen))
    t = addressed(t, raw, [column.id for column in chosen if column.as_ == "address"], standards.places)
    for column in chosen:
        if column.as_ == "division":
            t = _placed(t, column.id, standards)
    return t


def _wanted(t: Rows, columns: Sequence[SourceColumn]) -> list[str]:
    """The columns that somebody still asks for: what the stages before needed among themselves would be carried through
    every stage of the addresses, and planning is a matter of how many columns stages have."""
    wanted = {"line"}
    for column in columns:
        ends = {"value", "fault", *_UNFINISHED.get(column.as_, ())}
        wanted |= {f"{column.id}__{end}" for end in ends} | set(parts_of(column))
        if column.required:
            wanted.add(column.id)
    return [name for name in t.columns if name in wanted]


_UNFINISHED: Mapping[str, tuple[str, ...]] = {"address": ("clean", "head"), "division": ("tidy",)}


def _recipe(column: SourceColumn, standards: Standards) -> Recipe:
    match column.as_:
        case "text":
            return texts(column.id)
        case "name":
            return names(column.id)
        case "citizen_id":
            return standards.ids.recipe(column.id)
        case "uscc":
            return unified_codes(column.id)
        case "date":
            return dates(column.id)
        case "datetime":
            return moments(column.id)
        case "phone":
            return phones(column.id)
        case "address":
            return cleaned(column.id)
        case "division":
            tidy = f"{column.id}__tidy"
            return Recipe(({tidy: lambda t: trimmed(written(text(t, column.id), half_width()))},))
        case "code":
            return codes(column.id, standards.spellings(column))
        case "integer":
            return integers(column.id, column.times)
        case "decimal":
            return decimals(column.id, column.times)
        case "boolean":
            return booleans(column.id)


def _placed(t: Rows, column: str, standards: Standards) -> Rows:
    """division: a code of either system or a name that only one division bears; codes of other provinces and cities as
    they are. Faults: bad_division."""
    known = standards.places.tables.codes
    known = known.select(known_text=known["written"], known_place=known["place"])
    t = t.left_join(known, t[f"{column}__tidy"] == known["known_text"])
    tidy, place = text(t, f"{column}__tidy"), text(t, "known_place")
    elsewhere = (
        tidy.re_search("^([0-9]{6}|[0-9]{9}|[0-9]{12})\\z")
        & tidy.left(2).isin(sorted(PROVINCES))
        & (tidy.left(4) != standards.city.code[:4])
    )
    value = either((place.notnull(), place), (elsewhere, tidy), other=nothing())
    t = t.mutate(**{f"{column}__value": value}).drop("known_text", "known_place")
    bad = text(t, f"{column}__tidy").notnull() & t[f"{column}__value"].isnull()
    return t.mutate(**{f"{column}__fault": either((bad, "bad_division"), other=nothing())})


def _all_faults(t: Rows, columns: Sequence[SourceColumn]) -> Value:
    """ "column:code column:code" of one row, or null."""
    faults = {c.id: text(t, f"{c.id}__fault") for c in columns}
    faulty = some([fault.notnull() for fault in faults.values()])
    told = [joined(f" {name}:", fault).fill_null("") for name, fault in faults.items()]
    return either((faulty, emptied(joined(*told).substr(1))), other=nothing())
