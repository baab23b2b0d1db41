"""My desk and its rails; searching; what comes next."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.engines.cases import QueuePage, QueueRow, desk_queue, is_followed_up, read_number
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.kernel.errors import NotFound
from dizuo.web import WebRequest, answer, page, redirect
from dizuo.web.words import fill

from .officers import SUPERVISE, WINDOW, actors_of, session_of
from .search import Found, find
from .views_queue import RAILS, HomeView, QueueMaker, address, passes, rail_of

SOON = 8
RECENT = 5
FILTERED = 200
"""With a filter, one page looks through so many rows in the order of time left, and says so."""


def words_of(request: WebRequest) -> dict[str, dict[str, str]]:
    """All sentences of the door in the reader's language."""
    return request.shell.templates(request.door).words[request.lang]


def maker_of(request: WebRequest) -> QueueMaker:
    return QueueMaker(request.dizuo.city, request.dizuo.now(), request.lang, words_of(request))


async def rail_page(
    request: WebRequest, rail: str = "waiting", cursor: str | None = None, limit: int = 25
) -> QueuePage:
    """A page of a rail for all posts of the official. Errors: NotFound for a rail that there is not."""
    if rail not in RAILS:
        raise NotFound()
    actors = actors_of(session_of(request))
    return await desk_queue(request.dizuo.cases, actors, rail=rail, cursor=cursor, limit=limit)


async def home(request: WebRequest) -> Response:
    """What waits now, by time left; what is over time; what was done last."""
    session, maker = session_of(request), maker_of(request)
    waiting = await rail_page(request, "waiting", limit=SOON)
    recent = await rail_page(request, "mine", limit=RECENT)
    now = request.dizuo.now()
    words = maker.words["home"]
    part = (
        "morning" if to_shanghai(now).hour < 12 else "afternoon" if to_shanghai(now).hour < 18 else "evening"
    )
    over = sum(1 for row in waiting.rows if row.due is not None and row.due < now)
    near = sum(1 for row in waiting.rows if row.warned and row.due is not None and row.due >= now)
    view = HomeView(
        rail=rail_of(waiting),
        here="home",
        greeting=fill(words[part], name=session.account.name),
        posts=[f"{post.unit_name}，{post.post_name}" for post in session.account.posts],
        soon=[maker.row(row) for row in waiting.rows],
        over=fill(words["over"], n=over) if over else "",
        near=fill(words["near"], n=near) if near else "",
        recent=[maker.row(row) for row in recent.rows],
        window=WINDOW in session.account.powers,
    )
    return answer(request, "home.html", view)


async def queue(request: WebRequest) -> Response:
    """A rail, soonest due first, with its filters."""
    query = request.query_params
    rail = str(request.path_params["rail"])
    matter, level, cursor = query.get("matter", ""), query.get("level", ""), query.get("after", "")
    filtered = bool(matter or level)
    found = await rail_page(request, rail, cursor or None, FILTERED if filtered else 25)
    rows = [row for row in found.rows if passes(row, matter, level)]
    done = query.get("done", "")
    said = fill(words_of(request)["queue"]["done"], number=query.get("of", "")[:24]) if done.isdigit() else ""
    view = maker_of(request).queue(found, rows, matter, level, cursor, said, done if done.isdigit() else "")
    return answer(request, "queue.html", view)


async def following(request: WebRequest, number: str, item: str) -> QueueRow | None:
    """The piece of work after this one in the order of time left; the first one when this one is gone."""
    found = await rail_page(request, "waiting", limit=50)
    rows = list(found.rows)
    at = next((i for i, row in enumerate(rows) if row.number == number and row.item in (item, None)), None)
    if at is not None:
        return rows[at + 1] if at + 1 < len(rows) else None
    return rows[0] if rows else None


async def onward(request: WebRequest, number: str, item: str, query: str = "") -> Response:
    """To the next piece of work, or to the empty queue; ``query`` says what was just done."""
    row = await following(request, number, item)
    target = "/desk/queue/waiting" if row is None else address(row)
    sign = "&" if "?" in target else "?"
    return redirect(f"{target}{sign}{query}" if query else target)


async def skip(request: WebRequest) -> Response:
    """先放一放: nothing is changed, the next one comes."""
    return await onward(
        request, str(request.path_params["number"])[:40], request.query_params.get("item", "")[:60]
    )


async def search(request: WebRequest) -> Response:
    """A case by its number; matters and laws by their words."""
    asked = request.query_params.get("q", "").strip()[:60]
    number = read_number(asked)
    if number is not None:
        # Whoever only supervises opens what is late, without the person.
        only = set(session_of(request).account.powers) == {SUPERVISE}
        if only and await is_followed_up(request.dizuo.cases, actors_of(session_of(request)), number):
            return redirect(f"/desk/ratings/{number}")
        room = {"JC": "corrections", "ZG": "mends"}.get(number[:2], "supervised" if only else "cases")
        return redirect(f"/desk/{room}/{number}")
    found: list[Found] = find(request.dizuo.city, asked, request.lang) if asked else []
    counts = rail_of(await rail_page(request, "waiting", limit=1))
    return page(request, "search.html", rail=counts, here="search", asked=asked, found=found)


async def sign_in(request: WebRequest) -> Response:
    """Officials sign in where everybody does, and come back to the desk."""
    return redirect("/sign-in?next=/desk")
