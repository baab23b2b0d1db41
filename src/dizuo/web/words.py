"""Every sentence a person reads, kept as text in ``words.zh.yaml`` and ``words.en.yaml`` beside the pages.

Files are two levels deep: page → key → sentence. A sentence may have ``{named}`` places. English must have exactly
the keys and places of Chinese; a difference stops the start, not a reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import cast

import yaml

LANGUAGES = ("zh", "en")
Sentences = Mapping[str, Mapping[str, str]]
PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


def load_words(folder: Path) -> dict[str, dict[str, dict[str, str]]]:
    """Language → page → key → sentence. Errors: ValueError naming every key that one language lacks."""
    both = {language: _read(folder / f"words.{language}.yaml") for language in LANGUAGES}
    wrong = differences(both["zh"], both["en"])
    if wrong:
        raise ValueError(f"{folder}: the languages differ: " + "; ".join(wrong))
    return both


def _read(path: Path) -> dict[str, dict[str, str]]:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(loaded, dict):
        raise ValueError(f"{path}: expected pages with sentences")
    pages: dict[str, dict[str, str]] = {}
    for page, sentences in cast("dict[str, object]", loaded).items():
        if not isinstance(sentences, dict):
            raise ValueError(f"{path}: {page} has no sentences")
        pages[page] = {str(key): str(text) for key, text in cast("dict[str, object]", sentences).items()}
    return pages


def differences(zh: Sentences, en: Sentences) -> list[str]:
    """What one language has and the other has not: keys and named places."""
    wrong: list[str] = []
    for page in sorted(zh.keys() | en.keys()):
        left, right = zh.get(page, {}), en.get(page, {})
        wrong += [f"{page}.{key} is only in one language" for key in sorted(left.keys() ^ right.keys())]
        wrong += [
            f"{page}.{key} has other places"
            for key in sorted(left.keys() & right.keys())
            if set(PLACE.findall(left[key])) != set(PLACE.findall(right[key]))
        ]
    return wrong


def fill(sentence: str, **values: object) -> str:
    """The sentence with its named places filled; a place without a value stays visible."""
    text, names = _taken_apart(sentence)
    if not names:
        return sentence
    return text % tuple([values.get(name, f"{{{name}}}") for name in names])


@lru_cache(maxsize=4096)
def _taken_apart(sentence: str) -> tuple[str, tuple[str, ...]]:
    """The sentence with %s for each place, and their names: a page fills some fifty of the same few hundred."""
    parts = PLACE.split(sentence)
    return "%s".join(part.replace("%", "%%") for part in parts[::2]), tuple(parts[1::2])
