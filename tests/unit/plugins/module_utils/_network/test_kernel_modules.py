# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of kernel modules is whole, and its alternatives mean what they say."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._network import _kernel_modules as table
from ansible_collections.fathom.submariner.plugins.module_utils._network._kernel_modules import Need, is_met

LEGACY_OR_NFT = Need("a table", (("ip_tables", "iptable_nat"), ("nf_tables", "nft_compat")))


def test_every_module_has_an_option_and_every_option_a_module():
    assert set(table.all_modules()) == set(table.OPTIONS)
    assert set(table.SET_TYPES.values()) <= set(table.OPTIONS)
    assert not {name for name in table.OPTIONS if "-" in name}
    assert all(options and not any(option.startswith("CONFIG_") for option in options) for options in table.OPTIONS.values())


def test_every_need_says_what_and_has_an_alternative():
    assert {table.IPSET, table.IPTABLES, table.NFTABLES, table.EBPF, table.VXLAN, table.IPIP, table.WIREGUARD, table.IPSEC} <= set(table.NEEDS)
    for needs in table.NEEDS.values():
        assert needs and all(need.what and need.any_of and all(need.any_of) for need in needs)


@pytest.mark.parametrize(
    "present, expected",
    [
        ({"ip_tables": True, "iptable_nat": True, "nf_tables": False}, True),
        ({"nf_tables": True, "nft_compat": True, "ip_tables": False}, True),  # RHEL 10
        ({"ip_tables": True, "iptable_nat": False, "nf_tables": True, "nft_compat": False}, False),  # half of each is nothing
        ({"ip_tables": False, "nf_tables": True}, None),
        ({"ip_tables": True, "nf_tables": False}, None),
        ({}, None),
        ({"ip_tables": False, "nft_compat": False}, False),
    ],
)
def test_a_need_is_met_unmet_or_unknown(present, expected):
    assert is_met(LEGACY_OR_NFT, present.get) is expected
