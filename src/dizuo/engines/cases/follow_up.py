"""差评回访: the states of a bad rating and what leads from one to the next; pure.

差评待核实 → 核实中 → 认定（有效、误评、恶意、无依据）→ 整改中 → 待回访 → 已回访（满意、仍不满意 → 复核）→ 归档.
Source: 国办发〔2019〕51 号, GB/T 39734 and 39735 as told in the domain notes §3.6, none of them held against its text; the
two lengths of time are the city's declaration (``bad_rating`` in city.yaml).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from dizuo.foundation.kernel.errors import Invalid

BAD: Final = 2
"""So many stars or fewer are a bad rating: 不满意 and 非常不满意."""


class FollowUpState(StrEnum):
    """Where a bad rating stands."""

    TO_VERIFY = "to_verify"
    VERIFYING = "verifying"
    MENDING = "mending"
    TO_CALL = "to_call"
    REVIEWING = "reviewing"
    CLOSED = "closed"

    @property
    def word(self) -> str:
        return _STATE_WORDS[self]


_STATE_WORDS: Final[Mapping[FollowUpState, str]] = {
    FollowUpState.TO_VERIFY: "差评待核实",
    FollowUpState.VERIFYING: "核实中",
    FollowUpState.MENDING: "整改中",
    FollowUpState.TO_CALL: "待回访",
    FollowUpState.REVIEWING: "复核中",
    FollowUpState.CLOSED: "已归档",
}


class Act(StrEnum):
    """What an official does about it: contact (联系核实), find (认定), mend (整改), call (回访), review (复核)."""

    CONTACT = "contact"
    FIND = "find"
    MEND = "mend"
    CALL = "call"
    REVIEW = "review"


class Finding(StrEnum):
    """认定: what the bad rating was found to be."""

    VALID = "valid"
    MISTAKEN = "mistaken"
    MALICIOUS = "malicious"
    UNFOUNDED = "unfounded"

    @property
    def word(self) -> str:
        return _FINDING_WORDS[self]

    @property
    def counts(self) -> bool:
        """误评 and 恶意差评 are left out of every count (国办发〔2019〕51 号)."""
        return self in (Finding.VALID, Finding.UNFOUNDED)


_FINDING_WORDS: Final[Mapping[Finding, str]] = {
    Finding.VALID: "有效差评",
    Finding.MISTAKEN: "误评",
    Finding.MALICIOUS: "恶意差评",
    Finding.UNFOUNDED: "缺乏依据",
}

_S, _A = FollowUpState, Act
_NEXT: Final[Mapping[FollowUpState, tuple[Act, Mapping[str, FollowUpState]]]] = {
    _S.TO_VERIFY: (_A.CONTACT, dict.fromkeys(("phone", "visit", "message", "unreached"), _S.VERIFYING)),
    _S.VERIFYING: (
        _A.FIND,
        {
            Finding.VALID.value: _S.MENDING,
            Finding.MISTAKEN.value: _S.TO_CALL,
            Finding.MALICIOUS.value: _S.TO_CALL,
            Finding.UNFOUNDED.value: _S.TO_CALL,
        },
    ),
    _S.MENDING: (_A.MEND, {"": _S.TO_CALL}),
    _S.TO_CALL: (_A.CALL, {"satisfied": _S.CLOSED, "dissatisfied": _S.REVIEWING, "unreached": _S.CLOSED}),
    _S.REVIEWING: (_A.REVIEW, {"again": _S.MENDING, "upheld": _S.CLOSED}),
}


def act_in(state: FollowUpState) -> Act | None:
    """What is to be done next; None at the end."""
    return _NEXT[state][0] if state in _NEXT else None


def choices_in(state: FollowUpState) -> tuple[str, ...]:
    """What may be chosen with it, in the order of the form; empty when there is nothing to choose."""
    return tuple(choice for choice in _NEXT[state][1] if choice) if state in _NEXT else ()


def next_state(state: FollowUpState, choice: str) -> FollowUpState:
    """Where a choice leads. Errors: Invalid for one that is not on the form of this state."""
    ways = _NEXT[state][1] if state in _NEXT else {}
    if choice not in ways:
        raise Invalid({"choice": "请选一项。"})
    return ways[choice]
