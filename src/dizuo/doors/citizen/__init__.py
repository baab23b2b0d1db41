"""灵锡: the door where residents and enterprises stand, and those who act for them.

What the pages use of ``request.app.state.dizuo``: ``city``, ``cases``, ``registers``, ``directory``, ``pool``,
``sign_in``, ``now``.

1. The front page opens with what is prepared and what waits; the search takes everyday words.
2. The form of a matter is filled from the registers, with source and date, and says what was not read.
3. A case has one number and one bar; consent, fixes, withdrawal and rating are pages of it.
4. 我的数据 shows every use of somebody's data, with a proof to keep and a way to report an error.
5. No script anywhere; elder view, dark and English are links. In English what stays Chinese is marked so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dizuo.foundation.blueprint.citing import law_text
from dizuo.web import Door, Files, Route, WebRequest

from . import (
    pages_acting,
    pages_cases,
    pages_data,
    pages_fix,
    pages_form,
    pages_matters,
    pages_me,
    pages_objection,
    pages_plain,
    pages_sign_in,
    pages_taken,
)
from .han import in_readers_language
from .people import maybe_resident

_HERE = {"/": "home", "matters": "matters", "search": "home", "cases": "cases", "me": "me"}

ROUTES = (
    Route(
        "GET",
        "/",
        pages_matters.home,
        purpose="See what is prepared, what waits, what can be done.",
        who="public",
    ),
    Route(
        "GET",
        "/search",
        pages_matters.search,
        purpose="Find a matter in everyday words.",
        who="public",
        json=True,
    ),
    Route("GET", "/matters", pages_matters.matters, purpose="List every matter.", who="public", json=True),
    Route(
        "GET",
        "/matters/{matter}",
        pages_matters.guide,
        purpose="Guide of one matter (办事指南).",
        who="public",
        json=True,
    ),
    Route(
        "GET",
        "/matters/{matter}/apply",
        pages_form.form_page,
        purpose="Prefilled form.",
        who="resident",
        json=True,
    ),
    Route(
        "POST",
        "/matters/{matter}/apply",
        pages_form.form_sent_page,
        purpose="Submit or save the form.",
        who="resident",
    ),
    Route("GET", "/acting", pages_acting.acting_page, purpose="Choose for whom to act.", who="resident"),
    Route(
        "POST",
        "/acting",
        pages_acting.acting_sent,
        purpose="Act for an enterprise or a family member.",
        who="resident",
    ),
    Route("GET", "/cases", pages_cases.cases, purpose="List my own cases.", who="resident", json=True),
    Route(
        "GET",
        "/cases/{number}",
        pages_cases.case,
        purpose="Progress of my own case.",
        who="resident",
        json=True,
    ),
    Route(
        "GET",
        "/cases/{number}/receipt",
        pages_cases.receipt,
        purpose="Receipt of a submission (回执).",
        who="resident",
    ),
    Route(
        "GET",
        "/cases/{number}/fix/{item}",
        pages_fix.fix_page,
        purpose="Read what is missing (补正告知).",
        who="resident",
    ),
    Route(
        "POST",
        "/cases/{number}/fix/{item}",
        pages_fix.fix_page_sent,
        purpose="Supply what was missing (补正).",
        who="resident",
        files=Files(),
    ),
    Route(
        "GET",
        "/cases/{number}/fix/{item}/files/{upload:int}",
        pages_fix.fix_file,
        purpose="Keep a file that I handed in.",
        who="resident",
    ),
    Route(
        "GET",
        "/cases/{number}/withdraw",
        pages_cases.withdraw_page,
        purpose="See what can be withdrawn.",
        who="resident",
    ),
    Route(
        "POST",
        "/cases/{number}/withdraw",
        pages_cases.withdraw_sent,
        purpose="Withdraw (撤回).",
        who="resident",
    ),
    Route(
        "POST",
        "/cases/{number}/rating",
        pages_cases.rating_sent,
        purpose="Rate a finished case (好差评).",
        who="resident",
    ),
    Route(
        "GET",
        "/cases/{number}/consents/{consent}",
        pages_cases.consent,
        purpose="See what I am asked to agree to.",
        who="resident",
    ),
    Route(
        "POST",
        "/cases/{number}/consents/{consent}",
        pages_cases.consent_sent,
        purpose="Agree or not (共同同意).",
        who="resident",
    ),
    Route(
        "POST",
        "/cases/{number}/consents/{consent}/again",
        pages_cases.consent_again,
        purpose="Ask for a lapsed consent once more.",
        who="resident",
    ),
    Route("GET", "/me", pages_me.me, purpose="My account: messages, data, documents.", who="resident"),
    Route(
        "GET",
        "/me/data",
        pages_data.data,
        purpose="See who used my data (个人信息保护法 45).",
        who="resident",
        json=True,
    ),
    Route(
        "GET",
        "/me/data/{entry:int}/proof",
        pages_data.data_proof,
        purpose="Keep the proof of one use.",
        who="resident",
    ),
    Route(
        "POST",
        "/me/data/tell",
        pages_data.data_told,
        purpose="Choose whether new kinds of use are pointed out.",
        who="resident",
    ),
    Route(
        "GET",
        "/me/data/complete",
        pages_taken.whole,
        purpose="Keep the proof that no use is missing.",
        who="resident",
    ),
    Route(
        "GET",
        "/me/data/all.csv",
        pages_taken.as_csv,
        purpose="Take along every use of my data as a table.",
        who="resident",
    ),
    Route(
        "GET",
        "/me/data/all.json",
        pages_taken.as_json,
        purpose="Take along every use of my data for machines.",
        who="resident",
    ),
    Route(
        "GET",
        "/me/data/object",
        pages_objection.object_page,
        purpose="See a use before objecting to it.",
        who="resident",
    ),
    Route(
        "POST",
        "/me/data/object",
        pages_objection.object_sent,
        purpose="Object to a use (个人信息保护法 50).",
        who="resident",
    ),
    Route(
        "GET",
        "/me/data/correct",
        pages_data.correct,
        purpose="Find the record that is wrong.",
        who="resident",
    ),
    Route(
        "POST",
        "/me/data/correct",
        pages_data.correct_sent,
        purpose="Report an error (个人信息保护法 46).",
        who="resident",
    ),
    Route(
        "GET", "/me/documents", pages_me.documents, purpose="List my documents.", who="resident", json=True
    ),
    Route(
        "GET",
        "/me/documents/{document}",
        pages_me.document,
        purpose="Show one document of mine.",
        who="resident",
    ),
    Route(
        "GET",
        "/check",
        pages_plain.check_page,
        purpose="Check that a document is genuine.",
        who="public",
        json=True,
    ),
    Route("GET", "/help", pages_plain.help_page, purpose="Find a person who helps.", who="public"),
    Route(
        "GET",
        "/accessibility",
        pages_plain.accessibility,
        purpose="Accessibility statement (无障碍声明).",
        who="public",
    ),
    Route(
        "GET",
        "/how-to-tell",
        pages_plain.how_to_tell,
        purpose="Tell real from fake (如何辨认).",
        who="public",
    ),
    Route("GET", "/sign-in", pages_sign_in.sign_in, purpose="Sign in.", who="public"),
    Route(
        "POST",
        "/sign-in",
        pages_sign_in.sign_in_sent,
        purpose="Sign in as an invented person (演示).",
        who="public",
    ),
    Route(
        "GET",
        "/sign-in/begin",
        pages_sign_in.sign_in_begin,
        purpose="Go to the identity service.",
        who="public",
    ),
    Route(
        "GET",
        "/sign-in/callback",
        pages_sign_in.sign_in_callback,
        purpose="Return from the identity service.",
        who="public",
    ),
    Route("GET", "/sign-out", pages_sign_in.sign_out, purpose="Ask before signing out.", who="any"),
    Route("POST", "/sign-out", pages_sign_in.sign_out_sent, purpose="Sign out.", who="any"),
)


def _context(request: WebRequest) -> Mapping[str, object]:
    """What every page of the door shows: where one is, and for whom one acts."""
    first = request.url.path.split("/", 2)[1].removesuffix(".json")
    session = maybe_resident(request)
    acting = session.acting_for.name if session and session.acting_for else ""
    return {"here": _HERE.get(first or "/", ""), "acting": acting}


def _say_law(request: WebRequest, law: str) -> str:
    """《个人信息保护法》第 51 条, from `law:article`."""
    return law_text(request.dizuo.city, law, request.lang)


DOOR = Door(
    name="citizen",
    folder=Path(__file__).parent,
    routes=tuple(replace(route, handler=in_readers_language(route.handler)) for route in ROUTES),
    css=("citizen.css",),
    sign_in="/sign-in",
    context=_context,
    say_law=_say_law,
)
