"""A small register of people and one of houses, departments, a resource each, and callers with keys: everything invented (演示数据)."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from dizuo.engines.exchange import delivery
from dizuo.engines.exchange.delivery import Call, Caller, Exchange, Subject
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.clock_source import SHANGHAI, SystemNow
from dizuo.foundation.signing import ED25519, PrivateKey, Signed, sign_request

MOTHER, FATHER, STRANGER = "320213199403151026", "320211199201011015", "320213198801010020"
NOBODY = "320213190001010019"
BASE = "http://test"
PURPOSE = "为参保人员发放社会保障卡"

PREPARE = """
INSERT INTO registers.field (register, field, source, type, is_key, lookup, subject) VALUES
 ('person', 'citizen_id', 'psb', 'citizen_id', true, true, 'citizen_id'), ('person', 'name', 'psb', 'text', false, false, NULL),
 ('person', 'phone', 'data', 'text', false, false, NULL), ('person', 'illness', 'health', 'text', false, false, NULL),
 ('house', 'number', 'land', 'text', true, false, NULL), ('house', 'owner_id', 'land', 'citizen_id', false, true, 'citizen_id'),
 ('house', 'area', 'land', 'number', false, false, NULL);
INSERT INTO exchange.department (id, name, uscc) SELECT d, d, d FROM unnest('{hrss,psb,civil,land}'::text[]) AS d;
INSERT INTO exchange.resource (code, title, provider, kind, register, share_type, update_cycle, fields)
SELECT 'R/' || f.register, f.register, 'psb', 'register', f.register, 2, 'realtime', jsonb_agg(jsonb_build_object('id', f.field))
FROM registers.field f GROUP BY f.register;
"""
GRANT = """
INSERT INTO exchange.data_grant (consumer, resource, fields, purpose, matter, basis, methods, per_day, starts, expires)
VALUES ($1, $2, $3, $4, 'newborn', 'social:58', $5, $6, current_date - 1, current_date + 30) RETURNING id
"""


@dataclass
class ExchangeTown:
    """The town with its exchange; ``keys`` are the callers' private keys by department."""

    pg: Any
    exchange: Exchange
    data: Path
    keys: dict[str, PrivateKey] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    _numbers: Any = field(default_factory=itertools.count)

    async def add_key(
        self, consumer: str, algorithm: str = ED25519, days: int = 30, since: int = -1
    ) -> PrivateKey:
        """A key of a department, registered as the command does it."""
        made = PrivateKey.make("new", algorithm)  # type: ignore[arg-type]
        now = SystemNow()()
        async with self.pg("dizuo_loader") as loader:
            id = await delivery.add_signing_key(
                loader,
                consumer,
                made.public,
                now + dt.timedelta(days=since),
                now + dt.timedelta(days=days),
                "data.steward",
            )
        key = PrivateKey(id, made.algorithm, made.secret, made.public.raw)
        self.keys[consumer] = key
        self.exchange.keys.forget()
        return key

    async def grant(
        self,
        consumer: str = "hrss",
        fields: tuple[str, ...] = ("name", "phone"),
        methods: tuple[str, ...] = ("query", "batch"),
        per_day: int = 100_000,
        resource: str = "R/person",
    ) -> int:
        async with self.pg() as owner:
            return await owner.fetchval(
                GRANT, consumer, resource, list(fields), PURPOSE, list(methods), per_day
            )

    async def move(self, grant: int, state: str) -> None:
        """Suspend, resume or revoke as the desk does it."""
        async with self.pg("dizuo_app") as app:
            await app.fetchval(
                "SELECT exchange.move_grant($1, $2, '演示原因', 'data-sharing-2025:25', $3, current_date)",
                grant, state, {"account": "steward", "unit": "data", "post": "steward"},
            )  # fmt: skip

    def caller(self, consumer: str = "hrss", **more: Any) -> Caller:
        """A verified caller; every one has a nonce of its own unless given."""
        url = f"{BASE}/data/exchange/v1/query"
        sent = sign_request(self.keys[consumer], "POST", url, now=self.now(), body=b"{}", **more)
        from dizuo.foundation.signing import verify_request

        signed = verify_request("POST", url, sent.headers, b"{}", self.exchange.keys.find, now=self.now())
        return Caller(self.exchange.keys.consumer_of(signed.key.id), signed)

    def now(self) -> int:
        return int(dt.datetime.now(SHANGHAI).timestamp())

    def call(self, *who: str, method: str = "query", **more: Any) -> Call:
        """A call that fits the grant unless told otherwise."""
        subjects = tuple(Subject(n, "citizen_id", number) for n, number in enumerate(who or (MOTHER,)))
        base = Call(method, "R/person", "newborn", "social:58", "X2026-1", ("name",), subjects)  # type: ignore[arg-type]
        return msgspec.structs.replace(base, **more)

    def signed(
        self,
        path: str,
        body: dict[str, Any] | bytes,
        consumer: str = "hrss",
        method: str = "POST",
        **more: Any,
    ) -> tuple[Signed, bytes]:
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return sign_request(
            self.keys[consumer], method, BASE + path, **{"now": self.now(), "body": content, **more}
        ), content

    async def entries(self, since: int = 0) -> list[dict[str, Any]]:
        """Ledger entries after a number, oldest first."""
        async with self.pg() as owner:
            rows = await owner.fetch(
                "SELECT id, kind, subject, body, payload FROM ledger.entry WHERE id > $1 ORDER BY id", since
            )
        return [dict(row) for row in rows]

    async def last_entry(self) -> int:
        async with self.pg() as owner:
            return await owner.fetchval("SELECT coalesce(max(id), 0) FROM ledger.entry")


def tiny_city() -> City:
    """As little of a city as the exchange needs."""
    return City(
        id="small", name=_words("小城"), code="320200", timezone="Asia/Shanghai", working_hours=(), after_hours="next_workday",
        hotline="12345", languages=("zh",), demonstration=True, number_prefix="X", calendar_overrides={}, laws={}, clocks={},
        purposes={}, divisions={}, organisations={}, registers={}, places={}, matters={}, version="v1",
    )  # fmt: skip


def _words(zh: str) -> Any:
    from dizuo.foundation.blueprint.model import Words

    return Words(zh)
