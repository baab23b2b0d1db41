"""The ledger as a public log for machines: checkpoint, tiles and entries (C2SP tlog-tiles 0.1). Nothing here is personal."""

from __future__ import annotations

import gzip
import hashlib
from typing import Final

from starlette.responses import Response

from dizuo.foundation.ledger import ENTRIES, Tile, served_checkpoint, tile_bytes
from dizuo.web import Route, WebRequest

PREFIX: Final = "/data/log"
_MOMENT: Final = "public, max-age=2"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_OCTETS: Final = "application/octet-stream"


async def checkpoint(request: WebRequest) -> Response:
    """The newest signed tree head, with the cosignatures of witnesses."""
    async with request.dizuo.pool.acquire() as connection:
        note = await served_checkpoint(connection)
    return _sent(request, note.encode(), "text/plain; charset=utf-8", _MOMENT)


async def tile(request: WebRequest) -> Response:
    """256 hashes of one level of the tree."""
    which = Tile.parse(str(request.path_params["which"]))
    async with request.dizuo.pool.acquire() as connection:
        body = await tile_bytes(connection, which)
    return _sent(request, body, _OCTETS, _FOR_EVER, pack=which.level == ENTRIES)


def _sent(request: WebRequest, body: bytes, media_type: str, cache: str, *, pack: bool = False) -> Response:
    """The resource, or 304 when the reader has it already; ``pack`` where gzip makes it smaller, as hashes never get."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": cache, "access-control-allow-origin": "*"}
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or etag in (one.strip().removeprefix("W/") for one in known.split(",")):
        return Response(b"", status_code=304, headers=headers)
    if pack and "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        body = gzip.compress(body, 6, mtime=0)
    return Response(body, media_type=media_type, headers=headers)


ROUTES: Final = (
    Route(
        "GET",
        f"{PREFIX}/checkpoint",
        checkpoint,
        purpose="Hold the ledger's newest signed tree head.",
        who="public",
    ),
    Route(
        "GET",
        PREFIX + "/tile/{which:path}",
        tile,
        purpose="Copy the ledger's tree and entries, to verify them elsewhere.",
        who="public",
    ),
)
