"""Named moments of a call at which fault injection may stop or kill the process (tests and bench only).

Nothing outside this process can arm them: there is no setting and no environment variable, only ``arm`` in code.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

Moment = Literal["verified", "decided", "asked", "released"]
"""verified: the signature holds; decided: policy answered, nothing sent; asked: entered and committed, no value seen yet;
released: values are here."""

_hook: Callable[[Moment], Awaitable[None]] | None = None


def arm(hook: Callable[[Moment], Awaitable[None]] | None) -> None:
    """Have ``hook`` awaited at every moment of every call, each call's two steps taken one by one; None disarms."""
    global _hook
    _hook = hook


def armed() -> bool:
    return _hook is not None


async def reach(moment: Moment) -> None:
    if _hook is not None:
        await _hook(moment)
