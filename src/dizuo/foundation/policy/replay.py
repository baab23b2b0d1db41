"""Would what was read be allowed under another policy? Recorded reads and refusals decided again, told in groups.

An entry does not hold everything that policy asks. What is assumed is said in ``ASSUMED``, and a group on which the
city's own policy, under the same assumptions, does not agree with what was recorded is told as unclear, not as changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from dizuo.foundation.blueprint.model import City, Item, Matter
from dizuo.foundation.policy.decide import Policy
from dizuo.foundation.policy.explain import Explanation
from dizuo.foundation.policy.model import Ask, Principal, Relation, Request
from dizuo.foundation.policy.recorded import Reader, Recorded, Use

ASSUMED: Final = (
    "The item: an entry of a read holds matter, purpose, law and fields. A field counts as allowed when some item of the matter "
    "that declares the purpose may read it.",
    "The place where the item is done: taken to be the place of the reader's post.",
    "The powers of a post: those that each city declares for it now.",
    "Whether an official acted for the person present: where this was erased from the entry, either counts.",
    "That the reader is the person concerned or acts for them: the database held that when it was read.",
)
"""What an entry does not hold."""

Turn = Literal["refused", "allowed", "unclear"]


class Side(msgspec.Struct, frozen=True):
    """A city and its policy."""

    city: City
    policy: Policy


class Change(msgspec.Struct, frozen=True):
    """Entries of one shape that are decided otherwise. ``fields`` and ``purposes`` are those refused;
    both are empty where only passing a party was refused, and where a refusal became a yes."""

    turn: Turn
    matter: str
    items: tuple[str, ...]
    party: str
    fields: tuple[str, ...]
    purposes: tuple[str, ...]
    reader: Reader
    rule: str
    law: str
    why_zh: str
    why_en: str
    entries: int
    example: int


class Replay(msgspec.Struct, frozen=True):
    """The report. ``other_basis``: allowed, but on another law: (matter, party, purpose, law then) → entries.
    ``left_out``: refusals that policy did not make, by reason."""

    decided: int
    same: int
    refused: tuple[Change, ...]
    allowed: tuple[Change, ...]
    unclear: tuple[Change, ...]
    other_basis: tuple[tuple[str, str, str, str, int], ...]
    left_out: Mapping[str, int]
    assumed: tuple[str, ...] = ASSUMED


def replay(own: Side, other: Side, groups: Iterable[Recorded]) -> Replay:
    """Decide the recorded groups under ``other``; ``own`` is the city that recorded them. Pure."""
    changes: list[Change] = []
    left_out: Counter[str] = Counter()
    basis: Counter[tuple[str, str, str, str]] = Counter()
    decided = 0
    for one in groups:
        if one.kind == "refused" and (one.reason != "policy" or not one.items):
            left_out[one.reason or "?"] += one.entries
            continue
        decided += one.entries
        change = _read_again(own, other, one) if one.kind == "read" else _refused_again(own, other, one)
        if change is not None:
            changes.append(change)
        elif one.kind == "read":
            for use in one.uses:
                if not _same_basis(other.city, one, use):
                    basis[one.matter, one.party, use.purpose, use.basis] += one.entries
    by_turn: dict[Turn, list[Change]] = {"refused": [], "allowed": [], "unclear": []}
    for change in changes:
        by_turn[change.turn].append(change)
    return Replay(
        decided=decided,
        same=decided - sum(change.entries for change in changes),
        refused=tuple(by_turn["refused"]),
        allowed=tuple(by_turn["allowed"]),
        unclear=tuple(by_turn["unclear"]),
        other_basis=tuple((*key, times) for key, times in basis.items()),
        left_out=dict(left_out),
    )


# ------------------------------------------------------------------------- one group


def _read_again(own: Side, other: Side, one: Recorded) -> Change | None:
    lost, told = _lost(other, one)
    if told is None:
        return None
    turn: Turn = "refused" if _lost(own, one)[1] is None else "unclear"
    return _change(turn, one, (), lost, told)


def _refused_again(own: Side, other: Side, one: Recorded) -> Change | None:
    now = {item: told for item in one.items if (told := _whole(other, one, item)).allowed}
    if not now:
        return None
    before = {item for item in now if _whole(own, one, item).allowed}
    items = tuple(item for item in now if item not in before)
    return _change("allowed" if items else "unclear", one, items or tuple(now), (), next(iter(now.values())))


def _change(
    turn: Turn, one: Recorded, items: tuple[str, ...], uses: tuple[Use, ...], told: Explanation
) -> Change:
    fields = tuple(dict.fromkeys(field for use in uses for field in use.fields))
    purposes = tuple(dict.fromkeys(use.purpose for use in uses))
    return Change(
        turn, one.matter, items, one.party, fields, purposes, one.reader,
        told.rule, told.law, told.why_zh, told.why_en, one.entries, one.example,
    )  # fmt: skip


def _whole(side: Side, one: Recorded, item_id: str) -> Explanation:
    """May this reader read all that the item declares there?"""
    item = next((i for i in _items(side.city, one.matter) if i.id == item_id), None)
    needs = item.needs if item else ()
    purposes, facts = frozenset(n.purpose for n in needs), frozenset(f for n in needs for f in n.facts)
    return _asked(side, one, item_id, purposes, facts)


def _lost(side: Side, one: Recorded) -> tuple[tuple[Use, ...], Explanation | None]:
    """The uses that this side refuses, with the fields it refuses, and why; (…, None) when it allows all."""
    if not one.uses:
        return (), _passing(side, one)
    lost: list[Use] = []
    why: Explanation | None = None
    for use in one.uses:
        told = {f: _field(side, one, use.purpose, f"{one.party}.{f}") for f in use.fields}
        refused = tuple(field for field, answer in told.items() if not answer.allowed)
        if refused:
            lost.append(Use(use.purpose, use.basis, refused))
            why = why or told[refused[0]]
    return tuple(lost), why


def _field(side: Side, one: Recorded, purpose: str, fact: str) -> Explanation:
    """May some item that declares the purpose read the field? The answer of the nearest item otherwise."""
    items = _items(side.city, one.matter)
    if items and not any(purpose in _purposes(item) for item in items):
        # The purpose itself is gone: that is the reason, not the field.
        return _asked(side, one, items[0].id, frozenset({purpose}), frozenset())
    # The nearest first: an item that declares the field, then one that declares the purpose.
    near = sorted(items, key=lambda i: (not _declares(i, purpose, fact), purpose not in _purposes(i)))
    first: Explanation | None = None
    for item in near:
        told = _asked(side, one, item.id, frozenset({purpose}), frozenset({fact}))
        if told.allowed and _declares(item, purpose, fact):
            return told
        if not told.allowed:
            first = first or told
    return first or _asked(side, one, "*", frozenset({purpose}), frozenset({fact}))


def _passing(side: Side, one: Recorded) -> Explanation | None:
    """Why the chain may not pass this party; None when some item that the reader may read leads through it."""
    matter = side.city.matters.get(one.matter)
    first: Explanation | None = None
    for item in _items(side.city, one.matter):
        if matter is not None and one.party in reached(matter, item):
            told = _asked(side, one, item.id, frozenset(), frozenset())
            if told.allowed:
                return None
            first = first or told
    return first or _asked(side, one, "*", frozenset(), frozenset())


def _asked(
    side: Side, one: Recorded, item: str, purposes: frozenset[str], facts: frozenset[str]
) -> Explanation:
    reader = one.reader
    actor, at = _principal(side.city, reader), reader.place or side.city.code
    resource = f"{one.matter}.{item}"
    told: Explanation | None = None
    for relation in _relations(reader, one.stands):
        told = side.policy.explained(Request(actor, "read", resource, Ask(relation, at, "", purposes, facts)))
        if told.allowed:
            break
    assert told is not None
    return told


def _principal(city: City, reader: Reader) -> Principal:
    if reader.kind == "resident":
        return Principal("resident")
    organisation = city.organisations.get(reader.unit or "")
    posts = organisation.posts if organisation else ()
    powers = next((post.powers for post in posts if post.id == reader.post), ())
    return Principal(reader.kind, reader.unit or "", reader.post or "", powers, reader.place or "")


def _relations(reader: Reader, stands: str) -> tuple[Relation, ...]:
    if reader.kind == "resident":
        return ("for",) if stands == "for" else ("self",)
    if reader.kind == "system":
        return ("duty",)
    return {"for": ("served",), "self": ("duty",)}.get(stands, ("duty", "served"))  # type: ignore[return-value]


# ------------------------------------------------------------------------- declarations


def _items(city: City, matter: str) -> tuple[Item, ...]:
    found = city.matters.get(matter)
    return found.items if found else ()


def _purposes(item: Item) -> set[str]:
    return {need.purpose for need in item.needs}


def _declares(item: Item, purpose: str, fact: str) -> bool:
    return any(need.purpose == purpose and fact in need.facts for need in item.needs)


def _same_basis(city: City, one: Recorded, use: Use) -> bool:
    wanted = {f"{one.party}.{field}" for field in use.fields}
    held = {
        fact
        for item in _items(city, one.matter)
        for need in item.needs
        if need.purpose == use.purpose and need.basis.key == use.basis
        for fact in need.facts
    }
    return wanted <= held


def reached(matter: Matter, item: Item) -> frozenset[str]:
    """The parties that an item's needs name, and all that the chain passes on the way to them."""
    parties = {party.id: party for party in matter.parties}
    found: set[str] = set()
    todo = [fact.partition(".")[0] for need in item.needs for fact in need.facts]
    while todo:
        party = todo.pop()
        if party in parties and party not in found:
            found.add(party)
            todo += [source.partition(".")[0] for _, source in parties[party].match]
    return frozenset(found)
