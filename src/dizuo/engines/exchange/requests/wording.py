"""The sentences of what the database knows by code, from words.zh.yaml and words.en.yaml beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from dizuo.foundation.blueprint.model import Words

_Pages = dict[str, dict[str, str]]


@cache
def sentences(page: str) -> Mapping[str, Words]:
    """Code → words of one page. Errors: ValueError naming every code that only one language has."""
    zh, en = (_read(language).get(page, {}) for language in ("zh", "en"))
    if lacking := zh.keys() ^ en.keys():
        raise ValueError(f"words of {page} are only in one language: {', '.join(sorted(lacking))}")
    return {code: Words(text, en[code]) for code, text in zh.items()}


def _read(language: str) -> _Pages:
    text = (files("dizuo.engines.exchange.requests") / f"words.{language}.yaml").read_bytes()
    return msgspec.yaml.decode(text, type=_Pages)
