"""Rules of the house about addresses and pages: each says what it is for, who may open it, and is walked by a story."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dizuo.doors import centre, citizen, data, desk
from dizuo.doors import open as open_door
from dizuo.web import Door, Route

ROOT = Path(__file__).resolve().parents[2]
DOORS: tuple[Door, ...] = (citizen.DOOR, desk.DOOR, centre.DOOR, data.DOOR, open_door.DOOR)
LINES = 25


def rows() -> Iterator[tuple[Door, Route]]:
    for door in DOORS:
        for route in door.routes:
            yield door, route


def test_there_are_five_doors() -> None:
    assert [door.name for door in DOORS] == ["citizen", "desk", "centre", "data", "open"]


@pytest.mark.parametrize(
    ("door", "route"), list(rows()), ids=lambda x: f"{x.method} {x.path}" if isinstance(x, Route) else x.name
)
def test_a_row_says_what_it_is_for_and_who_may(door: Door, route: Route) -> None:
    assert route.purpose.strip().endswith("."), "a purpose is a sentence"
    assert len(route.purpose.split()) >= 2
    assert route.who
    assert route.path == door.prefix or route.path.startswith(door.prefix.rstrip("/") + "/")


def test_whatever_changes_something_is_no_link() -> None:
    """A GET only looks: what acts is named by its verb and sent by POST, so that a link can never do it."""
    acting = re.compile(r"(_sent|_do|_post|_action|undo_|delete|submit)")
    wrong = [
        f"{r.method} {r.path}: {r.handler.__name__}"
        for _, r in rows()
        if r.method == "GET" and acting.search(r.handler.__name__)
    ]
    assert not wrong, wrong


def test_nothing_about_a_person_is_public() -> None:
    """Every address with somebody's case, data or document asks who is there."""
    personal = re.compile(r"\{(number|document|entry|consent|decision)[:}]|/me\b|/cases\b|/window\b")
    open_ = [f"{r.method} {r.path}" for _, r in rows() if r.who == "public" and personal.search(r.path)]
    assert not open_, open_


def test_handlers_are_short() -> None:
    """Parse, one engine call, render: what does not fit has become something else."""
    long: dict[str, int] = {}
    for _, route in rows():
        lines = len(inspect.getsourcelines(route.handler)[0])
        if lines > LINES:
            long[f"{route.handler.__module__}.{route.handler.__name__}"] = lines
    assert not long, long


def test_doors_hold_no_sql_but_in_query_files() -> None:
    statement = re.compile(r"\b(SELECT\s.+\sFROM|INSERT INTO|UPDATE\s\w+\sSET|DELETE FROM)\b")
    found = [
        f"{p.relative_to(ROOT)}:{n}"
        for p in (ROOT / "src" / "dizuo" / "doors").rglob("*.py")
        for n, line in enumerate(p.read_text(encoding="utf-8").splitlines(), 1)
        if statement.search(line)
    ]
    assert not found, found


def test_templates_hold_no_style_script_or_handler() -> None:
    """The content policy forbids them; here it is said at the line."""
    wrong = re.compile(r"\sstyle=|<style|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)")
    found = [
        f"{p.relative_to(ROOT)}:{n}: {line.strip()[:80]}"
        for p in (ROOT / "src" / "dizuo").rglob("templates/*.html")
        for n, line in enumerate(p.read_text(encoding="utf-8").splitlines(), 1)
        if wrong.search(line)
    ]
    assert not found, found


def test_templates_switch_no_escaping_off() -> None:
    found = [
        f"{p.relative_to(ROOT)}:{n}"
        for p in (ROOT / "src" / "dizuo").rglob("templates/*.html")
        for n, line in enumerate(p.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\|\s*safe\b|autoescape\s+false", line)
    ]
    assert not found, found


def test_every_form_of_a_template_carries_its_guard() -> None:
    found: list[str] = []
    for p in (ROOT / "src" / "dizuo").rglob("templates/*.html"):
        text = p.read_text(encoding="utf-8")
        for form in re.finditer(r"<form\b[^>]*method=\"post\"[^>]*>(.{0,200})", text, re.S):
            if "guard(" not in form[1]:
                found.append(f"{p.relative_to(ROOT)}: {form[0][:90]}")
    assert not found, found


def test_both_languages_say_the_same_things() -> None:
    """Every sentence of a door is there in both languages, with the same places to fill."""
    import yaml

    wrong: list[str] = []
    for zh in (ROOT / "src" / "dizuo").rglob("words.zh.yaml"):
        en = zh.with_name("words.en.yaml")
        ours, theirs = (yaml.safe_load(p.read_text(encoding="utf-8")) for p in (zh, en))
        for group in {*ours, *theirs}:
            for name in {*ours.get(group, {}), *theirs.get(group, {})}:
                a, b = ours.get(group, {}).get(name), theirs.get(group, {}).get(name)
                if a is None or b is None:
                    wrong.append(f"{zh.parent.name}: {group}.{name} is missing in one language")
                elif not set(re.findall(r"\{(\w+)\}", str(b))) <= set(re.findall(r"\{(\w+)\}", str(a))):
                    wrong.append(f"{zh.parent.name}: {group}.{name} fills different places")
    assert not wrong, wrong
