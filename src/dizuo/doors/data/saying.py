"""How every page of this door says what is declared: in the reader's language, departments by their short names."""

from __future__ import annotations

from dizuo.foundation.blueprint.model import City, Words


class Saying:
    """One city in one language."""

    def __init__(self, city: City, lang: str) -> None:
        self.city = city
        self.lang = lang

    def pick(self, words: Words) -> str:
        return words.en if self.lang == "en" and words.en else words.zh

    def unit(self, organisation: str) -> str:
        """The short name of an organisation; its id when it is not declared any more."""
        known = self.city.organisations.get(organisation)
        return organisation if known is None else self.pick(known.short)
