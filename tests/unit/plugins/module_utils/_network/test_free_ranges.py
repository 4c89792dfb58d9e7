# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proposals of free ranges."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import overlap
from ansible_collections.fathom.submariner.plugins.module_utils._network._free_ranges import PRIVATE, UNIQUE_LOCAL, free_ranges


def networks(*texts):
    return tuple(ipaddress.ip_network(text) for text in texts)


@pytest.mark.parametrize(
    ("used", "prefix", "count", "expected"),
    [
        ((), 16, 2, ("10.0.0.0/16", "10.1.0.0/16")),
        (("10.0.0.0/16", "10.1.0.0/16"), 16, 1, ("10.2.0.0/16",)),
        (("10.0.0.0/9",), 16, 1, ("10.128.0.0/16",)),
        (("10.0.3.0/24",), 16, 2, ("10.1.0.0/16", "10.2.0.0/16")),
        (("10.0.0.0/8",), 16, 1, ("172.16.0.0/16",)),
        (("10.0.0.0/8", "172.16.0.0/12"), 16, 2, ("192.168.0.0/16",)),
        (("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"), 24, 1, ()),
        (("0.0.0.0/1",), 16, 1, ("172.16.0.0/16",)),
        (("fd00::/8",), 8, 1, ("10.0.0.0/8",)),
        ((), 4, 1, ()),
        ((), 16, 0, ()),
    ],
)
def test_examples(used, prefix, count, expected):
    assert free_ranges(networks(*used), prefix, count) == networks(*expected)


def test_ipv6():
    assert free_ranges(networks("fd00::/16"), 56, 2, UNIQUE_LOCAL) == networks("fd01::/56", "fd01:0:0:100::/56")


@pytest.mark.parametrize(("prefix", "count"), [(33, 1), (-1, 1), (16, -1), (16, 1000)])
def test_nonsense(prefix, count):
    with pytest.raises(ValueError, match="is no"):
        free_ranges((), prefix, count)


USED = st.lists(
    st.builds(
        lambda address, prefix: ipaddress.ip_network((address, prefix), strict=False),
        st.integers(int(ipaddress.ip_address("9.0.0.0")), int(ipaddress.ip_address("11.0.0.0"))),
        st.integers(6, 32),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(USED, st.integers(8, 24), st.integers(0, 6))
def test_they_are_free_private_and_apart(used, prefix, count):
    found = free_ranges(used, prefix, count)
    assert len(found) <= count
    assert not overlap(found, used)
    assert all(network.prefixlen == prefix and any(network.subnet_of(block) for block in PRIVATE) for network in found)
    assert not any(overlap(found[:index], (network,)) for index, network in enumerate(found))


@settings(deadline=None)
@given(USED, st.integers(8, 14))
def test_none_that_is_free_is_overlooked(used, prefix):
    block = PRIVATE[0]
    free = [network for network in block.subnets(new_prefix=prefix) if not overlap((network,), used)]
    assert list(free_ranges(used, prefix, len(free), (block,))) == free
