"""补正 by the applicant: words, changed answers, files; or giving it up. One request, one answer; at a window by a clerk."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from dizuo.engines.cases import effects
from dizuo.engines.cases.after_fix import ask_consents_again, follow, go_on
from dizuo.engines.cases.context import FIXES, QUERIES, Cases
from dizuo.engines.cases.corrected import Corrected, correct, marked_in, own_questions
from dizuo.engines.cases.errors import CaseNotFound, FixAnswered, FixOverdue, NotPossibleNow, StaleFix
from dizuo.engines.cases.fixes import seen_digest
from dizuo.engines.cases.model import ByClerk, Case, ItemRow
from dizuo.engines.cases.reach import own_case, serving
from dizuo.engines.cases.records import load_case
from dizuo.engines.cases.states import Event, ItemState
from dizuo.engines.cases.uploads import (
    FIELD,
    NewFile,
    Upload,
    all_known,
    drop_unsent,
    hand_in,
    keep,
    uploads_of,
)
from dizuo.engines.cases.wording import day_words, moment_words
from dizuo.engines.cases.work import Work
from dizuo.engines.registers import Actor
from dizuo.foundation.kernel.canonical import canonical_json
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.store import begin

LONGEST_WORDS = 2_000


class FixSent(msgspec.Struct, frozen=True):
    """What a 补正 did: changed questions, decided items that stay as they were, consents that are asked again, and how
    many files were handed in."""

    changed: tuple[str, ...]
    kept: tuple[str, ...]
    consents: tuple[str, ...]
    again: bool = False
    files: int = 0


async def answer_fix(
    cases: Cases,
    actor: Actor,
    number: str,
    item_id: str,
    answer: str,
    changes: Mapping[str, str] | None = None,
    *,
    seen: str = "",
    files: Sequence[NewFile] = (),
    drop: Collection[int] = (),
    served_by: ByClerk | None = None,
) -> FixSent:
    """补正: what was asked for, once, with changed answers where the form's answers were the problem.

    ``changes`` are texts by question as the form sends them; ``seen`` is the digest of the answers that the page
    showed. ``files`` are kept first, whatever else is wrong, and ``drop`` takes kept ones back. ``served_by`` is the clerk
    when the applicant answers at a window. The checks run again on the new answers, the clock goes on unless somebody
    has to agree again. The same sent twice gives ``again``. Errors: CaseNotFound, Invalid by field, FixAnswered,
    FixOverdue, StaleFix, AboutToIssue, NotPossibleNow, Refused for a clerk who may not serve.
    """
    said, typed = answer.strip(), dict(changes or {})
    case, item, fix = await _asked(cases, actor, number, item_id)
    by = None if served_by is None else serving(cases, served_by, actor, case.application.matter)
    same = fix["answered_at"] is not None and said == (fix["answer"] or "") and _same(case, typed)
    if same and all_known(await uploads_of(cases.pool, case.application.id, item_id), files):
        return FixSent((), (), (), again=True)
    _check_open(cases, item, fix)
    wrong = await keep(cases, case, item, fix["wants"], files, drop)
    if seen and seen != seen_digest(case, marked_in(fix["wants"])):
        raise StaleFix()
    kept = await uploads_of(cases.pool, case.application.id, item_id)
    corrected = await _checked(cases, case, item, fix["wants"], said, typed, kept, wrong)
    subjects = await _subjects(cases, case, corrected)
    async with begin(cases.pool, cases.now) as tx:
        work = await Work.open(cases, tx, number, actor if by is None else by.clerk)
        fix = await tx.conn.fetchrow(QUERIES["fix"], work.application.id, item_id)
        _check_open(cases, work.items[item_id], fix)
        if work.answers != case.answers or _moved(case, work, corrected):
            raise StaleFix()
        await tx.conn.execute(QUERIES["answer_fix"], work.application.id, item_id, said, tx.now)
        if by is not None:
            await tx.conn.execute(FIXES["served_fix"], work.application.id, item_id, dict(by.as_kept()))
        commitments = await _write(work, item_id, corrected)
        given, hashes = await hand_in(tx.conn, work.application, item_id, tx.now)
        detail = {"changed": commitments, "files": given}
        asked = await ask_consents_again(work, item_id, corrected, subjects)
        await go_on(work, item_id, _reason(said, by), corrected, detail, asked)
        for other, scope in corrected.others.items():
            await follow(work, other, item_id, scope)
        await _enter(work, item_id, detail, hashes, by)
        await _tell(work, item_id, corrected, asked)
        await work.settle()
        return FixSent(tuple(corrected.changes), corrected.kept, asked, files=len(hashes))


async def keep_files(
    cases: Cases,
    actor: Actor,
    number: str,
    item_id: str,
    files: Sequence[NewFile],
    drop: Collection[int] = (),
    served_by: ByClerk | None = None,
) -> None:
    """Keep files for an answer that is sent later, and take kept ones back. Errors: as ``answer_fix``; good files of a
    page with a bad one are kept."""
    case, item, fix = await _asked(cases, actor, number, item_id)
    if served_by is not None:
        serving(cases, served_by, actor, case.application.matter)
    _check_open(cases, item, fix)
    if wrong := await keep(cases, case, item, fix["wants"], files, drop):
        raise Invalid(wrong)


async def give_up_fix(
    cases: Cases, actor: Actor, number: str, item_id: str, served_by: ByClerk | None = None
) -> None:
    """放弃补正: the item goes back at once, as it would when the time had passed; the others go on.

    Errors: CaseNotFound, FixAnswered, NotPossibleNow.
    """
    async with begin(cases.pool, cases.now) as tx:
        case = await load_case(cases, tx.conn, number, lock=True)
        own_case(actor, case)
        by = None if served_by is None else serving(cases, served_by, actor, case.application.matter)
        item = case.items.get(item_id)
        fix = None if item is None else await tx.conn.fetchrow(QUERIES["fix"], case.application.id, item_id)
        if item is None or fix is None:
            raise CaseNotFound()
        if item.state is ItemState.SENT_BACK and fix["answered_at"] is None:
            return  # pressed twice, or the time ran out meanwhile: it is what was wanted
        if item.state is not ItemState.FIX_AWAITED:
            raise _closed(item, fix)
        work = Work(cases, tx, case, actor if by is None else by.clerk)
        await work.move(item_id, Event.FIX_GIVEN_UP, reason=_reason("", by))
        await drop_unsent(tx.conn, case.application.id, item_id)
        await work.end_tasks(item_id, "dropped")
        await work.enter("case.fix_given_up", items=(item_id,))
        name = work.ready.items[item_id].name.zh
        await work.tell_applicant(
            "fix_given_up", f"“{name}”按您的意思不补了，先退回给您。以后可以再申请，资料不用重填。", item_id
        )
        await effects.block_dependents(work, item_id)
        await work.settle()


async def _asked(cases: Cases, actor: Actor, number: str, item_id: str) -> tuple[Case, ItemRow, Any]:
    """The applicant's own case with a fix request on this item. Errors: CaseNotFound."""
    case = await load_case(cases, cases.pool, number, lock=False)
    own_case(actor, case)
    item = case.items.get(item_id)
    fix = None if item is None else await cases.pool.fetchrow(QUERIES["fix"], case.application.id, item_id)
    if item is None or fix is None:
        raise CaseNotFound()
    return case, item, fix


