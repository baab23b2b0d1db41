"""Finding matters in everyday words, reading forms, declared words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import city

from dizuo.doors.citizen.declared import length
from dizuo.doors.citizen.forms import draft_id, form_sent, number
from dizuo.doors.citizen.search import SearchIndex
from dizuo.foundation.blueprint.citing import articles_text, law_text
from dizuo.foundation.blueprint.model import Length
from dizuo.web import Form


@pytest.mark.parametrize(
    ("query", "matter"),
    [
        ("给宝宝上户口", "newborn"),
        ("我想给孩子上户口怎么办", "newborn"),
        ("生育津贴", "newborn"),
        ("打疫苗", "newborn"),
        ("新生儿", "newborn"),
        ("开饭店", "restaurant"),
        ("我要开一个小饭店，怎么办？", "restaurant"),
        ("食品经营许可", "restaurant"),
        ("招牌", "restaurant"),
        ("老年证", "senior"),
        ("高龄津贴", "senior"),
        ("newborn", "newborn"),
        ("ＮＥＷＢＯＲＮ", "newborn"),
    ],
)
def test_everyday_words_find_the_matter_first(query: str, matter: str) -> None:
    hits = SearchIndex(city()).find(query)
    assert hits
    assert hits[0].matter == matter, hits


@pytest.mark.parametrize("query", ["", "   ", "。？！", "xyzzy", "量子力学"])
def test_nothing_is_found_for_nothing(query: str) -> None:
    assert SearchIndex(city()).find(query) == []


@given(st.text(max_size=100))
def test_any_query_is_answered(query: str) -> None:
    hits = SearchIndex(city()).find(query)
    assert len({hit.matter for hit in hits}) == len(hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_sent_form_is_read_and_an_unknown_button_saves() -> None:
    sent = form_sent(
        Form(
            [
                ("a.given_name", "沐言"),
                ("g.certificate", "Q1"),
                ("agree", "yes"),
                ("draft", "3bdf5679-3af2-4236-9544-9a1049b14d0d"),
                ("version", "2"),
                ("step", "3"),
                ("do", "explode"),
            ]
        )
    )
    assert sent.answers == {"given_name": "沐言"}
    assert sent.given == {"certificate": "Q1"}
    assert sent.agreed
    assert (sent.do, sent.version, sent.step) == ("save", 2, 3)


@pytest.mark.parametrize("text", ["", "-1", "1e9", "１２", "9" * 30, "x", "' or 1=1"])
def test_hidden_numbers_are_numbers_or_nothing(text: str) -> None:
    assert number(text) == 0


def test_a_draft_id_has_its_shape_or_is_nothing() -> None:
    assert draft_id("3bdf5679-3af2-4236-9544-9a1049b14d0d")
    assert draft_id("../../etc/passwd") == ""


def test_lengths_and_articles_as_people_read_them() -> None:
    assert length(Length(3, "workday"), "zh") == "3 个工作日"
    assert length(Length(1, "month"), "en") == "1 month"
    assert articles_text(city(), "hukou-1958", ["6", "7"]) == "《户口登记条例》第 6、7 条"
    assert (
        articles_text(city(), "hukou-1958", ["6", "7"], "en")
        == "Regulations on Household Registration, art. 6, 7"
    )
    assert articles_text(city(), "unknown-law", [""]) == "《unknown-law》"
    assert law_text(city(), "pipl-2021:13", "en") == "Personal Information Protection Law, art. 13"
    assert law_text(city(), "pipl-2021:13") == "《个人信息保护法》第 13 条"
    assert law_text(city(), "窗口的规定", "en") == "窗口的规定"  # no citation: as written
