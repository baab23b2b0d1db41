"""我的: messages, documents, and the ways to everything that is mine."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from starlette.responses import Response

from dizuo.engines.cases import Home, Notice, document_page, documents_of, mark_read, my_home, notices_of
from dizuo.web import WebRequest, answer
from dizuo.web.format import day, masked, moment
from dizuo.web.words import fill

from .case_facts import Line
from .declared import document_said, pick
from .form_facts import LineView
from .people import actor_now, session_of


class Card(msgspec.Struct, frozen=True):
    href: str
    icon: str
    name: str
    note: str


class Message(msgspec.Struct, frozen=True):
    """What it is about, in the reader's language, and the message as it was sent."""

    title: str
    says: str
    when: str
    href: str
    unread: bool


class MeView(msgspec.Struct, frozen=True):
    """The page 我的."""

    name: str
    cards: list[Card]
    messages: list[Message]


class DocumentsView(msgspec.Struct, frozen=True):
    documents: list[Line]


class PaperView(msgspec.Struct, frozen=True):
    """One document as it is shown."""

    name: str
    issuer: str
    lines: list[LineView]
    number: str
    issued: str
    check_code: str
    sha256: str
    state: str


async def me(request: WebRequest) -> Response:
    """Messages and ways. Reading the messages marks them read."""
    app, session = request.dizuo, session_of(request)
    actor = actor_now(session)
    words = request.shell.templates(request.door).words[request.lang]["me"]
    home, notices = await my_home(app.cases, actor), await notices_of(app.cases, actor)
    if any(notice.unread for notice in notices):
        await mark_read(app.cases, actor, notices[0].id)
    messages = _messages(request, home, notices)
    documents = await documents_of(app.cases, actor)
    count = len(home.running) + len(home.ended)
    cards = [
        Card("/cases", "inbox", words["cases"], fill(words["cases_note"], n=count)),
        Card("/me/data", "eye", words["data"], words["data_note"]),
        Card("/me/documents", "doc", words["documents"], fill(words["documents_note"], n=len(documents))),
        Card("/me/data/correct", "flag", words["correct"], words["correct_note"]),
        Card("/acting", "people", words["acting"], words["acting_note"]),
    ]
    return answer(request, "me.html", MeView(session.account.name, cards, messages))


def _messages(request: WebRequest, home: Home, notices: Sequence[Notice]) -> list[Message]:
    """Each message under what it is about in the reader's words; the message itself stays as it was sent."""
    words = request.shell.templates(request.door).words[request.lang]["notices"]
    city = request.dizuo.city
    matters = {line.number: city.matters.get(line.matter) for line in (*home.running, *home.ended)}
    found: list[Message] = []
    for one in notices:
        matter = matters.get(one.number or "")
        items = [item for item in matter.items if item.id == one.item] if matter else []
        item = pick(items[0].name, request.lang) if items else ""
        title = words.get(one.kind, words["other"])
        if not item and "{item}" in title:  # of somebody else's application, or one long ago
            title = words["other"]
        href = f"/cases/{one.number}" if one.number else ""
        found.append(
            Message(fill(title, item=item), one.says, moment(one.at, request.lang), href, one.unread)
        )
    return found


async def documents(request: WebRequest) -> Response:
    """All documents, newest first."""
    words = request.shell.templates(request.door).words[request.lang]["documents"]
    found = await documents_of(request.dizuo.cases, actor_now(session_of(request)))
    lines = [
        Line(
            f"/me/documents/{one.number}",
            document_said(request.dizuo.city, one.name, request.lang),
            fill(words["note"], issuer=one.issuer_name, date=day(one.issued_at, request.lang)),
            words["valid" if one.state == "valid" else "revoked"],
            "ok" if one.state == "valid" else "bad",
        )
        for one in found
    ]
    return answer(request, "documents.html", DocumentsView(lines))


async def document(request: WebRequest) -> Response:
    """One document. Somebody else's is answered like one that does not exist."""
    number = request.path_params["document"][:80]
    one = await document_page(request.dizuo.cases, actor_now(session_of(request)), number)
    words = request.shell.templates(request.door).words[request.lang]["documents"]
    view = PaperView(
        name=document_said(request.dizuo.city, one.name, request.lang),
        issuer=one.issuer_name,
        lines=[LineView(label, _shown(value), "", "") for label, value in one.fields],
        number=one.number,
        issued=day(one.issued_at, request.lang),
        check_code=one.check_code,
        sha256=one.sha256,
        state=words["valid" if one.state == "valid" and one.intact else "revoked"],
    )
    return answer(request, "document.html", view)


def _shown(value: str) -> str:
    # A citizen number on a screen is hidden in its middle, as everywhere else.
    return masked(value) if len(value) == 18 and value[:17].isdigit() else value
