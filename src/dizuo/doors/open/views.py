"""Facts of the engine as the pages of this door show them: words, dates, addresses; no question is asked here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from dizuo.engines.opendata import DatasetSeen, Match, marks, terms_of
from dizuo.foundation.blueprint import City
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.web import WebRequest

from .shelf import Chosen

_TONES: Final = {"unconditional": "ok", "conditional": "warn", "closed": "bad"}
_LISTED: Final = 12


class Link(msgspec.Struct, frozen=True):
    """A value to choose: its words, address, count, share of the largest (0–100), and whether it is chosen."""

    name: str
    href: str
    n: int
    share: int
    on: bool


class FacetShown(msgspec.Struct, frozen=True):
    """One facet of a list: its first values, what opens the rest in words, and the rest."""

    id: str
    name: str
    values: tuple[Link, ...]
    more: str = ""
    rest: tuple[Link, ...] = ()


class Piece(msgspec.Struct, frozen=True):
    """A stretch of text, marked where it matched."""

    text: str
    hit: bool


class Listed(msgspec.Struct, frozen=True):
    """A dataset in a list; ``matches`` are columns and rows that matched, as (where, pieces)."""

    id: str
    href: str
    title: tuple[Piece, ...]
    says: tuple[Piece, ...]
    openness: str
    tone: str
    provider: str
    theme: str
    updated: str
    rows: str
    formats: tuple[str, ...]
    matches: tuple[tuple[str, tuple[Piece, ...]], ...]


class HomeView(msgspec.Struct, frozen=True):
    """The list as shown; ``total`` datasets fit. ``hints`` are (word, address)."""

    here: str
    q: str
    kept: tuple[tuple[str, str], ...]
    total: int
    facets: tuple[FacetShown, ...]
    listed: tuple[Listed, ...]
    hints: tuple[tuple[str, str], ...]
    newer: str
    older: str
    pages: str
    sorts: tuple[Link, ...]
    chosen: tuple[tuple[str, str], ...]


class OpenMaker:
    """Makes views of one city in one language."""

    def __init__(
        self,
        city: City,
        lang: str,
        words: Mapping[str, Mapping[str, str]],
        now: dt.datetime,
        origin: str = "",
    ) -> None:
        self.city = city
        self.lang = lang
        self.words = words
        self.now = to_shanghai(now)
        self.origin = origin

    def unit(self, organisation: str) -> str:
        """An organisation's short name; as it is when it is none of the city's."""
        known = self.city.organisations.get(organisation)
        if known is None:
            return organisation
        return known.short.en if self.lang == "en" and known.short.en else known.short.zh

    def word(self, page: str, key: str) -> str:
        """A word of a list of words; the key itself for one that is not in it."""
        return self.words[page].get(key, key)

    def openness(self, seen: DatasetSeen) -> tuple[str, str]:
        """The open type in words and its tone."""
        return self.word("open_type", seen.open_type), _TONES[seen.open_type]

    def ago(self, when: dt.datetime | None) -> str:
        """How long ago, as people say it: today, yesterday, so many days, or the day."""
        if when is None:
            return "–"
        then = to_shanghai(when)
        days = (self.now.date() - then.date()).days
        words = self.words["when"]
        if days <= 0:
            return words["today"].format(at=f"{then:%H:%M}")
        return (
            words["yesterday"]
            if days == 1
            else words["days"].format(n=days)
            if days < 30
            else f"{then:%Y-%m-%d}"
        )

    def home(
        self, chosen: Chosen, fitting: Sequence[DatasetSeen], facets: Mapping[str, list[tuple[str, int]]],
        hits: Mapping[str, list[Match]], hints: Sequence[str], size: int,
    ) -> HomeView:  # fmt: skip
        """The list with its facets."""
        last = max(1, -(-len(fitting) // size))
        page = min(chosen.page, last)
        shown = fitting[(page - 1) * size : page * size]
        return HomeView(
            here="find",
            q=chosen.q,
            kept=tuple(sorted(chosen.facets.items())),
            total=len(fitting),
            facets=tuple(self._facet(chosen, name, counts) for name, counts in facets.items() if counts),
            listed=tuple(self._listed(one, chosen.q, hits.get(one.id, [])) for one in shown),
            hints=tuple((word, "/open?" + urlencode({"q": word})) for word in hints),
            newer=self._at(chosen, page=page - 1) if page > 1 else "",
            older=self._at(chosen, page=page + 1) if page < last else "",
            pages=self.words["dataset"]["page_of"].format(n=page, all=f"{last:,}") if last > 1 else "",
            sorts=tuple(
                Link(
                    self.words["find"][f"sort_{key or 'best'}"], self._at(chosen, sort=key), 0, 0,
                    (chosen.sort or ("" if chosen.q else "new")) == key,
                )
                for key in (("",) if chosen.q else ()) + ("new", "used")
            ),
            chosen=tuple(
                (self.value(name, value), self._at(chosen, without=name)) for name, value in chosen.facets.items()
            ),
        )  # fmt: skip

    def value(self, facet: str, value: str) -> str:
        """A facet's value in words."""
        if facet == "provider":
            return self.unit(value)
        return value.upper() if facet == "format" else self.word(facet, value)

    def _facet(self, chosen: Chosen, name: str, counts: Sequence[tuple[str, int]]) -> FacetShown:
        largest = max(n for _, n in counts)
        links = [
            Link(self.value(name, value), self._at(chosen, facet=(name, value)), n, round(100 * n / largest), chosen.facets.get(name) == value)
            for value, n in counts
        ]  # fmt: skip
        return self.facet_shown(name, self.words["find"][f"facet_{name}"], links, _LISTED)

    def facet_shown(
        self, id: str, name: str, links: Sequence[Link], first: int, most: int | None = None
    ) -> FacetShown:
        """A facet with its first values in sight, the chosen one among them; ``most``: values beyond so many are not known."""
        ordered = (
            sorted(links, key=lambda link: not link.on)[:first]
            if any(link.on for link in links[first:])
            else list(links[:first])
        )
        rest = tuple(link for link in links if link not in ordered)
        says = self.words["find"]["facet_most" if most is not None and len(links) >= most else "facet_rest"]
        return FacetShown(id, name, tuple(ordered), says.format(n=len(rest), most=most) if rest else "", rest)

    def _at(
        self, chosen: Chosen, *, page: int = 1, sort: str | None = None, facet: tuple[str, str] | None = None, without: str = ""
    ) -> str:  # fmt: skip
        """The address of the list with one thing changed; choosing a chosen value again lets it go."""
        facets = {name: value for name, value in chosen.facets.items() if name != without}
        if facet is not None:
            if facets.get(facet[0]) == facet[1]:
                del facets[facet[0]]
            else:
                facets[facet[0]] = facet[1]
        order = chosen.sort if sort is None else sort
        asked: dict[str, Any] = {"q": chosen.q, **facets, "sort": order, "page": page if page > 1 else ""}
        kept = {name: value for name, value in asked.items() if value}
        return "/open" + ("?" + urlencode(kept) if kept else "")

    def _listed(self, one: DatasetSeen, query: str, hits: Sequence[Match]) -> Listed:
        openness, tone = self.openness(one)
        words, terms = self.words["find"], terms_of(query) if query else ()
        matches = tuple(
            (words["in_column"] if hit.kind == "column" else words["in_rows"], pieces(hit.shown[:120], marks(hit.shown[:120], terms)))
            for hit in hits if hit.kind != "dataset"
        )[:3]  # fmt: skip
        title, says = one.called(self.lang), one.told(self.lang)
        return Listed(
            id=one.id,
            href=f"/open/data/{quote(one.id)}",
            title=pieces(title, marks(title, terms)),
            says=pieces(says[:160], marks(says[:160], terms)),
            openness=openness,
            tone=tone,
            provider=self.unit(one.provider),
            theme=self.word("theme", one.theme),
            updated=self.ago(one.updated_at or one.changed_at),
            rows=f"{one.rows:,}",
            formats=tuple(format.upper() for format in one.formats),
            matches=matches,
        )


def pieces(text: str, spans: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
    """A text cut where its marks begin and end."""
    made: list[Piece] = []
    at = 0
    for start, end in spans:
        if start >= len(text):
            break
        made += [Piece(text[at:start], False), Piece(text[start:end], True)]
        at = end
    made.append(Piece(text[at:], False))
    return tuple(piece for piece in made if piece.text)


def maker(request: WebRequest) -> OpenMaker:
    """The maker for a request's city, language and moment."""
    words = request.shell.templates(request.door).words[request.lang]
    scheme = "https" if request.shell.site.secure else request.url.scheme
    origin = f"{scheme}://{request.url.netloc}"
    return OpenMaker(request.dizuo.city, request.lang, words, request.shell.now(), origin)
