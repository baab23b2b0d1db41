"""数据中心: which data the city holds, from whom, on which law, and who may read what for what. Open to everybody.

What the pages use of ``request.app.state.dizuo``: ``city``, ``pool``, ``cases``, ``ledger_key``, ``ledger_origin``.

1. Registers with their fields: source department, legal basis, level, how many items read each; how many records there
   are, what came last from whom, and what was not taken and why, in counts.
2. Matters as access specifications: item → party → fields, purpose, law.
3. The ledger: size, last signed checkpoint, public key, how to verify.
4. Sources: every department's contract, what arrived, how far it got, what was wrong, how good it was.
5. Pushing: departments' systems send records with a bearer key; the one row that changes something here.
6. The ledger as a public log for machines (C2SP tlog-tiles).
7. Policy as a decision point for other systems (OpenID AuthZEN), with keys of its own.
8. Departments' systems call the exchange, known by their signatures; every answer is signed.
9. No open page shows anything about a person; each is JSON at the same address with ``.json``.
10. The stewards' desk: what waits for people, pairs of records for two officials, rows to correct, decisions about deliveries.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dizuo.engines.lake import intake
from dizuo.foundation.blueprint.citing import law_text
from dizuo.web import Door, Route, WebRequest

from . import (
    api_exchange,
    api_sources,
    authzen,
    catalogue_routes,
    exchange_routes,
    feed_routes,
    log,
    pages,
    pages_quality,
    pages_sources,
    request_routes,
    steward_routes,
)
from .stewards import as_steward

ROUTES = (
    Route(
        "GET",
        "/data",
        pages.catalogue,
        purpose="See which data the city holds and from whom.",
        who="public",
        json=True,
    ),
    Route(
        "GET",
        "/data/registers/{register}",
        pages.register,
        purpose="See one register's fields.",
        who="public",
        json=True,
    ),
    Route(
        "GET",
        "/data/matters/{matter}",
        pages.matter,
        purpose="See which item reads what.",
        who="public",
        json=True,
    ),
    Route(
        "GET",
        "/data/sources",
        pages_sources.sources,
        purpose="See how well departments deliver.",
        who="public",
        json=True,
    ),
    Route(
        "GET",
        "/data/sources/{source}",
        pages_sources.source,
        purpose="See one source's contract, lineage and quality.",
        who="public",
        json=True,
    ),
    Route(
        "GET",
        "/data/deliveries/{delivery}",
        pages_sources.delivery,
        purpose="See what became of one delivery, in counts.",
        who="public",
        json=True,
    ),
    Route(
        "GET",
        "/data/api/openapi",
        api_sources.interface,
        purpose="Describe the interface for pushing to machines (OpenAPI).",
        who="public",
    ),
    Route(
        "POST",
        "/data/api/sources/{source}/rows",
        api_sources.rows_pushed,
        purpose="Take records that a department's system pushes.",
        who="key",
        max_body=intake.MAX_PUSH,
    ),
    Route(
        "GET",
        "/data/quality",
        pages_quality.quality,
        purpose="See how good each department's data are.",
        who="public",
        json=True,
    ),
    Route(
        "GET",
        "/data/assessment",
        pages_quality.assessment,
        purpose="See how the five base registers stand.",
        who="public",
        json=True,
    ),
    Route(
        "GET",
        "/data/ledger",
        pages.ledger,
        purpose="See the ledger's state and verify it.",
        who="public",
        json=True,
    ),
    *log.ROUTES,
    *steward_routes.ROUTES,
    *authzen.ROUTES,
    *catalogue_routes.ROUTES,
    *request_routes.ROUTES,
    *exchange_routes.ROUTES,
    *feed_routes.ROUTES,
)


def _context(request: WebRequest) -> Mapping[str, object]:
    """Its JSON twin where there is one, and the desk for those who look after sources."""
    row, path = request.route, request.url.path.rstrip("/")
    twin = f"{path}.json" if isinstance(row, Route) and row.json else ""
    # An answer to a form has no address of its own: whoever changes the view there comes back to the page of the form.
    back = request.back.removesuffix("/open").removesuffix("/decide")
    return {"home": "/data", "twin": twin, "back": back, "tends": as_steward(request) is not None}


def _say_law(request: WebRequest, law: str) -> str:
    """《个人信息保护法》第 51 条, from ``law:article``."""
    return law_text(request.dizuo.city, law, request.lang)


DOOR = Door(
    name="data",
    folder=Path(__file__).parent,
    routes=ROUTES,
    css=("data.css",),
    sign_in="/sign-in",
    prefix="/data",
    context=_context,
    say_law=_say_law,
    admit_key=api_exchange.admit_or(authzen.admit_or(api_sources.admit_key)),
)
