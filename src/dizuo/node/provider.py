"""Answers of the node: the base's signed questions, held against the adapter, noted before they are answered, signed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Protocol

import msgspec

from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.signing import (
    SKEW,
    RequestReplayed,
    sign_response,
    signature_sent,
    verify_request,
)
from dizuo.node.adapter import Adapter, Scheme, Value, subject_ok, typed
from dizuo.node.adapter_csv import CsvSource
from dizuo.node.adapter_postgres import PostgresSource
from dizuo.node.base_keys import BaseKeys
from dizuo.node.errors import AskedOutside, AskedWrongly
from dizuo.node.home import NodeHome
from dizuo.node.journal import Journal

PATH: Final = "/node/v1/query"
ALIVE: Final = "/node/v1/alive"
"""Asked by the base now and then, about nobody: whether this resource could be answered."""
LARGEST: Final = 512 * 1024
_JSON: Final = "application/json"
_encode = msgspec.json.Encoder().encode
_Text = Annotated[str, msgspec.Meta(max_length=200)]


class Source(Protocol):
    """Where records come from; values as they are there."""

    def find(
        self, keys: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Sequence[Sequence[object]]]: ...

    def close(self) -> None: ...


class _Subject(msgspec.Struct, forbid_unknown_fields=True):
    citizen_id: _Text | None = None
    uscc: _Text | None = None
    key: _Text | None = None


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    resource: _Text
    fields: Annotated[list[_Text], msgspec.Meta(min_length=1, max_length=200)]
    subjects: Annotated[list[_Subject], msgspec.Meta(min_length=1, max_length=1000)]
    matter: _Text
    basis: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    case: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    purpose: Annotated[str, msgspec.Meta(max_length=500)] = ""


class _AliveAsked(msgspec.Struct, forbid_unknown_fields=True):
    resource: _Text


_decode = msgspec.json.Decoder(_Asked).decode
_decode_alive = msgspec.json.Decoder(_AliveAsked).decode


class Reply(msgspec.Struct, frozen=True):
    """A signed HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def source_of(adapter: Adapter) -> Source:
    """The adapter's table or file."""
    return PostgresSource(adapter) if adapter.source.postgres else CsvSource(adapter)


