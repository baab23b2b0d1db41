"""RFC 3161: a local authority made of openssl stamps checkpoints; what it did not stamp is refused."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dizuo.foundation.ledger import (
    Authority,
    Checkpoint,
    Entry,
    Sealer,
    SigningKey,
    Stamper,
    check_stamp,
    check_stamps,
    der,
    read_authority,
    read_certificate,
)
from dizuo.foundation.ledger.errors import StampingUnset, StampInvalid
from dizuo.foundation.ledger.stamp import request_of, token_of
from dizuo.foundation.store import Pool

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(
    OPENSSL is None, reason="openssl, which plays the authority, is not installed"
)

CONFIG = """
[ca]
basicConstraints = critical, CA:true
[tsa]
basicConstraints = CA:false
extendedKeyUsage = critical, timeStamping
[web]
extendedKeyUsage = serverAuth
[stamp]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


def openssl(*arguments: object, given: bytes | None = None) -> bytes:
    done = subprocess.run([str(OPENSSL), *map(str, arguments)], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def certified(folder: Path, name: str, part: str, kind: str = "rsa:2048") -> None:
    """A certificate of the authority's CA."""
    curve = ("-pkeyopt", "ec_paramgen_curve:P-256") if kind == "ec" else ()
    openssl("req", "-newkey", kind, *curve, "-nodes", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr",
            "-subj", f"/CN={name}.example")  # fmt: skip
    openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
            "-set_serial", "7", "-days", "30", "-extfile", folder / "conf", "-extensions", part,
            "-out", folder / f"{name}.pem")  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tsa")
    (made / "conf").write_text(CONFIG.format(folder=made))
    (made / "serial").write_text("01\n")
    for ca in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", made / f"{ca}.key", "-out", made / f"{ca}.pem",
                "-subj", f"/CN={ca}.example", "-days", "30")  # fmt: skip
    certified(made, "tsa", "tsa")
    certified(made, "curve", "tsa", "ec")
    return made


