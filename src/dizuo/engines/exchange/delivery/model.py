"""What goes into a call under a grant and what comes out: frozen facts, no I/O."""

from __future__ import annotations

from typing import Literal

import msgspec

from dizuo.foundation.policy import ShareGrant
from dizuo.foundation.signing import Verified

Scalar = str | int | float | bool | None
Scheme = Literal["citizen_id", "uscc", "key"]
"""By what a subject is named: a person's number, an enterprise's unified social credit code, or the register's own key."""
MOST_SUBJECTS = 1000


class Caller(msgspec.Struct, frozen=True):
    """A department's system whose signature held."""

    consumer: str
    signed: Verified


class Subject(msgspec.Struct, frozen=True):
    """Whom or what a call asks about; ``n`` is its place in the call, from 0."""

    n: int
    scheme: Scheme
    value: str


class Call(msgspec.Struct, frozen=True):
    """One call as it was asked: what of which resource about whom, for which matter, on which law, in which case.

    ``grant`` names the grant to use, None leaves the choice to policy; ``purpose`` is cited or left to the grant. ``unread``
    are the places of subjects that are no number at all; they are answered as refused and asked nobody.
    """

    method: Literal["query", "batch"]
    resource: str
    matter: str
    basis: str
    case: str
    fields: tuple[str, ...]
    subjects: tuple[Subject, ...]
    grant: int | None = None
    purpose: str = ""
    unread: tuple[int, ...] = ()


class Right(msgspec.Struct, frozen=True):
    """A grant as a caller may see it: its policy side, its resource and today's use. ``known`` are the resource's fields."""

    share: ShareGrant
    title: str
    register: str | None
    known: frozenset[str]
    per_day: int
    used: int


class Value(msgspec.Struct, frozen=True):
    """One delivered value with the organisation that is its source (数源单位) and the day (YYYY-MM-DD) of its record there."""

    value: Scalar
    source: str
    as_of: str | None


class Record(msgspec.Struct, frozen=True):
    """One record about a subject; ``entry`` is the ledger entry that the person concerned sees."""

    fields: dict[str, Value]
    entry: int


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one subject. missing: the register holds nothing about it; refused: it is no valid number."""

    n: int
    state: Literal["found", "missing", "refused"]
    records: tuple[Record, ...] = ()
    entry: int | None = None


class Answer(msgspec.Struct, frozen=True):
    """The answer to a call that was allowed. ``withheld`` are asked fields that the grant does not cover."""

    right: Right
    call: Call
    withheld: tuple[str, ...]
    results: tuple[Result, ...]
