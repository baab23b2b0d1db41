"""Every template renders within its budget; handlers are short; words say the same in both languages."""

from __future__ import annotations

import ast
import gzip
from pathlib import Path

import pytest
from minijinja import Markup
from planned import NOW, templates, view

from dizuo.doors.citizen import DOOR
from dizuo.web import Preferences, Shell, Site
from dizuo.web.words import load_words

PAGES = Path(str(DOOR.folder))
SHELL = Shell([DOOR], site=Site("无锡市", "Wuxi", "12345", demonstration=True), secret=b"s" * 32)


def rendered(lang: str, name: str, **context: object) -> str:
    shared: dict[str, object] = {
        "p": Preferences(lang="en" if lang == "en" else "zh"),
        "site": Site("无锡市", "Wuxi", "12345", demonstration=True),
        "css": [],
        "me": None,
        "path": "/",
        "back": "/",
        "prefer": lambda *_: "/-/prefer",
        "guard": lambda *_: Markup(""),
        "once": lambda *_: Markup(""),
        "now": NOW,
        "here": "",
        "acting": "",
    }
    return templates().render(lang, name, {**shared, **context})


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_form_is_within_twenty_kilobytes(lang: str) -> None:
    html = rendered(lang, "form.html", v=view(lang=lang))
    assert len(gzip.compress(html.encode(), 6)) < 20_000
    assert html.count("<h1") == 1
    assert 'id="main"' in html
    assert "style=" not in html


def test_style_is_within_ten_kilobytes() -> None:
    total = sum(len(SHELL.static.named(name).gzipped or b"") for name in ("ui.css", *DOOR.css))
    assert total < 10_000


def test_style_keeps_to_chromium_90() -> None:
    for name in ("ui.css", *DOOR.css):
        css = SHELL.static.named(name).raw.decode()
        for newer in (":has(", "@container", "color-mix(", "light-dark(", "@layer", "&:"):
            assert newer not in css, f"{name}: {newer}"
        assert "@import" not in css
        assert "http:" not in css


def test_words_agree() -> None:
    load_words(PAGES)


def test_no_script_is_sent_to_citizens() -> None:
    assert not DOOR.scripts
    for path in (PAGES / "templates").rglob("*.html"):
        assert "<script" not in path.read_text(encoding="utf-8"), path.name


def test_handlers_are_short() -> None:
    for path in PAGES.glob("pages_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = [
                    part
                    for part in node.body
                    if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
                ]
                lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                assert lines <= 25, f"{path.name}: {node.name} has {lines} lines"
