"""What golden records are made of, worked out from the city's declarations: pure, no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from dizuo.engines.registers import fallbacks_of
from dizuo.foundation.blueprint.lineage import feed_order
from dizuo.foundation.blueprint.model import City, Field, Register
from dizuo.foundation.blueprint.model_source import Feed, Source

ENTITIES = ("person", "enterprise")
_SCHEME = {"citizen_id": "citizen_id", "uscc": "uscc"}


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One golden field: its type, its own organisation, and the sources that are asked for it, in order.

    ``subject`` is the number scheme when the field names whom the record is about.
    """

    id: str
    type: str
    owner: str
    order: tuple[str, ...]
    fallback: tuple[str, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """One feed of a source into a register. ``nth`` is its place in the source's feeds."""

    source: str
    nth: int
    feed: Feed


@dataclass(frozen=True, slots=True)
class RegisterPlan:
    """One register that is fed: its key, its fields that any source supplies, its feeds by source in a fixed order.

    ``entity`` is 'person' or 'enterprise' for a register with one record per subject (keyed by city identity until the
    number is known), else empty. ``organisation`` is source id → organisation.
    """

    id: str
    key: str
    entity: str
    fields: tuple[FieldPlan, ...]
    sources: tuple[str, ...]
    feeds: tuple[FeedPlan, ...]
    organisation: dict[str, str]

    def feeds_of(self, source: str) -> tuple[FeedPlan, ...]:
        return tuple(feed for feed in self.feeds if feed.source == source)

    @property
    def subjects(self) -> tuple[FieldPlan, ...]:
        """The fields that name people, as the database orders them: the key first, then by name."""
        named = [field for field in self.fields if field.subject]
        return tuple(sorted(named, key=lambda field: (field.id != self.key, field.id)))


@dataclass(frozen=True, slots=True)
class Plan:
    """All registers that sources feed, and the sources themselves."""

    city: City
    registers: tuple[RegisterPlan, ...]
    sources: dict[str, Source]

    def base(self, entity: str) -> RegisterPlan | None:
        """The register of the subjects themselves: where a person's or an enterprise's number comes from."""
        return next((r for r in self.registers if r.entity == entity and r.id == entity), None)


def plan_of(city: City, sources: frozenset[str] | None = None) -> Plan:
    """The plan for a city; with ``sources`` only those count, as if the others fed nothing."""
    chosen = {id_: s for id_, s in sorted(city.sources.items()) if sources is None or id_ in sources}
    departments = {id_: source.department for id_, source in city.sources.items()}
    plans: list[RegisterPlan] = []
    for register in city.registers.values():
        feeds = tuple(
            FeedPlan(source.id, nth, feed)
            for source in chosen.values()
            for nth, feed in enumerate(source.feeds)
            if feed.register == register.id
        )
        if feeds:
            plans.append(_register(city, register, feeds, departments))
    return Plan(city, tuple(plans), chosen)


def _register(
    city: City, register: Register, feeds: tuple[FeedPlan, ...], departments: dict[str, str]
) -> RegisterPlan:
    fields: list[FieldPlan] = []
    for field in register.fields.values():
        feeders = tuple(dict.fromkeys(f.source for f in feeds if field.id in f.feed.fields))
        order = feed_order(city.sources, field.source, field.fallback, feeders)
        if order:
            fields.append(
                FieldPlan(
                    field.id,
                    field.type,
                    field.source,
                    order,
                    fallbacks_of(field, departments),
                    _scheme(register, field),
                )
            )
    used = {source for field in fields for source in field.order}
    kept = tuple(feed for feed in feeds if feed.source in used)
    sources = tuple(dict.fromkeys(feed.source for feed in kept))
    entity = ""
    if register.entity:
        entity = "enterprise" if register.fields[register.key].type == "uscc" else "person"
    return RegisterPlan(register.id, register.key, entity, tuple(fields), sources, kept, departments)


def _scheme(register: Register, field: Field) -> str:
    return _SCHEME.get(field.type, "") if field.id in register.subjects else ""


def mention_of_number(source: Source, column: str, scheme: str) -> str:
    """The mention whose number stands in this column, so that identity can say whose it is; empty when there is none."""
    for mention in source.mentions:
        entity, named = (
            ("person", mention.citizen_id) if scheme == "citizen_id" else ("enterprise", mention.uscc)
        )
        if mention.entity == entity and named == column:
            return mention.id
    return ""
