# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is judged of a host's firewall is what real packets meet: rules by nft and by iptables, and a peer that sends."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import VXLAN
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_firewall import dropped_by, judge_firewall
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import NodePlan
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import record_of

pytestmark = pytest.mark.netns

PLAN = NodePlan(tunnels=(VXLAN,), bgp=True, cable="vxlan", gateway=True)
FLOWS = {"UDP 4789", "UDP 4800", "UDP 4500", "UDP 4490", "TCP 179"}
LISTEN = """
import select, signal, socket, sys
heard, sockets = set(), {}
for kind, port in (("UDP", 4789), ("UDP", 4800), ("UDP", 4500), ("UDP", 4490), ("TCP", 179)):
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "UDP" else socket.SOCK_STREAM)
    made.bind(("", port))
    made.listen(8) if kind == "TCP" else None
    sockets[made] = f"{kind} {port}"
def end(*_signal):
    print(",".join(sockets[each] for each in select.select(list(sockets), [], [], 0)[0]), flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True:
    signal.pause()
"""
SEND = """
import socket
for port in (4789, 4800, 4500, 4490):
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if port in (4500, 4490):
        made.bind(("", port))
    made.sendto(b"x", ("172.20.0.1", port))
try:
    socket.create_connection(("172.20.0.1", 179), 0.7)
except OSError:
    pass
"""


def native(*lines, policy="accept", table="ip filter", chain="INPUT", sets="", **chains):
    more = "".join(f"chain {name} {{\n" + "\n".join(inside) + "\n}\n" for name, inside in chains.items())
    return [f"nft:table {table} {{\n{sets}{more}chain {chain} {{\ntype filter hook input priority 0; policy {policy};\n" + "\n".join(lines) + "\n}\n}\n"]


def iptables(*lines, chains=()):
    return [*(f"-N {chain}" for chain in chains), *lines]


SET = "set tunnels { type inet_service; flags interval; elements = { 4789, 4800-4810, 53 } }\n"
SET_OF_FIELDS = "set tunnels { type inet_proto . inet_service; elements = { udp . 4789, tcp . 179, tcp . 4800 } }\n"
STATE = "ct state established,related accept"
CASES = {
    "nothing": [],
    # Made by nft, in tables that iptables' variant has names for: it prints them without their ports.
    "native accepts": native("iif lo accept", STATE, "tcp dport { 22, 6443 } accept", "udp dport { 53, 123 } accept", policy="drop"),
    "native accepts the ports": native("iif lo accept", "tcp dport { 22, 179 } accept", "udp dport { 4490-4800 } accept", policy="drop"),
    "native drop of another port": native("udp dport { 53, 123 } drop", "udp sport 53 drop"),
    "native drop of the port": native("udp dport { 53, 4800 } drop"),
    "native source port": native("udp sport 53 accept", "udp sport 4500 accept", policy="drop"),
    "native jumps": native("ct state invalid jump away", "udp dport 4800 goto away", away=["counter drop"]),
    "native map": native("meta l4proto vmap { tcp : jump of_tcp, udp : jump of_udp }", "drop", of_tcp=["tcp dport 179 accept"], of_udp=["udp dport 4789 accept"]),
    "native broadcasts": native("meta pkttype { broadcast, multicast } drop", "fib daddr type broadcast drop"),
    "native not": native("udp dport != 4789 drop"),
    "native fields": native("meta l4proto . th dport { udp . 4789, udp . 4490-4500, tcp . 179 } accept", policy="drop"),
    "native fields dropped": native("ip protocol . th dport { udp . 4800, tcp . 4789 } drop"),
    "native set": native("udp dport @tunnels accept", policy="drop", sets=SET),
    "native set but": native("udp dport != @tunnels drop", sets=SET),
    "native set dropped": native("udp dport @tunnels drop", sets=SET),
    "native set of nothing": native("udp dport @tunnels accept", "tcp dport 179 accept", policy="drop", sets="set tunnels { type inet_service; }\n"),
    "native set of fields": native("meta l4proto . th dport @tunnels accept", policy="drop", sets=SET_OF_FIELDS),
    "native set of fields dropped": native("meta l4proto . th dport @tunnels drop", sets=SET_OF_FIELDS),
    "native port first": native("udp dport . ip saddr { 4789 . 172.20.0.2, 53 . 172.20.0.9 } accept", policy="drop"),
    "two tables": [*native("udp dport 4789 accept"), *native("udp dport 4789 drop", table="inet other", chain="input")],
    "inet": native(STATE, "ct state new tcp dport 179 accept", "meta l4proto { icmp, udp } accept", policy="drop", table="inet filter", chain="input"),
    "dormant": ["nft:table inet t { flags dormant\nchain c { type filter hook input priority 0; drop\n}\n}"],
    # Made by iptables.
    "flags": iptables("-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j DROP"),
    "syn": iptables("-A INPUT -p tcp --syn -j DROP"),
    "broadcasts": iptables("-A INPUT -m pkttype --pkt-type broadcast -j DROP"),
    "fragments": iptables("-A INPUT -f -j DROP"),
    "either port": iptables("-A INPUT -p udp -m multiport --ports 4800,500 -j DROP"),
    "either port accepted": iptables("-A INPUT -p udp -m multiport --ports 4800,500 -j ACCEPT", "-P INPUT DROP"),
    "source port": iptables("-A INPUT -p udp --sport 53 -j ACCEPT", "-P INPUT DROP"),
    "invalid": iptables("-A LOGDROP -j DROP", "-A INPUT -m conntrack --ctstate INVALID -j LOGDROP", chains=["LOGDROP"]),
    "user chain": iptables("-A LOGDROP -j DROP", "-A INPUT -p udp -m multiport --dports 4789,4490 -j LOGDROP", chains=["LOGDROP"]),
    "returns": iptables("-A OWN -p udp --dport 4789 -j RETURN", "-A OWN -j REJECT", "-A INPUT -j OWN", chains=["OWN"]),
    "goto": iptables("-A OWN -p udp --dport 4789 -j RETURN", "-A OWN -j DROP", "-A INPUT -g OWN", "-A INPUT -j DROP", chains=["OWN"]),
    "flood": iptables("-A SYN -m limit --limit 10/s -j RETURN", "-A SYN -j DROP", "-A INPUT -p tcp --syn -j SYN", chains=["SYN"]),
    "string": iptables('-A INPUT -p udp -m string --string "nowhere" --algo bm -j DROP', "-A INPUT -p udp --dport 4789 -j ACCEPT", "-A INPUT -p udp -j DROP"),
    "states": iptables("-A INPUT -i lo -j ACCEPT", "-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT", "-A INPUT -m state --state NEW -j DROP"),
    "not": iptables("-A INPUT -p udp ! --dport 4789 -j DROP", "-A INPUT ! -i lo -s 127.0.0.0/8 -j DROP"),
}  # fmt: skip


