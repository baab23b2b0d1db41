"""What a city grants and nobody uses, needs and nothing uses, reads and never shows: declarations against the ledger's counts."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, cast

import msgspec

from dizuo.foundation.blueprint.model import City, Expression, Matter, Need, Place
from dizuo.foundation.policy.recorded import Recorded
from dizuo.foundation.policy.shared_use import SharedAnalysis

_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_FACT: Final = re.compile(r"(?<![\w.])([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)")
_WORD: Final = re.compile(r"(?<![\w.])[a-z][a-z0-9_]*")
_Key = tuple[str, str, str, str]


class Grant(msgspec.Struct, frozen=True):
    """What an item may read of one party, for a purpose, on a law: declared, and how often it was used in the period.

    An entry does not hold its item, so that a use counts for every item of the matter that declares the same.
    """

    matter: str
    item: str
    party: str
    field: str
    purpose: str
    basis: str
    entries: int


class Fact(msgspec.Struct, frozen=True):
    """A declared need that no expression, check, document, form or write of its matter uses; ``entries`` read it all the same."""

    matter: str
    items: tuple[str, ...]
    fact: str
    entries: int


class Gone(msgspec.Struct, frozen=True):
    """What was read in the period and is not declared any more."""

    matter: str
    party: str
    field: str
    purpose: str
    entries: int
    example: int


class Analysis(msgspec.Struct, frozen=True):
    """The report: ``unused`` grants, ``needless`` needs, ``vain`` reads (needless and read), ``gone`` declarations.

    ``shared`` is the same of rights between departments, where they were looked at.
    """

    since: dt.datetime
    until: dt.datetime
    entries: int
    unread: int
    grants: int
    unused: tuple[Grant, ...]
    needless: tuple[Fact, ...]
    vain: tuple[Fact, ...]
    gone: tuple[Gone, ...]
    shared: SharedAnalysis | None = None


def analyse(
    city: City, groups: Iterable[Recorded], since: dt.datetime, until: dt.datetime, unread: int = 0
) -> Analysis:
    """Hold the declarations against what was read from ``since`` to ``until``. Pure."""
    reads = [one for one in groups if one.kind == "read"]
    used = _used(reads)
    declared = list(_grants(city, used))
    unused = tuple(grant for grant in declared if grant.entries == 0)
    needless = tuple(_needless(city, reads))
    return Analysis(
        since=since,
        until=until,
        entries=sum(one.entries for one in reads),
        unread=unread,
        grants=len(declared),
        unused=unused,
        needless=needless,
        vain=tuple(fact for fact in needless if fact.entries),
        gone=tuple(_gone(reads, {(g.matter, f"{g.party}.{g.field}", g.purpose, g.basis) for g in declared})),
    )


def _used(reads: Iterable[Recorded]) -> Mapping[_Key, int]:
    counts: dict[_Key, int] = {}
    for one in reads:
        for use in one.uses:
            for field in use.fields:
                key = (one.matter, f"{one.party}.{field}", use.purpose, use.basis)
                counts[key] = counts.get(key, 0) + one.entries
    return counts


def _grants(city: City, used: Mapping[_Key, int]) -> Iterator[Grant]:
    for matter in city.matters.values():
        seen: set[tuple[str, str, str, str]] = set()
        for item in matter.items:
            for need in item.needs:
                for fact in need.facts:
                    key = (item.id, fact, need.purpose, need.basis.key)
                    if key in seen:
                        continue
                    seen.add(key)
                    party, _, field = fact.partition(".")
                    times = used.get((matter.id, fact, need.purpose, need.basis.key), 0)
                    yield Grant(matter.id, item.id, party, field, need.purpose, need.basis.key, times)


def _needless(city: City, reads: Iterable[Recorded]) -> Iterator[Fact]:
    counts: dict[tuple[str, str], int] = {}
    for one in reads:
        for field in {field for use in one.uses for field in use.fields}:
            key = (one.matter, f"{one.party}.{field}")
            counts[key] = counts.get(key, 0) + one.entries
    for matter in city.matters.values():
        needed: dict[str, list[str]] = {}
        for item in matter.items:
            for fact in {fact for need in item.needs for fact in need.facts}:
                needed.setdefault(fact, []).append(item.id)
        useful = uses_of(city, matter)
        for fact in sorted(needed.keys() - useful):
            yield Fact(matter.id, tuple(needed[fact]), fact, counts.get((matter.id, fact), 0))


def _gone(reads: Iterable[Recorded], declared: set[_Key]) -> Iterator[Gone]:
    found: dict[_Key, Gone] = {}
    for one in reads:
        for use in one.uses:
            for field in use.fields:
                key = (one.matter, f"{one.party}.{field}", use.purpose, use.basis)
                if key in declared:
                    continue
                before = found.get(key)
                entries, example = (before.entries, before.example) if before else (0, one.example)
                found[key] = Gone(
                    one.matter,
                    one.party,
                    field,
                    use.purpose,
                    entries + one.entries,
                    min(example, one.example),
                )
    yield from found.values()


# ------------------------------------------------------------------------- what a matter uses


def uses_of(city: City, matter: Matter) -> frozenset[str]:
    """Every ``party.field`` that the matter's declarations use: expressions, through the names they use; checks side by
    side; how parties are found, ordered and shown for choosing; questions asked where a register is silent."""
    known = {
        f"{party.id}.{field}" for party in matter.parties for field in city.registers[party.register].fields
    }
    names = dict(matter.names)
    texts = list(_texts(msgspec.structs.replace(matter, names=())))
    found: set[str] = set()
    todo, seen = texts, set[str]()
    while todo:
        text = todo.pop()
        bare = _TEXT.sub('""', text)
        found |= {".".join(match.groups()) for match in _FACT.finditer(bare)}
        for word in set(_WORD.findall(bare)) & names.keys() - seen:
            seen.add(word)
            todo.append(names[word].text)
    for party in matter.parties:
        own = {field for fields, _ in party.match for field in fields} | {*party.where, *party.label}
        own |= {party.order_by} if party.order_by else set()
        found |= {f"{party.id}.{field}" for field in own}
    return frozenset(found & known)


def _texts(node: object) -> Iterator[str]:
    """Every text of a declaration in which a fact may be named; what a need lists is no use of it."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, Place):
        return
    elif isinstance(node, Expression):
        yield node.text
    elif isinstance(node, Need):
        yield from _texts(node.when)
    elif isinstance(node, msgspec.Struct):
        for field in node.__struct_fields__:
            yield from _texts(getattr(node, field))
    elif isinstance(node, tuple | list | frozenset):
        for one in cast("Iterable[object]", node):
            yield from _texts(one)
    elif isinstance(node, Mapping):
        for one in cast("Mapping[str, object]", node).values():
            yield from _texts(one)
