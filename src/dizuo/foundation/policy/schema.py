"""What policies may talk about: the Cedar schema and entities that a city's declarations give."""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec

from dizuo.foundation.blueprint.model import City, Item
from dizuo.foundation.policy.model import Action

WINDOW = "window.serve"
"""The power (职权) of a clerk who serves people at a window."""
SUPERVISE = "cases.supervise"
"""The power of a post that sees to work that is late (督办)."""

_SCHEMA = """\
// Where something is done. A town lies in its district, a district in the city.
entity Division in [Division];
// Departments, the powers that posts hold, and the purposes of processing, as this city declares them.
entity Unit enum [{units}];
entity Power enum [{powers}];
entity Purpose enum [{purposes}];
entity Matter {{ purposes: Set<Purpose> }};
// `facts` (party.field) and `purposes` are all that the item's declared needs name.
entity Item in [Matter] {{ department: Unit, purposes: Set<Purpose>, facts: Set<String> }};
// `sources` are the departments that are the source of at least one field; `facts` all fields.
entity Register {{ sources: Set<Unit>, facts: Set<String> }};
entity Resident;
entity System {{ unit: Unit }};
entity Official {{ unit: Unit, post: String, powers: Set<Power>, place: Division }};

type Ask = {{
  relation: String,
  at: Division,
  power?: Power,
  purposes: Set<Purpose>,
  facts: Set<String>,
  has_case: Bool,
}};
action read, view_case appliesTo {{ principal: [Resident, Official, System], resource: [Item], context: Ask }};
action supervise, follow_up appliesTo {{ principal: [Official], resource: [Item], context: Ask }};
action decide appliesTo {{ principal: [Official, System], resource: [Item], context: Ask }};
action write appliesTo {{ principal: [Official, System], resource: [Item], context: Ask }};
action submit appliesTo {{ principal: [Resident, Official], resource: [Matter], context: Ask }};
action consent appliesTo {{ principal: [Resident, Official], resource: [Matter], context: Ask }};
action serve appliesTo {{ principal: [Official], resource: [Matter], context: Ask }};
action correct appliesTo {{ principal: [Official, System], resource: [Register], context: Ask }};
"""


class Names(msgspec.Struct, frozen=True):
    """Everything that policies of this city may name."""

    units: frozenset[str]
    powers: frozenset[str]
    purposes: frozenset[str]


def names_of(city: City) -> Names:
    """The departments, powers and purposes that the declarations name anywhere."""
    items = [item for matter in city.matters.values() for item in matter.items]
    fields = [field for register in city.registers.values() for field in register.fields.values()]
    posts = [post for organisation in city.organisations.values() for post in organisation.posts]
    needs = [need for item in items for need in item.needs]
    approving = {f"{unit}.{deed}" for unit in city.organisations for deed in ("approve", "correct")}
    return Names(
        units=frozenset({*city.organisations, *(i.department for i in items), *(f.source for f in fields)}),
        powers=frozenset(
            {WINDOW, *approving, *(power for post in posts for power in post.powers)}
            | {power for item in items for power in powers_of(item)}
        ),
        purposes=frozenset(
            {*city.purposes, *(m.purpose for m in city.matters.values()), *(need.purpose for need in needs)}
        ),
    )


def schema_of(names: Names) -> str:
    """The schema; a policy that names a power, department or purpose that nobody declared does not validate."""
    return _SCHEMA.format(
        units=_enum(names.units), powers=_enum(names.powers), purposes=_enum(names.purposes)
    )


def _enum(values: Iterable[str]) -> str:
    # Cedar knows no empty enumeration; a city without any still needs its schema.
    return ", ".join(literal(value) for value in sorted(values)) or '"-"'


def literal(value: str) -> str:
    # Cedar's string literals have JSON's escapes for what declarations may contain.
    return json.dumps(value, ensure_ascii=False)


def powers_of(item: Item) -> tuple[str, ...]:
    """The powers that the item's steps ask for, each once, in their order."""
    return tuple(dict.fromkeys(step.power for step in item.steps if step.power))


def item_of(city: City, resource: str) -> Item | None:
    """The item that ``matter.item`` names."""
    matter_id, _, item_id = resource.partition(".")
    matter = city.matters.get(matter_id)
    return next((item for item in matter.items if item.id == item_id), None) if matter else None


def powers_asked(city: City, action: Action, resource: str) -> tuple[str, ...]:
    """The powers of which a post must hold one for this action on this resource; empty when nobody declared it."""
    if action in {"submit", "consent", "serve"}:
        return (WINDOW,)
    if action in {"supervise", "follow_up"}:
        return (SUPERVISE,)
    if action == "correct":
        register = city.registers.get(resource)
        sources = {field.source for field in register.fields.values()} if register else set[str]()
        return tuple(f"{source}.correct" for source in sorted(sources))
    item = item_of(city, resource)
    return powers_of(item) if item else ()


def entities_of(city: City) -> dict[str, dict[str, object]]:
    """The unchanging entities by resource name (``matter``, ``matter.item``, ``register:id``), as Cedar JSON."""
    found: dict[str, dict[str, object]] = {}
    for matter in city.matters.values():
        purposes = {need.purpose for item in matter.items for need in item.needs} | {matter.purpose}
        found[matter.id] = _entity("Matter", matter.id, {"purposes": references("Purpose", purposes)})
        for item in matter.items:
            name = f"{matter.id}.{item.id}"
            found[name] = _entity(
                "Item",
                name,
                {
                    "department": reference("Unit", item.department),
                    "purposes": references("Purpose", {need.purpose for need in item.needs}),
                    "facts": sorted({fact for need in item.needs for fact in need.facts}),
                },
                ("Matter", matter.id),
            )
    for register in city.registers.values():
        found[f"register:{register.id}"] = _entity(
            "Register",
            register.id,
            {
                "sources": references("Unit", {field.source for field in register.fields.values()}),
                "facts": sorted(register.fields),
            },
        )
    return found


def reference(kind: str, id_: str) -> dict[str, object]:
    """An entity as a value of Cedar's JSON."""
    return {"__entity": {"type": kind, "id": id_}}


def references(kind: str, ids: Iterable[str]) -> list[dict[str, object]]:
    return [reference(kind, id_) for id_ in sorted(ids)]


def _entity(kind: str, id_: str, attrs: dict[str, object], *parents: tuple[str, str]) -> dict[str, object]:
    return {
        "uid": {"type": kind, "id": id_},
        "attrs": attrs,
        "parents": [{"type": parent, "id": name} for parent, name in parents],
    }


def divisions_of(code: str, city_code: str) -> list[dict[str, object]]:
    """A division and those it lies in, up to the city, as Cedar entities.

    Codes have 12, 9 or 6 digits; an empty one is the whole city. A code outside the city lies in nothing.
    """
    if code in {"", city_code}:
        return [_entity("Division", city_code, {})]
    if not code.startswith(city_code[:4]):
        return [_entity("Division", code, {})]
    chain = [*dict.fromkeys(code[:size] for size in (len(code), 9, 6) if size <= len(code)), city_code]
    return [
        _entity("Division", inner, {}, *([("Division", outer)] if outer else []))
        for inner, outer in zip(chain, [*chain[1:], ""], strict=True)
    ]
