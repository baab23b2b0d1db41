"""异议: objecting to a use of one's data; the department that used them answers on a clock (个人信息保护法 50)."""

from __future__ import annotations

import datetime as dt

import msgspec
from starlette.responses import Response

from dizuo.foundation.kernel.clocks import Deadline, Duration, Term, Unit, due, start
from dizuo.foundation.kernel.errors import Conflict
from dizuo.foundation.ledger import EntryView, object_to
from dizuo.foundation.ledger.errors import ObjectionInvalid
from dizuo.web import ONCE_FIELD, WebRequest, answer, redirect
from dizuo.web.format import moment
from dizuo.web.tokens import once_token

from .forms import number
from .pages_data import LARGEST, data_maker, kept_there, own_entry, uses_maker
from .people import session_of, subject_of
from .views_data import UseView, said_of

CLOCK = "data.correct"
"""The clock of a department that is told that something about its data is wrong."""


class NothingToObject(Conflict):
    """这一条不是部门用您的数据，没有部门要答复。"""

    fix = "请从“我的数据”里选一次部门的使用；觉得登记的内容不对，请点“有误？”。"


class ObjectView(msgspec.Struct, frozen=True):
    """The page 我有异议: the use, who answers by when, and why one objects."""

    entry: int
    use: UseView
    who: str
    due: str
    says: str
    once: str
    errors: list[tuple[str, str]]
    error_says: str


async def object_page(request: WebRequest) -> Response:
    """What one objects to, and why."""
    entry = await _used(request, number(request.query_params.get("entry", ""), LARGEST))
    return answer(request, "object.html", await _view(request, entry, "", once_token(), {}))


async def object_sent(request: WebRequest) -> Response:
    """Enter the objection; it is on the department's list at once."""
    sent = request.sent
    entry = await _used(request, number(sent.text("entry"), LARGEST))
    unit = _unit(entry)
    try:
        await object_to(
            request.dizuo.pool, entry, subject_of(request), unit, sent.text("says"), sent.text(ONCE_FIELD)[:60] or once_token(),
            request.dizuo.cases.now(), _due(request), session_of(request).channel,
        )  # fmt: skip
    except ObjectionInvalid as error:
        view = await _view(request, entry, sent.text("says")[:2000], sent.text(ONCE_FIELD)[:60], error.fields)
        return answer(request, "object.html", view, status=422)
    return redirect("/me/data#objections")


async def _used(request: WebRequest, entry: int) -> EntryView:
    """The reader's own entry, of a use by a department. Errors: NoSuchEntry, NothingToObject."""
    found = said_of(await own_entry(request, entry))
    if not data_maker(request).may_object(found):
        raise NothingToObject()
    return found


def _unit(entry: EntryView) -> str:
    return str(entry.body["actor"]["unit"])


def _due(request: WebRequest) -> dt.datetime | None:
    clock = request.dizuo.city.clocks.get(CLOCK)
    if clock is None:
        return None
    duration = Duration(clock.length.n, Unit(clock.length.unit))
    term = Term(
        id=clock.id, duration=duration, law=clock.law.key, verified=clock.verified, starts_on=clock.starts_on
    )
    end = due(start(term, request.dizuo.cases.now()), request.dizuo.cases.calendar)
    return end.at if isinstance(end, Deadline) else None


async def _view(
    request: WebRequest, entry: EntryView, says: str, once: str, errors: dict[str, str]
) -> ObjectView:

    (use,) = data_maker(request, await kept_there(request, [entry])).uses([entry])
    end = _due(request)
    return ObjectView(
        entry=entry.id,
        use=use,
        who=uses_maker(request).unit(_unit(entry).partition(":")[0]),
        due=moment(end, request.lang) if end else "",
        says=says,
        once=once,
        errors=list(errors.items()),
        error_says=errors.get("says", ""),
    )
