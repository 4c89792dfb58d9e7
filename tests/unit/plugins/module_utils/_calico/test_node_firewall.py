# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a host's firewall against what Calico and Submariner receive, and lists of devices of NetworkManager."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import IPIP, VXLAN, WIREGUARD
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_firewall import inflows, judge_firewall
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import NodePlan, underlay
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_services import devices, judge_network_manager
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import FirewallRule, NetworkManager, NodeHost, NodeRoute
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.node_hosts import drop, link

PLAN = NodePlan(tunnels=(VXLAN,), cable="libreswan", gateway=True)
RULES = st.builds(
    FirewallRule,
    st.sampled_from(("iptables", "nftables")),
    st.sampled_from(("ip filter INPUT", "inet filter input", "inet firewalld filter_IN_public", "ip filter cali-INPUT", "ip6 filter INPUT")),
    st.sampled_from(("accept", "drop", "reject")),
    st.sampled_from(("", "udp", "tcp", "esp", "udp,tcp")),
    st.sampled_from(((), ("4800",), ("4000-5000",), ("@ports",), ("http",), ("4789", "4500"))),
    st.sampled_from(
        ("-A INPUT -j X", "udp dport 4800 x", "-A INPUT -s 10.0.0.0/8 -j X", "ct state established x", "type filter hook input priority 0; policy drop;")
    ),
)


def titles(*rules, plan=PLAN):
    return [flaw.what for flaw in judge_firewall(NodeHost("node-1", firewall=rules), plan)]


class TestInflows:
    @pytest.mark.parametrize("plan, expected", [
        (NodePlan(tunnels=(VXLAN,)), {"UDP 4789"}),
        (NodePlan(tunnels=(VXLAN,), vxlan_port=8472), {"UDP 8472"}),
        (NodePlan(tunnels=(IPIP, WIREGUARD), bgp=True, typha=True), {"IP protocol 4", "UDP 51820", "TCP 179", "TCP 5473"}),
        (NodePlan("", cable="vxlan"), {"UDP 4800"}),
        (NodePlan("", cable="vxlan", gateway=True, cable_port=4501), {"UDP 4800", "UDP 4501", "UDP 4490"}),
        (NodePlan("", cable="libreswan", gateway=True), {"UDP 4800", "UDP 4500", "UDP 4490", "ESP"}),
    ])  # fmt: skip
    def test_they_follow_from_the_plan(self, plan, expected):
        assert {str(flow) for flow in inflows(plan)} == expected


class TestRules:
    def test_a_protocol_without_ports(self):
        assert titles(drop(protocol="4"), plan=NodePlan(tunnels=(IPIP,))) == ["drops IP protocol 4 (Calico's IPIP)"]
        assert titles(drop(protocol="esp")) == ["drops ESP (the cable between gateways without NAT)"]

    def test_in_doubt_a_rule_accepts(self):
        assert titles(drop(protocol="udp", ports=("@open",), verdict="accept"), drop(protocol="esp", verdict="accept"), drop()) == []
        assert titles(drop(protocol="udp", ports=("@closed",))) == []

    def test_several_protocols(self):
        rule = drop("inet filter input", "udp,tcp", ("4800",), "meta l4proto { tcp, udp } th dport 4800 drop", tool="nftables")
        assert titles(rule) == ["drops UDP 4800 (vx-submariner, between nodes and the gateway)"]

    @given(st.lists(RULES, max_size=6))
    def test_it_never_breaks_and_accepting_all_first_is_always_enough(self, rules):
        list(judge_firewall(NodeHost("node-1", firewall=tuple(rules)), PLAN))
        chains = dict.fromkeys((rule.tool, rule.chain) for rule in rules)
        first = tuple(FirewallRule(tool, chain, "accept", text="-A X -j ACCEPT" if tool == "iptables" else "accept") for tool, chain in chains)
        assert titles(*first, *rules) == []

    @given(st.lists(RULES, max_size=6))
    def test_a_host_without_drops_drops_nothing(self, rules):
        assert titles(*(rule._replace(verdict="accept") for rule in rules)) == []


class TestNetworkManager:
    @given(st.lists(st.sampled_from(("interface-name:cali*", "interface-name:vx*", "type:vxlan", "*", "mac:00:11:22:33:44:55", "driver:veth", "")), max_size=5))
    def test_a_pattern_more_never_makes_it_manage_more(self, patterns):
        def managed(listed):
            made = NodeHost("node-1", network_manager=NetworkManager("active", tuple(listed)))
            return {key for flaw in judge_network_manager(made, PLAN) for key in flaw.keys}

        assert managed(patterns) <= managed(patterns[:-1]) <= set(devices(PLAN))
        assert managed([]) == set(devices(PLAN)) == {"cali*", "vxlan.calico", "vx-submariner"}

    def test_devices_follow_from_the_plan(self):
        assert devices(NodePlan(tunnels=(IPIP,), cable="wireguard")) == ("cali*", "tunl0", "vx-submariner", "submariner")
        assert devices(NodePlan("", cable="vxlan")) == ("vx-submariner", "vxlan-tunnel")


class TestUnderlay:
    LINKS = (link("eth0", 1500, address="192.168.0.1/24"), link("eth1", 9000, address="172.16.0.1/24"), link("eth2", 1400, address="fd00::1/64"))

    def test_the_nodes_address_wins_over_the_default_route(self):
        made = NodeHost("node-1", links=self.LINKS, routes=(NodeRoute("default", device="eth0"),))
        assert underlay(made, ("172.16.0.1",)).name == "eth1"
        assert underlay(made, ("10.9.9.9",)).name == underlay(made).name == "eth0"

    def test_the_default_route_with_the_smallest_metric(self):
        made = NodeHost("node-1", links=self.LINKS, routes=(NodeRoute("default", device="eth0", metric=200), NodeRoute("default", device="eth1", metric=100)))
        assert underlay(made).name == "eth1"

    def test_ipv6_alone(self):
        made = NodeHost("node-1", links=self.LINKS, routes=(NodeRoute("default", family=6, device="eth2"),))
        assert underlay(made).name == "eth2"
        assert underlay(NodeHost("node-1", links=self.LINKS)) is None
