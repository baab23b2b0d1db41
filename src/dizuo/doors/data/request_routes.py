"""The requests' rows of the door's table: who may use which data for what, the three lists, how fast it goes."""

from __future__ import annotations

from typing import Final

from dizuo.web import Route

from . import pages_requests

ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/data/sharing", pages_requests.sharing, purpose="See how fast and how far departments share.", who="public", json=True),
    Route("GET", "/data/sharing/{listed}", pages_requests.listed, purpose="See who may use what, and the lists of needs, duties and what is not shared.", who="public", json=True),
    Route("GET", "/data/sharing/{listed}/csv", pages_requests.listed_csv, purpose="Take one of the lists along as CSV.", who="public"),
)  # fmt: skip
