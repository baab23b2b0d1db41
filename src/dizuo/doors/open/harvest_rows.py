"""Where harvested datasets come from, and how their sources fare: for everybody, as JSON."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from dizuo.engines.opendata import harvest
from dizuo.web import Route, WebRequest, json

from .ckan import for_machines

PREFIX: Final = "/open/harvest"


@for_machines
async def sources(request: WebRequest) -> Response:
    """Every source: its address, its last run, how many of its datasets are shown, offline, refused."""
    return json({"sources": await harvest.sources(request.dizuo.pool)})


@for_machines
async def source(request: WebRequest) -> Response:
    """What became of one source's records, and why."""
    id = str(request.path_params["source"])
    pool = request.dizuo.pool
    found = next((one for one in await harvest.sources(pool) if one.id == id), None)
    if found is None:
        raise harvest.HarvestSourceUnknown(source=id[:40])
    return json({"source": found, "records": await harvest.fates(pool, id)})


ROUTES: Final = (
    Route(
        "GET",
        PREFIX,
        sources,
        purpose="See from where datasets are harvested, and how it goes.",
        who="public",
    ),
    Route(
        "GET",
        f"{PREFIX}/{{source}}",
        source,
        purpose="See what became of each record of a source, and why.",
        who="public",
    ),
)
