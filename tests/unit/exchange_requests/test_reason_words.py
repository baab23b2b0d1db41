"""Reasons for refusing: codes in the database, sentences in words files; neither has what the other has not."""

from __future__ import annotations

import pytest

from dizuo.engines.exchange import requests
from dizuo.engines.exchange.requests import wording
from dizuo.engines.exchange.requests.wording import sentences


async def test_every_code_has_its_sentence_in_both_languages(owner_pool) -> None:
    codes = [
        row["id"] for row in await owner_pool.fetch("SELECT id FROM exchange.refusal_reason ORDER BY ord")
    ]
    assert set(codes) == set(sentences("reasons")), "a code without words, or words without a code"
    lawful = await requests.reasons(owner_pool)
    assert [one.id for one in lawful] == codes
    for one in lawful:
        assert any("一" <= sign <= "鿿" for sign in one.name.zh)
        assert one.name.en.isascii()
    assert [one.id for one in lawful if one.by == "authority"] == ["basis_missing"]


def test_words_in_one_language_only_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = wording._read

    def short(language: str) -> dict[str, dict[str, str]]:
        told = whole(language)
        if language == "en":
            del told["reasons"]["secret"]
        return told

    monkeypatch.setattr(wording, "_read", short)
    with pytest.raises(ValueError, match="secret"):
        wording.sentences.__wrapped__("reasons")
