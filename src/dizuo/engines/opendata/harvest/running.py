"""A run: page after page of a source, each record to its fate; cut off anywhere, the next run goes on from the last page."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from dizuo.engines.opendata.ckan.errors import CkanInvalid
from dizuo.engines.opendata.ckan.package import cleaned, facts, name_for, stored, utc
from dizuo.engines.opendata.ckan.writing import gate_of
from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.store import Pool, begin
from dizuo.foundation.store.transaction import Tx

from . import ckan_catalogue, dcat_catalogue
from .csv_catalogue import read_csv
from .errors import CatalogueUnreadable, HarvestBusy
from .fetching import Fetched, Fetcher
from .found import Found, Page
from .sources import QUERIES, Source, source

BATCH: Final = 200
PAGES: Final = 20_000
CONFIRMED: Final = 2_000
"""Of a CKAN at most so many missing datasets are asked for one by one."""
_log = logging.getLogger(__name__)


class Report(msgspec.Struct, frozen=True):
    """How a run ended: done, unchanged or failed, and how many records had which fate."""

    source: str
    state: str
    why: str = ""
    pages: int = 0
    fates: Mapping[str, int] = {}


async def run_source(
    pool: Pool,
    now: Now,
    id: str,
    *,
    full: bool = False,
    accept_loss: bool = False,
    fetcher: Fetcher | None = None,
) -> Report:
    """Harvest one source. ``full``: also when it says that nothing changed; ``accept_loss``: also when most of it is gone.

    ``pool`` is the loader's. Whatever is wrong with the source is told in the report. Errors: HarvestSourceUnknown,
    HarvestBusy, the pool's.
    """
    asked = await source(pool, id)
    async with _alone(pool, id):
        run = _Run(pool, now, asked, fetcher or Fetcher(asked.allowed), full, accept_loss)
        try:
            return await run.go()
        except DizuoError as error:
            return await run.failed(error.message)
        except (
            Exception
        ) as error:  # a source that breaks the program is one failed source, not a failed harvest
            _log.exception("harvest of %s", id)
            return await run.failed(f"程序出错（{type(error).__name__}）")


async def run_sources(
    pool: Pool, now: Now, ids: Sequence[str], *, full: bool = False, accept_loss: bool = False
) -> list[Report]:
    """Harvest several sources one after another; none keeps another from its turn."""
    reports: list[Report] = []
    for id in ids:
        try:
            reports.append(await run_source(pool, now, id, full=full, accept_loss=accept_loss))
        except DizuoError as error:
            reports.append(Report(id, "failed", error.message))
    return reports


@asynccontextmanager
async def _alone(pool: Pool, id: str) -> AsyncIterator[None]:
    """The source to ourselves. The lock is the connection's: whoever is killed lets go."""
    async with pool.acquire() as connection:
        if not await connection.fetchval(QUERIES["lock"], id):
            raise HarvestBusy(source=id)
        try:
            yield
        finally:
            await connection.fetchval(QUERIES["unlock"], id)


