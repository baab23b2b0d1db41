"""The exchange's rows of the door's table: signed calls between departments, for machines."""

from __future__ import annotations

from typing import Final

from dizuo.web import Route

from . import api_exchange
from .api_exchange import CONFIGURATION, PREFIX

_QUERY_BODY: Final = 64 * 1024
_BATCH_BODY: Final = 512 * 1024

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "POST",
        f"{PREFIX}/query",
        api_exchange.query,
        purpose="Answer a department's signed question about one subject, within its grant.",
        who="key",
        max_body=_QUERY_BODY,
    ),
    Route(
        "POST",
        f"{PREFIX}/batch",
        api_exchange.batch,
        purpose="Answer a department's signed question about many subjects, within its grant.",
        who="key",
        max_body=_BATCH_BODY,
    ),
    Route(
        "GET",
        f"{PREFIX}/grants",
        api_exchange.grants,
        purpose="Tell a department's system what it may do and how much of today is left.",
        who="key",
    ),
    Route(
        "GET",
        f"{PREFIX}/keys",
        api_exchange.keys,
        purpose="Publish the keys that the exchange's answers are signed with (JWK Set).",
        who="public",
    ),
    Route(
        "GET",
        f"{PREFIX}/openapi",
        api_exchange.interface,
        purpose="Describe the exchange's interface to machines (OpenAPI).",
        who="public",
    ),
    Route(
        "GET",
        CONFIGURATION,
        api_exchange.configuration,
        purpose="Tell departments' systems where the exchange is and how calls are signed.",
        who="public",
    ),
)
