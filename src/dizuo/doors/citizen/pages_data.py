"""我的数据: who used it and whether the list is complete, the proof of an entry, and reporting an error in a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from starlette.responses import Response

from dizuo.engines.cases import corrections_of, report_error
from dizuo.engines.exchange import resource
from dizuo.foundation.kernel.errors import Invalid, NotFound
from dizuo.foundation.ledger import (
    Batcher,
    Entry,
    EntryView,
    Tallies,
    choose_telling,
    entries_of,
    entries_where,
    entry_batcher,
    look,
    looked,
    objections_of,
    proof,
)
from dizuo.web import ONCE_FIELD, WebRequest, answer, attachment, redirect
from dizuo.web.tokens import once_token

from .forms import number
from .home import remembered
from .people import self_of, session_of, subject_of
from .views_case import correction_lines
from .views_data import CorrectView, DataMaker, FilterView, KeptThere, at_node, kept_by
from .views_uses import AroundView, Chosen, DataView, UsesMaker

PAGE = 40
LOOKS = 5
LARGEST = 2**62
FILTERS = (("", "all"), ("mine", "mine"), ("others", "others"), ("refused", "refused_only"))


class NoSuchEntry(NotFound):
    """没有找到这条记录。"""

    fix = "请回到“我的数据”，从列表里打开。"


def data_maker(request: WebRequest, kept: Mapping[str, KeptThere] | None = None) -> DataMaker:
    words = request.shell.templates(request.door).words[request.lang]
    return DataMaker(
        request.dizuo.city, subject_of(request), session_of(request).account.name, request.lang, words, kept
    )


async def kept_there(request: WebRequest, entries: Sequence[EntryView]) -> dict[str, KeptThere]:
    """What departments keep themselves and entries tell of: titles and items by the catalogue's names, not by ids."""
    told: dict[str, KeptThere] = {}
    english = request.lang == "en"
    for code in dict.fromkeys(at_node(one) for one in entries):
        found = await resource(request.dizuo.pool, code) if code else None
        if found is not None:
            items = {one.id: (one.en if english and one.en else one.zh) for one in found.fields}
            told[code] = KeptThere(found.title_en if english and found.title_en else found.title, items)
    return told


def uses_maker(request: WebRequest) -> UsesMaker:
    words = request.shell.templates(request.door).words[request.lang]
    return UsesMaker(request.dizuo.city, request.lang, words)


async def data(request: WebRequest) -> Response:
    """Who used my data. Looking at it is entered too."""
    subject, query = subject_of(request), request.query_params
    chosen = Chosen.read(query)
    before = number(query.get("before", ""), LARGEST) or None
    found, last = await page_of(request, subject, before, chosen)
    around = await _around(request, subject, chosen, found[0].id if found and not before else 0)
    await enter_viewing(request, subject)
    words = request.shell.templates(request.door).words[request.lang]["data"]
    filters = [
        FilterView(words[name], chosen.href(kind=value), chosen.kind == value) for value, name in FILTERS
    ]
    uses = data_maker(request, await kept_there(request, found)).uses(found, around.numbers)
    view = DataView(
        around=around,
        filters=filters,
        chosen=chosen,
        filtered=chosen.narrowed,
        days=uses_maker(request).days(uses),
        newer=chosen.href() if before else "",
        older=chosen.href(before=last) if last else "",
    )
    return answer(request, "data.html", view)


async def _around(request: WebRequest, subject: int, chosen: Chosen, newest: int) -> AroundView:
    """What stands around the list; with the whole list before them, the reader has seen it up to ``newest``."""
    maker = uses_maker(request)
    async with request.dizuo.pool.acquire() as connection:
        tally = await tallies(request).of(connection, subject)
        seen, tells = await looked(connection, subject)
        objections = await objections_of(connection, subject)
        if newest and not chosen.narrowed and not chosen.kind:
            await look(connection, subject, newest)
    return AroundView(
        whole=maker.whole(tally.whole, tally.sealed),
        numbers=tally.whole.numbers,
        new=maker.new(tally.uses, seen) if tells else [],
        tells=tells,
        units=maker.units(tally.uses, chosen.unit),
        purposes=maker.purposes(tally.uses, chosen.purpose),
        objections=maker.objections(objections),
    )


async def data_told(request: WebRequest) -> Response:
    """Whether new kinds of use are pointed out."""
    async with request.dizuo.pool.acquire() as connection:
        await choose_telling(connection, subject_of(request), request.sent.text("tells") == "1")
    return redirect("/me/data#new")


async def page_of(
    request: WebRequest, subject: int, before: int | None, chosen: Chosen
) -> tuple[list[EntryView], int | None]:
    """A page of entries that pass the filter, and the id to go on from; a filter looks at most 1,000 far."""
    kept: list[EntryView] = []
    name = session_of(request).account.name
    # What the database cannot tell apart is sifted here, so more is fetched than shown.
    lot = PAGE * 5 if chosen.kind or chosen.case else PAGE
    async with request.dizuo.pool.acquire() as connection:
        for _ in range(LOOKS):
            some = await entries_where(connection, subject, chosen.filter, before=before, limit=lot)
            for entry in some:
                before = entry.id
                if kept_by(entry, chosen.kind, subject, name) and (
                    not chosen.case or (entry.payload or {}).get("case") == chosen.case
                ):
                    kept.append(entry)
                if len(kept) == PAGE:
                    return kept, before
            if len(some) < lot:
                return kept, None
    return kept, before


