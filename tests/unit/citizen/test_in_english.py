"""What an English page says of Chinese things, and how it marks what stays Chinese."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dizuo.doors.citizen.declared import answer_said, document_said, title_said
from dizuo.doors.citizen.han import marked
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.blueprint.hours import hours_said
from dizuo.foundation.blueprint.model import Words

MARK = '<span lang="zh-CN">'


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(Path(__file__).resolve().parents[3] / "cities" / "wuxi")


def marks(html: str) -> list[str]:
    return re.findall(f"{MARK}(.*?)</span>", marked(html))


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<p>Good evening, 晓晴.</p>", ["晓晴"]),
        ("<dd>无锡市梁溪区中山路158号3幢402室</dd>", ["无锡市梁溪区中山路158号3幢402室"]),
        ("<dd>《民法典》, art. 1015</dd>", ["《民法典》"]),
        ("<p>阿依古丽·吐尔逊 asks; 沈𬭎 answers</p>", ["阿依古丽·吐尔逊", "沈𬭎"]),
        ("<p>By post &amp; on 23 November</p>", []),
        ("<title>王</title><textarea>王</textarea><option>王</option><p>王</p>", ["王"]),
        ('<input value="王"><a lang="zh-CN" href="/">中文</a>', []),
        ("<p>王<b>沐言</b>。</p>", ["王", "沐言"]),
    ],
)
def test_each_run_is_marked_once(html: str, found: list[str]) -> None:
    assert marks(html) == found
    # Nothing but marks is added, and nothing is lost.
    assert marked(html).replace(MARK, "").replace("</span>", "") == html


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ("工作日 8:30–12:00、13:30–17:30", "Workdays 8:30–12:00, 13:30–17:30"),
        ("周二至周六 8:00–11:30", "Tue–Sat 8:00–11:30"),
        ("周一、三、五 8:00–11:30", "Mon, Wed, Fri 8:00–11:30"),
        ("周末请预约", "周末请预约"),
    ],
)
def test_opening_hours(hours: str, said: str) -> None:
    assert hours_said(hours, "en") == said
    assert hours_said(hours, "zh") == hours


def test_every_place_of_the_city_says_its_hours_in_english(city: City) -> None:
    hours = {place.hours for places in city.places.values() for place in places if place.hours}
    assert hours
    assert not [one for one in hours if re.search(r"[\u4e00-\u9fff]", hours_said(one, "en"))]


def test_titles_lead_with_the_matter(city: City) -> None:
    assert title_said(city, "王沐言，新生儿出生一件事", "en") == "A baby is born · 王沐言"
    assert title_said(city, "新生儿出生一件事", "en") == "A baby is born"
    assert title_said(city, "王沐言，新生儿出生一件事", "zh") == "王沐言，新生儿出生一件事"
    assert title_said(city, "a matter that was retired", "en") == "a matter that was retired"


def test_documents_say_what_they_are(city: City) -> None:
    named = document_said(city, "老年人优待证", "en")
    assert named == "Senior card (老年人优待证)"
    assert document_said(city, "老年人优待证", "zh") == "老年人优待证"


def test_answers_are_the_options_words(city: City) -> None:
    questions = {q.id: q for q in city.matters["newborn"].questions}
    plain = {"father": "the father", "mother": "the mother", "is_true": "Yes", "is_false": "No"}
    household = questions["household_with"].asks
    assert answer_said(city, household, "跟爸爸", "en", plain) == "With the father"
    assert answer_said(city, questions["surname"].asks, "爸爸", "en", plain) == "the father"
    # A name stays a name, also one that looks like a word of ours.
    assert answer_said(city, questions["given_name"].asks, "沐言", "en", plain) == "沐言"
    assert answer_said(city, Words("没有这个问题"), "跟爸爸", "en", plain) == "跟爸爸"
