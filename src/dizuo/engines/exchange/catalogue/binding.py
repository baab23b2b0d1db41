"""业务事项 → 系统 → 目录 → 资源 → 服务, each one to many and walkable both ways, from the declarations; and what is really there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Literal

import msgspec

from dizuo.engines.exchange.catalogue.available import Availability
from dizuo.engines.exchange.catalogue.model import Resource
from dizuo.foundation.blueprint.lineage import sources_of
from dizuo.foundation.blueprint.model import City, Words

BindState = Literal["unbound", "bound", "faulty", "stopped"]


class MatterUse(msgspec.Struct, frozen=True):
    """An item of a matter that reads a register: which of its fields, for which purpose, on which law (law:article)."""

    matter: str
    item: str
    department: str
    register: str
    fields: tuple[str, ...]
    purpose: str
    basis: str


class System(msgspec.Struct, frozen=True):
    """A department's system (信息系统) that data come from, and the source by which they come."""

    department: str
    name: Words
    source: str


class Standing(msgspec.Struct, frozen=True):
    """What is really there behind a resource. ``records``: None where nothing counts them; ``late``: days past the promise.

    ``node``: the organisation at whose node it is asked for, '' when it is not; ``available``: how its interface answered lately.
    """

    records: int | None
    last_at: datetime | None
    period: date | None = None
    due: date | None = None
    late: int = 0
    node: str = ""
    available: Availability | None = None


def registers_behind(city: City, resource: Resource) -> tuple[str, ...]:
    """The registers that a resource is, or that its source feeds."""
    if resource.register is not None:
        return (resource.register,) if resource.register in city.registers else ()
    source = city.sources.get(resource.source or "")
    return () if source is None else tuple(dict.fromkeys(feed.register for feed in source.feeds))


def uses_of(city: City, resource: Resource) -> tuple[MatterUse, ...]:
    """Which items read this resource, directly (a register) or through the registers that it feeds (a source)."""
    behind = registers_behind(city, resource)
    fed = _fed(city, resource)
    found: list[MatterUse] = []
    for use in matter_uses(city):
        if use.register in behind:
            fields = tuple(name for name in use.fields if fed is None or name in fed.get(use.register, ()))
            if fields:
                found.append(msgspec.structs.replace(use, fields=fields))
    return tuple(found)


def matter_uses(city: City) -> tuple[MatterUse, ...]:
    """Every declared read: item by item, register by register."""
    found: list[MatterUse] = []
    for matter in city.matters.values():
        registers = {party.id: party.register for party in matter.parties}
        for item in matter.items:
            for need in item.needs:
                read: dict[str, list[str]] = {}
                for fact in need.facts:
                    party, _, field = fact.partition(".")
                    if party in registers:
                        read.setdefault(registers[party], []).append(field)
                found += [
                    MatterUse(matter.id, item.id, item.department, register, tuple(dict.fromkeys(fields)), need.purpose, need.basis.key)
                    for register, fields in read.items()
                ]  # fmt: skip
    return tuple(found)


def _fed(city: City, resource: Resource) -> Mapping[str, frozenset[str]] | None:
    """For a source: register → fields that it feeds; None for a register, which is all of itself."""
    source = city.sources.get(resource.source or "")
    if resource.register is not None or source is None:
        return None
    fed: dict[str, set[str]] = {}
    for feed in source.feeds:
        fed.setdefault(feed.register, set()).update(feed.fields)
    return {register: frozenset(fields) for register, fields in fed.items()}


def systems_of(city: City, resource: Resource) -> tuple[System, ...]:
    """The systems that a resource comes from: its source's own, or those of every source that feeds the register."""
    if resource.register is not None and resource.register in city.registers:
        origins = sources_of(city, resource.register)
        names = dict.fromkeys(origin.source for several in origins.values() for origin in several)
    else:
        names = dict.fromkeys([resource.source] if resource.source in city.sources else [])
    return tuple(
        System(city.sources[name].department, city.sources[name].system, name)
        for name in names
        if name is not None
    )


def resources_of_matter(city: City, known: Iterable[Resource], matter: str) -> tuple[Resource, ...]:
    """The way back: every resource that a matter's items read."""
    return tuple(one for one in known if any(use.matter == matter for use in uses_of(city, one)))


def resources_of_system(
    city: City, known: Iterable[Resource], department: str, system: str
) -> tuple[Resource, ...]:
    """The way back: every resource that comes from a department's system (its Chinese name)."""
    return tuple(
        one
        for one in known
        if any((of.department, of.name.zh) == (department, system) for of in systems_of(city, one))
    )


def bind_state(resource: Resource, standing: Standing | None) -> BindState:
    """资源挂接状态: stopped when offline, unbound when nothing is there, faulty when it is late or its node does not answer, else bound."""
    if resource.state == "offline":
        return "stopped"
    if standing is not None and standing.node:
        return "faulty" if standing.available is not None and standing.available.short else "bound"
    if standing is None or (standing.records in (None, 0) and standing.last_at is None):
        return "unbound"
    return "faulty" if standing.late else "bound"
