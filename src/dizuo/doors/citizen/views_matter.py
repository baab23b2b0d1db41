"""What the pages about matters show: cards, lists, topics and the guide. Made once per city, matter and language."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from dizuo.foundation.blueprint.citing import articles_text, law_text
from dizuo.foundation.blueprint.model import City, Item, Matter
from dizuo.web.words import fill

from .declared import article_order, department, length, listed, pick, said
from .search import Hit, SearchIndex

Texts = dict[str, dict[str, str]]
LIFE_CARDS = 8
TOPIC_LINKS = 5


class MatterCard(msgspec.Struct, frozen=True):
    """A matter on a card or in a list."""

    href: str
    icon: str
    name: str
    note: str


class MatterGroup(msgspec.Struct, frozen=True):
    """Cards under one heading."""

    name: str
    matters: list[MatterCard]


class MattersView(msgspec.Struct, frozen=True):
    """All matters."""

    groups: list[MatterGroup]


class TopicLink(msgspec.Struct, frozen=True):
    href: str
    name: str


class Topic(msgspec.Struct, frozen=True):
    """A theme and what is under it."""

    name: str
    links: list[TopicLink]


class HitView(msgspec.Struct, frozen=True):
    href: str
    name: str
    says: str
    why: str


class SearchView(msgspec.Struct, frozen=True):
    query: str
    hits: list[HitView]


class GuideItem(msgspec.Struct, frozen=True):
    name: str
    department: str
    promise: str
    statute: str
    law: str
    verified: bool
    after: str


class GuideNumber(msgspec.Struct, frozen=True):
    """One count: what it is now, and before when somebody published it."""

    name: str
    after: int
    before: int | None


class GuideSource(msgspec.Struct, frozen=True):
    name: str
    fields: str


class GuideView(msgspec.Struct, frozen=True):
    """The guide of one matter (办事指南)."""

    id: str
    name: str
    summary: str
    apply: str
    numbers: list[GuideNumber]
    compared: bool
    numbers_source: str
    conditions: list[str]
    items: list[GuideItem]
    materials: list[str]
    basis: list[str]
    sources: list[GuideSource]


class Shelf:
    """Everything about matters that does not depend on who looks. Built once per city version."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.index = SearchIndex(city)
        self.item_count = sum(len(matter.items) for matter in city.matters.values())

    @lru_cache(maxsize=8)  # noqa: B019 - a shelf lives as long as the process
    def cards(self, lang: str, sentence: str) -> list[MatterCard]:
        return [_card(matter, lang, sentence) for matter in self.city.matters.values()]

    @lru_cache(maxsize=8)  # noqa: B019
    def hints(self, lang: str) -> list[str]:
        """One everyday phrase per matter, in the reader's language."""
        english = lang == "en"
        phrases = [
            [word for word in matter.search if word.isascii() == english]
            for matter in self.city.matters.values()
        ]
        return [found[0] for found in phrases if found][:4]

    @lru_cache(maxsize=8)  # noqa: B019
    def topics(self, lang: str) -> list[Topic]:
        themes: dict[str, list[TopicLink]] = {}
        for matter in self.city.matters.values():
            # Themes are the city's own Chinese headings; in English the matter heads its items.
            heading = matter.theme if lang == "zh" else pick(matter.name, lang)
            links = themes.setdefault(heading, [])
            links += [TopicLink(f"/matters/{matter.id}", pick(item.name, lang)) for item in matter.items]
        return [Topic(name, links[:TOPIC_LINKS]) for name, links in themes.items()]

    @lru_cache(maxsize=512)  # noqa: B019
    def guide(self, matter_id: str, lang: str, words: _Frozen) -> GuideView:
        return _guide(self.city, self.city.matters[matter_id], lang, words.pages)


class _Frozen:
    """A door's words as a cache key: one object per language for the life of the process."""

    def __init__(self, pages: Texts) -> None:
        self.pages = pages


_SHELVES: dict[str, Shelf] = {}
_WORDS: dict[int, _Frozen] = {}


def shelf_of(city: City) -> Shelf:
    """The shelf of a city, made on first use."""
    found = _SHELVES.get(city.version)
    if found is None:
        found = _SHELVES[city.version] = Shelf(city)
    return found


def frozen(pages: Texts) -> _Frozen:
    """The words of one language as a hashable thing."""
    found = _WORDS.get(id(pages))
    if found is None:
        found = _WORDS[id(pages)] = _Frozen(pages)
    return found


