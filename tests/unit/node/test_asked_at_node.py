"""The base asks a department's own node, a process of its own: entered, asked, verified, cut down, passed on signed; or nothing at all."""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from node_place import CITED, FATHER, GRANT, MOTHER, NOBODY, ROWS, Place, serve

from dizuo.engines.exchange import delivery
from dizuo.engines.exchange.delivery import asked_node
from dizuo.foundation.policy import shared
from dizuo.foundation.signing import PrivateKey, sign_request, sign_response, signature_sent
from dizuo.foundation.store import APP, LOADER, OWNER
from dizuo.node.client import PREFIX
from dizuo.node.errors import BaseSaidNo


@pytest.fixture(scope="module", params=["csv", "postgres"])
def there(request: pytest.FixtureRequest, base: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same records at a node's file and at its table; a real process answers for them."""
    place = Place(base, f"302/{request.param}", tmp_path_factory.mktemp("there") / "node")
    if request.param == "csv":
        lines = ["身份证号,姓名,登记日期,日记", *map(",".join, ROWS)]
        (place.folder / "rows.csv").write_text("\r\n".join(lines) + "\r\n", "utf-8")
        source = "{csv: rows.csv}"
    else:
        dsn = base.database.dsn(OWNER)
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("CREATE SCHEMA civil_there")
            conn.execute(
                "CREATE TABLE civil_there.married (身份证号 text, 姓名 text, 登记日期 text, 日记 text)"
            )
            for row in ROWS:
                conn.execute("INSERT INTO civil_there.married VALUES (%s, %s, %s, %s)", row)
        (place.folder / "dsn").write_text(dsn)
        (place.folder / "dsn").chmod(0o600)
        source = "{postgres: civil_there.married, dsn_file: dsn}"
    process = serve(place, source)
    assert place.bind() == "civil"
    yield place
    process.terminate()
    process.wait(10)


def test_one_person_is_asked_for_at_the_node(there: Place, node: Any) -> None:
    since = there.last()
    told = node.query(there.resource, {"citizen_id": MOTHER}, ["name", "married_on", "diary"], **CITED)
    assert (told["state"], told["withheld"]) == ("found", ["diary"])
    assert told["records"][0]["fields"] == {
        "name": {"value": "林晓晴", "source": "civil", "as_of": None},
        "married_on": {"value": "2019-05-01", "source": "civil", "as_of": None},
    }
    asked, read = there.entries(since)
    assert (asked["kind"], asked["subject"], asked["body"]["fields"]) == (
        "exchange.node_asked",
        None,
        ["name", "married_on"],
    )
    assert (read["kind"], read["body"]["state"], read["payload"]["asked"]) == (
        "register.read",
        "found",
        asked["id"],
    )
    assert read["payload"]["case"] == CITED["case"]
    who = there.base.sql("SELECT number FROM registers.identity WHERE id = $1", read["subject"])
    assert who[0]["number"] == MOTHER
    assert told["entry"] == read["id"]
    journal = (there.folder / "home" / "journal.jsonl").read_text("utf-8")
    assert '"diary"' not in journal, "what is not granted is not even asked for"


def test_many_at_once_and_nobody(there: Place, node: Any) -> None:
    since = there.last()
    who = [{"citizen_id": MOTHER}, {"citizen_id": "nonsense"}, {"citizen_id": NOBODY}, {"citizen_id": FATHER}]
    told = node.batch(there.resource, who, ["name"], **CITED)
    assert [(one["n"], one["state"]) for one in told["results"]] == [
        (0, "found"),
        (1, "refused"),
        (2, "missing"),
        (3, "found"),
    ]
    assert told["results"][3]["records"][0]["fields"]["name"]["value"] == "王启明"
    reads = [one for one in there.entries(since) if one["kind"] == "register.read"]
    assert [one["body"]["state"] for one in reads] == ["found", "missing", "found"]
    assert all(one["subject"] for one in reads), "also whom no register of ours knows: the node might"


def test_the_policy_s_analysis_knows_the_use(there: Place, node: Any) -> None:
    node.query(there.resource, {"citizen_id": FATHER}, ["name"], **CITED)
    rows = there.base.sql(
        "SELECT * FROM registers.reads_counted(now() - interval '1 hour', now() + interval '1 hour')"
    )
    (use,) = [one for one in shared(map(dict, rows)) if one.grant == there.grant and one.fields == ("name",)]
    assert (use.consumer, use.serves, use.kind) == ("hrss", "newborn", "read")
    assert use.entries >= 2, "calls of one shape are counted together"


def test_outside_the_right_the_node_is_not_asked(there: Place, node: Any) -> None:
    since = there.last()
    with pytest.raises(BaseSaidNo) as caught:
        node.query(there.resource, {"citizen_id": MOTHER}, ["diary"], **CITED)
    assert caught.value.status == 403
    assert [one["kind"] for one in there.entries(since)] == ["register.refused"]


def test_a_replayed_call_is_told_so(there: Place) -> None:
    """The database turns it away, whatever the process thinks of it."""
    question = {
        "call": str(uuid.uuid4()), "key": "hrss.x", "nonce": uuid.uuid4().hex, "until": int(time.time()) + 90,
        "consumer": "hrss", "resource": there.resource, "grant_id": there.grant, "version": 1, "method": "query",
        "fields": ["name"], "withheld": [], "subjects": [{"n": 0, "s": "citizen_id", "v": MOTHER}], "case_no": "C",
    }  # fmt: skip
    key = there.base.sql(
        "SELECT id FROM exchange.signing_key WHERE consumer = 'hrss' ORDER BY made_at LIMIT 1"
    )[0]["id"]
    other = str(uuid.uuid4())
    (first,) = there.base.sql("SELECT exchange.ask_node($1) AS told", {**question, "key": key}, role=APP)
    (again,) = there.base.sql(
        "SELECT exchange.ask_node($1) AS told", {**question, "key": key, "call": other}, role=APP
    )
    assert "node" in first["told"]
    assert again["told"]["refusals"][0]["reason"] == "replay"
    (forged,) = there.base.sql(
        "SELECT exchange.ask_node($1) AS told", {**question, "nonce": uuid.uuid4().hex}, role=APP
    )
    assert forged["told"]["refusals"][0]["reason"] == "key"
    # The process that asked is gone: within minutes those concerned have an entry that nothing was released.
    since = there.last()
    there.base.sql(
        "UPDATE exchange.node_asked SET at = now() - interval '3 minutes' WHERE call = $1::uuid",
        question["call"],
    )
    there.base.sql("SELECT exchange.tell_forgotten()", role=APP)
    (left,) = there.entries(since)
    assert (left["kind"], left["body"]["why"], left["body"]["released"]) == (
        "register.refused",
        "interrupted",
        False,
    )


def test_a_right_that_ends_while_the_node_is_asked(there: Place) -> None:
    grant = there.base.sql(GRANT, there.resource)[0]["id"]
    key = there.base.sql(
        "SELECT id FROM exchange.signing_key WHERE consumer = 'hrss' ORDER BY made_at LIMIT 1"
    )[0]["id"]
    call = str(uuid.uuid4())
    question = {
        "call": call, "key": key, "nonce": uuid.uuid4().hex, "until": int(time.time()) + 90, "consumer": "hrss",
        "resource": there.resource, "grant_id": grant, "version": 1, "method": "query", "fields": ["name"], "withheld": [],
        "subjects": [{"n": 0, "s": "citizen_id", "v": MOTHER}], "case_no": "C",
    }  # fmt: skip
    there.base.sql("SELECT exchange.ask_node($1)", question, role=APP)
    there.base.move_grant("revoked", grant)
    since = there.last()
    states = [{"n": 0, "s": "found"}]
    (told,) = there.base.sql("SELECT exchange.told_node($1::uuid, $2, NULL) AS told", call, states, role=APP)
    assert told["told"]["gone"] is True
    assert [one["kind"] for one in there.entries(since)] == ["register.refused"]


def test_a_probe_asks_about_nobody_and_counts(there: Place) -> None:
    exchange = delivery.Exchange.of(
        there.base.dizuo.pool, there.base.dizuo.city, there.base.dizuo.data, there.base.dizuo.now
    )
    before = there.counts()
    assert before["answered"] >= 2
    there.base.run(exchange.nodes.probe_all())
    after = there.counts()
    assert (after["probes"], after["probes_failed"]) == (before["probes"] + 1, before["probes_failed"])


def test_a_running_node_follows_the_bases_keys(there: Place, node: Any) -> None:
    """A process of its own, over HTTP: the next key with the first question, and one taken back with the next look."""
    base = there.base
    exchange = delivery.Exchange.of(base.dizuo.pool, base.dizuo.city, base.dizuo.data, base.dizuo.now)
    trusted = there.folder / "home" / "trusted.json"
    old = exchange.server.signing("ed25519", base.dizuo.now())
    new = exchange.server.rotate("ed25519", base.dizuo.now())
    told = node.query(there.resource, {"citizen_id": MOTHER}, ["name"], **CITED)
    assert told["state"] == "found"
    assert {old.id, new.id} <= {one["kid"] for one in json.loads(trusted.read_bytes())["keys"]}

    def asked_with(key: PrivateKey) -> httpx.Response:
        body = json.dumps({"resource": there.resource}).encode()
        url = there.address + "/node/v1/alive"
        sent = sign_request(key, "POST", url, now=int(time.time()), body=body)
        return httpx.post(url, headers=dict(sent.headers), content=body, trust_env=False)

    assert asked_with(old).status_code == 200
    signs = exchange.server.withdraw(old.id, base.dizuo.now())
    assert signs is not None
    assert signs.id == new.id
    os.utime(trusted, (0, 0))  # the node's next look is due, and two looks are half a second apart
    until = time.monotonic() + 1
    while (refused := asked_with(old)).status_code == 200 and time.monotonic() < until:
        time.sleep(0.1)
    assert (refused.status_code, refused.json()["code"]) == (401, "signing_key_unknown")
    assert asked_with(new).status_code == 200
    told = node.query(there.resource, {"citizen_id": MOTHER}, ["name"], **CITED)
    assert told["state"] == "found"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [("/subscriptions", {"channel": "stream"}), ("/bulk", {"format": "csv"})],
    ids=["subscriptions", "bulk"],
)
def test_changes_and_everything_are_not_had_from_a_node(
    there: Place, node: Any, path: str, wanted: dict[str, Any]
) -> None:
    """Refused with what to do in place of it, and entered; the node is not asked."""
    grant = there.base.sql(GRANT.replace("{query,batch}", "{query,batch,subscribe,bulk}"), there.resource)[0][
        "id"
    ]
    since = there.last()
    with pytest.raises(BaseSaidNo) as caught:
        node.call("POST", PREFIX + path, {"grant": grant, **wanted}, what="try")
    assert (caught.value.status, caught.value.told["rule"]) == (403, "exchange.at_node")
    assert "节点" in str(caught.value.told["message"])
    assert "batch" in str(caught.value.told["fix"])
    entries = there.entries(since)
    assert [(one["kind"], one["body"]["reason"]) for one in entries] == [("exchange.refused", "at_node")]
    there.base.move_grant("revoked", grant)


