"""Rows of the door's table for subscriptions and downloads between departments' systems."""

from __future__ import annotations

from typing import Final

from dizuo.web import Route

from . import api_bulk, api_feed
from .api_exchange import PREFIX

_ONE: Final = f"{PREFIX}/subscriptions/{{subscription:int}}"
_BULK: Final = f"{PREFIX}/bulk"

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "POST",
        f"{PREFIX}/subscriptions",
        api_feed.made,
        purpose="Let a department's system follow the changes of a granted register.",
        who="key",
        max_body=api_feed.LARGEST,
    ),
    Route(
        "GET",
        f"{PREFIX}/subscriptions",
        api_feed.listed,
        purpose="Tell a department's system what it follows and how deliveries go.",
        who="key",
    ),
    Route("GET", _ONE, api_feed.one, purpose="Tell how one subscription is doing.", who="key"),
    Route(
        "GET",
        f"{_ONE}/events",
        api_feed.events,
        purpose="Stream a subscription's events in order (server-sent events).",
        who="key",
    ),
    Route(
        "POST",
        f"{_ONE}/replay",
        api_feed.replayed,
        purpose="Deliver a subscription's events again from an earlier position.",
        who="key",
        max_body=api_feed.LARGEST,
    ),
    Route(
        "POST",
        f"{_ONE}/end",
        api_feed.ended,
        purpose="End a subscription.",
        who="key",
        max_body=api_feed.LARGEST,
    ),
    Route(
        "POST",
        _BULK,
        api_bulk.started,
        purpose="Begin a download of the granted fields of a whole register.",
        who="key",
        max_body=api_bulk.LARGEST,
    ),
    Route(
        "GET",
        f"{_BULK}/{{bulk}}",
        api_bulk.manifest,
        purpose="Tell the parts of a download with their digests.",
        who="key",
    ),
    Route(
        "GET",
        f"{_BULK}/{{bulk}}/parts/{{part:int}}",
        api_bulk.part,
        purpose="Send one part of a download, everybody in it entered before.",
        who="key",
    ),
    Route(
        "GET",
        f"{PREFIX}/openapi-feeds",
        api_feed.interface,
        purpose="Describe subscriptions and downloads to machines (OpenAPI).",
        who="public",
    ),
)
