# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many addresses in few ranges."""

from __future__ import annotations

import ipaddress

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import of_family
from ansible_collections.fathom.submariner.plugins.module_utils._network._few_ranges import in_few_ranges

ADDRESSES = st.one_of(st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address), st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address))


def test_few_are_exact():
    addresses = [ipaddress.ip_address(text) for text in ("192.0.2.1", "192.0.2.2", "192.0.2.3", "fd00::1")]
    assert [str(network) for network in in_few_ranges(addresses)] == ["192.0.2.1/32", "192.0.2.2/31", "fd00::1/128"]


def test_five_thousand_nodes():
    addresses = [ipaddress.ip_address("10.0.0.0") + 2 * number for number in range(5000)]
    ranges = in_few_ranges(addresses)
    assert 1 < len(ranges) <= 32
    assert ranges[0].network_address == addresses[0] and addresses[-1] in ranges[-1]
    assert sum(network.num_addresses for network in ranges) < 4 * len(addresses)


@settings(deadline=None)
@given(st.lists(ADDRESSES, max_size=60), st.integers(1, 8))
def test_they_hold_every_address_and_are_few(addresses, most):
    ranges = in_few_ranges(addresses, most)
    assert all(any(address in network for network in ranges if network.version == address.version) for address in addresses)
    assert all(len(of_family(ranges, family)) <= most for family in ("ipv4", "ipv6"))
