"""The requests' rows of the door's table: who asked for which data, grants, the three lists, how fast."""

from __future__ import annotations

from typing import Final

from dizuo.web import Route

ROUTES: Final[tuple[Route, ...]] = ()
