"""Review (待核身份): what the machine may not decide, before two officials; light enough for the serving processes.

1. ``review_queue``  what waits, without any value.
2. ``review_pair``  two records side by side, entered in the ledger before a value leaves the database.
3. ``decide_pair``  one official's opinion; two of one opinion decide.
"""

from dizuo.engines.lake.review.errors import PairDecided, PairUnknown, SamePerson, VerdictInvalid
from dizuo.engines.lake.review.evidence import Step, Waterfall
from dizuo.engines.lake.review.pairs import (
    STATES,
    VERDICTS,
    WHY,
    FieldPair,
    Mark,
    Pair,
    PairSummary,
    Verdict,
    Vote,
    decide_pair,
    review_pair,
    review_queue,
)

__all__ = [
    "STATES",
    "VERDICTS",
    "WHY",
    "FieldPair",
    "Mark",
    "Pair",
    "PairDecided",
    "PairSummary",
    "PairUnknown",
    "SamePerson",
    "Step",
    "Verdict",
    "VerdictInvalid",
    "Vote",
    "Waterfall",
    "decide_pair",
    "review_pair",
    "review_queue",
]
