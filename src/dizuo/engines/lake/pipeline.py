"""The way of every delivery: read → standardised → checked → linked → published, each stage as far as it can go.

A stage is noted in the database when it is done, so a run that was killed goes on where it stopped; files appear whole or not
at all. Held and refused deliveries wait for people and keep nobody else waiting; what was published before stays served.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
import duckdb
import msgspec

from dizuo.engines.lake.golden import Delivery as GoldenDelivery
from dizuo.engines.lake.golden import (
    Fate,
    GoldenRun,
    abandon,
    build,
    finished,
    open_golden,
    plan_of,
    prepare,
    publish_changes,
    publish_first,
    put_together,
)
from dizuo.engines.lake.golden.errors import GoldenShrinks
from dizuo.engines.lake.identity import (
    ask_people,
    decisions,
    default_models,
    link,
    open_store,
    put_map_together,
    tell_events,
)
from dizuo.engines.lake.intake import Delivery, Intake, advance, collect, deliveries, delivery, read
from dizuo.engines.lake.standard import Outputs, Standardised, Standards, open_engine, standardise
from dizuo.engines.lake.standardising import Bench, Task, at_once, work
from dizuo.engines.registers import BulkBusy, BulkRefused
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.clock_source import Now, SystemNow
from dizuo.foundation.store import LOADER, Database, Queries, open_pool

Tell = Callable[[str, int, int], None]
"""Told (what, done, total) now and then; a total of 0 is unknown."""

_QUERIES: Final = Queries.load("dizuo.engines.lake", "pipeline.sql")
_NO_STEP: Final = "DZ102"
"""The database's word for a stage that does not follow the present one."""


class Published(msgspec.Struct, frozen=True):
    """What stands in the registers: the golden run that was published last, and the one that is being published.

    0 is none. ``identity`` is the last identity run whose events the published records know of, ``knows`` that of those being published.
    """

    last: int = 0
    going: int = 0
    identity: int = 0
    knows: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a run: how many rows went through, wall time in seconds, the process's peak memory in bytes so far."""

    name: str
    rows: int
    seconds: float
    peak: int


@dataclass(slots=True)
class Ran:
    """What a run did. ``deliveries`` are those that it moved, as they stand now."""

    stages: list[Stage] = field(default_factory=list[Stage])
    deliveries: dict[int, Delivery] = field(default_factory=dict[int, Delivery])
    records: Mapping[str, int] = field(default_factory=dict[str, int])
    asked: int = 0
    """Pairs that were put before people."""


