"""What people do with open data: apply, ask, report mistakes, show what they made, mark; and what officials decide about it.

Rules in words: an application runs submitted → accepted → approved → open (when the applicant signs) → reported or ended; or it
is refused with a reason. A ticket is answered once. A showcase appears only after a review. Every step is in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, Literal
from urllib.parse import urlsplit

import asyncpg
import msgspec

from dizuo.engines.opendata.errors import ApplicationRunning, AskInvalid, StepNotOpen
from dizuo.engines.opendata.model import DatasetSeen
from dizuo.engines.opendata.reads import QUERIES
from dizuo.foundation.store import Pool

TicketKind = Literal["request", "advice", "correction", "rights"]
TICKETS: Final[Mapping[str, str]] = {
    "request": "数据请求", "advice": "意见建议", "correction": "数据纠错", "rights": "权益申诉",
}  # fmt: skip
STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "accepted": ("submitted",), "approved": ("accepted",), "refused": ("submitted", "accepted"), "open": ("approved",),
    "reported": ("open",), "ended": ("open", "reported"),
}  # fmt: skip
LONGEST_USE: Final = 1_096
"""An agreement lasts at most so many days (three years); whoever needs the data longer applies again."""


class Application(msgspec.Struct, frozen=True):
    """One application for a conditional dataset, as officials see it."""

    id: int
    dataset: str
    who: str
    unit: str
    purpose: str
    use_until: date
    state: str
    due: date | None
    made_at: datetime
    reason: str
    report: str


class Ticket(msgspec.Struct, frozen=True):
    """One request, piece of advice, correction or objection; without who sent it."""

    id: int
    kind: str
    dataset: str | None
    provider: str
    text: str
    place: str
    due: date | None
    state: str
    answer: str
    shown: bool
    made_at: datetime
    answered_at: datetime | None


class Showcase(msgspec.Struct, frozen=True):
    """What somebody made of the data (利用成果)."""

    id: int
    title: str
    url: str
    maker: str
    text: str
    datasets: tuple[str, ...]
    state: str
    made_at: datetime


class Own(msgspec.Struct, frozen=True):
    """One thing that the person asked for themselves; ``reply`` is a reason or an answer."""

    what: Literal["application", "ticket", "showcase"]
    id: int
    kind: str
    dataset: str | None
    said: str
    state: str
    reply: str
    due: date | None
    until: date | None
    made_at: datetime


async def apply_for(
    pool: Pool, seen: DatasetSeen, subject: int, who: str, unit: str, purpose: str, until: str, today: date, due: date | None
) -> int:  # fmt: skip
    """Apply for a conditional dataset; gives the number. Errors: AskInvalid with fields, ApplicationRunning."""
    wrong: dict[str, str] = {}
    if not 10 <= len(purpose) <= 1000:
        wrong["purpose"] = "请用 10 到 1000 个字写明要做什么、怎么用。"
    if len(unit) > 120:
        wrong["unit"] = "单位名称最多 120 个字。"
    day = _day(until)
    if day is None or not 0 < (day - today).days <= LONGEST_USE:
        wrong["until"] = f"请写今天以后、{LONGEST_USE // 365} 年以内的日期，例如 {today.year + 1}-06-30。"
    if wrong or day is None:
        raise AskInvalid(wrong)
    return await _call(pool, "apply", seen.id, subject, who[:60] or "申请人", unit, purpose, day, due)


async def decide_application(
    pool: Pool, id: int, to: str, *, by: str, reason: str = "", subject: int | None = None
) -> None:
    """Take an application one step on; a refusal or an end needs a reason. ``subject`` for what the applicant does.

    Errors: AskInvalid, StepNotOpen when it is somewhere else meanwhile or is not this person's.
    """
    if to not in STEPS:
        raise StepNotOpen()
    if to in ("refused", "ended", "reported") and not 4 <= len(reason) <= 1000:
        raise AskInvalid(
            {"reason": "请写 4 到 1000 个字，申请人会看到。" if to != "reported" else "请写 4 到 1000 个字。"}
        )
    await _call(pool, "move_application", id, list(STEPS[to]), to, by, subject, reason)


async def ask(
    pool: Pool, kind: str, dataset: DatasetSeen | None, provider: str, subject: int, text: str, place: str, due: date | None
) -> int:  # fmt: skip
    """Send a request, advice, a correction or an objection to the provider; gives its number. Errors: AskInvalid."""
    wrong: dict[str, str] = {}
    if kind not in TICKETS:
        wrong["kind"] = "请选一种。"
    if not 5 <= len(text) <= 2000:
        wrong["text"] = "请写 5 到 2000 个字。"
    if kind == "correction" and dataset is None:
        wrong["kind"] = "纠错要从数据集的页面提，才知道是哪一份。"
    if wrong:
        raise AskInvalid(wrong)
    return await _call(
        pool, "ask", kind, None if dataset is None else dataset.id, provider, subject, text, place[:200], due
    )


async def answer_ticket(
    pool: Pool, id: int, agreed: bool, answer: str, shown: bool, *, by: str, within: Sequence[str] | None
) -> None:
    """Answer a ticket, once; ``within`` are the organisations whose tickets the official answers, None for all.

    Errors: AskInvalid, StepNotOpen.
    """
    if not 4 <= len(answer) <= 2000:
        raise AskInvalid({"answer": "请写 4 到 2000 个字的答复。"})
    allowed = None if within is None else list(within)
    await _call(pool, "answer", id, "agreed" if agreed else "declined", answer, shown, by, allowed)


async def submit_showcase(
    pool: Pool, title: str, url: str, maker: str, text: str, datasets: Sequence[str], subject: int
) -> int:
    """Hand in what was made of the data; it appears after a review. Errors: AskInvalid with fields."""
    wrong: dict[str, str] = {}
    if not 2 <= len(title) <= 80:
        wrong["title"] = "名称写 2 到 80 个字。"
    if not 2 <= len(maker) <= 80:
        wrong["maker"] = "作者写 2 到 80 个字。"
    if not 10 <= len(text) <= 1000:
        wrong["text"] = "说明写 10 到 1000 个字。"
    if not _is_link(url):
        wrong["url"] = "请写 http:// 或 https:// 开头的完整网址。"
    if not 1 <= len(datasets) <= 20:
        wrong["datasets"] = "请至少选一个用到的数据集。"
    if wrong:
        raise AskInvalid(wrong)
    return await _call(pool, "show", title, url, maker, text, list(datasets), subject)


async def review_showcase(pool: Pool, id: int, shown: bool, reason: str, *, by: str) -> None:
    """Show it, or refuse it with a reason. Errors: AskInvalid, StepNotOpen."""
    if not shown and not 4 <= len(reason) <= 1000:
        raise AskInvalid({"reason": "请写 4 到 1000 个字，提交的人会看到。"})
    await _call(pool, "review_showcase", id, "shown" if shown else "refused", reason, by)


async def rate(pool: Pool, dataset: str, subject: int, mark: str) -> None:
    """Give a dataset 1 to 5; the last mark of a person counts. Errors: AskInvalid."""
    if mark not in {"1", "2", "3", "4", "5"}:
        raise AskInvalid({"mark": "请选 1 到 5 分。"})
    await _call(pool, "rate", dataset, subject, int(mark))


async def may_take(pool: Pool, seen: DatasetSeen, subject: int | None, day: date) -> bool:
    """Whether the rows of a dataset may go to this person today: always when open to everybody. Errors: the pool's."""
    if seen.open_type == "unconditional":
        return True
    if subject is None or seen.open_type == "closed":
        return False
    return bool(await _call(pool, "may_take", seen.id, subject, day))


