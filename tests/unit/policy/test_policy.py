"""Policy as a table: who, what, on what, in which circumstances; and what can never be, whatever the question."""

from __future__ import annotations

from pathlib import Path

import cedarpy
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dizuo.foundation.blueprint import load_city
from dizuo.foundation.policy import Ask, Policy, PolicyInvalid, Principal, Request
from dizuo.foundation.policy.generate import Rule

WUXI = Path(__file__).resolve().parents[3] / "cities" / "wuxi"


@pytest.fixture(scope="module")
def city():
    return load_city(WUXI)


@pytest.fixture(scope="module")
def policy(city):
    return Policy.from_city(city)


RESIDENT = Principal("resident")
POLICE = Principal("official", "psb", "household_officer", ("psb.household.decide", "psb.correct"), "320213")
STATION_HEAD = Principal("official", "psb", "station_head", ("psb.approve",), "320213")
REVIEWER = Principal("official", "district_service", "joint_reviewer", ("psb.household.decide",), "320213")
CARD = Principal("official", "hrss", "card_officer", ("hrss.card.decide", "hrss.correct"), "")
CLERK = Principal("official", "town_service", "town_clerk", ("window.serve",), "320213001")
NOBODY = Principal("official", "psb", "typist", (), "")
SUPERVISOR = Principal("official", "district_service", "district_supervisor", ("cases.supervise",), "320213")
SYSTEM = Principal("system", "psb")
HOUSEHOLD, MATTER = "newborn.household", "newborn"
HERE, ELSEWHERE, OUTSIDE = "320213001001", "320211002", "310101001"


def duty(at=HERE, power="", **more):
    return Ask("duty", at, power, **more)


TABLE = [
    # who, may, what, on, when, by which rule
    (RESIDENT, True, "read", HOUSEHOLD, Ask("self"), "resident.own"),
    (RESIDENT, True, "read", HOUSEHOLD, Ask("for"), "resident.for"),
    (RESIDENT, False, "read", HOUSEHOLD, Ask("none"), "resident.own"),
    (RESIDENT, False, "read", HOUSEHOLD, Ask("duty"), "resident.own"),
    (RESIDENT, False, "read", HOUSEHOLD, Ask("consenting"), "resident.own"),
    (RESIDENT, False, "read", HOUSEHOLD, Ask("self", case=False), "bound.case"),
    (RESIDENT, True, "submit", MATTER, Ask("self"), "resident.submit"),
    (RESIDENT, True, "consent", MATTER, Ask("consenting"), "resident.consent"),
    (RESIDENT, False, "consent", MATTER, Ask("self"), "resident.consent"),
    (RESIDENT, False, "decide", HOUSEHOLD, Ask("self", power="psb.household.decide"), None),
    (RESIDENT, False, "correct", "person", Ask("self"), None),
    (SUPERVISOR, True, "supervise", HOUSEHOLD, duty(), "supervise"),
    (SUPERVISOR, False, "supervise", HOUSEHOLD, duty(ELSEWHERE), "supervise"),
    (SUPERVISOR, False, "supervise", HOUSEHOLD, duty(case=False), "bound.case"),
    (SUPERVISOR, False, "view_case", HOUSEHOLD, duty(), "newborn.household.duty"),
    (SUPERVISOR, False, "read", HOUSEHOLD, duty(), "newborn.household.duty"),
    (SUPERVISOR, False, "decide", HOUSEHOLD, duty(power="psb.household.decide"), None),
    (POLICE, False, "supervise", HOUSEHOLD, duty(), "supervise"),
    (SUPERVISOR, True, "follow_up", HOUSEHOLD, duty(), "rating.follow_up"),
    (SUPERVISOR, False, "follow_up", HOUSEHOLD, duty(ELSEWHERE), "rating.follow_up"),
    (SUPERVISOR, False, "follow_up", HOUSEHOLD, duty(case=False), "bound.case"),
    (POLICE, False, "follow_up", HOUSEHOLD, duty(), "rating.follow_up"),
    (RESIDENT, False, "follow_up", HOUSEHOLD, Ask("self"), "rating.follow_up"),
    (RESIDENT, False, "supervise", HOUSEHOLD, Ask("self"), "supervise"),
    (POLICE, True, "read", HOUSEHOLD, duty(), "newborn.household.duty"),
    (POLICE, True, "view_case", HOUSEHOLD, duty(), "newborn.household.duty"),
    (POLICE, False, "read", HOUSEHOLD, duty(ELSEWHERE), "newborn.household.duty"),
    (POLICE, False, "read", HOUSEHOLD, duty(OUTSIDE), "newborn.household.duty"),
    (POLICE, False, "read", HOUSEHOLD, duty(""), "newborn.household.duty"),
    (POLICE, False, "read", "newborn.card", duty(), None),
    (POLICE, True, "decide", HOUSEHOLD, duty(power="psb.household.decide"), None),
    (POLICE, False, "decide", HOUSEHOLD, duty(ELSEWHERE, "psb.household.decide"), None),
    (POLICE, False, "decide", HOUSEHOLD, duty(power="psb.approve"), None),
    (POLICE, False, "decide", HOUSEHOLD, duty(power=""), None),
    (POLICE, False, "submit", MATTER, Ask("self"), None),
    (POLICE, True, "correct", "person", duty(facts=frozenset({"name"})), "correct.psb"),
    (POLICE, False, "correct", "birth_certificate", duty(facts=frozenset({"child_sex"})), "bound.source"),
    (POLICE, False, "correct", "person", duty(facts=frozenset({"shoe_size"})), "bound.source"),
    (STATION_HEAD, False, "read", HOUSEHOLD, duty(), None),
    (STATION_HEAD, True, "view_case", HOUSEHOLD, duty(), "newborn.household.approve"),
    (STATION_HEAD, True, "decide", HOUSEHOLD, duty(power="psb.approve"), "newborn.household.approve"),
    (STATION_HEAD, False, "decide", HOUSEHOLD, duty(power="psb.household.decide"), None),
    (REVIEWER, True, "decide", HOUSEHOLD, duty(power="psb.household.decide"), None),
    (CARD, True, "read", "newborn.card", duty(), "newborn.card.duty"),
    (CARD, False, "read", HOUSEHOLD, duty(), None),
    (CLERK, True, "serve", MATTER, Ask("served", "320213001"), "window.serve"),
    (CLERK, False, "serve", MATTER, Ask("served", "320213002"), "window.serve"),
    (CLERK, True, "read", HOUSEHOLD, Ask("served", "320213001"), "window.read"),
    (CLERK, False, "read", HOUSEHOLD, duty(), None),
    (CLERK, True, "submit", MATTER, Ask("served"), "window.submit"),
    (CLERK, False, "submit", MATTER, duty(), None),
    (NOBODY, False, "read", HOUSEHOLD, duty(), None),
    (NOBODY, False, "serve", MATTER, Ask("served"), "window.serve"),
    (SYSTEM, True, "read", HOUSEHOLD, duty(), "newborn.household.auto"),
    (SYSTEM, True, "write", HOUSEHOLD, duty(), "newborn.household.auto"),
    (SYSTEM, False, "read", "newborn.card", duty(), None),
    (SYSTEM, False, "submit", MATTER, Ask("self"), None),
    (RESIDENT, False, "read", "newborn.nothing", Ask("self"), "no_rule"),
    (RESIDENT, False, "read", MATTER, Ask("self"), None),
    (RESIDENT, False, "read", "person", Ask("self"), "no_rule"),
]


