"""A dataset: its page, its rows as JSON, its downloads, what the gate found. Releases never change, so they are cached by digest."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Final, cast
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from dizuo.engines.directory import Session
from dizuo.engines.opendata import (
    ConditionalOnly,
    DatasetSeen,
    DatasetUnknown,
    RowQuery,
    RowsFound,
    count_use,
    dataset,
    exporting,
    facet,
    parse_query,
    people,
    reports,
    rows_found,
    stream_rows,
    versions,
)
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.web import WebRequest, answer, redirect

from . import ranges
from .asked_as import as_asked
from .pace import keep_pace
from .views import maker
from .views_dataset import DatasetMaker

_FRESH: Final = "public, max-age=60"
_MARK: Final = 16
_NO_ROWS: Final = ("bom", "titled", "_limit", "_offset")
"""What stands in the address of a download and chooses no rows."""
_SHOWN: Final = 10
POWER: Final = "data.steward"


async def page(request: WebRequest) -> Response:
    """The page of a dataset, or its rows by condition as JSON."""
    keep_pace(request)
    form = as_asked(request)
    seen = await found(request)
    if form == "json":
        return await _rows_as_json(request, seen)
    if form == "csv" and seen.version:
        asked = f"?{request.url.query}" if request.url.query else ""
        return redirect(f"/open/data/{seen.id}/download/csv{asked}")
    query, wrong = _lenient(request, seen)
    pool, open_ = request.dizuo.pool, await _may(request, seen)
    rows = await rows_found(pool, seen, query) if open_ else RowsFound((), 0)
    facets = {c.id: await facet(pool, seen, query, c.id) for c in seen.columns if c.facet} if open_ else {}
    view = DatasetMaker(maker(request), seen).page(
        query, rows, facets, await versions(pool, seen.id), await reports(pool, seen.id), open_, wrong,
        await people.answered(pool, seen.id, 5), await people.showcases(pool, dataset=seen.id, limit=5),
        [(k, v) for k, v in request.query_params.multi_items() if k != "_offset"],
    )  # fmt: skip
    return answer(request, "dataset.html", view)


def concerned(request: WebRequest) -> Callable[[str], bool]:
    """Whether the signed-in official answers for a provider's data: a data steward for all, others for their own."""
    if request.signed_in is None or request.signed_in.account.kind != "official":
        return lambda _: False
    account = cast(Session, request.signed_in).account
    if POWER in account.powers:
        return lambda _: True
    own = {post.organisation for post in account.posts}
    return lambda provider: provider in own


async def found(request: WebRequest, *, unpublished: Callable[[str], bool] | None = None) -> DatasetSeen:
    """The published dataset of the address; also another one whose provider ``unpublished`` lets pass. Errors: DatasetUnknown."""
    id = str(request.path_params["dataset"])
    if len(id) > 100 or not id.isprintable():
        raise DatasetUnknown()
    seen = await dataset(request.dizuo.pool, id, shown=False)
    hidden = seen.state != "published" and (unpublished is None or not unpublished(seen.provider))
    if hidden or seen.open_type == "closed":
        raise DatasetUnknown()
    return seen


def _lenient(request: WebRequest, seen: DatasetSeen) -> tuple[RowQuery, dict[str, str]]:
    """For the page: what is wrong in the address is told above the table, which then shows everything."""
    from dizuo.engines.opendata import RowsQueryInvalid

    asked = [(k, v) for k, v in request.query_params.multi_items() if k != "_limit"]
    try:
        return parse_query(seen.columns, [*asked, ("_limit", str(_SHOWN))]), {}
    except RowsQueryInvalid as error:
        return RowQuery(limit=_SHOWN), error.fields


def _subject(request: WebRequest) -> int | None:
    account = request.signed_in.account if request.signed_in else None
    return getattr(account, "subject", None)


async def _may(request: WebRequest, seen: DatasetSeen) -> bool:
    today = to_shanghai(request.shell.now()).date()
    return bool(seen.version) and await people.may_take(request.dizuo.pool, seen, _subject(request), today)


async def _rows_as_json(request: WebRequest, seen: DatasetSeen) -> Response:
    query = parse_query(seen.columns, request.query_params.multi_items())
    mark = _etag(request, seen, "rows")
    if seen.open_type == "unconditional" and request.headers.get("if-none-match") == mark:
        return Response(status_code=304, headers={"etag": mark, "cache-control": _FRESH})
    if not await _may(request, seen):
        raise ConditionalOnly()
    await _entered(request, seen, "json", "call")
    view = DatasetMaker(maker(request), seen).api(query, await rows_found(request.dizuo.pool, seen, query))
    response = answer(request, "dataset.html", view)
    if seen.open_type == "unconditional":
        response.headers["etag"], response.headers["cache-control"] = mark, _FRESH
    response.headers["access-control-allow-origin"], response.headers["vary"] = "*", "accept"
    return response