async def _checked(
    cases: Cases,
    case: Case,
    item: ItemRow,
    wants: Sequence[Mapping[str, str]],
    said: str,
    typed: Mapping[str, str],
    kept: Sequence[Upload],
    wrong: dict[str, str],
) -> Corrected:
    """The checked changes; everything that is wrong with the page is told at once. Errors: Invalid by field."""
    if len(said) > LONGEST_WORDS:
        wrong["answer"] = f"最多 {LONGEST_WORDS} 个字，现在有 {len(said)} 个。"
    brought = {one.want for one in kept}
    for n, want in enumerate(wants, 1):
        if want.get("material") and n not in brought and not said:
            says = f"请传“{want['what']}”；已经送到窗口或者没有的，请在说明里写一句。"
            wrong.setdefault(f"{FIELD}{n}", says)
    try:
        corrected = await correct(cases, case, item, marked_in(wants), typed)
    except Invalid as error:
        raise Invalid({**error.fields, **wrong}, fix=error.fix) from error
    if not said and not corrected.changes and not kept and not wrong:
        marked = next((question.id for question in corrected.again.questions), "answer")
        wrong[marked] = "请改正，或写明为什么不用改。" if marked != "answer" else "请写下要补充的内容。"
    if wrong:
        raise Invalid(wrong)
    return corrected


def _reason(said: str, by: ByClerk | None) -> str:
    """What the history says: the applicant's words, and who wrote them down on which proof of identity."""
    if by is None:
        return said
    served = f"窗口代办：{by.clerk.name}，看过{by.proof}"
    return f"{served}。{said}" if said else served


