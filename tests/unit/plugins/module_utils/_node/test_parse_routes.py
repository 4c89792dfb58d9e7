# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ip -j route show`` and ``ip -j rule show`` to records."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._node import _parse_routes as parse
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeRoute, NodeRule
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.test_parse_links import JSON

ROUTES = [
    {"dst": "default", "gateway": "10.0.0.254", "dev": "eth0", "protocol": "dhcp", "prefsrc": "10.0.0.1", "metric": 100, "flags": []},
    {"dst": "10.42.2.0/26", "gateway": "10.42.2.0", "dev": "vxlan.calico", "flags": ["onlink"]},
    {"type": "blackhole", "dst": "10.42.1.0/26", "protocol": "80", "flags": []},
    {"dst": "10.46.0.0/16", "dev": "vx-submariner", "gateway": "240.0.0.9", "table": "149", "metrics": [{"mtu": 1400}], "flags": []},
    {"dst": "10.98.0.0/16", "dev": "eth0", "table": 150, "mtu": 1300},
    {"dst": "10.99.0.0/16", "protocol": "bird", "flags": [], "nexthops": [{"gateway": "10.0.0.5", "dev": "eth0"}, {"gateway": "10.0.0.6", "dev": "eth1"}]},
    {"dst": "default", "via": {"family": "inet6", "host": "fe80::1"}, "dev": "eth0", "table": "99"},
    {"type": "local", "dst": "10.0.0.1", "dev": "eth0", "table": "local", "protocol": "kernel"},
]


def test_routes():
    assert parse.routes(json.dumps(ROUTES), 4) == (
        NodeRoute("default", via="10.0.0.254", device="eth0", source="10.0.0.1", metric=100, protocol="dhcp"),
        NodeRoute("10.42.2.0/26", via="10.42.2.0", device="vxlan.calico"),
        NodeRoute("10.42.1.0/26", protocol="80", kind="blackhole"),
        NodeRoute("10.46.0.0/16", "149", via="240.0.0.9", device="vx-submariner", mtu=1400),
        NodeRoute("10.98.0.0/16", "150", device="eth0", mtu=1300),
        NodeRoute("10.99.0.0/16", via="10.0.0.5", device="eth0", protocol="bird"),
        NodeRoute("10.99.0.0/16", via="10.0.0.6", device="eth1", protocol="bird"),
        NodeRoute("default", "99", via="fe80::1", device="eth0"),
        NodeRoute("10.0.0.1", "local", device="eth0", protocol="kernel", kind="local"),
    )
    assert parse.routes("", 6) == parse.routes("[]", 6) == parse.routes("[{}]", 6) == ()  # no route, as three versions print it


def test_rules_and_the_tables_that_they_lead_to():
    text = json.dumps(
        [
            {"priority": 0, "src": "all", "table": "local"},
            {"priority": 150, "src": "10.0.0.0", "srclen": 8, "dst": "10.46.0.0", "dstlen": 16, "table": "150"},
            {"priority": 99, "src": "all", "fwmark": "0x200", "fwmask": "0x200", "table": 77},
            {"priority": 30400, "src": "10.0.0.5", "table": "30400"},
            {"priority": 32766, "src": "all", "table": "254"},
        ]
    )
    found = parse.rules(text, 4)
    assert found == (
        NodeRule(0, "local"),
        NodeRule(150, "150", source="10.0.0.0/8", destination="10.46.0.0/16"),
        NodeRule(99, "77", mark="0x200/0x200"),
        NodeRule(30400, "30400", source="10.0.0.5"),
        NodeRule(32766, "main"),
    )
    assert parse.wanted_tables(found) == {"main", "149", "150", "77", "30400"}
    assert parse.wanted_tables(()) == {"main", "149", "150"}


@given(st.lists(st.tuples(st.ip_addresses(v=4), st.integers(0, 32), st.integers(1, 2**31), st.integers(0, 9000))))
def test_every_route_comes_back(wanted):
    text = json.dumps([{"dst": f"{address}/{length}", "dev": "eth0", "table": str(table), "metrics": [{"mtu": mtu}]} for address, length, table, mtu in wanted])
    found = parse.routes(text, 4)
    assert [(each.destination, each.mtu) for each in found] == [(f"{address}/{length}", mtu) for address, length, _table, mtu in wanted]
    assert [each.table for each in found] == [parse.table_name(table) for _address, _length, table, _mtu in wanted]


@given(JSON)
def test_json_of_any_shape_is_read_or_unreadable(value):
    for read in (parse.routes, parse.rules):
        try:
            read(json.dumps(value), 4)
        except Unreadable:
            assert not isinstance(value, list)


def test_what_is_no_json_is_unreadable():
    with pytest.raises(Unreadable, match="ip -j -6 rule show printed no JSON"):
        parse.rules("0: from all lookup local\n", 6)
