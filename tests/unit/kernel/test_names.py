"""Names: rare characters and dots pass, everything else is named with its place and the way out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dizuo.foundation.kernel.names import InvalidName, PersonName, is_ideograph

ideographs = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF) | st.characters(
    min_codepoint=0x20000, max_codepoint=0x323AF
).filter(is_ideograph)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("王小明", "王小明"),
        (" 王小明\u3000", "王小明"),
        ("〇", "〇"),
        ("买买提•阿不都", "买买提·阿不都"),
        ("阿卜杜拉・买买提‧伊敏", "阿卜杜拉·买买提·伊敏"),
        ("𠮷田", "𠮷田"),  # extension B
        ("李\U0003106c", "李\U0003106c"),  # extension G
        ("王\U000313f0", "王\U000313f0"),  # extension H
        ("䶮", "䶮"),  # extension A
        ("\uf9d1小明", "六小明"),  # a compatibility ideograph has one canonical form
        ("﨑", "﨑"),  # one of the twelve that have none
        ("长" * 30, "长" * 30),
    ],
)
def test_names_that_people_have(text: str, normal: str):
    assert PersonName.check(text) == normal


@pytest.mark.parametrize(
    ("text", "words", "fix"),
    [
        ("", "请填写姓名", None),
        ("  \u3000", "请填写姓名", None),
        ("长" * 31, "最多 30 个字，您填了 31 个", "窗口"),
        ("长" * 10_000_000, "您填了 10000000 个", "窗口"),
        ("王a明", "第 2 个字“a”（U+0061）是字母", "外文姓名"),
        ("王Ａ", "第 2 个字“Ａ”（U+FF21）是字母", "外文姓名"),
        ("王1", "第 2 个字“1”（U+0031）是数字", "身份证件"),
        ("王①", "数字", "身份证件"),
        ("王😀", "第 2 个字“😀”（U+1F600）是表情", "身份证件"),
        ("王 明", "空格", "·"),
        ("王\u200b明", "（U+200B）是看不见的控制字符", "复制"),
        ("\u202e王明", "（U+202E）是看不见的控制字符", "复制"),
        ("王\x00明", "（U+0000）是看不见的控制字符", "复制"),
        ("王\u2066", "看不见", "复制"),
        ("葛\U000e0100", "（U+E0100）是看不见的字形选择符", "不可见"),
        ("王\ue000", "自造字", "窗口"),
        ("⽅明", "“⽅”（U+2F45）是部首符号", "“方”"),
        ("'; DROP TABLE person; --", "第 1 个字“'”（U+0027）是标点", "身份证件"),
        ("<script>", "第 1 个字“<”", "身份证件"),
        ("王。", "标点", "身份证件"),
        ("かな", "外文字母", "身份证件"),
        ("·王", "“·”只能写在两个字之间", "例如"),
        ("王··明", "“·”只能写在两个字之间", "例如"),
        ("·", "“·”只能写在两个字之间", "例如"),
    ],
)
def test_what_cannot_stand_in_a_name_is_named(text: str, words: str, fix: str | None):
    with pytest.raises(InvalidName) as caught:
        PersonName.check(text, field="child_name")
    assert words in caught.value.fields["child_name"]
    assert fix is None or fix in (caught.value.fix or "")


def test_the_length_is_the_citys_to_choose():
    assert PersonName.check("长" * 40, max_length=50)
    with pytest.raises(InvalidName):
        PersonName.check("王小明", max_length=2)


@given(st.lists(st.text(ideographs, min_size=1, max_size=6), min_size=1, max_size=4))
def test_any_ideographs_with_dots_between_are_a_name(parts: list[str]):
    normal = PersonName.check("•".join(parts))
    assert normal.count("·") == len(parts) - 1
    assert PersonName.check(normal) == normal


@given(st.text(max_size=40))
def test_no_text_does_anything_but_pass_or_be_refused(text: str):
    try:
        normal = PersonName.check(text)
    except InvalidName as error:
        told = error.fields["name"]
    else:
        told = "accepted"
        assert all(is_ideograph(c) or c == "·" for c in normal)
    assert told


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Maria  José", "Maria José"),
        ("O’Brien", "O'Brien"),
        ("Jean-Luc  Martin Jr.", "Jean-Luc Martin Jr."),
        ("Nguyễn Văn A", "Nguyễn Văn A"),
        ("Ma\u0301ria", "Mária"),
    ],
)
def test_latin_names(text: str, normal: str):
    assert PersonName.check_latin(text) == normal


@pytest.mark.parametrize(
    "text", ["", "王小明", "Иван", "R2D2", "<b>", "-Anna", "Anna-", "A\u200bB", "Ａｎｎａ1"]
)
def test_what_is_not_a_latin_name(text: str):
    with pytest.raises(InvalidName):
        PersonName.check_latin(text)
