"""What stands around a request, as the request and the pages see it.

The shell makes requests and knows them; a request knows of the shell only this much, so that neither has to be read
to understand the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from .sessions import Gate
from .site import Site
from .static import StaticFiles
from .templates import Templates


class DoorSeen(Protocol):
    """The part of a door that pages use."""

    @property
    def name(self) -> str: ...

    @property
    def sign_in(self) -> str: ...

    @property
    def context(self) -> Callable[[Any], Mapping[str, object]] | None: ...

    @property
    def say_law(self) -> Callable[[Any, str], str] | None: ...

    @property
    def admit_key(self) -> Callable[[Any, str], Awaitable[object | None]] | None: ...


class RouteSeen(Protocol):
    """The part of a row of the route table that pages use."""

    @property
    def purpose(self) -> str: ...

    @property
    def max_body(self) -> int: ...


class ShellSeen(Protocol):
    """The part of the shell that requests and pages use."""

    @property
    def site(self) -> Site: ...

    @property
    def gate(self) -> Gate: ...

    @property
    def now(self) -> Callable[[], datetime]: ...

    @property
    def health(self) -> Callable[[], Awaitable[Mapping[str, object]]] | None: ...

    @property
    def static(self) -> StaticFiles: ...

    def templates(self, door: Any) -> Templates:
        """The templates and the words of a door."""
        ...

    def render(self, request: Any, template: str, context: Mapping[str, object]) -> str:
        """A page's HTML in the reader's language, with what every page has."""
        ...

    def keep_visitor(self, request: Any) -> None:
        """Give somebody who has not signed in a cookie to bind their forms to."""
        ...

    def session_token(self, request: Any) -> str:
        """The token that the request's session cookie carries, '' without one."""
        ...

    def sign_in_cookie(self, token: str) -> str:
        """The Set-Cookie value that a successful sign-in sends; '' as token ends it."""
        ...
