"""Finding a matter in one's own words: names, search words, items, departments; Chinese by substring and bigram.

The index is a few hundred short texts, so it is a list that is walked: no engine, a tenth of a millisecond.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import msgspec

from dizuo.foundation.blueprint.model import City, Matter

_NAME, _WORD, _ITEM, _SUMMARY, _THEME = 60.0, 50.0, 34.0, 18.0, 14.0
_ENOUGH = 6.0
_NOISE = "我你您想要办的请问怎么样如何理在哪里可以吗呢给了一下个"


class Hit(msgspec.Struct, frozen=True):
    """One matter found: how well, and which of its texts matched."""

    matter: str
    score: float
    because: str


class _Text(msgspec.Struct, frozen=True):
    matter: str
    shown: str
    folded: str
    grams: frozenset[str]
    weight: float


class SearchIndex:
    """All matters of a city, ready to be searched. Built once per city version."""

    def __init__(self, city: City) -> None:
        self._texts = [text for matter in city.matters.values() for text in _texts(matter, city)]

    def find(self, query: str, limit: int = 20) -> list[Hit]:
        """Matters best first. An empty query finds nothing; noise words of a spoken question are ignored."""
        folded = fold(query)[:80]
        spoken = "".join(sign for sign in folded if sign not in _NOISE and (sign.isalnum() or sign == " "))
        if not folded:
            return []
        grams = bigrams(spoken or folded)
        best: dict[str, Hit] = {}
        for text in self._texts:
            score = _score(text, folded, spoken, grams)
            if score >= _ENOUGH and (text.matter not in best or score > best[text.matter].score):
                best[text.matter] = Hit(text.matter, score, text.shown)
        return sorted(best.values(), key=lambda hit: (-hit.score, hit.matter))[:limit]


def fold(text: str) -> str:
    """One form for comparing: width, case and white space do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def bigrams(text: str) -> frozenset[str]:
    """Pairs of neighbouring characters; words for Latin letters."""
    if text.isascii():
        return frozenset(text.split())
    if len(text) < 2:
        return frozenset([text]) if text else frozenset()
    return frozenset(text[at : at + 2] for at in range(len(text) - 1))


def _score(text: _Text, folded: str, spoken: str, grams: frozenset[str]) -> float:
    if folded == text.folded or (spoken and spoken == text.folded):
        return text.weight * 1.5
    if len(folded) >= 2 and folded in text.folded:
        return text.weight * (0.8 + 0.2 * len(folded) / len(text.folded))
    if len(text.folded) >= 2 and text.folded in folded:
        return text.weight * 0.9
    if spoken and len(spoken) >= 2 and spoken in text.folded:
        return text.weight * 0.75
    if not grams or not text.grams:
        return 0.0
    shared = len(grams & text.grams)
    # Of the question's pairs, how many the text has: one pair of many is chance.
    return text.weight * 0.7 * shared / len(grams) if shared else 0.0


def _texts(matter: Matter, city: City) -> Iterable[_Text]:
    def text(shown: str, weight: float) -> Iterable[_Text]:
        if shown:
            folded = fold(shown)
            yield _Text(matter.id, shown, folded, bigrams(folded), weight)

    for words, weight in ((matter.name, _NAME), (matter.summary, _SUMMARY)):
        yield from text(words.zh, weight)
        yield from text(words.en, weight)
    for word in matter.search:
        yield from text(word, _WORD)
    yield from text(matter.theme, _THEME)
    for item in matter.items:
        yield from text(item.name.zh, _ITEM)
        yield from text(item.name.en, _ITEM)
        yield from text(city.organisations[item.department].short.zh, _THEME)
