"""Files of a 补正: kept as soon as they arrive, handed in with the answer, opened only against an entry.

1. A file that is kept is on disk before the page is shown; what else was wrong with the page does not lose it.
2. Until the answer is sent it can be taken back; then the database lets nobody change or remove it.
3. History and ledger hold a salted commitment to each; bytes, names and salts are erasable (个人信息保护法 47 条).
4. Bytes leave only after the entry that says who opened them for which item is durable.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from dizuo.engines.cases.context import FIXES, Cases
from dizuo.engines.cases.errors import CaseNotFound, UploadGone
from dizuo.engines.cases.file_kinds import MAX_FILES, MAX_TOTAL, kind_of, named, wrong_with
from dizuo.engines.cases.model import Application, Case, ItemRow
from dizuo.engines.cases.reach import Actors, may_view, own_case
from dizuo.engines.cases.reads_citizen import note_refusal
from dizuo.engines.cases.records import load_case
from dizuo.engines.cases.states import ItemState
from dizuo.engines.cases.work import enter
from dizuo.engines.registers import Actor
from dizuo.foundation.kernel.canonical import canonical_json
from dizuo.foundation.store import Connection, Pool, begin

FIELD = "file-"
"""The form's field of a line of the request is this and its number from 1."""


class NewFile(msgspec.Struct, frozen=True):
    """A file as it was sent for line ``want`` of a request (from 1); ``problem`` is '' or why its bytes are not here."""

    want: int
    name: str
    declared: str
    content: bytes
    problem: str = ""

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.content).digest()


class Upload(msgspec.Struct, frozen=True):
    """A file that is kept; ``sent_at`` is None until it was handed in with the answer. ``sha256`` is hex."""

    id: int
    want: int
    name: str
    media_type: str
    size: int
    sha256: str
    kept_at: datetime
    sent_at: datetime | None


class Opened(msgspec.Struct, frozen=True):
    """A file's bytes, released under the ledger entry ``entry``."""

    name: str
    media_type: str
    content: bytes
    entry: int


async def uploads_of(conn: Connection | Pool, application: int, item_id: str) -> tuple[Upload, ...]:
    """The files of an item, in the order of the request."""
    rows = await conn.fetch(FIXES["uploads_of"], application, item_id)
    return tuple(_upload(row) for row in rows)


def _upload(row: Any) -> Upload:
    return Upload(
        id=row["id"],
        want=row["want"],
        name=row["name"],
        media_type=row["media_type"],
        size=row["size"],
        sha256=row["sha256"].hex(),
        kept_at=row["kept_at"],
        sent_at=row["sent_at"],
    )


def takes_files(want: Mapping[str, Any]) -> bool:
    """Whether a line of a request may be answered with a file: a paper or free words, not a question of the form."""
    return not want.get("question")


def all_known(kept: Iterable[Upload], files: Iterable[NewFile]) -> bool:
    """Whether each of these files is kept already: the same form sent twice."""
    known = {(one.want, one.sha256) for one in kept}
    return all((file.want, file.sha256.hex()) in known for file in files)


async def keep(
    cases: Cases,
    case: Case,
    item: ItemRow,
    wants: Sequence[Any],
    files: Sequence[NewFile],
    drop: Collection[int],
) -> dict[str, str]:
    """Keep what can be kept of these files and take back ``drop``; returns what is wrong, by field.

    The caller has checked whose case it is and that the request is open; a request that was answered meanwhile keeps
    nothing more (the same answer sent again is told by ``answer_fix``).
    """
    wrong: dict[str, str] = {}
    good: list[NewFile] = []
    for file in files:
        asked = 1 <= file.want <= len(wants) and takes_files(wants[file.want - 1])
        says = (
            "这一条不用交文件。"
            if not asked
            else wrong_with(file.name, file.declared, file.content, file.problem)
        )
        if says:
            wrong.setdefault(f"{FIELD}{file.want}" if asked else "answer", says)
        else:
            good.append(file)
    if not good and not drop:
        return wrong
    application = case.application
    # Sixty megabytes take a tenth of a second: nobody else waits for it.
    digests = await asyncio.to_thread(lambda: [file.sha256 for file in good])
    async with begin(cases.pool, cases.now) as tx:
        locked = await load_case(cases, tx.conn, application.number, lock=True)
        if locked.items[item.id].state is not ItemState.FIX_AWAITED:
            return wrong
        if drop:
            await tx.conn.execute(FIXES["drop_uploads"], application.id, item.id, list(drop))
        kept = await uploads_of(tx.conn, application.id, item.id)
        count, total = len(kept), sum(one.size for one in kept)
        known = {(one.want, one.sha256) for one in kept}
        for file, digest in zip(good, digests, strict=True):
            if (file.want, digest.hex()) in known:
                continue
            known.add((file.want, digest.hex()))
            count, total = count + 1, total + len(file.content)
            if count > MAX_FILES or total > MAX_TOTAL:
                most = f"一共最多 {MAX_FILES} 个文件、{MAX_TOTAL // (1024 * 1024)} MB"
                wrong.setdefault(f"{FIELD}{file.want}", f"{most}，“{file.name}”没有收。多出来的请送到窗口。")
                break
            await _insert(tx.conn, application, item.id, file, digest, tx.now)
        await tx.conn.execute(FIXES["drop_contents"], application.id)
    return wrong


