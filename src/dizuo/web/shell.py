"""The shell: takes a request through limits, preferences, session, form check, handler, errors and headers.

One plain ASGI path, no middleware stack: a page is measured in hundreds of microseconds.
"""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from secrets import token_hex
from typing import TextIO

from minijinja import Markup
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as StarletteRoute
from starlette.types import Message, Receive, Scope, Send

from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.kernel.errors import DizuoError, SignInNeeded

from . import error_pages, preferences, responses, sessions, tokens
from .access_log import AccessLog
from .addresses import AddressTable
from .errors import Broken, ForgedForm, KeyNeeded, MethodNotAllowed, NoSuchPage, WrongDoor
from .forms import parse, read_body
from .patterns import patterns_page
from .request import WebRequest
from .routes import KEY, Door, Route, check_routes
from .security import headers_for, same_origin
from .sessions import ClosedGate, Gate
from .site import Site
from .static import PREFIX, StaticFiles
from .templates import WEB, Templates
from .uploads import UploadSpace, read_form_with_files

Health = Callable[[], Awaitable[Mapping[str, object]]]
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]
_SMALLEST_GZIP = 1000
_PACKED_ALREADY = frozenset({"application/pdf", "image/jpeg", "image/png"})


def _as_escaped(query: bytes) -> bytes:
    """A query whose letters were sent as they are (curl does), as a browser would have sent it."""
    return b"".join(bytes((one,)) if one < 0x80 else b"%%%02X" % one for one in query)


