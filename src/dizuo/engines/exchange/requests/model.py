"""Requests, rights and their record as facts: frozen, no I/O."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.kernel.clocks import ClockState

GrantState = Literal["open", "suspended", "expired", "revoked", "ended"]
State = Literal[
    "draft", "department_review", "authority_review", "supplement", "provider_reply", "agreed", "provisioned", "in_use",
    "suspended", "expired", "ended", "refused", "dispute", "ruling",
]  # fmt: skip
Method = Literal["query", "batch", "subscribe", "bulk"]
Frequency = Literal["realtime", "daily", "weekly", "monthly", "once"]
Holder = Literal["asker", "checker", "authority", "provider", ""]
"""Whose turn it is: the need department's drafter or checker, the authority (主管部门), the provider; '' when nobody's."""

STATES: Final[Mapping[str, Words]] = {
    "draft": Words("草稿", "Draft"),
    "department_review": Words("需求部门审核", "Checked by the asking department"),
    "authority_review": Words("主管部门审查", "Reviewed by the data authority"),
    "supplement": Words("一次性补充", "To be completed, once"),
    "provider_reply": Words("提供部门答复", "Waiting for the provider's answer"),
    "agreed": Words("同意待供", "Agreed, to be provided"),
    "provisioned": Words("已开通", "Open"),
    "in_use": Words("使用中", "In use"),
    "suspended": Words("暂停", "Suspended"),
    "expired": Words("到期", "Expired"),
    "ended": Words("终止", "Ended"),
    "refused": Words("不同意", "Refused"),
    "dispute": Words("争议协商", "Disputed, being negotiated"),
    "ruling": Words("主管裁定", "With the authority for a ruling"),
}
GRANT_STATES: Final[Mapping[str, Words]] = {
    "open": Words("可用", "Usable"),
    "suspended": Words("暂停", "Suspended"),
    "expired": Words("到期", "Expired"),
    "revoked": Words("收回", "Revoked"),
    "ended": Words("终止", "Ended"),
}
SHARE_TYPES: Final[Mapping[int, Words]] = {
    1: Words("无条件共享", "Unconditional"),
    2: Words("有条件共享", "Conditional"),
    3: Words("不予共享", "Not shared"),
}
METHODS: Final[Mapping[str, Words]] = {
    "query": Words("逐条查询", "Query one by one"),
    "batch": Words("批量核对", "Batches"),
    "subscribe": Words("变更订阅", "Subscription to changes"),
    "bulk": Words("整批文件", "Bulk files"),
}
FREQUENCIES: Final[Mapping[str, Words]] = {
    "realtime": Words("实时", "Real time"),
    "daily": Words("每日（T+1）", "Daily (T+1)"),
    "weekly": Words("每周", "Weekly"),
    "monthly": Words("每月", "Monthly"),
    "once": Words("一次", "Once"),
}
OPEN_STATES: Final = (
    "department_review",
    "authority_review",
    "supplement",
    "provider_reply",
    "agreed",
    "dispute",
    "ruling",
)
"""States in which somebody has to do something by a day."""


class Grant(msgspec.Struct, frozen=True):
    """A right (共享授权): `fields` of `resource` for `purpose`, from `starts` through `expires`, both days included.

    `basis` is law:article; `request` the request that it came from, None for one carried over. `version` rises with every change.
    """

    id: int
    consumer: str
    resource: str
    fields: tuple[str, ...]
    purpose: str
    matter: str
    basis: str
    methods: tuple[str, ...]
    per_day: int
    starts: dt.date
    expires: dt.date
    state: GrantState
    ended_why: str
    version: int
    scope: str
    frequency: str
    request: int | None
    opened_at: dt.datetime
    changed_at: dt.datetime

    def usable(self, day: dt.date) -> bool:
        """Whether it may be used on a day: the date decides even before the sweep has marked it expired."""
        return self.state == "open" and self.starts <= day <= self.expires

    def shown_state(self, day: dt.date) -> GrantState:
        """Its state as it is on a day: one past its last day is expired, swept or not."""
        return "expired" if self.state in ("open", "suspended") and day > self.expires else self.state


class NewGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A right that was agreed outside a request, for instance carried over from paper. Units: `per_day` calls a day."""

    consumer: str
    resource: str
    fields: tuple[str, ...]
    purpose: str
    basis: str
    methods: tuple[Method, ...]
    per_day: int
    starts: dt.date
    expires: dt.date
    matter: str = ""
    scope: str = ""
    frequency: Frequency = "realtime"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a department asks for, complete or not yet. `basis` is law:article; exactly one of `matter` and `duty` in the end."""

    resource: str = ""
    fields: tuple[str, ...] = ()
    purpose: str = ""
    basis: str = ""
    matter: str = ""
    duty: str = ""
    scope: str = ""
    methods: tuple[str, ...] = ()
    until: dt.date | None = None
    frequency: str = ""
    per_day: int | None = None
    responsible: str = ""
    committed: bool = False
    despite: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request (共享申请) as it stands. `share_type` is the catalogue's; `clock` the id of the declared clock that runs, '' for none."""

    id: int
    number: str
    department: str
    wish: Wish
    share_type: int | None
    state: State
    clock: str
    clocks: Mapping[str, ClockState]
    drafted_by: str
    refusal: str | None
    refusal_words: str
    supplemented: bool
    extended: bool
    settled_at: dt.datetime | None
    grant_id: int | None
    version: int
    created_at: dt.datetime
    changed_at: dt.datetime
    sent_at: dt.datetime | None
    title: str = ""
    provider: str = ""


class Step(msgspec.Struct, frozen=True):
    """One thing that happened to a request. `clock` is the clock that was left, `used` its working days, `in_time` None if unknown."""

    ord: int
    at: dt.datetime
    event: str
    from_state: str
    to_state: str
    actor: str
    name: str
    unit: str
    post: str
    words: str
    reason: str | None
    law: str
    clock: str
    used: int | None
    in_time: bool | None
    entry: int


class Reason(msgspec.Struct, frozen=True):
    """A lawful reason for refusing; `by`: authority, provider or both."""

    id: str
    by: str
    name: Words
    law: str
    verified: bool


class Resource(msgspec.Struct, frozen=True):
    """What a request needs to know of a catalogue entry. `fields` are (id, Chinese name, English name, level, personal)."""

    code: str
    title: str
    provider: str
    share_type: int
    share_condition: str
    share_basis: str
    fields: tuple[tuple[str, str, str, str, bool], ...]
    state: str
    update_cycle: str = ""
    title_en: str = ""


def fields_read(rows: list[dict[str, Any]]) -> tuple[tuple[str, str, str, str, bool], ...]:
    """The catalogue's field descriptions as tuples; what is missing is empty."""
    return tuple(
        (
            str(f["id"]),
            str(f.get("zh") or f["id"]),
            str(f.get("en") or ""),
            str(f.get("level") or ""),
            bool(f.get("personal")),
        )
        for f in rows
    )
