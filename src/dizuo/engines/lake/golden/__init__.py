"""Golden records: what the city takes to be so, from everything that its departments say, and who said it.

For each field one organisation is the source (一数一源); where it is silent, a declared order is asked; within a source the
newest row speaks. Every value keeps where it is from (source, delivery, line, day), and every row gets a fate.

1. ``open_golden`` and ``build``  one run over checked and linked deliveries: records on disk, ``Fate`` of every row.
2. ``publish_first``    a run's records into empty registers, in bulk, served at once.
3. ``publish_changes``  what differs between two runs, in lots.
4. ``lineage``          from one record's fields back to the lines of delivered files.
"""

from dizuo.engines.lake.golden.chain import put_together, records_of
from dizuo.engines.lake.golden.fates import SAYS, Fate
from dizuo.engines.lake.golden.lineage import Origin, lineage
from dizuo.engines.lake.golden.plan import Plan, plan_of
from dizuo.engines.lake.golden.publishing import Published, publish_changes, publish_first
from dizuo.engines.lake.golden.run import GoldenRun, Timing, abandon, build, finished, open_golden, prepare
from dizuo.engines.lake.golden.staging import Delivery

__all__ = [
    "SAYS",
    "Delivery",
    "Fate",
    "GoldenRun",
    "Origin",
    "Plan",
    "Published",
    "Timing",
    "abandon",
    "build",
    "finished",
    "lineage",
    "open_golden",
    "plan_of",
    "prepare",
    "publish_changes",
    "publish_first",
    "put_together",
    "records_of",
]
