"""Help, accessibility, how to tell real from fake: plain pages of words."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from dizuo.engines.cases import CaseNotFound, check_document
from dizuo.foundation.blueprint.hours import hours_said
from dizuo.foundation.blueprint.model import ServicePlace
from dizuo.web import WebRequest, answer
from dizuo.web.format import day
from dizuo.web.words import fill

from .declared import division_name


class PlaceView(msgspec.Struct, frozen=True):
    name: str
    note: str


class PlaceGroup(msgspec.Struct, frozen=True):
    """Places of one district."""

    name: str
    places: list[PlaceView]


class Section(msgspec.Struct, frozen=True):
    id: str
    title: str
    lines: list[str]
    groups: list[PlaceGroup] = []


class ProseView(msgspec.Struct, frozen=True):
    """A page of sections."""

    title: str
    lead: str
    sections: list[Section]


def _page(request: WebRequest, page: str) -> tuple[dict[str, str], str]:
    return request.shell.templates(request.door).words[request.lang][page], request.shell.site.hotline


class CheckView(msgspec.Struct, frozen=True):
    """Checking a document: what was typed, and what is known about it."""

    number: str
    code: str
    error: str
    name: str
    issuer: str
    holder: str
    issued: str
    valid: bool


async def check_page(request: WebRequest) -> Response:
    """Anybody with a document's number and check code learns that it is genuine; nothing of its content."""
    number, code = (request.query_params.get(name, "").strip()[:80] for name in ("number", "code"))
    words, _ = _page(request, "check")
    view = CheckView(number, code, "", "", "", "", "", False)
    if number or code:
        try:
            one = await check_document(request.dizuo.cases, number, code)
        except CaseNotFound:
            view = msgspec.structs.replace(view, error=words["wrong"])
        else:
            issued, valid = day(one.issued_at, request.lang), one.state == "valid" and one.intact
            view = CheckView(number, code, "", one.name, one.issuer_name, one.holder_name, issued, valid)
    return answer(request, "check.html", view, status=404 if view.error else 200)


async def help_page(request: WebRequest) -> Response:
    """Telephone, windows, family, remedies."""
    words, hotline = _page(request, "help")
    city = request.dizuo.city
    districts: dict[str, list[PlaceView]] = {}
    for one in city.places.get("windows", ()):
        district = division_name(city, one.division[:6], request.lang)
        districts.setdefault(district, []).append(PlaceView(one.name, _where(one, request.lang)))
    windows = [PlaceGroup(name, places) for name, places in districts.items()]
    sections = [
        Section("phone", words["phone_title"], [fill(words["phone_1"], hotline=hotline), words["phone_2"]]),
        Section("windows", words["windows_title"], [words["windows_1"]], windows),
        Section("family", words["family_title"], [words["family_1"], words["family_2"]]),
        Section("remedy", words["remedy_title"], [words["remedy_1"], words["remedy_2"]]),
    ]
    return answer(request, "prose.html", ProseView(words["title"], words["lead"], sections))


def _where(place: ServicePlace, lang: str) -> str:
    return " · ".join(part for part in (place.address, hours_said(place.hours, lang)) if part)


async def accessibility(request: WebRequest) -> Response:
    """What works for everyone, and what is still missing (无障碍声明)."""
    words, hotline = _page(request, "access")
    sections = [
        Section("", words["what_title"], [words[f"what_{n}"] for n in range(1, 5)]),
        Section("", words["not_title"], [words["not_1"]]),
        Section("", words["tell_title"], [fill(words["tell_1"], hotline=hotline)]),
    ]
    return answer(request, "prose.html", ProseView(words["title"], words["lead"], sections))


async def how_to_tell(request: WebRequest) -> Response:
    """How to tell a real government site from this one (如何辨认)."""
    words, hotline = _page(request, "tell")
    demo = request.shell.site.demonstration
    this = [words["this_1"], words["this_2"]] if demo else [words["this_real_1"], words["this_2"]]
    sections = [
        Section("", words["this_title"], this),
        Section("", words["real_title"], [words["real_1"], words["real_2"]]),
        Section("", words["doubt_title"], [fill(words["doubt_1"], hotline=hotline)]),
    ]
    return answer(request, "prose.html", ProseView(words["title"], words["lead"], sections))
