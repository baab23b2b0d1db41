"""Who sits at the desk: the signed-in official, as the engines want to know them."""

from __future__ import annotations

from typing import cast

from dizuo.engines.directory import Acting, PostAt, Session
from dizuo.engines.registers import Actor
from dizuo.foundation.kernel.errors import Conflict, SignInNeeded
from dizuo.web import WebRequest

WINDOW = "window.serve"
SUPERVISE = "cases.supervise"


class NobodyServed(Conflict):
    """现在没有为谁办理，或者刚才的服务已经结束。"""

    fix = "请先在“窗口代办”里核对来人的身份。"


def session_of(request: WebRequest) -> Session:
    """The live session. Errors: SignInNeeded."""
    if request.signed_in is None:
        raise SignInNeeded()
    return cast(Session, request.signed_in)


def actors_of(session: Session) -> tuple[Actor, ...]:
    """The official in each of the posts held; an official without a post has none and sees nothing."""
    return tuple(_actor(session, post) for post in session.account.posts)


def _actor(session: Session, post: PostAt) -> Actor:
    return Actor(
        kind="official",
        official=str(session.account.id),
        post=post.post,
        unit=post.organisation,
        place=post.division,
        name=session.account.name,
        powers=post.powers,
    )


def served(session: Session) -> Acting | None:
    """The person whom this official serves at the window now."""
    acting = session.acting_for
    return acting if acting is not None and acting.kind == "window" else None


def clerk_of(session: Session) -> Actor:
    """The official in the post that serves at a window, acting for whoever is present. Errors: NobodyServed."""
    client = served(session)
    post = next((post for post in session.account.posts if WINDOW in post.powers), None)
    if client is None or post is None:
        raise NobodyServed()
    return window_actor(session, post, client.subject)


def window_actor(session: Session, post: PostAt, client: int) -> Actor:
    """An official in a window post, acting for the identity ``client``."""
    return Actor(
        kind="official",
        official=str(session.account.id),
        post=post.post,
        unit=post.organisation,
        place=post.division,
        channel="window",
        name=session.account.name,
        powers=post.powers,
        acting_for=client,
    )


def client_of(session: Session) -> Actor:
    """The person served, as the applicant. Errors: NobodyServed."""
    client = served(session)
    if client is None:
        raise NobodyServed()
    return Actor(kind="resident", subject=client.subject, channel="window", name=client.name)
