"""A department's node against a base on a real port: signed both ways, noted here, entered there, cut off when it must be."""

from __future__ import annotations

import csv
import io
import threading
import time

import httpx
import pytest

from dizuo.foundation.signing import PrivateKey, PublicKey, sign_request
from dizuo.node import BaseClient, NodeHome, download, follow
from dizuo.node.client import PREFIX
from dizuo.node.errors import (
    AnswerNotBelieved,
    BaseNotTrusted,
    BaseSaidNo,
    BaseUnreachable,
    EventNotBelieved,
    FeedEnded,
)

MOTHER, FATHER = "320213199403151026", "320211199201011015"
CITED = {"matter": "newborn", "basis": "social:58", "case": "HRSS-2026-1"}


def what(client, kind):
    return [line for line in client.journal.lines() if line["what"] == kind]


def test_a_question_about_one_and_about_many(base, node):
    told = node.query("R/person", {"citizen_id": MOTHER}, ["name", "illness"], **CITED)
    assert (told["state"], told["withheld"]) == ("found", ["illness"])
    assert told["records"][0]["fields"]["name"]["value"] == "林晓晴"
    told = node.batch("R/person", [{"citizen_id": MOTHER}, {"citizen_id": FATHER}], ["name"], **CITED)
    assert [one["state"] for one in told["results"]] == ["found", "found"]
    assert [grant["grant"] for grant in node.grants()["grants"]][-1] == base.grant
    asked, answered = what(node, "query")[-1], what(node, "answer")[0]
    assert (asked["resource"], asked["case"], asked["subjects"]) == ("R/person", "HRSS-2026-1", 1)
    assert answered["status"] == 200
    assert MOTHER not in node.journal.path.read_text("utf-8")


def test_a_refusal_is_told_with_its_way_out(node):
    with pytest.raises(BaseSaidNo) as caught:
        node.query("R/person", {"citizen_id": MOTHER}, ["name"], matter="other", basis="social:58", case="X")
    assert caught.value.status == 403
    assert caught.value.fix


def test_an_answer_of_somebody_else_is_not_believed(base, node, tmp_path):
    home = NodeHome.make(tmp_path / "n", "hrss", base.url)
    base.register_key(home)
    with BaseClient(home) as client:
        with pytest.raises(BaseNotTrusted):
            client.grants()
        real = PublicKey.from_jwk(httpx.get(base.url + f"{PREFIX}/keys", trust_env=False).json()["keys"][0])
        other = PrivateKey.make(real.id)
        home.trust(b'{"keys": [' + __import__("json").dumps(other.public.as_jwk()).encode() + b"]}")
        with pytest.raises(AnswerNotBelieved):
            client.grants()
        assert what(client, "not_believed")


def test_nobody_there(tmp_path, base, node):
    home = NodeHome.make(tmp_path / "n", "hrss", "http://127.0.0.1:9")
    home.adopt_key(home.make_key().id, "hrss.9")
    home.trust(node.fetch_keys())
    with BaseClient(home) as client:
        with pytest.raises(BaseUnreachable):
            client.grants()
        assert [line["what"] for line in client.journal.lines()] == ["grants", "no_answer"]


def test_keys_rotate_without_a_gap(base, tmp_path):
    with base.node(tmp_path / "n") as client:
        first = client.home.signing_key().id
        client.grants()
        second = base.register_key(client.home)
        assert client.home.signing_key().id == second
        client.grants()
        base.revoke_key(first)
        client.home.drop_key(first)
        client.grants()
        # and the base's own: a new key signs from now on, learned over this very connection
        from dizuo.engines.exchange import delivery

        exchange = delivery.Exchange.of(base.dizuo.pool, base.dizuo.city, base.dizuo.data, base.dizuo.now)
        made = exchange.server.rotate("ed25519", base.dizuo.now())
        client.grants()
        assert made.id in client.home.trusted()
        assert what(client, "keys_learned")


def test_a_stolen_key_stops_within_a_second(base, tmp_path):
    with base.node(tmp_path / "n") as client:
        client.grants()
        base.revoke_key(client.home.signing_key().id)
        time.sleep(1)
        with pytest.raises(BaseSaidNo) as caught:
            client.grants()
        assert caught.value.status == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/subscriptions"), ("GET", "/subscriptions/1"), ("GET", "/subscriptions/1/events"), ("POST", "/subscriptions"),
        ("POST", "/subscriptions/1/end"), ("POST", "/subscriptions/1/replay"), ("POST", "/bulk"),
        ("GET", "/bulk/00000000-0000-0000-0000-000000000000"),
        ("GET", "/bulk/00000000-0000-0000-0000-000000000000/parts/1"),
    ],
)  # fmt: skip
def test_nothing_without_a_signature_and_nothing_twice(base, node, method, path):
    url = base.url + PREFIX + path
    assert httpx.request(method, url, trust_env=False).status_code == 401
    body = b"{}" if method == "POST" else b""
    signed = sign_request(node.home.signing_key(), method, url, now=int(time.time()), body=body)
    first = httpx.request(method, url, headers=dict(signed.headers), content=body, trust_env=False)
    assert first.status_code in (200, 404, 422)
    again = httpx.request(method, url, headers=dict(signed.headers), content=body, trust_env=False)
    assert (again.status_code, again.json()["code"]) == (409, "request_replayed")


