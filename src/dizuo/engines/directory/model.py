"""Facts of the directory: accounts, posts held, sessions, mandates. Frozen, no I/O."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

Channel = Literal["online", "window", "phone"]


class PostAt(msgspec.Struct, frozen=True):
    """A post held at a unit (岗位任职). `division` bounds what its holder sees; `powers` are those declared now."""

    post: str
    organisation: str
    unit: str
    unit_name: str
    division: str
    post_name: str = ""
    powers: tuple[str, ...] = ()


class Account(msgspec.Struct, frozen=True):
    """Somebody who may sign in. `subject` is the identity id of the person; `demo` marks invented people (演示数据)."""

    id: int
    kind: Literal["resident", "official"]
    subject: int | None
    name: str
    posts: tuple[PostAt, ...] = ()
    demo: bool = False

    @property
    def powers(self) -> frozenset[str]:
        """Every power that one of the posts has."""
        return frozenset(power for post in self.posts for power in post.powers)


class Acting(msgspec.Struct, frozen=True):
    """For whom a session acts besides its own holder.

    enterprise: the holder is its legal representative. mandator: the holder has a mandate, for `matters` (empty: all).
    window: an official serves this person, who is present; `checked` is the proof of identity that was seen.
    `subject` is the identity id.
    """

    kind: Literal["enterprise", "mandator", "window"]
    subject: int
    name: str
    matters: tuple[str, ...] = ()
    mandate: int | None = None
    checked: str = ""

    def allows(self, matter: str) -> bool:
        return not self.matters or matter in self.matters


class Session(msgspec.Struct, frozen=True):
    """A signed-in session. `token_id` may be written in logs, it opens nothing."""

    token_id: str
    account: Account
    expires_at: dt.datetime
    csrf_key: bytes
    channel: Channel = "online"
    acting_for: Acting | None = None

    @property
    def subject(self) -> int | None:
        """Whose matters the session is about: the one acted for, else the holder."""
        return self.acting_for.subject if self.acting_for is not None else self.account.subject


class Opened(msgspec.Struct, frozen=True):
    """A new session and its token, which is shown this once and kept nowhere but in the person's browser."""

    token: str
    session: Session


class DemoChoice(msgspec.Struct, frozen=True):
    """An invented person whom the demonstration sign-in offers."""

    key: str
    account: int
    kind: Literal["resident", "official"]
    name: str
    note_zh: str
    note_en: str


class Mandate(msgspec.Struct, frozen=True):
    """A mandate (代办授权): `giver` lets `proxy` act in `matters` (empty: all) in the period, both days included."""

    id: int
    giver: int
    giver_name: str
    proxy: int
    proxy_name: str
    matters: tuple[str, ...]
    valid_from: dt.date
    valid_to: dt.date
    granted_at: dt.datetime
    revoked_at: dt.datetime | None


class Represented(msgspec.Struct, frozen=True):
    """An enterprise that somebody represents (法定代表人)."""

    subject: int
    name: str
    as_of: dt.date


class Unit(msgspec.Struct, frozen=True):
    """A unit of an organisation in a division."""

    id: str
    organisation: str
    division: str
    name: str


class SeedPerson(msgspec.Struct, frozen=True):
    """An invented resident to whom the demonstration sign-in gives an account; `subject` is the identity id."""

    key: str
    subject: int
    name: str
    note_zh: str
    note_en: str


class Representation(msgspec.Struct, frozen=True):
    """One line of the enterprise register: who represents which enterprise."""

    enterprise: int
    person: int
    name: str
    as_of: dt.date
