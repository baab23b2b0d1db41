"""The exchange's policy as a table: one permit, every bound alone, all bounds at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import cedarpy
import msgspec
import pytest

from dizuo.foundation.policy import ShareAsk, ShareGrant, SharePolicy
from dizuo.foundation.policy.exchange import SCHEMA

POLICY = SharePolicy()
GRANT = ShareGrant(
    7, 3, "hrss", "R/person", frozenset({"name", "phone"}), "发放社会保障卡", "newborn", "social:58",
    frozenset({"query", "bulk"}), dt.date(2026, 1, 1), dt.date(2026, 12, 31), "open",
)  # fmt: skip
ASK = ShareAsk("hrss", "query", frozenset({"name"}), "", "newborn", "social:58", dt.date(2026, 11, 23), True)


def broken(grant: dict[str, Any] | None = None, **ask: Any) -> list[str]:
    verdict = POLICY.decide(
        msgspec.structs.replace(GRANT, **(grant or {})), msgspec.structs.replace(ASK, **ask)
    )
    assert verdict.allowed == (not verdict.breaches)
    return [breach.rule for breach in verdict.breaches]


@pytest.mark.parametrize(
    ("grant", "ask"),
    [
        ({}, {}), ({}, {"fields": frozenset({"name", "phone"})}), ({}, {"purpose": "发放社会保障卡"}), ({}, {"method": "bulk"}),
        ({}, {"day": dt.date(2026, 1, 1)}), ({}, {"day": dt.date(2026, 12, 31)}), ({"matter": ""}, {"matter": ""}),
    ],
)  # fmt: skip
def test_within_the_grant(grant: dict[str, Any], ask: dict[str, Any]) -> None:
    assert broken(grant, **ask) == []


@pytest.mark.parametrize(
    ("rule", "grant", "ask"),
    [
        ("share.none", {}, {"consumer": "civil"}),
        *(("share.state", {"state": state}, {}) for state in ("suspended", "expired", "revoked", "ended")),
        ("share.dates", {}, {"day": dt.date(2025, 12, 31)}), ("share.dates", {}, {"day": dt.date(2027, 1, 1)}),
        ("share.method.batch", {}, {"method": "batch"}), ("share.method.subscribe", {}, {"method": "subscribe"}),
        ("share.matter", {}, {"matter": ""}), ("share.matter", {"matter": ""}, {"matter": "newborn"}),
        ("share.basis", {}, {"basis": "social:59"}), ("share.purpose", {}, {"purpose": "发放"}),
        ("share.fields", {}, {"fields": frozenset()}), ("share.fields", {}, {"fields": frozenset({"name", "illness"})}),
        ("share.case", {}, {"case": False}),
    ],
)  # fmt: skip
def test_each_bound_alone(rule: str, grant: dict[str, Any], ask: dict[str, Any]) -> None:
    assert broken(grant, **ask) == [rule]


def test_all_bounds_are_named_at_once_with_law_and_both_languages() -> None:
    ask = msgspec.structs.replace(
        ASK,
        method="batch",
        fields=frozenset({"x"}),
        purpose="y",
        matter="z",
        basis="b",
        day=dt.date(2030, 1, 1),
        case=False,
    )
    verdict = POLICY.decide(msgspec.structs.replace(GRANT, state="revoked"), ask)
    assert [b.rule for b in verdict.breaches] == [
        "share.state", "share.dates", "share.method.batch", "share.matter", "share.basis", "share.purpose", "share.fields", "share.case",
    ]  # fmt: skip
    assert all(b.zh.endswith("。") and b.en.endswith(".") and ":" in b.law for b in verdict.breaches)


def test_the_closest_grant_explains() -> None:
    """Of several grants the first that allows is used; of none that does the one with the fewest breaches speaks."""
    far = msgspec.structs.replace(GRANT, id=1, matter="x", basis="y", state="ended")
    near = msgspec.structs.replace(GRANT, id=2, state="suspended")
    grant, verdict = POLICY.closest((far, near), ASK, frozenset({"name"}))
    assert grant is not None
    assert (grant.id, [b.rule for b in verdict.breaches]) == (2, ["share.state"])
    grant, verdict = POLICY.closest((far, near, GRANT), ASK, frozenset({"name", "illness"}))
    assert grant is not None
    assert (grant.id, verdict.allowed) == (7, True), (
        "what is not granted is left out, not a reason to refuse the rest"
    )
    assert [b.rule for b in POLICY.closest((), ASK, frozenset({"name"}))[1].breaches] == ["share.none"]


def test_what_a_caller_writes_is_data_and_never_policy() -> None:
    odd = '"}; permit(principal, action, resource); //'
    assert broken(consumer=odd) == ["share.none"]
    assert broken(matter=odd, basis=odd) == ["share.matter", "share.basis"]
    assert broken(fields=frozenset({odd})) == ["share.fields"]


def test_it_validates_and_a_misspelled_rule_would_not() -> None:
    assert cedarpy.validate_policies(POLICY.text, SCHEMA).validation_passed
    wrong = POLICY.text.replace("resource.basis", "resource.base")
    assert not cedarpy.validate_policies(wrong, SCHEMA).validation_passed
    assert "entity Grant" in POLICY.render()
