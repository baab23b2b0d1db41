"""A witness: remembers how far each log was seen, and signs only what goes on from there (C2SP tlog-witness).

It needs no database and nothing of the log but its public key. What it remembers is on disk before it answers, so that no
crash makes it sign two histories.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dizuo.foundation.ledger.cosign import cosign
from dizuo.foundation.ledger.errors import CheckpointInvalid, WitnessStateBroken
from dizuo.foundation.ledger.merkle import HASH_SIZE, verify_consistency
from dizuo.foundation.ledger.notes import Checkpoint, PublicKey, Signer, split_note

KEY_FILE: Final = "witness-key"
LARGEST_REQUEST: Final = 64 * 1024
MOST_PROOF_LINES: Final = 63
MOST_EVIDENCE: Final = 200
SIZE_TYPE: Final = "text/x.tlog.size"
TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status, body, content type."""

    status: int
    body: str
    media_type: str = TEXT


class _Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.answer = Answer(status, why + "\n")


class Witness:
    """One witness over a state folder that it alone may use.

    ``logs`` maps the origin of each log that it watches to the log's key; ``now`` gives seconds since 1970. The newest
    accepted checkpoint of a log is the file ``<hash of origin>.checkpoint``: a signed note, as the log sent it.
    Errors: WitnessStateBroken when another process uses the folder.
    """

    def __init__(
        self, folder: Path, key: Signer, logs: Mapping[str, PublicKey], now: Callable[[], float]
    ) -> None:
        self._folder = folder
        self._key = key
        self._logs = dict(logs)
        self._now = now
        self._turn = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._guard = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._guard)
            raise WitnessStateBroken(f"{folder} 正由另一个进程使用") from error
        for (
            origin
        ) in self._logs:  # a folder that cannot be read is told at the start, not at the first request
            self.seen(origin)

    def close(self) -> None:
        """Let another process have the folder."""
        os.close(self._guard)

    def seen(self, origin: str) -> Checkpoint | None:
        """The newest checkpoint signed for a log. Errors: WitnessStateBroken: never taken for "nothing yet"."""
        path = self._path(origin)
        try:
            note = path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise WitnessStateBroken(f"{path.name} 读不出来") from error
        try:
            found = Checkpoint.open(note, self._logs[origin])
        except CheckpointInvalid as error:
            raise WitnessStateBroken(f"{path.name}：{error.message}") from error
        if found.origin != origin:
            raise WitnessStateBroken(f"{path.name} 是另一个日志的")
        return found

    def add_checkpoint(self, request: bytes) -> Answer:
        """Answer an add-checkpoint request: 200 with the cosignature, or 400, 403, 404, 409, 422 as the protocol says.

        Errors: WitnessStateBroken, OSError when the state cannot be written; nothing was signed then.
        """
        try:
            old, proof, note = _parse(request)
            new, text = self._opened(note)
            with self._turn:
                self._advance(old, proof, new, note)
                # In the same turn: the signature says that nothing larger was seen at its time.
                return Answer(200, cosign(text, self._key, int(self._now())) + "\n")
        except _Refused as refused:
            return refused.answer

    def _opened(self, note: str) -> tuple[Checkpoint, str]:
        try:
            text, _ = split_note(note)
            key = self._logs.get(Checkpoint.read(text).origin)
        except CheckpointInvalid as error:
            raise _Refused(400, error.message) from error
        if key is None:
            raise _Refused(404, "unknown log")
        try:
            return Checkpoint.open(note, key), text
        except CheckpointInvalid as error:
            raise _Refused(403, error.message) from error

    def _advance(self, old: int, proof: list[bytes], new: Checkpoint, note: str) -> None:
        if old > new.size:
            raise _Refused(400, "old size is beyond the checkpoint")
        last = self.seen(new.origin)
        size = last.size if last else 0
        if old != size:
            if last and new.size == size and new.root != last.root:
                self._keep_evidence(new, note)
            refused = _Refused(409, str(size))
            refused.answer = Answer(409, f"{size}\n", SIZE_TYPE)
            raise refused
        if last and new.size == size:
            if new.root != last.root:
                self._keep_evidence(new, note)
                raise _Refused(409, "another root at the same size: this log was forked")
            if proof:
                raise _Refused(422, "a proof where nothing was added")
            return
        if last is None or size == 0:
            if proof:
                raise _Refused(422, "a proof from nothing is empty")
        elif not verify_consistency(
            size, new.size, last.root, new.root, proof, self._logs[new.origin].digest
        ):
            self._keep_evidence(new, note)
            raise _Refused(422, "this checkpoint does not go on from the one signed before")
        _write(self._path(new.origin), note)

    def _keep_evidence(self, new: Checkpoint, note: str) -> None:
        """A signed checkpoint that contradicts another proves what the log did: it is kept, each once, a bounded number."""
        folder = self._folder / "evidence"
        folder.mkdir(exist_ok=True, mode=0o700)
        path = folder / f"{new.size}-{new.root.hex()[:16]}.checkpoint"
        if not path.exists() and sum(1 for _ in folder.iterdir()) < MOST_EVIDENCE:
            _write(path, note)

    def _path(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:16]}.checkpoint"


def _parse(request: bytes) -> tuple[int, list[bytes], str]:
    if len(request) > LARGEST_REQUEST:
        raise _Refused(400, "request too large")
    try:
        head, separator, note = request.decode("utf-8").partition("\n\n")
    except UnicodeDecodeError as error:
        raise _Refused(400, "not UTF-8") from error
    first, *lines = head.split("\n")
    word, _, number = first.partition(" ")
    plain = number.isascii() and number.isdigit() and len(number) < 19 and (number == "0" or number[0] != "0")
    if not separator or word != "old" or not plain:
        raise _Refused(400, "the first line is: old <size>")
    if len(lines) > MOST_PROOF_LINES:
        raise _Refused(400, "too many proof lines")
    try:
        proof = [base64.b64decode(line, validate=True) for line in lines]
    except (binascii.Error, ValueError) as error:
        raise _Refused(400, "a proof line is not base64") from error
    if any(len(one) != HASH_SIZE for one in proof):
        raise _Refused(400, "a proof line is not a hash")
    return int(number), proof, note


def _write(path: Path, text: str) -> None:
    """Replace a file so that a crash leaves the old or the new one, and return when it is on disk."""
    beside = path.with_suffix(".part")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
