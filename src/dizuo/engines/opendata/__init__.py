"""Open data (公共数据开放): datasets made from what the city holds, guarded before release, found and used by everybody.

1. ``datasets``, ``dataset``, ``versions``, ``all_rows``  what is open, and its rows in order; ``rows_found``, ``facet``,
   ``stream_rows`` by condition; ``exporting`` as files.
2. ``publish_datasets``  make, guard, inspect, release: the owner's work; the gate's report is kept whatever it says.
3. ``find``  every substring, pinyin, other words; ``find_sets`` every dataset that holds them; ``speller`` for queries that
   find nothing.
4. ``people``  applications, tickets, showcases, marks.
5. ``reports``  what the gate found; ``stopped`` what it did not let pass.
6. ``ckan``, ``dcat``, ``features``  the catalogue for machines, as portals elsewhere speak; ``harvest`` takes theirs.
"""

from dizuo.engines.opendata import ckan, dcat, exporting, features, harvest, people
from dizuo.engines.opendata.errors import (
    ApplicationRunning,
    AskInvalid,
    BudgetSpent,
    ConditionalOnly,
    DatasetUnknown,
    GateNotPassed,
    ReleaseBusy,
    RowsQueryInvalid,
    RowsQuerySlow,
    StepNotOpen,
    TooFast,
    TooManyForSheet,
)
from dizuo.engines.opendata.gate import Coarser, Finding, inspect, passes
from dizuo.engines.opendata.machines import machine_page, machine_state, spatial_ids
from dizuo.engines.opendata.model import FORMATS, Column, DatasetSeen, GateReport, Row, Stopped, VersionSeen
from dizuo.engines.opendata.publishing import Published, publish_datasets
from dizuo.engines.opendata.querying import (
    FACET_VALUES,
    Condition,
    RowQuery,
    RowsFound,
    facet,
    parse_query,
    rows_found,
    stream_rows,
)
from dizuo.engines.opendata.reads import all_rows, count_use, dataset, datasets, reports, stopped, versions
from dizuo.engines.opendata.searching import (
    Found,
    Hit,
    Kind,
    Match,
    Speller,
    find,
    find_sets,
    marks,
    speller,
    terms_of,
)
from dizuo.engines.opendata.statistics import ledger_by_day

__all__ = [
    "FACET_VALUES",
    "FORMATS",
    "ApplicationRunning",
    "AskInvalid",
    "BudgetSpent",
    "Coarser",
    "Column",
    "Condition",
    "ConditionalOnly",
    "DatasetSeen",
    "DatasetUnknown",
    "Finding",
    "Found",
    "GateNotPassed",
    "GateReport",
    "Hit",
    "Kind",
    "Match",
    "Published",
    "ReleaseBusy",
    "Row",
    "RowQuery",
    "RowsFound",
    "RowsQueryInvalid",
    "RowsQuerySlow",
    "Speller",
    "StepNotOpen",
    "Stopped",
    "TooFast",
    "TooManyForSheet",
    "VersionSeen",
    "all_rows",
    "ckan",
    "count_use",
    "dataset",
    "datasets",
    "dcat",
    "exporting",
    "facet",
    "features",
    "find",
    "find_sets",
    "harvest",
    "inspect",
    "ledger_by_day",
    "machine_page",
    "machine_state",
    "marks",
    "parse_query",
    "passes",
    "people",
    "publish_datasets",
    "reports",
    "rows_found",
    "spatial_ids",
    "speller",
    "stopped",
    "stream_rows",
    "terms_of",
    "versions",
]
