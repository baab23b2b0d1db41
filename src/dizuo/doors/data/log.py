"""The ledger as a public log for machines: checkpoint, tiles and entries (C2SP tlog-tiles 0.1). Nothing here is personal.

What entries say is open in a demonstration city and where the city says so; tiles, checkpoints and tagged leaves always are.
"""

from __future__ import annotations

import hashlib
import os
from typing import Final

from starlette.responses import Response

from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.ledger import Tile, served_checkpoint, tells_entries, tile_bytes
from dizuo.web import Route, WebRequest

from . import pages_objections, pages_seals

PREFIX: Final = "/data/log"
OPEN: Final = "DIZUO_LOG_ENTRIES"
"""The environment variable that opens the entries of a real city when it is `public`.

An entry names nobody. But whoever knows when somebody applied for something finds the entries of that moment, and reads
there which registers knew the person. So a real city's tiles are public and its entries are not, unless it decides so.
"""
_MOMENT: Final = "public, max-age=2"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_OCTETS: Final = "application/octet-stream"
# Full and partial tiles up to index 999,999,999, which is two hundred billion entries.
_TILES: Final = (
    "/tile/{level}/{a}",
    "/tile/{level}/{a}/{b}",
    "/tile/{level}/{a}/{b}/{c}",
    "/tile/{level}/{a}/{b}/{c}/{d}",
)


class EntriesClosed(DizuoError):
    """公开日志只对外提供哈希和签名清单，不提供条目内容。"""

    http = 403
    fix = "本人可以在“我的数据”里下载每一条的证明；审计部门请向账本的管理部门取得全部条目。"


async def checkpoint(request: WebRequest) -> Response:
    """The newest signed tree head, with the cosignatures of witnesses."""
    async with request.dizuo.pool.acquire() as connection:
        note = await served_checkpoint(connection)
    return _sent(request, note.encode(), "text/plain; charset=utf-8", _MOMENT)


async def tile(request: WebRequest) -> Response:
    """256 hashes of one level of the tree."""
    which = Tile.parse("/".join(map(str, request.path_params.values())))
    opened = request.dizuo.city.demonstration or os.environ.get(OPEN) == "public"
    async with request.dizuo.pool.acquire() as connection:
        if not opened and await tells_entries(connection, which):
            raise EntriesClosed()
        body = await tile_bytes(connection, which)
    return _sent(request, body, _OCTETS, _FOR_EVER)


def _sent(request: WebRequest, body: bytes, media_type: str, cache: str) -> Response:
    """The resource, or 304 when the reader has it already."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": cache}
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or etag in (one.strip().removeprefix("W/") for one in known.split(",")):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


ROUTES: Final = (
    Route(
        "GET",
        f"{PREFIX}/checkpoint",
        checkpoint,
        purpose="Hold the ledger's newest signed tree head.",
        who="public",
    ),
    *(
        Route(
            "GET",
            PREFIX + path,
            tile,
            purpose="Copy the ledger's tree and entries, to verify them elsewhere.",
            who="public",
        )
        for path in _TILES
    ),
    *pages_objections.ROUTES,
    *pages_seals.ROUTES,
)