class Provider:
    """One node's answering side. ``public`` is the address by which the base calls it: signatures name it."""

    def __init__(self, home: NodeHome, adapters: Sequence[Adapter], public: str, now: Now) -> None:
        self._home = home
        self._adapters = {adapter.resource: adapter for adapter in adapters}
        self._sources = {adapter.resource: source_of(adapter) for adapter in adapters}
        self._public = public.rstrip("/")
        self._now = now
        self._journal = Journal(home.folder, now)
        self._base_keys = BaseKeys(home, now, self._journal)
        self._nonces: dict[str, int] = {}
        # Nonces are in memory: what was signed before this process began may have been answered by the one before.
        self._since = int(now().timestamp())
        self._lock = threading.Lock()

    def answer(self, headers: Mapping[str, str], body: bytes, path: str = PATH) -> Reply:
        """The answer to a POST of ``PATH`` or ``ALIVE``; ``headers`` in lower case. A refusal is signed, too."""
        try:
            key = self._asker(headers, body, path)
            status, told = 200, self._alive(body) if path == ALIVE else self._answered(key, body)
        except DizuoError as error:
            status, told = error.http, error.as_json()
            self._journal.note("refused", code=error.code)
        content = _encode(told)
        signed = sign_response(
            self._home.signing_key(),
            status,
            content,
            signature_sent(headers),
            now=int(self._now().timestamp()),
            content_type=_JSON,
        )
        return Reply(status, signed, content)

    def close(self) -> None:
        """Close what sources and connections hold open."""
        self._base_keys.close()
        for source in self._sources.values():
            source.close()

    def _asker(self, headers: Mapping[str, str], body: bytes, path: str) -> str:
        """The id of the base's key that signed this question. Errors: a SignatureRefused by its cause."""
        now = int(self._now().timestamp())
        url = self._public + path
        verified = verify_request("POST", url, headers, body, self._base_keys.find, now=now)
        if verified.created < self._since - 1:
            raise RequestReplayed()
        self._once(verified.key.id, verified.nonce, verified.expires, now)
        return verified.key.id

    def _alive(self, body: bytes) -> dict[str, object]:
        """Whether the source of a resource answers now: it is asked for nobody. Errors: AskedOutside, SourceUnreadable."""
        try:
            resource = _decode_alive(body).resource
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise AskedWrongly("$", "要写 resource") from None
        adapter = self._adapters.get(resource)
        if adapter is None:
            raise AskedOutside(f"没有声明资源 {resource}")
        self._sources[resource].find((), [field.id for field in adapter.fields])
        return {"ok": True, "resource": resource}

    def _answered(self, key: str, body: bytes) -> dict[str, object]:
        asked = _read(body)
        adapter = self._adapters.get(asked.resource)
        if adapter is None:
            raise AskedOutside(f"没有声明资源 {asked.resource}")
        outside = [field for field in asked.fields if adapter.field(field) is None]
        if outside:
            raise AskedOutside(f"没有声明字段 {'、'.join(outside)}")
        if len(asked.subjects) > adapter.most:
            raise AskedOutside(f"一次最多问 {adapter.most} 个")
        fields = list(dict.fromkeys(asked.fields))
        keys = [_key(adapter.key.type, n, one) for n, one in enumerate(asked.subjects)]
        # On disk before a value is read: whom it was for is in the case, here is that it was asked and what for.
        self._journal.note(
            "asked_by_base", key=key, resource=asked.resource, fields=fields, matter=asked.matter,
            basis=asked.basis, case=asked.case, purpose=asked.purpose, subjects=len(keys),
        )  # fmt: skip
        found = self._sources[asked.resource].find(keys, fields)
        results = [self._result(adapter, n, fields, found.get(key, ())) for n, key in enumerate(keys)]
        return {"ok": True, "resource": asked.resource, "case": asked.case, "results": results}

    @staticmethod
    def _result(
        adapter: Adapter, n: int, fields: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> dict[str, object]:
        records: list[dict[str, object]] = []
        for row in rows:
            values: dict[str, Value] = {}
            unreadable: list[str] = []
            for id, raw in zip(fields, row, strict=True):
                field = adapter.field(id)
                assert field is not None
                values[id], good = typed(field, raw)
                if not good:
                    unreadable.append(id)
            records.append({"fields": values, **({"unreadable": unreadable} if unreadable else {})})
        return {"n": n, "state": "found" if records else "missing", "records": records}

    def _once(self, key: str, nonce: str, expires: int, now: int) -> None:
        """A call counts once; a nonce is remembered until its signature has expired. Errors: RequestReplayed."""
        name = f"{key} {nonce}"
        with self._lock:
            if len(self._nonces) > 10_000:
                self._nonces = {one: until for one, until in self._nonces.items() if until + SKEW >= now}
            if name in self._nonces:
                raise RequestReplayed()
            self._nonces[name] = expires


def _read(body: bytes) -> _Asked:
    try:
        return _decode(body)
    except msgspec.ValidationError as error:
        says, _, place = str(error).partition(" - at ")
        raise AskedWrongly(place.strip("`") or "$", says) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise AskedWrongly("$", "不是 UTF-8 的 JSON") from None


def _key(scheme: Scheme, n: int, subject: _Subject) -> str:
    named = [
        (name, value)
        for name, value in (("citizen_id", subject.citizen_id), ("uscc", subject.uscc), ("key", subject.key))
        if value is not None
    ]
    if len(named) != 1 or named[0][0] != scheme or not subject_ok(scheme, named[0][1]):
        raise AskedWrongly(f"$.subjects[{n}]", f"要且只要写一个有效的 {scheme}")
    return named[0][1]
