"""The item machine: one table of (state, event) → state, and the application's state derived from its items.

Pure. An event that the table does not hold cannot happen, whoever asks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from dizuo.engines.cases.errors import NotPossibleNow
from dizuo.engines.cases.states import ApplicationState, Event, ItemState

S, E = ItemState, Event

# 受理前后直至决定前都可以撤回 (行政许可法 leaves it to the applicant until the decision).
_WITHDRAW = {state: S.WITHDRAWN for state in S if state.before_decision}
_REVIEW = (S.REVIEWING, S.EXTENDED, S.SITE_CHECK)

TRANSITIONS: Final[Mapping[Event, Mapping[ItemState, ItemState]]] = {
    E.WAIT: {S.SUBMITTED: S.WAITING, S.CONSENT: S.WAITING},
    E.RELEASE: {S.WAITING: S.SUBMITTED},
    # 补正后: whoever agreed to an answer that was changed is asked again.
    E.ASK_CONSENT: {S.SUBMITTED: S.CONSENT, S.RETURNED: S.CONSENT, S.FIXED: S.CONSENT},
    E.CONSENT_GIVEN: {S.CONSENT: S.SUBMITTED},
    E.CONSENT_REFUSED: {S.CONSENT: S.RETURNED},
    E.CONSENT_EXPIRED: {S.CONSENT: S.RETURNED},
    E.PREREVIEW: {S.SUBMITTED: S.PREREVIEW},
    E.RECEIVE: {S.SUBMITTED: S.RECEIVED, S.PREREVIEW: S.RECEIVED},
    E.ACCEPT: {
        S.SUBMITTED: S.REVIEWING,
        S.PREREVIEW: S.REVIEWING,
        S.RECEIVED: S.REVIEWING,
        S.FIXED: S.REVIEWING,
    },
    E.DEEM_ACCEPTED: {S.RECEIVED: S.REVIEWING, S.PREREVIEW: S.REVIEWING},
    E.REJECT_ACCEPT: {S.PREREVIEW: S.NOT_ACCEPTED, S.RECEIVED: S.NOT_ACCEPTED},
    E.NOTIFY_FIX: {
        S.PREREVIEW: S.FIX_AWAITED,
        S.RECEIVED: S.FIX_AWAITED,
        S.REVIEWING: S.FIX_AWAITED,
    },
    E.FIX: {S.FIX_AWAITED: S.FIXED},
    E.FIX_TIMEOUT: {S.FIX_AWAITED: S.SENT_BACK},
    E.FIX_GIVEN_UP: {S.FIX_AWAITED: S.SENT_BACK},
    E.START_SITE_CHECK: {S.REVIEWING: S.SITE_CHECK},
    E.END_SITE_CHECK: {S.SITE_CHECK: S.REVIEWING},
    E.START_SPECIAL: {S.REVIEWING: S.SPECIAL, S.EXTENDED: S.SPECIAL},
    E.END_SPECIAL: {S.SPECIAL: S.REVIEWING},
    E.EXTEND: {S.REVIEWING: S.EXTENDED, S.SITE_CHECK: S.EXTENDED},
    E.PASS_STEP: {state: state for state in _REVIEW},
    E.DECIDE_YES: dict.fromkeys(_REVIEW, S.DECIDED_YES),
    E.DECIDE_NO: dict.fromkeys(_REVIEW, S.DECIDED_NO),
    # The state to return to after an undo is the one before the decision; see ``undone``.
    E.UNDO: {S.DECIDED_YES: S.REVIEWING, S.DECIDED_NO: S.REVIEWING},
    E.AUTO_GRANT: {S.SUBMITTED: S.GRANTED, S.REVIEWING: S.GRANTED},
    E.TAKE_EFFECT: {S.DECIDED_YES: S.GRANTED, S.DECIDED_NO: S.REFUSED},
    E.ISSUE: {S.GRANTED: S.ISSUING},
    E.DELIVER: {S.GRANTED: S.DELIVERING, S.ISSUING: S.DELIVERING},
    E.COMPLETE: {S.GRANTED: S.DONE, S.ISSUING: S.DONE, S.DELIVERING: S.DONE},
    E.FORWARD: {S.REVIEWING: S.FORWARDED},
    E.WITHDRAW: _WITHDRAW,
    E.BLOCK: {S.WAITING: S.SENT_BACK, S.CONSENT: S.SENT_BACK},
    E.ARCHIVE: {S.DONE: S.ARCHIVED, S.REFUSED: S.ARCHIVED, S.WITHDRAWN: S.ARCHIVED},
}


def next_state(state: ItemState, event: Event) -> ItemState:
    """The state after ``event``. Errors: NotPossibleNow when the table does not hold it."""
    after = TRANSITIONS.get(event, {}).get(state)
    if after is None:
        raise NotPossibleNow(state=state.word, event=event.word)
    return after


def may(state: ItemState, event: Event) -> bool:
    return state in TRANSITIONS.get(event, {})


def undone(before: ItemState) -> ItemState:
    """Where an undone decision leaves the item: exactly where it stood before the decision."""
    if before not in TRANSITIONS[E.DECIDE_YES]:
        raise NotPossibleNow(state=before.word, event=E.UNDO.word)
    return before


def application_state(items: Collection[ItemState]) -> ApplicationState:
    """The one state that the applicant sees, from the states of all items.

    What needs the applicant comes first; then what waits for somebody else; then how far it is.
    """
    states = set(items)
    if not states or states <= {S.WITHDRAWN}:
        return ApplicationState.WITHDRAWN
    if states & {S.FIX_AWAITED, S.RETURNED}:
        return ApplicationState.WAITING_FOR_APPLICANT
    if all(state.ended for state in states):
        good = {state for state in states if state.succeeded or state is S.FORWARDED}
        bad = states - good - {S.WITHDRAWN}
        if not bad:
            return ApplicationState.DONE if good else ApplicationState.WITHDRAWN
        return ApplicationState.PARTLY_REFUSED if good else ApplicationState.REFUSED
    if S.CONSENT in states:
        return ApplicationState.WAITING_FOR_CONSENT
    if any(state.succeeded for state in states):
        return ApplicationState.PARTLY_DONE
    return ApplicationState.RUNNING
