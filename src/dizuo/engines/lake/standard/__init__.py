"""Standardise and check: from rows as departments write them to rows that can be compared, as Ibis expressions.

The same expressions run on DuckDB and on Spark; nothing here loops over rows in Python.

1. ``Standards.of(city, today)`` once a day; ``standard_rows`` and ``rejected_rows`` of a raw table: every row is in
   exactly one of them.
2. ``mentions`` of standard rows: the persons and enterprises that identity links.
3. ``rule_counts``/``results``/``score``/``failing_rows``: the declared rules by the six dimensions of GB/T 36344-2018.
4. ``standardise`` does 1 to 3 for one delivery on DuckDB, file to file. Compile with ``stages_kept`` elsewhere.
5. ``cut`` takes any Chinese address apart, from province to room.
"""

from dizuo.engines.lake.standard.cells import stages_kept
from dizuo.engines.lake.standard.cutting import cut
from dizuo.engines.lake.standard.faults import SENTENCES
from dizuo.engines.lake.standard.mentions import SCHEMA, mentions
from dizuo.engines.lake.standard.quality import (
    DIMENSIONS,
    RuleResult,
    Score,
    failing_rows,
    results,
    rule_counts,
    score,
)
from dizuo.engines.lake.standard.rows import Standards, fault_counts, rejected_rows, standard_rows
from dizuo.engines.lake.standard.run import Outputs, Standardised, open_engine, standardise

__all__ = [
    "DIMENSIONS",
    "SCHEMA",
    "SENTENCES",
    "Outputs",
    "RuleResult",
    "Score",
    "Standardised",
    "Standards",
    "cut",
    "failing_rows",
    "fault_counts",
    "mentions",
    "open_engine",
    "rejected_rows",
    "results",
    "rule_counts",
    "score",
    "stages_kept",
    "standard_rows",
    "standardise",
]