class Lake:
    """The folders and the database of one installation's lake. ``memory``: the limit for each of DuckDB's stages; ``rebuild``: make
    all golden records anew instead of those that this run touches."""

    def __init__(
        self,
        database: Database,
        city: City,
        data: Path,
        intake: Intake,
        *,
        memory: str = "4GB",
        threads: int = 2,
        tell: Tell | None = None,
        rebuild: bool = False,
    ) -> None:
        self.database = database
        self.city = city
        self.intake = intake
        self.root = intake.places.root
        self.memory = memory
        self.threads = threads
        self.tell: Tell = tell or _silent
        self.rebuild = rebuild
        self.ran = Ran()

    # ------------------------------------------------------------------ the run

    async def run(self) -> Ran:
        """Take every delivery as far as it can go. Errors: those of the stages; what was done before them stays done."""
        for source in self.city.sources.values():
            if source.delivery.format == "push":
                await collect(self.intake, source.id)
        await self._each("读出", "landed", self._read)
        await self._standardise_all()
        await self._each("核验", "standardised", self._checked)
        await self._link()
        await self._publish()
        return self.ran

    async def _each(self, what: str, state: str, work: Callable[[Delivery], object]) -> None:
        going = await self._in(state)
        began, rows = time.monotonic(), 0
        for done, one in enumerate(going):
            self.tell(f"{what} {self.city.sources[one.source].name.zh}", done, len(going))
            after = work(one)
            moved: Delivery = await after if asyncio.iscoroutine(after) else one
            self.ran.deliveries[one.id] = moved
            rows += moved.rows_in
        if going:
            self.tell(what, len(going), len(going))
            self._note(what, rows, began)

    async def _in(self, *states: str) -> list[Delivery]:
        found: list[Delivery] = []
        for source in self.city.sources:
            found += await deliveries(self.intake.pool, source, states)
        return sorted(found, key=lambda one: (one.period, one.id))

    def _note(self, name: str, rows: int, began: float) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self.ran.stages.append(Stage(name, rows, time.monotonic() - began, peak))

    # ----------------------------------------------------- one delivery at a time

    async def _read(self, one: Delivery) -> Delivery:
        return await read(self.intake, one.id)

    async def _standardise_all(self) -> None:
        today = self.intake.now().date()
        standards = Standards.of(self.city, today)
        tasks = {one.id: (self._task(one), one.rows_in) for one in await self._in("read")}
        one_of_many = Bench(self.memory, 1, self.root / "spill", self.root / "statements")
        with at_once(tasks, self.city, today, one_of_many, self.threads) as begun:
            await self._each(
                "规范和核验", "read", lambda one: self._standardise(one, standards, begun.get(one.id))
            )

    async def _standardise(
        self, one: Delivery, standards: Standards, begun: Future[Standardised] | None
    ) -> Delivery:
        bench = Bench(self.memory, self.threads, self.root / "spill", self.root / "statements")
        made = (
            await asyncio.to_thread(work, self._task(one), standards, bench)
            if begun is None
            else await asyncio.wrap_future(begun)
        )
        await self.intake.pool.execute(
            _QUERIES["keep_quality"],
            one.id,
            [rule.rule for rule in made.rules],
            [rule.dimension for rule in made.rules],
            [rule.checked for rule in made.rules],
            [rule.failed for rule in made.rules],
            [rule.at_least for rule in made.rules],
        )
        kinds = _kinds(self.rejected_later(one))
        return await self._moved(one, "standardised", rejected=made.rejected, kinds=kinds)

    def _task(self, one: Delivery) -> Task:
        return Task(
            self.intake.places.rows(one.source, one.id),
            one.source,
            Outputs(
                standard=self.standard(one),
                mentions=self.mentions(one),
                rejected=self.rejected_later(one),
                failing=self.root / "failing" / one.source / f"{one.id}.parquet",
            ),
            one.period,
        )

    async def ready(self) -> None:
        """Work out the statements of another day than today, for every source that delivered in this run.

        That takes seconds a source, however few rows come: after the first load of a city, when nobody waits, instead of the day
        after, when somebody does. Without it the first days' deliveries do so themselves.
        """
        began, standards = time.monotonic(), Standards.of(self.city, self.intake.now().date())
        newest = {one.source: one for one in self.ran.deliveries.values() if one.state == "published"}
        for done, one in enumerate(newest.values()):
            self.tell("备好 " + self.city.sources[one.source].name.zh, done, len(newest))
            await asyncio.to_thread(self._rehearsed, one, standards)
        self._note("备好", 0, began)

    def _rehearsed(self, one: Delivery, standards: Standards) -> None:
        """Standardise no rows, as of the day after a delivery."""
        engine = open_engine(self.memory, self.threads, self.root / "spill")
        (self.root / "work").mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with tempfile.TemporaryDirectory(dir=self.root / "work") as name:
                folder = Path(name)
                raw = folder / "raw.parquet"
                rows = engine.con.read_parquet(str(self.intake.places.rows(one.source, one.id)))
                rows.limit(0).write_parquet(str(raw))
                standardise(
                    raw, self.city.sources[one.source], standards,
                    Outputs(folder / "standard", folder / "mentions", folder / "rejected", folder / "failing"),
                    one.period + dt.timedelta(days=1), engine, self.root / "statements",
                )  # fmt: skip
        finally:
            engine.disconnect()

    async def _moved(self, one: Delivery, state: str, **counts: Any) -> Delivery:
        """A delivery after its stage; one that a steward held or refused meanwhile stays where the steward put it."""
        try:
            return await advance(self.intake, one.id, state, **counts)
        except asyncpg.PostgresError as error:
            now = await delivery(self.intake.pool, one.id)
            if str(getattr(error, "sqlstate", "")) == _NO_STEP and now.state in ("held", "refused"):
                return now
            raise

    async def _checked(self, one: Delivery) -> Delivery:
        return await self._moved(one, "checked")

    def standard(self, one: Delivery) -> Path:
        """A delivery's standard rows."""
        return self.root / "standard" / one.source / f"{one.id}.parquet"

    def mentions(self, one: Delivery) -> Path:
        """Whom a delivery's rows speak of."""
        return self.root / "mentions" / one.source / f"{one.id}.parquet"

    def rejected_later(self, one: Delivery) -> Path:
        """Rows that were read and could not be standardised; those that could not be read are beside them."""
        return self.root / "rejected" / one.source / f"{one.id}.standard.parquet"

    # ------------------------------------------------------------- all together

    async def _link(self) -> None:
        going = await self._in("checked")
        if not going:
            return
        began = time.monotonic()
        self.ran.asked = await asyncio.to_thread(self._linked, going)
        for one in going:
            self.ran.deliveries[one.id] = await self._moved(one, "linked")
        self._note("归人", sum(one.rows_read for one in going), began)

    def _linked(self, going: Sequence[Delivery]) -> int:
        with open_store(self.root / "identity", memory=self.memory, threads=self.threads) as store:
            link(
                store,
                [self.mentions(one) for one in going],
                decisions=decisions(self.database),
                progress=lambda what: self.tell(f"归人 {what}", 0, 0),
            )
            self.tell("记下身份变化", 0, 0)
            tell_events(self.database, store)
            return ask_people(self.database, store, default_models())

    async def _publish(self) -> None:
        stands = self.stands()
        waiting = await self._in("linked")
        begun = finished(self._golden(stands.going)) if stands.going else None
        if begun is not None:
            there = {one.id for one in [*await self._in("published"), *waiting]}
            if all(fate.delivery in there for fate in begun.fates):
                # What was being published is brought to its end as it was made; what came since is a run of its own.
                await asyncio.to_thread(self._served, begun, stands)
                stands = self.stands()
            else:
                abandon(begun)
        last = finished(self._golden(stands.last)) if stands.last else None
        if last is not None:
            waiting = await self._became(last.fates, waiting)
        if waiting:
            made = await asyncio.to_thread(self._published, await self._golden_of(waiting), waiting)
            await self._became(made.fates, waiting)
            await asyncio.to_thread(self._put_together, made)

    async def _became(self, fates: Sequence[Fate], waiting: Sequence[Delivery]) -> list[Delivery]:
        """Note what became of the deliveries' rows; gives those of the waiting that these fates do not tell of."""
        by_id = {one.id: one for one in waiting}
        for fate in fates:
            if (one := by_id.pop(fate.delivery, None)) is not None:
                self.ran.deliveries[one.id] = await self._moved(
                    one, "published", published=fate.published, merged=fate.merged, held=fate.held
                )
        return list(by_id.values())

    async def _golden_of(self, going: Sequence[Delivery]) -> list[GoldenDelivery]:
        """All deliveries that count, with the files of their rows."""
        return [
            GoldenDelivery(
                one.source,
                one.id,
                self.standard(one),
                one.period,
                tuple(p for p in (self.intake.places.rejected(one.source, one.id), self.rejected_later(one)) if p.exists()),
                told=one.state == "published",
                mode=one.mode,
            )
            for one in [*await self._in("published"), *going]
        ]  # fmt: skip

    def _golden(self, number: int) -> Path:
        return self.root / "golden" / f"{number:06d}"

    def _published(self, golden: Sequence[GoldenDelivery], going: Sequence[Delivery]) -> GoldenRun:
        stands = self.stands()
        number = max(stands.last, stands.going) + (0 if stands.going else 1)
        last = self._golden(stands.last)
        stands = Published(stands.last, number, stands.identity, max(self._events(), default=0))
        self._stand(stands)
        rows = sum(one.rows_read for one in going)
        began = time.monotonic()
        with open_golden(self.root / "work", memory=self.memory, threads=self.threads) as lake:
            made = build(
                lake, self.city, golden, self.root / "identity" / "map.parquet", self._golden(number),
                self.intake.now().date(), lambda what, done, total: self.tell(f"黄金记录 {what}", done, total),
                follows=last if stands.last and not self.rebuild else None, keep=self.root / "golden" / "kept.duckdb",
            )  # fmt: skip
        self._note("黄金记录", rows, began)
        self._served(made, stands)
        return made

    def _events(self) -> dict[int, Path]:
        """What happened to identities, by the run that it happened in."""
        return {
            int(path.stem): path for path in sorted((self.root / "identity" / "events").glob("*.parquet"))
        }

    def _served(self, made: GoldenRun, stands: Published) -> None:
        """Bring a finished run into the registers. What they refuse is made anew with what comes next."""
        try:
            self._brought(made, stands)
        except (GoldenShrinks, BulkRefused):
            abandon(made)
            raise
        self._stand(Published(stands.going, 0, stands.knows))
        self.ran.records = made.records

    def _brought(self, made: GoldenRun, stands: Published) -> None:
        began = time.monotonic()
        plan = plan_of(self.city, frozenset(made.sources))
        happened = [path for n, path in self._events().items() if stands.identity < n <= stands.knows]
        about = {"run": stands.going, "deliveries": [fate.delivery for fate in made.fates]}
        tell: Tell = lambda what, done, total: self.tell(f"入库 {what}", done, total)  # noqa: E731
        with open_golden(self.root / "work", memory=self.memory, threads=self.threads) as lake:
            if stands.last:
                publish_changes(
                    lake, self.database, plan, self._golden(stands.last), made.folder, about, tell,
                    merges=happened,
                )  # fmt: skip
            else:
                try:
                    publish_first(lake, self.database, plan, made.folder, about, tell)
                except BulkBusy as busy:
                    if not busy.full:
                        raise
                    # The registers were filled another way before: everything is brought as what an empty run lacks.
                    publish_changes(
                        lake, self.database, plan, _nothing(lake, made.folder), made.folder, about, tell
                    )
        self._note("入库", sum(made.records.values()), began)

    def _put_together(self, made: GoldenRun) -> None:
        """Many days build on one another: after they are served they are put together, so that a look-up reads few files."""
        plan = plan_of(self.city, frozenset(made.sources))
        with open_golden(self.root / "work", memory=self.memory, threads=self.threads) as lake:
            put_together(lake, plan, made.folder)
            if not made.builds_on:
                prepare(lake, plan, self.root / "golden" / "kept.duckdb")
        put_map_together(self.root / "identity" / "map.parquet", memory=self.memory, threads=self.threads)

    def stands(self) -> Published:
        """What stands in the registers."""
        return stands_in(self.root)

    def _stand(self, what: Published) -> None:
        path = self.root / "golden" / "published.json"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = path.with_suffix(".part")
        beside.write_bytes(msgspec.json.encode(what))
        beside.replace(path)


