"""The desk's rows about data requests (供需对接): ask for data, check, answer, settle."""

from __future__ import annotations

from typing import Final

from dizuo.engines.exchange import requests
from dizuo.web import Route

from . import pages_connection, pages_requests, pages_requests_form

_ONE = "/desk/shares/{number}"
_KEY = "/desk/connection/keys/{key}"
_FEED = "/desk/connection/feeds/{feed:int}"
_ASKS = f"official:{requests.ASK}"

ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/desk/shares", pages_requests.shares, purpose="See the data requests that wait for my department.", who="official", json=True),
    Route("POST", "/desk/shares", pages_requests_form.begin_sent, purpose="Begin a request for data of another department.", who=_ASKS),
    Route("POST", "/desk/shares/lookup", pages_requests.lookup_sent, purpose="Look whether the city knows already what a form would ask.", who=_ASKS),
    Route("GET", _ONE, pages_requests.share, purpose="See one data request and what I may do about it.", who="official", json=True),
    Route("POST", _ONE, pages_requests.share_sent, purpose="Take a step of a data request.", who="official"),
    Route("GET", _ONE + "/form", pages_requests_form.form, purpose="Fill in a request for data.", who=_ASKS),
    Route("POST", _ONE + "/form", pages_requests_form.form_sent, purpose="Keep or send a request for data.", who=_ASKS),
    Route("GET", _ONE + "/delete", pages_requests_form.discard, purpose="Look once more before a draft of one's own is deleted.", who=_ASKS),
    Route("POST", _ONE + "/delete", pages_requests_form.discard_sent, purpose="Delete a draft of one's own that nobody else has seen.", who=_ASKS),
    Route("GET", "/desk/connection", pages_connection.shown, purpose="See my department's keys, subscriptions, calls and use of the exchange.", who="official", json=True),
    Route("GET", _KEY, pages_connection.key, purpose="See one of my department's keys and what stopping it means.", who="official"),
    Route("POST", _KEY, pages_connection.key_sent, purpose="Stop one of my department's keys for good.", who="official"),
    Route("GET", _FEED, pages_connection.feed, purpose="See one of my department's subscriptions.", who="official"),
    Route("POST", _FEED, pages_connection.feed_sent, purpose="Pause or resume one of my department's subscriptions.", who="official"),
)  # fmt: skip
