"""The answering side: the base's signed questions, a declared adapter, and nothing outside it, from a file or a table."""

from __future__ import annotations

import json
import os
import threading
import time

import httpx
import psycopg
import pytest

from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.signing import PrivateKey, jwks, sign_request, verify_response
from dizuo.node import Journal, NodeHome, Provider, read_adapter, serving
from dizuo.node.errors import AdapterInvalid
from dizuo.node.provider import PATH

PUBLIC = "http://node.civil.example:8381"
BASE = PrivateKey.make("wuxi.exchange.1")
DEAD, OTHER, NOBODY = "320213195001010017", "320213195002020025", "320213195003030033"
CSV = (
    "身份证号,姓名,死亡日期,年龄,已火化,住址\r\n"
    f"{DEAD},周阿甲,2026-10-01,76,是,不给人看\r\n"
    f"{OTHER},李阿乙,不详,七十,maybe,不给人看\r\n"
    f"{DEAD},周阿甲（旧）,2026-09-30,75,否,不给人看\r\n"
)
ADAPTER = """
kind: node-adapter/1
resource: 310/000001
source: {source}
key: {{column: 身份证号, type: citizen_id}}
fields:
  - {{id: name, column: 姓名}}
  - {{id: died_on, column: 死亡日期, type: date}}
  - {{id: age, column: 年龄, type: number}}
  - {{id: cremated, column: 已火化, type: boolean}}
most: 5
"""


@pytest.fixture(params=["csv", "postgres"])
def declared(request, tmp_path, database):
    """The same records as a file and as a table, declared alike."""
    if request.param == "csv":
        (tmp_path / "deaths.csv").write_text(CSV, "utf-8")
        source = "{csv: deaths.csv}"
    else:
        dsn = database.dsn("dizuo_owner")
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("CREATE SCHEMA IF NOT EXISTS civil")
            conn.execute(
                "CREATE TABLE IF NOT EXISTS civil.deaths (n serial, 身份证号 text, 姓名 text, 死亡日期 text, 年龄 text, 已火化 text, 住址 text)"
            )
            conn.execute("CREATE TABLE IF NOT EXISTS civil.secrets (身份证号 text, 姓名 text)")
            if not conn.execute("SELECT 1 FROM civil.deaths").fetchone():
                for line in CSV.splitlines()[1:]:
                    conn.execute(
                        "INSERT INTO civil.deaths (身份证号, 姓名, 死亡日期, 年龄, 已火化, 住址) VALUES (%s,%s,%s,%s,%s,%s)",
                        line.split(","),
                    )
        (tmp_path / "dsn").write_text(dsn)
        (tmp_path / "dsn").chmod(0o600)
        source = "{postgres: civil.deaths, dsn_file: dsn}"
    (tmp_path / "deaths.yaml").write_text(ADAPTER.format(source=source), "utf-8")
    return tmp_path / "deaths.yaml"


@pytest.fixture
def home(tmp_path):
    made = NodeHome.make(tmp_path / "node", "civil", "https://base.example")
    made.adopt_key(made.make_key().id, "civil.1")
    made.trust(json.dumps(jwks([BASE.public])).encode())
    return made


@pytest.fixture
def provider(home, declared):
    made = Provider(home, [read_adapter(declared)], PUBLIC, SystemNow())
    yield made
    made.close()


def question(*subjects, **more):
    return {
        "resource": "310/000001",
        "fields": ["name", "died_on"],
        "subjects": [{"citizen_id": one} for one in subjects],
        "matter": "",
        "basis": "pipl-2021:34",
        "case": "B-1",
        **more,
    }