async def enter_viewing(request: WebRequest, subject: int, form: str = "") -> None:
    """Enter that the person looked at their list, or took it along as a file of some form."""
    session = session_of(request)
    entry = Entry(
        kind="data.viewed",
        body={"actor": {"kind": "resident", "channel": session.channel}, "law": "pipl-2021:45"}
        | ({"form": form} if form else {}),
        subject=subject,
        payload={"subject": subject, "name": session.account.name},
    )
    await _batcher(request).submit(entry)


def tallies(request: WebRequest) -> Tallies:
    """The counts of long lists that this process keeps, on the application's state beside the engines."""
    state = request.app.state
    if not hasattr(state, "citizen_tallies"):
        state.citizen_tallies = Tallies()
    return state.citizen_tallies


def _batcher(request: WebRequest) -> Batcher[Entry, int]:
    """One group-commit batcher a process, kept on the application's state beside the engines."""
    state = request.app.state
    if not hasattr(state, "citizen_entries"):
        state.citizen_entries = entry_batcher(request.dizuo.pool)
    return state.citizen_entries


async def own_entry(request: WebRequest, entry: int) -> EntryView:
    """One entry about the signed-in person. Errors: NoSuchEntry, also for somebody else's."""
    if entry > LARGEST:
        raise NoSuchEntry()
    async with request.dizuo.pool.acquire() as connection:
        found = await entries_of(connection, subject_of(request), before=entry + 1, limit=1)
    if not found or found[0].id != entry:
        raise NoSuchEntry()
    return found[0]


async def data_proof(request: WebRequest) -> Response:
    """The proof of one entry, to keep and to check offline."""
    entry = await own_entry(request, request.path_params["entry"])
    async with request.dizuo.pool.acquire() as connection:
        body = await proof(connection, entry.id)
    return attachment(body, f"dizuo-{entry.id}.tlog-proof", "text/plain; charset=utf-8")


async def correct(request: WebRequest) -> Response:
    """Which record, then which field."""
    query = request.query_params
    entry = number(query.get("entry", ""), LARGEST)
    sent = query.get("sent") == "1"
    try:
        view = await _correct_view(request, entry, query.get("field", "")[:60], sent=sent)
    except NoSuchEntry as error:
        # A form shows facts of others too, and of shared records: no dead end, here are the reader's own.
        view = msgspec.structs.replace(await _correct_view(request, 0), elsewhere=True)
        return answer(request, "correct.html", view, status=error.http)
    return answer(request, "correct.html", view)


async def _correct_view(
    request: WebRequest,
    entry: int,
    field: str = "",
    wants: str = "",
    says: str = "",
    once: str = "",
    errors: dict[str, str] | None = None,
    *,
    sent: bool = False,
) -> CorrectView:
    app, subject, maker = request.dizuo, subject_of(request), data_maker(request)
    found = await own_entry(request, entry) if entry else None
    records = []
    if found is None:
        async with app.pool.acquire() as connection:
            records = maker.records(await entries_of(connection, subject, before=None, limit=400))
    wrong = errors or {}
    running = correction_lines(request, await corrections_of(app.cases, self_of(session_of(request))))
    return CorrectView(
        records=records,
        record=maker.name_of(found) if found else "",
        entry=entry,
        options=maker.fields(found) if found else [],
        chosen=field,
        wants=wants,
        says=says,
        once=once or once_token(),
        errors=list(wrong.items()),
        error_fact=wrong.get("field", ""),
        error_wants=wrong.get("wants", ""),
        running=running,
        sent=sent,
    )


async def correct_sent(request: WebRequest) -> Response:
    """Report the error: a correction case begins at the department that recorded it."""
    sent = request.sent
    entry = await own_entry(request, number(sent.text("entry"), LARGEST))
    field, wants, says = (sent.text(name) for name in ("field", "wants", "says"))
    once = sent.text(ONCE_FIELD)[:60]
    words = request.shell.templates(request.door).words[request.lang]["correct"]
    known = field in (entry.body.get("fields") or [])
    errors = {} if known else {"field": words["missing_fact"]}
    errors |= {} if wants else {"wants": words["missing_wants"]}
    if not errors:
        key = str((entry.payload or {}).get("key", ""))
        actor = self_of(session_of(request))
        try:
            await report_error(
                request.dizuo.cases, actor, entry.body["register"], key, field, wants, once, says=says
            )
            remembered(request)[0].forget(subject_of(request))
            return redirect("/me/data/correct?sent=1")
        except Invalid as error:
            errors.update(error.fields)
    view = await _correct_view(request, entry.id, field, wants, says, once, errors)
    return answer(request, "correct.html", view, status=422)
