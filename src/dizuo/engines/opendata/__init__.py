"""Open data (公共数据开放): datasets made from what the city holds, guarded before release, found and used by everybody.

1. ``datasets``, ``dataset``, ``versions``, ``all_rows``  what is open, and its rows in order.
2. ``publish_datasets``  make, guard, inspect, release: the owner's work; the gate's report is kept whatever it says.
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
from dizuo.engines.opendata.publishing import Published, publish_datasets
from dizuo.engines.opendata.reads import all_rows, count_use, dataset, datasets, versions
from dizuo.engines.opendata.statistics import ledger_by_day

__all__ = [
    "FORMATS",
    "BudgetSpent",
    "Column",
    "ConditionalOnly",
    "DatasetSeen",
    "DatasetUnknown",
    "GateNotPassed",
    "Published",
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
    "ledger_by_day",
    "publish_datasets",
    "versions",
]
