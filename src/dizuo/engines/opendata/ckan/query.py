"""The part of Solr's query language that package_search takes: parsed to a tree, never evaluated, never passed on.

::

    query   = clause { [AND | OR] clause }          words beside each other are ANDed, as CKAN's default is
    clause  = [NOT | - | +] ( "(" query ")" | [field ":"] value )
    value   = word | word* | "phrase" | "(" query ")" | "[" from TO to "]" | "{" from TO to "}" | *
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from .errors import CkanQueryInvalid

LONGEST: Final = 2_000
DEEPEST: Final = 12
MOST: Final = 60


class Term(msgspec.Struct, frozen=True):
    """A word or phrase, in one field or (field '') anywhere; ``prefix``: it may go on after its end."""

    field: str
    text: str
    prefix: bool = False


class Range(msgspec.Struct, frozen=True):
    """From one value to another; None is open. ``inclusive`` of both ends."""

    field: str
    low: str | None
    high: str | None
    inclusive: bool = True


class Everything(msgspec.Struct, frozen=True):
    """``*:*``, or ``field:*`` with a field: there is some value."""

    field: str = ""


class Not(msgspec.Struct, frozen=True):
    """What the part does not match."""

    part: Part


class All(msgspec.Struct, frozen=True):
    """Every part matches."""

    parts: tuple[Part, ...]


class Some(msgspec.Struct, frozen=True):
    """At least one part matches."""

    parts: tuple[Part, ...]


Part = Term | Range | Everything | Not | All | Some

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<phrase>"(?:[^"\\]|\\.)*")
    | (?P<mark>[()\[\]{}:+\-!]|&&|\|\|)
    | (?P<word>(?:[^\s()\[\]{}:"+\-!&|\\~^/]|\\.|(?<=[^\s()\[\]{}:"])[\-+&|/])+)
    )""",
    re.VERBOSE,
)
_FUNCTION: Final = re.compile(r"^_(query|val)_$")


class _Tokens:
    def __init__(self, text: str) -> None:
        self._found: list[tuple[str, str]] = []
        at = 0
        while at < len(text) and text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise CkanQueryInvalid(why=f"“{text[at:].strip()[:20]}”")
            kind = match.lastgroup or ""
            self._found.append((kind, match[kind]))
            at = match.end()
        self._at = 0

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        place = self._at + ahead
        return self._found[place] if place < len(self._found) else ("end", "")

    def take(self) -> tuple[str, str]:
        found = self.peek()
        self._at += 1
        return found

    def takes(self, *marks: str) -> bool:
        kind, text = self.peek()
        if (kind in {"mark", "word"}) and text in marks:
            self._at += 1
            return True
        return False

    def needs(self, mark: str) -> None:
        if not self.takes(mark):
            raise CkanQueryInvalid(why=f"缺“{mark}”")

    @property
    def length(self) -> int:
        return len(self._found)


def parse(text: str) -> Part:
    """The tree of a query; '' is everything.

    Errors: CkanQueryInvalid for whatever is outside the part of the language above, local parameters and functions first.
    """
    if len(text) > LONGEST:
        raise CkanQueryInvalid(why=f"长过 {LONGEST} 个字")
    if not text.strip():
        return Everything()
    if text.lstrip().startswith("{!"):
        raise CkanQueryInvalid(why="不支持本地参数 {!…}")
    tokens = _Tokens(text)
    if tokens.length > MOST * 4:
        raise CkanQueryInvalid(why="条件太多")
    found = _any(tokens, "", 0)
    if tokens.peek()[0] != "end":
        raise CkanQueryInvalid(why=f"多了“{tokens.peek()[1]}”")
    return found


def _any(tokens: _Tokens, field: str, depth: int) -> Part:
    """Clauses with AND, OR or nothing between; AND binds closer."""
    if depth > DEEPEST:
        raise CkanQueryInvalid(why="括号太深")
    ways: list[Part] = [_every(tokens, field, depth)]
    while tokens.takes("OR", "||"):
        ways.append(_every(tokens, field, depth))
    return ways[0] if len(ways) == 1 else Some(tuple(ways))


