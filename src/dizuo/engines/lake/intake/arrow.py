"""Arrow as this room uses it: loaded when first used, because pages import this room too and have no need of it.

pyarrow ships no types, so it is taken in here once instead of being doubted in every line.
"""

from __future__ import annotations

import importlib
from typing import Any, Final, TypeAlias

Table: TypeAlias = Any
"""pyarrow.Table"""
Schema: TypeAlias = Any
"""pyarrow.Schema"""


class _Later:
    """A module that is imported when the first of its names is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, found)
        return found


pa: Final[Any] = _Later("pyarrow")
pc: Final[Any] = _Later("pyarrow.compute")
pq: Final[Any] = _Later("pyarrow.parquet")
arrow_csv: Final[Any] = _Later("pyarrow.csv")
np: Final[Any] = _Later("numpy")
calamine: Final[Any] = _Later("python_calamine")