class Shell:
    """Doors, templates, static files and the way through them. Made once per process by ``build``."""

    def __init__(
        self,
        doors: Iterable[Door],
        *,
        site: Site,
        secret: bytes,
        gate: Gate | None = None,
        now: Callable[[], datetime] | None = None,
        health: Health | None = None,
        log: TextIO | None = None,
    ) -> None:
        self.doors = tuple(doors)
        self.site = site
        self.gate: Gate = gate or ClosedGate()
        self.now = now or SystemNow()
        self.health = health
        self.log = AccessLog(log or sys.stderr)
        self.upload_space = UploadSpace()
        self._secret = secret
        self.static = StaticFiles([WEB / "static", *(door.folder / "static" for door in self.doors)])
        self._templates = {door.name: Templates(door.folder, door.globals) for door in self.doors}
        self._headers = {
            door.name: headers_for(scripts=door.scripts, secure=site.secure) for door in self.doors
        }
        self._css = {
            door.name: [Markup(self.static.url(name)) for name in ("ui.css", *door.css)]
            for door in self.doors
        }
        self._cookie = sessions.cookie_name(site.secure)
        # The longest prefix first, so that /desk is found before / .
        self._by_prefix = sorted(self.doors, key=lambda door: -len(door.prefix))

    def templates(self, door: Door) -> Templates:
        return self._templates[door.name]

    def door_of(self, path: str) -> Door:
        """The door that an address, or its ``.json`` twin, belongs to; what belongs to none belongs to the front door."""
        path = path.removesuffix(".json")
        for door in self._by_prefix:
            if path == door.prefix or path.startswith(door.prefix.rstrip("/") + "/"):
                return door
        return self._by_prefix[-1]

    def render(self, request: WebRequest, template: str, context: Mapping[str, object]) -> str:
        """A page's HTML in the reader's language, with what every page has."""
        door = request.door
        own: Mapping[str, object] = door.context(request) if door.context else {}
        shared: dict[str, object] = {
            "p": request.prefs,
            "site": self.site,
            "css": self._css[door.name],
            "me": request.signed_in.account if request.signed_in else None,
            "path": request.url.path,
            "back": request.back,
            "prefer": preferences.link,
            "guard": request.guard,
            "once": request.once,
            "now": self.now(),
        }
        return self._templates[door.name].render(request.prefs.lang, template, {**shared, **own, **context})

    def keep_visitor(self, request: WebRequest) -> None:
        """Give somebody who has not signed in a cookie to bind their forms to."""
        if request.signed_in is None and not request.cookies.get(sessions.VISITOR_COOKIE):
            if request.new_visitor is None:
                request.new_visitor = sessions.new_visitor()
            request.form_key = tokens.visitor_key(self._secret, request.new_visitor)

    async def serve(
        self, scope: Scope, receive: Receive, send: Send, rows: Mapping[str, Route], *, json: bool
    ) -> None:
        """Answer one request for an address whose rows are given by method."""
        started = time.perf_counter()
        if not scope["query_string"].isascii():
            scope["query_string"] = _as_escaped(scope["query_string"])
        request = WebRequest(scope, receive)
        request.shell = self
        request.door = self.door_of(scope["path"])
        request.number = token_hex(4)
        request.wants_json = json
        request.prefs = preferences.from_cookie(request.cookies.get(preferences.COOKIE))
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        label = next(iter(rows.values())).path if rows else "-"
        try:
            row = rows.get(method)
            if row is not None and row.who == KEY:
                request.wants_json = True
            else:
                await self._identify(request)
            if not scope["path"].isprintable():  # no address of ours has a control character in it
                raise NoSuchPage()
            if row is None:
                raise (
                    MethodNotAllowed([*rows, *(("HEAD",) if "GET" in rows else ())]) if rows else NoSuchPage()
                )
            request.route = row
            if row.who == KEY:
                await self._admit_key(request)
            else:
                self._admit(request, row)
            if method == "POST" and row.who != KEY:
                await self._read_form(request, row)
            response = await row.handler(request)
        except Exception as error:
            response = self._failed(request, label, error)
        finally:
            self.upload_space.give(request.held)
        size = await self._send(request, response, send)
        self.log.line(
            when=self.now(),
            number=request.number,
            method=scope["method"],
            route=label,
            status=response.status_code,
            size=size,
            ms=(time.perf_counter() - started) * 1000,
            who=request.signed_in.account.kind if request.signed_in else KEY if request.key else "-",
        )

    async def _admit_key(self, request: WebRequest) -> None:
        """Let a machine in by its bearer key. No cookie counts here, so that no page elsewhere can lend a browser's."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        shown = key.strip() if scheme.lower() == "bearer" and key.isascii() else ""
        admit = request.door.admit_key
        request.key = await admit(request, shown) if admit is not None else None
        if request.key is None:
            raise KeyNeeded()

    async def _identify(self, request: WebRequest) -> None:
        token = request.cookies.get(self._cookie)
        if token and len(token) <= sessions.TOKEN_LENGTH:
            request.signed_in = await self.gate.find(token)
        if request.signed_in is not None:
            request.form_key = request.signed_in.csrf_key
        else:
            visitor = request.cookies.get(sessions.VISITOR_COOKIE, "")
            request.form_key = tokens.visitor_key(self._secret, visitor)

    def _admit(self, request: WebRequest, row: Route) -> None:
        if row.who == "public":
            return
        if request.signed_in is None:
            raise SignInNeeded()
        kind = request.signed_in.account.kind
        wanted, _, power = row.who.partition(":")
        if wanted != "any" and kind != wanted:
            raise WrongDoor(rule=f"web.route:{row.who}", law="个人信息保护法:51")
        if power and not self.gate.has_power(request.signed_in, power):
            raise WrongDoor(
                f"web.route:{row.who}",
                "个人信息保护法:51",
                f"这一页要有“{power}”权限的岗位才能打开。",
                fix="岗位权限由本单位的岗位管理员授予，请与他联系。",
            )

    async def _read_form(self, request: WebRequest, row: Route) -> None:
        headers = request.headers
        kind = headers.get("content-type", "")
        if row.files is not None and kind.partition(";")[0].strip().lower() == "multipart/form-data":
            request.sent, request.held = await read_form_with_files(
                request.receive, kind, row.files, row.max_body, self.upload_space
            )
        else:
            body = await read_body(request.receive, headers.get("content-length"), row.max_body)
            request.sent = parse(body, kind)
        token = request.sent.text(tokens.CSRF_FIELD)
        if not same_origin(headers) or not tokens.csrf_ok(request.form_key, request.url.path, token):
            raise ForgedForm()

    def _failed(self, request: WebRequest, label: str, error: Exception) -> Response:
        """The answer to an error: a page or JSON that says what happened and what to do; never a stack."""
        if isinstance(error, SignInNeeded) and request.method in ("GET", "HEAD") and not request.wants_json:
            return responses.redirect(error_pages.sign_in_address(request))
        if not isinstance(error, DizuoError):
            self.log.broken(
                when=self.now(),
                number=request.number,
                route=label,
                error=error,
                tell=self.site.demonstration,
            )
            error = Broken()
        try:
            return error_pages.answer(request, error)
        except Exception as second:  # even the error page failed: plain words, still no stack
            self.log.broken(when=self.now(), number=request.number, route=label, error=second, tell=False)
            return error_pages.last_resort(request, error)

    async def _send(self, request: WebRequest, response: Response, send: Send) -> int:
        headers = [*response.raw_headers, *self._headers[request.door.name]]
        if not any(name == b"cache-control" for name, _ in headers):
            headers.append((b"cache-control", b"no-store"))
        headers.append((b"vary", b"cookie, accept-encoding"))
        if request.new_visitor is not None:
            secure = "; Secure" if self.site.secure else ""
            cookie = (
                f"{sessions.VISITOR_COOKIE}={request.new_visitor}; Path=/; HttpOnly; SameSite=Lax{secure}"
            )
            headers.append((b"set-cookie", cookie.encode("ascii")))
        if isinstance(response, StreamingResponse):
            response.raw_headers = headers
            await response(request.scope, request.receive, send)
            return 0
        body = bytes(response.body)
        if (
            len(body) >= _SMALLEST_GZIP
            and response.media_type not in _PACKED_ALREADY
            and "gzip" in request.headers.get("accept-encoding", "")
        ):
            body = _gzip(body)
            headers = [pair for pair in headers if pair[0] != b"content-length"]
            headers += [(b"content-encoding", b"gzip"), (b"content-length", str(len(body)).encode("ascii"))]
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})
        return len(body)

    def sign_in_cookie(self, token: str) -> str:
        """The Set-Cookie value that a successful sign-in sends; '' as token ends it."""
        secure = "; Secure" if self.site.secure else ""
        ended = "; Max-Age=0" if not token else ""
        return f"{self._cookie}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{ended}"

    def session_token(self, request: WebRequest) -> str:
        """The token that the request's session cookie carries, '' without one."""
        return request.cookies.get(self._cookie, "")


