"""Review (待核): what waits for people, before the officials who look after the sources; light enough for the serving processes.

1. ``steward_of``  who looks after which sources.
2. ``review_queue``, ``waiting_pairs``, ``pair_face``  which pairs of records wait, without any value.
3. ``review_pair``  two records side by side, entered in the ledger before a value leaves the database.
4. ``decide_pair``  one official's opinion; two of one opinion decide.
5. ``waiting_deliveries``, ``rows_to_correct``  deliveries that wait, in counts.
6. ``take_rejected``, ``take_held``  rows to correct, as a file; purpose and entry come first.
"""

from dizuo.engines.lake.review.errors import (
    NotSteward,
    PairDecided,
    PairUnknown,
    PurposeMissing,
    SamePerson,
    VerdictInvalid,
)
from dizuo.engines.lake.review.evidence import Step, Waterfall, chance
from dizuo.engines.lake.review.pairs import (
    STATES,
    VERDICTS,
    WHY,
    FieldPair,
    Mark,
    Pair,
    PairFace,
    PairSummary,
    Verdict,
    Vote,
    Waiting,
    decide_pair,
    pair_face,
    review_pair,
    review_queue,
    waiting_pairs,
)
from dizuo.engines.lake.review.returning import take_held, take_rejected
from dizuo.engines.lake.review.stewards import POWER, Steward, steward_of
from dizuo.engines.lake.review.waiting import (
    ToCorrect,
    WaitingDelivery,
    rows_to_correct,
    waiting_deliveries,
)

__all__ = [
    "POWER",
    "STATES",
    "VERDICTS",
    "WHY",
    "FieldPair",
    "Mark",
    "NotSteward",
    "Pair",
    "PairDecided",
    "PairFace",
    "PairSummary",
    "PairUnknown",
    "PurposeMissing",
    "SamePerson",
    "Step",
    "Steward",
    "ToCorrect",
    "Verdict",
    "VerdictInvalid",
    "Vote",
    "Waiting",
    "WaitingDelivery",
    "Waterfall",
    "chance",
    "decide_pair",
    "pair_face",
    "review_pair",
    "review_queue",
    "rows_to_correct",
    "steward_of",
    "take_held",
    "take_rejected",
    "waiting_deliveries",
    "waiting_pairs",
]
