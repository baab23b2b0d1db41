"""Import of a department's catalogue sheet: the form, the report row by row, and the report as a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import Response

from dizuo.engines.exchange import catalogue
from dizuo.web import WebRequest, answer, attachment, redirect
from dizuo.web.format import moment, thousands

from .stewards import LARGEST, steward
from .views_catalogue import href_of

_TONES: Final = {"new": "ok", "changed": "info", "unchanged": "", "rejected": "bad"}


class ImportLine(msgspec.Struct, frozen=True):
    line: int
    title: str
    verdict: str
    tone: str
    code: str
    href: str
    why: list[str]
    fix: list[str]


class ImportView(msgspec.Struct, frozen=True):
    """The form (``id`` 0) or the report of one import."""

    here: str
    steward: bool
    id: int
    title: str
    lead: str
    stat: list[tuple[str, str, str]]
    lines: list[ImportLine]
    errors: list[tuple[str, str]]


async def form(request: WebRequest) -> Response:
    """What a sheet must look like, and the place to hand it in."""
    steward(request)
    return answer(request, "imported.html", _blank(request))


async def form_sent(request: WebRequest) -> Response:
    """Take the sheet; stewards of sources import for their own departments only."""
    who, app, w = steward(request), request.dizuo, _words(request)
    file = next((one for one in request.sent.files if one.field == "file"), None)
    if file is None or not file.content:
        return answer(request, "imported.html", _blank(request, {"file": w["file_missing"]}), status=422)
    within = None if who.every else catalogue.departments_of(app.city, who)
    default = next(iter(within)) if within is not None and len(within) == 1 else None
    try:
        report = await catalogue.import_catalogue(
            app.pool,
            app.city,
            file.content,
            file.name,
            who.account,
            request.shell.now(),
            within=within,
            default=default,
        )
    except catalogue.SheetUnreadable as error:
        return answer(request, "imported.html", _blank(request, {"file": str(error)}), status=422)
    return redirect(f"/data/import/{report.id}")


async def report(request: WebRequest) -> Response:
    """What became of each row."""
    held, w = await _held(request), _words(request)
    view = ImportView(
        here="catalogue", steward=True, id=held.id, title=held.filename,
        lead=f"{moment(held.at, request.lang)} · {held.encoding.upper()}",
        stat=[(w[f"v_{verdict}"], thousands(held.count(verdict)), "") for verdict in ("new", "changed", "unchanged", "rejected")],
        lines=[
            ImportLine(
                row.line, row.title or "—", w[f"v_{row.verdict}"], _TONES[row.verdict], row.code, href_of(row.code) if row.code and row.verdict != "rejected" else "",
                [*(fault.why for fault in row.faults), *row.notes], [fault.fix for fault in row.faults],
            )
            for row in held.rows
        ],
        errors=[],
    )  # fmt: skip
    return answer(request, "imported.html", view)


async def report_file(request: WebRequest) -> Response:
    """The report as CSV, safe to open."""
    held = await _held(request)
    return attachment(catalogue.report_csv(held), f"目录导入报告-{held.id}.csv", "text/csv; charset=utf-8")


async def _held(request: WebRequest) -> catalogue.ImportReport:
    """A report, for stewards of everything and for whoever imported it. Errors: NoSuchImport."""
    who = steward(request)
    held = await catalogue.import_report(request.dizuo.pool, min(int(request.path_params["id"]), LARGEST))
    if held is None or not (who.every or held.by == who.account):
        raise catalogue.NoSuchImport()
    return held


def _words(request: WebRequest) -> Mapping[str, str]:
    return request.shell.templates(request.door).words[request.lang]["imports"]


def _blank(request: WebRequest, errors: Mapping[str, str] | None = None) -> ImportView:
    w = _words(request)
    return ImportView("catalogue", True, 0, w["title"], w["says"], [], [], list((errors or {}).items()))
