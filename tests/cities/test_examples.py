"""An example that does not hold is told with its place, what was expected and what came out; for each key that it may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dizuo.engines.cases import run_examples
from dizuo.engines.cases.examples import CHECKS
from dizuo.foundation.blueprint import City, Example, check_city, load_examples
from dizuo.foundation.blueprint.kinds_example import THEN_KEYS

WUXI = Path(__file__).resolve().parents[2] / "cities" / "wuxi"
WANG = "父母都在本市，随父落户：问 5 个，5 个工作日办完"
UNANSWERED = "还没回答：先只问要问的，日期照样算"
REGISTERED = "宝宝已经登记过：不能再办"
TWINS = "双胞胎：先选是哪一个宝宝"
NOT_FROM_HERE = "父母户口都不在无锡，住在无锡：只办预防接种，另看报销和津贴"
PAID = "妈妈参加居民医保、出院时已直接结算：没有生育津贴，报销已经办过"
ADDRESS = "户籍地址 402 室，不动产登记 420 室：要人判断一处"


@pytest.fixture(scope="module")
def city() -> City:
    found = check_city(WUXI).city
    assert found is not None
    return found


def said(city: City, name: str, **then: Any) -> list[str]:
    """What is told when the example of that name expects this instead."""
    example: Example = next(e for e in load_examples(WUXI, "newborn") if e.name == name)
    findings = run_examples(city, [example._replace(then=then)])
    assert all(finding.code == "example-fails" for finding in findings)
    assert all(finding.place == example.place for finding in findings)
    return [finding.message.removeprefix(f"例子“{name}”：") for finding in findings]


def test_the_planner_answers_to_every_key_that_an_example_may_hold() -> None:
    assert set(CHECKS) == THEN_KEYS


@pytest.mark.parametrize(
    ("name", "right", "wrong", "message"),
    [
        (WANG, {"exceptions": []}, {"exceptions": ["household.marriage"]},
         "exceptions 应当是 [household.marriage]，算出来是 []。"),
        (ADDRESS, {"exceptions": ["household.father_address"]}, {"exceptions": []},
         "exceptions 应当是 []，算出来是 [household.father_address]。"),
        (PAID, {"done_already": ["cost", "certificate"]}, {"done_already": ["certificate"]},
         "done_already 应当是 [certificate]，算出来是 [certificate, cost]。"),
        (WANG, {"counts": {"asked": 5, "visits": 0}}, {"counts": {"visits": 1}}, "counts 应当是 {visits: 1}，算出来是 {visits: 0}。"),
        (WANG, {"waits": {"card": ["household"]}}, {"waits": {"card": []}}, "waits 应当是 {card: []}，算出来是 {card: [household]}。"),
        (WANG, {"values": {"child_name": "王沐言"}}, {"values": {"child_name": "林沐言"}},
         "values 应当是 {child_name: 林沐言}，算出来是 {child_name: 王沐言}。"),
        (WANG, {"reads": ["mother.name", "father.name"]}, {"reads": ["mother_medical.diagnosis"]}, "reads 应当是"),
        (WANG, {"not_read_includes": ["certificate.weight_g"]}, {"not_read_includes": ["mother.name"]},
         "not_read_includes 应当是"),
        (WANG, {"not_asked": ["phone"]}, {"not_asked": ["surname"]}, "not_asked 应当是 [surname]"),
        (WANG, {"silent": [], "errors": [], "choose": []}, {"errors": ["clinic"]}, "errors 应当是 [clinic]，算出来是 []。"),
        (UNANSWERED, {"errors": ["surname", "given_name", "household_with", "clinic", "delivery"]}, {"errors": []},
         "errors 应当是 []，算出来是 [clinic, delivery, given_name, household_with, surname]。"),
        (TWINS, {"choose": ["certificate"]}, {"choose": []}, "choose 应当是 []，算出来是 [certificate]。"),
        (WANG, {"eligible": True}, {"eligible": False}, "eligible 应当是 False，算出来是 True。"),
        (WANG, {"where": "320213021"}, {"where": "320211004"}, "where 应当是 320211004，算出来是 320213021。"),
        (WANG, {"promised": "2026-11-30"}, {"promised": "2026-12-01"}, "promised 应当是 2026-12-01，算出来是 2026-11-30。"),
        (NOT_FROM_HERE, {"documents": ["vaccination_record", "cost_notice", "allowance_notice"]}, {"documents": []}, "documents 应当是 []"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_told(
    city: City, name: str, right: dict[str, Any], wrong: dict[str, Any], message: str
) -> None:
    assert said(city, name, **right) == []
    [told] = said(city, name, **wrong)
    assert told.startswith(message)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            UNANSWERED,
            "还不能提交（还缺 clinic、delivery、given_name、household_with、surname），说不出有哪些例外。",
        ),
        (REGISTERED, "还不能提交（不符合办理条件），说不出有哪些例外。"),
        (
            TWINS,
            "还不能提交（还缺 certificate、clinic、delivery、given_name、household_with、surname），说不出有哪些例外。",
        ),
    ],
)
def test_exceptions_are_only_of_what_can_be_submitted(city: City, name: str, why: str) -> None:
    assert said(city, name, exceptions=[]) == [why]
