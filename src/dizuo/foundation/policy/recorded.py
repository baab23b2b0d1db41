"""What the ledger holds of reads and refusals, in counts: the input of analysis and replay. Nothing in it is personal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from dizuo.foundation.policy.shared_use import is_shared

Stands = Literal["self", "for", "erased"]


class Use(msgspec.Struct, frozen=True):
    """Fields of one party used for one purpose on one legal basis (``law:article``)."""

    purpose: str
    basis: str
    fields: tuple[str, ...] = ()


class Reader(msgspec.Struct, frozen=True):
    """Who read, as far as an entry's face tells: kind, unit, post and place of the post."""

    kind: Literal["resident", "official", "system"]
    unit: str | None = None
    post: str | None = None
    place: str | None = None


class _Body(msgspec.Struct, frozen=True):
    matter: str = ""
    party: str = ""
    uses: tuple[Use, ...] = ()
    items: tuple[str, ...] | None = None
    reason: str = ""
    rule: str | None = None
    actor: Reader | None = None


class Recorded(msgspec.Struct, frozen=True):
    """Entries of one shape: a read of one party of a matter (``uses`` is empty where the chain only passed), or a refusal.

    ``items`` and ``reason`` are a refusal's; a read's entry does not hold its items. ``entries`` counts, ``example`` is
    the number of one entry.
    """

    kind: Literal["read", "refused"]
    matter: str
    party: str
    uses: tuple[Use, ...]
    items: tuple[str, ...]
    reason: str
    rule: str
    reader: Reader
    stands: Stands
    entries: int
    example: int
    last_at: dt.datetime


def recorded(rows: Iterable[Mapping[str, Any]]) -> tuple[tuple[Recorded, ...], int]:
    """The rows of ``registers.reads_counted`` by shape, the oldest example first, and how many entries tell too little.

    Shapes that differ in what policy does not ask (channel, register, state) are one.
    """
    found: dict[object, Recorded] = {}
    unread = 0
    for row in rows:
        if is_shared(row["body"]):  # a right's use, not an item's: shared_use reads those
            continue
        try:
            body = msgspec.convert(row["body"], _Body)
        except msgspec.ValidationError:
            body = _Body()
        if body.actor is None or not body.matter:
            unread += row["entries"]
            continue
        one = Recorded(
            "read" if row["kind"] == "register.read" else "refused",
            body.matter,
            body.party,
            body.uses,
            body.items or (),
            body.reason,
            body.rule or "",
            body.actor,
            row["stands"],
            row["entries"],
            row["example"],
            row["last_at"],
        )
        shape = (
            one.kind,
            one.matter,
            one.party,
            one.uses,
            one.items,
            one.reason,
            one.rule,
            one.reader,
            one.stands,
        )
        other = found.get(shape)
        if other is not None:
            one = msgspec.structs.replace(
                one,
                entries=one.entries + other.entries,
                example=min(one.example, other.example),
                last_at=max(one.last_at, other.last_at),
            )
        found[shape] = one
    return tuple(sorted(found.values(), key=lambda one: one.example)), unread
