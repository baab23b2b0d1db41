"""The base's keys as a node believes them: taken over from the signed set that the base publishes, while the node runs.

Whoever knows one of the base's keys can follow to the next (``foundation.signing.verify_key_set``): over any connection, and without
anybody's being asked. Looked at again whenever a key is needed and the last look is older than ``EVERY``, so a key that the
base took back is believed for no longer than that.
"""

from __future__ import annotations

import importlib
import threading
import time
from typing import Any, Final

from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.signing import PublicKey, SigningKeyUnknown, verify_key_set
from dizuo.node.errors import BaseKeysInvalid, BaseUnreachable
from dizuo.node.home import NodeHome, fingerprint
from dizuo.node.journal import Journal

KEYS: Final = "/data/exchange/v1/keys"
EVERY: Final = 30.0
"""Seconds for which the keys are believed without another look."""
REST: Final = 0.5
"""Seconds at least between two looks, whatever unknown keys are named to a node."""
_PATIENCE: Final = 2.0
_LARGEST: Final = 256 * 1024


class BaseKeys:
    """The keys of one node's base, for all its threads; ``close`` when done."""

    def __init__(self, home: NodeHome, now: Now, journal: Journal) -> None:
        self._home = home
        self._now = now
        self._journal = journal
        self._tried = self._away = -EVERY
        self._failed = ""
        self._turn = threading.Lock()
        # Loaded where it is used: a command that calls nobody starts without it.
        self._httpx: Any = None
        self._http: Any = None

    def close(self) -> None:
        """Close the connection."""
        if self._http is not None:
            self._http.close()

    def find(self, id: str) -> PublicKey:
        """The base's key with that id, as far as it is published still. Errors: SigningKeyUnknown, BaseNotTrusted."""
        stale = not 0 <= time.time() - self._home.looked_at() < EVERY
        # A base that is away is not waited for again and again, and whoever comes meanwhile believes what is known.
        if stale and time.monotonic() - self._away >= EVERY and self._turn.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._turn.release()
        try:
            return self._home.find_base_key(id)
        except SigningKeyUnknown:
            self.follow()
        return self._home.find_base_key(id)

    def follow(self) -> None:
        """Look at what the base publishes and take it over; what goes wrong is noted, and the keys stay as they are."""
        with self._turn:
            self._look()

    def _look(self) -> None:
        if time.monotonic() - self._tried < REST:
            return
        try:
            headers, body = self.fetch()
            at = int(self._now().timestamp())
            came, ended = self._home.take_over(
                verify_key_set(headers, body, self._home.find_base_key, now=at)
            )
        except DizuoError as error:
            if error.code != self._failed:
                self._journal.note("keys_not_followed", code=error.code)
            self._failed = error.code
            self._away = time.monotonic()
        else:
            self._failed = ""
            if came or ended:
                known = self._home.trusted()
                learned = {id: fingerprint(known[id]) for id in came}
                self._journal.note("keys_learned", keys=learned, ended=ended)
        finally:
            self._tried = time.monotonic()

    def fetch(self) -> tuple[dict[str, str], bytes]:
        """The headers and body of what the base publishes, believed by nobody yet. Errors: BaseUnreachable, BaseKeysInvalid."""
        if self._http is None:
            self._httpx = importlib.import_module("httpx")
            self._http = self._httpx.Client(
                timeout=_PATIENCE, trust_env=False, headers={"accept-encoding": "identity"}
            )
        body = b""
        try:
            with self._http.stream("GET", self._home.settings.base + KEYS) as response:
                response.raise_for_status()
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > _LARGEST:
                        raise BaseKeysInvalid(why="太大")
                return dict(response.headers), body
        except self._httpx.HTTPError as error:
            raise BaseUnreachable(5, why=f"{type(error).__name__}: {error}"[:200]) from error
