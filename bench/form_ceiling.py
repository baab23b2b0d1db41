"""The ceiling of the form page: one bare statement, its values put in words, the same template; nothing else.

Started by form_page.py under the same server with as many workers. ``/bare`` begins where the page begins, with the number
of the person signed in: one statement made for this form alone finds the records (the mother's marriage, whose husband, the
birth certificate, the household…) and fetches them, with no policy, entry, session or plan (nobody may in production). It
decodes them, writes codes, dates and numbers as the page shows them, and renders the very page that the product made for that
person; whatever does not come from a record (questions, items, layout) is there already. ``/told`` does the same when somebody
has told it the key of every record before, which nobody can know who has not found them. ``/hello`` is the framework alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ceilings import BARE_RECORDS
from granian import Granian
from granian.constants import Interfaces, Loops
from msgspec import json, structs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dizuo.app import make
from dizuo.doors.citizen.form_facts import LineView
from dizuo.engines.cases import Form, PlannedLine, open_form
from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.engines.registers import Actor
from dizuo.engines.registers.access import PartySpec, compile_matter
from dizuo.foundation.blueprint.model import Division, Field
from dizuo.foundation.store import open_pool
from dizuo.settings import Runtime, read_runtime
from dizuo.web.format import day, masked
from dizuo.web.templates import Templates

PATH = "/matters/newborn/apply"
decode = json.Decoder(list[dict[str, Any]]).decode


def owner_dsn(runtime: Runtime) -> str:
    """The owner's address: the records are hidden from everybody else."""
    password = (Path(runtime.data) / "secrets" / "database-dizuo_owner").read_text().strip()
    return f"postgresql://dizuo_owner:{quote(password)}@{runtime.app_dsn.rpartition('@')[2]}"


class Captured:
    """What one real page was made of: template, facts, and the records that its form read."""

    def __init__(self) -> None:
        self.templates: Templates | None = None
        self.lang, self.name = "", ""
        self.context: Mapping[str, Any] = {}
        self.found_by = ""
        self.given = ""
        self.registers: list[str] = []
        self.keys: list[str] = []
        # Lines of the page as (record, field, its declaration), in the page's order; None where a line is no one fact.
        self.groups: list[list[tuple[int, Field] | None]] = []
        self.rest: list[tuple[int, Field] | None] = []
        self.divisions: Mapping[str, Division] = {}

    def render(self, records: list[dict[str, Any]]) -> str:
        assert self.templates is not None
        view = self.context["v"]
        groups = [
            structs.replace(group, lines=self._lines(group.lines, where, records))
            for group, where in zip(view.groups, self.groups, strict=True)
        ]
        filled = structs.replace(view, groups=groups, rest=self._lines(view.rest, self.rest, records))
        return self.templates.render(self.lang, self.name, {**self.context, "v": filled})

    def _lines(
        self, lines: list[LineView], where: list[tuple[int, Field] | None], records: list[dict[str, Any]]
    ) -> list[LineView]:
        return [
            line
            if one is None
            else LineView(line.label, self._said(one[1], records[one[0]]), line.source, line.wrong)
            for line, one in zip(lines, where, strict=True)
        ]

    def _said(self, field: Field, record: dict[str, Any]) -> str:
        text = str(record[field.id])
        if text in field.codes:
            return field.codes[text].zh
        if field.type == "citizen_id":
            return masked(text)
        if field.type == "date":
            return day(text, "zh")
        if field.type == "division" and text in self.divisions:
            return self.divisions[text].name
        return text

    def locate(self, ready: CompiledMatter, form: Form) -> None:
        """Find out which field of which record each line of the page shows."""
        view, plan = self.context["v"], form.plan
        parties = [party for party, state in form.known.parties.items() if state.key is not None]
        for party in parties:
            self.registers.append(ready.parties[party].register)
            self.keys.append(str(form.known.parties[party].key))
        self.divisions = ready.city.divisions
        specs = {spec.party: spec for spec in compile_matter(ready.city, ready.matter).parties}
        self.found_by = finding(specs, parties)
        (self.given,) = (str(form.known.parties[party].key) for party in parties if specs[party].given)

        def place(fact: str | None, line: LineView) -> tuple[int, Field] | None:
            if fact is None or fact.partition(".")[0] not in parties:
                return None
            found = parties.index(fact.partition(".")[0]), ready.fields[fact]
            said = self._said(found[1], {found[1].id: plan.facts[fact].value})
            return found if said == line.value else None

        def only(line: PlannedLine) -> str | None:
            return line.facts[0] if len(line.facts) == 1 else None

        shown = [show for show in plan.shows if not show.folded]
        for show, group in zip(shown, view.groups, strict=True):
            self.groups.append([place(only(a), b) for a, b in zip(show.lines, group.lines, strict=True)])
        words = {
            f"{ready.parties[f.partition('.')[0]].name.zh} · {ready.fields[f].name.zh}": f for f in plan.facts
        }
        self.rest = [place(words.get(line.label), line) for line in view.rest]
        located = sum(
            one is not None for one in [*self.rest, *(one for group in self.groups for one in group)]
        )
        if located < 20:
            raise SystemExit(f"only {located} lines of the page were found in the records")


