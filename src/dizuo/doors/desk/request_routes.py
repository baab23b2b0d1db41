"""The desk's rows about data requests (供需对接): ask for data, check, answer, settle."""

from __future__ import annotations

from typing import Final

from dizuo.web import Route

ROUTES: Final[tuple[Route, ...]] = ()
