"""An official at work, as the desk's pages let them: the queue, the case, the one exception, the decision."""

from __future__ import annotations

from town import Town
from visitor import Visitor

Answers = dict[str, str | bool]


async def at_desk(town: Town, name: str) -> Visitor:
    """An official signs in and stands before their own desk."""
    visitor = await town.signed_in(name)
    assert visitor.here() == "/desk", visitor.page.h1
    return visitor


async def to_queue(visitor: Visitor) -> Visitor:
    await visitor.open("/desk")
    await visitor.follow("待我办")
    return visitor


async def pick_up(visitor: Visitor, title: str) -> Visitor:
    """Open the piece of work in the queue whose row says so."""
    await to_queue(visitor)
    await visitor.follow(title, near=title)
    assert visitor.page.status == 200, visitor.page.h1
    return visitor


async def decide(visitor: Visitor, verdict: str, reason: str = "", **more: str | bool) -> Visitor:
    """Fill the decision card on the page that is open, and press 确定，下一件."""
    given: Answers = {"决定": verdict, **more}
    if reason:
        given["理由"] = reason
    await visitor.fill(given, "确定，下一件")
    return visitor
