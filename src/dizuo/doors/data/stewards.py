"""Who stands here as a steward: the signed-in official, as the engine that looks after the sources wants to know them."""

from __future__ import annotations

from typing import Final, cast

from dizuo.engines.directory import Session
from dizuo.engines.lake import review
from dizuo.foundation.kernel.errors import SignInNeeded
from dizuo.web import WebRequest

LARGEST: Final = 2**62
"""No number in an address is larger: the database's end there."""


def steward(request: WebRequest) -> review.Steward:
    """The official as a steward. Errors: SignInNeeded, NotSteward."""
    if request.signed_in is None:
        raise SignInNeeded()
    account = cast(Session, request.signed_in).account
    held = {(post.organisation, post.post) for post in account.posts}
    return review.steward_of(request.dizuo.city, str(account.id), account.powers, held)


def as_steward(request: WebRequest) -> review.Steward | None:
    """The same on pages that everybody may read: None for everybody else."""
    if request.signed_in is None or request.signed_in.account.kind != "official":
        return None
    try:
        return steward(request)
    except review.NotSteward:
        return None