def matters_view(city: City, lang: str, words: Texts) -> MattersView:
    """All matters, first those for people, then those for companies."""
    groups: list[MatterGroup] = []
    for audience in ("person", "enterprise"):
        cards = [
            _card(matter, lang, words["home"]["life_items"])
            for matter in city.matters.values()
            if matter.audience == audience
        ]
        if cards:
            groups.append(MatterGroup(words["matters"][audience], cards))
    return MattersView(groups)


def search_view(city: City, hits: list[Hit], query: str, lang: str, words: Texts) -> SearchView:
    """What was found, with what it matched on."""
    return SearchView(query, [_hit(city.matters[hit.matter], hit, lang, words) for hit in hits])


def _hit(matter: Matter, hit: Hit, lang: str, words: Texts) -> HitView:
    because = fill(words["search"]["because"], what=hit.because)
    return HitView(f"/matters/{matter.id}", pick(matter.name, lang), pick(matter.summary, lang), because)


def _card(matter: Matter, lang: str, sentence: str) -> MatterCard:
    note = fill(sentence, items=len(matter.items))
    return MatterCard(f"/matters/{matter.id}", matter.icon, pick(matter.name, lang), note)


def _guide(city: City, matter: Matter, lang: str, words: Texts) -> GuideView:
    guide = words["guide"]
    materials = {m.id: pick(m.name, lang) for item in matter.items for m in item.materials}
    who = said(matter, "who", lang, guide[f"who_{matter.audience}"])
    numbers = _numbers(matter, len(materials), guide)
    return GuideView(
        id=matter.id,
        name=pick(matter.name, lang),
        summary=pick(matter.summary, lang),
        apply=f"/matters/{matter.id}/apply",
        numbers=numbers,
        compared=any(number.before is not None for number in numbers),
        numbers_source=_numbers_source(matter, guide, lang),
        conditions=[who],
        items=[_guide_item(city, matter, item, lang, guide["after"]) for item in matter.items],
        materials=list(materials.values()),
        basis=_basis(city, matter, lang),
        sources=_sources(city, matter, lang),
    )


def _numbers(matter: Matter, materials: int, guide: dict[str, str]) -> list[GuideNumber]:
    before = matter.baseline
    # Only what the declaration itself fixes: the number of questions and days depends on who applies.
    now = (
        ("materials_n", materials, before.materials),
        ("visits", sum(item.visits for item in matter.items), before.visits),
    )
    return [GuideNumber(guide[key], after, was or None) for key, after, was in now]


def _numbers_source(matter: Matter, guide: dict[str, str], lang: str) -> str:
    before = matter.baseline
    if not before.source.zh or not (before.materials or before.visits):
        return ""
    return fill(
        guide["numbers_source" if before.verified else "numbers_unverified"], source=pick(before.source, lang)
    )


def _guide_item(city: City, matter: Matter, item: Item, lang: str, after: str) -> GuideItem:
    clock = city.clocks[item.clock]
    names = [pick(other.name, lang) for other in matter.items if other.id in item.after]
    return GuideItem(
        name=pick(item.name, lang),
        department=department(city, item.department, lang),
        promise=length(item.promise, lang),
        statute=length(clock.length, lang),
        law=law_text(city, clock.law.key, lang),
        verified=clock.verified,
        after=fill(after, items=listed(names, lang)) if names else "",
    )


def _basis(city: City, matter: Matter, lang: str) -> list[str]:
    refs = [*matter.basis, *(ref for item in matter.items for ref in item.basis)]
    laws: dict[str, dict[str, None]] = {}
    for ref in refs:
        laws.setdefault(ref.law, {})[ref.article] = None
    return [
        articles_text(city, law, sorted(numbers, key=article_order), lang) for law, numbers in laws.items()
    ]


def _sources(city: City, matter: Matter, lang: str) -> list[GuideSource]:
    registers = {party.id: party.register for party in matter.parties}
    fields: dict[str, dict[str, None]] = {}
    for item in matter.items:
        for need in item.needs:
            for fact in need.facts:
                party, _, name = fact.partition(".")
                register = city.registers[registers[party]]
                fields.setdefault(register.id, {})[pick(register.fields[name].name, lang)] = None
    return [
        GuideSource(pick(city.registers[register].name, lang), listed(list(names), lang))
        for register, names in fields.items()
    ]
