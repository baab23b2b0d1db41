"""The states of an item and of an application (办件状态), with the words of the trade.

An item lives in one of these states; the application's state is derived from its items and never stored as a
decision of its own. Source of the list: 一网通办 practice, domain notes §3.5 and §3.8.
"""

from __future__ import annotations

from enum import StrEnum


class ItemState(StrEnum):
    """Where one item stands."""

    WAITING = "waiting"
    CONSENT = "consent"
    SUBMITTED = "submitted"
    PREREVIEW = "prereview"
    RETURNED = "returned"
    RECEIVED = "received"
    FIX_AWAITED = "fix_awaited"
    FIXED = "fixed"
    NOT_ACCEPTED = "not_accepted"
    REVIEWING = "reviewing"
    SITE_CHECK = "site_check"
    SPECIAL = "special"
    EXTENDED = "extended"
    DECIDED_YES = "decided_yes"
    DECIDED_NO = "decided_no"
    GRANTED = "granted"
    ISSUING = "issuing"
    DELIVERING = "delivering"
    DONE = "done"
    REFUSED = "refused"
    FORWARDED = "forwarded"
    WITHDRAWN = "withdrawn"
    SENT_BACK = "sent_back"
    VOID = "void"
    ARCHIVED = "archived"

    @property
    def word(self) -> str:
        return _ITEM_WORDS[self]

    @property
    def ended(self) -> bool:
        """Nothing more will happen to the item."""
        return self in _ENDED

    @property
    def succeeded(self) -> bool:
        """The item was granted, so what waits for it may start."""
        return self in _SUCCEEDED

    @property
    def before_decision(self) -> bool:
        """The applicant may still withdraw."""
        return self in _BEFORE_DECISION

    @property
    def at_desk(self) -> bool:
        """An official has it to work on."""
        return self in _AT_DESK


_ITEM_WORDS = {
    ItemState.WAITING: "等前一项办好",
    ItemState.CONSENT: "等对方同意",
    ItemState.SUBMITTED: "已提交",
    ItemState.PREREVIEW: "预审",
    ItemState.RETURNED: "预审退回",
    ItemState.RECEIVED: "收件",
    ItemState.FIX_AWAITED: "待补正",
    ItemState.FIXED: "已补正",
    ItemState.NOT_ACCEPTED: "不予受理",
    ItemState.REVIEWING: "审查",
    ItemState.SITE_CHECK: "现场核查",
    ItemState.SPECIAL: "特别程序",
    ItemState.EXTENDED: "审查（已延期）",
    ItemState.DECIDED_YES: "已决定",
    ItemState.DECIDED_NO: "已决定",
    ItemState.GRANTED: "准予办结",
    ItemState.ISSUING: "制证",
    ItemState.DELIVERING: "送达中",
    ItemState.DONE: "已办好",
    ItemState.REFUSED: "不予许可办结",
    ItemState.FORWARDED: "转报办结",
    ItemState.WITHDRAWN: "撤回",
    ItemState.SENT_BACK: "退件",
    ItemState.VOID: "作废",
    ItemState.ARCHIVED: "归档",
}

_SUCCEEDED = frozenset(
    {ItemState.GRANTED, ItemState.ISSUING, ItemState.DELIVERING, ItemState.DONE, ItemState.ARCHIVED}
)
_ENDED = frozenset(
    {
        ItemState.DONE,
        ItemState.REFUSED,
        ItemState.FORWARDED,
        ItemState.WITHDRAWN,
        ItemState.SENT_BACK,
        ItemState.NOT_ACCEPTED,
        ItemState.VOID,
        ItemState.ARCHIVED,
    }
)
_AT_DESK = frozenset(
    {
        ItemState.PREREVIEW,
        ItemState.RECEIVED,
        ItemState.FIXED,
        ItemState.REVIEWING,
        ItemState.SITE_CHECK,
        ItemState.EXTENDED,
    }
)
_BEFORE_DECISION = _AT_DESK | {
    ItemState.WAITING,
    ItemState.CONSENT,
    ItemState.SUBMITTED,
    ItemState.RETURNED,
    ItemState.FIX_AWAITED,
    ItemState.SPECIAL,
}


