"""The reference page is the one that the shapes write."""

from __future__ import annotations

from pathlib import Path

from dizuo.foundation.blueprint import KINDS
from dizuo.foundation.blueprint.icons import ICONS
from dizuo.foundation.blueprint.reference import reference
from dizuo.web.icons import ICONS as DRAWN

PAGE = Path(__file__).parents[3] / "docs" / "know" / "declarations.md"


def test_the_page_agrees_with_the_shapes() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_every_kind_and_key_is_there() -> None:
    text = reference()
    for kind, record in KINDS.items():
        assert f"## `{kind}`" in text
        for key in record.keys:
            assert f"| `{key}` |" in text or key == "id"


def test_icons_are_those_that_are_drawn() -> None:
    assert set(DRAWN) == ICONS
