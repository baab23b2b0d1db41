"""The question that is put to policy, and the answer. Nothing in them is personal: a question has a shape, not a name."""

from __future__ import annotations

from typing import Literal

import msgspec

Action = Literal[
    "read", "view_case", "supervise", "follow_up", "decide", "write", "submit", "consent", "serve", "correct"
]
"""read: the declared facts of an item; view_case: the file of an item; supervise: its steps and clocks without anything
about a person; follow_up: a bad rating (差评) with whom it is from and what it says; decide: a step; write: what a granted item
changes in a register; submit, consent, serve: on a matter; correct: a register's field by its source department."""

Relation = Literal["self", "for", "consenting", "served", "duty", "none"]
"""How the reader stands to the person concerned: oneself; for an enterprise or ward; the other party whose consent is
asked; a window clerk for the person in front; on duty (officials, systems); none of these."""


class Principal(msgspec.Struct, frozen=True):
    """Who asks, as far as policy may care. ``place`` is a division code, empty for the whole city."""

    kind: Literal["resident", "official", "system"]
    unit: str = ""
    post: str = ""
    powers: tuple[str, ...] = ()
    place: str = ""


class Ask(msgspec.Struct, frozen=True):
    """The circumstances. ``at`` is the division where the item is done; ``power`` the power that a step asks for,
    ``facts`` are ``party.field`` (for ``correct``: field ids), ``case`` says whether a case is named."""

    relation: Relation = "none"
    at: str = ""
    power: str = ""
    purposes: frozenset[str] = frozenset()
    facts: frozenset[str] = frozenset()
    case: bool = True


class Request(msgspec.Struct, frozen=True):
    """May ``actor`` do ``action`` on ``resource`` (``matter``, ``matter.item`` or ``register``) in this context?"""

    actor: Principal
    action: Action
    resource: str
    context: Ask = Ask()


class Verdict(msgspec.Struct, frozen=True):
    """The answer: the rule that decided (its ``@id``), its legal basis (``@law``), why in Chinese, and, when refused,
    who could do it."""

    allowed: bool
    rule: str
    law: str
    why_zh: str
    who_can: tuple[str, ...] = ()
