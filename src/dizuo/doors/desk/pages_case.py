"""One case at the desk: look, decide, take back, see a full number for a reason."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from dizuo.engines.cases import (
    CaseNotFound,
    CasePage,
    FixChange,
    QueuePage,
    Upload,
    accept,
    ask_by_choice,
    decide,
    fix_changes,
    fix_uploads,
    note_refused_look,
    note_reveal,
    open_upload,
    refer,
    reject_accept,
    undo,
)
from dizuo.foundation.blueprint.model import Choice
from dizuo.foundation.kernel.errors import Invalid, Refused, Stale
from dizuo.web import WebRequest, answer, attachment, redirect
from dizuo.web.words import fill

from .case_maker import CaseMaker, front_of
from .officers import actors_of, session_of
from .opening import number_of, opened, version_of, was_faster
from .pages_measures import measure_shown
from .pages_queue import onward, rail_page, words_of
from .views_case import Typed
from .views_fix import FixedView, fixed_view
from .views_queue import address, rail_of

LONGEST = 4000
LARGEST = 2**62


async def case(request: WebRequest) -> Response:
    """The case page."""
    found = await opened(request, number_of(request))
    query = request.query_params
    done = query.get("done", "")
    said = fill(words_of(request)["queue"]["done"], number=query.get("of", "")[:24]) if done.isdigit() else ""
    return await shown(request, found, query.get("item", ""), done=said, undo=done if done.isdigit() else "")


async def shown(
    request: WebRequest,
    found: CasePage,
    item: str,
    *,
    typed: Typed = Typed(),  # noqa: B008 - frozen
    errors: Mapping[str, str] | None = None,
    revealed: bool = False,
    done: str = "",
    undo: str = "",
) -> Response:
    """The page of a case with one item in front."""
    app, words = request.dizuo, words_of(request)
    maker = CaseMaker(
        app.city, found, front_of(found, item), _post(request, found), app.now(), request.lang, words
    )
    queue = await rail_page(request, "waiting", limit=50)
    around = _around(queue, found.number, maker.front.id, words["case"]["position"])
    view = maker.view(
        rail_of(queue), around, typed=typed, errors=errors, revealed=revealed, done=done, undo=undo
    )
    view = msgspec.structs.replace(view, fixed=await _fixed(request, maker))
    return answer(request, "case.html", view, status=422 if errors else 200)


async def _fixed(request: WebRequest, maker: CaseMaker) -> FixedView | None:
    """What the applicant was asked to complete in the item in front, and what came back."""
    fix, app = maker.front.fix, request.dizuo
    changes: tuple[FixChange, ...] = ()
    uploads: tuple[Upload, ...] = ()
    if fix is not None and fix.answered_at is not None:
        actors, of = actors_of(session_of(request)), (maker.page.number, maker.front.id)
        changes = await fix_changes(app.cases, actors, *of)
        uploads = await fix_uploads(app.cases, actors, *of)
    return fixed_view(
        maker.page, maker.at, changes, uploads, app.city, app.now(), request.lang, words_of(request)
    )


async def case_file(request: WebRequest) -> Response:
    """A file that was handed in, to keep; who opened it for which item is entered first."""
    number, item = number_of(request), str(request.path_params["item"])[:60]
    actors, upload = actors_of(session_of(request)), min(request.path_params["upload"], LARGEST)
    try:
        found = await open_upload(request.dizuo.cases, actors, number, item, upload)
    except (Refused, CaseNotFound):
        await note_refused_look(request.dizuo.cases, actors, number)
        raise
    return attachment(found.content, found.name, found.media_type)


def _post(request: WebRequest, found: CasePage) -> str:
    """The post in which the official sees the case, in words."""
    posts = {post.post: f"{post.unit_name}，{post.post_name}" for post in session_of(request).account.posts}
    return posts.get(found.post, "")


def _around(queue: QueuePage, number: str, item: str, position: str) -> tuple[str, str, str]:
    """Where the work stands in the queue, in words, and the addresses before and after it."""
    rows = list(queue.rows)
    at = next((i for i, row in enumerate(rows) if row.number == number and row.item == item), None)
    if at is None:
        return "", "", address(rows[0]) if rows else ""
    before = address(rows[at - 1]) if at else ""
    after = address(rows[at + 1]) if at + 1 < len(rows) else ""
    return fill(position, n=at + 1, all=rail_of(queue).waiting), before, after


async def reveal_sent(request: WebRequest) -> Response:
    """Show numbers in full, for a reason that the person concerned can read."""
    number, reason = number_of(request), request.sent.text("why")[:200]
    found = await opened(request, number)
    item = request.sent.text("item")
    if len(reason) < 4:
        return await shown(request, found, item, errors={"why": words_of(request)["case"]["reveal_why"]})
    await note_reveal(request.dizuo.cases, actors_of(session_of(request)), found, reason)
    return await shown(request, found, item, revealed=True)


async def decide_sent(request: WebRequest) -> Response:
    """The decision card."""
    number, item = number_of(request), str(request.path_params["item"])
    sent = request.sent
    typed = Typed(
        sent.text("verdict"), sent.text("reason")[:LONGEST], sent.text("law")[:60], sent.under("choice_")
    )
    if typed.verdict == "fix":
        return await measure_shown(request, number, item, "fix", {"reason": typed.reason})
    try:
        done = await _act(request, number, item, typed)
    except Invalid as error:
        found = await opened(request, number)
        return await shown(request, found, item, typed=typed, errors=error.fields)
    except Stale as error:
        words = words_of(request)["case"]
        wrote = [(words["reason"], typed.reason), (words["law"], typed.law)]
        return was_faster(request, error, number, item, wrote)
    return await onward(request, number, item, f"done={done}&of={number}" if done else f"of={number}")


async def _act(request: WebRequest, number: str, item: str, typed: Typed) -> int:
    """Do what the card says; the id of the decision when it can be taken back. Errors: Invalid, Stale, Refused."""
    cases, actors, version = request.dizuo.cases, actors_of(session_of(request)), version_of(request)
    other = _other_way(request, item, typed)
    if not typed.verdict and other is not None:
        await _ask(request, number, item, typed, *other)
    elif typed.verdict == "accept":
        await accept(cases, actors, number, item, version=version, reason=typed.reason)
    elif typed.verdict == "not_accepted":
        await reject_accept(cases, actors, number, item, typed.reason, typed.law, version=version)
    elif typed.verdict == "grant":
        made = await decide(
            cases, actors, number, item, "grant", typed.reason, choices=typed.choices, version=version
        )
        return made.id
    elif typed.verdict == "refuse":
        made = await decide(
            cases, actors, number, item, "refuse", typed.reason, law=typed.law, version=version
        )
        return made.id
    else:
        raise Invalid({"verdict": words_of(request)["case"]["verdict_missing"]})
    return 0


async def _ask(request: WebRequest, number: str, item: str, typed: Typed, check: str, choice: Choice) -> None:
    """A way out that is no decision: a colleague checks, or the applicant is asked for everything chosen, once."""
    cases, actors, version = request.dizuo.cases, actors_of(session_of(request)), version_of(request)
    if choice.effect == "refer":
        await refer(cases, actors, number, item, typed.reason or check, version=version)
        return
    await ask_by_choice(cases, actors, number, item, typed.choices, typed.reason, version=version)


def _other_way(request: WebRequest, item: str, typed: Typed) -> tuple[str, Choice] | None:
    """The chosen way out that is no decision: to ask the applicant or a colleague; with what the check says."""
    matter = request.dizuo.city.matters.get(request.sent.text("matter"))
    for declared in matter.items if matter is not None else ():
        for check in (c for step in declared.steps for c in step.checks if declared.id == item):
            for choice in check.choices:
                if typed.choices.get(check.id) == choice.id and choice.effect != "continue":
                    return check.exception.zh, choice
    return None


async def undo_sent(request: WebRequest) -> Response:
    """Take a decision of one's own back within ten minutes."""
    decision = request.path_params["decision"]
    if decision > LARGEST:
        raise CaseNotFound()
    number = await undo(request.dizuo.cases, actors_of(session_of(request)), decision)
    return redirect(f"/desk/cases/{number}")
