"""The keys with which this installation signs its answers: one per algorithm in use, older ones published until they end.

Kept in the installation's secrets as private JWKs. A new key is made on first use and by ``dizuo exchange-key rotate``; the old
one stays in the public set for as long as an answer signed with it may still be looked at.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from dizuo.foundation.signing import ED25519, Algorithm, PrivateKey, PublicKey, jwks, sign_key_set

_FILE: Final = Path("secrets") / "exchange-signing.json"
OWN: Final = ".exchange."
"""Stands in the id of each of the server's own keys and in nobody else's."""
LIFE: Final = dt.timedelta(days=365)
OVERLAP: Final = dt.timedelta(days=30)
"""How long an old key stays in the public set after a new one signs."""


SET_KEPT: Final = 10
"""Seconds for which the signed set of public keys is given out before it is signed anew; at once when a key came or went."""


class ServerKey(msgspec.Struct, frozen=True):
    """One key of the server: its private JWK, and until when its signatures are to be believed."""

    jwk: dict[str, str]
    made_at: dt.datetime
    until: dt.datetime


_decode = msgspec.json.Decoder(tuple[ServerKey, ...]).decode


class ServerKeys:
    """The server's keys of one installation, as they are in its file now."""

    def __init__(self, data: Path, name: str) -> None:
        self._path = data / _FILE
        self._name = name
        self._seen: tuple[int, int, int] | None = None
        self._keys: tuple[tuple[ServerKey, PrivateKey], ...] = ()
        self._set: tuple[int, tuple[tuple[PrivateKey, ...], ...], bytes, Mapping[str, str]] | None = None

    def signing(self, algorithm: Algorithm, now: dt.datetime) -> PrivateKey:
        """The newest key of that algorithm that still holds; made when there is none."""
        found = self._newest(algorithm, now)
        if found is None:
            with self._locked():
                found = self._newest(algorithm, now) or self._add(algorithm, now)
        return found

    def public(self, now: dt.datetime) -> tuple[PublicKey, ...]:
        """What callers verify answers with; there is at least an Ed25519 key."""
        self.signing(ED25519, now)
        return tuple(key.public for held, key in self._read() if held.until > now)

    def key_set(self, now: dt.datetime) -> tuple[bytes, Mapping[str, str]]:
        """The public set (JWK Set) as an answer, signed by each of its keys: whoever knows one can follow to the next.

        For OVERLAP those sign it, too, that have ended: whoever knows nothing else learns so that they ended.
        """
        self.signing(ED25519, now)
        holding = tuple(key for held, key in self._read() if held.until > now)
        ended = tuple(key for held, key in self._read() if held.until <= now < held.until + OVERLAP)
        at = int(now.timestamp())
        # Anybody may ask: a signature for each key is made once in a while and not for everybody.
        if self._set is None or self._set[1] != (holding, ended) or not 0 <= at - self._set[0] < SET_KEPT:
            body = msgspec.json.encode(jwks(key.public for key in holding))
            signs = sign_key_set(reversed(ended + holding), body, "application/json", now=at)
            self._set = (at, (holding, ended), body, signs)
        return self._set[2], self._set[3]

    def rotate(self, algorithm: Algorithm, now: dt.datetime) -> PrivateKey:
        """A new key that signs from now on; the old ones of that algorithm end after OVERLAP."""
        with self._locked():
            kept = [held for held, _ in self._read()]
            short = [
                msgspec.structs.replace(held, until=min(held.until, now + OVERLAP))
                if held.jwk.get("alg") == algorithm
                else held
                for held in kept
            ]
            return self._add(algorithm, now, short)

    def withdraw(self, id: str, now: dt.datetime) -> PrivateKey | None:
        """End a key at once, because somebody else may have it; gives the key of that algorithm that signs from now on.

        None: there is no such key, or it has ended.
        """
        with self._locked():
            kept = [held for held, _ in self._read()]
            which = next((held for held in kept if held.jwk.get("kid") == id and held.until > now), None)
            if which is None:
                return None
            rest = [msgspec.structs.replace(held, until=now) if held is which else held for held in kept]
            algorithm = PublicKey.from_jwk({k: v for k, v in which.jwk.items() if k != "d"}).algorithm
            later = [one for one in rest if one.jwk.get("alg") == algorithm and one.until > now]
            if later:
                self._write(rest)
                return PrivateKey.from_jwk(later[-1].jwk)
            return self._add(algorithm, now, rest)

    # ------------------------------------------------------------------------------------------ the file

    def _newest(self, algorithm: Algorithm, now: dt.datetime) -> PrivateKey | None:
        for held, key in reversed(self._read()):
            if key.algorithm == algorithm and held.until > now:
                return key
        return None

    def _read(self) -> tuple[tuple[ServerKey, PrivateKey], ...]:
        try:
            state = self._path.stat()
        except FileNotFoundError:
            self._seen, self._keys = None, ()
            return ()
        seen = (state.st_ino, state.st_mtime_ns, state.st_size)
        if seen != self._seen:
            read = _decode(self._path.read_bytes())
            self._keys = tuple((held, PrivateKey.from_jwk(held.jwk)) for held in read)
            self._seen = seen
        return self._keys

    def _add(self, algorithm: Algorithm, now: dt.datetime, kept: list[ServerKey] | None = None) -> PrivateKey:
        held = [one for one, _ in self._read()] if kept is None else kept
        key = PrivateKey.make(f"{self._name}{OWN}{len(held) + 1}", algorithm)
        held.append(ServerKey(key.as_jwk(), now, now + LIFE))
        self._write(held)
        return key

    def _write(self, held: list[ServerKey]) -> None:
        beside = self._path.with_suffix(".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(held)))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)

    def _locked(self) -> Any:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _Locked(self._path.with_suffix(".lock"))


class _Locked:
    """One writer at a time, of however many processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("ab")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()
