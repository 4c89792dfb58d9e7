# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ip -j -d address show`` to links, and the CNI's interface among them."""

from __future__ import annotations

import ipaddress
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._node import _parse_links as parse
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import Address, CniInterface, NodeLink, Vxlan
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.hosts import link, printed, vxlan

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["ifname", "ifindex", "mtu", "flags", "linkinfo", "info_kind", "info_data", "addr_info", "local", "prefixlen", "id", "port", "link", "dst", "nexthops",
         "metrics", "via", "gateway", "table", "src", "srclen", "fwmark"]
    ), inner, max_size=6),
    max_leaves=20,
)  # fmt: skip
NAMES = st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"], exclude_characters="/"), min_size=1, max_size=15)


def test_a_node_of_calico_and_submariner():
    text = printed(
        link("eth0", 2, "10.0.0.1/24", "fe80::1/64", mtu=9001),
        vxlan("vxlan.calico", 5, 4096, 4789, "10.42.1.0/32", local="10.0.0.1", link="eth0"),
        vxlan("vx-submariner", 9, 100, 4800, "240.0.0.1/8", local="10.0.0.1", remote="10.0.0.9"),
        link("lo", 1, "127.0.0.1/8", link_type="loopback", flags=["LOOPBACK", "UP", "LOWER_UP"], mtu=65536),
        link("cali1", 7, flags=["BROADCAST", "NO-CARRIER", "UP"], linkinfo={"info_kind": "veth"}, link="eth0", link_netnsid=0, master="br0"),
        link("eth0.5", 8, flags=["BROADCAST"], linkinfo={"info_kind": "vlan"}, link="eth0"),
        {},
    )
    lo, eth0, calico, cali1, vlan, submariner = parse.links(text)
    assert lo == NodeLink("lo", 1, 65536, up=True, running=True, addresses=(Address("127.0.0.1/8", "global"),))
    assert (eth0.mtu, eth0.mac, eth0.kind, eth0.vxlan) == (9001, "02:00:00:00:00:01", "", None)
    assert eth0.addresses == (Address("10.0.0.1/24", "global"), Address("fe80::1/64", "global"))
    assert calico.vxlan == Vxlan(4096, 4789, "10.0.0.1", "", "eth0")
    assert submariner.vxlan == Vxlan(100, 4800, "10.0.0.1", "10.0.0.9", "")
    assert (cali1.up, cali1.running, cali1.parent, cali1.master) == (True, False, "", "br0")
    assert (vlan.up, vlan.parent) == (False, "eth0")


@pytest.mark.parametrize(
    "data, expected",
    [
        ({"id": 4096}, Vxlan(4096, 8472)),  # RHEL 8: the port is left out where it is Linux' own
        ({"id": 1, "port": 4789, "local6": "fd00::1", "group6": "ff05::1"}, Vxlan(1, 4789, "fd00::1", "ff05::1")),
        ({"external": True, "port": 4789}, Vxlan(0, 4789)),
        ({}, None),
    ],
)
def test_vxlan_as_versions_of_iproute2_print_it(data, expected):
    (found,) = parse.links(printed(link("v", 3, linkinfo={"info_kind": "vxlan", "info_data": data})))
    assert found.vxlan == expected


@given(st.lists(st.tuples(NAMES, st.integers(1, 9999), st.ip_addresses(), st.integers(68, 65535)), unique_by=lambda each: each[1]))
def test_every_link_comes_back_in_the_order_of_indices(wanted):
    text = printed(*(link(name, index, f"{address}/{address.max_prefixlen}", mtu=mtu) for name, index, address, mtu in wanted))
    found = parse.links(text)
    assert [each.index for each in found] == sorted(each[1] for each in wanted)
    assert {(each.name, each.index, each.addresses[0].address.partition("/")[0], each.mtu) for each in found} == {
        (name, index, str(address), mtu) for name, index, address, mtu in wanted
    }


@given(JSON)
def test_json_of_any_shape_is_read_or_unreadable(value):
    try:
        found = parse.links(json.dumps(value))
    except Unreadable:
        assert not isinstance(value, list)
    else:
        assert all(each.name for each in found)


@pytest.mark.parametrize("text", ["1: lo: <LOOPBACK,UP> mtu 65536\n", '{"a": 1}', "[" * 100000])
def test_what_is_no_list_of_json_is_unreadable(text):
    with pytest.raises(Unreadable, match="ip -j"):
        parse.links(text)
    assert parse.links("") == ()


NODE = parse.links(
    printed(
        link("eth0", 2, "10.0.0.1/24"),
        vxlan("vxlan.calico", 5, 4096, 4789, "10.42.1.0/32"),
        link("cni0", 4, "fd00:42::1/64", "10.42.1.1/24"),
        link("other", 9, "10.200.0.1/16"),
    )
)


@pytest.mark.parametrize(
    "cidrs, name, address, cidr",
    [
        (("10.42.0.0/16",), "cni0", "10.42.1.1", "10.42.0.0/16"),  # by index, whatever it is called
        (("10.42.1.0/32",), "vxlan.calico", "10.42.1.0", "10.42.1.0/32"),
        (("10.46.0.0/24",), "", "", ""),  # a wrong cluster CIDR finds none
        (("10.0.0.0/8",), "eth0", "10.0.0.1", "10.0.0.0/8"),  # one that holds the node's own address finds that
        (("10.200.0.0/16", "10.42.0.0/16"), "other", "10.200.0.1", "10.200.0.0/16"),  # CIDR by CIDR
        (("fd00:42::/56", "10.42.0.0/16"), "cni0", "10.42.1.1", "10.42.0.0/16"),  # IPv4 alone
        (("nonsense",), "", "", ""),
    ],
)
def test_the_cni_interface_as_submariner_finds_it(cidrs, name, address, cidr):
    assert parse.cni_interface(NODE, cidrs) == CniInterface(name, address, cidr, cidrs)


@given(st.lists(st.tuples(st.integers(1, 50), st.ip_addresses(v=4)), unique_by=lambda each: each[0]), st.ip_addresses(v=4), st.integers(0, 32))
def test_the_first_index_inside_wins(wanted, base, length):
    network = ipaddress.ip_network(f"{base}/{length}", strict=False)
    links = [NodeLink(f"i{index}", index, addresses=(Address(f"{address}/24"),)) for index, address in wanted]
    inside = sorted(index for index, address in wanted if address in network)
    assert parse.cni_interface(links, (str(network),)).name == (f"i{inside[0]}" if inside else "")