def _gzip(body: bytes) -> bytes:
    """Level 1: a page of 40 kB takes about 0.3 ms and still shrinks to a quarter."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


class _Address:
    """The ASGI end of one address: all its rows by method."""

    def __init__(self, shell: Shell, rows: Mapping[str, Route], json: bool) -> None:
        self._shell = shell
        self._rows = rows
        self._json = json

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._shell.serve(scope, receive, send, self._rows, json=self._json)


class _Static:
    """Sends hashed static files; one year, immutable, gzipped when the browser accepts it."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = self._shell.static.at(scope["path"])
        if file is None or scope["method"] not in ("GET", "HEAD"):
            await self._shell.serve(scope, receive, send, {}, json=False)
            return
        accepted = b", ".join(value for name, value in scope["headers"] if name == b"accept-encoding")
        packed = file.gzipped if b"gzip" in accepted else None
        body = file.raw if packed is None else packed
        headers = [
            (b"content-type", file.media_type.encode("ascii")),
            (b"content-length", str(len(body)).encode("ascii")),
            (b"cache-control", b"public, max-age=31536000, immutable"),
            (b"etag", file.etag.encode("ascii")),
            (b"vary", b"accept-encoding"),
            (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]
        if packed is not None:
            headers.append((b"content-encoding", b"gzip"))
        start: Message = {"type": "http.response.start", "status": 200, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _prefer(request: WebRequest) -> Response:
    chosen, back = preferences.changed(request.url.query, request.prefs)
    response = responses.redirect(back)
    secure = "; Secure" if request.shell.site.secure else ""
    response.headers["set-cookie"] = (
        f"{preferences.COOKIE}={chosen.cookie()}; Path=/; Max-Age={preferences.ONE_YEAR}; SameSite=Lax{secure}"
    )
    return response


async def _health(request: WebRequest) -> Response:
    """Ready (200) or not yet (503), as JSON for machines."""
    shell = request.shell
    facts: Mapping[str, object] = await shell.health() if shell.health else {}
    ready = bool(facts.get("ready", True))
    return responses.json({"ok": ready, "version": shell.site.version, **facts}, status=200 if ready else 503)


SHELL_ROUTES = (
    Route(
        "GET", "/health", _health, purpose="Tell a supervisor whether this process can serve.", who="public"
    ),
    Route("GET", "/-/prefer", _prefer, purpose="Remember elder view, theme or language.", who="public"),
    Route("GET", "/-/patterns", patterns_page, purpose="Show every component for review.", who="public"),
)


def build(shell: Shell, *, lifespan: Lifespan | None = None) -> Starlette:
    """The ASGI application of a shell. Errors: RouteTableError when a row lacks purpose or who."""
    front = shell.doors[-1] if not shell.doors else min(shell.doors, key=lambda door: len(door.prefix))
    own = Door("shell", WEB, SHELL_ROUTES, css=front.css, sign_in=front.sign_in)
    check_routes([own, *shell.doors])
    twins: list[StarletteRoute] = []
    plain: list[StarletteRoute] = []
    for door in (own, *shell.doors):
        by_path: dict[str, dict[str, Route]] = {}
        for route in door.routes:
            by_path.setdefault(route.path, {})[route.method] = route
        for path, rows in by_path.items():
            plain.append(StarletteRoute(path, _Address(shell, rows, json=False)))
            if (row := rows.get("GET")) and row.json:
                twin = (path if path != "/" else "/index") + ".json"
                twins.append(StarletteRoute(twin, _Address(shell, {"GET": row}, json=True)))
    # An address with fewer places is more particular and is asked first: /cases/new before /cases/{number}.
    plain.sort(key=lambda route: (route.path.count("{"), -len(route.path)))
    static = StarletteRoute(PREFIX + "{name:path}", _Static(shell))
    app = Starlette(routes=[static, AddressTable([*twins, *plain])], lifespan=lifespan or _nothing)
    app.router.redirect_slashes = False
    app.router.default = _Address(shell, {}, json=False)
    return app


@asynccontextmanager
async def _nothing(app: Starlette) -> AsyncIterator[None]:
    yield
