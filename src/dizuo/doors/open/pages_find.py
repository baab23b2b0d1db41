"""Finding data: a box, facets, datasets with what matched; the same address with ``.json`` is the interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from dizuo.engines.opendata import DatasetSeen, Match, find_sets, terms_of
from dizuo.web import WebRequest, answer

from .asked_as import as_asked
from .pace import keep_pace
from .shelf import FACETS, Chosen, Shelf, counted, fits, shelf_of
from .views import maker

PAGE: Final = 20


async def home(request: WebRequest) -> Response:
    """Search, facets and the list."""
    keep_pace(request)
    as_asked(request)
    chosen = chosen_of(request)
    shelf = shelf_of(request)
    everything = await shelf.all(request)
    hits = await find_sets(request.dizuo.pool, chosen.q) if chosen.q else None
    found = everything if hits is None else _ranked(everything, hits, chosen.q)
    fitting = [one for one in found if fits(one, chosen.facets)]
    if chosen.sort == "new" or (hits is None and chosen.sort != "used"):
        fitting.sort(key=lambda one: (one.updated_at or one.changed_at).timestamp(), reverse=True)
    elif chosen.sort == "used":
        fitting.sort(key=lambda one: (-one.downloads, one.id))
    hints = await _hints(request, shelf, chosen.q) if chosen.q and not found else ()
    facets = {name: counted(found, chosen.facets, name) for name in FACETS}
    view = maker(request).home(chosen, fitting, facets, hits or {}, hints, PAGE)
    return answer(request, "home.html", view)


def chosen_of(request: WebRequest) -> Chosen:
    """What the address asks for; anything else in it means nothing."""
    asked = request.query_params
    page = asked.get("page", "1")
    return Chosen(
        q=asked.get("q", "").replace("\x00", "").strip()[:100],
        facets={name: asked[name][:120] for name in FACETS if asked.get(name)},
        sort=asked.get("sort", ""),
        page=max(1, min(int(page), 10_000)) if page.isdecimal() and len(page) < 6 else 1,
    )


def _ranked(
    everything: tuple[DatasetSeen, ...], hits: Mapping[str, list[Match]], query: str
) -> list[DatasetSeen]:
    """Datasets found, best first: the title is what was asked, begins with it, holds it; then by where else it stands."""
    terms = terms_of(query)

    def weight(one: DatasetSeen) -> tuple[int, int, str]:
        titles = f"{one.title}\n{one.title_en}".casefold()
        if any(title == " ".join(terms) for title in titles.split("\n")):
            return 0, 0, one.id
        where = {"dataset": 3, "column": 4, "row": 5}[hits[one.id][0].kind]
        if all(term in titles for term in terms):
            where = 1 if titles.startswith(terms[0]) else 2
        return where, -one.downloads, one.id

    return sorted((one for one in everything if one.id in hits), key=weight)


async def _hints(request: WebRequest, shelf: Shelf, query: str) -> tuple[str, ...]:
    return (await shelf.speller(request)).near(query)
