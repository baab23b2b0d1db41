"""The reference of declarations (docs/know/declarations.md), written from the shapes that also check them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dizuo.foundation.blueprint.groups import Group, Key, Keyed, ListOf, MapOf, Record
from dizuo.foundation.blueprint.kinds import KINDS, LOCATIONS
from dizuo.foundation.blueprint.kinds_example import AnyValue, Fields
from dizuo.foundation.blueprint.shape import Bool, Date, Enum, Int, Optional, Shape, Share, Text
from dizuo.foundation.blueprint.values import ExpressionShape, LawRefShape, LengthShape, WordsShape


def reference() -> str:
    """All kinds of declarations as Markdown: where each stands, its keys, what they hold and mean."""
    lines = [_INTRO]
    for kind, record in KINDS.items():
        lines += [f"## `{kind}`", "", f"{record.doc}. File: {_places(kind)}.", ""]
        lines += _tables(record, "", "" if kind == "city/1" else "id")
    return "\n".join(lines).rstrip() + "\n"


def _places(kind: str) -> str:
    patterns = [pattern for pattern, of in LOCATIONS if of == kind]
    return ", ".join(f"`{_plain(pattern)}`" for pattern in patterns)


def _plain(pattern: str) -> str:
    """A location's pattern as a person writes it."""
    for group in ("[0-9]{4}", "[a-z][a-z0-9_-]*", "[a-z][a-z0-9_]*"):
        pattern = pattern.replace(f"(?P<id>{group})", "<year>" if "4" in group else "<id>")
    return pattern.replace("(zh|en)", "<language>").replace("\\", "")


def _tables(record: Record, name: str, outside: str) -> Iterator[str]:
    """The table of a record's keys without the one that stands outside it, then those of the records inside it."""
    if name:
        yield from (f"### `{name}`", "")
    yield from ("| key | holds | needed | meaning |", "|---|---|---|---|")
    inner: list[tuple[str, Record, str]] = []
    for key, spec in record.keys.items():
        if key == outside:
            continue
        yield f"| `{key}` | {_holds(spec.shape)} | {_needed(spec)} | {spec.doc} |"
        found = _record_in(spec.shape)
        if found is not None:
            inner.append((f"{name}.{key}" if name else key, *found))
    yield ""
    for path, one, name_as in inner:
        yield from _tables(one, path, name_as)


def _needed(key: Key) -> str:
    if key.needed:
        return "yes"
    default = key.default
    if default is None or default in ("", (), {}) or not isinstance(default, (bool, int, float, str)):
        return ""
    return f"else `{str(default).lower()}`"


def _record_in(shape: Shape[Any]) -> tuple[Record, str] | None:
    """The record inside a shape, and which of its keys stands outside it as its name."""
    if isinstance(shape, Record):
        return shape, ""
    if isinstance(shape, Group):
        return shape.record, "id"
    if isinstance(shape, Keyed):
        return shape.record, shape.name_as
    if isinstance(shape, (ListOf, MapOf, Optional)):
        return _record_in(shape.inner)
    return None


def _holds(shape: Shape[Any]) -> str:
    if isinstance(shape, Optional):
        return _holds(shape.inner)
    if isinstance(shape, ListOf):
        return f"list of {_holds(shape.inner)}"
    if isinstance(shape, MapOf):
        return f"names → {_holds(shape.inner)}"
    if isinstance(shape, (Keyed, Group)):
        return "names → group"
    if isinstance(shape, Enum):
        return " \\| ".join(f"`{word}`" for word in shape.words)
    if isinstance(shape, Int):
        return f"{shape.low} … {shape.high}"
    return next((said for kind, said in _WORDS if isinstance(shape, kind)), "group")


_WORDS: tuple[tuple[type[object], str], ...] = (
    (Text, "text"),
    (Bool, "`true` \\| `false`"),
    (Date, "date"),
    (Share, "share"),
    (WordsShape, "words"),
    (LengthShape, "length"),
    (LawRefShape, "article"),
    (ExpressionShape, "expression"),
    (AnyValue, "any value"),
    (Fields, "party → facts"),
)

_INTRO = """# Declarations

Every file of a city begins with its kind, for example `kind: matter/1`. The file's or folder's name is the id. This page
is written from the same shapes that check the files (`src/dizuo/foundation/blueprint`), so it cannot disagree with them;
the meanings stand here as editors show them. `dizuo schema` writes the same as JSON Schema (draft 2020-12).
What the checker says is explained in [check-errors.md](check-errors.md), expressions in [rules.md](rules.md).

- **words**: a text in Chinese, or `{zh: …, en: …}`. Sentences of a matter may hold `{party.field}`, `{question}` and `{name}`.
- **length**: `3 workday`; units are `workday`, `calendar_day`, `work_hour`, `hour`, `month`, `year`; `0` means on the spot.
- **article**: `law:article`, for example `hukou-1958:7`. Law and article are declared under `laws/`.
- **expression**: FEEL as text. `party.field` is a fact (null when the register is silent), `party != null` asks whether
  the party was found, a question's id is its answer, a name is its value, `today()` is the day.
  In a source it sees one standard row: a column's id, and what standardising adds to it: `_state` (is the number
  right) and `_other` (what was delivered instead) of a citizen ID, `_norm`, `_division`, `_town_mca` and `_rest` of an address,
  `_raw`, `_surname`, `_given` and `_form` (han, dotted, foreign, unknown) of a name. Feeds name the same columns.
- **fallback** of a register's field: one source, then a declared order (一数一源). First the field's own department, by its
  source that the order does not name; then each source, or each organisation's remaining source, as listed.
- **date**: `2026-11-23`. Unquoted numbers are kept as written where a text is meant: `code: 01` stays `01`.
- **share**: from `0` to `1`, for example `0.99`.
- UTF-8 without BOM, spaces and no tabs, one document in a file; no anchors, aliases, tags or merge keys.
- Tables are CSV with a header. `divisions/history.csv`: code, name, level, parent, valid_from, valid_to, successor.
  `towns.csv`: code, name, parent, mca_code, nbs_code, and optionally kind, relation, valid_from, valid_to, lon, lat.
  `villages.csv`: code, name, parent. Places: id, name, division, address, lon, lat, hours, phone.
- Beside declarations a city may hold `.md`, `.txt` and images. Anything else is refused, above all code.
"""
