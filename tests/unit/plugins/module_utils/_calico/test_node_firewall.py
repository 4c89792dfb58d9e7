# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a host's firewall against what Calico and Submariner receive, and lists of devices of NetworkManager."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import IPIP, VXLAN, WIREGUARD
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_firewall import dropped_by, inflows, judge_firewall
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import Flaw, Gap, NodePlan, underlay
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_services import devices, judge_network_manager
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_firewall import iptables_rules, nftables_rules
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
    return [flaw.what for flaw in judge_firewall(NodeHost("node-1", firewall=rules), plan) if isinstance(flaw, Flaw)]


def gaps(*rules):
    return [gap.why for gap in judge_firewall(NodeHost("node-1", firewall=rules), PLAN) if isinstance(gap, Gap)]


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

    def test_ports_of_a_set_that_was_not_read_are_not_known(self):
        hidden = drop("inet t c", "udp", ("@open",), "udp dport @open accept", "nftables", "accept")
        assert gaps(hidden, drop()) == ["the ports of a set were not read: inet t c: udp dport @open accept"]
        assert gaps(drop("inet t c", "udp", (), "udp dport != @open drop", "nftables")) and not gaps(drop())

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


def seen(*lines, policy="ACCEPT", chains=()):
    """Rules of iptables-save, as node_info keeps them."""
    text = f"*filter\n:INPUT {policy} [0:0]\n" + "".join(f":{chain} - [0:0]\n" for chain in chains) + "".join(f"-A {line}\n" for line in lines)
    return iptables_rules(text + "COMMIT\n", "ip")


def listed(*lines, policy="accept", sets=None, **chains):
    """Rules of nft list ruleset, as node_info keeps them."""
    text = "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy " + policy + ";\n"
    text += "".join(f"\t\t{line}\n" for line in lines) + "\t}\n"
    text += "".join(f"\tchain {name} {{\n" + "".join(f"\t\t{line}\n" for line in inside) + "\t}\n" for name, inside in chains.items())
    return nftables_rules(text + "}\n", sets={("inet filter", name): elements for name, elements in (sets or {}).items()}).rules


def verdicts(rules, plan=PLAN):
    return {flaw.keys[0]: flaw.severity for flaw in judge_firewall(NodeHost("node-1", firewall=tuple(rules)), plan) if isinstance(flaw, Flaw)}


BGP = NodePlan(tunnels=(VXLAN,), bgp=True, cable="libreswan", gateway=True)
EVERYTHING = {"UDP 4789", "TCP 179", "UDP 4800", "UDP 4500", "UDP 4490", "ESP"}


class TestRulesOfSomePackets:
    """They drop nothing that nodes send each other first, or nobody knows that they do."""

    @pytest.mark.parametrize("lines", [
        ("INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j DROP",),
        ("INPUT -p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN -j DROP",),
        ("INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j DROP",),
        ("INPUT -m pkttype --pkt-type broadcast -j DROP",),
        ("INPUT -m addrtype --dst-type MULTICAST -j DROP",),
        ("INPUT -f -j DROP",),
        ("INPUT -s 127.0.0.0/8 ! -i lo -j DROP",),
        ("INPUT -m set --match-set bad src -j DROP",),
        ("INPUT -m recent --update --seconds 60 --name x --mask 255.255.255.255 --rsource -j DROP",),
        ("INPUT -m socket -j DROP",),
        ("INPUT -p udp -m udp --sport 53 -j DROP",),
        ("INPUT -p udp -m multiport --ports 22,500 -j DROP",),
        ("INPUT -m conntrack --ctstate INVALID -j LOGDROP", 'LOGDROP -j LOG --log-prefix "x -j DROP"', "LOGDROP -j DROP"),
        ("INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j SYN", "SYN -m limit --limit 10/sec -j RETURN", "SYN -j DROP"),
        ("INPUT -p udp -m udp --dport 53 -j LOGDROP", "LOGDROP -j DROP"),
        ("NOBODY -j DROP",),
        ("INPUT -p udp -m udp --dport 4000:5000 -j ALLOWED", "ALLOWED -p udp -j RETURN", "ALLOWED -j DROP"),
        ("INPUT -j NOTLOCAL", "NOTLOCAL -m addrtype --dst-type LOCAL -j RETURN", "NOTLOCAL -j DROP"),
        ("INPUT -g LOOP", "LOOP -j LOOP", "LOOP -j LOOP"),
    ])  # fmt: skip
    def test_of_iptables(self, lines):
        assert verdicts(seen(*lines, chains=("LOGDROP", "SYN", "NOBODY", "ALLOWED", "NOTLOCAL", "LOOP")), BGP) == {}

    @pytest.mark.parametrize("lines", [
        ("meta pkttype { broadcast, multicast } drop",), ("pkttype broadcast counter packets 0 bytes 0 drop",), ("fib daddr type broadcast drop",),
        ("tcp flags ! fin,syn,rst,psh,ack,urg counter packets 0 bytes 0 drop",), ("tcp flags & (fin | syn) == (fin | syn) drop",),
        ("tcp flags & (fin | syn | rst | ack) != syn ct state new drop",), ("ip frag-off & 8191 != 0 drop",), ("udp sport 53 drop",),
        ('iifname != "lo" ip saddr 127.0.0.0/8 drop',), ("ip saddr @bad drop",), ("limit rate over 10/second drop",), ("xt match set drop",),
        ("fib saddr . mark . iif oif missing drop",), ("meta nfproto ipv6 drop",), ("ct state vmap { established : accept, invalid : drop }",),
        ("ip6 nexthdr udp drop",), ('ct state invalid counter log prefix "drop accept { " drop comment "udp dport 1"',), ("meta mark 0x00000001 drop",),
        ("udp sport . udp dport { 53 . 4789 } drop comment \"x\"".replace("4789", "53"),),
    ])  # fmt: skip
    def test_of_nft(self, lines):
        assert verdicts(listed(*lines), BGP) == {}

    def test_in_chains_of_nft(self):
        assert verdicts(listed("ct state invalid jump away", away=["log", "drop"]), BGP) == {}
        assert verdicts(listed("tcp flags syn / fin,syn,rst,ack goto flood", flood=["limit rate 10/second return", "drop"]), BGP) == {}


