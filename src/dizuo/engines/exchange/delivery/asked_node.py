"""Resources that stay at their department: a call that was allowed and entered is asked at its node, and no answer is believed
that is not signed by that node's key for this very question.

1. ``exchange.ask_node`` holds the call against its right and enters it, as for a register; only then is the node asked.
2. The answer is verified, held against what was asked, and cut down to it; ``exchange.told_node`` enters it for everybody concerned.
3. Whatever goes wrong, those concerned have an entry that nothing was released, and the caller is told why.

A node that fails again and again rests (circuit breaker). Nothing waits for it but its own callers: no connection of the
database is held while a node is asked.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import asyncpg
import httpcore
import msgspec

from dizuo.engines.exchange.delivery.asked_node_errors import NodeNotAnswered
from dizuo.engines.exchange.delivery.errors import CallNotReleased
from dizuo.engines.exchange.delivery.failpoints import reach
from dizuo.engines.exchange.delivery.keys import QUERIES, KeyRing
from dizuo.engines.exchange.delivery.model import Call, Scalar
from dizuo.engines.exchange.delivery.server_keys import ServerKeys
from dizuo.engines.exchange.delivery.subscribe_errors import WebhookAddressRefused
from dizuo.engines.exchange.delivery.webhook_address import Addresses, CheckedNetwork
from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.signing import (
    PublicKey,
    SignatureExpired,
    SignatureRefused,
    SigningKeyUnknown,
    sign_request,
    verify_response,
)
from dizuo.foundation.store import CONNECTION_LOST, Pool

QUERY: Final = "/node/v1/query"
ALIVE: Final = "/node/v1/alive"
PATIENCE: Final = 8.0
"""Seconds for one question: waiting for a place, connecting and answering together."""
LARGEST: Final = 8 * 1024 * 1024
PLACES: Final = 16
"""Questions at one node at a time."""
OPENS: Final = 5
"""Failures in a row after which a node rests."""
FIRST_REST: Final = 5.0
LONGEST_REST: Final = 60.0
_MOST_RECORDS: Final = 100
_encode = msgspec.json.Encoder().encode
_Text = Annotated[str, msgspec.Meta(max_length=100_000)]
_Plain = _Text | int | float | bool | None


class _Record(msgspec.Struct):
    fields: dict[str, _Plain]


class _One(msgspec.Struct):
    n: int
    state: str
    records: Annotated[list[_Record], msgspec.Meta(max_length=_MOST_RECORDS)] = []


class _Said(msgspec.Struct):
    resource: str
    case: str
    results: list[_One]


class Place(msgspec.Struct, frozen=True):
    """Where a resource is asked for: the node's address, whose it is, and the keys that it signs with."""

    resource: str
    organisation: str
    address: str
    keys: tuple[str, ...]
    private: bool


class _Asked(msgspec.Struct):
    local: bool = False
    node: Place | None = None
    refusals: tuple[dict[str, Any], ...] = ()


class _Entered(msgspec.Struct):
    n: int
    e: int


class _Told(msgspec.Struct):
    gone: bool
    entries: tuple[_Entered, ...]


_decode_said = msgspec.json.Decoder(_Said).decode


