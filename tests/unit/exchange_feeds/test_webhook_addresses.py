"""Pushes go to public https addresses and nowhere else: no inside address by name, number, redirect or change of mind."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from feed_consumer import Consumer

from dizuo.engines.exchange.delivery.subscribe_errors import WebhookAddressRefused
from dizuo.engines.exchange.delivery.webhook_address import Addresses
from dizuo.engines.exchange.delivery.webhook_send import WebhookSender
from dizuo.foundation.kernel.clock_source import SHANGHAI, FrozenNow
from dizuo.foundation.signing import PrivateKey

KEY = PrivateKey.make("base-1")
NOW = FrozenNow(dt.datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI))


def resolving(*answers: list[str]):
    """A resolver that gives these answers one after the other, the last one for ever."""
    left = list(answers)
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return left.pop(0) if len(left) > 1 else left[0]

    resolve.asked = asked  # type: ignore[attr-defined]
    return resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
        "169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "ff02::1", "2001:db8::1", "rubbish",
    ],
)  # fmt: skip
async def test_no_inside_address_whatever_it_is_called(address):
    with pytest.raises(WebhookAddressRefused):
        await Addresses(resolve=resolving([address])).check("https://consumer.example/events")
    with pytest.raises(WebhookAddressRefused):  # one good address does not carry a bad one along
        await Addresses(resolve=resolving(["8.8.8.8", address])).check("https://consumer.example/events")


@pytest.mark.parametrize("address", ["8.8.8.8", "223.5.5.5", "2400:3200::1", "::ffff:8.8.8.8"])
async def test_public_addresses_are_taken(address):
    await Addresses(resolve=resolving([address])).check("https://consumer.example:8443/events?a=1")


@pytest.mark.parametrize(
    "target",
    [
        "http://consumer.example/", "ftp://consumer.example/", "file:///etc/passwd", "gopher://consumer.example/",
        "https://", "https:///x", "//consumer.example/", "https://user@consumer.example/", "https://a:b@consumer.example/",
        "https://consumer.example/#x", "https://consumer.example\\@inside/", "https://consumer.example:99999/",
        "https://consumer.example/a b", "https://consumer.example/\r\nHost: inside", "https://例子.example/",
        "https://consumer.example/" + "a" * 600, "javascript:alert(1)", "", "https://[::1",
    ],
)  # fmt: skip
async def test_only_plain_https_addresses(target):
    with pytest.raises(WebhookAddressRefused):
        await Addresses(resolve=resolving(["8.8.8.8"])).check(target)


@pytest.mark.parametrize("target", ["https://127.0.0.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/",
                                    "https://localhost/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://127.1/"])  # fmt: skip
async def test_numbers_in_any_spelling_by_the_systems_own_resolver(target):
    with pytest.raises(WebhookAddressRefused):
        await Addresses().check(target)


async def test_a_permitted_host_may_be_inside_but_never_the_clouds_metadata():
    inside = Addresses(["inside.wuxi.example:8080", "other.example"], resolving(["10.0.0.9"]))
    await inside.check("http://inside.wuxi.example:8080/x")
    await inside.check("https://INSIDE.wuxi.example:8080/x")
    await inside.check("http://other.example/x")
    with pytest.raises(WebhookAddressRefused):
        await inside.check("http://inside.wuxi.example:8081/x")
    metadata = Addresses(["inside.wuxi.example"], resolving(["169.254.169.254"]))
    with pytest.raises(WebhookAddressRefused):
        await metadata.check("http://inside.wuxi.example/x")


async def test_a_name_that_changes_its_mind_after_the_check_gains_nothing():
    """DNS rebinding: public when the subscription was made, and inside when the push connects."""
    consumer = Consumer()
    await consumer.open()
    resolve = resolving(["8.8.8.8"], ["127.0.0.1"])
    addresses = Addresses(resolve=resolve)
    target = f"https://rebinds.example:{consumer.port}/events"
    await addresses.check(target)
    sender = WebhookSender(lambda _: KEY, addresses, NOW, patience=3)
    try:
        outcome = await sender.send(target, b"{}", "application/json")
    finally:
        await sender.close()
        await consumer.close()
    assert not outcome.ok
    assert "内网" in outcome.error
    assert resolve.asked == ["rebinds.example", "rebinds.example"]
    assert not consumer.pushes


async def test_the_connection_goes_to_the_address_that_was_looked_at_and_names_the_host():
    consumer = Consumer()
    await consumer.open()
    named = f"named.example:{consumer.port}"
    addresses = Addresses([named], resolving(["127.0.0.1"]))
    sender = WebhookSender(lambda _: KEY, addresses, NOW)
    try:
        outcome = await sender.send(f"http://{named}/events", b"{}", "application/json")
    finally:
        await sender.close()
        await consumer.close()
    assert outcome.ok
    assert consumer.pushes[0].headers["host"] == named


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status):
    inside, outside = Consumer(), Consumer(status=status)
    await inside.open()
    await outside.open()
    outside.extra = f"location: {inside.url}\r\n"
    sender = WebhookSender(lambda _: KEY, Addresses([inside.permitted, outside.permitted]), NOW)
    try:
        outcome = await sender.send(outside.url, b"{}", "application/json")
    finally:
        await sender.close()
        await inside.close()
        await outside.close()
    assert not outcome.ok
    assert str(status) in outcome.error
    assert not inside.pushes


async def test_an_endless_or_silent_answer_ends_by_itself():
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nx-long: ")
        try:
            while True:
                writer.write(b"a" * 4096)
                await writer.drain()
                await asyncio.sleep(0.005)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    silent = Consumer(silent=True)
    await silent.open()
    sender = WebhookSender(lambda _: KEY, Addresses([host, silent.permitted]), NOW, patience=0.5)
    try:
        assert not (await sender.send(f"http://{host}/", b"{}", "application/json")).ok
        outcome = await sender.send(silent.url, b"{}", "application/json")
        assert not outcome.ok
        assert "没有答复" in outcome.error
    finally:
        await sender.close()
        server.close()
        await silent.close()
