"""补正: what is asked for one item, the answer with files, and the files themselves."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.engines.cases import StaleFix, answer_fix, fix_form, give_up_fix, keep_files, open_own_upload
from dizuo.foundation.kernel.errors import Invalid
from dizuo.web import WebRequest, answer, attachment, redirect

from .forms import FixSent, fix_sent
from .people import actor_now, session_of
from .views_fix import FixMaker, FixTyped


def _where(request: WebRequest) -> tuple[str, str]:
    """Number of the case and the item."""
    return str(request.path_params["number"])[:40], str(request.path_params["item"])[:60]


async def fix_page(request: WebRequest) -> Response:
    """What is missing (一次性补正告知), or what was sent."""
    return await _shown(request)


async def _shown(request: WebRequest, typed: FixTyped | None = None, *, status: int = 200) -> Response:
    given = None if typed is None or typed.kept else typed.answers
    form = await fix_form(request.dizuo.cases, actor_now(session_of(request)), *_where(request), given)
    words = request.shell.templates(request.door).words[request.lang]
    view = FixMaker(request.dizuo.city, form, request.lang, words).page(typed)
    return answer(request, "fix.html", view, status=status)


async def fix_page_sent(request: WebRequest) -> Response:
    """The missing part: changed answers, words, files; or only the files for now; or that one gives up."""
    sent = fix_sent(request.sent)
    try:
        await _act(request, sent)
    except Invalid as error:
        return await _shown(request, FixTyped(sent.answers, sent.words, error.fields), status=422)
    except StaleFix as error:
        return await _shown(request, FixTyped(sent.answers, sent.words, {}, stale=str(error)), status=409)
    if sent.do == "keep":
        return await _shown(request, FixTyped(sent.answers, sent.words, {}, kept=True))
    return redirect(f"/cases/{_where(request)[0]}")


async def _act(request: WebRequest, sent: FixSent) -> None:
    """Do what the button says. Errors: Invalid by field, StaleFix, and those of the engine."""
    cases, actor, where = request.dizuo.cases, actor_now(session_of(request)), _where(request)
    if sent.do == "keep":
        await keep_files(cases, actor, *where, sent.files, sent.drop)
    elif sent.do != "give_up":
        await answer_fix(
            cases, actor, *where, sent.words, sent.answers, seen=sent.seen, files=sent.files, drop=sent.drop
        )
    elif sent.sure:
        await give_up_fix(cases, actor, *where)
    else:
        raise Invalid({"sure": request.words("fix", "give_up_missing")})


async def fix_file(request: WebRequest) -> Response:
    """A file of one's own, to keep."""
    actor, upload = actor_now(session_of(request)), min(request.path_params["upload"], 2**62)
    opened = await open_own_upload(request.dizuo.cases, actor, *_where(request), upload)
    return attachment(opened.content, opened.name, opened.media_type)
