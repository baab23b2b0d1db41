"""The catalogue's rows of the door's table: resources (资源目录), what the audit found, whose name was what."""

from __future__ import annotations

from typing import Final

from dizuo.web import Route

ROUTES: Final[tuple[Route, ...]] = ()
