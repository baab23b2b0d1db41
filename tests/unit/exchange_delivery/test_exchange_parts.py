"""The parts without a database: buckets, the server's key file, reading a body, the command's words."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from dizuo.commands.exchange_key import ExchangeKeyWords, check, read_public
from dizuo.engines.exchange.delivery import OVERLAP, CallInvalid, ServerKeys, TooManyCalls, read_call
from dizuo.engines.exchange.delivery.limits import CALLS, REFUSALS, Bucket, Limits, Tally
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.ledger import Entry
from dizuo.foundation.signing import ED25519, SM2, KeyMalformed, PrivateKey

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=SHANGHAI)


def test_a_bucket_fills_again_and_never_over() -> None:
    bucket = Bucket(10, 5, 0)
    assert [bucket.take(0) for _ in range(6)] == [True] * 5 + [False]
    assert bucket.take(0.1)
    assert not bucket.take(0.1)
    assert bucket.left(100) == 5


def test_refusals_turn_a_key_away_until_it_rests() -> None:
    limits = Limits()
    for _ in range(int(REFUSALS[1])):
        limits.admit("a", 0)
        limits.refused("a", 0)
    with pytest.raises(TooManyCalls) as caught:
        limits.admit("a", 0)
    assert (caught.value.http, caught.value.retry_after) == (429, 5)
    limits.admit("b", 0)
    limits.admit("a", 2)


def test_a_key_cannot_take_the_whole_process() -> None:
    limits = Limits()
    for _ in range(int(CALLS[1])):
        limits.admit("a", 0)
    with pytest.raises(TooManyCalls):
        limits.admit("a", 0)


async def test_a_count_that_could_not_be_entered_is_not_lost() -> None:
    kept: list[Entry] = []
    down = True

    async def enter(entries: Any) -> None:
        if down:
            raise ConnectionResetError
        kept.extend(entries)

    tally = Tally(enter)
    for code in ("signature_wrong", "signature_wrong", "digest_wrong"):
        tally.note(code, "")
    tally.note("too_many_calls", "hrss")
    with pytest.raises(ConnectionResetError):
        await tally.flush()
    down = False
    await tally.flush()
    await tally.flush()
    assert [entry.body for entry in kept] == [
        {"times": {"digest_wrong": 1, "signature_wrong": 2}},
        {"times": {"too_many_calls": 1}, "actor": {"kind": "system", "unit": "hrss"}},
    ]
    if tally._task is not None:
        tally._task.cancel()


@pytest.mark.parametrize("algorithm", [ED25519, SM2])
def test_the_servers_keys_rotate_with_an_overlap(tmp_path: Path, algorithm: Any) -> None:
    keys, other = ServerKeys(tmp_path, "wuxi"), ServerKeys(tmp_path, "wuxi")
    first = keys.signing(algorithm, NOW)
    assert other.signing(algorithm, NOW).id == first.id, "two processes sign with one key"
    second = other.rotate(algorithm, NOW)
    assert second.id != first.id
    assert keys.signing(algorithm, NOW).id == second.id, "the file is looked at for every answer"
    assert {first.id, second.id} <= {key.id for key in keys.public(NOW)}
    later = {key.id for key in keys.public(NOW + OVERLAP)}
    assert first.id not in later
    assert second.id in later
    file = tmp_path / "secrets" / "exchange-signing.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_places_in_a_body_are_named() -> None:
    with pytest.raises(CallInvalid) as caught:
        read_call("query", json.dumps({"resource": 1}).encode())
    assert list(caught.value.fields) == ["$.resource"]


@pytest.mark.parametrize(
    "words",
    [
        {"action": "add", "which": "psb", "by": "x"}, {"action": "add", "by": "x", "jwk": Path("k")}, {"action": "revoke", "which": "psb.1", "by": "x"},
        {"action": "rotate"}, {"action": "rotate", "which": "rsa", "by": "x"}, {"action": "revoke", "which": "psb.1", "why": "x"},
    ],
)  # fmt: skip
def test_words_that_are_missing(words: dict[str, Any]) -> None:
    with pytest.raises(ExchangeKeyWords):
        check(argparse.Namespace(**{"which": "", "by": "", "why": "", "jwk": None, **words}))


def test_the_file_of_a_public_key(tmp_path: Path) -> None:
    key, file = PrivateKey.make("x"), tmp_path / "key.json"
    for content in (b"", b"[]", b"{"):
        file.write_bytes(content)
        with pytest.raises(ExchangeKeyWords):
            read_public(file)
    file.write_text(json.dumps(key.as_jwk()))
    with pytest.raises(KeyMalformed):  # a private key must never leave its owner
        read_public(file)
    file.write_text(json.dumps(key.public.as_jwk()))
    assert read_public(file).raw == key.public.raw