def ask(provider, body, *, key=BASE, url=PUBLIC + PATH, now=None, **more):
    """One signed question; the answer's signature is checked, too."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = sign_request(key, "POST", url, now=now or int(time.time()), body=content, **more)
    reply = provider.answer(sent.headers, content)
    verify_response(
        reply.status,
        reply.headers,
        reply.body,
        sent,
        lambda _: provider._home.signing_key().public,
        now=int(time.time()),
    )
    return reply.status, json.loads(reply.body)


def test_the_declared_fields_of_whom_was_asked(provider):
    status, told = ask(provider, question(DEAD, NOBODY))
    assert status == 200
    first, second = told["results"]
    assert first["state"] == "found"
    assert {record["fields"]["name"] for record in first["records"]} == {"周阿甲", "周阿甲（旧）"}
    assert second == {"n": 1, "state": "missing", "records": []}
    assert "住址" not in json.dumps(told, ensure_ascii=False)
    assert "不给人看" not in json.dumps(told, ensure_ascii=False)


def test_values_have_their_types_and_those_of_another_type_are_not_passed_on(provider):
    fields = ["age", "cremated", "died_on", "name"]
    _, told = ask(provider, question(DEAD, OTHER, fields=fields))
    one = next(r for r in told["results"][0]["records"] if r["fields"]["name"] == "周阿甲")
    assert one["fields"] == {"age": 76, "cremated": True, "died_on": "2026-10-01", "name": "周阿甲"}
    (other,) = told["results"][1]["records"]
    assert other["fields"] == {"age": None, "cremated": None, "died_on": None, "name": "李阿乙"}
    assert other["unreadable"] == ["age", "cremated", "died_on"]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"fields": ["name", "住址"]}, 403),
        ({"fields": ["address"]}, 403),
        ({"fields": ["name", 'name" FROM civil.secrets --']}, 403),
        ({"fields": ["*"]}, 403),
        ({"fields": []}, 422),
        ({"fields": "name"}, 422),
        ({"resource": "civil.secrets"}, 403),
        ({"resource": ""}, 403),
        ({"subjects": []}, 422),
        ({"subjects": [{"citizen_id": "' OR '1'='1"}]}, 422),
        ({"subjects": [{"citizen_id": DEAD + "'; DROP TABLE civil.deaths; --"}]}, 422),
        ({"subjects": [{"key": DEAD}]}, 422),
        ({"subjects": [{"uscc": DEAD}]}, 422),
        ({"subjects": [{"citizen_id": DEAD, "key": "x"}]}, 422),
        ({"subjects": [{"citizen_id": 5}]}, 422),
        ({"subjects": [{"citizen_id": DEAD}] * 6}, 403),
        ({"case": ""}, 422),
        ({"basis": ""}, 422),
        ({"where": "1=1"}, 422),
        ({"limit": 10_000}, 422),
    ],
)
def test_everything_outside_the_declaration_is_refused(provider, declared, more, status):
    got, told = ask(provider, question(DEAD, **more))
    assert got == status, told
    assert told["fix"]
    assert "周阿甲" not in json.dumps(told, ensure_ascii=False)
    assert ask(provider, question(DEAD))[0] == 200  # and everything is still there


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_question(provider, body):
    status, told = ask(provider, body)
    assert status in (401, 422), told


def test_only_the_base_and_only_once(provider, home):
    body = json.dumps(question(DEAD)).encode()
    stranger = PrivateKey.make("wuxi.exchange.1")
    assert ask(provider, body, key=stranger)[0] == 401
    assert ask(provider, body, key=PrivateKey.make("nobody.1"))[0] == 401
    assert ask(provider, body, url="http://other.example" + PATH)[0] == 401
    assert ask(provider, body, now=int(time.time()) - 600)[0] == 401
    assert ask(provider, body, now=int(time.time()) + 600)[0] == 401
    sent = sign_request(BASE, "POST", PUBLIC + PATH, now=int(time.time()), body=body)
    assert provider.answer(sent.headers, body).status == 200
    again = provider.answer(sent.headers, body)
    assert (again.status, json.loads(again.body)["code"]) == (409, "request_replayed")
    changed = provider.answer(sent.headers, body.replace(b"name", b"age!"))
    assert changed.status == 401
    assert json.loads(provider.answer({}, body).body)["code"] == "signature_missing"


def test_what_was_signed_before_this_process_began_counts_for_nothing(home, declared):
    body = json.dumps(question(DEAD)).encode()
    sent = sign_request(BASE, "POST", PUBLIC + PATH, now=int(time.time()) - 10, body=body)
    started = Provider(home, [read_adapter(declared)], PUBLIC, SystemNow())
    assert started.answer(sent.headers, body).status == 409
    started.close()


def test_it_is_noted_before_it_is_answered_and_names_nobody(provider, home):
    ask(provider, question(DEAD))
    ask(provider, question(DEAD, fields=["address"]))
    lines = list(Journal(home.folder, SystemNow()).lines())
    assert [line["what"] for line in lines] == ["asked_by_base", "refused"]
    assert (lines[0]["case"], lines[0]["basis"], lines[0]["subjects"]) == ("B-1", "pipl-2021:34", 1)
    assert DEAD not in (home.folder / "journal.jsonl").read_text()


def test_a_source_that_is_gone_is_said_and_comes_back(provider, declared):
    folder = declared.parent
    file = folder / ("deaths.csv" if (folder / "deaths.csv").exists() else "dsn")
    kept = file.read_bytes()
    if file.name == "dsn":
        file.chmod(0o644)  # others may read it: not used at all
    else:
        file.unlink()
    status, told = ask(provider, question(DEAD))
    assert (status, told["code"]) == (503, "source_unreadable")
    file.write_bytes(kept)
    file.chmod(0o600)
    assert ask(provider, question(DEAD))[0] == 200


def test_the_table_is_only_read(database, tmp_path, home):
    """A view that writes: the session is read-only whatever the database's role may do."""
    dsn = database.dsn("dizuo_owner")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA IF NOT EXISTS civil")
        conn.execute("CREATE TABLE IF NOT EXISTS civil.touched (n int)")
        conn.execute(
            "CREATE OR REPLACE FUNCTION civil.touch() RETURNS text LANGUAGE sql AS $$ INSERT INTO civil.touched VALUES (1) RETURNING 'x' $$"
        )
        conn.execute(
            f"CREATE OR REPLACE VIEW civil.trap AS SELECT '{DEAD}'::text AS id, civil.touch() AS name"
        )
    (tmp_path / "dsn").write_text(dsn)
    (tmp_path / "dsn").chmod(0o600)
    (tmp_path / "trap.yaml").write_text(
        "kind: node-adapter/1\nresource: t\nsource: {postgres: civil.trap, dsn_file: dsn}\n"
        "key: {column: id, type: citizen_id}\nfields: [{id: name, column: name}]\n"
    )
    provider = Provider(home, [read_adapter(tmp_path / "trap.yaml")], PUBLIC, SystemNow())
    assert ask(provider, question(DEAD, resource="t", fields=["name"]))[0] == 503
    provider.close()
    with psycopg.connect(dsn) as conn:
        assert conn.execute("SELECT count(*) FROM civil.touched").fetchone() == (0,)