# ------------------------------------------------------------------------------------------------ nodes that go wrong


class Liar(BaseHTTPRequestHandler):
    """A node that answers as ``way`` says, signed with the key that it holds."""

    protocol_version = "HTTP/1.1"
    way = ""
    key: PrivateKey
    resource = ""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        sent = signature_sent({name.lower(): value for name, value in self.headers.items()})
        told: dict[str, Any] = {
            "ok": True, "resource": self.resource, "case": asked.get("case"),
            "results": [{"n": 0, "state": "found", "records": [{"fields": {"name": "林晓晴", "diary": "不给人看"}}]}],
        }  # fmt: skip
        status, now, key = 200, int(time.time()), self.key
        match self.way:
            case "slow":
                time.sleep(1.5)
            case "too_large":
                told["results"][0]["records"] *= 200_000
            case "stale":
                now -= 200
            case "another_key":
                key = PrivateKey.make(self.key.id)
            case "unknown_key":
                key = PrivateKey("nobody.1", self.key.algorithm, self.key.secret, self.key.public.raw)
            case "another_question":
                sent = ("sig1", ":AAAA:")
            case "another_case":
                told["case"] = "another"
            case "field_missing":
                told["results"][0]["records"] = [{"fields": {}}]
            case "too_few":
                told["results"] = []
            case "no_json":
                told = {}
            case "declined":
                status, told = 403, {"ok": False, "code": "asked_outside", "message": "没有声明资源"}
            case "broken":
                status, told = 503, {"ok": False, "message": "坏了"}
            case _:
                pass
        body = b"<html>" if self.way == "no_json" else json.dumps(told).encode()
        headers = sign_response(key, status, body, sent, now=now, content_type="application/json")
        if self.way == "altered":
            body = body.replace(b"\\u6797", b"\\u738b")
        if self.way == "unsigned":
            headers = {"content-type": "application/json"}
        if self.way == "moved":
            status, headers = 302, {"location": "http://127.0.0.1:1/node/v1/query"}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def wrong(base: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = Place(base, "302/wrong", tmp_path_factory.mktemp("wrong") / "node")
    handler = type("OneLiar", (Liar,), {"key": place.home.signing_key(), "resource": place.resource})
    server = ThreadingHTTPServer(("127.0.0.1", place.port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place.bind()
    exchange = delivery.Exchange.of(base.dizuo.pool, base.dizuo.city, base.dizuo.data, base.dizuo.now)
    place.handler, place.exchange = handler, exchange  # type: ignore[attr-defined]
    yield place
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("way", "why"),
    [
        ("altered", "not_believed"), ("another_key", "not_believed"), ("unknown_key", "not_believed"), ("unsigned", "not_believed"),
        ("another_question", "not_believed"), ("moved", "not_believed"), ("stale", "stale"), ("slow", "slow"),
        ("too_large", "too_large"), ("another_case", "malformed"), ("field_missing", "malformed"), ("too_few", "malformed"),
        ("no_json", "malformed"), ("declined", "declined"), ("broken", "declined"),
    ],
)  # fmt: skip
def test_what_a_node_may_not_do(
    wrong: Any, node: Any, monkeypatch: pytest.MonkeyPatch, way: str, why: str
) -> None:
    wrong.handler.way = ""
    told = node.query(wrong.resource, {"citizen_id": MOTHER}, ["name"], **CITED)
    assert list(told["records"][0]["fields"]) == ["name"], "what was not asked for is left behind"
    since = wrong.last()
    wrong.handler.way = way
    if way == "slow":
        monkeypatch.setattr(wrong.exchange.nodes, "_patience", 0.5)
    with pytest.raises(BaseSaidNo) as caught:
        node.query(wrong.resource, {"citizen_id": MOTHER}, ["name"], **CITED)
    assert caught.value.status == 502
    assert "没有任何数据被放出" in str(caught.value)
    asked, refused = wrong.entries(since)
    assert refused["kind"] == "register.refused"
    assert (refused["body"]["why"], refused["body"]["released"], refused["payload"]["asked"]) == (
        why,
        False,
        asked["id"],
    )
    assert refused["subject"] is not None, "the person concerned sees that nothing was released"


def test_a_dead_node_rests_and_harms_no_other(wrong: Any, there: Place, node: Any) -> None:
    wrong.handler.way = ""
    node.query(wrong.resource, {"citizen_id": MOTHER}, ["name"], **CITED)
    wrong.handler.way = "broken"
    for _ in range(asked_node.OPENS):
        with pytest.raises(BaseSaidNo):
            node.query(wrong.resource, {"citizen_id": MOTHER}, ["name"], **CITED)
    wrong.handler.way = ""
    since = wrong.last()
    with pytest.raises(BaseSaidNo, match="暂时不去问它"):
        node.query(wrong.resource, {"citizen_id": MOTHER}, ["name"], **CITED)
    (refused,) = wrong.entries(since)
    assert (refused["kind"], refused["body"]["why"]) == ("register.refused", "rests")
    assert node.query(there.resource, {"citizen_id": MOTHER}, ["name"], **CITED)["state"] == "found"
    assert node.query("R/person", {"citizen_id": MOTHER}, ["name"], **CITED)["state"] == "found"
    (breaker,) = [one.breaker for key, one in wrong.exchange.nodes._nodes.items() if key[0] == wrong.address]
    breaker._until = 0.0  # it has rested
    assert node.query(wrong.resource, {"citizen_id": MOTHER}, ["name"], **CITED)["state"] == "found"
    counts = wrong.counts()
    assert counts["failed"] >= asked_node.OPENS + 1
    assert counts["answered"] >= 2


def test_nobody_there_is_told_with_the_way_out(base: Any, node: Any, tmp_path: Path) -> None:
    place = Place(base, "302/dead", tmp_path / "node")
    place.bind()
    with pytest.raises(BaseSaidNo, match="连不上") as caught:
        node.query(place.resource, {"citizen_id": MOTHER}, ["name"], **CITED)
    assert caught.value.fix
    base.sql("SELECT exchange.stop_node($1, 'data.steward', '演示')", place.resource, role=LOADER)
    with pytest.raises(BaseSaidNo, match="没有可以查询的登记簿"):
        node.query(place.resource, {"citizen_id": MOTHER}, ["name"], **CITED)


def test_where_a_node_may_not_be(base: Any, wrong: Any, node: Any) -> None:
    from dizuo.engines.exchange.delivery.asked_node_errors import (
        NodeAddressRefused,
        NodeKeyNotTheirs,
        ResourceNotAtNode,
    )

    for address, private in [
        ("http://node.example", False), ("https://127.0.0.1:1", False), ("http://169.254.169.254", True), ("ftp://node.example", True),
        ("https://u:p@node.example", False), ("https://10.0.0.1", False),
    ]:  # fmt: skip
        with pytest.raises(NodeAddressRefused):
            wrong.bind(address=address, private=private)
    hrss = base.sql("SELECT id FROM exchange.signing_key WHERE consumer = 'hrss' LIMIT 1")[0]["id"]
    with pytest.raises(NodeKeyNotTheirs):
        wrong.bind(keys=[hrss])
    with pytest.raises(ResourceNotAtNode):
        wrong.bind(resource="R/person")
    # Registered as public by name, and the name means this very machine: looked at when it is connected to.
    base.sql(
        "UPDATE exchange.node SET private = false, address = 'https://localhost:' || $2 WHERE resource = $1",
        wrong.resource,
        str(wrong.port),
    )
    since = wrong.last()
    with pytest.raises(BaseSaidNo, match="不允许连接"):
        node.query(wrong.resource, {"citizen_id": MOTHER}, ["name"], **CITED)
    assert wrong.entries(since)[-1]["body"]["why"] == "address"
    wrong.bind()


def test_a_serving_process_binds_no_node(base: Any, wrong: Any) -> None:
    import asyncpg

    for statement in (
        "SELECT exchange.bind_node('302/wrong', 'https://x.example', '{civil.1}', false, 'x')",
        "UPDATE exchange.node SET address = 'https://x.example'",
        "SELECT * FROM exchange.node_asked",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            base.sql(statement, role=APP)


def test_the_breaker_lets_one_try_after_a_rest() -> None:
    breaker = asked_node.Breaker()
    for at in range(asked_node.OPENS):
        assert breaker.admits(float(at))
        breaker.went(False, float(at))
    assert not breaker.admits(5.0)
    after = asked_node.OPENS - 1 + asked_node.FIRST_REST
    assert breaker.admits(after)
    assert not breaker.admits(after), "one at a time"
    breaker.went(False, after)
    assert not breaker.admits(after + asked_node.FIRST_REST), "the rest has doubled or begun anew"
    assert breaker.admits(after + 2 * asked_node.FIRST_REST)
    breaker.went(True, after + 2 * asked_node.FIRST_REST)
    assert breaker.admits(after + 2 * asked_node.FIRST_REST)
