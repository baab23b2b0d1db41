"""Preferences, tokens, forms, words and formats by themselves."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_world import World

from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.web.errors import BadForm
from dizuo.web.format import day, masked, moment, phrases, short_day
from dizuo.web.forms import human_size, parse
from dizuo.web.preferences import DEFAULT, Preferences, changed, from_cookie, link, local_path
from dizuo.web.tokens import csrf_ok, csrf_token
from dizuo.web.words import differences, fill, load_words

FORM = "application/x-www-form-urlencoded"


def test_preferences_survive_their_cookie() -> None:
    chosen = Preferences(view="elder", theme="dark", lang="en")
    assert from_cookie(chosen.cookie()) == chosen
    assert from_cookie("elder.dark") == DEFAULT
    assert from_cookie("<script>") == DEFAULT


def test_a_preference_link_comes_back_to_the_same_page() -> None:
    target = link("view", "elder", "/search?q=宝宝")
    preferences, back = changed(target.partition("?")[2], DEFAULT)
    assert preferences.elder
    assert back == "/search?q=宝宝"
    assert changed("view=huge&back=/x", DEFAULT) == (DEFAULT, "/x")


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/a\nb",
        "/\t/x",
        None,
    ],
)
def test_no_open_redirect(target: str | None) -> None:
    assert local_path(target) == "/"


async def test_choosing_a_view_by_link(world: World) -> None:
    answer = await world.client.get("/-/prefer?view=elder&back=/form%3Ftext%3D1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/form?text=1"
    html = (await world.client.get("/form")).text
    assert 'data-view="elder"' in html


@given(st.binary(max_size=60), st.text(max_size=40))
def test_no_token_but_our_own_passes(raw: bytes, action: str) -> None:
    key = b"k" * 32
    token = csrf_token(key, action)
    assert csrf_ok(key, action, token)
    assert not csrf_ok(b"j" * 32, action, token)
    assert not csrf_ok(key, action + "x", token)
    assert not csrf_ok(key, action, raw.decode("latin-1"))
    assert csrf_token(key, action) != token


def test_names_pass_a_form_untouched() -> None:
    form = parse("name=阿依古丽·买买提&rare=𠮷㙓&e=e%CC%81".encode("ascii", "ignore") or b"", FORM)
    assert form.text("name") == "" or form  # ascii only on the wire
    from urllib.parse import urlencode

    sent = urlencode({"name": "阿依古丽·买买提", "rare": "𠮷㙓", "nfd": "e\u0301", "lines": "一\r\n二"})
    form = parse(sent.encode("ascii"), FORM)
    assert form.text("name") == "阿依古丽·买买提"
    assert form.text("rare") == "𠮷㙓"
    assert form.text("nfd") == "é"
    assert form.text("lines") == "一\n二"
    assert form.text("absent") == ""


@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_a_clear_refusal(raw: bytes) -> None:
    try:
        form = parse(raw, FORM)
    except BadForm:
        return
    for name in form:
        assert "\x00" not in form.text(name)


def test_sizes() -> None:
    assert human_size(256 * 1024) == "256 KB"
    assert human_size(10 * 1024 * 1024) == "10 MB"


def test_words_must_agree(tmp_path: Path) -> None:
    (tmp_path / "words.zh.yaml").write_text("a:\n  x: 有 {n} 项\n  y: 好\n", encoding="utf-8")
    (tmp_path / "words.en.yaml").write_text("a:\n  x: items\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.y is only in one language; a\.x has other places"):
        load_words(tmp_path)
    assert differences({"a": {"x": "{n}"}}, {"a": {"x": "{n}s"}}) == []


def test_fill_leaves_unknown_places_visible() -> None:
    assert fill("有 {n} 项，{what}", n=3) == "有 3 项，{what}"
    assert fill("{a.b} {}", a=1) == "{a.b} {}"


def test_dates_as_people_read_them() -> None:
    when = dt.datetime(2026, 11, 16, 8, 42, tzinfo=SHANGHAI)
    assert moment(when) == "2026 年 11 月 16 日 08:42"
    assert moment(when.astimezone(dt.UTC)) == "2026 年 11 月 16 日 08:42"
    assert day("2026-11-16") == "2026 年 11 月 16 日"
    assert day(dt.date(2026, 11, 16), "en") == "16 November 2026"
    assert short_day(dt.date(2026, 11, 16)) == "11 月 16 日（周一）"
    assert day("不详") == "不详"
    assert day(None) == ""


def test_identity_numbers_are_masked() -> None:
    assert masked("320211199003071026") == "320211********1026"
    assert masked("1234") == "****"
    assert masked(None) == ""


def test_headings_keep_their_phrases() -> None:
    assert (
        phrases("恭喜！请确认宝宝的信息")
        == '<span class="nb">恭喜！</span><span class="nb">请确认宝宝的信息</span>'
    )
    assert phrases("Sign|in") == '<span class="nb">Sign</span> <span class="nb">in</span>'
    assert phrases("<b>|x") == '<span class="nb">&lt;b&gt;</span> <span class="nb">x</span>'
