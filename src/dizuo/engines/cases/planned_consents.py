"""Whose consent is needed: found parties, or those whom a fact names; never the applicant under another name."""

from __future__ import annotations

from collections.abc import Mapping

from dizuo.engines.cases.decided import Deciding
from dizuo.engines.cases.plan_model import (
    PlannedConsent,
)
from dizuo.engines.cases.scope import Open, Scope
from dizuo.foundation.blueprint.model import Consent


def plan_consents(scope: Scope, decided: Deciding, running: set[str]) -> tuple[PlannedConsent, ...]:
    found: list[PlannedConsent] = []
    for consent in scope.matter.matter.consents:
        items = tuple(item for item in consent.items if item in running)
        if not items:
            continue
        if consent.when is not None:
            value = scope.value(scope.matter.compile(consent.when))
            if isinstance(value, Open):
                decided.missing(value)
                continue
            if value is not True:
                continue
        others = _others(scope, consent)
        if others:
            found.append(
                PlannedConsent(consent.id, tuple(others), items, consent.asks, tuple(others.values()))
            )
    return tuple(found)


def _others(scope: Scope, consent: Consent) -> Mapping[str, str]:
    """The parties who must be asked, with their record keys: never the applicant under another name."""
    declared, given = scope.matter.parties, scope.matter.given
    applicant = scope.known.parties.get(given)
    others: dict[str, str] = {}
    for party in consent.parties:
        key = _key_of(scope, party)
        same_register = declared[party].register == declared[given].register
        if key is None or key in others.values():
            continue
        if same_register and applicant is not None and key == applicant.key:
            continue
        others[party] = key
    return others


def _key_of(scope: Scope, party: str) -> str | None:
    """The record key of a party: found, or named by a fact. Nobody's record is read only to ask for consent."""
    state = scope.known.parties.get(party)
    if state is not None:
        return state.key if state.state == "found" else None
    declared = scope.matter.parties[party]
    key = scope.matter.city.registers[declared.register].key
    for fields, path in declared.match:
        fact = scope.known.facts.get(path)
        if key in fields and fact is not None and isinstance(fact.value, str):
            return fact.value
    return None
