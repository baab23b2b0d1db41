"""What every form says about a fact whoever it is about: its label and where it comes from."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from dizuo.engines.registers import Fact
from dizuo.foundation.blueprint.model import City, Field, Matter
from dizuo.web.words import fill

from .declared import department, pick
from .views_matter import Texts

_KEPT = 10_000


class FactWords(NamedTuple):
    """Label and field of one fact of the matter's chain."""

    label: str
    field: Field


class FactSayings:
    """The sentences of one matter in one language, each made once: a form repeats some forty of them."""

    def __init__(self, city: City, matter: Matter, lang: str, words: Texts) -> None:
        self._city = city
        self._lang = lang
        self._words = words["form"]
        self._parties = {party.id: party for party in matter.parties}
        self._facts: dict[str, FactWords] = {}
        self._sources: dict[tuple[str, str, dt.date | None], str] = {}

    def of(self, name: str, fact: Fact) -> FactWords:
        """妈妈 · 民族, and the declared field."""
        found = self._facts.get(name)
        if found is None:
            field = self._city.registers[fact.register].fields[fact.field]
            party = pick(self._parties[fact.party].name, self._lang)
            found = self._facts[name] = FactWords(f"{party} · {pick(field.name, self._lang)}", field)
        return found

    def source(self, fact: Fact) -> str:
        """人口库 · 市公安局 · 2026-11-16 核验."""
        key = (fact.register, fact.source, fact.as_of)
        found = self._sources.get(key)
        if found is None:
            if len(self._sources) >= _KEPT:  # a day of publication is one more key for each source
                self._sources.clear()
            found = self._sources[key] = self._say(fact)
        return found

    def _say(self, fact: Fact) -> str:
        register = pick(self._city.registers[fact.register].name, self._lang)
        source = department(self._city, fact.source, self._lang)
        if fact.as_of is None:
            return fill(self._words["source_line_now"], register=register, source=source)
        date = fact.as_of.isoformat()
        return fill(self._words["source_line"], register=register, source=source, date=date)


_SAYINGS: dict[tuple[str, str, str], FactSayings] = {}


def sayings(city: City, matter: Matter, lang: str, words: Texts) -> FactSayings:
    """The sentences of a matter in one version of the city, shared by all forms of this process."""
    key = (city.version, matter.id, lang)
    found = _SAYINGS.get(key)
    if found is None:
        if len(_SAYINGS) >= 64:  # a running city has one version; only tests come here
            _SAYINGS.clear()
        found = _SAYINGS[key] = FactSayings(city, matter, lang, words)
    return found