def stands_in(root: Path) -> Published:
    """Which run of the lake at ``root`` stands in the registers."""
    path = root / "golden" / "published.json"
    return msgspec.json.decode(path.read_bytes(), type=Published) if path.exists() else Published()


def _nothing(lake: duckdb.DuckDBPyConnection, folder: Path) -> Path:
    """A run beside this one that says nothing, in the same columns."""
    empty = folder.parent / "000000"
    empty.mkdir(exist_ok=True, mode=0o700)
    for file in folder.glob("*.parquet"):
        lake.read_parquet(str(file)).limit(0).write_parquet(str(empty / file.name))
    return empty


def _kinds(rejected: Path) -> Mapping[tuple[str, str], int]:
    """(column, code) → rows, of a file of rejected rows."""
    if not rejected.exists():
        return {}
    with duckdb.connect() as engine:
        counted = engine.execute(
            "SELECT coalesce(\"column\", ''), code, count(*) FROM read_parquet(?) GROUP BY ALL",
            [str(rejected)],
        ).fetchall()
    return {(str(column), str(code)): int(rows) for column, code, rows in counted}


async def run_lake(
    database: Database,
    city: City,
    data: Path,
    *,
    now: Now | None = None,
    memory: str = "4GB",
    threads: int = 2,
    tell: Tell | None = None,
    rebuild: bool = False,
    ready: bool = False,
) -> Ran:
    """Take every delivery of an installation as far as it can go.

    Shapes: ``data`` is the installation's data folder; ``memory`` the limit of each stage in DuckDB; ``rebuild`` makes all golden
    records anew instead of those that this run touches; ``ready`` prepares, when everything is served, for the deliveries of other days. Errors: those of the
    stages: disk full, database away, IdentityBusy when another run is under way; start again.
    """
    pool = await open_pool(database.dsn(LOADER), min_size=1, max_size=4)
    try:
        intake = Intake.of(pool, city, data, now or SystemNow())
        lake = Lake(database, city, data, intake, memory=memory, threads=threads, tell=tell, rebuild=rebuild)
        ran = await lake.run()
        if ready:
            await lake.ready()
        return ran
    finally:
        await pool.close()


def late(ran: Iterable[Delivery]) -> list[Delivery]:
    """Those of a run's deliveries that wait for people."""
    return [one for one in ran if one.state in ("held", "refused")]


def _silent(_: str, __: int, ___: int) -> None:
    return None