async def download(request: WebRequest) -> Response:
    """The rows as a file: all of them, or those that fit the conditions in the address; a part of it goes on where one broke off."""
    keep_pace(request)
    as_asked(request)
    seen, format = await found(request), str(request.path_params["format"])
    if format not in exporting.MEDIA or (format == "geojson" and not seen.shapes):
        raise DatasetUnknown()
    asked = [(k, v) for k, v in request.query_params.multi_items() if k not in _NO_ROWS]
    query = parse_query(seen.columns, asked)
    mark = _etag(request, seen, format)
    if seen.open_type == "unconditional" and request.headers.get("if-none-match") == mark:
        return Response(status_code=304, headers={"etag": mark, "cache-control": _FRESH})
    if not await _may(request, seen):
        raise ConditionalOnly()
    await _entered(request, seen, format, "download")
    headers = {"content-disposition": _named(seen, format), "access-control-allow-origin": "*"}
    if seen.open_type == "unconditional":
        headers |= {"etag": mark, "cache-control": _FRESH, "accept-ranges": "bytes"}
    if request.method == "HEAD":
        return StreamingResponse(_nothing(), media_type=exporting.MEDIA[format], headers=headers)
    body = await _started(await _body(request, seen, format, query))
    asked_part = request.headers.get("range")
    if "etag" in headers and ranges.understood(asked_part, request.headers.get("if-range"), mark):
        return await ranges.part(body, str(asked_part), exporting.MEDIA[format], headers)
    return StreamingResponse(body, media_type=exporting.MEDIA[format], headers=headers)


def _named(seen: DatasetSeen, format: str) -> str:
    """The file's name: the title for browsers (RFC 6266, filename*), the id for tools that know no more than ASCII."""
    end = f"-v{seen.version}.{format}"
    title = "".join(sign for sign in seen.title if sign.isprintable() and sign not in '/\\:*?"<>|').strip(
        " ."
    )[:80]
    return f"attachment; filename=\"{seen.id}{end}\"; filename*=UTF-8''{quote((title or seen.id) + end, safe='')}"


async def _nothing() -> AsyncIterator[bytes]:
    """The body of an answer to HEAD: whose length is not known is not made for it."""
    for piece in ():
        yield piece


async def _body(request: WebRequest, seen: DatasetSeen, format: str, query: RowQuery) -> AsyncIterator[bytes]:
    batches = stream_rows(request.dizuo.pool, seen, query)
    if format == "csv":
        asked = request.query_params
        return exporting.as_csv(
            seen.columns, batches, bom=asked.get("bom") == "1", titled=asked.get("titled") == "1"
        )
    if format == "json":
        return exporting.as_json(seen.columns, batches)
    if format == "jsonl":
        return exporting.as_jsonl(seen.columns, batches)
    if format == "geojson":
        return exporting.as_geojson(seen, batches)
    return await exporting.as_file(seen, format, batches, seen.rows)


async def _started(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body with its first two pieces taken already: what goes wrong at the start is still an answer, not a cut file."""
    first = [piece async for piece in _few(body)]

    async def rest() -> AsyncIterator[bytes]:
        for piece in first:
            yield piece
        async for piece in body:
            yield piece

    return rest()


async def _few(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for _ in range(2):
        piece = await anext(body, None)
        if piece is None:
            return
        yield piece


async def _entered(request: WebRequest, seen: DatasetSeen, format: str, kind: str) -> None:
    """Count it; whoever takes a conditional dataset is entered in the ledger before a row goes."""
    pool, subject = request.dizuo.pool, _subject(request)
    if seen.open_type == "conditional" and subject is not None:
        await people.enter_taking(pool, seen, subject, format)
    if (
        request.method == "GET" and "range" not in request.headers
    ):  # the rest of a download is none of its own
        await count_use(pool, seen.id, kind, to_shanghai(request.shell.now()).date())


def _etag(request: WebRequest, seen: DatasetSeen, format: str) -> str:
    asked = hashlib.sha256(f"{format}?{request.url.query}".encode()).hexdigest()
    return f'"{seen.digest[:_MARK]}-{seen.version}-{asked[:_MARK]}"'


async def gate(request: WebRequest) -> Response:
    """What the gate found before each release: who, when, of which rows, with what result."""
    keep_pace(request)
    as_asked(request)
    seen = await found(request, unpublished=concerned(request))
    view = DatasetMaker(maker(request), seen).gate(await reports(request.dizuo.pool, seen.id))
    return answer(request, "gate.html", view)
