"""Finding matters, laws and posts in the city's declarations; cases are found by their number alone.

A search of cases by a person's name would be a look at people without a reason, so there is none.
"""

from __future__ import annotations

import msgspec

from dizuo.foundation.blueprint.citing import articles_text
from dizuo.foundation.blueprint.model import City

from .telling import pick

MOST = 30


class Found(msgspec.Struct, frozen=True):
    """One thing found in the declarations."""

    kind: str
    name: str
    says: str
    href: str


def find(city: City, asked: str, lang: str) -> list[Found]:
    """Matters and items first, then articles of laws; whatever holds every word."""
    words = asked.lower().split()
    found: list[Found] = []
    for matter in city.matters.values():
        if _holds(words, matter.name.zh, matter.name.en, matter.summary.zh, *matter.search):
            found.append(
                Found(
                    "matter",
                    pick(matter.name, lang),
                    pick(matter.summary, lang),
                    f"/data/matters/{matter.id}",
                )
            )
        for item in matter.items:
            if _holds(words, item.name.zh, item.name.en, item.code):
                unit = city.organisations[item.department].name
                found.append(
                    Found(
                        "item",
                        pick(item.name, lang),
                        pick(unit, lang),
                        f"/data/matters/{matter.id}#{item.id}",
                    )
                )
    for law in city.laws.values():
        for article in law.articles.values():
            if _holds(words, law.title.zh, law.title.en, article.gist, article.number):
                said = articles_text(city, law.id, (article.number,), lang)
                found.append(Found("law", said, article.gist, ""))
    return found[:MOST]


def _holds(words: list[str], *texts: str) -> bool:
    together = " ".join(texts).lower()
    return all(word in together for word in words)