class Followed:
    """A consumer that follows in a thread and writes down what it handled."""

    def __init__(self, client, subscription, enough):
        self.events = []
        self.error = None
        self.enough = enough
        self.thread = threading.Thread(target=self._run, args=(client, subscription), daemon=True)
        self.thread.start()

    def _run(self, client, subscription):
        try:
            follow(client, subscription, self.events.append, until=lambda: len(self.events) >= self.enough)
        except Exception as error:
            self.error = error

    def join(self):
        self.thread.join(20)
        assert not self.thread.is_alive()


def subscribed(node, grant, **more):
    wanted = {"grant": grant, "channel": "stream", **more}
    return node.call("POST", f"{PREFIX}/subscriptions", wanted, what="subscribe").json()["subscription"]


def test_following_a_stream_and_going_on_where_it_stopped(base, node):
    sub = subscribed(node, base.grant)
    first = Followed(node, sub, 1)
    time.sleep(0.3)
    base.put(MOTHER, phone="1")
    first.join()
    assert [event["data"]["values"] for event in first.events] == [{"phone": "1"}]
    base.put(MOTHER, phone="2")
    base.put(FATHER, phone="3")
    second = Followed(node, sub, 2)
    second.join()
    assert [event["data"]["values"]["phone"] for event in second.events] == ["2", "3"]
    told = node.call("GET", f"{PREFIX}/subscriptions/{sub}", what="look").json()
    assert told["circuit"] == "closed"
    entries = base.sql(
        "SELECT 1 FROM ledger.entry WHERE kind = 'register.read' AND body @> $1", {"subscription": sub}
    )
    assert len(entries) == 3


@pytest.mark.parametrize("how", ["grant", "key", "asked"])
def test_a_stream_ends_at_once_when_its_right_or_key_does(base, tmp_path, how):
    with base.node(tmp_path / "n") as client:
        grant = base.new_grant()
        sub = subscribed(client, grant)
        following = Followed(client, sub, 10)
        time.sleep(0.5)
        if how == "grant":
            base.move_grant("revoked", grant)
        elif how == "key":
            base.revoke_key(client.home.signing_key().id)
        else:
            client.call("POST", f"{PREFIX}/subscriptions/{sub}/end", {}, what="end")
        base.put(MOTHER, phone=f"after {how}")
        following.join()
        assert following.events == []
        assert isinstance(following.error, FeedEnded)


def test_an_event_that_was_changed_on_the_way_is_not_handled(base, node, monkeypatch):
    from dizuo.node import following

    sub = subscribed(node, base.grant)
    base.put(MOTHER, phone="right")
    real = following._parsed
    monkeypatch.setattr(
        following,
        "_parsed",
        lambda client, lines: real(client, (line.replace('"right"', '"wrong"') for line in lines)),
    )
    consumer = Followed(node, sub, 1)
    consumer.join()
    assert isinstance(consumer.error, EventNotBelieved)
    assert consumer.events == []
    monkeypatch.undo()
    consumer = Followed(node, sub, 1)  # nothing was lost by it
    consumer.join()
    assert consumer.events[0]["data"]["values"]["phone"] == "right"


def test_only_a_position_that_was_ours(base, node):
    sub = subscribed(node, base.grant)
    url = f"{base.url}{PREFIX}/subscriptions/{sub}/events"
    for last in (f"{sub + 1}-5", f"{sub}-999999999", "x", f"{sub}-"):
        signed = sign_request(node.home.signing_key(), "GET", url, now=int(time.time()))
        answer = httpx.get(url, headers={**signed.headers, "last-event-id": last}, trust_env=False)
        assert (answer.status_code, answer.json()["code"]) == (409, "feed_position_invalid")


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/x", "https://localhost/x", "https://169.254.169.254/latest", "x"]
)
def test_no_webhook_to_an_inside_address(base, node, target):
    with pytest.raises(BaseSaidNo) as caught:
        node.call(
            "POST",
            f"{PREFIX}/subscriptions",
            {"grant": base.grant, "channel": "webhook", "target": target},
            what="subscribe",
        )
    assert caught.value.told["code"] == "webhook_address_refused"


@pytest.mark.parametrize(
    "body",
    [{}, {"grant": 0, "channel": "stream"}, {"grant": 1, "channel": "mail"}, {"grant": 1, "channel": "stream", "x": 1},
     {"grant": 1, "channel": "stream", "batch": 0}, {"grant": 1, "channel": "stream", "target": "https://a"}, [], "x"],
)  # fmt: skip
def test_bodies_that_are_no_subscription(node, body):
    with pytest.raises(BaseSaidNo) as caught:
        node.call("POST", f"{PREFIX}/subscriptions", body, what="subscribe")
    assert caught.value.status in (403, 422)


