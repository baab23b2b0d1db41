"""Keys with which other systems ask policy: made by `dizuo policy-key`, kept as hashes in the installation's secrets.

A file and not a table: it is written by hand a few times a year, and a serving process may read it and never write it.
A revoked key is refused from the next request on, because the file is looked at for every request.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from dizuo.foundation.kernel.errors import NotFound

_PREFIX: Final = "dzp_"
_LONGEST: Final = 200
_FILE: Final = Path("secrets") / "policy-keys.json"


class PolicyKeyUnknown(NotFound):
    """没有在用的授权查询密钥 {key}。"""

    fix = "运行 dizuo policy-key list 看有哪些。"


class PolicyKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key as it is kept: who asks with it, until when; the key itself is not there."""

    id: int
    asker: str
    digest: str
    made_by: str
    made_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None = None
    revoked_by: str = ""
    revoked_why: str = ""


_decode = msgspec.json.Decoder(tuple[PolicyKey, ...]).decode


class Keys:
    """The keys of one installation, as they are in its file now."""

    _opened: Final[dict[Path, Keys]] = {}

    def __init__(self, data: Path) -> None:
        self._path = data / _FILE
        self._seen: tuple[int, int, int] | None = None
        self._keys: tuple[PolicyKey, ...] = ()
        self._by_digest: dict[str, PolicyKey] = {}

    @classmethod
    def of(cls, data: Path) -> Keys:
        """The one of this process for that installation."""
        found = cls._opened.get(data)
        if found is None:
            found = cls._opened[data] = cls(data)
        return found

    def all(self) -> tuple[PolicyKey, ...]:
        """Every key ever made, oldest first."""
        try:
            state = self._path.stat()
        except FileNotFoundError:
            self._seen, self._keys, self._by_digest = None, (), {}
            return ()
        seen = (state.st_ino, state.st_mtime_ns, state.st_size)
        if seen != self._seen:
            self._keys = _decode(self._path.read_bytes())
            self._by_digest = {key.digest: key for key in self._keys}
            self._seen = seen
        return self._keys

    def find(self, key: str, now: dt.datetime) -> PolicyKey | None:
        """The live key that was shown, or None: unknown, revoked or expired."""
        if not key.startswith(_PREFIX) or len(key) > _LONGEST:
            return None
        self.all()
        found = self._by_digest.get(_digest(key))
        return found if found and found.revoked_at is None and found.expires_at > now else None

    def new(self, asker: str, by: str, now: dt.datetime, life: dt.timedelta) -> tuple[PolicyKey, str]:
        """A key to add: (what is kept, the key, to be shown once). 256 random bits need no slow hash."""
        key = f"{_PREFIX}{secrets.token_urlsafe(32)}"
        number = max((one.id for one in self.all()), default=0) + 1
        return PolicyKey(number, asker, _digest(key), by, now, now + life), key

    def add(self, made: PolicyKey) -> None:
        """Keep a new key."""
        with self._changing() as keys:
            keys.append(made)

    def revoke(self, id: int, by: str, why: str, now: dt.datetime) -> PolicyKey:
        """Stop a key for good. Errors: PolicyKeyUnknown."""
        with self._changing() as keys:
            for n, one in enumerate(keys):
                if one.id == id and one.revoked_at is None:
                    keys[n] = msgspec.structs.replace(one, revoked_at=now, revoked_by=by, revoked_why=why)
                    return keys[n]
            raise PolicyKeyUnknown(key=id)

    @contextmanager
    def _changing(self) -> Iterator[list[PolicyKey]]:
        """The keys to change, written whole and at once; one writer at a time."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._path.with_suffix(".lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            keys = list(self.all())
            yield keys
            beside = self._path.with_suffix(".new")
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(keys)))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