@pytest.fixture
def pair(world):
    one, two = world.host("node-1"), world.host("peer")
    world.link(one, "eth0", two, "eth0")
    one.address("eth0", "172.20.0.1/24")
    two.address("eth0", "172.20.0.2/24")
    return one, two


@pytest.mark.parametrize("tool", ["iptables-nft", "iptables-legacy"])
@pytest.mark.parametrize("name", CASES)
def test_what_is_judged_is_what_packets_meet(pair, name, tool):
    node, peer = pair
    steps = CASES[name]
    if tool == "iptables-legacy" and not any(step.startswith("-") for step in steps):
        pytest.skip("it is nft's")
    for step in steps:
        if step.startswith("nft:"):
            node.nft(step[len("nft:") :])
        else:
            node.run("sh", "-c", f"{tool} {step}")
    listening = node.start("python3", "-c", LISTEN)
    assert listening.stdout.readline() == "ready\n"
    peer.run("python3", "-c", SEND)
    listening.terminate()
    heard = set(filter(None, listening.communicate(timeout=20)[0].strip().split(",")))
    host = record_of(node.module("node_info", {"name": "node-1", "ports": [7]})["host"])
    assert not host.why_unseen("firewall")
    found = {flaw.keys[0]: flaw.severity for flaw in judge_firewall(host, PLAN)}
    certain = {flow for flow, severity in found.items() if severity == "error"}
    assert certain <= FLOWS - heard <= set(found), (found, heard, host.firewall)
    for flow in FLOWS:  # asked after one by one, as for the paths that probes found lost
        kind, port = flow.lower().split()
        assert dropped_by(host, kind, int(port), felix=False)[0] in (None, flow not in heard), (flow, heard, host.firewall)
    # Only of a source port that a cable may send from it is not certain.
    assert set(found) - certain <= ({"UDP 4500"} if name == "native source port" else set()), found
