"""The process that gets killed: reads and submits like a web process, one JSON line in, one JSON line out.

Started by faults.py with a folder that holds ``setup.pkl`` (addresses, city, people). A line is
``{"id", "op", "person", "hold"}``; at the moment named by ``hold`` the operation says ``{"at", "id"}`` and waits for
its end. Answers are what a client received: values with their entries, or a receipt.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import json
import os
import pickle
import sys
import uuid
from pathlib import Path
from typing import Any

from dizuo.engines.cases import Cases, open_form, submit
from dizuo.engines.registers import Actor, ReadRequest, Registers, failpoints
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.ledger import Sealer, SigningKey
from dizuo.foundation.policy import Policy
from dizuo.foundation.store import Pool, open_pool

ORIGIN = "dizuo.bench/faults"
_hold: contextvars.ContextVar[str | None] = contextvars.ContextVar("hold", default=None)
_id: contextvars.ContextVar[int] = contextvars.ContextVar("id", default=0)


def say(**line: Any) -> None:
    """One line to the client, in one write: it is received whole or not at all."""
    os.write(1, (json.dumps(line, ensure_ascii=False) + "\n").encode())


async def hold_at(moment: str) -> None:
    if _hold.get() == moment:
        say(at=moment, id=_id.get())
        await asyncio.Event().wait()


class Worker:
    """Everything one web process has, without HTTP."""

    def __init__(self, setup: dict[str, Any], pool: Pool) -> None:
        self.city = setup["city"]
        self.pool = pool
        policy = Policy.from_city(self.city)
        self.registers = Registers(pool, self.city, policy)
        self.cases = Cases(pool, self.city, self.registers, policy, SystemNow())

    async def read(self, id_: int, person: int) -> dict[str, Any]:
        """A parent's form: the values that reach the client, each with the entry that allowed it."""
        actor = Actor("resident", subject=person)
        request = ReadRequest("newborn", {"applicant": str(person)}, f"fault-{id_}", actor)
        result = await self.registers.read(request)
        facts = {name: [fact.value, fact.entry] for name, fact in result.facts.items()}
        return {"case": request.case, "facts": facts, "refused": len(result.refusals)}

    async def sly(self, id_: int, person: int) -> dict[str, Any]:
        """A read by somebody who switches durable commits off behind the ledger's back, on plain SQL."""
        secret = os.urandom(32)
        question = {
            "access": "newborn", "version": self.city.version, "items": ["certificate", "household"],
            "given": {"applicant": {"identity": person}}, "case": f"fault-{id_}", "facts": None,
            "actor": {"kind": "resident", "subject": person}, "holder": hashlib.sha256(secret).hexdigest(),
        }  # fmt: skip
        async with self.pool.acquire() as connection:
            async with connection.transaction():
                (ticket,) = await connection.fetchval("SELECT registers.request($1)", [question])
                await _sneak(connection)
            (answer,) = await connection.fetchval(
                "SELECT registers.release($1, $2)::jsonb", [uuid.UUID(ticket)], [secret]
            )
        facts = {
            f"{p['party']}.{field}": [told[0], p["entry"]]
            for p in answer["parties"]
            for field, told in (p["facts"] or {}).items()
        }
        return {"case": question["case"], "facts": facts, "refused": len(answer["refusals"])}

    async def careless(self, id_: int, _: int) -> dict[str, Any]:
        """The control: an acknowledgement that does not wait for the commit. The bench must see it lost.

        (Switching durable commits off no longer makes a commit careless: the ledger flushes it all the same.)
        """
        async with self.pool.acquire() as connection, connection.transaction():
            entry = await connection.fetchval(
                "SELECT ledger.append('bench.careless', jsonb_build_object('run', $1::bigint), NULL, NULL)",
                id_,
            )
            say(id=id_, careless=entry)
            await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def submit(self, id_: int, person: int) -> dict[str, Any]:
        """A whole application, filled in as a person would and acknowledged by its receipt."""
        actor = Actor("resident", subject=person, name="演示")
        answers: dict[str, str] = {}
        choices: dict[str, str] = {}
        for _ in range(12):
            form = await open_form(self.cases, actor, "newborn", answers, choices, case=f"fault-{id_}")
            undecided = [party for party in form.plan.choose if party not in choices]
            asked = [question for question in form.plan.questions if question.id not in answers]
            if not undecided and not asked:
                break
            for party in undecided:
                choices[party] = form.known.parties[party].candidates[0].key
            for question in asked:
                answers[question.id] = _typical(question)
        token = f"fault-token-{id_}-{uuid.uuid4()}"
        receipt = await submit(self.cases, actor, person, "newborn", answers, choices, token)
        return {"number": receipt.number}

    async def serve(self, line: dict[str, Any]) -> None:
        _hold.set(line.get("hold"))
        _id.set(line["id"])
        work = {"read": self.read, "sly": self.sly, "careless": self.careless, "submit": self.submit}
        try:
            answer = await work[line["op"]](line["id"], line["person"])
        except Exception as error:
            say(id=line["id"], error=f"{type(error).__name__}: {error}"[:300])
            return
        await hold_at("answering")
        say(id=line["id"], **answer)


async def _sneak(connection: Any) -> None:
    """Let the ledger's check look now, while all is well, and only then switch durable commits off."""
    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    await connection.execute("SET LOCAL synchronous_commit = off")


def _typical(question: Any) -> str:
    if question.options:
        return question.options[0].value
    by_type = {"phone": "13800000000", "date": "2026-11-16", "boolean": "true", "number": "1"}
    return by_type.get(question.type, "无锡市梁溪区演示路一号" if question.type == "address" else "沐言")


async def main(folder: Path) -> None:
    setup: dict[str, Any] = pickle.loads((folder / "setup.pkl").read_bytes())
    pool = await open_pool(setup["app"], max_size=8)
    sealing = await open_pool(setup["sealer"], min_size=1, max_size=1)
    key = SigningKey.load(setup["data"], ORIGIN)
    sealer = Sealer(sealing, key, ORIGIN, interval=0.05)
    worker = Worker(setup, pool)
    failpoints.arm(hold_at, apart=lambda: _hold.get() == "asked")
    tasks = {asyncio.create_task(sealer.run(asyncio.Event()))}
    reader = asyncio.StreamReader(limit=2**20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    say(ready=os.getpid())
    while raw := await reader.readline():
        task = asyncio.create_task(worker.serve(json.loads(raw)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
