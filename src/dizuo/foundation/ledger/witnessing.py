"""The log's side of witnessing: bring each new checkpoint to the witnesses, keep what they sign (C2SP tlog-witness).

Nothing waits for a witness: entries are written, sealed and served without one. A witness that refuses because the log
does not go on from what it saw before is told loudly, because then the log or the witness was rewound.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg
import httpx

from dizuo.foundation.ledger.cosign import Cosigned, cosignatures
from dizuo.foundation.ledger.errors import CheckpointInvalid, LedgerBroken, WitnessesInvalid
from dizuo.foundation.ledger.notes import PublicKey
from dizuo.foundation.ledger.proofs import consistency
from dizuo.foundation.ledger.suites import COSIGNATURE
from dizuo.foundation.store.connection import Connection, Pool, Row
from dizuo.foundation.store.pool import CONNECTION_LOST
from dizuo.foundation.store.queries import Queries

WITNESSES: Final = "DIZUO_WITNESSES"
"""The environment variable that names the file of witnesses: lines `witness <name> <verifier key> <address>`."""
PATIENCE: Final = 5.0
_MOST_ANSWER: Final = 16 * 1024
_QUERIES: Final = Queries.load("dizuo.foundation.ledger")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownWitness:
    """A witness that the log brings its checkpoints to: its key, and the submission prefix of its address."""

    key: PublicKey
    url: str


def read_witnesses(path: Path) -> list[KnownWitness]:
    """Read a file of witnesses in the manner of C2SP tlog-policy; other lines than `witness` are passed over.

    Errors: WitnessesInvalid with the line, KeyInvalid.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WitnessesInvalid(str(path), f"读不出来（{error}）") from error
    found: list[KnownWitness] = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0] != "witness":
            continue
        if len(words) != 4 or not _is_address(words[3]):
            raise WitnessesInvalid(str(path), f"第 {number} 行应是：witness 名字 公钥 网址")
        found.append(KnownWitness(PublicKey.parse(words[2], COSIGNATURE), words[3].rstrip("/")))
    if len({one.key.name for one in found}) != len(found):
        raise WitnessesInvalid(str(path), "两个见证人的公钥同名")
    return found


def _is_address(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host) and (url.port or 0) < 1 << 16


class Submitter:
    """Brings new checkpoints to every witness, each on its own, at most every ``interval`` seconds.

    One process does it; ``pool`` has the sealer's rights. A witness that does not answer is asked again later, ever less
    often, up to every ``slowest`` seconds.
    """

    def __init__(
        self,
        pool: Pool,
        witnesses: Sequence[KnownWitness],
        *,
        interval: float = 5.0,
        slowest: float = 60.0,
    ) -> None:
        self._pool = pool
        self._witnesses = witnesses
        self._interval = interval
        self._slowest = slowest

    async def run(self, stop: asyncio.Event) -> None:
        """Submit until ``stop`` is set."""
        async with self.client() as client:
            await asyncio.gather(*(self._keep_up(client, one, stop) for one in self._witnesses))

    async def submit_once(self, client: httpx.AsyncClient | None = None) -> int:
        """Bring the newest checkpoint to every witness now; returns how many signed it."""
        if client is None:
            async with self.client() as made:
                return await self.submit_once(made)
        done = await asyncio.gather(*(self._try(client, one) for one in self._witnesses))
        return sum(one is True for one in done)

    @staticmethod
    def client() -> httpx.AsyncClient:
        """What requests go through; connections stay open in it."""
        # No proxy from the environment, no redirect: the address is the one that was declared.
        return httpx.AsyncClient(timeout=PATIENCE, trust_env=False, follow_redirects=False)

    async def _keep_up(self, client: httpx.AsyncClient, witness: KnownWitness, stop: asyncio.Event) -> None:
        pause = self._interval
        while not stop.is_set():
            failed = await self._try(client, witness) is False
            pause = min(pause * 2, self._slowest) if failed else self._interval
            try:
                await asyncio.wait_for(stop.wait(), pause)
            except TimeoutError:
                continue

    async def _try(self, client: httpx.AsyncClient, witness: KnownWitness) -> bool | None:
        """True: signed; None: it has signed the newest already; False: not this time."""
        try:
            return await self._submit(client, witness)
        except (httpx.HTTPError, *CONNECTION_LOST, asyncpg.PostgresError, TimeoutError) as error:
            _log.warning("witness %s does not answer: %r", witness.key.name, error)
        except (CheckpointInvalid, LedgerBroken) as error:
            _log.error("witness %s: %s", witness.key.name, error)
        return False

    async def _submit(self, client: httpx.AsyncClient, witness: KnownWitness) -> bool | None:
        head = await self._pool.fetchrow(_QUERIES["last_checkpoint"])
        if head is None:
            return None
        rows = await self._pool.fetch(_QUERIES["cosigned"])
        old = next((int(row["size"]) for row in rows if row["witness"] == witness.key.name), 0)
        if old >= head["size"]:
            return None
        status, text = await self._post(client, witness, head, old)
        if status == 409 and text.strip().isascii() and text.strip().isdigit() and len(text) < 20:
            # It saw more than it told us, or less: its answer to an earlier request was lost, or its state is new.
            seen = int(text)
            if seen > head["size"]:
                _log.error(
                    "witness %s saw %d entries, this ledger has %d: the ledger was rewound",
                    witness.key.name, seen, head["size"],
                )  # fmt: skip
                return False
            status, text = await self._post(client, witness, head, seen)
        if status != 200:
            forked = " (this ledger does not go on from what it saw)" if status in (409, 422) else ""
            level = logging.ERROR if forked else logging.WARNING
            _log.log(
                level, "witness %s refused size %d: %d%s", witness.key.name, head["size"], status, forked
            )
            return False
        for signed in cosignatures(head["note"] + text, [witness.key]):
            await self._keep(head["size"], signed)
            return True
        _log.warning("witness %s answered without its signature", witness.key.name)
        return False

    async def _post(
        self, client: httpx.AsyncClient, witness: KnownWitness, head: Row, old: int
    ) -> tuple[int, str]:
        proof: list[bytes] = []
        if 0 < old < head["size"]:
            async with self._pool.acquire() as connection:
                proof = await consistency(connection, old, head["size"])
        lines = [f"old {old}", *(base64.b64encode(one).decode() for one in proof), "", head["note"]]
        body = bytearray()
        async with client.stream("POST", f"{witness.url}/add-checkpoint", content="\n".join(lines)) as answer:
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > _MOST_ANSWER:
                    raise CheckpointInvalid("见证人的回答太长")
        return answer.status_code, body.decode("utf-8", "replace")

    async def _keep(self, size: int, signed: Cosigned) -> None:
        at = datetime.fromtimestamp(min(signed.at, 253_402_300_799), UTC)
        await self._pool.execute(_QUERIES["add_cosignature"], size, signed.witness.name, signed.line, at)


async def check_cosignatures(
    connection: Connection, witnesses: Sequence[PublicKey]
) -> dict[str, tuple[int, int]]:
    """Every kept cosignature of these witnesses: how many checkpoints each signed, and the size of the newest.

    Errors: CheckpointInvalid when one does not hold.
    """
    found: dict[str, tuple[int, int]] = {}
    for row in await connection.fetch(_QUERIES["cosignatures"], [one.name for one in witnesses]):
        for signed in cosignatures(row["note"] + row["line"] + "\n", witnesses):
            count, size = found.get(signed.witness.name, (0, 0))
            found[signed.witness.name] = (count + 1, max(size, row["size"]))
    return found