class TestRealDrops:
    @pytest.mark.parametrize("lines, expected", [
        (("INPUT -p udp -m multiport --ports 4800,500 -j DROP",), {"UDP 4800"}),
        (("INPUT -p udp -m multiport --dports 22,4800:4810 -j DROP",), {"UDP 4800"}),
        (("INPUT -p udp -m udp ! --dport 53 -j DROP",), {"UDP 4789", "UDP 4800", "UDP 4500", "UDP 4490"}),
        (("INPUT ! -p tcp -j REJECT --reject-with icmp-port-unreachable",), EVERYTHING - {"TCP 179"}),
        (("INPUT ! -i lo -m conntrack --ctstate NEW -m comment --comment \"-s 1.2.3.4\" -j DROP",), EVERYTHING),
        (("INPUT -p udp -m udp --dport 4800 -j LOGDROP", "LOGDROP -j LOG", "LOGDROP -j DROP"), {"UDP 4800"}),
        (("INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j SYN", "SYN -j DROP"), {"TCP 179"}),
        (("INPUT -j LOGDROP", "LOGDROP -p udp -m udp --dport 4789 -j RETURN", "LOGDROP -j DROP"), EVERYTHING - {"UDP 4789"}),
        (("INPUT -p udp -m udp --dport 4789 -j RETURN", "INPUT -j DROP"), EVERYTHING - {"UDP 4789"}),
        (("INPUT -g LOGDROP", "INPUT -j ACCEPT", "LOGDROP -j DROP"), EVERYTHING),
        (("INPUT -p udp -m udp --sport 53 -j ACCEPT", "INPUT -j DROP"), EVERYTHING),
        (("INPUT -p udp -m multiport --ports 53,123 -j ACCEPT", "INPUT -j DROP"), EVERYTHING),
        (("INPUT -i lo -j ACCEPT", "INPUT -i cali+ -j ACCEPT", "INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT", "INPUT -j DROP"), EVERYTHING),
        (("INPUT -i lo -p udp -m udp --dport 4800 -j ACCEPT", "INPUT -p udp -m udp --dport 4800 -j DROP"), {"UDP 4800"}),
    ])  # fmt: skip
    def test_of_iptables(self, lines, expected):
        found = verdicts(seen(*lines, chains=("LOGDROP", "SYN")), BGP)
        assert set(found) == expected and set(found.values()) <= {"error", "warning" if "ESP" in expected else "error"}
        assert all(severity == "error" for flow, severity in found.items() if flow != "ESP")

    @pytest.mark.parametrize("lines, expected", [
        (("tcp dport { 22, 6443 } accept", "udp dport { 53, 123 } accept", "udp sport 53 accept"), EVERYTHING),
        (("udp dport { 4789, 4490-4800 } accept",), {"TCP 179", "ESP"}),
        (('iif "lo" accept', "ct state established,related accept", "meta l4proto { icmp, ipv6-icmp } accept"), EVERYTHING),
        (("udp dport != 53 accept",), {"TCP 179", "ESP"}),
        (("ip saddr . udp dport { 10.0.0.1 . 53 } accept",), EVERYTHING),
        (("ip saddr . udp dport { 10.0.0.1 . 4789 } accept",), EVERYTHING - {"UDP 4789"}),
        (("udp dport . ip saddr { 4800 . 10.0.0.1, 53 . 10.0.0.2 } accept",), EVERYTHING - {"UDP 4800"}),
        (("meta l4proto . th dport { udp . 4789, udp . 4800, udp . 4500, udp . 4490, tcp . 179 } accept",), {"ESP"}),
        (("meta l4proto . th dport { tcp . 4789, udp . 4800-4810 } accept",), EVERYTHING - {"UDP 4800"}),
        (("ip protocol . th dport { 17 . 4789, 6 . 179 } accept",), EVERYTHING - {"UDP 4789", "TCP 179"}),
        (("meta l4proto vmap { tcp : accept, udp : jump of_udp }",), EVERYTHING - {"TCP 179", "UDP 4800"}),
        (("reject with icmp admin-prohibited",), EVERYTHING),
        (("tcp flags syn / fin,syn,rst,ack accept",), EVERYTHING - {"TCP 179"}),
    ])  # fmt: skip
    def test_a_policy_of_nft(self, lines, expected):
        found = verdicts(listed(*lines, policy="drop", of_udp=["udp dport 4800 accept"]), BGP)
        assert {flow for flow, severity in found.items() if severity == "error" or flow == "ESP"} == expected == set(found)

    @pytest.mark.parametrize("line, elements, expected", [
        ("udp dport @ports accept", ("4789", "4790-4800"), EVERYTHING - {"UDP 4789", "UDP 4800"}),
        ("udp dport @ports accept", ("53",), EVERYTHING),
        ("udp dport @ports accept", (), EVERYTHING),
        ("udp dport != @ports accept", ("4789",), {"UDP 4789", "TCP 179", "ESP"}),
        ("meta l4proto . th dport @ports accept", ("udp . 4800", "tcp . 179"), EVERYTHING - {"UDP 4800", "TCP 179"}),
        ("ip saddr . udp dport @ports accept", ("10.0.0.1 . 4800",), EVERYTHING - {"UDP 4800"}),
        ("ip saddr . udp dport @ports accept", (), EVERYTHING),
    ])  # fmt: skip
    def test_a_named_set(self, line, elements, expected):
        assert set(verdicts(listed(line, policy="drop", sets={"ports": elements}), BGP)) == expected
        dropped = verdicts(listed(line.replace("accept", "drop"), sets={"ports": elements}), BGP)
        assert dropped == dict.fromkeys(EVERYTHING - expected, "warning" if "saddr" in line else "error")

    def test_a_drop_by_several_fields(self):
        assert verdicts(listed("meta l4proto . th dport { udp . 4800, tcp . 22 } drop"), BGP) == {"UDP 4800": "error"}
        assert verdicts(listed("ip saddr . udp dport { 10.0.0.1 . 4800 } drop"), BGP) == {"UDP 4800": "warning"}
        assert verdicts(listed("meta l4proto . ip saddr { udp . 10.0.0.1 } drop"), BGP) == {}
        trusting = verdicts(listed("meta l4proto . ip saddr { tcp . 10.0.0.1 } accept", policy="drop"), BGP)
        assert {flow for flow, severity in trusting.items() if severity == "warning"} == {"TCP 179", "ESP"} and set(trusting) == EVERYTHING

    def test_what_cannot_be_told_of_several_fields(self):
        text = "table inet t {\n\tchain c {\n\t\ttype filter hook input priority 0; policy accept;\n\t\t%s\n\t}\n}\n"
        for line in ("meta l4proto . th dport != { udp . 4800 } drop", "meta l4proto . th dport { udp } drop", "meta l4proto . th dport vmap @m"):
            assert nftables_rules(text % line).unclear == (f"inet t c: {line}",)

    def test_one_flow(self):
        def asked(*lines, felix=False, **chains):
            return dropped_by(NodeHost("node-1", firewall=tuple(listed(*lines, **chains))), "udp", 4800, felix=felix)

        assert asked("udp dport 4800 drop") == (True, "firewall[nftables inet filter input] udp dport 4800 drop")
        assert asked("udp dport 53 drop", "ct state invalid drop", "tcp dport 22 drop") == (False, "")
        for line in ('iifname != "eth0" drop', "ip saddr @strangers drop", "ip saddr 10.0.0.0/8 udp dport 4800 drop", "udp dport @ports drop"):
            assert asked(line) == (None, "")
        assert asked("ip saddr 10.0.0.0/8 jump away", away=["drop"]) == (None, "")
        assert asked("udp dport 4800 accept", "ip saddr @strangers drop") == (False, "")

    def test_a_warning_does_not_hide_it(self):
        lines = ("INPUT -s 10.0.0.0/8 -p udp -m udp --dport 4800 -j DROP", "INPUT -p udp -m udp --dport 4800 -j DROP")
        assert verdicts(seen(*lines)) == {"UDP 4800": "error"}
        assert verdicts(seen(lines[0])) == {"UDP 4800": "warning"}

    @pytest.mark.parametrize("line", [
        "INPUT -s 10.0.0.0/8 -j ACCEPT", "INPUT -i eth0 -j ACCEPT", "INPUT -m mark --mark 0x1/0x1 -j ACCEPT", "INPUT -m set --match-set x src -j ACCEPT",
    ])  # fmt: skip
    def test_what_may_have_accepted_the_nodes_before(self, line):
        assert set(verdicts(seen(line, "INPUT -j DROP")).values()) == {"warning"}

    def test_a_chain_that_a_named_map_may_lead_to(self):
        rules = listed("iifname vmap @zones", "reject", zone=["udp dport 4789 accept"])
        assert verdicts(rules, NodePlan(tunnels=(VXLAN,))) == {"UDP 4789": "warning"}

    def test_a_chain_that_nothing_leads_to_accepts_nothing(self):
        rules = seen("OPEN -p udp -m udp --dport 4800 -j ACCEPT", policy="DROP", chains=("OPEN",))
        assert verdicts(rules)["UDP 4800"] == "error"

    def test_one_link_alone(self):
        text = 'table netdev t {\n\tchain c {\n\t\ttype filter hook ingress device "eth1" priority 0; policy drop;\n\t}\n}\n'
        assert verdicts(nftables_rules(text).rules) == {}

    def test_other_hooks(self):
        for hook in ("forward", "output", "postrouting"):
            text = "table inet t {\n\tchain c {\n\t\ttype filter hook " + hook + " priority 0; policy drop;\n\t\tdrop\n\t}\n}\n"
            assert verdicts(nftables_rules(text).rules) == {}


