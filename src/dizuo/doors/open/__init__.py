"""开放数据: datasets for everybody to find, look at, take and talk about. Open to everybody; sending something needs a name.

1. Finding: every part of a Chinese word, pinyin, other words; facets; JSON at the same address with ``.json``.
2. A dataset: facts to trust it by, a table with filters, columns, how it was made; its address with ``.json`` is the interface.
3. Downloads that flow; releases are cached by their digest, and an address that asks too much waits.
4. Applications for conditional datasets, tickets, showcases, marks; the desk of those who answer them.
5. For machines: CKAN's Action API, with keys of its own for those who load catalogues; DCAT-AP; OGC API – Features.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dizuo.web import Door, Route, WebRequest

from . import machine_rows, pages_dataset, pages_desk, pages_find, pages_people

ROUTES = (
    Route("GET", "/open", pages_find.home, purpose="Find open data.", who="public", json=True),
    Route(
        "GET",
        "/open/data/{dataset}",
        pages_dataset.page,
        purpose="See a dataset; its rows by condition as JSON.",
        who="public",
        json=True,
    ),
    Route(
        "GET",
        "/open/data/{dataset}/download/{format}",
        pages_dataset.download,
        purpose="Take a dataset as a file.",
        who="public",
    ),
    Route(
        "GET",
        "/open/data/{dataset}/gate",
        pages_dataset.gate,
        purpose="See what the publication gate found.",
        who="public",
        json=True,
    ),
    Route(
        "GET",
        "/open/data/{dataset}/apply",
        pages_people.apply_form,
        purpose="Fill in an application for a conditional dataset.",
        who="resident",
    ),
    Route(
        "POST",
        "/open/data/{dataset}/apply",
        pages_people.apply_sent,
        purpose="Apply for a conditional dataset.",
        who="resident",
    ),
    Route(
        "POST", "/open/data/{dataset}/rate", pages_people.rate_sent, purpose="Mark a dataset.", who="resident"
    ),
    Route(
        "GET",
        "/open/asks",
        pages_people.asks,
        purpose="Read what was asked and answered.",
        who="public",
        json=True,
    ),
    Route("GET", "/open/asks/new", pages_people.ask_form, purpose="Write to a provider.", who="resident"),
    Route(
        "POST", "/open/asks/new", pages_people.ask_sent, purpose="Send it to the provider.", who="resident"
    ),
    Route(
        "GET",
        "/open/showcases",
        pages_people.showcases,
        purpose="See what people made.",
        who="public",
        json=True,
    ),
    Route(
        "GET",
        "/open/showcases/new",
        pages_people.showcase_form,
        purpose="Tell what one made.",
        who="resident",
    ),
    Route(
        "POST",
        "/open/showcases/new",
        pages_people.showcase_sent,
        purpose="Hand it in for review.",
        who="resident",
    ),
    Route("GET", "/open/mine", pages_people.mine, purpose="See what one asked for.", who="resident"),
    Route(
        "POST",
        "/open/mine/{application}/sign",
        pages_people.sign_sent,
        purpose="Sign the agreement on use.",
        who="resident",
    ),
    Route(
        "POST",
        "/open/mine/{application}/report",
        pages_people.report_sent,
        purpose="Tell what was made with the data.",
        who="resident",
    ),
    Route("GET", "/open/desk", pages_desk.desk, purpose="See what waits for an answer.", who="official"),
    Route(
        "POST",
        "/open/desk/applications/{which}",
        pages_desk.application_sent,
        purpose="Take an application one step on.",
        who="official",
    ),
    Route(
        "POST",
        "/open/desk/tickets/{which}",
        pages_desk.ticket_sent,
        purpose="Answer a ticket.",
        who="official",
    ),
    Route(
        "POST",
        "/open/desk/showcases/{which}",
        pages_desk.showcase_reviewed_sent,
        purpose="Review a showcase.",
        who="official",
    ),
    *machine_rows.ROUTES,
)


def _context(request: WebRequest) -> Mapping[str, object]:
    """Its JSON twin where there is one; officials see the way to their desk."""
    row, path = request.route, request.url.path.rstrip("/")
    twin = ""
    if isinstance(row, Route) and row.json:
        query = request.url.query
        twin = f"{path}.json" + (f"?{query}" if query else "")
    official = request.signed_in is not None and request.signed_in.account.kind == "official"
    return {"home": "/open", "twin": twin, "official": official}


DOOR = Door(
    name="open",
    folder=Path(__file__).parent,
    routes=ROUTES,
    css=("open.css",),
    sign_in="/sign-in",
    prefix="/open",
    context=_context,
    admit_key=machine_rows.admit_key,
)
