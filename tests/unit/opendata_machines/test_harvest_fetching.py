"""Addresses that others wrote are fetched without being turned against our own network, and never without end."""

from __future__ import annotations

import gzip
import ipaddress
import time
from collections.abc import Iterator
from typing import Any

import pytest
from elsewhere import Elsewhere, elsewhere

from dizuo.engines.opendata.harvest import (
    AddressRefused,
    CatalogueUnreadable,
    Fetcher,
    FetchFailed,
    Resolver,
    TooMuch,
)
from dizuo.engines.opendata.harvest.csv_catalogue import read_csv
from dizuo.engines.opendata.harvest.dcat_catalogue import read_dcat

HERE = ["127.0.0.1/32"]


@pytest.fixture
def world() -> Iterator[Elsewhere]:
    with elsewhere() as found:
        yield found


class Names(Resolver):
    """Names that answer what the test says; the second time perhaps something else."""

    def __init__(self, **names: list[str]) -> None:
        self.names = {name.replace("_", "."): list(listed) for name, listed in names.items()}
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[Any]:
        self.asked += 1
        listed = self.names.get(host)
        return [ipaddress.ip_address(one) for one in listed] if listed else await super().__call__(host, port)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0.0.0.0/", "http://10.0.0.1/", "http://192.168.1.1/",
        "http://172.16.0.1/", "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/", "http://168.63.129.16/", "http://[fe80::1]/",
        "http://[fd00::1]/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
        "http://224.0.0.1/", "http://255.255.255.255/", "http://2130706433/", "http://0x7f.1/", "http://127.1/",
        "file:///etc/passwd", "ftp://x.example/", "gopher://x.example/", "http://user:pass@x.example/", "http:///x", "http://[bad/",
        "http://x.example/\r\nx: y", "//x.example/",
    ],
)  # fmt: skip
async def test_inner_addresses_are_never_called(url: str) -> None:
    with pytest.raises(AddressRefused):
        await Fetcher().get(url)


async def test_a_name_of_an_inner_address_is_refused(world: Elsewhere) -> None:
    port = int(world.base.rpartition(":")[2])
    for listed in (["127.0.0.1"], ["93.184.216.34", "10.0.0.1"]):
        with pytest.raises(AddressRefused):
            await Fetcher(resolve=Names(evil_example=listed)).get(f"http://evil.example:{port}/x")
    assert world.asked == []


async def test_the_judged_address_is_the_one_called(world: Elsewhere) -> None:
    """The name is looked up once: a second answer for the connection would not be judged."""
    port = int(world.base.rpartition(":")[2])
    seen: list[str] = []

    def answer(query: dict[str, str], headers: Any) -> Any:
        seen.append(headers["host"])
        return 200, {}, b"ok"

    world.answers["/x"] = answer
    names = Names(city_example=["127.0.0.1"])
    fetched = await Fetcher(HERE, resolve=names).get(f"http://city.example:{port}/x")
    assert (fetched.body, names.asked, seen) == (b"ok", 1, [f"city.example:{port}"])


async def test_redirects_are_judged_one_by_one(world: Elsewhere) -> None:
    world.answers["/in"] = lambda query, headers: (302, {"location": "http://169.254.169.254/"}, b"")
    world.answers["/far"] = lambda query, headers: (301, {"location": "file:///etc/passwd"}, b"")
    world.answers["/round"] = lambda query, headers: (302, {"location": "/round"}, b"")
    world.answers["/good"] = lambda query, headers: (307, {"location": "/end"}, b"")
    world.answers["/end"] = b"there"
    for path in ("/in", "/far"):
        with pytest.raises(AddressRefused):
            await Fetcher(HERE).get(world.base + path)
    with pytest.raises(FetchFailed):
        await Fetcher(HERE).get(f"{world.base}/round")
    assert (await Fetcher(HERE).get(f"{world.base}/good")).body == b"there"


async def test_too_much_and_too_slow_are_stopped(world: Elsewhere) -> None:
    packed = gzip.compress(b"0" * 30_000_000)
    assert len(packed) < 100_000
    world.answers["/big"] = b"0" * 3_000_000
    world.answers["/bomb"] = lambda query, headers: (200, {"content-encoding": "gzip"}, packed)

    def slow(query: dict[str, str], headers: Any) -> Any:
        time.sleep(1.5)
        return 200, {}, b"late"

    world.answers["/slow"] = slow
    for path in ("/big", "/bomb"):
        with pytest.raises(TooMuch):
            await Fetcher(HERE, size=1 << 20).get(world.base + path)
    with pytest.raises(TooMuch):
        await Fetcher(HERE, seconds=0.3).get(f"{world.base}/slow")
    with pytest.raises(FetchFailed):
        await Fetcher(HERE).get(f"{world.base}/nosuch")


async def test_only_the_network_that_was_named_is_open(world: Elsewhere) -> None:
    world.answers["/x"] = b"ok"
    assert (await Fetcher(HERE).get(f"{world.base}/x")).body == b"ok"
    with pytest.raises(AddressRefused):
        await Fetcher(["10.1.0.0/16"]).get(f"{world.base}/x")
    with pytest.raises(AddressRefused):
        await Fetcher(HERE).get("http://127.0.0.2/x")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>', "application/rdf+xml"),
        (b'<!DOCTYPE r [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><r>&b;</r>', "application/rdf+xml"),
        (
            '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'.encode("utf-16"),
            "application/rdf+xml",
        ),
        (b'{"@context": "http://127.0.0.1/context", "@id": "http://a.example/"}', "application/ld+json"),
        (b'{"@graph": [{"a": {"@context": ["http://10.0.0.1/x"]}}]}', "application/ld+json"),
        (b'{"@context": {"@import": "http://10.0.0.1/x"}}', "application/ld+json"),
        (b"[" * 100_000, "application/ld+json"),
        (b"<a> <b> ", "text/turtle"),
        (b"\xff\xfe\x00", "text/turtle"),
        (b"<a:a> <b:b> <c:c> .", "text/turtle"),
    ],
)
def test_a_document_that_fetches_grows_or_is_none_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(CatalogueUnreadable):
        read_dcat(body, kind, "http://a.example/catalog")


def test_a_csv_is_read_by_what_its_columns_are_called() -> None:
    text = "数据集名称,摘要,提供单位,更新周期,数据地址,关键词\n停车场,位置,交通局,每月,https://a.example/x.csv,停车；车位\n,空,x,,,\n停车场二,,,,https://a.example/x.csv,\n"
    page = read_csv(text.encode("gb18030"), "https://a.example/catalogue.csv")
    first, second, third = page.records
    assert (first.identifier, first.publisher) == ("https://a.example/x.csv", "交通局")
    assert first.package["tags"] == [{"name": "停车"}, {"name": "车位"}]
    assert first.package["resources"][0]["format"] == "CSV"
    assert "没有标题" in second.fault
    assert "相同" in third.fault
    with pytest.raises(CatalogueUnreadable):
        read_csv(b"a,b\n1,2\n", "https://a.example/x")
