"""Which addresses are the internet's, by our own table: the edges of every range, on both sides."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest

from lanework.observe.special_addresses import is_public

SPECIAL = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
)


@pytest.mark.parametrize("network", [ip_network(one) for one in SPECIAL], ids=SPECIAL)
def test_every_address_of_a_special_range_is_refused_from_its_first_to_its_last(
    network: IPv4Network | IPv6Network,
) -> None:
    first, last = network[0], network[-1]

    assert [False, False, False] == [is_public(one) for one in (first, network[network.num_addresses // 2], last)]


@pytest.mark.parametrize(
    "address",
    [
        *("1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0"),
        *("169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0"),
        *("192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "203.0.112.255"),
        *("203.0.114.0", "223.255.255.255", "8.8.8.8"),
        *("2000::", "2001:200::", "2001:4860:4860::8888", "2001:db7:ffff::", "2001:db9::", "2003::", "2606:4700::1"),
        *("3ffe:ffff::", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"),
    ],
)
def test_the_addresses_beside_a_special_range_are_the_internets(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8"),
        *("2002:7f00:1::", "2002:808:808::", "2001:0:7f00:1::", "::ffff:0:127.0.0.1", "fe80::1%eth0", "4000::1"),
        *("fd00:ec2::254", "2001:20::1", "2001:2::1", "2606:4700:4700::1111%eth0"),
    ],
)
def test_an_address_that_leads_to_a_special_one_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))
