"""A witness signs one history of a log: not a rewound, forked, altered, reordered, replayed or foreign one."""

from __future__ import annotations

import base64
import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dizuo.commands.witness import serving
from dizuo.foundation.ledger import Checkpoint, PublicKey, SigningKey, cosign, cosignatures, witness_key
from dizuo.foundation.ledger.errors import CheckpointInvalid, WitnessStateBroken
from dizuo.foundation.ledger.merkle import Edge, consistency_ranges, leaf_hash
from dizuo.foundation.ledger.notes import COSIGNATURE
from dizuo.foundation.ledger.witness import LARGEST_REQUEST, Witness
from ports import free_port

LOG = SigningKey.generate("log.example/ledger")
AUDIT = SigningKey.generate("audit.example/w1")
NOW = 1_795_000_000


def head(leaves: Sequence[bytes]) -> bytes:
    edge = Edge()
    for leaf in leaves:
        edge.append(leaf_hash(leaf))
    return edge.root()


def some(count: int, *, changed: int | None = None) -> list[bytes]:
    return [b"%d%s" % (n, b"!" if n == changed else b"") for n in range(count)]


def note(leaves: Sequence[bytes], key: SigningKey = LOG, origin: str = LOG.name) -> str:
    return Checkpoint(origin, len(leaves), head(leaves)).signed(key)


def request(old: int, leaves: Sequence[bytes], *, key: SigningKey = LOG, origin: str = LOG.name) -> bytes:
    ranges = consistency_ranges(old, len(leaves)) if 0 < old < len(leaves) else []
    proof = [base64.b64encode(head(leaves[start:end])).decode() for start, end in ranges]
    return ("\n".join([f"old {old}", *proof]) + "\n\n" + note(leaves, key, origin)).encode()


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    made = Witness(tmp_path / "state", AUDIT, {LOG.name: LOG.public}, lambda: NOW)
    yield made
    made.close()


def test_a_cosignature_is_bound_to_what_it_says() -> None:
    whole = note(some(5))
    text = whole.partition("\n\n")[0] + "\n"
    line = cosign(text, AUDIT, NOW)
    audit = witness_key(AUDIT)
    assert audit.id != AUDIT.public.id, "a log's key and a witness's key are never taken for one another"
    assert PublicKey.parse(str(audit), COSIGNATURE) == audit
    (found,) = cosignatures(whole + line + "\n", [audit])
    assert (found.witness, found.at, found.line) == (audit, NOW, line)
    assert cosignatures(whole + line + "\n", [witness_key(SigningKey.generate("other"))]) == []
    data = bytearray(base64.b64decode(line.rpartition(" ")[2]))
    for place in (4, 11, 12, 75):  # time and signature
        broken = bytearray(data)
        broken[place] ^= 1
        forged = f"— {audit.name} {base64.b64encode(bytes(broken)).decode()}\n"
        with pytest.raises(CheckpointInvalid):
            cosignatures(whole + forged, [audit])
    with pytest.raises(CheckpointInvalid):
        cosignatures(note(some(6)) + line + "\n", [audit])


def test_a_growing_log_is_signed_step_by_step(witness: Witness) -> None:
    for old, new in pairwise((0, 1, 2, 7, 7, 8, 300)):
        answer = witness.add_checkpoint(request(old, some(new)))
        assert answer.status == 200, answer
        (found,) = cosignatures(note(some(new)) + answer.body, [witness_key(AUDIT)])
        assert found.at == NOW
        seen = witness.seen(LOG.name)
        assert seen is not None
        assert seen.size == new


@pytest.mark.parametrize(
    ("what", "status", "body"),
    [
        (request(0, some(8)), 409, "10\n"),
        (request(0, some(20)), 409, "10\n"),
        (request(8, some(20)), 409, "10\n"),
        (request(15, some(20)), 409, "10\n"),
        (request(10, some(8)), 400, None),
        (request(10, some(20, changed=3)), 422, None),
        (request(10, [*some(20)[9::-1], *some(20)[10:]]), 422, None),
        (request(10, some(10, changed=9)), 409, None),
        (request(10, some(20), key=SigningKey.generate(LOG.name)), 403, None),
        (request(10, some(20), origin="other.example"), 404, None),
        (request(10, some(20)).replace(b"old 10\n", b"old 10\n" + base64.b64encode(bytes(32)) + b"\n"), 422, None),
        (request(10, some(20)).replace(b"old 10", b"old 010"), 400, None),
        (request(10, some(20)).replace(b"old 10", b"old -1"), 400, None),
        (request(10, some(20)).replace(b"old 10\n", b"old 10\n" + b"AAAA\n" * 3), 400, None),
        (request(10, some(20)).replace(b"old 10\n", b"old 10\n" + (base64.b64encode(bytes(32)) + b"\n") * 64), 400, None),
        (request(10, some(20)).partition("— ".encode())[0], 403, None),
        (b"", 400, None),
        (b"old 0\n\n", 400, None),
        (b"\xff" * 40, 400, None),
        (b"old 10\n\n" + b"x" * LARGEST_REQUEST, 400, None),
    ],
    ids=[
        "rewound", "stale request", "behind", "beyond", "old is larger", "altered leaf", "reordered leaves", "forked",
        "another key", "another log", "padded proof", "leading zero", "negative", "short hashes", "long proof",
        "unsigned", "empty", "no checkpoint", "no text", "large",
    ],
)  # fmt: skip
def test_nothing_else_is_signed(witness: Witness, what: bytes, status: int, body: str | None) -> None:
    assert witness.add_checkpoint(request(0, some(10))).status == 200
    answer = witness.add_checkpoint(what)
    assert answer.status == status, answer
    assert AUDIT.name not in answer.body
    if body is not None:
        assert (answer.body, answer.media_type) == (body, "text/x.tlog.size")
    seen = witness.seen(LOG.name)
    assert seen == Checkpoint(LOG.name, 10, head(some(10)))
    assert witness.add_checkpoint(request(10, some(11))).status == 200, "the honest log goes on"


