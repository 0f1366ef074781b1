"""
Which addresses are the internet's. The table is ours: Python's own (`is_global`) says otherwise in each version.

From IANA's registries "IPv4 Special-Purpose Address Space" and "IPv6 Special-Purpose Address Space" (RFC 6890 and what
followed, as of 2025) and its registries of multicast addresses. What they call globally reachable for one service only
(AS112, AMT, protocols' anycast) receives no webhooks, and is refused, too.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address

_V4: Final = tuple(
    IPv4Network(one)
    for one in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # shared: carriers' NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local: the metadata service, for one
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "192.168.0.0/16",  # private use
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast among them
    )
)

_UNICAST: Final = IPv6Network("2000::/3")
"""All that IANA gives out; outside of it are loopback, mapped, unique local, link-local, site-local and multicast."""

_V6: Final = tuple(
    IPv6Network(one)
    for one in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, AMT, ORCHID, DETs
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address within, deprecated
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

_WITH_V4_WITHIN: Final = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
"""Mapped, and NAT64's well-known prefix: they lead to the IPv4 address in their last 32 bits."""


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the internet's, also if it is wrapped in another."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _V4)
    if any(address in network for network in _WITH_V4_WITHIN):
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address.scope_id is None and address in _UNICAST and not any(address in network for network in _V6)
