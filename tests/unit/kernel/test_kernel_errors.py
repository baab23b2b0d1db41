"""The error families speak: message from the docstring, code, fix, JSON."""

from __future__ import annotations

import msgspec
import pytest

from dizuo.foundation.kernel.errors import (
    Conflict,
    DizuoError,
    Invalid,
    NotFound,
    Refused,
    SignInNeeded,
    Stale,
    Unavailable,
)


class CaseClosed(Conflict):
    """办件 {case} 已经办结，
    不能再改。

    Raised by actions; never shown twice.
    """

    fix = "请就 {case} 重新提出申请。"


class USCCTaken(Conflict):
    """代码已被使用。"""


class Quiet(CaseClosed):
    pass


def test_the_docstring_is_the_message_and_only_its_first_paragraph():
    error = CaseClosed(case="WX1")
    assert error.message == "办件 WX1 已经办结， 不能再改。"
    assert error.fix == "请就 WX1 重新提出申请。"
    assert str(error) == "办件 WX1 已经办结， 不能再改。 请就 WX1 重新提出申请。"


def test_a_given_message_is_not_a_template():
    assert CaseClosed("{case}", case="x").message == "{case}"


def test_filled_values_are_not_templates_either():
    assert "{0.__class__}" in CaseClosed(case="{0.__class__}").message


def test_a_place_that_nobody_filled_stays_visible_instead_of_raising():
    assert "{case}" in CaseClosed(other=1).message


def test_a_class_without_a_docstring_speaks_as_its_parent_but_has_its_own_code():
    assert Quiet(case="A").message == "办件 A 已经办结， 不能再改。"
    assert Quiet.code == "quiet"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (CaseClosed, "case_closed"),
        (USCCTaken, "uscc_taken"),
        (SignInNeeded, "sign_in_needed"),
        (DizuoError, "dizuo_error"),
    ],
)
def test_code_is_the_snake_case_of_the_class(kind: type[DizuoError], code: str):
    assert kind.code == code


@pytest.mark.parametrize(
    ("error", "http"),
    [
        (Invalid({"name": "请填写姓名。"}), 422),
        (SignInNeeded(), 401),
        (Refused("purpose", "个人信息保护法第六条"), 403),
        (NotFound(), 404),
        (Conflict(), 409),
        (Stale(), 409),
        (Unavailable(30), 503),
    ],
)
def test_every_family_has_its_status_and_survives_json(error: DizuoError, http: int):
    assert error.http == http
    body = msgspec.json.decode(msgspec.json.encode(error.as_json()))
    assert body["ok"] is False
    assert body["code"] == error.code
    assert body["message"]
    assert set(body) >= {"ok", "code", "message", "fields", "fix"}


def test_invalid_carries_fields_and_one_field_is_the_message():
    one = Invalid({"name": "请填写姓名。"})
    assert one.message == "请填写姓名。"
    two = Invalid({"name": "a", "born": "b"}, fix="请改。")
    assert two.message == "填写的内容有问题，请按提示修改。"
    assert two.as_json()["fields"] == {"name": "a", "born": "b"}
    assert two.as_json()["fix"] == "请改。"


def test_refused_and_unavailable_tell_what_a_caller_needs():
    assert Refused("r1", "某法第一条").as_json()["law"] == "某法第一条"
    assert Unavailable(7).as_json()["retry_after"] == 7
    assert issubclass(Stale, Conflict)
