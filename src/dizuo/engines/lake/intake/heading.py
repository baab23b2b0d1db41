"""A delivery's header held against the declaration: what is there, what is missing, what nobody declared."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from dizuo.engines.lake.intake.errors import HeaderDiffers
from dizuo.foundation.blueprint.model_source import Source

_SHOWN = 40


class Note(msgspec.Struct, frozen=True):
    """Something the department should know that costs no row: a code, one sentence, how many rows or cells it concerns."""

    code: str
    says: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Heading:
    """Where each declared column stands in the delivered rows.

    Shapes: `width` cells a row; `places` maps a column's id to its position, without what is missing; `missing` are
    ids of columns that are not required and did not come; `notes` say what else differs.
    """

    width: int
    places: Mapping[str, int]
    missing: tuple[str, ...]
    notes: tuple[Note, ...]


def plain(header: str) -> str:
    """A header as it is compared: half-width, without byte order mark, spaces and line breaks."""
    text = unicodedata.normalize("NFKC", header.replace("\ufeff", ""))
    return "".join(text.split())


def match(source: Source, headers: Sequence[str]) -> Heading:
    """Hold a header row against the source's columns.

    Errors: HeaderDiffers when a declared header comes twice or a required one is missing; the sentence names what
    came in its place when something looks like it.
    """
    seen = [plain(header) for header in headers]
    names = {id: plain(column.column) for id, column in source.columns.items()}
    _refuse_twice(source, seen, names)
    at = {header: place for place, header in reversed(list(enumerate(seen)))}
    places = {id: at[name] for id, name in names.items() if name in at}
    missing = [id for id in names if id not in places]
    extra = [h for h in seen if h and h not in set(names.values())]
    required = [id for id in missing if source.columns[id].required or id == source.row_key]
    if required:
        raise HeaderDiffers(_missing_said(source, required, extra, len(places)))
    return Heading(len(headers), places, tuple(missing), tuple(_notes(source, missing, extra, seen)))


def _refuse_twice(source: Source, seen: Iterable[str], names: Mapping[str, str]) -> None:
    declared = set(names.values())
    twice = [header for header, count in Counter(seen).items() if count > 1 and header in declared]
    if twice:
        raise HeaderDiffers(f"“{'”“'.join(twice[:5])}”出现了不止一次，不知道该用哪一栏")


def _missing_said(source: Source, required: list[str], extra: list[str], found: int) -> str:
    said: list[str] = []
    for id in required[:5]:
        header = source.columns[id].column
        near = _renamed(header, extra, len(required))
        said.append(f"少了必需的“{header}”" + (f"（多了“{near}”，可能是改了名）" if near else ""))
    more = f"等 {len(required)} 栏" if len(required) > 5 else ""
    return "；".join(said) + more + ("，申报的栏目一个也没有找到，可能没有表头" if not found else "")


def _renamed(header: str, extra: list[str], missing: int) -> str:
    """What a missing header may be called now: something like it, or the one that came while one went."""
    near = difflib.get_close_matches(plain(header), extra, n=1, cutoff=0.4)
    if not near and missing == len(extra) == 1:
        near = extra
    return near[0][:_SHOWN] if near else ""


def _notes(source: Source, missing: list[str], extra: list[str], seen: Sequence[str]) -> Iterable[Note]:
    for id in missing:
        header = source.columns[id].column
        near = _renamed(header, extra, len(missing))
        maybe = f"；多了“{near}”，可能是改了名" if near else ""
        yield Note("column_missing", f"少了“{header}”{maybe}")
    for header in extra[:20]:
        yield Note("column_extra", f"多了没有申报的“{header[:_SHOWN]}”，没有读")
    blank = sum(1 for header in seen if not header)
    if blank:
        yield Note("column_unnamed", f"有 {blank} 栏没有表头，没有读", blank)
