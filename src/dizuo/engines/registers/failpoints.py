"""Named moments of a read at which fault injection may stop or kill the process (bench/faults.py).

Nothing outside this process can arm them: there is no setting and no environment variable, only ``arm`` in code.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

Moment = Literal["asking", "asked", "released"]
"""asking: nothing sent; asked: the request is committed, its ticket not shown; released: the values are here."""

_hook: Callable[[Moment], Awaitable[None]] | None = None


def arm(hook: Callable[[Moment], Awaitable[None]] | None) -> None:
    """Have ``hook`` awaited at every moment of every read of this process; None disarms."""
    global _hook
    _hook = hook


async def reach(moment: Moment) -> None:
    if _hook is not None:
        await _hook(moment)
