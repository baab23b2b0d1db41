"""Every verdict in plain words, both languages: all actions, allowed and refused."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest

from dizuo.foundation.blueprint import load_city
from dizuo.foundation.policy import Action, Ask, Policy, Principal, Request

WUXI = Path(__file__).resolve().parents[3] / "cities" / "wuxi"
RESIDENT = Principal("resident")
POLICE = Principal("official", "psb", "household_officer", ("psb.household.decide", "psb.correct"), "320213")
HEAD = Principal("official", "psb", "station_head", ("psb.approve",), "320213")
CARD = Principal("official", "hrss", "card_officer", ("hrss.card.decide", "hrss.correct"), "")
CLERK = Principal("official", "town_service", "town_clerk", ("window.serve",), "320213001")
SUPERVISOR = Principal("official", "district_service", "district_supervisor", ("cases.supervise",), "320213")
SYSTEM = Principal("system", "psb")
STRANGE = Principal("official", "abolished", "x", ("psb.household.decide",), "")
ITEM, MATTER = "newborn.household", "newborn"
HERE, ELSEWHERE = "320213001001", "320211002"


@pytest.fixture(scope="module")
def city():
    return load_city(WUXI)


@pytest.fixture(scope="module")
def policy(city):
    return Policy.from_city(city)


def duty(at: str = HERE, power: str = "", **more: typing.Any) -> Ask:
    return Ask("duty", at, power, **more)


# who, may, what, on, when, what is missing, a piece of the Chinese text, a piece of the English one
TABLE = [
    (RESIDENT, True, "read", ITEM, Ask("self"), None, "《个人信息保护法》第 13 条", "own matter"),
    (RESIDENT, False, "read", ITEM, Ask("none"), "relation", "没有委托给您", "entrusted"),
    (POLICE, True, "read", ITEM, duty(), None, "户籍民警", "reads what the item needs"),
    (POLICE, False, "read", ITEM, duty(ELSEWHERE), "place", "320211002", "320211002"),
    (POLICE, False, "read", ITEM, duty(purposes=frozenset({"curiosity"})), "purposes", "声明的目的", "declares"),
    (POLICE, False, "read", ITEM, duty(facts=frozenset({"mother_medical.citizen_id"})), "facts", "没有声明的字段：mother_medical.citizen_id", "not declared: mother_medical.citizen_id"),
    (POLICE, False, "read", ITEM, duty(case=False), "case", "没有具体的办件", "Without a case"),
    (CARD, False, "read", ITEM, duty(), "power", "psb.household.decide", "psb.household.decide"),
    (CLERK, True, "read", ITEM, Ask("served", HERE), None, "窗口人员", "person who is present"),
    (SYSTEM, True, "read", ITEM, duty(), None, "系统自动办理", "by itself"),
    (SYSTEM, False, "read", "newborn.card", duty(), "unit", "psb", "own department"),
    (STRANGE, False, "read", ITEM, duty(), "unit", "没有声明过这个部门", "Nobody declared this department"),
    (RESIDENT, False, "read", "newborn.张三", Ask("self"), "resource", "没有声明过", "Nobody declared"),
    (HEAD, True, "view_case", ITEM, duty(), None, "延期", "extension"),
    (RESIDENT, False, "view_case", ITEM, Ask("consenting"), "relation", "本人", "own matter"),
    (SUPERVISOR, True, "supervise", ITEM, duty(), None, "督办", "late"),
    (POLICE, False, "supervise", ITEM, duty(), "power", "cases.supervise", "cases.supervise"),
    (SUPERVISOR, True, "follow_up", ITEM, duty(), None, "差评", "bad rating"),
    (SUPERVISOR, False, "follow_up", ITEM, duty(ELSEWHERE), "place", "梁溪", "belongs to"),
    (POLICE, True, "decide", ITEM, duty(power="psb.household.decide"), None, "作出决定", "decides on"),
    (POLICE, False, "decide", ITEM, duty(power="psb.approve"), "power", "职权", "power"),
    (RESIDENT, False, "decide", ITEM, Ask("self", power="psb.household.decide"), "fit", "工作人员", "Officials"),
    (SYSTEM, True, "write", ITEM, duty(), None, "登记结果", "writes the result"),
    (CARD, False, "write", ITEM, duty(), "power", "可以办的是", "Who can"),
    (RESIDENT, True, "submit", MATTER, Ask("self"), None, "提交申请", "submit"),
    (CLERK, False, "submit", MATTER, duty(), "relation", "只替到场的群众", "person who is present"),
    (RESIDENT, True, "consent", MATTER, Ask("consenting"), None, "同意", "agree"),
    (RESIDENT, False, "consent", MATTER, Ask("self"), "relation", "表示同意", "consent"),
    (CLERK, True, "serve", MATTER, Ask("served", "320213001"), None, "窗口服务", "Window clerks"),
    (CLERK, False, "serve", MATTER, Ask("served", "320213002"), "place", "窗口服务", "belongs to"),
    (POLICE, True, "correct", "person", duty(facts=frozenset({"name"})), None, "数源", "source"),
    (POLICE, False, "correct", "birth_certificate", duty(facts=frozenset({"child_sex"})), "source", "child_sex", "child_sex"),
    (RESIDENT, False, "correct", "person", Ask("self"), "fit", "工作人员", "Officials"),
]  # fmt: skip


@pytest.mark.parametrize(("who", "may", "what", "on", "when", "lacks", "zh", "en"), TABLE)
def test_a_verdict_says_everything(city, policy, who, may, what, on, when, lacks, zh, en):
    request = Request(who, what, on, when)
    told = policy.explained(request)
    assert told.allowed is may
    assert [one.kind for one in told.missing] == ([] if may else [lacks])
    law, _, article = told.law.partition(":")
    assert article in city.laws[law].articles
    assert told.law_zh.startswith("《")
    assert f"第 {article} 条" in told.law_zh or not article[0].isdigit()
    assert told.law_en
    assert told.rule == "no_rule" or told.rule in policy.rules
    chinese, english = policy.explain(request), policy.explain(request, "en")
    assert zh in chinese
    assert en in english
    assert told.law_zh in chinese
    assert told.law_en in english
    assert "张三" not in english, "what a caller wrote is not repeated"
    assert len(told.who_en) == len(told.who_zh)


def test_the_table_has_every_action_both_ways():
    seen = {(row[2], row[1]) for row in TABLE}
    assert seen == {(action, may) for action in typing.get_args(Action) for may in (True, False)}


def test_every_rule_of_the_city_has_its_english_sentence(city, policy):
    from dizuo.foundation.policy.explain import _rule_en

    for id in policy.rules:
        said = _rule_en(city, id)
        assert said.endswith(".")
        assert not said.startswith("Rule "), id
