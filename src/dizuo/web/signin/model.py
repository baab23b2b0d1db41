"""What a way of signing in promises to the application, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec


class SignedIn(msgspec.Struct, frozen=True):
    """Who signed in. Exactly one of `account` (a demonstration account) and `number` (with its `scheme`) is given.

    `provider` is the issuer, `level` how strongly it checked (its `acr`, may be empty). `back` is the local path to go
    to afterwards.
    """

    name: str
    back: str
    provider: str
    account: int | None = None
    scheme: Literal["citizen_id", "uscc", ""] = ""
    number: str = ""
    level: str = ""


class Begun(msgspec.Struct, frozen=True):
    """Where to send the browser, and what to keep in its cookie (COOKIE, HttpOnly, KEEP seconds) until it returns."""

    redirect: str
    kept: str


class Choice(Protocol):
    """An invented person on the demonstration's list."""

    @property
    def key(self) -> str: ...
    @property
    def account(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def note_zh(self) -> str: ...
    @property
    def note_en(self) -> str: ...


class SignIn(Protocol):
    """A way of signing in: `begin` sends the browser somewhere, `finish` says who came back."""

    @property
    def kind(self) -> Literal["demo", "oidc"]: ...

    async def choices(self) -> Sequence[Choice]:
        """Whom the page offers to choose from; empty unless this is the demonstration."""
        ...

    async def begin(self, back: str) -> Begun:
        """Start; `back` is the local path to return to. Errors: Unavailable, SignInMisconfigured."""
        ...

    async def finish(self, answer: Mapping[str, str], kept: str) -> SignedIn:
        """Check what came back (query or form fields) against what was kept. Errors: see errors.py."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


COOKIE = "dz_signin"
KEEP = 600
"""Seconds that somebody has to finish signing in."""
