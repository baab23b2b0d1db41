"""A running node follows the base's published keys: the next one by one it knows, none by a stranger's word, none back again."""

from __future__ import annotations

import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.signing import SM2, KeySet, PrivateKey, SigningKeyUnknown, jwks, sign_key_set
from dizuo.node import Journal, NodeHome
from dizuo.node.base_keys import EVERY, KEYS, BaseKeys
from dizuo.node.errors import BaseNotTrusted
from ports import free_port

ONE, TWO, THREE = PrivateKey.make("base.1"), PrivateKey.make("base.2", SM2), PrivateKey.make("base.3")


class Publisher:
    """A base that only publishes keys: ``listed`` is the set, ``signing`` signs it."""

    def __init__(self):
        self.listed, self.signing, self.age, self.looks = [ONE], [ONE], 0, 0
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                told.looks += 1
                body = msgspec.json.encode(jwks(key.public for key in told.listed))
                at = int(time.time()) - told.age
                headers = sign_key_set(told.signing, body, "application/json", now=at)
                self.send_response(200 if self.path == KEYS else 404)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def publish(self, *listed, by=None):
        self.listed = list(listed)
        self.signing = list(by or listed)


@pytest.fixture
def publisher():
    made = Publisher()
    yield made
    made.server.shutdown()
    made.server.server_close()


def following(folder, url, *known):
    home = NodeHome.make(folder, "civil", url)
    home.trust(msgspec.json.encode(jwks(key.public for key in known)))
    return BaseKeys(home, SystemNow(), Journal(folder, SystemNow()))


@pytest.fixture
def keys(publisher, tmp_path):
    made = following(tmp_path / "n", publisher.url, ONE)
    yield made
    made.close()


def stale(keys):
    """As if the last look were long ago."""
    os.utime(keys._home.folder / "trusted.json", (0, 0))
    keys._tried = -EVERY


def test_the_next_key_is_taken_up_when_it_is_first_met(publisher, keys):
    publisher.publish(ONE, TWO)
    assert keys.find("base.2").raw == TWO.public.raw
    assert keys.find("base.1").raw == ONE.public.raw
    (line,) = [one for one in keys._journal.lines() if one["what"] == "keys_learned"]
    assert (list(line["keys"]), line["ended"]) == (["base.2"], [])
    assert not (keys._home.folder / ".trusted.lock").stat().st_mode & 0o077


def test_a_key_taken_back_ends_with_the_next_look(publisher, keys):
    publisher.publish(TWO, by=[ONE, TWO])  # the thief has ONE, and the base says so with ONE itself
    keys.find("base.1")
    assert publisher.looks == 0, "not looked for with every call"
    stale(keys)
    with pytest.raises(SigningKeyUnknown):
        keys.find("base.1")
    assert keys.find("base.2").raw == TWO.public.raw
    publisher.publish(ONE, THREE, by=[ONE, THREE])  # the thief publishes in its turn
    stale(keys)
    for id in ("base.1", "base.3"):
        with pytest.raises(SigningKeyUnknown):
            keys.find(id)


def test_a_stranger_s_set_changes_nothing_and_is_noted_once(publisher, keys):
    publisher.publish(PrivateKey.make("base.1"))
    for _ in range(3):
        stale(keys)
        keys._away = -EVERY
        assert keys.find("base.1").raw == ONE.public.raw
    publisher.publish(THREE)
    for _ in range(2):
        keys._tried = -EVERY
        with pytest.raises(SigningKeyUnknown):
            keys.find("base.3")
    notes = [one["code"] for one in keys._journal.lines() if one["what"] == "keys_not_followed"]
    assert notes == ["signature_wrong", "signing_key_unknown"]


def test_no_older_set_and_none_of_the_same_second_brings_a_key_back(keys):
    home = keys._home
    old, new = (ONE.public, TWO.public), (TWO.public, THREE.public)
    assert home.take_over(KeySet(old, 100)) == (["base.2"], [])
    assert home.take_over(KeySet(new, 107)) == (["base.3"], ["base.1"])
    assert home.take_over(KeySet(old, 100)) == ([], [])
    assert home.take_over(KeySet(old, 107)) == (
        [],
        ["base.3"],
    )  # no order within a second: the narrower holds
    assert set(home.trusted()) == {"base.2"}
    assert home.take_over(KeySet(new, 108)) == (["base.3"], [])
    home.trust(
        msgspec.json.encode(jwks([ONE.public]))
    )  # a person who compared fingerprints has the last word
    assert set(home.trusted()) == {"base.1"}


def test_a_set_that_was_kept_back_is_not_taken(publisher, keys):
    publisher.publish(ONE, TWO)
    publisher.age = 400
    with pytest.raises(SigningKeyUnknown):
        keys.find("base.2")


def test_a_base_that_is_away_holds_nobody_up(tmp_path):
    keys = following(tmp_path / "n", f"http://127.0.0.1:{free_port()}", ONE)
    stale(keys)
    assert keys.find("base.1").raw == ONE.public.raw
    tried = keys._tried
    stale(keys)
    assert keys.find("base.1").raw == ONE.public.raw
    assert keys._tried == -EVERY < tried, "not tried again for a while"
    (keys._home.folder / "trusted.json").unlink()
    with pytest.raises(BaseNotTrusted):
        keys.find("base.1")
    keys.close()