def reply(folder: Path, query: bytes, signer: str = "tsa", *more: str) -> bytes:
    (folder / "query").write_bytes(query)
    return openssl("ts", "-reply", "-config", folder / "conf", "-section", "stamp", "-queryfile", folder / "query",
                   "-inkey", folder / f"{signer}.key", "-signer", folder / f"{signer}.pem", *more)  # fmt: skip


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = reply(folder, self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    runner = threading.Thread(target=server.serve_forever, args=(0.05,))
    runner.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/tsa"
    server.shutdown()
    runner.join()
    server.server_close()


TEXT = Checkpoint("city.example", 5, bytes(32)).text()


@pytest.mark.parametrize("signer", ["tsa", "curve"])
def test_a_stamp_holds_for_its_text_and_its_authority(folder: Path, signer: str) -> None:
    body, nonce = request_of(TEXT)
    token = token_of(reply(folder, body, signer))
    for trusted in ("ca", signer):
        stamped = check_stamp(token, TEXT, read_certificate(str(folder / f"{trusted}.pem")), nonce)
        assert abs(stamped.at - datetime.now(UTC)) < timedelta(minutes=5)
        assert stamped.authority == f"CN={signer}.example"
    ca = read_certificate(str(folder / "ca.pem"))
    for text, root, number in (
        (TEXT.replace("5", "6", 1), ca, None),
        (TEXT, read_certificate(str(folder / "other.pem")), None),
        (TEXT, ca, nonce + 1),
    ):
        with pytest.raises(StampInvalid):
            check_stamp(token, text, root, number)


def test_no_altered_token_holds(folder: Path) -> None:
    """Every byte of it changed in turn, in steps; what still holds says the same."""
    body, nonce = request_of(TEXT)
    token = token_of(reply(folder, body))
    ca = read_certificate(str(folder / "ca.pem"))
    whole = check_stamp(token, TEXT, ca, nonce)
    for place in range(0, len(token), 7):
        broken = bytearray(token)
        broken[place] ^= 0x10
        try:
            assert check_stamp(bytes(broken), TEXT, ca, nonce) == whole
        except StampInvalid:
            continue
    for wrong in (b"", token[:-1], token + b"\0", b"\x30\x80" + token[2:], token[:40]):
        with pytest.raises(StampInvalid):
            check_stamp(wrong, TEXT, ca)


def test_a_certificate_for_the_web_stamps_nothing(folder: Path) -> None:
    """The same statement signed anew (CMS with the signer's certificate named), by an authority's and by a server's key."""
    body, _ = request_of(TEXT)
    said = der.read(token_of(reply(folder, body))).part(1, 0xA0).part(0, der.SEQUENCE).parts()[2]
    (folder / "said").write_bytes(said.part(1, 0xA0).part(0, der.OCTETS).body)
    certified(folder, "web", "web")
    ca = read_certificate(str(folder / "ca.pem"))

    def signed_by(name: str) -> bytes:
        return openssl("cms", "-sign", "-binary", "-nodetach", "-cades", "-md", "sha256", "-outform", "DER",
                       "-econtent_type", "1.2.840.113549.1.9.16.1.4", "-in", folder / "said",
                       "-signer", folder / f"{name}.pem", "-inkey", folder / f"{name}.key")  # fmt: skip

    assert check_stamp(signed_by("tsa"), TEXT, ca).authority == "CN=tsa.example"
    with pytest.raises(StampInvalid, match="不是用于时间戳"):
        check_stamp(signed_by("web"), TEXT, ca)


def test_a_refusal_is_told(folder: Path) -> None:
    with pytest.raises(StampInvalid, match="状态 2"):
        token_of(reply(folder, b"\x30\x03\x02\x01\x01"))
    with pytest.raises(StampInvalid):
        token_of(b"rubbish")


@pytest.mark.usefixtures("empty_ledger")
async def test_every_third_checkpoint_is_stamped(
    app_pool: Pool, owner_pool: Pool, sealer_pool: Pool, sealer: Sealer, folder: Path, address: str
) -> None:
    ca = read_certificate(str(folder / "ca.pem"))
    stamper = Stamper(sealer_pool, Authority(address, ca, 3))
    assert await stamper.stamp_once() is None
    done: list[bool] = []
    for n in range(7):
        await app_pool.fetchval("SELECT ledger.append_batch($1)", [Entry("read", {"n": n})])
        await sealer.seal_once()
        done.append(await stamper.stamp_once() is not None)
    assert done == [True, False, False, True, False, False, True]
    async with owner_pool.acquire() as connection:
        assert len(await check_stamps(connection, ca)) == 3
        with pytest.raises(StampInvalid):
            await check_stamps(connection, read_certificate(str(folder / "other.pem")))


def test_the_setting_is_read_strictly(folder: Path) -> None:
    ca = str(folder / "ca.pem")
    assert read_authority({}) is None
    found = read_authority({"DIZUO_TSA_URL": "https://tsa.example/x?key=1", "DIZUO_TSA_CERT": ca})
    assert found is not None
    assert (found.every, found.name) == (3600, "tsa.example")
    for wrong in (
        {"DIZUO_TSA_URL": "ftp://tsa.example", "DIZUO_TSA_CERT": ca},
        {"DIZUO_TSA_URL": "https://tsa.example"},
        {"DIZUO_TSA_URL": "https://tsa.example", "DIZUO_TSA_CERT": ca, "DIZUO_TSA_EVERY": "0"},
    ):
        with pytest.raises(StampingUnset):
            read_authority(wrong)


def test_the_key_that_signs_the_ledger_is_no_authority(folder: Path) -> None:
    key = folder / "ledger.pem"
    key.write_text(str(SigningKey.generate("city.example").public))
    with pytest.raises(StampingUnset):
        read_certificate(str(key))