class _Run:
    def __init__(
        self, pool: Pool, now: Now, asked: Source, fetcher: Fetcher, full: bool, accept_loss: bool
    ) -> None:
        self._pool = pool
        self._now = now
        self._source = asked
        self._fetcher = fetcher
        self._full = full
        self._accept_loss = accept_loss
        self._run: int | None = None
        self._pages = 0
        self._said: tuple[str, str, str] = ("", "", "")

    async def go(self) -> Report:
        left = await self._pool.fetchrow(QUERIES["run_left"], self._source.id)
        if left is not None:
            self._run, page, self._pages = left["id"], left["next_page"], left["pages"]
        else:
            page = self._first()
            self._run = await self._pool.fetchval(QUERIES["run_new"], self._source.id, page)
            if await self._unchanged() and not self._full:
                return await self._end("unchanged")
        first = left is None
        seen: set[str] = set()
        while page:
            if page in seen or self._pages >= PAGES:
                raise CatalogueUnreadable(why="分页没有尽头")
            seen.add(page)
            fetched = await self._fetch(page, first)
            if fetched.same:
                return await self._end("unchanged")
            if first and self._source.kind != "ckan":
                self._said = (fetched.etag, fetched.last_modified, "")
            read = await asyncio.to_thread(self._read, fetched)
            await self._take(read)
            page, first = read.next, False
        await self._let_go()
        await self._pool.execute(QUERIES["source_said"], self._source.id, *self._said)
        return await self._end("done")

    async def failed(self, why: str) -> Report:
        if self._run is None:
            return Report(self._source.id, "failed", why)
        return await self._end("failed", why)

    def _first(self) -> str:
        url = self._source.url
        return ckan_catalogue.first_page(url) if self._source.kind == "ckan" else url

    async def _unchanged(self) -> bool:
        """Of a CKAN: as many as last time, and none changed since."""
        if self._source.kind != "ckan":
            return False
        fetched = await self._fetcher.get(ckan_catalogue.newest(self._source.url), accept="application/json")
        mark = ckan_catalogue.read_newest(fetched.body)
        self._said = ("", "", mark)
        return bool(self._source.mark) and mark == self._source.mark

    async def _fetch(self, page: str, first: bool) -> Fetched:
        if self._source.kind == "ckan":
            return await self._fetcher.get(page, accept="application/json")
        accept = dcat_catalogue.ACCEPT if self._source.kind == "dcat" else "text/csv, */*;q=0.5"
        known = self._source if first and not self._full else None
        return await self._fetcher.get(
            page,
            accept=accept,
            etag=known.etag if known else "",
            last_modified=known.last_modified if known else "",
        )

    def _read(self, fetched: Fetched) -> Page:
        if self._source.kind == "ckan":
            return ckan_catalogue.read_page(fetched.body, fetched.url)
        if self._source.kind == "dcat":
            return dcat_catalogue.read_dcat(fetched.body, fetched.media_type, fetched.url)
        return read_csv(fetched.body, fetched.url)

    async def _take(self, page: Page) -> None:
        """Records in transactions of a few; the last of them says where the run goes on."""
        batches = [page.records[at : at + BATCH] for at in range(0, len(page.records), BATCH)] or [()]
        for place, batch in enumerate(batches):
            async with begin(self._pool, self._now) as tx:
                await self._records(tx, batch)
                if place == len(batches) - 1:
                    await tx.conn.execute(QUERIES["run_on"], self._run, page.next)
        self._pages += 1

    async def _records(self, tx: Tx, batch: Sequence[Found]) -> None:
        names = [one.identifier for one in batch]
        rows = await tx.conn.fetch(QUERIES["known"], self._source.id, names)
        known = {row["identifier"]: row for row in rows}
        for found in batch:
            await self._record(tx, found, known.get(found.identifier))

    async def _record(self, tx: Tx, found: Found, known: Any) -> None:
        digest = hashlib.sha256(
            msgspec.json.encode([found, self._source.title, self._source.licence])
        ).digest()
        dataset = known["dataset"] if known else None
        if known and known["digest"] == digest and known["fate"] != "refused":
            if known["fate"] == "offline":
                await tx.conn.fetchval(QUERIES["show"], dataset, True)
            fate = "returned" if known["fate"] == "offline" else "unchanged"
            await self._fate(tx, found, dataset, digest, fate, "")
            return
        if found.fault:
            await self._refuse(tx, found, dataset, digest, found.fault)
            return
        try:
            package = self._package(found)
        except CkanInvalid as error:
            await self._refuse(tx, found, dataset, digest, error.message)
            return
        why = "；".join(gate_of(package))
        if why:
            await self._refuse(tx, found, dataset, digest, why)
            return
        name = dataset or await self._name(tx, found)
        extras = self._extras(found, package, (known and known["created"]) or utc(tx.now), utc(tx.now))
        columns = facts(
            package, name, extras, provider=found.publisher or self._source.title, state="published"
        )
        await tx.conn.fetchval(QUERIES["put"], name, columns, f"harvest:{self._source.id}")
        fate = "returned" if known and known["fate"] == "offline" else "updated" if dataset else "added"
        await self._fate(tx, found, name, digest, fate, "")

    def _package(self, found: Found) -> dict[str, Any]:
        told = dict(found.package)
        listed: list[Mapping[str, Any]] = told.get("resources") or []
        resources = [dict(one) for one in listed]
        for place, one in enumerate(resources):
            # Ids of a source may be another's as well: ours are made of the source, the record and the place.
            one["id"] = str(
                uuid.uuid5(
                    uuid.NAMESPACE_URL, f"{self._source.id}|{found.identifier}|{one.get('id') or place}"
                )
            )
        told["resources"] = resources
        if not told.get("license_id"):
            told["license_id"] = self._source.licence
        return cleaned(told)

    def _extras(
        self, found: Found, package: Mapping[str, Any], created: str, modified: str
    ) -> dict[str, Any]:
        return stored(
            package,
            id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._source.id}|{found.identifier}")),
            owner="",
            organisation=found.publisher,
            groups=(),
            created=created,
            modified=modified,
            source={
                "source_id": self._source.id,
                "source_title": self._source.title,
                "source_url": found.link,
                "identifier": found.identifier,
            },
        )

    async def _name(self, tx: Tx, found: Found) -> str:
        """A name of our own that begins with the source's, told apart when it is taken."""
        apart = hashlib.sha256(f"{self._source.id}|{found.identifier}".encode()).hexdigest()[:10]
        name = f"{self._source.id}-{name_for(found.name, apart)}"[:88]
        return f"{name}-{apart}" if await tx.conn.fetchval(QUERIES["taken"], name) else name

    async def _refuse(self, tx: Tx, found: Found, dataset: str | None, digest: bytes, why: str) -> None:
        """What was shown before and may not be any more is taken offline."""
        if dataset:
            await tx.conn.fetchval(QUERIES["show"], dataset, False)
        await self._fate(tx, found, dataset, digest, "refused", why)

    async def _fate(
        self, tx: Tx, found: Found, dataset: str | None, digest: bytes, fate: str, why: str
    ) -> None:
        await tx.conn.execute(
            QUERIES["fate"],
            self._source.id,
            found.identifier[:2000],
            dataset,
            digest,
            fate,
            why[:500],
            self._run,
        )

    async def _let_go(self) -> None:
        """Take offline what the source no longer has. A source that lost most of itself is more likely broken than cleared."""
        missing = await self._pool.fetch(QUERIES["missing"], self._source.id, self._run)
        shown = await self._pool.fetchval(QUERIES["shown"], self._source.id)
        if len(missing) >= 10 and len(missing) * 2 > shown and not self._accept_loss:
            raise CatalogueUnreadable(
                why=f"{shown} 个数据集里一下子少了 {len(missing)} 个，没有下线；确认后加 --accept-loss"
            )
        for row in missing[: CONFIRMED if self._source.kind == "ckan" else None]:
            again = await self._still_there(row["identifier"])
            async with begin(self._pool, self._now) as tx:
                if again is not None:
                    await self._records(tx, [again])
                    continue
                await tx.conn.fetchval(QUERIES["show"], row["dataset"], False)
                gone = Found(row["identifier"])
                await self._fate(tx, gone, row["dataset"], b"\x00" * 32, "offline", "来源里已没有")

    async def _still_there(self, identifier: str) -> Found | None:
        """Pages of a catalogue that changes meanwhile may skip one: a CKAN is asked for it by name."""
        if self._source.kind != "ckan":
            return None
        url = ckan_catalogue.one(self._source.url, identifier)
        fetched = await self._fetcher.get(url, accept="application/json", missing_ok=True)
        return ckan_catalogue.read_one(fetched.body, fetched.url) if fetched.status == 200 else None

    async def _end(self, state: str, why: str = "") -> Report:
        await self._pool.execute(QUERIES["run_end"], self._run, state, why[:500])
        rows = await self._pool.fetch(QUERIES["counts"], self._run)
        fates = {row["fate"]: row["records"] for row in rows}
        body = {"source": self._source.id, "run": self._run, "state": state, "fates": fates}
        await self._pool.fetchval(QUERIES["ledger"], "opendata.harvest", body)
        return Report(self._source.id, state, why, self._pages, fates)
