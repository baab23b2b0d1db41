"""A sentence in two languages: Chinese wherever text is wanted, English where a page asks for it."""

from __future__ import annotations

import re
from datetime import date

import pytest

from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.kernel.identity import CitizenId, InvalidCitizenId
from dizuo.foundation.kernel.names import InvalidName, PersonName
from dizuo.foundation.kernel.saying import Said, said_in
from dizuo.web.responses import json

CHINESE = re.compile(r"[\u3400-\u9fff]")


def test_it_is_chinese_text_and_knows_its_english() -> None:
    both = Said("请选一个。", "Please choose one.")
    assert (both, said_in(both, "zh"), said_in(both, "en")) == (
        "请选一个。",
        "请选一个。",
        "Please choose one.",
    )
    assert said_in("只有中文", "en") == "只有中文"
    assert {type(said_in(both, lang)) for lang in ("zh", "en")} == {str}


def test_an_error_is_told_in_plain_text() -> None:
    error = Invalid({"name": Said("请填写。", "Please answer.")})
    assert error.message == "请填写。"
    assert json(error.as_json()).body == json({**error.as_json(), "fields": {"name": "请填写。"}}).body
    assert json({"says": Said("好", "good")}).body == '{"says":"好"}'.encode()
    with pytest.raises(TypeError):
        json({"says": object()})


@pytest.mark.parametrize(
    "name",
    [
        "",
        "王" * 31,
        "王·",
        "王1",
        "W",
        "王😀",
        "王 明",
        "王\u200b明",
        "王⼀",
        "王\ue000",
        "王，",
        "王ж",
        "王\ufe00",
    ],
)
def test_every_complaint_about_a_name_has_english(name: str) -> None:
    with pytest.raises(InvalidName) as wrong:
        PersonName.check(name)
    (says,) = wrong.value.fields.values()
    english = said_in(says, "en")
    assert english != says
    assert not CHINESE.search(english.replace(name[-1:], ""))


@pytest.mark.parametrize(
    "number",
    [
        "1",
        "32021119900101001Y",
        "320211199013010012",
        "320211209901010012",
        "320211199001010011",
        "999999199001010019",
    ],
)
def test_every_complaint_about_an_identity_number_has_english(number: str) -> None:
    with pytest.raises(InvalidCitizenId) as wrong:
        CitizenId.parse(number, date(2026, 11, 23), lambda region, _: region == "320211")
    (says,) = wrong.value.fields.values()
    english = said_in(says, "en")
    assert english != says
    assert not CHINESE.search(english)
    assert "{" not in english
