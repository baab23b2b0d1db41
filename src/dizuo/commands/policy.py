"""`dizuo policy`: the whole policy in force; what of it is used (`--analyse`); recorded reads under another (`--replay`).

Analysis and replay ask one function that counts: no person, no case, no official leaves the database. No role of a
serving process may call it.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
from collections.abc import Iterator

import msgspec

from dizuo.commands.database import opened
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.policy import (
    Analysis,
    Change,
    HeldGrant,
    Policy,
    Recorded,
    Replay,
    SharedAnalysis,
    SharedUse,
    Side,
    analyse,
    analyse_shared,
    recorded,
    replay,
    shared,
)
from dizuo.foundation.store import OWNER, connect
from dizuo.foundation.store.migrations import DatabaseLike

_PERIOD = dt.timedelta(days=30)


class PolicyWords(DizuoError):
    """命令不完整：{why}。"""

    fix = "dizuo policy；dizuo policy --analyse [--since 日期]；dizuo policy --replay --against 城市文件夹 [--since 日期]。"


def run(arguments: argparse.Namespace) -> int:
    """Print the Cedar policy text, or one of the two reports. Errors: PolicyWords, PolicyInvalid, BlueprintError."""
    check(arguments)
    city = load_city(arguments.city)
    policy = Policy.from_city(city)
    if not (arguments.analyse or arguments.replay):
        print(policy.text)
        return 0
    against = load_city(arguments.against) if arguments.replay else None
    now = SystemNow()()
    since = arguments.since or now - _PERIOD
    with opened(arguments.data.absolute()) as database:
        groups, unread = asyncio.run(read_counts(database, since, now))
        uses, held = asyncio.run(read_shared(database, since, now)) if arguments.analyse else ((), ())
    if against is None:
        between = analyse_shared(city, uses, held, since.date(), now.date())
        report = msgspec.structs.replace(analyse(city, groups, since, now, unread), shared=between)
        lines = analysis_lines(report)
    else:
        report = replay(Side(city, policy), Side(against, Policy.from_city(against)), groups)
        lines = replay_lines(report)
    print(msgspec.json.encode(report).decode() if arguments.json else "\n".join(lines))
    return 0


def check(arguments: argparse.Namespace) -> None:
    """Whether the words belong together. Errors: PolicyWords."""
    if arguments.analyse and arguments.replay:
        raise PolicyWords(why="--analyse 和 --replay 一次只能用一个")
    if arguments.replay != (arguments.against is not None):
        raise PolicyWords(why="--replay 要和 --against 一起用")


async def read_counts(
    database: DatabaseLike, since: dt.datetime, until: dt.datetime
) -> tuple[tuple[Recorded, ...], int]:
    """What was read and refused in the period, by shape, and how many entries tell too little."""
    connection = await connect(database.dsn(OWNER))
    try:
        rows = await connection.fetch("SELECT * FROM registers.reads_counted($1, $2)", since, until)
    finally:
        await connection.close()
    return recorded([dict(row) for row in rows])


async def read_shared(
    database: DatabaseLike, since: dt.datetime, until: dt.datetime
) -> tuple[tuple[SharedUse, ...], tuple[HeldGrant, ...]]:
    """What departments read under rights in the period, by shape, and every right there is."""
    connection = await connect(database.dsn(OWNER))
    try:
        rows = await connection.fetch("SELECT * FROM registers.reads_counted($1, $2)", since, until)
        held = await connection.fetch(
            "SELECT g.id, g.consumer, g.resource, r.title, r.register, g.fields, g.matter, g.basis, g.starts, g.expires, g.state,"
            " (g.opened_at AT TIME ZONE 'Asia/Shanghai')::date AS opened_on"
            " FROM exchange.data_grant g JOIN exchange.resource r ON r.code = g.resource ORDER BY g.id"
        )
    finally:
        await connection.close()
    return shared([dict(row) for row in rows]), tuple(msgspec.convert(dict(row), HeldGrant) for row in held)


# ------------------------------------------------------------------------- in lines


def analysis_lines(report: Analysis) -> Iterator[str]:
    """The report as a table for a terminal."""
    yield (
        f"{report.entries:,} entries of reads from {report.since:%Y-%m-%d} to {report.until:%Y-%m-%d}, "
        f"held against {report.grants:,} grants"
    )
    if report.unread:
        yield f"{report.unread:,} entries tell too little to be counted"
    yield f"\nNever used in this period: {len(report.unused):,} grants"
    together: dict[tuple[str, str, str, str], list[str]] = {}
    for grant in report.unused:
        key = (grant.matter, grant.item, grant.purpose, grant.basis)
        together.setdefault(key, []).append(f"{grant.party}.{grant.field}")
    for (matter, item, purpose, basis), facts in together.items():
        yield f"  {matter}.{item}  {purpose}  {basis}  {', '.join(facts)}"
    yield f"\nNeeded by declaration, used by no expression, check, form, document or write: {len(report.needless):,}"
    for fact in report.needless:
        yield f"  {fact.matter}  {fact.fact}  for {', '.join(fact.items)}  read {fact.entries:,} times"
    yield f"\nOf these, read all the same: {len(report.vain):,} fields, {sum(f.entries for f in report.vain):,} times"
    if report.gone:
        yield f"\nRead in this period and not declared any more: {len(report.gone):,}"
        for one in report.gone:
            yield f"  {one.matter}  {one.party}.{one.field}  {one.purpose}  {one.entries:,} times, such as entry {one.example}"

    if report.shared is not None:
        yield from shared_lines(report.shared)


def shared_lines(report: SharedAnalysis) -> Iterator[str]:
    """Rights between departments, as a table for a terminal."""
    yield (
        f"\nBetween departments: {report.entries:,} entries of reads under {report.grants:,} rights in force; "
        f"{report.duties:,} of them for duties that no matter declares"
    )
    yield f"\nRights that nothing was read under: {len(report.idle):,}"
    for one in report.idle:
        tried = f", {one.refused:,} refused" if one.refused else ""
        yield f"  {one.grant}  {one.consumer}  {one.resource} {one.title}  {one.matter or '-'}  {one.basis}  since {one.since}{tried}"
    yield f"\nFields that were granted and never asked for: {sum(len(one.fields) for one in report.unasked):,}"
    for one in report.unasked:
        yield f"  {one.grant}  {one.consumer}  {one.resource} {one.title}  {', '.join(one.fields)}  of {one.entries:,} reads"
    yield f"\nRead for a matter, needed by no item of that department in it: {len(report.unneeded):,}"
    for one in report.unneeded:
        yield f"  {one.consumer}  {one.matter}  {one.register}.{one.field}  {one.entries:,} times, such as entry {one.example}"


def replay_lines(report: Replay) -> Iterator[str]:
    """The report as a table for a terminal."""
    yield f"{report.decided:,} entries decided again; {report.same:,} as before"
    for title, changes in (
        ("Newly refused", report.refused),
        ("Newly allowed", report.allowed),
        (
            "Unclear: today's own policy does not agree with what was recorded either",
            report.unclear,
        ),
    ):
        yield f"\n{title}: {sum(change.entries for change in changes):,} entries in {len(changes):,} groups"
        for change in changes:
            yield _change_line(change)
    if report.other_basis:
        yield "\nAllowed, but not on the law that was cited:"
        for matter, party, purpose, basis, entries in report.other_basis:
            yield f"  {entries:,} × {matter} {party} {purpose}, then {basis}"
    if report.left_out:
        left = ", ".join(f"{times:,} × {reason}" for reason, times in report.left_out.items())
        yield f"\nNot decided again, because not policy refused them: {left}"
    yield "\nAn entry does not hold everything; assumed:"
    for sentence in report.assumed:
        yield f"  {sentence}"


def _change_line(change: Change) -> str:
    reader = change.reader
    who = " ".join(
        part
        for part in (reader.kind, f"{reader.unit or ''}/{reader.post or ''}".strip("/"), reader.place)
        if part
    )
    what = " ".join(
        part
        for part in (
            change.matter,
            ",".join(change.items),
            change.party,
            ",".join(change.fields),
            ",".join(change.purposes),
        )
        if part
    )
    return f"  {change.entries:,} × {what}  by {who}  (entry {change.example}): {change.why_zh} [{change.rule}, {change.law}]"
