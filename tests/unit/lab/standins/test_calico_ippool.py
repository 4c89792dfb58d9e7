# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which IPPools the Calico API server takes, and with what words it refuses the others."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.standins._calico_ippool import FieldError, from_storage, overlapping, parse, prepare

OTHERS = {"default-ipv4-ippool": {"cidr": "10.46.0.0/16"}, "submariner-b-10.42.0.0-24": {"cidr": "10.42.0.0/24", "disabled": True}}


def reasons(errors: list[FieldError]) -> list[str]:
    return [each.reason for each in errors]


def test_a_remote_pool_gets_its_defaults():
    spec, errors = prepare("submariner-b-10.43.0.0-16", {"cidr": "10.43.0.0/16", "disabled": True, "natOutgoing": False}, None, OTHERS)
    assert errors == []
    assert spec == {
        "cidr": "10.43.0.0/16",
        "disabled": True,
        "natOutgoing": False,
        "blockSize": 26,
        "ipipMode": "Never",
        "vxlanMode": "Never",
        "nodeSelector": "all()",
        "allowedUses": ["Workload", "Tunnel"],
    }


@pytest.mark.parametrize("cidr", ["10.42.0.0/24", "10.42.0.0/16", "10.42.0.128/25", "10.40.0.0/14"])
def test_equal_larger_and_smaller_ranges_overlap_with_a_disabled_pool(cidr):
    _spec, errors = prepare("right", {"cidr": cidr, "disabled": True}, None, OTHERS)
    assert errors == [
        FieldError("IPPool.Spec.CIDR", cidr, "IPPool(right) CIDR overlaps with IPPool(submariner-b-10.42.0.0-24) CIDR 10.42.0.0/24")
    ]


def test_an_overlap_is_looked_for_only_when_creating():
    old = {"cidr": "10.42.0.0/24", "disabled": True, "blockSize": 26}
    others = {**OTHERS, "twin": {"cidr": "10.42.0.0/16"}}
    assert prepare("submariner-b-10.42.0.0-24", {**old, "natOutgoing": True}, old, others)[1] == []


def test_a_pool_does_not_overlap_with_itself():
    assert prepare("default-ipv4-ippool", {"cidr": "10.46.0.0/16"}, None, OTHERS)[1] == []


@pytest.mark.parametrize(
    "spec,reason",
    [
        ({}, "IPPool CIDR must be specified"),
        ({"cidr": "10.46.0.0"}, "IPPool CIDR must be a valid subnet"),
        ({"cidr": "10.46.0.0/255.255.0.0"}, "IPPool CIDR must be a valid subnet"),
        ({"cidr": "300.0.0.0/8"}, "IPPool CIDR must be a valid subnet"),
        ({"cidr": "10.50.1.0/16"}, "IPPool CIDR is not strictly masked"),
        ({"cidr": "10.50.0.0/16", "blockSize": 19}, "IPv4 block size must be between 20 and 32"),
        ({"cidr": "fd00:50::/64", "blockSize": 64}, "IPv6 block size must be between 116 and 128"),
        ({"cidr": "10.50.0.0/28"}, "IP pool size is too small for use with Calico IPAM. It must be equal to or greater than the block size."),
        ({"cidr": "169.254.8.0/24", "disabled": True}, "IPPool CIDR overlaps with IPv4 Link Local range 169.254.0.0/16"),
        ({"cidr": "10.50.0.0/16", "vxlanMode": "Always", "ipipMode": "Always"}, "Cannot enable both VXLAN and IPIP on the same IPPool"),
        ({"cidr": "fd00:50::/64", "ipipMode": "Always"}, "IPIP is not supported on an IPv6 IP pool"),
        ({"cidr": "10.50.0.0/16", "vxlanMode": "Sometimes"}, "failed to validate Field: VXLANMode because of Tag: vxlanMode "),
        ({"cidr": "10.50.0.0/16", "allowedUses": ["Lunch"]}, "unknown use: Lunch"),
    ],
)
def test_refusals(spec, reason):
    assert reasons(prepare("mine", spec, None, {})[1]) == [reason]


def test_cidr_and_block_size_stay_as_they_are():
    old = {"cidr": "10.50.0.0/16"}
    assert reasons(prepare("mine", {"cidr": "10.51.0.0/16"}, old, {})[1]) == ["IPPool CIDR cannot be modified"]
    assert reasons(prepare("mine", {"cidr": "10.50.0.0/16", "blockSize": 24}, old, {})[1]) == ["IPPool BlockSize cannot be modified"]
    assert prepare("mine", {"cidr": "10.50.0.0/16", "blockSize": 26}, old, {})[1] == []


def test_reading_fills_in_what_calicoctl_left_out():
    assert from_storage({"cidr": "fd00::/64"}) == {"cidr": "fd00::/64", "blockSize": 122, "nodeSelector": "all()"}
    assert from_storage({"cidr": "nonsense"}) == {"cidr": "nonsense", "nodeSelector": "all()"}


networks = st.builds(
    lambda address, length: ipaddress.ip_network((address, length), strict=False), st.integers(0, 2**32 - 1), st.integers(8, 32)
)


@given(networks, networks)
def test_overlap_is_an_address_in_common(one, other):
    common = max(int(one[0]), int(other[0])) <= min(int(one[-1]), int(other[-1]))
    assert bool(overlapping(one, {"other": {"cidr": str(other)}})) == common


@given(st.text(max_size=30))
def test_any_text_is_a_subnet_or_none(text):
    parsed = parse(text)
    assert parsed is None or (parsed.network.prefixlen == int(text.rpartition("/")[2]) and parsed.ip in parsed.network)
