"""What departments were granted and never used, and what they read that no declared item of theirs needs: the exchange's side of analysis.

Rights (共享授权) are not declared: they come from requests and are in the database. An entry of their use names its grant.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from dizuo.foundation.blueprint.model import City


class HeldGrant(msgspec.Struct, frozen=True):
    """A right as it stands in the database. ``register`` is None for what is not a register of the base."""

    id: int
    consumer: str
    resource: str
    title: str
    register: str | None
    fields: tuple[str, ...]
    matter: str
    basis: str
    starts: dt.date
    expires: dt.date
    state: str
    opened_on: dt.date


class _Actor(msgspec.Struct, frozen=True):
    unit: str = ""


class _Body(msgspec.Struct, frozen=True):
    grant: int
    resource: str
    fields: tuple[str, ...] = ()
    register: str = ""
    serves: str = ""
    basis: str = ""
    actor: _Actor = _Actor()


class SharedUse(msgspec.Struct, frozen=True):
    """Entries of one shape under one right: what was read (or refused) for which matter; ``entries`` counts, ``example`` is one."""

    kind: Literal["read", "refused"]
    grant: int
    consumer: str
    resource: str
    register: str
    fields: tuple[str, ...]
    serves: str
    basis: str
    entries: int
    example: int


class IdleGrant(msgspec.Struct, frozen=True):
    """A right in force in the period that nothing was read under. ``since``: the first day of the period on which it could have been."""

    grant: int
    consumer: str
    resource: str
    title: str
    matter: str
    basis: str
    since: dt.date
    refused: int


class UnaskedFields(msgspec.Struct, frozen=True):
    """Granted fields that no read under the right asked for, though it was used ``entries`` times."""

    grant: int
    consumer: str
    resource: str
    title: str
    fields: tuple[str, ...]
    entries: int


class Unneeded(msgspec.Struct, frozen=True):
    """A field read for a matter in which no item of the reading department declares that it needs it."""

    consumer: str
    matter: str
    register: str
    field: str
    entries: int
    example: int


class SharedAnalysis(msgspec.Struct, frozen=True):
    """The exchange's report. ``duties``: entries that serve no matter but another duty: no declaration says what those need."""

    entries: int
    grants: int
    idle: tuple[IdleGrant, ...]
    unasked: tuple[UnaskedFields, ...]
    unneeded: tuple[Unneeded, ...]
    duties: int


def is_shared(body: Any) -> bool:
    """Whether an entry's face is of a use under a right between departments."""
    return isinstance(body, Mapping) and "grant" in body and "resource" in body


def shared(rows: Iterable[Mapping[str, Any]]) -> tuple[SharedUse, ...]:
    """The rows of ``registers.reads_counted`` that are uses under rights, by shape, the oldest example first."""
    found: dict[object, SharedUse] = {}
    for row in rows:
        if not is_shared(row["body"]):
            continue
        try:
            body = msgspec.convert(row["body"], _Body)
        except msgspec.ValidationError:
            continue
        one = SharedUse(
            "read" if row["kind"] == "register.read" else "refused", body.grant, body.actor.unit, body.resource,
            body.register, body.fields, body.serves, body.basis, row["entries"], row["example"],
        )  # fmt: skip
        shape = (one.kind, one.grant, one.register, one.fields, one.serves, one.basis)
        other = found.get(shape)
        if other is not None:
            one = msgspec.structs.replace(
                one, entries=one.entries + other.entries, example=min(one.example, other.example)
            )
        found[shape] = one
    return tuple(sorted(found.values(), key=lambda one: one.example))


def analyse_shared(
    city: City, uses: Sequence[SharedUse], held: Sequence[HeldGrant], since: dt.date, until: dt.date
) -> SharedAnalysis:
    """Hold rights and declarations against what departments read from ``since`` to ``until``. Pure."""
    reads = [one for one in uses if one.kind == "read"]
    in_force = [one for one in held if one.state == "open" and one.starts <= until and one.expires >= since]
    return SharedAnalysis(
        entries=sum(one.entries for one in reads),
        grants=len(in_force),
        idle=tuple(_idle(in_force, uses, since)),
        unasked=tuple(_unasked(in_force, reads)),
        unneeded=tuple(_unneeded(city, reads)),
        duties=sum(one.entries for one in reads if not one.serves),
    )


def _idle(held: Iterable[HeldGrant], uses: Sequence[SharedUse], since: dt.date) -> Iterator[IdleGrant]:
    used = {one.grant for one in uses if one.kind == "read"}
    for one in held:
        if one.id not in used:
            refused = sum(use.entries for use in uses if use.grant == one.id)
            first = max(since, one.starts, one.opened_on)
            yield IdleGrant(
                one.id, one.consumer, one.resource, one.title, one.matter, one.basis, first, refused
            )


def _unasked(held: Iterable[HeldGrant], reads: Sequence[SharedUse]) -> Iterator[UnaskedFields]:
    for one in held:
        mine = [use for use in reads if use.grant == one.id]
        asked = {field for use in mine for field in use.fields}
        left = tuple(field for field in one.fields if field not in asked)
        if mine and left:
            times = sum(use.entries for use in mine)
            yield UnaskedFields(one.id, one.consumer, one.resource, one.title, left, times)


def _unneeded(city: City, reads: Iterable[SharedUse]) -> Iterator[Unneeded]:
    found: dict[tuple[str, str, str, str], Unneeded] = {}
    for one in reads:
        # What is no register of the city is in no declaration either: nothing says what of it is needed.
        if not one.serves or one.register not in city.registers:
            continue
        needed = _needed(city, one.serves, one.consumer, one.register)
        for field in one.fields:
            if field in needed:
                continue
            key = (one.consumer, one.serves, one.register, field)
            before = found.get(key)
            entries, example = (before.entries, before.example) if before else (0, one.example)
            found[key] = Unneeded(*key, entries + one.entries, min(example, one.example))
    yield from found.values()


def _needed(city: City, matter: str, department: str, register: str) -> frozenset[str]:
    """The fields of a register that a department's items of a matter declare that they need."""
    known = city.matters.get(matter)
    if known is None:
        return frozenset()
    parties = {party.id for party in known.parties if party.register == register}
    facts = (
        fact.partition(".")
        for item in known.items
        if item.department == department
        for need in item.needs
        for fact in need.facts
    )
    return frozenset(field for party, _, field in facts if party in parties)
