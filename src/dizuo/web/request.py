"""A request as a handler sees it: who asks, how they like their pages, and the form already read and checked."""

from __future__ import annotations

from typing import Any

from minijinja import Markup, escape
from starlette.requests import Request
from starlette.types import Receive, Scope

from .around import DoorSeen, RouteSeen, ShellSeen
from .forms import Form, read_body
from .preferences import DEFAULT, Preferences
from .sessions import SessionSeen
from .tokens import CSRF_FIELD, ONCE_FIELD, csrf_token, once_token


class WebRequest(Request):
    """One request on its way through the shell.

    ``signed_in`` is the session that the gate found, or None; ``sent`` is the form, empty on GET; ``wants_json`` says that the
    ``.json`` twin was asked for; ``number`` names the request in the log and on error pages; ``held`` counts the bytes of
    its files; ``key`` is whom the door knows by the bearer key, on rows for keys only.
    """

    shell: ShellSeen
    door: DoorSeen
    route: RouteSeen | None
    number: str
    prefs: Preferences
    signed_in: SessionSeen | None
    sent: Form
    wants_json: bool
    form_key: bytes
    held: int
    key: Any

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self.route = None
        self.number = ""
        self.prefs = DEFAULT
        self.signed_in = None
        self.sent = Form()
        self.wants_json = False
        self.form_key = b""
        self.held = 0
        self.key = None
        self.new_visitor: str | None = None

    @property
    def dizuo(self) -> Any:
        """The application object that doors work with."""
        return self.app.state.dizuo

    @property
    def lang(self) -> str:
        return self.prefs.lang

    async def content(self) -> bytes:
        """The body of a request with a key, as it came, within the row's ``max_body``. Errors: TooLarge, BadForm."""
        limit = self.route.max_body if self.route else 0
        return await read_body(self.receive, self.headers.get("content-length"), limit)

    def words(self, page: str, key: str) -> str:
        """One sentence of the door or the shell in the reader's language."""
        return self.shell.templates(self.door).words[self.prefs.lang][page][key]

    def guard(self, action: str) -> Markup:
        """The hidden field that a form submitting to ``action`` must carry."""
        self.shell.keep_visitor(self)
        token = csrf_token(self.form_key, action.partition("?")[0])
        return Markup(f'<input type="hidden" name="{CSRF_FIELD}" value="{token}">')

    def once(self, token: str | None = None) -> Markup:
        """The hidden field that makes a submit idempotent; give the old token when showing a form again."""
        return Markup(f'<input type="hidden" name="{ONCE_FIELD}" value="{escape(token or once_token())}">')

    @property
    def back(self) -> str:
        """The address to come back to after changing a preference: this page, without the `.json`."""
        path = self.url.path.removesuffix(".json")
        query = self.url.query
        return f"{path}?{query}" if query and self.method == "GET" else path