class TestFirewalld:
    """As firewalld 1.x writes it: by a jump for each zone's interfaces, and a last one for the default zone."""

    CHAINS = {
        "zones": ['iifname "eth0" goto public', "goto public"],
        "public": ["jump allow", "meta l4proto { icmp, ipv6-icmp } accept", "reject with icmpx admin-prohibited"],
    }
    INPUT = ("ct state { established, related } accept", "ct status dnat accept", 'iifname "lo" accept', "ct state invalid drop", "jump zones", "reject")

    def test_a_port_of_the_zone(self):
        rules = listed(*self.INPUT, **self.CHAINS, allow=["tcp dport 22 accept", "udp dport 4789 ct state new,untracked accept"])
        assert verdicts(rules, NodePlan(tunnels=(VXLAN,), cable="vxlan")) == {"UDP 4800": "error"}

    def test_a_zone_that_trusts(self):
        rules = listed(*self.INPUT, zones=['iifname "eth0" goto trusted', "goto public"], trusted=["accept"], public=["reject"])
        assert verdicts(rules, NodePlan(tunnels=(VXLAN,))) == {"UDP 4789": "warning"}


class TestFelix:
    RUNNING = NodePlan(tunnels=(VXLAN, WIREGUARD), bgp=True, cable="libreswan", running=True)
    JUMP = 'INPUT -m comment --comment "cali:Cz_u1IQiXIMmKD4c" -j cali-INPUT'

    def test_it_lets_its_tunnels_in(self):
        assert set(verdicts(seen(self.JUMP, policy="DROP"), self.RUNNING)) == {"TCP 179", "UDP 4800"}
        assert set(verdicts(seen(self.JUMP, "INPUT -j REJECT --reject-with icmp-port-unreachable"), self.RUNNING)) == {"TCP 179", "UDP 4800"}

    def test_not_before_it_runs(self):
        assert {"UDP 4789", "UDP 51820"} < set(verdicts(seen(self.JUMP, policy="DROP"), self.RUNNING._replace(running=False)))

    def test_not_where_the_drop_comes_first(self):
        assert {"UDP 4789", "UDP 51820"} < set(verdicts(seen("INPUT -j DROP", self.JUMP), self.RUNNING))

    def test_not_in_another_table(self):
        """A packet that one chain of a hook accepts goes to the hook's other chains (nft(8), verdict statements)."""
        found = verdicts((*seen(self.JUMP, policy="DROP"), *listed(policy="drop")), self.RUNNING)
        assert {"UDP 4789", "UDP 51820"} < set(found)

    def test_its_ebpf_programs_decide_themselves(self):
        found = verdicts(seen(self.JUMP, policy="DROP"), self.RUNNING._replace(data_plane="ebpf"))
        assert found["UDP 4789"] == "warning" and found["UDP 4800"] == "error"