def finding(specs: Mapping[str, PartySpec], parties: Sequence[str]) -> str:
    """One statement that finds the records of these parties from the key of the given one ($1), in their order.

    Written out for this form: every register, field and condition stands in it, and each party is looked up once.
    """
    needed = set(parties)
    for spec in sorted(specs.values(), key=lambda one: -one.ord):
        if spec.party in needed:
            needed |= {before for _, before, _ in spec.matches}
    chain = [spec for spec in sorted(specs.values(), key=lambda one: one.ord) if spec.party in needed]
    alias = {spec.party: f"p{n}" for n, spec in enumerate(chain)}
    joins: list[str] = []
    for spec in chain:
        where = [f"r.register = {_quoted(spec.register)}", "r.superseded_at IS NULL"]
        tables = "registers.record r"
        if spec.given:
            where.append("r.key = $1::text")
        for n, (own, before, field) in enumerate(spec.matches):
            value = f"{alias[before]}.data ->> {_quoted(field)}"
            if own == (spec.key_field,):
                where.append(f"r.key = {value}")
            elif n == 0:
                tables = (
                    "registers.lookup l JOIN registers.record r ON r.register = l.register AND r.key = l.key"
                )
                fields = ", ".join(_quoted(one) for one in own)
                where += [
                    f"l.register = {_quoted(spec.register)}",
                    f"l.field IN ({fields})",
                    f"l.value = {value}",
                    "l.known_to IS NULL",
                ]
            else:
                where.append("(" + " OR ".join(f"r.data ->> {_quoted(one)} = {value}" for one in own) + ")")
        if spec.wheres:
            where.append(f"r.data @> {_quoted(json.encode(spec.wheres).decode())}::jsonb")
        order = f" ORDER BY r.data ->> {_quoted(spec.order_by)} DESC" if spec.order_by else ""
        joins.append(
            f"(SELECT r.data FROM {tables} WHERE {' AND '.join(where)}{order} LIMIT 1) AS {alias[spec.party]}"
        )
    found = ", ".join(f"{alias[party]}.data" for party in parties)
    return f"SELECT json_build_array({found})::text FROM {' LEFT JOIN LATERAL '.join([joins[0], *(f'{one} ON true' for one in joins[1:])])}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


async def capture(runtime: Runtime, cookie: str) -> Captured:
    """Make the page once in this process and keep what went into the template."""
    kept = Captured()
    original = Templates.render

    def spy(self: Templates, language: str, name: str, context: Mapping[str, object]) -> str:
        kept.templates, kept.lang, kept.name, kept.context = self, language, name, context
        return original(self, language, name, context)

    application = make(runtime)
    Templates.render = spy  # type: ignore[method-assign]
    try:
        async with application.router.lifespan_context(application):
            sent: list[dict[str, Any]] = []

            async def receive() -> dict[str, Any]:
                return {"type": "http.request", "body": b"", "more_body": False}

            async def send(message: Any) -> None:
                sent.append(message)

            scope = {
                "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": PATH,
                "raw_path": PATH.encode(), "query_string": b"", "root_path": "", "scheme": "http",
                "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "state": {},
                "headers": [(b"host", b"127.0.0.1"), (b"cookie", cookie.encode())],
            }  # fmt: skip
            await application(scope, receive, send)
            assert sent[0]["status"] == 200, sent[0]
            dizuo = application.state.dizuo
            session = await dizuo.directory.find_session(cookie.partition("dz_session=")[2].partition(";")[0])
            actor = Actor("resident", subject=session.account.subject, name=session.account.name)
            form = await open_form(dizuo.cases, actor, "newborn", {}, {})
            ready = dizuo.cases.matter("newborn")
            kept.locate(ready, form)
    finally:
        Templates.render = original  # type: ignore[method-assign]
    return kept


def application() -> Starlette:
    """The bare application of one worker."""
    runtime = read_runtime()
    state: dict[str, Any] = {}

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        state["page"] = await capture(runtime, os.environ["BENCH_COOKIE"])
        state["pool"] = await open_pool(owner_dsn(runtime), min_size=2, max_size=16)
        page: Captured = state["page"]
        found = decode(await state["pool"].fetchval(page.found_by, page.given))
        if found != decode(await state["pool"].fetchval(BARE_RECORDS, page.registers, page.keys)):
            raise SystemExit("the bare statement found other records than the form read")
        yield
        await state["pool"].close()

    async def bare(_: Request) -> Response:
        page: Captured = state["page"]
        records = decode(await state["pool"].fetchval(page.found_by, page.given))
        return Response(page.render(records), media_type="text/html")

    async def told(_: Request) -> Response:
        page: Captured = state["page"]
        records = decode(await state["pool"].fetchval(BARE_RECORDS, page.registers, page.keys))
        return Response(page.render(records), media_type="text/html")

    async def hello(_: Request) -> Response:
        return PlainTextResponse("hello")

    return Starlette(
        routes=[Route("/bare", bare), Route("/told", told), Route("/hello", hello)], lifespan=lifespan
    )


async def statement_rate(runtime: Runtime, cookie: str, callers: int, seconds: float) -> float:
    """The statement alone, per second, from so many callers in one process."""
    page = await capture(runtime, cookie)
    pool = await open_pool(owner_dsn(runtime), min_size=callers, max_size=callers)
    loop = asyncio.get_running_loop()
    end, done = loop.time() + seconds, 0

    async def call() -> None:
        nonlocal done
        while loop.time() < end:
            await pool.fetchval(page.found_by, page.given)
            done += 1

    await asyncio.gather(*(call() for _ in range(callers)))
    await pool.close()
    return done / seconds


if __name__ == "__main__":
    import sys

    Granian(
        "form_ceiling:application", address="127.0.0.1", port=int(sys.argv[1]), interface=Interfaces.ASGI,
        workers=int(sys.argv[2]), factory=True, loop=Loops.uvloop, websockets=False, log_enabled=False,
        workers_kill_timeout=5,
    ).serve()  # fmt: skip
