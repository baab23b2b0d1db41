"""Whoever connects to where somebody else says asks the same question of every address."""

from __future__ import annotations

import ipaddress

import pytest

from dizuo.foundation.kernel.public_addresses import is_metadata, is_public


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])
def test_public_servers(text):
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "0.0.0.0", "100.64.0.1", "192.0.0.8", "192.88.99.1", "198.18.0.1",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "64:ff9b:1::1",
    ],
)  # fmt: skip
def test_no_public_server_has_these(text):
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text", ["169.254.169.254", "168.63.129.16", "100.100.100.200", "fe80::a9fe:a9fe", "fd00:ec2::254"]
)
def test_metadata_is_no_public_server_though_one_of_them_is_global(text):
    address = ipaddress.ip_address(text)
    assert is_metadata(address)
    assert not is_public(address)