class Failed(Exception):
    """Why a node gave nothing that may be passed on: a code for the ledger, and what it said itself."""

    def __init__(self, why: str, says: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.says = says


class Breaker:
    """Lets nobody to a node that failed ``OPENS`` times in a row, until it has rested; then one at a time until one succeeds."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0
        self._rest = FIRST_REST
        self._trying = False

    def admits(self, now: float) -> bool:
        """Whether somebody may ask now; who is admitted after a rest is the trial, and has to say how it went."""
        if self._failures < OPENS:
            return True
        if self._trying or now < self._until:
            return False
        self._trying = True
        return True

    def went(self, well: bool, now: float) -> None:
        """How a question went."""
        trial, self._trying = self._trying, False
        if well:
            self._failures, self._rest = 0, FIRST_REST
            return
        self._failures += 1
        if self._failures >= OPENS:
            if trial:
                self._rest = min(LONGEST_REST, self._rest * 2)
            self._until = now + self._rest

    def let_go(self) -> None:
        """The question never came to the node."""
        self._trying = False


class _Node:
    """One address with its connections, its places and its breaker."""

    def __init__(self, address: str, private: bool, tls: ssl.SSLContext) -> None:
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self.addresses = Addresses([f"{parts.hostname}:{port}"] if private else [])
        self.breaker = Breaker()
        self.places = asyncio.Semaphore(PLACES)
        self.http = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=PLACES,
            keepalive_expiry=5,
            network_backend=CheckedNetwork(self.addresses),
        )


class AskedNodes:
    """The nodes as one process knows them. ``close`` when done."""

    def __init__(
        self,
        pool: Pool,
        server: ServerKeys,
        keys: KeyRing,
        now: Now,
        *,
        patience: float = PATIENCE,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._pool = pool
        self._server = server
        self._keys = keys
        self._now = now
        self._patience = patience
        self._tls = tls or ssl.create_default_context()
        self._nodes: dict[tuple[str, bool], _Node] = {}
        self._places: dict[str, Place] = {}

    async def ask(self, question: Mapping[str, object], call: Call) -> dict[str, Any] | None:
        """What became of a call that policy allowed: parties or refusals as ``exchange.ask`` tells them; None: no node has it.

        Errors: NodeNotAnswered, CallNotReleased; in both cases no value is here.
        """
        known = self._places.get(call.resource)
        node = self._node(known) if known else None
        rests = node is not None and not node.breaker.admits(time.monotonic())
        refused = {"reason": "node", "why": "rests", "rule": "exchange.node"} if rests else None
        asked = _Asked()
        try:
            told = await self._sql("ask_node", _encode({**question, "refused": refused}).decode())
            asked = msgspec.convert(told, _Asked)
        finally:
            # Admitted there, but not asked there: whoever comes next is the trial.
            if node is not None and not rests and asked.node != known:
                node.breaker.let_go()
        if asked.node is None or rests:
            if asked.local:
                self._places.pop(call.resource, None)
                return None
            if rests and asked.refusals and asked.refusals[0]["reason"] == "node":
                raise NodeNotAnswered("rests", entry=asked.refusals[0].get("entry"))
            return {"refusals": asked.refusals}
        self._places[call.resource] = asked.node
        await reach("asked")
        number, fields = question["call"], _names(question["fields"])
        try:
            found = _held(await self._query(asked.node, call, fields), call, fields)
        except Failed as error:
            told = await self._sql("told_node", number, "[]", error.why)
            entry = msgspec.convert(told, _Told).entries[0].e if told else None
            raise NodeNotAnswered(error.why, says=error.says, entry=entry) from error
        states = [{"n": n, "s": "found" if records else "missing"} for n, records in found.items()]
        told = await self._sql("told_node", number, _encode(states).decode(), None)
        entered = msgspec.convert(told, _Told) if told else None
        if entered is None or entered.gone:
            raise CallNotReleased(1, reason="授权正在变更")
        await reach("released")
        entries = {one.n: one.e for one in entered.entries}
        return {"parties": list(_parties(asked.node, found, entries))}

    async def probe(self, place: Place) -> str:
        """Ask a node whether it can answer, about nobody; '' when it can, else why not; counted."""
        why = ""
        try:
            said = await self._asked(place, ALIVE, _encode({"resource": place.resource}))
            if not said.get("ok"):
                why = "malformed"
        except Failed as error:
            why = error.why
        await self._pool.fetchval(QUERIES["note_availability"], place.resource, 0, 0, 1, int(bool(why)), why)
        return why

    async def probe_all(self) -> int:
        """Probe every bound node, several at a time; how many did not answer. Calls whose process died are told as well."""
        await self._pool.fetchval(QUERIES["tell_forgotten"])
        await self._keys.fresh()
        rows = await self._pool.fetch(QUERIES["nodes"])
        places = [msgspec.convert(dict(row), Place) for row in rows]
        return sum(map(bool, await asyncio.gather(*map(self.probe, places))))

    async def close(self) -> None:
        """Close every connection."""
        for node in self._nodes.values():
            await node.http.aclose()
        self._nodes.clear()

    # -------------------------------------------------------------------------------------------- one question

    async def _query(self, place: Place, call: Call, fields: Sequence[str]) -> _Said:
        body = {
            "resource": call.resource, "fields": fields, "subjects": [{one.scheme: one.value} for one in call.subjects],
            "matter": call.matter, "basis": call.basis, "case": call.case, "purpose": call.purpose,
        }  # fmt: skip
        told = await self._asked(place, QUERY, _encode(body))
        try:
            return msgspec.convert(told, _Said)
        except msgspec.ValidationError as error:
            raise Failed("malformed") from error

    async def _asked(self, place: Place, path: str, body: bytes) -> dict[str, Any]:
        """The verified answer to one signed question. Errors: Failed, and the node's breaker knows of it."""
        node = self._node(place)
        well = False
        try:
            async with asyncio.timeout(self._patience), node.places:
                status, content = await self._sent(node, place, path, body)
            told = _object(content)
            # A refusal of the node's own is a good answer of a node that lives.
            well = status < 500
        except TimeoutError as error:
            raise Failed("slow") from error
        except WebhookAddressRefused as error:
            raise Failed("address", error.message) from error
        except SignatureExpired as error:
            raise Failed("stale", error.message) from error
        except SignatureRefused as error:
            raise Failed("not_believed", error.message) from error
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            ssl.SSLError,
            OSError,
        ) as error:
            raise Failed("unreachable") from error
        finally:
            node.breaker.went(well, time.monotonic())
        if status != 200:
            raise Failed("declined", str(told.get("message", ""))[:300])
        return told

    async def _sent(self, node: _Node, place: Place, path: str, body: bytes) -> tuple[int, bytes]:
        url = place.address + path
        node.addresses.parts(url)
        now = int(self._now().timestamp())
        # Signed with what the node itself signs with; a key that has ended is as good as none.
        algorithm = self._keys.find(place.keys[-1]).algorithm
        signed = sign_request(
            self._server.signing(algorithm, self._now()), "POST", url, now=now, body=body, lifetime=30
        )
        headers = [(name.encode(), value.encode()) for name, value in signed.headers.items()]
        headers += [(b"accept-encoding", b"identity"), (b"content-length", str(len(body)).encode())]
        content = bytearray()
        async with node.http.stream("POST", url, headers=headers, content=body) as response:
            async for part in response.aiter_stream():
                content += part
                if len(content) > LARGEST:
                    raise Failed("too_large")
        told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}

        def find(id: str) -> PublicKey:
            if id not in place.keys or self._keys.consumer_of(id) != place.organisation:
                raise SigningKeyUnknown()
            return self._keys.find(id)

        after = int(self._now().timestamp())
        verified = verify_response(response.status, told, bytes(content), signed, find, now=after)
        if verified.created < now - self._patience - 30:
            raise SignatureExpired(expires=verified.created)
        return response.status, bytes(content)

    def _node(self, place: Place) -> _Node:
        key = (place.address, place.private)
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = _Node(place.address, place.private, self._tls)
        return found

    async def _sql(self, name: str, *values: object) -> Any:
        """One statement, tried again once when the connection was lost. Errors: CallNotReleased."""
        for again in (False, True):
            try:
                return await self._pool.fetchval(QUERIES[name], *values)
            except CONNECTION_LOST as error:
                if again:
                    raise CallNotReleased(2, reason="数据库暂时连不上") from error
            except asyncpg.PostgresError as error:
                if str(getattr(error, "sqlstate", ""))[:2] in {"40", "53", "55", "57", "58"}:
                    raise CallNotReleased(2, reason="数据库正忙") from error
                raise
        raise AssertionError


