"""锡心办: the desk where officials work, and the window where they serve people who come in person.

What the pages use of ``request.app.state.dizuo``: ``city``, ``cases``, ``registers``, ``directory``, ``policy``,
``pool``, ``now``.

1. My desk shows what waits, by time left; rails are queues with counts; filters are links.
2. A case opens with the one exception to judge; facts carry their source; opening it is entered in the ledger.
3. A decision is never preselected, shows the words the applicant will read, and can be taken back for ten minutes.
4. Other lawful steps (补正, 特别程序, 延期, 转核实 …) are rows of one table, ``measures``.
5. A supervisor sees what is late without the person, and presses whoever holds it (督办); and follows up bad ratings.
6. A clerk at a window serves somebody without a telephone through the same plan, checks and case.
7. Departments ask one another for data, check, answer and settle, each step on its clock (数据共享).
8. One small script adds keys; everything works without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dizuo.engines.exchange import requests
from dizuo.foundation.blueprint.citing import law_text
from dizuo.web import Door, Files, Route, WebRequest

from . import (
    pages_case,
    pages_corrections,
    pages_measures,
    pages_queue,
    pages_ratings,
    pages_supervision,
    pages_window,
    pages_window_fix,
    request_routes,
)
from .officers import SUPERVISE, WINDOW, served, session_of

_CLERK = f"official:{WINDOW}"
_SUPERVISOR = f"official:{SUPERVISE}"

ROUTES = (
    Route("GET", "/desk", pages_queue.home, purpose="See what waits for me, by time left.", who="official", json=True),
    Route("GET", "/desk/sign-in", pages_queue.sign_in, purpose="Sign in as an official.", who="public"),
    Route("GET", "/desk/queue/{rail}", pages_queue.queue, purpose="A queue of my posts.", who="official", json=True),
    Route("GET", "/desk/search", pages_queue.search, purpose="Find a case by number, a matter, a law.", who="official"),
    Route("GET", "/desk/cases/{number}", pages_case.case, purpose="Work on a case routed to my post.", who="official", json=True),
    Route("GET", "/desk/cases/{number}/next", pages_queue.skip, purpose="Put a case aside, see the next.", who="official"),
    Route("POST", "/desk/cases/{number}/reveal", pages_case.reveal_sent, purpose="See full numbers for a reason.", who="official"),
    Route("POST", "/desk/cases/{number}/{item}/decide", pages_case.decide_sent, purpose="Decide an item.", who="official"),
    Route("GET", "/desk/cases/{number}/{item}/files/{upload:int}", pages_case.case_file, purpose="Open a file handed in for an item.", who="official"),
    Route("GET", "/desk/cases/{number}/{item}/{measure}", pages_measures.measure_page, purpose="Prepare a lawful step.", who="official"),
    Route("POST", "/desk/cases/{number}/{item}/{measure}", pages_measures.measure_sent, purpose="Take a lawful step.", who="official"),
    Route("POST", "/desk/decisions/{decision:int}/undo", pages_case.undo_sent, purpose="Take my decision back.", who="official"),
    Route("GET", "/desk/corrections/{number}", pages_corrections.correction, purpose="Check a reported error.", who="official", json=True),
    Route("POST", "/desk/corrections/{number}", pages_corrections.correction_sent, purpose="Answer a reported error.", who="official"),
    Route("GET", "/desk/supervised/{number}", pages_supervision.supervised, purpose="See what is late, without the person.", who=_SUPERVISOR, json=True),
    Route("POST", "/desk/supervised/{number}/{item}/press", pages_supervision.press_sent, purpose="Press whoever holds late work.", who=_SUPERVISOR),
    Route("GET", "/desk/mends/{number}", pages_ratings.mending, purpose="See what my department is to mend.", who="official", json=True),
    Route("POST", "/desk/mends/{number}", pages_ratings.mending_sent, purpose="Say what my department mended.", who="official"),
    Route("GET", "/desk/ratings", pages_ratings.ratings, purpose="See the bad ratings and what becomes of them.", who=_SUPERVISOR, json=True),
    Route("GET", "/desk/ratings/{number}", pages_ratings.rating, purpose="Follow up one bad rating.", who=_SUPERVISOR, json=True),
    Route("POST", "/desk/ratings/{number}", pages_ratings.rating_sent, purpose="Enter what was done about a bad rating.", who=_SUPERVISOR),
    Route("GET", "/desk/window", pages_window.window, purpose="Identify the person at the window.", who=_CLERK),
    Route("POST", "/desk/window", pages_window.window_sent, purpose="Begin to serve a person present.", who=_CLERK),
    Route("POST", "/desk/window/end", pages_window.window_end, purpose="End serving.", who=_CLERK),
    Route("GET", "/desk/window/receipt/{number}", pages_window.window_receipt, purpose="Print the receipt.", who=_CLERK),
    Route("GET", "/desk/window/fix", pages_window_fix.window_fixes, purpose="See what the person present may complete.", who=_CLERK),
    Route("GET", "/desk/window/fix/{number}/{item}", pages_window_fix.window_fix, purpose="Complete for the person present (补正).", who=_CLERK),
    Route("POST", "/desk/window/fix/{number}/{item}", pages_window_fix.window_fix_sent, purpose="Send it for the person present.", who=_CLERK, files=Files()),
    Route("GET", "/desk/window/{matter}", pages_window.window_form, purpose="Form for the person present.", who=_CLERK),
    Route("POST", "/desk/window/{matter}", pages_window.window_form_sent, purpose="Submit for the person present.", who=_CLERK),
    *request_routes.ROUTES,
)  # fmt: skip


def _context(request: WebRequest) -> Mapping[str, object]:
    """What every page of the door shows: the post, whom one serves, whether keys are on."""
    script = request.shell.static.url("desk.js")
    if request.signed_in is None or request.signed_in.account.kind != "official":
        return {
            "post": "",
            "client": "",
            "clerk": False,
            "supervisor": False,
            "sealing": False,
            "sharer": False,
            "script": script,
            "home": "/desk",
        }
    session = session_of(request)
    client = served(session)
    posts = session.account.posts
    return {
        "post": f"{posts[0].unit_name}，{posts[0].post_name}" if posts else "",
        "client": client.name if client is not None else "",
        "clerk": WINDOW in session.account.powers,
        "supervisor": SUPERVISE in session.account.powers,
        "sealing": any(one.startswith("seal.") for one in session.account.powers),
        "sharer": bool(session.account.powers & set(requests.POWERS)),
        "script": script,
        "home": "/desk",
    }


def _say_law(request: WebRequest, law: str) -> str:
    """《个人信息保护法》第 51 条, from ``law:article``."""
    return law_text(request.dizuo.city, law, request.lang)


DOOR = Door(
    name="desk",
    folder=Path(__file__).parent,
    routes=ROUTES,
    css=("office.css",),
    sign_in="/sign-in",
    prefix="/desk",
    scripts=True,
    context=_context,
    say_law=_say_law,
)