@pytest.mark.parametrize(("who", "may", "what", "on", "when", "rule"), TABLE)
def test_the_table(policy, who, may, what, on, when, rule):
    verdict = policy.decide(Request(who, what, on, when))
    assert verdict.allowed is may, verdict
    if rule is not None:
        assert verdict.rule == rule
    assert verdict.law
    assert verdict.why_zh


def test_a_refusal_says_who_could(policy):
    verdict = policy.decide(Request(CARD, "decide", HOUSEHOLD, duty(power="psb.household.decide")))
    assert any("户籍民警" in who for who in verdict.who_can)
    said = policy.explain(Request(CARD, "decide", HOUSEHOLD, duty(power="psb.household.decide")))
    assert said.startswith("不可以作出决定：您的岗位没有这项职权")
    assert "户籍民警" in said
    assert "依据" in said


def test_a_refusal_for_place_names_both_places(policy):
    said = policy.explain(Request(POLICE, "read", HOUSEHOLD, duty("320211")))
    assert "滨湖区" in said
    assert "梁溪区" in said


def test_every_rule_cites_an_article_that_the_city_declares(city, policy):
    for rule in policy.rules.values():
        law, _, article = rule.law.partition(":")
        assert law in city.laws, rule.id
        assert article in city.laws[law].articles, (rule.id, rule.law)


def test_every_item_has_rules_and_every_rule_a_sentence(city, policy):
    for matter in city.matters.values():
        for item in matter.items:
            assert f"{matter.id}.{item.id}.auto" in policy.rules
    assert all(rule.says.endswith("。") for rule in policy.rules.values())


def test_the_whole_text_validates_and_is_told_in_full(policy):
    assert cedarpy.validate_policies(policy.text, policy.schema_text).validation_passed
    shown = policy.render()
    assert policy.version in shown
    assert '@law("hukou-1958:7")' in shown
    assert "entity Official" in shown


def test_a_policy_that_does_not_fit_the_schema_is_refused(city):
    with pytest.raises(PolicyInvalid):
        Policy(city, [Rule("x", "l:1", "s。", "permit (principal is Robot, action, resource);")])
    rule = Rule("x", "l:1", "s。", 'forbid (principal, action == Action::"submit", resource);')
    with pytest.raises(PolicyInvalid, match="重复"):
        Policy(city, [rule, rule])


