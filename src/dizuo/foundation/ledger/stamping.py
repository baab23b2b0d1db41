"""The log's side of time stamps: every Nth checkpoint is brought to the authority, and a token that holds is kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import httpx
from cryptography import x509

from dizuo.foundation.ledger.errors import StampingUnset, StampInvalid
from dizuo.foundation.ledger.notes import split_note
from dizuo.foundation.ledger.stamp import LARGEST, Stamped, check_stamp, request_of, token_of
from dizuo.foundation.store.connection import Connection, Pool
from dizuo.foundation.store.pool import CONNECTION_LOST
from dizuo.foundation.store.queries import Queries

URL: Final = "DIZUO_TSA_URL"
CERTIFICATE: Final = "DIZUO_TSA_CERT"
EVERY: Final = "DIZUO_TSA_EVERY"
_USUAL: Final = 3600
_QUERIES: Final = Queries.load("dizuo.foundation.ledger")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Authority:
    """A time-stamp authority: its address, the certificate that is trusted, and every how many checkpoints it is asked."""

    url: str
    trusted: x509.Certificate
    every: int

    @property
    def name(self) -> str:
        """The address without what could be secret in it."""
        return httpx.URL(self.url).host


def read_authority(environment: Mapping[str, str]) -> Authority | None:
    """The configured authority, None without one. Errors: StampingUnset."""
    url = environment.get(URL, "")
    if not url:
        return None
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise StampingUnset(f"{URL} 不是网址") from error
    if address.scheme not in ("http", "https") or not address.host:
        raise StampingUnset(f"{URL} 不是网址")
    every = environment.get(EVERY, str(_USUAL))
    if not (every.isascii() and every.isdigit() and 0 < int(every) < 10**9):
        raise StampingUnset(f"{EVERY} 不是正整数")
    return Authority(url, read_certificate(environment.get(CERTIFICATE, "")), int(every))


def read_certificate(path: str) -> x509.Certificate:
    """A certificate from a PEM file. Errors: StampingUnset."""
    try:
        return x509.load_pem_x509_certificate(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise StampingUnset(f"证书 {path or CERTIFICATE} 读不出来") from error


class Stamper:
    """Has every Nth checkpoint stamped; ``pool`` has the sealer's rights. An authority that fails is asked again later."""

    def __init__(self, pool: Pool, authority: Authority, *, interval: float = 10.0) -> None:
        self._pool = pool
        self._authority = authority
        self._interval = interval

    async def run(self, stop: asyncio.Event) -> None:
        """Look every ``interval`` seconds until ``stop`` is set."""
        while not stop.is_set():
            try:
                await self.stamp_once()
            except (httpx.HTTPError, *CONNECTION_LOST, asyncpg.PostgresError, TimeoutError) as error:
                _log.warning("the time-stamp authority does not answer: %r", error)
            except StampInvalid as error:
                _log.error("time stamp: %s", error)
            try:
                await asyncio.wait_for(stop.wait(), self._interval)
            except TimeoutError:
                continue

    async def stamp_once(self) -> Stamped | None:
        """Stamp the newest checkpoint when it is due. Errors: StampInvalid, httpx.HTTPError."""
        row = await self._pool.fetchrow(
            _QUERIES["due_for_stamp"], self._authority.name, self._authority.every
        )
        if row is None:
            return None
        text, _ = split_note(row["note"])
        body, nonce = request_of(text)
        async with httpx.AsyncClient(timeout=20, trust_env=False, follow_redirects=False) as client:
            answer = await client.post(
                self._authority.url, content=body, headers={"content-type": "application/timestamp-query"}
            )
        if answer.status_code != 200 or len(answer.content) > LARGEST:
            raise StampInvalid(f"时间戳机构回答 {answer.status_code}")
        token = token_of(answer.content)
        stamped = check_stamp(token, text, self._authority.trusted, nonce)
        await self._pool.execute(_QUERIES["add_stamp"], row["size"], self._authority.name, token, stamped.at)
        return stamped


async def check_stamps(connection: Connection, trusted: x509.Certificate) -> list[Stamped]:
    """Every kept time stamp, checked offline. Errors: StampInvalid."""
    rows = await connection.fetch(_QUERIES["stamps"])
    return [check_stamp(row["token"], split_note(row["note"])[0], trusted) for row in rows]
