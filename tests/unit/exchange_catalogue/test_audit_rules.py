"""Each rule of the audit in a case in which it fires and in one in which it does not, on facts alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from catalogue_records import NOW
from msgspec.structs import replace

from dizuo.engines.exchange.catalogue.available import Availability
from dizuo.engines.exchange.catalogue.binding import Standing
from dizuo.engines.exchange.catalogue.coding import code_of, prefix
from dizuo.engines.exchange.catalogue.deriving import drafts
from dizuo.engines.exchange.catalogue.model import Resource, ResourceField
from dizuo.engines.exchange.catalogue.rules import RULES, Found, Seen, audit
from dizuo.engines.registers import FormatsFound
from dizuo.foundation.blueprint import City

Change = Callable[[Seen], Seen]
TODAY = date(2026, 11, 23)


def healthy(city: City) -> Seen:
    """A city in which everything is as it should be: every organisation with a duty has a resource, full and fresh."""
    numbers = {name: place for place, name in enumerate(city.organisations, 1)}
    known: list[Resource] = []
    for place, draft in enumerate(drafts(city), 1):
        start = prefix(draft.group[0], draft.group[1:], numbers[draft.resource.provider], city.code)
        known.append(replace(draft.resource, code=code_of(start, place), published_on=TODAY))
    registers = {one.register: one for one in known if one.register}
    duty = {item.department for matter in city.matters.values() for item in matter.items}
    duty |= {field.source for register in city.registers.values() for field in register.fields.values()}
    # Those who only work with others' data list what the police deliver, and say whose it is.
    related = tuple(one.code for one in known)
    for place, name in enumerate(sorted(duty - {one.provider for one in known}), 900):
        known.append(
            imported(city, name, code_of(f"301{place:03}320200", 1), source="hukou", related=related)
        )
    return Seen(
        city=city, today=TODAY, resources=tuple(known),
        standing={one.code: Standing(50, NOW) for one in known},
        records={str(name): 50 for name in registers}, delivered=frozenset(city.sources),
        formats={str(name): formats(one) for name, one in registers.items()},
        calls={one.code: 3 for one in known},
    )  # fmt: skip


def formats(one: Resource) -> tuple[FormatsFound, ...]:
    return tuple(FormatsFound(field.id, 50, 50, 0, 0, 0) for field in one.fields)


def imported(city: City, provider: str, code: str, **said: Any) -> Resource:
    hukou = next(one.resource for one in drafts(city) if one.resource.source == "hukou")
    plain = Resource(
        code=code, title=f"{provider}的资源", provider=provider, kind="imported", share_type=1, update_cycle="yearly",
        abstract="摘要", provider_code="1" * 18, fields=hukou.fields, category="部门信息资源", format="文件", published_on=TODAY,
    )  # fmt: skip
    return replace(plain, **said)


def of(seen: Seen, rule: str) -> list[Found]:
    return [one for one in audit(seen) if one.rule == rule]


def with_resource(seen: Seen, register: str, **said: Any) -> Seen:
    changed = tuple(replace(one, **said) if one.register == register else one for one in seen.resources)
    return replace(seen, resources=changed)


def plus(seen: Seen, one: Resource) -> Seen:
    return replace(
        seen, resources=(*seen.resources, one), standing={**seen.standing, one.code: Standing(5, NOW)}
    )


def field(zh: str, type: str = "C") -> ResourceField:
    return ResourceField(zh, zh, "", type, "L1", personal=False)


def bare(seen: Seen, **said: Any) -> Resource:
    """An imported resource with one harmless item, bound to a source that has just that item."""
    usual: dict[str, Any] = {"provider": "psb", "fields": (field("井盖编号"),), "source": "hukou"}
    return replace(imported(seen.city, "psb", "301001320200/990001"), **{**usual, **said})


def content(seen: Seen, register: str, name: str, **hits: int) -> Seen:
    found = tuple(replace(one, **hits) if one.field == name else one for one in seen.formats[register])
    return replace(seen, formats={**seen.formats, register: found})


def lower(seen: Seen, register: str, name: str, **said: Any) -> Seen:
    one = next(one for one in seen.resources if one.register == register)
    fields = tuple(replace(field, **said) if field.id == name else field for field in one.fields)
    return with_resource(seen, register, fields=fields)


def late(seen: Seen, register: str, days: int) -> Seen:
    one = next(one for one in seen.resources if one.register == register)
    then = datetime.combine(TODAY - timedelta(days=days), NOW.timetz())
    return replace(seen, standing={**seen.standing, one.code: Standing(50, then)})


def without_provider(seen: Seen, provider: str) -> Seen:
    return replace(seen, resources=tuple(one for one in seen.resources if one.provider != provider))


def offline(seen: Seen, register: str) -> Seen:
    return with_resource(seen, register, state="offline")


def no_field(seen: Seen, register: str, name: str) -> Seen:
    found = tuple(replace(one, filled=0) if one.field == name else one for one in seen.formats[register])
    return replace(seen, formats={**seen.formats, register: found})


def few(seen: Seen, register: str) -> Seen:
    found = tuple(replace(one, seen=5, filled=0) for one in seen.formats[register])
    return replace(seen, formats={**seen.formats, register: found})


def extra(seen: Seen, register: str) -> Seen:
    found = (*seen.formats[register], FormatsFound("shadow", 50, 50, 0, 0, 0))
    return replace(seen, formats={**seen.formats, register: found})


def sums(seen: Seen, code: str, calls: int) -> Seen:
    return replace(seen, calls={**seen.calls, code: calls})


def at_node(seen: Seen) -> Seen:
    one = bare(seen, source=None)
    more = plus(seen, one)
    return replace(more, standing={**more.standing, one.code: Standing(None, None, node="civil")})


def answered(seen: Seen, counts: Availability) -> Seen:
    code = seen.resources[0].code
    return replace(seen, standing={**seen.standing, code: replace(seen.standing[code], available=counts)})


FIRES: list[tuple[str, str, Change]] = [
    ("A1", "no resource of the tax office", lambda s: without_provider(s, "tax")),
    ("A2", "an empty register", lambda s: replace(s, records={**s.records, "vehicle": 0})),
    ("A2", "an imported one bound to nothing", lambda s: plus(s, bare(s, source=None))),
    ("A2", "a source that never delivered", lambda s: replace(s, delivered=s.delivered - {"hukou"})),
    ("A3", "a register that is full and not listed", lambda s: offline(s, "vehicle")),
    ("A3", "a source that delivers and is not declared", lambda s: replace(s, delivered=s.delivered | {"old_source"})),
    ("A4", "an item that no record has", lambda s: no_field(s, "vehicle", "brand")),
    ("A4", "a field in the records that is not listed", lambda s: extra(s, "vehicle")),
    ("A4", "an imported item that its source lacks", lambda s: plus(s, bare(s))),
    ("A5", "a daily register not written for ten days", lambda s: late(s, "enterprise", 10)),
    ("A5", "a source past its promise", lambda s: replace(s, standing={**s.standing, s.resources[-1].code: Standing(5, NOW, late=2)})),
    ("A6", "not shared, no law", lambda s: with_resource(s, "vehicle", share_type=3, share_basis="")),
    ("A6", "not shared by a law that is not declared", lambda s: with_resource(s, "vehicle", share_type=3, share_basis="no-law:1")),
    ("A7", "on condition, none said", lambda s: with_resource(s, "vehicle", share_condition=" ")),
    ("A8", "no abstract", lambda s: with_resource(s, "vehicle", abstract="")),
    ("A8", "no items", lambda s: with_resource(s, "vehicle", fields=())),
    ("A8", "a code of no form", lambda s: with_resource(s, "vehicle", code="X1")),
    ("A8", "the same title twice", lambda s: plus(plus(s, bare(s)), replace(bare(s), code="301001320200/990002"))),
    ("A9", "citizen numbers in a field of level L2", lambda s: content(lower(s, "vehicle", "brand", level="L2"), "vehicle", "brand", citizen_ids=10)),
    ("A9", "mobile numbers in what is not personal", lambda s: content(lower(s, "vehicle", "brand", level="L3", personal=False), "vehicle", "brand", phones=10)),
    ("A9", "pictures at level L3", lambda s: content(lower(s, "vehicle", "brand", level="L3", personal=True), "vehicle", "brand", pictures=10)),
    ("A10", "another department lists the birth date as its own", lambda s: plus(s, bare(s, provider="tax", fields=(field("籍贯"),)))),
    ("A11", "a right that nobody uses", lambda s: sums(s, s.resources[0].code, 0)),
    ("A11", "calls that got no answer", lambda s: answered(s, Availability(98, 2, 0, 0))),
    ("A11", "probes that got no answer", lambda s: answered(s, Availability(0, 0, 100, 2))),
]  # fmt: skip
RESTS: list[tuple[str, str, Change]] = [
    ("A1", "every duty has a resource", lambda s: s),
    ("A2", "one that is offline may be empty", lambda s: offline(replace(s, records={**s.records, "vehicle": 0}), "vehicle")),
    ("A2", "an imported one that is asked for at a node", lambda s: at_node(s)),
    ("A3", "an empty register that is not listed", lambda s: offline(replace(s, records={**s.records, "vehicle": 0}), "vehicle")),
    ("A4", "too few records to say", lambda s: few(s, "vehicle")),
    ("A5", "a daily register written yesterday", lambda s: late(s, "enterprise", 1)),
    ("A5", "a register updated at no set times", lambda s: late(with_resource(s, "vehicle", update_cycle="irregular"), "vehicle", 900)),
    ("A6", "not shared, by law", lambda s: with_resource(s, "vehicle", share_type=3, share_basis="hukou-1958:7")),
    ("A7", "without condition none is needed", lambda s: with_resource(s, "vehicle", share_type=1, share_condition="")),
    ("A8", "the same title by another department", lambda s: plus(s, bare(s, provider="tax", title="户籍人口"))),
    ("A9", "citizen numbers where they belong", lambda s: content(s, "person", "citizen_id", citizen_ids=50)),
    ("A9", "one slip among many", lambda s: replace(s, formats={**s.formats, "vehicle": tuple(replace(one, filled=1000, citizen_ids=1) for one in s.formats["vehicle"])})),
    ("A10", "used by sharing and said so", lambda s: plus(s, bare(s, provider="tax", fields=(field("籍贯"),), related=tuple(one.code for one in s.resources)))),
    ("A10", "the one source itself", lambda s: plus(s, bare(s, fields=(field("籍贯"),)))),
    ("A11", "a right in use", lambda s: sums(s, s.resources[0].code, 1)),
    ("A11", "no right older than a week", lambda s: replace(s, calls={})),
    ("A11", "ninety-nine in a hundred", lambda s: answered(s, Availability(90, 1, 9, 0))),
    ("A11", "too few tries to say", lambda s: answered(s, Availability(0, 9, 10, 10))),
]  # fmt: skip


@pytest.fixture(scope="module")
def seen(city: City) -> Seen:
    return healthy(city)


def test_every_rule_is_tried_both_ways() -> None:
    assert {rule for rule, _, _ in FIRES} == {rule for rule, _, _ in RESTS} == set(RULES)


@pytest.mark.parametrize(("rule", "what", "change"), FIRES, ids=[f"{r}: {w}" for r, w, _ in FIRES])
def test_it_fires(seen: Seen, rule: str, what: str, change: Change) -> None:
    before = {one.about for one in of(seen, rule)}
    found = [one for one in of(change(seen), rule) if one.about not in before]
    assert found, what
    for one in found:
        assert one.organisation in seen.city.organisations
        assert one.severity == RULES[rule].severity
        for words in (RULES[rule].says, RULES[rule].fix):
            assert "{" not in words.zh.format(**one.params)
            assert "{" not in words.en.format(**one.params)


@pytest.mark.parametrize(("rule", "what", "change"), RESTS, ids=[f"{r}: {w}" for r, w, _ in RESTS])
def test_it_rests(seen: Seen, rule: str, what: str, change: Change) -> None:
    before = {one.about for one in of(seen, rule)}
    assert {one.about for one in of(change(seen), rule)} <= before, what


def test_a_healthy_city_breaks_no_rule(seen: Seen) -> None:
    assert list(audit(seen)) == []