def test_over_http_bounded_in_size_and_by_address(home, tmp_path):
    (tmp_path / "deaths.csv").write_text(CSV, "utf-8")
    (tmp_path / "a.yaml").write_text(ADAPTER.format(source="{csv: deaths.csv}"), "utf-8")
    made = serving(None, "127.0.0.1", 0)  # type: ignore[arg-type]
    url = f"http://127.0.0.1:{made.server_address[1]}"
    provider = Provider(home, [read_adapter(tmp_path / "a.yaml")], url, SystemNow())
    made.RequestHandlerClass.served = provider  # type: ignore[attr-defined]
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        body = json.dumps(question(DEAD)).encode()
        sent = sign_request(BASE, "POST", url + PATH, now=int(time.time()), body=body)
        with httpx.Client(trust_env=False) as http:
            answer = http.post(url + PATH, content=body, headers=dict(sent.headers))
            assert answer.status_code == 200
            verify_response(
                200,
                dict(answer.headers),
                answer.content,
                sent,
                lambda _: home.signing_key().public,
                now=int(time.time()),
            )
            for address, content, status in (("/other", b"{}", 404), (PATH, b"x" * (600 * 1024), 413)):
                refused = http.post(url + address, content=content)
                assert (refused.status_code, refused.headers["connection"]) == (status, "close")
            assert http.get(url + PATH).status_code == 501
    finally:
        made.shutdown()
        made.server_close()