UNRELATED = st.sampled_from((
    "INPUT -p tcp -m tcp --dport 22 -j ACCEPT", "INPUT -p icmp -j ACCEPT", "INPUT -i lo -j ACCEPT",
    "INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "INPUT -p tcp -m tcp --dport 22 -j DROP", "INPUT -m conntrack --ctstate INVALID -j DROP", "INPUT -p udp -m udp --sport 53 -j ACCEPT",
    "INPUT -p udp -m multiport --ports 53,123 -j DROP", "INPUT -p udp -m udp --dport 30000:32767 -j REJECT --reject-with icmp-port-unreachable",
    "INPUT -m pkttype --pkt-type multicast -j DROP", "INPUT -f -j DROP", "INPUT -p tcp -m tcp --dport 22 -j OWN", "INPUT -m conntrack --ctstate INVALID -j OWN",
    "OWN -j DROP", "OWN -j LOG", "OWN -m limit --limit 1/sec -j RETURN", "INPUT -p udp -m udp --dport 53 -g OWN", "INPUT -j cali-INPUT",
))  # fmt: skip
KILLS = st.sampled_from((
    ("INPUT -p udp -m udp --dport 4800 -j DROP",), ("INPUT -p udp -j REJECT --reject-with icmp-port-unreachable",), ("INPUT -j DROP",),
    ("INPUT -p udp -m udp --dport 4000:5000 -j KILL", "KILL -j DROP"), ("INPUT -g KILL", "KILL -p udp -j KILL2", "KILL2 -j DROP"),
))  # fmt: skip


