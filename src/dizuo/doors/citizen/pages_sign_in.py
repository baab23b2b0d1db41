"""Signing in and out: the demonstration's list, or the unified identity service (OpenID Connect)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from dizuo.engines.directory import Account
from dizuo.foundation.kernel.errors import Invalid, NotFound
from dizuo.web import WebRequest, answer, local_path, page, redirect
from dizuo.web.signin import COOKIE, KEEP, SignedIn

SHOWN = 12


class NotRegisteredHere(NotFound):
    """身份认证通过了，但是本市人口库里没有您的登记。"""

    fix = "请带身份证到任意办事窗口登记，或拨打 12345。"


class PersonView(msgspec.Struct, frozen=True):
    key: str
    name: str
    note: str


class PeopleView(msgspec.Struct, frozen=True):
    """A group of invented people; all but the first dozen are folded away."""

    name: str
    people: list[PersonView]
    more: list[PersonView]


class SignInView(msgspec.Struct, frozen=True):
    """The sign-in page: people to choose from (demonstration), or the link to the identity service."""

    next: str
    oidc: str
    people: list[PeopleView]
    failed: str


async def sign_in(request: WebRequest) -> Response:
    """The page. Officials and residents sign in at the same place."""
    return await _page(request, local_path(request.query_params.get("next")))


async def _page(request: WebRequest, target: str, failed: str = "") -> Response:
    adapter = request.dizuo.sign_in
    words = request.shell.templates(request.door).words[request.lang]["sign_in"]
    groups: dict[str, list[PersonView]] = {"resident": [], "official": []}
    for choice in await adapter.choices():
        note = choice.note_en if request.lang == "en" else choice.note_zh
        groups[choice.kind].append(PersonView(choice.key, choice.name, note))
    people = [
        PeopleView(words[f"{kind}s"], found[:SHOWN], found[SHOWN:]) for kind, found in groups.items() if found
    ]
    link = "" if adapter.kind == "demo" else "/sign-in/begin"
    view = SignInView(target, link, people, failed)
    return page(request, "sign_in.html", status=422 if failed else 200, v=view)


async def sign_in_sent(request: WebRequest) -> Response:
    """An invented person was chosen (demonstration)."""
    sent = request.sent
    try:
        found = await request.dizuo.sign_in.finish({"who": sent.text("who"), "next": sent.text("next")}, "")
    except Invalid as error:
        return await _page(request, local_path(sent.text("next")), error.message)
    return await _enter(request, found)


async def sign_in_begin(request: WebRequest) -> Response:
    """Off to the identity service."""
    begun = await request.dizuo.sign_in.begin(local_path(request.query_params.get("next")))
    secure = "; Secure" if request.shell.site.secure else ""
    # The service is another host, so this is not one of our own redirects.
    return Response(
        b"",
        status_code=303,
        headers={
            "location": begun.redirect,
            "set-cookie": f"{COOKIE}={begun.kept}; Path=/sign-in; Max-Age={KEEP}; HttpOnly; SameSite=Lax{secure}",
        },
    )


async def sign_in_callback(request: WebRequest) -> Response:
    """Back from the identity service."""
    kept = request.cookies.get(COOKIE, "")
    response = await _enter(request, await request.dizuo.sign_in.finish(dict(request.query_params), kept))
    response.headers.append("set-cookie", f"{COOKIE}=; Path=/sign-in; Max-Age=0; HttpOnly; SameSite=Lax")
    return response


async def _enter(request: WebRequest, found: SignedIn) -> Response:
    directory = request.dizuo.directory
    account = found.account if found.account is not None else (await _account(request, found)).id
    if token := request.shell.session_token(request):
        await directory.end_session(token)
    opened = await directory.open_session(account)
    target = local_path(found.back)
    if opened.session.account.kind == "official" and target == "/":
        target = "/desk"
    response = redirect(target)
    response.headers["set-cookie"] = request.shell.sign_in_cookie(opened.token)
    return response


async def _account(request: WebRequest, found: SignedIn) -> Account:
    app = request.dizuo
    subject = await app.registers.identity_of(found.scheme, found.number)
    if subject is None:
        raise NotRegisteredHere()
    return await app.directory.resident(subject, found.name)


async def sign_out(request: WebRequest) -> Response:
    """Ask before leaving: a link must not end a session by itself."""
    return answer(request, "sign_out.html", _nothing())


async def sign_out_sent(request: WebRequest) -> Response:
    """Leave: the session ends everywhere at once."""
    await request.dizuo.directory.end_session(request.shell.session_token(request))
    response = redirect("/")
    response.headers["set-cookie"] = request.shell.sign_in_cookie("")
    return response


def _nothing() -> Mapping[str, str]:
    return {}
