"""What is kept of a call for the engineers of whoever called: what it was about and what it was told, never about whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from dizuo.engines.exchange import delivery
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.signing import SigningKeyUnknown

_KEY: Final = re.compile(r';keyid="([ -!#-\[\]-~]{1,120})"')


class _Named(msgspec.Struct):
    """The part of a call's body that says what it is about."""

    resource: str = ""
    grant: int = 0


class Noted(msgspec.Struct, frozen=True):
    """One call as its engineers see it later."""

    resource: str = ""
    grant: int = 0
    code: str = ""
    says: str = ""
    entry: int | None = None

    @classmethod
    def answered(cls, told: object) -> Noted:
        """Of an answer: right and entry as it names them."""
        if not isinstance(told, dict):
            return cls()
        found = cast("dict[str, Any]", told)
        entry, grant = found.get("entry"), found.get("grant")
        return cls(
            resource=str(found.get("resource") or ""),
            grant=grant if isinstance(grant, int) else 0,
            entry=entry if isinstance(entry, int) else None,
        )

    @classmethod
    def refused(cls, error: DizuoError, body: bytes) -> Noted:
        """Of a refusal: its code and words, and what was asked for as far as that can be read."""
        try:
            named = msgspec.json.decode(body, type=_Named) if body else _Named()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            named = _Named()
        entry = error.entry if isinstance(error, delivery.CallRefused) else None
        grant = named.grant if 0 < named.grant < 2**62 else 0
        return cls(named.resource, grant, error.code, error.message, entry)

    def keep(
        self, exchange: delivery.Exchange, path: str, consumer: str, key: str, headers: Mapping[str, str], status: int
    ) -> None:  # fmt: skip
        """Note it for the department whose key it was. A signature that did not hold is noted under the key that it names,
        in the words of the error's class alone: anybody can name a key. Who names none of ours is nobody's."""
        known = self
        if not consumer:
            named = _KEY.search(headers.get("signature-input", ""))
            if named is None:
                return
            key, known = named[1], Noted(code=self.code)
            try:
                consumer = exchange.keys.consumer_of(key)
            except SigningKeyUnknown:
                return
        exchange.called.note(
            consumer, key, path.partition("/")[0], status, exchange.now(),
            resource=known.resource, grant=known.grant, code=known.code, says=known.says, entry=known.entry,
        )  # fmt: skip
