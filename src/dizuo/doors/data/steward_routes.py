"""The stewards' rows of the door's table: what waits, pairs of records, rows to correct, decisions about deliveries."""

from __future__ import annotations

from typing import Final

from dizuo.engines.lake import review
from dizuo.web import Route

from . import pages_desk, pages_review

_PAIR = "/data/review/{pair:int}"
_DELIVERY = "/data/deliveries/{delivery}"

ROUTES: Final = (
    Route("GET", "/data/desk", pages_desk.desk, purpose="See what waits for a steward of the sources.", who="official", json=True),
    Route("GET", "/data/review", pages_review.queue, purpose="See which pairs of records wait for two officials, without values.", who="official", json=True),
    Route("GET", _PAIR, pages_review.pair, purpose="See how far a pair is, and say what one looks for.", who="official"),
    Route("POST", _PAIR + "/open", pages_review.pair_open, purpose="See the two records of a pair for a stated purpose.", who="official"),
    Route("POST", _PAIR, pages_review.pair_sent, purpose="Say whether two records are the same person or enterprise.", who="official"),
    Route("GET", _DELIVERY + "/rejected", pages_desk.rejected, purpose="See what a department has to correct, in counts.", who="official"),
    Route("POST", _DELIVERY + "/rejected", pages_desk.rejected_sent, purpose="Take rows to correct along for a stated purpose.", who="official"),
    Route("POST", _DELIVERY + "/decide", pages_desk.decided_sent, purpose="Hold a delivery, let it go on, or refuse it.", who=f"official:{review.POWER}"),
)  # fmt: skip
