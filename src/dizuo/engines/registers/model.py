"""What goes into a read of the registers and what comes out: frozen facts, no I/O."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Literal

import msgspec

Scalar = str | int | float | bool | None
"""A register's value as JSON knows it. Dates are text (YYYY-MM-DD), amounts of money are text."""


class Actor(msgspec.Struct, frozen=True):
    """Who reads or writes, in which capacity (经办人), and where from.

    ``subject`` is the identity id of the person, ``official`` the official's account id, ``post`` the declared
    post (岗位), ``unit`` the declared organisation, ``place`` the division code whose prefix bounds an official's
    view (empty: the whole city). ``powers`` are the post's powers. ``acting_for`` is the identity id of the
    enterprise, ward or window client that this person acts for.
    """

    kind: Literal["resident", "official", "system"]
    subject: int | None = None
    official: str | None = None
    post: str | None = None
    unit: str | None = None
    place: str = ""
    channel: Literal["online", "window", "phone", "system"] = "online"
    name: str = ""
    acting_for: int | None = None
    powers: tuple[str, ...] = ()


class Thread(msgspec.Struct, frozen=True):
    """A finished read that the next one may go on from: its ticket and the secret of whoever holds it."""

    ticket: uuid.UUID
    secret: bytes


class Guard(msgspec.Struct, frozen=True):
    """What a read adds when something holds: ``facts`` that ``item`` needs then, ``party.field``.

    ``when`` is a jsonpath predicate over the records of the read's own parties: an object for one that was found, null for a
    missing one, nothing for one that is open. The database judges it before anything is entered.
    """

    when: str
    item: str
    facts: tuple[str, ...]


class ReadRequest(msgspec.Struct, frozen=True):
    """One read: who wants which parties' facts, for which items of which matter, in which case.

    ``given`` maps a given or chosen party to its record key, or a given party to the identity id as text.
    ``items`` None means every item of the matter; ``facts`` narrows what the items may need to these: ``party.field``,
    or a party alone to ask whether there is such a record; other parties are passed through or left alone.
    purposes and legal bases come from the declarations, never from the caller. ``as_of`` reads what the city
    knew at that moment. ``place`` is the division where the items are done: an official's post must reach it.
    ``after`` goes on from an earlier read of the same actor, case and given parties: what that one passed through
    and entered is not entered again. ``more`` is read as well, each part where its condition holds and policy allows its item.
    """

    access: str
    given: Mapping[str, str]
    case: str
    actor: Actor
    items: tuple[str, ...] | None = None
    as_of: dt.datetime | None = None
    facts: tuple[str, ...] | None = None
    place: str = ""
    after: Thread | None = None
    more: tuple[Guard, ...] = ()


class Fact(msgspec.Struct, frozen=True):
    """One released value: which register said so, which organisation is its source (数源单位), on which date.

    ``source`` is the field's own organisation, or the declared fallback that spoke where that was silent. ``valid_from`` and
    ``valid_to`` bound the record's validity (None: open). ``entry`` is the ledger entry that allowed it.
    """

    party: str
    register: str
    field: str
    value: Scalar
    source: str
    as_of: dt.date | None
    entry: int
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class Candidate(msgspec.Struct, frozen=True):
    """One record that the applicant may choose, with the declared label fields."""

    key: str
    labels: Mapping[str, Scalar]


class PartyState(msgspec.Struct, frozen=True):
    """How the search for a party ended.

    found: ``key`` is its record. missing: the register does not hold it. choose: the applicant must choose one
    of ``candidates``. waiting: it hangs on a party that is not chosen yet.
    """

    state: Literal["found", "missing", "choose", "waiting"]
    key: str | None = None
    candidates: tuple[Candidate, ...] = ()


class Refusal(msgspec.Struct, frozen=True):
    """A read that was refused, and is on record as such.

    ``reason`` is one of the codes in docs/know/reading-data.md; ``rule`` and ``law`` say what refused;
    ``entry`` is the ledger entry of the refusal.
    """

    reason: str
    items: tuple[str, ...]
    rule: str
    law: str
    entry: int
    says: str = ""


class ReadResult(msgspec.Struct, frozen=True):
    """What was released: facts by ``party.field``, parties by id, what was refused, every ledger entry made.

    ``more``: which of the request's additions were read, in their order; none of them when anything was refused.
    """

    facts: Mapping[str, Fact]
    parties: Mapping[str, PartyState]
    refusals: tuple[Refusal, ...] = ()
    entries: tuple[int, ...] = ()
    thread: Thread | None = None
    more: tuple[bool, ...] = ()


class RegisterChange(msgspec.Struct, frozen=True):
    """A change of one record, made by the department that is the source of every field in it.

    ``key`` is the record's key, or the ``#reference`` that a ledger entry gives for it; None creates a record, and a
    new person receives a number. ``item`` names the granted item that declares
    the write, or is empty for a correction (更正) by the source department. ``place`` is the division where the item
    is done. Everybody whom the record concerns, before or after the change, sees its entry.
    """

    register: str
    key: str | None
    values: Mapping[str, Scalar]
    source: str
    date: dt.date
    matter: str
    item: str
    case: str
    actor: Actor
    basis: str = ""
    reason: str = ""
    place: str = ""


class Written(msgspec.Struct, frozen=True):
    """The record that a change made: its key (a new person's number), version, identity and ledger entry."""

    register: str
    key: str
    version: int
    subject: int | None
    entry: int
