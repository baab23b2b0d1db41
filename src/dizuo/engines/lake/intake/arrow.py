"""Arrow as this room uses it. pyarrow ships no types, so it is taken in here once instead of being doubted in every line."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as _numpy
import pyarrow as _pyarrow
import pyarrow.compute as _compute
import pyarrow.csv as _csv
import pyarrow.parquet as _parquet

Table: TypeAlias = Any
"""pyarrow.Table"""
Schema: TypeAlias = Any
"""pyarrow.Schema"""
Vector: TypeAlias = Any
"""pyarrow.Array, ChunkedArray or numpy.ndarray"""

pa: Final[Any] = _pyarrow
pc: Final[Any] = _compute
pq: Final[Any] = _parquet
arrow_csv: Final[Any] = _csv
np: Final[Any] = _numpy
