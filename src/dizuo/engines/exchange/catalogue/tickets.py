"""Tickets of the audit (问题单): reading them, and moving one on by a person.

发现 → 派发 → 认领 → 整改中 → 待复核 → 销号, or 退回 and claimed anew. Stewards of the whole catalogue dispatch, close and send back;
a department's own steward claims and mends; who mended it does not close it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from dizuo.engines.exchange.catalogue.errors import (
    FindingMoved,
    FindingNote,
    FindingStep,
    NoSuchFinding,
    NotYours,
    OwnFinding,
)
from dizuo.engines.exchange.catalogue.publishing import QUERIES
from dizuo.engines.exchange.catalogue.rules import RULES
from dizuo.engines.lake import review
from dizuo.foundation.blueprint.model import City, Words
from dizuo.foundation.store import Pool

FINDING_STATES: Final[Mapping[str, str]] = {
    "found": "发现", "assigned": "派发", "claimed": "认领", "mending": "整改中", "review": "待复核", "returned": "退回",
    "closed": "销号",
}  # fmt: skip
STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "found": ("assigned",), "assigned": ("claimed",), "claimed": ("mending",), "mending": ("review",),
    "review": ("closed", "returned"), "returned": ("claimed",), "closed": (),
}  # fmt: skip
STEWARDS_ONLY: Final = frozenset({"assigned", "closed", "returned"})
NOTED: Final = frozenset({"review", "closed", "returned"})
_RULE: Final = "catalogue.finding"
_LAW: Final = "data-sharing-2025:2"


class Finding(msgspec.Struct, frozen=True):
    """One ticket; ``params`` fill the rule's sentence."""

    id: int
    rule: str
    about: str
    resource: str | None
    organisation: str
    post: str
    severity: str
    params: Mapping[str, Any]
    state: str
    found_at: datetime
    seen_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    reopened: int
    version: int

    def says(self, lang: str = "zh") -> str:
        """What the rule found, in a sentence."""
        return _filled(RULES[self.rule].says, lang, self.params)

    def fix(self, lang: str = "zh") -> str:
        """The way out."""
        return _filled(RULES[self.rule].fix, lang, self.params)


class FindingMove(msgspec.Struct, frozen=True):
    """One step of a ticket; ``by`` is 'audit' or an account."""

    at: datetime
    by: str
    was: str
    became: str
    note: str
    entry: int


class FindingCount(msgspec.Struct, frozen=True):
    """How many tickets of a department and rule are in a state."""

    organisation: str
    rule: str
    state: str
    findings: int


async def findings(
    pool: Pool, *, organisation: str | None = None, rule: str | None = None, state: str | None = None,
    resource: str | None = None, closed: bool = False, limit: int = 500,
) -> tuple[Finding, ...]:  # fmt: skip
    """Tickets that meet every filter; closed ones only with ``closed``. Errors: the pool's."""
    rows = await pool.fetch(
        QUERIES["findings"], organisation, rule, state, resource, closed or state == "closed", limit
    )
    return tuple(msgspec.convert(dict(row), Finding) for row in rows)


async def finding(pool: Pool, id: int) -> tuple[Finding, tuple[FindingMove, ...]]:
    """One ticket and what became of it, oldest step first. Errors: NoSuchFinding."""
    row = await pool.fetchrow(QUERIES["finding"], id)
    if row is None:
        raise NoSuchFinding()
    steps = await pool.fetch(QUERIES["finding_steps"], id)
    return msgspec.convert(dict(row), Finding), tuple(
        msgspec.convert(dict(step), FindingMove) for step in steps
    )


async def finding_counts(pool: Pool) -> tuple[FindingCount, ...]:
    """Tickets by department, rule and state, closed ones too. Errors: the pool's."""
    return tuple(
        msgspec.convert(dict(row), FindingCount) for row in await pool.fetch(QUERIES["finding_counts"])
    )


def may_move(city: City, who: review.Steward, one: Finding, to: str) -> bool:
    """Whether this steward may take this step from where the ticket is."""
    if to not in STEPS[one.state]:
        return False
    return who.every or (to not in STEWARDS_ONLY and one.organisation in departments_of(city, who))


def departments_of(city: City, who: review.Steward) -> frozenset[str]:
    """The departments whose sources the steward looks after."""
    return frozenset(city.sources[name].department for name in who.sources if name in city.sources)


async def move_finding(
    pool: Pool, city: City, id: int, version: int, to: str, who: review.Steward, note: str, now: datetime
) -> Finding:
    """Take a ticket one step on; the step and its ledger entry are one transaction.

    Errors: NoSuchFinding, FindingMoved (another version stands), FindingStep, NotYours, FindingNote, OwnFinding.
    """
    held, _ = await finding(pool, id)
    said = " ".join(note.split())
    if to not in FINDING_STATES:
        raise FindingStep()
    if held.version != version:
        raise FindingMoved()
    if not (who.every or (to not in STEWARDS_ONLY and held.organisation in departments_of(city, who))):
        raise NotYours(_RULE, _LAW)
    if (to in NOTED and len(said) < 2) or len(said) > 1000:
        raise FindingNote({"note": "请写明情况，2 到 1000 个字。"})
    try:
        await pool.fetchval(QUERIES["move_finding"], id, version, to, who.account, who.every, said, now)
    except asyncpg.PostgresError as error:
        raise _told(error) from error
    return (await finding(pool, id))[0]


def _told(error: asyncpg.PostgresError) -> Exception:
    match str(getattr(error, "sqlstate", "")):
        case "DZ050":
            return NoSuchFinding()
        case "DZ051":
            return FindingMoved()
        case "DZ052":
            return FindingStep()
        case "DZ053":
            return FindingNote({"note": "请写明情况，2 到 1000 个字。"})
        case "DZ054":
            return OwnFinding(_RULE, _LAW)
        case _:
            return error


class _Kept(dict[str, Any]):
    """A place that nobody filled stays empty: a ticket of an older version must still be read."""

    def __missing__(self, key: str) -> str:
        return "—"


def _filled(words: Words, lang: str, params: Mapping[str, Any]) -> str:
    text: str = words.en if lang == "en" and words.en else words.zh
    return text.format_map(_Kept(params))
