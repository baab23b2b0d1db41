"""`dizuo node` as a department's operator types it, against a base on a real port; and `dizuo dispatch`."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import httpx
import pytest

from dizuo import cli
from dizuo.foundation.signing import PrivateKey, jwks, sign_request
from dizuo.node import NodeHome

MOTHER = "320213199403151026"


def dizuo(*words):
    """The command in this process."""
    return cli.main(["node", *map(str, words)])


def test_from_an_empty_folder_to_a_download(base, tmp_path, capsys):
    home = tmp_path / "node"
    at = ("--home", home)
    assert dizuo(*at, "grants") == 2
    assert "dizuo node init" in capsys.readouterr().err
    assert dizuo(*at, "init", "--department", "hrss", "--base", base.url) == 0
    assert dizuo(*at, "key", "make") == 0
    public = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert "d" not in public
    made = NodeHome(home)
    id = base.register_key(made)  # a second pair, as the fixture does it; the first stays unregistered
    assert dizuo(*at, "key", "list") == 0
    listed = capsys.readouterr().out
    assert f"{id}  ed25519  signs" in listed
    assert "not registered yet" in listed
    assert dizuo(*at, "key", "drop", public["kid"]) == 0
    assert dizuo(*at, "trust", "--fetch", "--yes") == 0
    assert "wuxi.exchange.1" in capsys.readouterr().out
    cited = (
        "--resource",
        "R/person",
        "--fields",
        "name",
        "--matter",
        "newborn",
        "--basis",
        "social:58",
        "--case",
        "C-1",
    )
    assert dizuo(*at, "query", *cited, "--citizen-id", MOTHER) == 0
    assert json.loads(capsys.readouterr().out)["records"][0]["fields"]["name"]["value"] == "林晓晴"
    many = tmp_path / "who.jsonl"
    many.write_text(json.dumps({"citizen_id": MOTHER}) + "\n", "utf-8")
    assert dizuo(*at, "batch", *cited, "--subjects", many) == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["state"] == "found"
    assert dizuo(*at, "subscribe", "make", "--grant", base.grant) == 0
    number = json.loads(capsys.readouterr().out)["subscription"]
    assert dizuo(*at, "subscribe", "list") == 0
    assert str(number) in capsys.readouterr().out
    assert dizuo(*at, "subscribe", "end", number) == 0
    assert dizuo(*at, "subscribe", "follow", number) == 2
    assert dizuo(*at, "bulk", "--grant", base.grant, "--format", "csv", "--out", tmp_path / "copy") == 0
    assert (tmp_path / "copy" / "part-00001.csv").exists()
    assert dizuo(*at, "query", *cited[:-1], "", "--citizen-id", MOTHER) == 2
    capsys.readouterr()
    assert dizuo(*at, "log", "--check") == 0
    assert "each bound to the one before" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("key", "adopt"),
        ("key", "drop"),
        ("trust",),
        ("subscribe", "follow"),
        ("subscribe", "replay", "1"),
        ("trust", "x", "--fetch"),
    ],
)
def test_words_that_do_not_belong_together(tmp_path, words):
    NodeHome.make(tmp_path / "n", "hrss", "http://127.0.0.1:9")
    assert dizuo("--home", tmp_path / "n", *words) == 2


def test_serving_as_a_process(tmp_path, capsys):
    home = NodeHome.make(tmp_path / "n", "civil", "https://base.example")
    home.adopt_key(home.make_key().id, "civil.1")
    base = PrivateKey.make("wuxi.exchange.1")
    home.trust(json.dumps(jwks([base.public])).encode())
    (tmp_path / "a.csv").write_text("编号,名称\nS1,人民路\n", "utf-8")
    (tmp_path / "a.yaml").write_text(
        "kind: node-adapter/1\nresource: streets\nsource: {csv: a.csv}\nkey: {column: 编号, type: key}\n"
        "fields: [{id: title, column: 名称}]\n",
        "utf-8",
    )
    public = "https://node.civil.example"
    serving = subprocess.Popen(
        [sys.executable, "-m", "dizuo.cli", "node", "--home", str(tmp_path / "n"), "serve", "--adapter", str(tmp_path / "a.yaml"),
         "--public", public, "--port", "0"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert serving.stdout is not None
        said = serving.stdout.readline()
        assert said.startswith("answering for streets at ")
        asked = {
            "resource": "streets",
            "fields": ["title"],
            "subjects": [{"key": "S1"}],
            "matter": "",
            "basis": "a:1",
            "case": "B",
        }
        body = json.dumps(asked).encode()
        sent = sign_request(base, "POST", f"{public}/node/v1/query", now=int(time.time()), body=body)
        url = said.rsplit(" ", 1)[1].strip() + "/node/v1/query"
        answer = httpx.post(url, content=body, headers=dict(sent.headers), trust_env=False)
        assert answer.json()["results"][0]["records"] == [{"fields": {"title": "人民路"}}]
    finally:
        serving.terminate()
        assert serving.wait(10) == 0


def test_dispatching_needs_a_base(tmp_path, capsys):
    assert cli.main(["dispatch", "--data", str(tmp_path)]) == 2
    assert "dizuo up" in capsys.readouterr().err
