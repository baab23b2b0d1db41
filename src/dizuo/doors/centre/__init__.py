"""城市运行: the operations page of the city, for officials on duty.

What the page uses of ``request.app.state.dizuo``: ``city``, ``folder`` (the city's declarations), ``cases``.

1. Four questions on one screen: where, who and in time?, which departments keep time?, is today as usual?
2. Every figure is counted from cases, at most ten seconds old; a share of too few is not told.
3. Dark on the wall unless somebody chose otherwise; reloads every 30 seconds without a script, with a link to stop.
4. Nothing personal: no names, no titles of cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dizuo.foundation.blueprint.citing import law_text
from dizuo.web import Door, Route, WebRequest
from dizuo.web.preferences import COOKIE

from . import pages

ROUTES = (
    Route(
        "GET",
        "/centre",
        pages.centre,
        purpose="See how the city's work stands now.",
        who="official",
        json=True,
    ),
)


def _context(request: WebRequest) -> Mapping[str, object]:
    """Dark by default: a visitor who never chose a theme gets the wall's."""
    prefs = request.prefs if COOKIE in request.cookies else request.prefs.with_choice("theme", "dark")
    return {"p": prefs, "home": "/centre"}


def _say_law(request: WebRequest, law: str) -> str:
    """《个人信息保护法》第 51 条, from ``law:article``."""
    return law_text(request.dizuo.city, law, request.lang)


DOOR = Door(
    name="centre",
    folder=Path(__file__).parent,
    routes=ROUTES,
    css=("ops.css",),
    sign_in="/sign-in",
    prefix="/centre",
    context=_context,
    say_law=_say_law,
)