GOOD = ADAPTER.format(source="{csv: deaths.csv}")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("node-adapter/1", "node-adapter/2", "$.kind"),
        ("resource: 310/000001", "resource: \"a b; DROP\"", "resource"),
        ("{csv: deaths.csv}", "{csv: ../../etc/passwd}", "source.csv"),
        ("{csv: deaths.csv}", "{csv: /etc/passwd}", "source.csv"),
        ("{csv: deaths.csv}", "{}", "source"),
        ("{csv: deaths.csv}", "{csv: a.csv, postgres: t, dsn_file: d}", "source"),
        ("{csv: deaths.csv}", "{postgres: 'a; DROP TABLE b', dsn_file: d}", "source.postgres"),
        ("{csv: deaths.csv}", "{postgres: a.b.c, dsn_file: d}", "source.postgres"),
        ("{csv: deaths.csv}", "{postgres: deaths}", "source.dsn_file"),
        ("type: citizen_id", "type: passport", "$.key.type"),
        ("type: number", "type: money", "$.fields[2].type"),
        ("column: 姓名", "column: \"姓名\\\" FROM x\"", "column"),
        ("id: name", "id: Name", "fields.Name"),
        ("id: name", "id: age", "fields.age"),
        ("most: 5", "most: 50000", "most"),
        ("most: 5", "mots: 5", "$"),
        ("most: 5", "most: 5\nmost: 6", "most"),
        ("most: 5", "folder: /etc", None),
        ("kind:", "- kind:", "$"),
        ("kind: node-adapter/1", "kind: !!python/object/apply:os.system ['true']", "$"),
    ],
)  # fmt: skip
def test_declarations_that_are_wrong_say_where(tmp_path, old, new, place):
    assert old in GOOD
    path = tmp_path / "a.yaml"
    path.write_text(GOOD.replace(old, new), "utf-8")
    if place is None:
        assert read_adapter(path).folder == str(tmp_path)  # where it lies is not for the file to say
        return
    with pytest.raises(AdapterInvalid) as caught:
        read_adapter(path)
    assert any(name.startswith(place) for name in caught.value.fields), caught.value.fields


@pytest.mark.parametrize("wound", ["column", "ragged", "bytes", "quote"])
def test_a_file_that_is_not_as_declared_gives_nothing(home, tmp_path, wound):
    text = {
        "column": CSV.replace("死亡日期", "死亡时间", 1),
        "ragged": CSV + "320213195001010017,x\r\n",
        "quote": CSV + '"' + "x,y\r\n",
    }.get(wound, CSV)
    (tmp_path / "deaths.csv").write_bytes(text.encode("gb18030" if wound == "bytes" else "utf-8"))
    (tmp_path / "a.yaml").write_text(GOOD, "utf-8")
    provider = Provider(home, [read_adapter(tmp_path / "a.yaml")], PUBLIC, SystemNow())
    status, told = ask(provider, question(DEAD))
    assert (status, told["code"]) == (503, "source_unreadable")


def test_a_file_in_gb18030_and_one_that_is_replaced(home, tmp_path):
    (tmp_path / "deaths.csv").write_bytes(CSV.encode("gb18030"))
    (tmp_path / "a.yaml").write_text(
        GOOD.replace("csv: deaths.csv", "csv: deaths.csv, encoding: gb18030"), "utf-8"
    )
    provider = Provider(home, [read_adapter(tmp_path / "a.yaml")], PUBLIC, SystemNow())
    assert ask(provider, question(OTHER))[1]["results"][0]["records"][0]["fields"]["name"] == "李阿乙"
    (tmp_path / "new.csv").write_bytes(CSV.replace("李阿乙", "李阿丙").encode("gb18030"))
    os.replace(tmp_path / "new.csv", tmp_path / "deaths.csv")
    assert ask(provider, question(OTHER))[1]["results"][0]["records"][0]["fields"]["name"] == "李阿丙"
