"""Which addresses of the internet are anybody's public servers: for whoever connects to where somebody else says. Pure."""

from __future__ import annotations

import ipaddress
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA: Final = tuple(
    map(
        ipaddress.ip_network,
        ("169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32", "fe80::/10", "fd00:ec2::/32"),
    )
)
# Special-purpose networks (RFC 6890) that some versions of Python take for public ones.
_SPECIAL: Final = tuple(
    map(
        ipaddress.ip_network,
        ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "64:ff9b:1::/48"),
    )
)


def is_metadata(address: Address) -> bool:
    """Whether it is of the own link or a cloud's instance metadata; one of these is a public address."""
    return any(address in network for network in _METADATA)


def is_public(address: Address) -> bool:
    """Whether a public server may have it: global, for one receiver, not reserved, no metadata (RFC 6890)."""
    special = any(address in network for network in _SPECIAL)
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved or special)
        and not is_metadata(address)
    )
