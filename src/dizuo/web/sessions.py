"""Who is at the door: the session cookie, and what the shell needs to know about a session.

The shell knows no engine; the application gives it a gate that looks sessions up.
"""

from __future__ import annotations

import secrets
from typing import Any, Protocol

COOKIE = "dz_session"
SECURE_COOKIE = "__Host-dz_session"
VISITOR_COOKIE = "dz_visitor"
TOKEN_LENGTH = 200


class AccountSeen(Protocol):
    """The part of an account that every page shows."""

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str: ...


class SessionSeen(Protocol):
    """The part of a session that the shell uses; doors read the rest from their engine's own type."""

    @property
    def account(self) -> AccountSeen: ...

    @property
    def csrf_key(self) -> bytes: ...


class Gate(Protocol):
    """How the shell asks who holds a session token, and whether they may pass a row of the route table."""

    async def find(self, token: str) -> SessionSeen | None:
        """The live session of a token, or None when it ended or never was."""
        ...

    def has_power(self, session: Any, power: str) -> bool:
        """Whether one of the official's posts has the power."""
        ...


class ClosedGate:
    """A gate that knows nobody: for public pages alone."""

    async def find(self, token: str) -> SessionSeen | None:
        return None

    def has_power(self, session: Any, power: str) -> bool:
        return False


def cookie_name(secure: bool) -> str:
    """The cookie's name; on https the `__Host-` prefix binds it to this very host."""
    return SECURE_COOKIE if secure else COOKIE


def new_visitor() -> str:
    """A random value for somebody who has not signed in, so that their forms have tokens too."""
    return secrets.token_urlsafe(24)