# ------------------------------------------------------------------------------------------------------ answers


def _names(fields: object) -> list[str]:
    return msgspec.convert(fields, list[str])


def _object(content: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Failed("malformed") from error


def _held(said: _Said, call: Call, fields: Sequence[str]) -> dict[int, list[dict[str, Scalar]]]:
    """An answer held against its question: each subject once, each asked field in each record; what is more is left behind.

    The places are the call's, because the node counts those that were asked at it. Errors: Failed.
    """
    if said.resource != call.resource or said.case != call.case:
        raise Failed("malformed")
    results = sorted(said.results, key=lambda one: one.n)
    if [one.n for one in results] != list(range(len(call.subjects))):
        raise Failed("malformed")
    found: dict[int, list[dict[str, Scalar]]] = {}
    for subject, one in zip(call.subjects, results, strict=True):
        if one.state not in ("found", "missing") or (one.state == "found") != bool(one.records):
            raise Failed("malformed")
        if any(field not in record.fields for record in one.records for field in fields):
            raise Failed("malformed")
        found[subject.n] = [{field: record.fields[field] for field in fields} for record in one.records]
    return found


def _parties(
    place: Place, found: Mapping[int, list[dict[str, Scalar]]], entries: Mapping[int, int]
) -> Sequence[dict[str, Any]]:
    parties: list[dict[str, Any]] = []
    for n, records in found.items():
        if not records:
            parties.append({"party": str(n), "state": "missing", "entry": entries.get(n)})
        for values in records:
            # The node does not say of which day its record is: it is what is there now.
            facts = {name: (value, place.organisation, None) for name, value in values.items()}
            parties.append({"party": str(n), "state": "found", "entry": entries.get(n), "facts": facts})
    return parties