def test_a_replayed_request_signs_nothing_older(witness: Witness) -> None:
    first, second = request(0, some(5)), request(5, some(9))
    assert [witness.add_checkpoint(one).status for one in (first, second, first, second)] == [
        200,
        200,
        409,
        409,
    ]


def test_contradictions_are_kept_as_evidence(witness: Witness, tmp_path: Path) -> None:
    witness.add_checkpoint(request(0, some(10)))
    for forged in (some(20, changed=3), some(10, changed=3), some(20, changed=3)):
        witness.add_checkpoint(request(10, forged))
    kept = sorted((tmp_path / "state" / "evidence").iterdir())
    assert [Checkpoint.open(path.read_text(), LOG.public).size for path in kept] == [10, 20]


def test_what_was_seen_outlives_the_process_and_one_process_has_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    first = Witness(folder, AUDIT, {LOG.name: LOG.public}, time.time)
    assert first.add_checkpoint(request(0, some(10))).status == 200
    with pytest.raises(WitnessStateBroken):
        Witness(folder, AUDIT, {LOG.name: LOG.public}, time.time)
    first.close()
    second = Witness(folder, AUDIT, {LOG.name: LOG.public}, time.time)
    assert second.add_checkpoint(request(0, some(20, changed=1))).status == 409
    second.close()


@pytest.mark.parametrize(
    "text", ["", "rubbish", note(some(3), SigningKey.generate(LOG.name)), note(some(3))[:-9]]
)
def test_a_broken_memory_is_not_an_empty_one(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "state"
    first = Witness(folder, AUDIT, {LOG.name: LOG.public}, time.time)
    assert first.add_checkpoint(request(0, some(10))).status == 200
    (path,) = folder.glob("*.checkpoint")
    path.write_text(text)
    with pytest.raises(WitnessStateBroken):
        first.add_checkpoint(request(0, some(10)))
    first.close()
    with pytest.raises(WitnessStateBroken):
        Witness(folder, AUDIT, {LOG.name: LOG.public}, time.time)


def test_two_histories_at_once_get_one_signature(witness: Witness) -> None:
    """Both go on from ten; whoever comes second is behind, whatever the order."""
    witness.add_checkpoint(request(0, some(10)))
    server = serving(witness, "127.0.0.1", 0)
    runner = threading.Thread(target=server.serve_forever, args=(0.05,))
    runner.start()
    try:
        port = int(server.server_address[1])
        bodies = [request(10, [*some(10), b"%d" % n, b"x"]) for n in range(100, 108)]
        statuses: list[int] = []
        clients = [threading.Thread(target=lambda b=b: statuses.append(post(port, b)[0])) for b in bodies]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        assert sorted(statuses) == [200, *[409] * 7]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("POST", "/other", b"x")
        assert connection.getresponse().status == 404
    finally:
        server.shutdown()
        runner.join()
        server.server_close()


def post(port: int, body: bytes) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/add-checkpoint", body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_killed_witness_remembers_all_that_it_signed(tmp_path: Path) -> None:
    """kill -9 amid requests, several times: what it signed last is what it goes on from, or one step further."""
    key = tmp_path / "log.key"
    key.write_text(str(LOG.public))
    signed = 0
    for round_ in range(3):
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "dizuo.cli", "witness", "--state", str(tmp_path / "state"), "--name", AUDIT.name,
             "--log", str(key), "--port", str(port)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().startswith("witness key audit.example/w1+")
        assert "watching log.example/ledger" in process.stdout.readline()
        if round_:
            status, size = post(port, request(signed + 500, some(signed + 501)))
            assert status == 409
            assert signed <= int(size) <= signed + 1, "it forgot what it signed"
            signed = int(size)
        killer = threading.Timer(0.4, process.kill)
        killer.start()
        try:
            while True:
                status, _ = post(port, request(signed, some(signed + 1)))
                assert status == 200
                signed += 1
        except (OSError, http.client.HTTPException):
            pass
        process.wait()
        process.stdout.close()
    assert signed > 3


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(max_size=4)), min_size=1, max_size=4))
def test_no_request_breaks_a_witness(witness: Witness, changes: list[tuple[float, int, bytes]]) -> None:
    """Honest requests with bytes changed, put in or taken out: told off, or taken for what the log signed."""
    size = witness.seen(LOG.name)
    old = size.size if size else 0
    body = bytearray(request(old, some(old + 3)))
    for share, gone, instead in changes:
        place = int(share * (len(body) - 1))
        body[place : place + gone] = instead
    answer = witness.add_checkpoint(bytes(body))
    assert answer.status in (200, 400, 403, 404, 409, 422)
    now = witness.seen(LOG.name)
    assert now is None or (now.size, now.root) in {(n, head(some(n))) for n in (old, old + 3)}


@pytest.mark.parametrize("line", ["é" * 44, "\ud7ff", "====", "A" * 44, ""])
def test_a_root_that_is_no_root_is_told(witness: Witness, line: str) -> None:
    text = f"{LOG.name}\n3\n{line}\n"
    signature = base64.b64encode(LOG.public.id + LOG.sign(text.encode())).decode()
    body = f"old 0\n\n{text}\n— {LOG.name} {signature}\n".encode()
    assert witness.add_checkpoint(body).status == 400
