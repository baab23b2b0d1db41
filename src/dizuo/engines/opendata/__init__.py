"""Open data (公共数据开放): datasets made from what the city holds, guarded before release, found and used by everybody.

1. ``datasets``, ``dataset``, ``versions``, ``all_rows``  what is open, and its rows in order.
"""

from dizuo.engines.opendata.errors import (
    BudgetSpent,
    ConditionalOnly,
    DatasetUnknown,
    GateNotPassed,
    ReleaseBusy,
    RowsQueryInvalid,
    RowsQuerySlow,
    TooManyForSheet,
)
from dizuo.engines.opendata.model import FORMATS, Column, DatasetSeen, Row, VersionSeen
from dizuo.engines.opendata.reads import all_rows, count_use, dataset, datasets, versions

__all__ = [
    "FORMATS",
    "BudgetSpent",
    "Column",
    "ConditionalOnly",
    "DatasetSeen",
    "DatasetUnknown",
    "GateNotPassed",
    "ReleaseBusy",
    "Row",
    "RowsQueryInvalid",
    "RowsQuerySlow",
    "TooManyForSheet",
    "VersionSeen",
    "all_rows",
    "count_use",
    "dataset",
    "datasets",
    "versions",
]