def test_a_policy_that_names_an_undeclared_power_does_not_validate(city):
    body = 'permit (principal is Official, action == Action::"serve", resource) when { %s };'
    Policy(city, [Rule("x", "l:1", "s。", body % 'principal.powers.contains(Power::"window.serve")')])
    with pytest.raises(PolicyInvalid):
        Policy(city, [Rule("x", "l:1", "s。", body % 'principal.powers.contains(Power::"window.sevre")')])


def test_what_the_city_does_not_declare_means_nothing(policy):
    stale = msgspec.structs.replace(POLICE, powers=("psb.household.decide", "psb.abolished"))
    assert policy.decide(Request(stale, "read", HOUSEHOLD, duty())).allowed
    foreign = msgspec.structs.replace(POLICE, unit="abolished")
    assert not policy.decide(Request(foreign, "read", HOUSEHOLD, duty())).allowed
    wide = policy.decide(Request(POLICE, "read", HOUSEHOLD, duty(purposes=frozenset({"curiosity"}))))
    assert (wide.allowed, wide.rule) == (False, "bound.purposes")


def test_names_with_quotes_and_scripts_stay_text(city):
    """A department's name goes into annotations; it must never become policy."""
    evil = 'x") permit (principal, action, resource); //\n\\"'
    psb = msgspec.structs.replace(
        city.organisations["psb"],
        name=msgspec.structs.replace(city.organisations["psb"].name, zh=evil),
        short=msgspec.structs.replace(city.organisations["psb"].short, zh=evil),
    )
    policy = Policy.from_city(msgspec.structs.replace(city, organisations={**city.organisations, "psb": psb}))
    assert not policy.decide(Request(NOBODY, "read", HOUSEHOLD, duty())).allowed
    assert policy.decide(Request(POLICE, "read", HOUSEHOLD, duty())).allowed


def test_the_same_question_is_asked_once(policy, monkeypatch):
    request = Request(POLICE, "read", HOUSEHOLD, duty("320213099"))
    first = policy.decide(request)
    monkeypatch.setattr(cedarpy, "is_authorized", lambda *_: pytest.fail("asked twice"))
    assert policy.decide(Request(POLICE, "read", HOUSEHOLD, duty("320213099"))) is first


# ------------------------------------------------------------------- properties

PRINCIPALS = st.builds(
    Principal,
    kind=st.sampled_from(["resident", "official", "system"]),
    unit=st.sampled_from(["psb", "hrss", "medical", "health", "data", "nobody"]),
    post=st.just("p"),
    powers=st.lists(
        st.sampled_from(["psb.household.decide", "hrss.card.decide", "window.serve", "psb.approve", "data.steward"]),
        max_size=5, unique=True).map(tuple),
    place=st.sampled_from(["", "320200", "320213", "320213001", "320211"]),
)  # fmt: skip
RELATIONS = st.sampled_from(["self", "for", "consenting", "served", "duty", "none"])
PLACES = st.sampled_from(["", "320213001001", "320211", "310101"])
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(
    data=st.data(), who=PRINCIPALS, relation=RELATIONS, at=PLACES, action=st.sampled_from(["read", "write"])
)
def test_fields_and_purposes_outside_the_declared_needs_are_never_allowed(
    city, policy, data, who, relation, at, action
):
    matter = data.draw(st.sampled_from(list(city.matters.values())))
    item = data.draw(st.sampled_from(matter.items))
    declared = {fact for need in item.needs for fact in need.facts}
    every = {f"{p.id}.{f}" for p in matter.parties for f in city.registers[p.register].fields}
    outside = data.draw(st.sampled_from(sorted(every - declared)))
    inside = data.draw(st.sets(st.sampled_from(sorted(declared)))) if declared else set()
    ask = Ask(relation, at, facts=frozenset(inside | {outside}))
    assert not policy.decide(Request(who, action, f"{matter.id}.{item.id}", ask)).allowed
    wide = Ask(relation, at, purposes=frozenset({matter.purpose}))
    if matter.purpose not in {need.purpose for need in item.needs}:
        assert not policy.decide(Request(who, action, f"{matter.id}.{item.id}", wide)).allowed


@QUICK
@given(data=st.data(), who=PRINCIPALS, relation=RELATIONS, at=PLACES)
def test_an_official_decides_only_with_the_power_and_in_the_place(city, policy, data, who, relation, at):
    matter = data.draw(st.sampled_from(list(city.matters.values())))
    item = data.draw(st.sampled_from(matter.items))
    power = data.draw(st.sampled_from(["psb.household.decide", "hrss.card.decide", "psb.approve", ""]))
    verdict = policy.decide(Request(who, "decide", f"{matter.id}.{item.id}", Ask(relation, at, power)))
    if verdict.allowed and who.kind == "official":
        assert power in who.powers
        assert who.place in ("", "320200") or at.startswith(who.place)
    if verdict.allowed and who.kind == "system":
        assert who.unit == item.department
    if who.kind == "resident":
        assert not verdict.allowed