async def _insert(
    conn: Connection, application: Application, item_id: str, file: NewFile, digest: bytes, now: datetime
) -> None:
    kind = kind_of(file.content)
    await conn.execute(FIXES["keep_content"], application.id, digest, file.content)
    await conn.execute(
        FIXES["keep_upload"],
        application.id,
        item_id,
        file.want,
        named(file.name, kind),
        kind,
        len(file.content),
        digest,
        secrets.token_bytes(16),
        now,
    )


async def hand_in(
    conn: Connection, application: Application, item_id: str, now: datetime
) -> tuple[dict[str, str], list[str]]:
    """What was kept is handed in: the salted commitments by line and place (``1.1``), and the plain hashes in hex."""
    rows = await conn.fetch(FIXES["uploads_of"], application.id, item_id)
    await conn.execute(FIXES["send_uploads"], application.id, item_id, now)
    found: dict[str, str] = {}
    of_line: dict[int, int] = {}
    for row in rows:
        of_line[row["want"]] = of_line.get(row["want"], 0) + 1
        place = f"{row['want']}.{of_line[row['want']]}"
        about = [application.number, item_id, place, row["sha256"].hex()]
        found[place] = hashlib.sha256(bytes(row["salt"]) + canonical_json(about)).hexdigest()
    return found, [row["sha256"].hex() for row in rows]


async def drop_unsent(conn: Connection, application: int, item_id: str) -> None:
    """Nobody will hand these in any more: the request ran out or was given up."""
    await conn.execute(FIXES["drop_unsent"], application, item_id)
    await conn.execute(FIXES["drop_contents"], application)


async def open_own_upload(cases: Cases, actor: Actor, number: str, item_id: str, upload: int) -> Opened:
    """The applicant's own file, also before it is handed in. Errors: CaseNotFound, UploadGone."""
    try:
        case = await load_case(cases, cases.pool, number, lock=False)
        own_case(actor, case)
    except CaseNotFound:
        await note_refusal(cases, actor, number)
        raise
    return await _open(cases, case, actor, item_id, upload, unsent=True)


async def open_upload(cases: Cases, actors: Actors, number: str, item_id: str, upload: int) -> Opened:
    """A file that was handed in, for an official who may see the item. Errors: CaseNotFound, UploadGone, Refused."""
    case = await load_case(cases, cases.pool, number, lock=False)
    actor, covered = may_view(cases, actors, case)
    if item_id not in covered:
        raise UploadGone()
    return await _open(cases, case, actor, item_id, upload, unsent=False)


async def _open(cases: Cases, case: Case, actor: Actor, item_id: str, upload: int, *, unsent: bool) -> Opened:
    kept = await uploads_of(cases.pool, case.application.id, item_id)
    one = next((one for one in kept if one.id == upload and (unsent or one.sent_at is not None)), None)
    if one is None:
        raise UploadGone()
    async with begin(cases.pool, cases.now) as tx:
        entry = await enter(tx, actor, case.application, "case.file", items=(item_id,), reason=one.name)
    content = await cases.pool.fetchval(FIXES["content_of"], case.application.id, item_id, upload)
    if content is None:
        raise UploadGone()
    return Opened(one.name, one.media_type, bytes(content), entry)
