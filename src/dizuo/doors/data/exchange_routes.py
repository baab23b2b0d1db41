"""The exchange's rows of the door's table: signed calls between departments, for machines."""

from __future__ import annotations

from typing import Final

from dizuo.web import Route

ROUTES: Final[tuple[Route, ...]] = ()
