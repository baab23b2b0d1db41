"""Who may do what, why: Cedar policies generated from a city's declarations, readable by a lawyer, checked by a validator.

1. ``Policy.from_city`` writes schema, entities and policies from the declarations and has them validated.
2. ``decide`` answers one question with a verdict: allowed or not, by which rule, under which law, in plain Chinese.
3. ``explained`` says it in Chinese and English: rule, law and article, what was missing, who could do it.
4. Pure: no I/O, nothing personal; decisions are kept by the shape of the question.
5. ``analyse`` and ``replay`` hold the declarations, and another city's, against what the ledger recorded, in counts;
   ``analyse_shared`` does so for rights between departments.
6. ``evaluate`` answers other systems in the form of OpenID AuthZEN.
7. ``SharePolicy`` bounds calls between departments by their grant; the rules are the same in every city.
8. ``text`` is the whole policy as it is in force, for audit and ``dizuo policy``.
"""

from dizuo.foundation.policy.analyse import Analysis, analyse
from dizuo.foundation.policy.authzen import MOST, SEMANTICS, Evaluated, evaluate, evaluate_many
from dizuo.foundation.policy.decide import Policy
from dizuo.foundation.policy.errors import AuthzenInvalid, PolicyInvalid
from dizuo.foundation.policy.exchange import Breach, ShareAsk, ShareGrant, SharePolicy, ShareVerdict
from dizuo.foundation.policy.explain import Explanation, Missing
from dizuo.foundation.policy.model import Action, Ask, Principal, Relation, Request, Verdict
from dizuo.foundation.policy.recorded import Recorded, recorded
from dizuo.foundation.policy.replay import Change, Replay, Side, replay
from dizuo.foundation.policy.shared_use import HeldGrant, SharedAnalysis, SharedUse, analyse_shared, shared

__all__ = [
    "MOST",
    "SEMANTICS",
    "Action",
    "Analysis",
    "Ask",
    "AuthzenInvalid",
    "Breach",
    "Change",
    "Evaluated",
    "Explanation",
    "HeldGrant",
    "Missing",
    "Policy",
    "PolicyInvalid",
    "Principal",
    "Recorded",
    "Relation",
    "Replay",
    "Request",
    "ShareAsk",
    "ShareGrant",
    "SharePolicy",
    "ShareVerdict",
    "SharedAnalysis",
    "SharedUse",
    "Side",
    "Verdict",
    "analyse",
    "analyse_shared",
    "evaluate",
    "evaluate_many",
    "recorded",
    "replay",
    "shared",
]
