"""Front page, search, matters and their guides."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.foundation.blueprint.model import Matter
from dizuo.foundation.kernel.errors import NotFound
from dizuo.web import WebRequest, answer

from .home import home_view
from .views_matter import frozen, matters_view, search_view, shelf_of


class NoSuchMatter(NotFound):
    """没有找到这件事。"""

    fix = "请回首页搜索，或者看看全部能办的事。"


async def home(request: WebRequest) -> Response:
    """The front page: what is prepared, what waits, what can be done."""
    return answer(request, "home.html", await home_view(request))


async def search(request: WebRequest) -> Response:
    """Matters in the reader's own words."""
    query = " ".join(request.query_params.get("q", "").split())[:80]
    city = request.dizuo.city
    words = request.shell.templates(request.door).words[request.lang]
    hits = shelf_of(city).index.find(query)
    return answer(request, "search.html", search_view(city, hits, query, request.lang, words))


async def matters(request: WebRequest) -> Response:
    """Every matter."""
    words = request.shell.templates(request.door).words[request.lang]
    return answer(request, "matters.html", matters_view(request.dizuo.city, request.lang, words))


def matter_of(request: WebRequest) -> Matter:
    """The declared matter in the address. Errors: NoSuchMatter."""
    found = request.dizuo.city.matters.get(request.path_params["matter"])
    if found is None:
        raise NoSuchMatter()
    return found


async def guide(request: WebRequest) -> Response:
    """The guide of one matter. Errors: NoSuchMatter."""
    matter = matter_of(request)
    words = request.shell.templates(request.door).words[request.lang]
    return answer(
        request, "guide.html", shelf_of(request.dizuo.city).guide(matter.id, request.lang, frozen(words))
    )
