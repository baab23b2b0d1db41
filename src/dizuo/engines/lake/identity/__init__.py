"""Identity: who is who across departments, once found never reshuffled, and open to people's judgement.

A person is mentioned by many departments, each with its own slips. Mentions written alike become nodes; nodes that share a key are
weighed in SQL with weights that Splink learnt; clusters get a city identity (城市身份, cid) that later runs keep. What happens to
an identity is a signed event, and what the machine may not decide goes to two officials.

1. ``open_store`` and ``link``  one run over new mentions and people's decisions; may be killed and repeated.
2. ``tell_events``, ``events_after``  what happened, in order, in the ledger.
3. ``ask_people``, ``question_pair``, ``decisions``  from doubt to the queue and back.
4. ``review_queue``, ``review_pair``, ``decide_pair``  what officials do.
5. ``build_index``, ``Resolver``  one record against everybody, in milliseconds.
6. ``learn``, ``default_models``, ``waterfall``  weights, and what they mean in words.
"""

from dizuo.engines.lake.identity.asking import Query
from dizuo.engines.lake.identity.events import (
    IdentityEvent,
    ask_people,
    decisions,
    events_after,
    question_pair,
    tell_events,
)
from dizuo.engines.lake.identity.evidence import Step, Waterfall, waterfall
from dizuo.engines.lake.identity.learn import learn
from dizuo.engines.lake.identity.mapped import IdentityMap, identity_map, put_map_together
from dizuo.engines.lake.identity.resolve import About, Candidate, Resolver, build_index
from dizuo.engines.lake.identity.run import EntityReport, RunReport, default_models, link
from dizuo.engines.lake.identity.settle import Decision, Settled
from dizuo.engines.lake.identity.store import Store, open_store
from dizuo.engines.lake.review import Pair, PairSummary, decide_pair, review_pair, review_queue

__all__ = [
    "About",
    "Candidate",
    "Decision",
    "EntityReport",
    "IdentityEvent",
    "IdentityMap",
    "Pair",
    "PairSummary",
    "Query",
    "Resolver",
    "RunReport",
    "Settled",
    "Step",
    "Store",
    "Waterfall",
    "ask_people",
    "build_index",
    "decide_pair",
    "decisions",
    "default_models",
    "events_after",
    "identity_map",
    "learn",
    "link",
    "open_store",
    "put_map_together",
    "question_pair",
    "review_pair",
    "review_queue",
    "tell_events",
    "waterfall",
]  # fmt: skip