class Event(StrEnum):
    """What can happen to an item; the words appear in the history."""

    SUBMIT = "submit"
    WAIT = "wait"
    RELEASE = "release"
    ASK_CONSENT = "ask_consent"
    CONSENT_GIVEN = "consent_given"
    CONSENT_REFUSED = "consent_refused"
    CONSENT_EXPIRED = "consent_expired"
    PREREVIEW = "prereview"
    RECEIVE = "receive"
    ACCEPT = "accept"
    DEEM_ACCEPTED = "deem_accepted"
    REJECT_ACCEPT = "reject_accept"
    NOTIFY_FIX = "notify_fix"
    FIX = "fix"
    FIX_TIMEOUT = "fix_timeout"
    FIX_GIVEN_UP = "fix_given_up"
    ANSWERS_CHANGED = "answers_changed"
    START_SITE_CHECK = "start_site_check"
    END_SITE_CHECK = "end_site_check"
    START_SPECIAL = "start_special"
    END_SPECIAL = "end_special"
    EXTEND = "extend"
    PASS_STEP = "pass_step"  # noqa: S105 - a step of the work, no password
    DECIDE_YES = "decide_yes"
    DECIDE_NO = "decide_no"
    UNDO = "undo"
    AUTO_GRANT = "auto_grant"
    TAKE_EFFECT = "take_effect"
    ISSUE = "issue"
    DELIVER = "deliver"
    COMPLETE = "complete"
    FORWARD = "forward"
    WITHDRAW = "withdraw"
    BLOCK = "block"
    ARCHIVE = "archive"

    @property
    def word(self) -> str:
        return _EVENT_WORDS[self]


_EVENT_WORDS = {
    Event.SUBMIT: "提交",
    Event.WAIT: "等前一项",
    Event.RELEASE: "前一项已办好，开始办理",
    Event.ASK_CONSENT: "请对方同意",
    Event.CONSENT_GIVEN: "对方同意",
    Event.CONSENT_REFUSED: "对方不同意",
    Event.CONSENT_EXPIRED: "对方逾期没有答复",
    Event.PREREVIEW: "预审",
    Event.RECEIVE: "收件",
    Event.ACCEPT: "受理",
    Event.DEEM_ACCEPTED: "逾期未告知补正，视为受理",
    Event.REJECT_ACCEPT: "不予受理",
    Event.NOTIFY_FIX: "一次性告知补正",
    Event.FIX: "补正",
    Event.FIX_TIMEOUT: "逾期未补正，退件",
    Event.FIX_GIVEN_UP: "申请人放弃补正，退件",
    Event.ANSWERS_CHANGED: "随另一项的补正更正了申请内容",
    Event.START_SITE_CHECK: "开始现场核查",
    Event.END_SITE_CHECK: "现场核查结束",
    Event.START_SPECIAL: "特别程序开始",
    Event.END_SPECIAL: "特别程序结束",
    Event.EXTEND: "延长时限",
    Event.PASS_STEP: "通过本环节",
    Event.DECIDE_YES: "决定准予",
    Event.DECIDE_NO: "决定不予",
    Event.UNDO: "撤回决定",
    Event.AUTO_GRANT: "系统核验通过，准予",
    Event.TAKE_EFFECT: "决定生效",
    Event.ISSUE: "制证",
    Event.DELIVER: "送达",
    Event.COMPLETE: "办好",
    Event.FORWARD: "转报",
    Event.WITHDRAW: "申请人撤回",
    Event.BLOCK: "前一项没有办成，不能继续",
    Event.ARCHIVE: "归档",
}


class ApplicationState(StrEnum):
    """Where the whole one-thing stands, for one progress bar (domain §3.8)."""

    RUNNING = "running"
    WAITING_FOR_APPLICANT = "waiting_for_applicant"
    WAITING_FOR_CONSENT = "waiting_for_consent"
    PARTLY_DONE = "partly_done"
    DONE = "done"
    PARTLY_REFUSED = "partly_refused"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"

    @property
    def word(self) -> str:
        return _APPLICATION_WORDS[self]

    @property
    def ended(self) -> bool:
        return self in (
            ApplicationState.DONE,
            ApplicationState.PARTLY_REFUSED,
            ApplicationState.REFUSED,
            ApplicationState.WITHDRAWN,
        )


_APPLICATION_WORDS = {
    ApplicationState.RUNNING: "并行办理中",
    ApplicationState.WAITING_FOR_APPLICANT: "等您补正",
    ApplicationState.WAITING_FOR_CONSENT: "等对方同意",
    ApplicationState.PARTLY_DONE: "部分办结",
    ApplicationState.DONE: "全部办结",
    ApplicationState.PARTLY_REFUSED: "已办结，部分没有办成",
    ApplicationState.REFUSED: "没有办成",
    ApplicationState.WITHDRAWN: "已撤回",
}
