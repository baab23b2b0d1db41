"""The node's folder: private, keys in order, a log that shows what was done to it; and a start that loads little."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.signing import SM2, PrivateKey, jwks
from dizuo.node import Journal, NodeHome
from dizuo.node.errors import (
    BaseKeysInvalid,
    BaseNotTrusted,
    JournalBroken,
    NodeKeyMissing,
    NodeKeyUnknown,
    NodeNotSetUp,
    NodeSetUpAlready,
)


def test_a_folder_is_set_up_once_and_private(tmp_path):
    with pytest.raises(NodeNotSetUp):
        NodeHome(tmp_path / "n")
    home = NodeHome.make(tmp_path / "n", "hrss", "https://base.example/")
    assert home.settings.base == "https://base.example"
    with pytest.raises(NodeSetUpAlready):
        NodeHome.make(tmp_path / "n", "civil", "https://other.example")
    home.make_key()
    home.make_key(SM2)
    for path in [home.folder, *home.folder.rglob("*")]:
        assert not path.stat().st_mode & 0o077, path


def test_only_a_registered_key_signs_and_the_last_one_does(tmp_path):
    home = NodeHome.make(tmp_path / "n", "hrss", "https://base.example")
    made = home.make_key()
    with pytest.raises(NodeKeyMissing):
        home.signing_key()
    assert home.adopt_key(made.id, "hrss.1").public.raw == made.public.raw
    assert home.signing_key().id == "hrss.1"
    other = home.make_key(SM2)
    assert home.signing_key().id == "hrss.1"
    home.adopt_key(other.id, "hrss.2")
    assert (home.signing_key().id, home.signing_key().algorithm) == ("hrss.2", SM2)
    held = home.held()
    assert [(key.id, key.signs) for key in held] == [("hrss.1", False), ("hrss.2", True)]
    home.drop_key("hrss.2")
    assert home.signing_key().id == "hrss.1"
    with pytest.raises(NodeKeyUnknown):
        home.drop_key("hrss.2")


def test_the_bases_keys(tmp_path):
    home = NodeHome.make(tmp_path / "n", "hrss", "https://base.example")
    with pytest.raises(BaseNotTrusted):
        home.trusted()
    base = PrivateKey.make("wuxi.exchange.1").public
    unknown = {"kty": "RSA", "n": "x", "e": "AQAB"}
    home.trust(json.dumps({"keys": [*jwks([base])["keys"], unknown]}).encode())
    assert home.find_base_key("wuxi.exchange.1").raw == base.raw
    for wrong in (b"", b"[]", b"{}", b'{"keys": []}', b'{"keys": [{"kty": "RSA"}]}', b'{"keys": "x"}'):
        with pytest.raises(BaseKeysInvalid):
            home.trust(wrong)
    assert home.find_base_key("wuxi.exchange.1").raw == base.raw


@pytest.mark.parametrize("wound", ["changed", "removed", "reordered", "cut", "forged"])
def test_the_log_shows_what_was_done_to_it(tmp_path, wound):
    journal = Journal(tmp_path, SystemNow())
    for n in range(4):
        journal.note("query", case=f"C{n}")
    assert [line["case"] for line in journal.lines()] == ["C0", "C1", "C2", "C3"]
    lines = journal.path.read_bytes().splitlines(keepends=True)
    if wound == "changed":
        lines[1] = lines[1].replace(b"C1", b"C9")
    elif wound == "removed":
        del lines[1]
    elif wound == "reordered":
        lines[1], lines[2] = lines[2], lines[1]
    elif wound == "cut":
        lines[3] = lines[3][:20]
    else:
        lines.insert(2, lines[2])
    journal.path.write_bytes(b"".join(lines))
    with pytest.raises(JournalBroken):
        list(journal.lines())
    journal.note("query", case="C5")  # the work goes on, and the break stays visible
    with pytest.raises(JournalBroken):
        list(journal.lines())


def test_several_processes_write_one_log(tmp_path):
    code = (
        "import sys; from pathlib import Path; from dizuo.foundation.kernel.clock_source import SystemNow;"
        "from dizuo.node import Journal; j = Journal(Path(sys.argv[1]), SystemNow());"
        "[j.note('query', n=n) for n in range(20)]"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [one.wait(60) for one in running] == [0, 0, 0]
    assert len(list(Journal(tmp_path, SystemNow()).lines())) == 60


def test_the_package_loads_little():
    told = subprocess.run(
        [sys.executable, "-c", "import dizuo.node, sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    loaded = set(told.stdout.split())
    assert not loaded & {
        "httpx",
        "psycopg",
        "asyncpg",
        "yaml",
        "pyarrow",
        "starlette",
        "dizuo.foundation.store",
    }
    rooms = {".".join(name.split(".")[:3]) for name in loaded if name.startswith("dizuo.foundation.")}
    assert rooms == {"dizuo.foundation.kernel", "dizuo.foundation.signing"}