async def enter_taking(pool: Pool, seen: DatasetSeen, subject: int, format: str) -> int:
    """Enter in the ledger that a conditional dataset is taken, durably, before its rows go. Gives the entry."""
    return await _call(pool, "enter_taking", seen.id, subject, seen.version, format)


async def own_asks(pool: Pool, subject: int) -> tuple[Own, ...]:
    """What a person asked for, newest first, at most a hundred. Errors: the pool's."""
    return tuple(Own(*row.values()) for row in await pool.fetch(QUERIES["own"], subject))


async def applications(pool: Pool, within: Sequence[str] | None) -> tuple[Application, ...]:
    """Applications that wait for officials of these organisations (None: all), oldest first. Errors: the pool's."""
    rows = await pool.fetch(QUERIES["applications"], None if within is None else list(within))
    return tuple(Application(*row.values()) for row in rows)


async def tickets(pool: Pool, within: Sequence[str] | None) -> tuple[Ticket, ...]:
    """Open tickets of these organisations (None: all), the one due first first. Errors: the pool's."""
    rows = await pool.fetch(QUERIES["tickets"], None if within is None else list(within))
    return tuple(Ticket(*row.values()) for row in rows)


async def answered(pool: Pool, dataset: str | None = None, limit: int = 20) -> tuple[Ticket, ...]:
    """Answered tickets that everybody may read, of one dataset or of all, newest first. Errors: the pool's."""
    return tuple(Ticket(*row.values()) for row in await pool.fetch(QUERIES["answered"], dataset, limit))


async def showcases(
    pool: Pool, state: str = "shown", dataset: str | None = None, limit: int = 50
) -> tuple[Showcase, ...]:
    """Showcases of a state, of one dataset or of all, newest first. Errors: the pool's."""
    rows = await pool.fetch(QUERIES["showcases"], state, dataset, limit)
    told = [dict(row) for row in rows]
    return tuple(msgspec.convert({**one, "datasets": tuple(one["datasets"])}, Showcase) for one in told)


async def _call(pool: Pool, name: str, *given: object) -> int:
    try:
        return await pool.fetchval(QUERIES[name], *given)
    except asyncpg.PostgresError as error:
        kinds = {"DZ073": ApplicationRunning, "DZ074": StepNotOpen}
        kind = kinds.get(str(getattr(error, "sqlstate", "")))
        raise (kind() if kind else error) from error


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _is_link(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and len(url) <= 300
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        return False
