"""What was asked in a 补正 and what came back: old and new side by side, on the case page of the official."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from dizuo.engines.cases import CasePage, FixChange, Upload
from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.blueprint.model import City
from dizuo.web import human_size
from dizuo.web.words import fill

from .telling import Sentences, full_day, pick, when


class ChangeView(msgspec.Struct, frozen=True):
    """One answer before and after; ``kept`` names decided items that stay with the old one."""

    label: str
    was: str
    now: str
    kept: str


class FileView(msgspec.Struct, frozen=True):
    """One file that was handed in: for which line of the request, and the beginning of its SHA-256."""

    label: str
    name: str
    size: str
    sha256: str
    href: str


class FixedView(msgspec.Struct, frozen=True):
    """The request and its answer; ``answered`` '' while the applicant has not answered."""

    asked: str
    wants: list[str]
    laws: list[str]
    reason: str
    answered: str
    words: str
    changes: list[ChangeView]
    files: list[FileView]
    purpose: str
    served: str


def fixed_view(
    page: CasePage,
    at: int,
    changes: tuple[FixChange, ...],
    uploads: tuple[Upload, ...],
    city: City,
    now: dt.datetime,
    lang: str,
    words: Mapping[str, Sentences],
) -> FixedView | None:
    """The 补正 of the item at ``at`` in words; None when nothing was asked."""
    item = page.items[at]
    fix = item.fix
    if fix is None:
        return None
    w = words["fixed"]
    answered = ""
    if fix.answered_at is not None:
        answered = fill(w["answered"], when=when(fix.answered_at, now, words["time"], lang))
    return FixedView(
        asked=fill(
            w["asked"], when=when(fix.asked_at, now, words["time"], lang), until=full_day(fix.until, lang)
        ),
        wants=[
            " · ".join(part for part in (want.get("what", ""), want.get("why", "")) if part)
            for want in fix.wants
        ],
        laws=[
            law_text(city, key, lang) for key in dict.fromkeys(x["law"] for x in fix.wants if x.get("law"))
        ],
        reason=fix.reason,
        answered=answered,
        words=fix.answer or "",
        changes=[
            ChangeView(
                pick(change.asks, lang),
                pick(change.was, lang) or w["none"],
                pick(change.now, lang) or w["none"],
                fill(w["kept"], items="、".join(pick(name, lang) for name in change.kept))
                if change.kept
                else "",
            )
            for change in changes
        ],
        files=[
            FileView(
                fix.wants[one.want - 1].get("what", "") if one.want <= len(fix.wants) else "",
                one.name,
                human_size(one.size),
                one.sha256[:12],
                f"/desk/cases/{page.number}/{item.id}/files/{one.id}",
            )
            for one in uploads
        ],
        purpose=fill(w["purpose"], name=pick(item.name, lang)) if uploads else "",
        served=fill(
            w["served"],
            clerk=fix.served["name"],
            window=window_name(city, fix.served),
            proof=fix.served["proof"],
        )
        if fix.served
        else "",
    )


def window_name(city: City, served: Mapping[str, str]) -> str:
    """The window of a clerk as people call it: the organisation's unit at the place."""
    organisation, division = city.organisations.get(served["unit"]), city.divisions.get(served["place"])
    if organisation is None:
        return served["unit"]
    return (
        organisation.unit_name.zh.replace("{division}", division.name) if division else organisation.name.zh
    )