class TestProperties:
    @given(st.lists(UNRELATED, max_size=8))
    def test_an_unrelated_rule_is_never_a_finding(self, lines):
        assert verdicts(seen(*lines, chains=("OWN",)), BGP) == {}

    @given(st.lists(UNRELATED, max_size=8), KILLS, st.lists(UNRELATED, max_size=3))
    def test_a_real_drop_survives_other_rules(self, before, kill, after):
        assert verdicts(seen(*before, *kill, *after, chains=("OWN", "KILL", "KILL2")), BGP)["UDP 4800"] == "error"

    @given(st.lists(UNRELATED, max_size=8), KILLS, st.sampled_from((
        ("INPUT -p udp -m udp --dport 4800 -j ACCEPT",), ("INPUT -p udp -m multiport --dports 22,4800 -j OPEN", "OPEN -j ACCEPT"), ("INPUT -p udp -j ACCEPT",),
    )))  # fmt: skip
    def test_what_is_accepted_before_is_not_dropped(self, others, kill, accept):
        assert "UDP 4800" not in verdicts(seen(*accept, *others, *kill, chains=("OWN", "KILL", "KILL2", "OPEN")), BGP)

    @given(st.lists(st.sampled_from(
        [*'-! "{}.,', "-m ", "--ports ", "--tcp-flags ", "-c ", "4800 ", "-j DROP", "tcp flags ", "udp dport ", "!= ", "ct state ", "drop", "type ", "-A "]
    )))  # fmt: skip
    def test_no_text_breaks_it(self, pieces):
        for text in ("".join(pieces), "-A INPUT " + "".join(pieces)):
            list(judge_firewall(NodeHost("node-1", firewall=(FirewallRule("nftables", "ip filter INPUT", "drop", text=text),)), PLAN))

    @given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.sampled_from(("jump", "goto")), st.booleans()), max_size=14))
    def test_jumps_in_circles_end(self, jumps):
        rules = [FirewallRule("nftables", "ip t a", "accept", text="type filter hook input priority 0; policy accept;")]
        rules += [FirewallRule("nftables", f"ip t {one}", way, text="ip saddr 10.0.0.1 " if some else "", target=two) for one, two, way, some in jumps]
        assert verdicts(rules) == {}


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