def _same(case: Case, typed: Mapping[str, str]) -> bool:
    return all(case.answers.get(question, "") == text.strip() for question, text in typed.items())


def _check_open(cases: Cases, item: ItemRow, fix: Any) -> None:
    if fix["answered_at"] is not None or item.state is not ItemState.FIX_AWAITED:
        raise _closed(item, fix)
    if cases.now() > fix["until"]:
        raise FixOverdue(until=day_words(fix["until"]))


def _closed(item: ItemRow, fix: Any) -> FixAnswered | NotPossibleNow:
    if fix["answered_at"] is not None:
        return FixAnswered(when=moment_words(fix["answered_at"]))
    return NotPossibleNow(state=item.state.word, event=Event.FIX.word)


def _moved(case: Case, work: Work, corrected: Corrected) -> bool:
    """Whether an item that shares a changed answer was touched between the check and the lock."""
    concerned = (*corrected.others, *corrected.kept)
    return any(case.items[name].version != work.items[name].version for name in concerned)


async def _subjects(cases: Cases, case: Case, corrected: Corrected) -> Mapping[str, int]:
    """The identity of each party whom a consent names (party id → subject)."""
    found: dict[str, int] = {}
    for consent in corrected.consents:
        for party, key in zip(consent.parties, consent.keys, strict=True):
            base = cases.city.registers[case.ready.parties[party].register].base
            scheme = "uscc" if base == "enterprise" else "citizen_id"
            subject = await cases.registers.identity_of(scheme, key, "system")
            if subject is not None:
                found[party] = subject
    return found


async def _write(work: Work, item_id: str, corrected: Corrected) -> dict[str, list[str]]:
    """Write the new answers; returns for each the commitments of what it was and is (SHA-256, salted)."""
    found: dict[str, list[str]] = {}
    for question, (was, now) in corrected.changes.items():
        salt = secrets.token_bytes(16)
        if now:
            await work.tx.conn.execute(QUERIES["change_answer"], work.application.id, question, now)
        else:
            await work.tx.conn.execute(FIXES["drop_answer"], work.application.id, question)
        keeps = [name for name in corrected.kept if question in own_questions(work.ready, name)]
        await work.tx.conn.execute(
            FIXES["insert_change"],
            work.application.id,
            item_id,
            question,
            was,
            now,
            salt,
            keeps,
            work.tx.now,
        )
        about = (work.application.number, item_id, question)
        found[question] = [commitment(salt, about, text) for text in (was, now)]
    return found


def commitment(salt: bytes, about: tuple[str, str, str], value: str) -> str:
    """The hash that binds the history to an answer without telling it: salt, case, item, question and value."""
    return hashlib.sha256(salt + canonical_json([*about, value])).hexdigest()


async def _enter(
    work: Work,
    item_id: str,
    detail: Mapping[str, Mapping[str, Any]],
    hashes: Sequence[str],
    by: ByClerk | None,
) -> None:
    """The ledger holds which answers changed, the commitments to both and to each file, and which proof of identity a
    clerk saw; values, files and their plain hashes stay where they can be erased."""
    actor, application = work.actor, work.application
    body = {
        "matter": application.matter,
        "items": [item_id],
        "law": "licensing-2019:32",
        **detail,
        **({} if by is None else {"proof": by.proof}),
        "actor": {"kind": actor.kind, "post": actor.post, "unit": actor.unit, "channel": actor.channel},
    }
    payload = {
        "case": application.number,
        "actor": actor.official,
        "name": actor.name,
        "reason": "",
        "sha256": list(hashes),
    }
    concerned = application.applicant if application.acting_for is None else application.acting_for
    await work.tx.conn.fetchval(QUERIES["append_entry"], "case.fixed", body, concerned, payload)


async def _tell(work: Work, item_id: str, corrected: Corrected, asked: tuple[str, ...]) -> None:
    items = work.ready.items
    says = f"“{items[item_id].name.zh}”的补正收到了，"
    says += "要请家人对改过的内容再同意一次，同意后接着办。" if asked else "时限接着算。"
    # A decision that may still be taken back is told to nobody, so neither is it here.
    told = [name for name in corrected.kept if work.items[name].state.succeeded]
    if told:
        listed = "、".join(items[name].name.zh for name in told)
        says += f"“{listed}”已经办好，仍按原来填的内容，没有改。"
    await work.tell_applicant("fixed", says, item_id)