def _every(tokens: _Tokens, field: str, depth: int) -> Part:
    parts: list[Part] = []
    while True:
        kind, text = tokens.peek()
        if (
            kind == "end"
            or (kind == "mark" and text in {")", "]", "}", "||"})
            or (kind, text) == ("word", "OR")
        ):
            break
        if tokens.takes("AND", "&&"):
            if not parts:
                raise CkanQueryInvalid(why="AND 前面没有条件")
            continue
        parts.append(_clause(tokens, field, depth))
        if len(parts) > MOST:
            raise CkanQueryInvalid(why="条件太多")
    if not parts:
        raise CkanQueryInvalid(why="这里应该有条件")
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _clause(tokens: _Tokens, field: str, depth: int) -> Part:
    if depth > DEEPEST:
        raise CkanQueryInvalid(why="太深")
    if tokens.takes("NOT", "-", "!"):
        return Not(_clause(tokens, field, depth + 1))
    if tokens.takes("+"):
        return _clause(tokens, field, depth + 1)
    kind, text = tokens.peek()
    if kind == "word" and tokens.peek(1) == ("mark", ":"):
        if field:
            raise CkanQueryInvalid(why="字段里面不能再写字段")
        tokens.take()
        tokens.take()
        if text == "*":
            if tokens.take() != ("word", "*"):
                raise CkanQueryInvalid(why="*: 后面只能是 *")
            return Everything()
        if _FUNCTION.match(text):
            raise CkanQueryInvalid(why="不支持函数查询")
        return _value(tokens, text, depth)
    return _value(tokens, field, depth)


def _value(tokens: _Tokens, field: str, depth: int) -> Part:
    kind, text = tokens.take()
    if kind == "phrase":
        return Term(field, re.sub(r"\\(.)", r"\1", text[1:-1]))
    if kind == "word":
        return _word(field, text)
    if (kind, text) == ("mark", "("):
        found = _any(tokens, field, depth + 1)
        tokens.needs(")")
        return found
    if kind == "mark" and text in "[{" and field:
        return _range(tokens, field, inclusive=text == "[")
    if (kind, text) == ("mark", "-") and field:  # field:-5
        return _word(field, "-" + tokens.take()[1])
    raise CkanQueryInvalid(why=f"这里不能是“{text}”" if text else "话没说完")


def _word(field: str, text: str) -> Part:
    if text == "*":
        return Everything(field)
    plain = re.sub(r"\\(.)", r"\1", text)
    bare = re.sub(r"\\.", "", text)
    if bare.endswith("*") and "*" not in bare[:-1] and "?" not in bare:
        return Term(field, plain[:-1], prefix=True)
    if "*" in bare or "?" in bare:
        raise CkanQueryInvalid(why="通配符只能是词尾的 *")
    return Term(field, plain)


def _range(tokens: _Tokens, field: str, *, inclusive: bool) -> Part:
    low = _end(tokens)
    if not tokens.takes("TO"):
        raise CkanQueryInvalid(why="范围写成 [甲 TO 乙]")
    high = _end(tokens)
    tokens.needs("]" if inclusive else "}")
    return Range(field, low, high, inclusive)


def _end(tokens: _Tokens) -> str | None:
    """One end of a range; a moment such as 2026-01-01T00:00:00Z comes in pieces because of its colons."""
    pieces: list[str] = []
    while True:
        kind, text = tokens.peek()
        stops = kind == "end" or (kind == "mark" and text in {"]", "}"}) or (kind, text) == ("word", "TO")
        if stops:
            break
        tokens.take()
        if kind == "phrase":
            text = text[1:-1]
        elif kind == "mark" and text not in {":", "-", "+"}:
            raise CkanQueryInvalid(why=f"范围里不能有“{text}”")
        pieces.append(text)
        if len(pieces) > 12:
            raise CkanQueryInvalid(why="范围太长")
    told = "".join(pieces)
    if not told:
        raise CkanQueryInvalid(why="范围写成 [甲 TO 乙]")
    return None if told == "*" else told


def parse_sort(text: str, allowed: tuple[str, ...]) -> tuple[tuple[str, bool], ...]:
    """``title asc, metadata_modified desc`` as (field, descending). Errors: CkanQueryInvalid."""
    found: list[tuple[str, bool]] = []
    for piece in text.split(","):
        words = piece.split()
        if not words:
            continue
        if (
            len(words) > 2
            or words[0] not in allowed
            or (len(words) == 2 and words[1].lower() not in ("asc", "desc"))
        ):
            raise CkanQueryInvalid(why=f"排序“{piece.strip()[:40]}”；可用：{'、'.join(allowed)}")
        found.append((words[0], len(words) == 2 and words[1].lower() == "desc"))
    return tuple(found[:5])
