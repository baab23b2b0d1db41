"""From the city's declarations to what the database enforces: who may be reached how, and what may be read for what.

Pure. The result goes into registers.access, access_party, access_grant, access_write and field (see publish.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from dizuo.foundation.blueprint.model import City, Field, Item, Matter, Party, Register


class PartySpec(msgspec.Struct, frozen=True):
    """One link of the chain. ``matches`` is (own fields, party, its field): all must hold, own fields mean either."""

    ord: int
    party: str
    register: str
    key_field: str
    given: bool
    pick: str
    order_by: str | None
    matches: tuple[tuple[tuple[str, ...], str, str], ...]
    wheres: Mapping[str, str | bool | int | float]
    labels: tuple[str, ...]


class GrantSpec(msgspec.Struct, frozen=True):
    """What one item may read of one party for one purpose on one legal basis; no fields = only pass through."""

    item: str
    party: str
    fields: tuple[str, ...]
    purpose: str
    basis: str


class WriteSpec(msgspec.Struct, frozen=True):
    """What granting one item may write into one register."""

    item: str
    register: str
    fields: tuple[str, ...]
    purpose: str
    basis: str


class AccessSpec(msgspec.Struct, frozen=True):
    """All reads and writes of one matter in one version of the city."""

    id: str
    version: str
    purpose: str
    basis: str
    demonstration: bool
    items: tuple[str, ...]
    parties: tuple[PartySpec, ...]
    grants: tuple[GrantSpec, ...]
    writes: tuple[WriteSpec, ...]


class FieldSpec(msgspec.Struct, frozen=True):
    """What the database must know about a field. ``subject`` is the number scheme when it names whom a record is about."""

    register: str
    field: str
    source: str
    type: str
    is_key: bool
    lookup: bool
    subject: str | None


def compile_city(city: City) -> tuple[tuple[FieldSpec, ...], tuple[AccessSpec, ...]]:
    """Everything the database enforces for this city."""
    accesses = tuple(compile_matter(city, matter) for matter in city.matters.values())
    return compile_fields(city.registers.values(), accesses), accesses


def compile_fields(registers: Iterable[Register], accesses: Iterable[AccessSpec]) -> tuple[FieldSpec, ...]:
    """Every declared field; a field that some matter finds records by is kept in the look-up whether declared or not."""
    matched = {
        (party.register, own)
        for access in accesses
        for party in access.parties
        for fields, _, _ in party.matches
        for own in fields
    }
    return tuple(
        FieldSpec(
            register=register.id,
            field=field.id,
            source=field.source,
            type=field.type,
            is_key=field.id == register.key,
            # The key finds its record by itself.
            lookup=field.id != register.key and (field.lookup or (register.id, field.id) in matched),
            subject=_scheme(register, field),
        )
        for register in registers
        for field in register.fields.values()
    )


def _scheme(register: Register, field: Field) -> str | None:
    if field.id not in register.subjects:
        return None
    return "uscc" if field.type == "uscc" else "citizen_id"


def compile_matter(city: City, matter: Matter) -> AccessSpec:
    """The chain of parties and the grants of one matter."""
    parties = {party.id: party for party in matter.parties}
    grants: dict[tuple[str, str, str, str], set[str]] = {}
    for item in matter.items:
        for need in item.needs:
            direct = _by_party(need.facts)
            for party in _with_ancestors(direct, parties):
                key = (item.id, party, need.purpose, need.basis.key)
                grants.setdefault(key, set()).update(direct.get(party, ()))
    return AccessSpec(
        id=matter.id,
        version=city.version,
        purpose=matter.purpose,
        basis=matter.basis[0].key if matter.basis else "",
        demonstration=city.demonstration,
        items=tuple(item.id for item in matter.items),
        parties=tuple(_party(city, ord_, party) for ord_, party in enumerate(matter.parties)),
        grants=tuple(
            GrantSpec(item, party, tuple(sorted(fields)), purpose, basis)
            for (item, party, purpose, basis), fields in sorted(grants.items())
        ),
        writes=tuple(spec for item in matter.items for spec in _writes(item, matter)),
    )


def _by_party(facts: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for fact in facts:
        party, _, field = fact.partition(".")
        found.setdefault(party, set()).add(field)
    return found


def _with_ancestors(direct: Mapping[str, set[str]], parties: Mapping[str, Party]) -> list[str]:
    """The parties themselves and all that the chain must pass to reach them, in the matter's order."""
    reached: set[str] = set()
    todo = [party for party in direct if party in parties]
    while todo:
        party = todo.pop()
        if party not in reached:
            reached.add(party)
            todo += [source.partition(".")[0] for _, source in parties[party].match]
    return [party for party in parties if party in reached]


def _party(city: City, ord_: int, party: Party) -> PartySpec:
    register = city.registers[party.register]
    matches: list[tuple[tuple[str, ...], str, str]] = []
    for own, source in party.match:
        name, _, field = source.partition(".")
        matches.append((own, name, field))
    return PartySpec(
        ord=ord_,
        party=party.id,
        register=party.register,
        key_field=register.key,
        given=party.given,
        pick=party.pick,
        order_by=party.order_by,
        matches=tuple(matches),
        wheres={field: _typed(register.fields[field], value) for field, value in party.where.items()},
        labels=party.label,
    )


def _typed(field: Field, value: str) -> str | bool | int | float:
    """A value of ``where`` in the JSON type that records hold it in, so that containment finds it."""
    if field.type == "boolean":
        return value == "true"
    if field.type == "number":
        number = float(value)
        return int(number) if number.is_integer() else number
    return value


def _writes(item: Item, matter: Matter) -> list[WriteSpec]:
    fields: dict[str, set[str]] = {}
    for write in item.writes:
        fields.setdefault(write.register, set()).update(name for name, _ in write.fields)
    purpose = item.needs[0].purpose if item.needs else matter.purpose
    basis = item.basis[0].key if item.basis else (matter.basis[0].key if matter.basis else "")
    return [
        WriteSpec(item.id, register, tuple(sorted(names)), purpose, basis)
        for register, names in sorted(fields.items())
    ]
