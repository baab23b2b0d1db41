"""Named moments of a read at which fault injection may stop or kill the process (bench/faults.py).

Nothing outside this process can arm them: there is no setting and no environment variable, only ``arm`` in code.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

Moment = Literal["asking", "asked", "released"]
"""asking: nothing sent; asked: the request is committed, its ticket not shown; released: the values are here."""

_hook: Callable[[Moment], Awaitable[None]] | None = None
_apart: Callable[[], bool] | None = None


def arm(hook: Callable[[Moment], Awaitable[None]] | None, apart: Callable[[], bool] | None = None) -> None:
    """Have ``hook`` awaited at every moment of every read of this process; None disarms.

    A read takes both steps in one journey, so ``asked`` is reached only where ``apart`` says to take them one by one.
    """
    global _hook, _apart
    _hook, _apart = hook, apart


def steps_apart() -> bool:
    return _apart is not None and _apart()


async def reach(moment: Moment) -> None:
    if _hook is not None:
        await _hook(moment)
