"""The golden records of the city (一数一源), and the only way to a value in them.

1. Every record has a register, a key, versions in time, and one source organisation per field.
2. Departments' deliveries are absorbed (``registers.absorb``); a department changes only fields it is the source of.
3. A read names a person, a case and items of a matter; purpose and legal basis come from the declarations.
4. ``request`` writes the ledger entries and returns tickets, never a value; ``release`` exchanges a ticket
   for values after that transaction is committed and on disk.
5. Refusals are entered too.
6. The database enforces 1 to 5: the web's role can read no table here, only how many records there are (``holdings``).
7. A city's first load (``bulk_load``) goes beside the registers and takes their place at once; the rules are the same.
8. What changed is told in one order, record by record (``changes_after``), never with a value.
9. An investigation reads on an order that a second official approved (``ask_sealed`` … ``read_sealed``); the entries are sealed
   until the order's day.
10. Open data learns how many records there are by a few dimensions (``count_records``), from the owner only.
"""

from dizuo.engines.registers.asof import end_of_day, read_as_known_on
from dizuo.engines.registers.bulk import BulkLoaded, BulkRows, Stage, bulk_load
from dizuo.engines.registers.bulk_daily import Absorbed, DailyRows, absorb_golden
from dizuo.engines.registers.bulk_errors import (
    BulkBusy,
    BulkRefused,
    BulkTooLate,
    ChangesGone,
    DayNotOver,
)
from dizuo.engines.registers.bulk_fallbacks import declare_fallbacks, fallbacks_of
from dizuo.engines.registers.changes import Change, Reach, change_reach, changes_after, forget_changes
from dizuo.engines.registers.counting import Dimension, count_records
from dizuo.engines.registers.errors import (
    MatterUnknown,
    QuestionInvalid,
    ReadNotReleased,
    RecordGone,
    SealedReadRefused,
    WriteRefused,
)
from dizuo.engines.registers.forget import forget
from dizuo.engines.registers.formats import FormatsFound, formats_found
from dizuo.engines.registers.holdings import Holding, holdings
from dizuo.engines.registers.model import (
    Actor,
    Candidate,
    Fact,
    Guard,
    PartyState,
    ReadRequest,
    ReadResult,
    Refusal,
    RegisterChange,
    Thread,
    Written,
)
from dizuo.engines.registers.publish import publish
from dizuo.engines.registers.reader import Registers, principal_of, relation_of
from dizuo.engines.registers.sealed_reads import (
    SealedAsk,
    SealedRecord,
    SealOrder,
    ask_sealed,
    decide_sealed,
    read_sealed,
    seal_orders,
    seal_rules,
)

__all__ = [
    "Absorbed",
    "Actor",
    "BulkBusy",
    "BulkLoaded",
    "BulkRefused",
    "BulkRows",
    "BulkTooLate",
    "Candidate",
    "Change",
    "ChangesGone",
    "DailyRows",
    "DayNotOver",
    "Dimension",
    "Fact",
    "FormatsFound",
    "Guard",
    "Holding",
    "MatterUnknown",
    "PartyState",
    "QuestionInvalid",
    "Reach",
    "ReadNotReleased",
    "ReadRequest",
    "ReadResult",
    "RecordGone",
    "Refusal",
    "RegisterChange",
    "Registers",
    "SealOrder",
    "SealedAsk",
    "SealedReadRefused",
    "SealedRecord",
    "Stage",
    "Thread",
    "WriteRefused",
    "Written",
    "absorb_golden",
    "ask_sealed",
    "bulk_load",
    "change_reach",
    "changes_after",
    "count_records",
    "decide_sealed",
    "declare_fallbacks",
    "end_of_day",
    "fallbacks_of",
    "forget",
    "forget_changes",
    "formats_found",
    "holdings",
    "principal_of",
    "publish",
    "read_as_known_on",
    "read_sealed",
    "relation_of",
    "seal_orders",
    "seal_rules",
]
