"""Which of the records on a form are the reader's own: only these can be reported as wrong by the reader (个保法第四十六条)."""

from __future__ import annotations

from collections.abc import Mapping

from dizuo.engines.registers import Fact, PartyState
from dizuo.foundation.blueprint.model import City, Matter, Party, Register


def of_others(
    city: City, matter: Matter, parties: Mapping[str, PartyState], facts: Mapping[str, Fact]
) -> frozenset[str]:
    """The parties whose record is surely about somebody else, as far as what was read says so.

    A record is about whom its subject fields name. Where that was not read, it stays open and counts as the reader's:
    the page behind the link knows. For an enterprise everything is its representative's to report.
    """
    given = next((party for party in matter.parties if party.given), None)
    state = None if given is None else parties.get(given.id)
    if given is None or state is None or state.key is None or city.registers[given.register].base != "person":
        return frozenset()
    return frozenset(
        party.id
        for party in matter.parties
        if not party.given
        and _is_of_another(party, city.registers[party.register], state.key, parties, facts)
    )


def _is_of_another(
    party: Party,
    register: Register,
    reader: str,
    parties: Mapping[str, PartyState],
    facts: Mapping[str, Fact],
) -> bool:
    state = parties.get(party.id)
    if state is None or state.key is None:
        return False
    if register.entity:
        return state.key != reader
    told: list[str] = []
    for fields, path in party.match:
        named = [field for field in fields if field in register.subjects]
        value = _sought(path, parties, facts) if named else None
        if value == reader:  # found by the reader's own number
            return False
        if value is not None and len(fields) == 1:
            told.append(fields[0])
    for field in register.subjects:
        if field in told or register.fields[field].type == "uscc":
            continue
        value = _value(f"{party.id}.{field}", facts)
        if value is None or value == reader:
            return False
        told.append(field)
    return bool(told)


def _sought(path: str, parties: Mapping[str, PartyState], facts: Mapping[str, Fact]) -> str | None:
    """The value that a party was looked for by."""
    party, _, field = path.partition(".")
    state = parties.get(party)
    value = _value(path, facts)
    # The key of a person's record is the number itself, whether or not the number was read.
    return state.key if value is None and state is not None and field == "citizen_id" else value


def _value(path: str, facts: Mapping[str, Fact]) -> str | None:
    fact = facts.get(path)
    return None if fact is None or fact.value in (None, "") else str(fact.value)
