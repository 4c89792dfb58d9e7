# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pseudonyms of addresses keep which lies in which."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction_addresses import Pseudonyms

MAPPING = Pseudonyms(b"0123456789abcdef")
V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)


def networks(addresses, shortest, longest):
    return st.tuples(addresses, st.integers(shortest, longest)).map(lambda pair: ipaddress.ip_network(pair, strict=False))


def common(one, other):
    width = one.max_prefixlen
    return width - (int(one) ^ int(other)).bit_length()


def mapped(network):
    return ipaddress.ip_network(MAPPING.text(str(network)))


@given(V4, V4)
@settings(deadline=None)
def test_addresses_keep_their_common_prefix(one, other):
    assert common(ipaddress.ip_address(MAPPING.address(str(one))), ipaddress.ip_address(MAPPING.address(str(other)))) == common(one, other)


@given(networks(V4, 8, 32), networks(V4, 8, 32))
@settings(deadline=None)
def test_overlap_and_containment_of_ranges_stay(one, other):
    assert mapped(one).prefixlen == one.prefixlen
    assert mapped(one).overlaps(mapped(other)) == one.overlaps(other)
    assert mapped(one).subnet_of(mapped(other)) == one.subnet_of(other)


@given(networks(V4, 8, 28), st.integers(0, 2**24))
@settings(deadline=None)
def test_a_range_holds_its_own_addresses(network, number):
    address = network[number % network.num_addresses | 1]  # odd: one that ends in zeros is taken for the first of a range
    assert ipaddress.ip_address(MAPPING.text(f"pod {address} ready").split()[1]) in mapped(network)


@given(networks(V6, 16, 64), st.integers(0, 2**64))
@settings(deadline=None)
def test_the_same_for_ipv6(network, number):
    address = network[number % network.num_addresses]
    found = MAPPING.text(f"{network} {address}").split()
    assert ipaddress.ip_address(found[1]) in ipaddress.ip_network(found[0])


@given(V4)
@settings(deadline=None)
def test_what_an_address_is_for_stays(address):
    found = ipaddress.ip_address(MAPPING.address(str(address)))
    for kind in ("is_private", "is_loopback", "is_link_local", "is_multicast"):
        assert getattr(found, kind) == getattr(address, kind), kind
    for network in ("10.0.0.0/8", "172.16.0.0/12", "172.17.0.0/16", "192.168.0.0/16", "100.64.0.0/10", "240.0.0.0/8", "242.0.0.0/8"):
        assert (found in ipaddress.ip_network(network)) == (address in ipaddress.ip_network(network))


def test_names_and_logs():
    text = MAPPING.text("submariner-cable-b-2-192-168-200-21 at 192.168.200.21 in submariner-b-10.42.0.0-16, 10.42.3.4 of 10.42.0.0/16")
    words = text.replace(",", "").split()
    assert words[0].removeprefix("submariner-cable-b-2-").replace("-", ".") == words[2] != "192.168.200.21"
    assert words[4].removeprefix("submariner-b-").replace("-", "/") == words[7] != "10.42.0.0/16"
    assert ipaddress.ip_address(words[5]) in ipaddress.ip_network(words[7])


@pytest.mark.parametrize(
    "text",
    ["v3.26.1", "1.2.3.4.5", "2026-11-21T11:14:15Z", "12:34:56", "127.0.0.1", "0.0.0.0/0", "::1", "::/0", "a:b", "rke2-1", "10.46.0.0.1", "aa:bb:cc:dd:ee:ff"],
)
def test_what_is_no_address_or_means_itself_stays(text):
    assert MAPPING.text(text) == text


def test_keys_make_mappings():
    other = Pseudonyms(b"another key of bytes")
    assert MAPPING.address("10.42.3.4") == Pseudonyms(b"0123456789abcdef").address("10.42.3.4") != other.address("10.42.3.4")


def test_objects_keep_their_shape():
    found = MAPPING.object({"10.42.3.4": ["10.42.3.4", 7, None, {"a": True}]})
    assert list(found.values()) == [[*found, 7, None, {"a": True}]] and list(found) != ["10.42.3.4"]
