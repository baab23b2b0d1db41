"""Identifiers: published examples, every single slip, and what a masked number still tells."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.kernel.identity import (
    CitizenId,
    CitizenIdBirthDate,
    CitizenIdCharacter,
    CitizenIdCheckDigit,
    CitizenIdFuture,
    CitizenIdLength,
    CitizenIdRegion,
    InvalidUnifiedCode,
    Sex,
    UnifiedCode,
    citizen_check_digit,
    mask,
    org_check_character,
    uscc_check_character,
)

TODAY = date(2026, 11, 23)
EXAMPLE = "11010519491231002X"  # the example of GB 11643-1999
LIUXI = date(2016, 2, 20)  # 320202 崇安, 320203 南长 and 320204 北塘 became 320213 梁溪


def in_force(code: str, on: date) -> bool:
    if code in ("320202", "320203", "320204"):
        return on < LIUXI
    return code == "320211" or (code == "320213" and on >= LIUXI) or code == "110105"


bodies = st.builds(
    lambda region, birth, sequence: f"{region}{birth:%Y%m%d}{sequence:03}",
    st.sampled_from(["320211", "110105"]),
    st.dates(date(1900, 1, 1), TODAY),
    st.integers(1, 999),
)


def test_the_example_of_the_standard():
    parsed = CitizenId.parse(EXAMPLE, TODAY, in_force)
    assert (parsed.region, parsed.birth, parsed.sex) == ("110105", date(1949, 12, 31), Sex.FEMALE)
    assert parsed.value == EXAMPLE
    assert parsed.sex.code == "2"


@pytest.mark.parametrize(
    "text",
    [
        "11010519491231002x",
        " 110105 19491231 002X ",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105-19491231-002X",
    ],
)
def test_what_a_person_means_is_understood(text: str):
    assert CitizenId.parse(text, TODAY).value == EXAMPLE


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("", CitizenIdLength, "您填了 0 位"),
        ("1101051949123100", CitizenIdLength, "您填了 16 位"),
        ("9" * 10_000_000, CitizenIdLength, "您填了 10000000 位"),
        ("1101051949123100A2", CitizenIdCharacter, "第 17 位“A”"),
        ("X10105194912310021", CitizenIdCharacter, "第 1 位“X”"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢٢", CitizenIdCharacter, "第 1 位"),
        ("110105194913310028", CitizenIdBirthDate, "19491331"),
        ("110105202302290011", CitizenIdBirthDate, "20230229"),
        ("110105202611240010", CitizenIdFuture, "2026-11-24"),
        ("110105194912310021", CitizenIdCheckDigit, "校验码"),
    ],
)
def test_each_slip_has_its_own_sentence(text: str, kind: type[Invalid], words: str):
    with pytest.raises(kind) as caught:
        CitizenId.parse(text, TODAY, field="mother_id")
    assert words in caught.value.fields["mother_id"]
    assert caught.value.fix
    assert caught.value.code.startswith("citizen_id_")


def test_the_region_must_have_been_in_force_at_birth():
    def number(region: str, birth: str) -> str:
        body = f"{region}{birth}001"
        return body + citizen_check_digit(body)

    assert CitizenId.parse(number("320203", "19900101"), TODAY, in_force).region == "320203"
    assert CitizenId.parse(number("320213", "20200101"), TODAY, in_force)
    for region, birth in (("320203", "20200101"), ("320213", "19900101"), ("999999", "19900101")):
        with pytest.raises(CitizenIdRegion, match=region):
            CitizenId.parse(number(region, birth), TODAY, in_force)


def test_fifteen_digits_are_brought_to_eighteen():
    parsed = CitizenId.parse("110105491231002", TODAY)
    assert parsed.value == EXAMPLE
    assert parsed.from_fifteen
    assert CitizenId.parse("110105001231997", TODAY).birth == date(1800, 12, 31)
    with pytest.raises(CitizenIdCharacter):
        CitizenId.parse("11010549123100X", TODAY)


@given(bodies)
def test_every_well_formed_number_is_accepted(body: str):
    number = body + citizen_check_digit(body)
    parsed = CitizenId.parse(number, TODAY, in_force)
    assert parsed.value == number
    assert parsed.birth == date.fromisoformat(f"{body[6:10]}-{body[10:12]}-{body[12:14]}")


@given(bodies, st.integers(0, 16), st.integers(1, 9))
def test_every_single_wrong_digit_is_found(body: str, place: int, by: int):
    wrong = body[:place] + str((int(body[place]) + by) % 10) + body[place + 1 :]
    with pytest.raises(Invalid):
        CitizenId.parse(wrong + citizen_check_digit(body), TODAY)


@given(bodies, st.integers(0, 15))
def test_every_swap_of_neighbours_is_found(body: str, place: int):
    if body[place] == body[place + 1]:
        return
    wrong = body[:place] + body[place + 1] + body[place] + body[place + 2 :]
    with pytest.raises(Invalid):
        CitizenId.parse(wrong + citizen_check_digit(body), TODAY)


def test_a_number_does_not_leak_into_logs():
    parsed = CitizenId.parse(EXAMPLE, TODAY)
    assert str(parsed) == parsed.mask() == "110105********002X"
    assert EXAMPLE not in repr(parsed)
    assert EXAMPLE not in f"{parsed} {[parsed]} {parsed!r}"
    assert mask("320211202401011026") == "320211********1026"
    assert mask("1234567") == "1******"
    assert mask("") == ""


@pytest.mark.parametrize(
    ("code", "org"), [("91350100M000100Y43", "M000100Y-4"), ("91110000802100433B", "80210043-3")]
)
def test_unified_codes(code: str, org: str):
    parsed = UnifiedCode.parse(f" {code.lower()} ")
    assert (parsed.value, parsed.org_code, parsed.region) == (code, org, code[2:8])
    assert (parsed.authority, parsed.kind) == ("9", "1")
    assert str(parsed) == code


def test_the_example_of_the_organisation_code():
    assert org_check_character("D2143569") == "X"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("9135", "您填了 4 位"),
        ("9135010OM000100Y43", "第 8 位“O”不对：不使用字母"),
        ("91350100M000100Z43", "第 16 位“Z”"),
        ("91350100M000100Y44", "校验码不对，可能"),
        ("9" * 1_000_000, "1000000"),
    ],
)
def test_unified_code_slips(text: str, words: str):
    with pytest.raises(InvalidUnifiedCode) as caught:
        UnifiedCode.parse(text)
    assert words in caught.value.fields["uscc"]


def test_the_organisation_code_inside_is_checked_too():
    body = "91350100M000100Y5"  # its own check character would be 4
    with pytest.raises(InvalidUnifiedCode, match="组织机构代码"):
        UnifiedCode.parse(body + uscc_check_character(body))


@given(
    st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8), st.integers(100000, 999999)
)
def test_a_code_made_by_the_rules_is_accepted_and_any_changed_character_is_not(org: str, region: int):
    body = f"91{region}{org}{org_check_character(org)}"
    code = body + uscc_check_character(body)
    assert UnifiedCode.parse(code).value == code
    for place in range(18):
        other = "1" if code[place] != "1" else "2"
        with pytest.raises(InvalidUnifiedCode):
            UnifiedCode.parse(code[:place] + other + code[place + 1 :])
