"""Signed delivery of data under a grant: one subject, a batch, a subscription, or in bulk.

1. A call is signed (``foundation.signing``), cites matter, law and case, and is judged by policy against its grant.
2. ``Exchange.call`` holds it against the database again, enters it for everybody concerned, and only then sees values.
3. A refusal names every bound that was crossed and is entered; floods are turned away and entered in counts.
4. What stays at its department is asked at its node (``AskedNodes``), after the entry, and believed only signed.
5. Keys: departments' public ones in the database, the server's own in the installation's secrets; both rotate with overlap.
"""

from dizuo.engines.exchange.delivery.asked_node import AskedNodes
from dizuo.engines.exchange.delivery.asked_node_errors import NodeNotAnswered
from dizuo.engines.exchange.delivery.calling import Exchange
from dizuo.engines.exchange.delivery.errors import (
    CallInvalid,
    CallNotReleased,
    CallRefused,
    CallUnreadable,
    DailyLimitReached,
    TooManyCalls,
)
from dizuo.engines.exchange.delivery.keys import SigningKey, add_signing_key, revoke_signing_key, signing_keys
from dizuo.engines.exchange.delivery.model import (
    MOST_SUBJECTS,
    Answer,
    Call,
    Caller,
    Record,
    Result,
    Right,
    Subject,
    Value,
)
from dizuo.engines.exchange.delivery.nodes_bound import BoundNode, bind_node, bound_nodes, stop_node
from dizuo.engines.exchange.delivery.nodes_probed import probed_by_the_clock
from dizuo.engines.exchange.delivery.reading import MOST_FIELDS, read_call
from dizuo.engines.exchange.delivery.server_keys import OVERLAP, OWN, ServerKeys

__all__ = [
    "MOST_FIELDS",
    "MOST_SUBJECTS",
    "OVERLAP",
    "OWN",
    "Answer",
    "AskedNodes",
    "BoundNode",
    "Call",
    "CallInvalid",
    "CallNotReleased",
    "CallRefused",
    "CallUnreadable",
    "Caller",
    "DailyLimitReached",
    "Exchange",
    "NodeNotAnswered",
    "Record",
    "Result",
    "Right",
    "ServerKeys",
    "SigningKey",
    "Subject",
    "TooManyCalls",
    "Value",
    "add_signing_key",
    "bind_node",
    "bound_nodes",
    "probed_by_the_clock",
    "read_call",
    "revoke_signing_key",
    "signing_keys",
    "stop_node",
]
