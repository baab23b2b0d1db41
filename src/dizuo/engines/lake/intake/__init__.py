"""Intake (接入): from delivered bytes in any declared format to raw rows, with every row accounted for.

1. ``receive``  keeps the bytes as they came, named by their content, read-only and on disk; the same bytes are one
   delivery. ``pull`` fetches a department's table by its watermark; ``push`` takes records by HTTP and ``collect`` lands them.
2. ``read``  turns a delivery into raw rows and rejected rows, with one reader for each format behind one protocol; killed,
   it begins again.
3. What cannot be taken is ``refused`` with its reason, what looks wrong is held; ``release_held``, ``refuse`` and ``hold`` are a
   steward's decisions and stand in the ledger.
4. ``advance``  notes a later stage; the database keeps the order of stages and the sum of rows.
5. ``returned_rows``  are what a department has to correct; taking them stands in the ledger.
6. ``make_key`` and ``revoke_key``  are for those who push.
"""

from dizuo.engines.lake.intake.actions import Received, advance, hold, read, receive, refuse, release_held
from dizuo.engines.lake.intake.deliveries import STATES, Delivery, Intake, deliveries, delivery
from dizuo.engines.lake.intake.errors import PushKeyForeign, PushUnreadable
from dizuo.engines.lake.intake.keys import LiveKey, SourceKey, find_key, make_key, revoke_key, source_keys
from dizuo.engines.lake.intake.landing import Landed, land, sweep
from dizuo.engines.lake.intake.limits import Limits
from dizuo.engines.lake.intake.places import Places
from dizuo.engines.lake.intake.pushes import MAX_PUSH, MAX_RECORDS, Pushed, collect, note_refused, push
from dizuo.engines.lake.intake.reading import Outcome, read_file
from dizuo.engines.lake.intake.returning import returned_rows
from dizuo.engines.lake.intake.table import pull, source_address

__all__ = [
    "MAX_PUSH",
    "MAX_RECORDS",
    "STATES",
    "Delivery",
    "Intake",
    "Landed",
    "Limits",
    "LiveKey",
    "Outcome",
    "Places",
    "PushKeyForeign",
    "PushUnreadable",
    "Pushed",
    "Received",
    "SourceKey",
    "advance",
    "collect",
    "deliveries",
    "delivery",
    "find_key",
    "hold",
    "land",
    "make_key",
    "note_refused",
    "pull",
    "push",
    "read",
    "read_file",
    "receive",
    "refuse",
    "release_held",
    "returned_rows",
    "revoke_key",
    "source_address",
    "source_keys",
    "sweep",
]