def test_a_download_in_parts_goes_on_where_it_stopped(base, node, tmp_path):
    base.sql(
        "INSERT INTO registers.intake (load, line, register, key, source, source_date, data)"
        " SELECT '00000000-0000-0000-0000-000000000001', n, 'person', k, 'psb', current_date,"
        " jsonb_build_object('name', '演示' || n) FROM generate_series(0, 119) AS n,"
        " LATERAL (SELECT '32021319550101' || lpad(n::text, 3, '0') || 'X') AS one(k)",
        role="dizuo_loader",
    )
    base.sql("SELECT registers.absorb('00000000-0000-0000-0000-000000000001', '{}')", role="dizuo_loader")
    grant = base.new_grant()
    folder = tmp_path / "copy"
    told = []

    def stop_after_the_first(part, rows):
        told.append((part, rows))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(node, grant, folder, format="csv", part_size=100, tell=stop_after_the_first)
    manifest = download(node, grant, folder, format="csv", tell=lambda *seen: told.append(seen))
    assert told == [(1, 100), (1, 100), (2, 23)]
    assert manifest["state"] in ("open", "complete")
    rows = [
        row
        for path in sorted(folder.glob("part-*.csv"))
        for row in csv.DictReader(io.StringIO(path.read_text("utf-8"), newline=""))
    ]
    assert len(rows) == 123
    assert set(rows[0]) == {"_record", "name", "phone"}
    # one part on disk was damaged: it is fetched again
    (folder / "part-00001.csv").write_text("x")
    download(node, grant, folder, format="csv")
    assert (folder / "part-00001.csv").stat().st_size > 1000
    deadline = time.time() + 5
    while time.time() < deadline:
        sent = base.sql(
            "SELECT body FROM ledger.entry WHERE kind = 'exchange.bulk_part' AND body @> $1", {"grant": grant}
        )
        if len(sent) == 3:
            break
        time.sleep(0.05)
    assert [one["body"]["whole"] for one in sent] == [True] * 3


def test_a_stream_that_was_left_gives_its_place_back(base, node):
    from dizuo.doors.data.api_feed import streams_of
    from dizuo.engines.exchange import delivery

    sub = subscribed(node, base.grant)
    url = f"{base.url}{PREFIX}/subscriptions/{sub}/events"
    exchange = delivery.Exchange.of(base.dizuo.pool, base.dizuo.city, base.dizuo.data, base.dizuo.now)
    for n in range(12):  # more than one consumer may have open at once
        signed = sign_request(node.home.signing_key(), "GET", url, now=int(time.time()))
        with httpx.stream("GET", url, headers=dict(signed.headers), trust_env=False) as answer:
            assert answer.status_code == 200, n
        deadline = time.time() + 5
        while streams_of(exchange)._open and time.time() < deadline:
            time.sleep(0.02)
    assert not streams_of(exchange)._open


def test_a_full_base_is_waited_for(base, node, monkeypatch):
    from dizuo.engines.exchange.delivery import subscribe_stream

    sub = subscribed(node, base.grant)
    base.put(MOTHER, phone="full")
    monkeypatch.setattr(subscribe_stream, "AT_ONCE", 0)
    waited, got = [], []

    def sleep(seconds):
        waited.append(seconds)
        if len(waited) == 2:
            monkeypatch.undo()

    follow(node, sub, got.append, until=lambda: bool(got), sleep=sleep)
    assert waited[:2] == [1.0, 2.0]
    assert got[0]["data"]["values"]["phone"] == "full"


def test_a_line_that_goes_dead_leaves_a_lawful_record(base, node, monkeypatch):
    grant = base.new_grant()
    bulk = node.call("POST", f"{PREFIX}/bulk", {"grant": grant, "format": "csv"}, what="bulk").json()["id"]
    from dizuo.doors.data import api_bulk

    monkeypatch.setattr(api_bulk, "_PIECE", 64)
    url = f"{base.url}{PREFIX}/bulk/{bulk}/parts/1"
    signed = sign_request(node.home.signing_key(), "GET", url, now=int(time.time()))
    with httpx.stream("GET", url, headers=dict(signed.headers), trust_env=False) as answer:
        assert answer.status_code == 200
    deadline = time.time() + 5
    sent = []
    while not sent and time.time() < deadline:
        sent = base.sql(
            "SELECT body FROM ledger.entry WHERE kind = 'exchange.bulk_part' AND body @> $1", {"bulk": bulk}
        )
        time.sleep(0.05)
    assert sent[0]["body"]["sent"] <= sent[0]["body"]["bytes"]
    people = base.sql(
        "SELECT 1 FROM ledger.entry WHERE kind = 'register.read' AND body @> $1", {"bulk": bulk}
    )
    assert len(people) >= 3
