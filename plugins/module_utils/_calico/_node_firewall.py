# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether a host's own firewall lets in what Calico and Submariner receive, and whether somebody else holds their ports.

Rules are judged as far as their text tells: a rule for certain senders, devices or states may or may not concern a packet, and a chain may jump into
another one. What Calico, kube-proxy and Submariner write themselves is left out: Felix' own rules drop VXLAN of hosts that are no nodes.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import IPIP, LIBRESWAN, VXLAN, VXLAN_V6, WIREGUARD, WIREGUARD_V6
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import (
    VX_SUBMARINER,
    Flaw,
    Gap,
    Judged,
    NodePlan,
    is_calico_device,
    is_submariner_device,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import FirewallRule, NodeHost

UDP, TCP, ESP = "udp", "tcp", "esp"
IP_IN_IP = "4"  # IP protocol number
ACCEPT = "accept"
INTRA_CLUSTER = 4800  # submariner pkg/port
NAT_DISCOVERY = 4490
_SPELLINGS: t.Mapping[str, tuple[str, ...]] = {
    IP_IN_IP: ("4", "ipencap", "ipip", "ipv4"), ESP: ("esp", "50", "ipv6-crypt"), UDP: ("udp", "17"), TCP: ("tcp", "6"),
}  # fmt: skip
_OURS = re.compile(r"(^|\W)(cali-|KUBE-|SUBMARINER-|submariner)|cali:")  # chains of Felix, kube-proxy and Submariner's route agent
# Chains, ufw's and firewalld's too, through which nothing comes in for the node itself.
_ELSEWHERE = re.compile(r"forward|output|postrouting|fwd", re.IGNORECASE)
# What limits a rule to some packets: senders, devices, states, marks, sets, rates.
_LIMITED = re.compile(
    r"(^|\s)(-[sdio]|--(source|destination|src|dst|in-interface|out-interface|ctstate|state|mark|match-set|src-type|dst-type|limit)|saddr|daddr|iif|oif|iifname"
    r"|oifname|ct|mark|limit|fib|tcp flags)(\s|$)|\s@|\s!\s"
)
_FOR_SENDERS = re.compile(r"(^|\s)(-[si]|--source|--in-interface|saddr|iif|iifname)\s+(?!lo\b|\"lo\"|127\.)")


class Inflow(t.NamedTuple):
    """Packets that a node receives.

    :param port: None for a protocol without ports.
    :param severity: of a firewall that drops it.
    """

    protocol: str
    port: int | None
    why: str
    severity: str = "error"

    def __str__(self) -> str:
        named = {IP_IN_IP: "IP protocol 4", ESP: "ESP"}.get(self.protocol, self.protocol.upper())
        return f"{named} {self.port}" if self.port is not None else named


def inflows(plan: NodePlan) -> tuple[Inflow, ...]:
    """What a node of that plan receives from other nodes; where it is not known whether it is a gateway, what every node does."""
    found = []
    if plan.data_plane:
        found += [Inflow(UDP, plan.vxlan_port, "Calico's VXLAN")] if {VXLAN, VXLAN_V6} & set(plan.tunnels) else []
        found += [Inflow(IP_IN_IP, None, "Calico's IPIP")] if IPIP in plan.tunnels else []
        found += [Inflow(UDP, 51820, "Calico's WireGuard")] if WIREGUARD in plan.tunnels else []
        found += [Inflow(UDP, 51821, "Calico's WireGuard over IPv6")] if WIREGUARD_V6 in plan.tunnels else []
        found += [Inflow(TCP, 179, "Calico's BGP")] if plan.bgp else []
        found += [Inflow(TCP, 5473, "Calico's Typha")] if plan.typha else []
    if plan.cable:
        found.append(Inflow(UDP, INTRA_CLUSTER, "vx-submariner, between nodes and the gateway"))
        if plan.gateway:
            found += [Inflow(UDP, plan.cable_port, "the cable between gateways"), Inflow(UDP, NAT_DISCOVERY, "Submariner's NAT discovery")]
            # Only without NAT between the gateways, and without ceIPSecForceUDPEncaps.
            found += [Inflow(ESP, None, "the cable between gateways without NAT", "warning")] if plan.cable == LIBRESWAN else []
    return tuple(found)


def judge_firewall(host: NodeHost, plan: NodePlan) -> Judged:
    """Rules of the host's own that drop or reject one of the flows. Where not even the rules could be read it is unknown."""
    why = host.why_unseen("firewall")
    if why:
        yield Gap("firewall", why)
    rules = _incoming(host.firewall, plan)
    for flow in inflows(plan):
        found = _dropped(flow, rules)
        if found is not None:
            rule, severity, note = found
            text = rule.text or f"{rule.verdict} {rule.protocol} {','.join(rule.ports)}".strip()
            yield Flaw(f"drops {flow} ({flow.why})", f"firewall[{rule.tool} {rule.chain}]", text, note, severity, (str(flow),))


def _incoming(rules: t.Iterable[FirewallRule], plan: NodePlan) -> list[FirewallRule]:
    """The host's own rules for what comes in; a chain's policy, which tools print first, after the rules of its chain."""
    found = [rule for rule in rules if not _OURS.search(rule.chain) and not _OURS.search(rule.text) and not _ELSEWHERE.search(rule.chain)]
    return sorted((rule for rule in found if plan.wants_ipv6 or not rule.chain.startswith("ip6 ")), key=_is_policy)


def _is_policy(rule: FirewallRule) -> bool:
    return rule.text.startswith("type ") or (rule.tool == "iptables" and not rule.text.startswith("-A"))


def _dropped(flow: Inflow, rules: t.Sequence[FirewallRule]) -> tuple[FirewallRule, str, str] | None:
    """The rule that drops the flow, how bad that is and why; None where none does."""
    for tool, chain in dict.fromkeys((rule.tool, rule.chain) for rule in rules):
        for rule in rules:
            if (rule.tool, rule.chain) != (tool, chain) or not _concerns(rule, flow):
                continue
            limited = _LIMITED.search(rule.text) is not None
            broad = not _names(rule, flow)
            if rule.verdict == ACCEPT:
                if not (broad and limited):
                    break
            elif not broad:
                return rule, "warning" if limited else flow.severity, "of some senders or packets" if limited else ""
            elif not limited and not _accepted_elsewhere(flow, rule, rules):
                trusting = any(other.verdict == ACCEPT and _concerns(other, flow) and _FOR_SENDERS.search(other.text) for other in rules)
                if trusting:
                    return rule, "warning", "it drops everything that no rule accepts, and there are rules that accept all of certain senders"
                return rule, flow.severity, "it drops everything that no rule accepts, and none accepts this"
    return None


def _accepted_elsewhere(flow: Inflow, final: FirewallRule, rules: t.Sequence[FirewallRule]) -> bool:
    """Another chain, into which this one may jump, names the flow and accepts it."""
    return any(
        rule.verdict == ACCEPT and rule.tool == final.tool and rule.chain != final.chain and _concerns(rule, flow) and _names(rule, flow) for rule in rules
    )


def _names(rule: FirewallRule, flow: Inflow) -> bool:
    """The rule is about this flow, by its ports, or by its protocol where that has none."""
    return bool(rule.ports) or (flow.port is None and bool(rule.protocol))


def _concerns(rule: FirewallRule, flow: Inflow) -> bool:
    """A rule for a set of ports, or for a service by name, may concern every port: in doubt it accepts, and does not drop."""
    if rule.protocol and not set(_SPELLINGS[flow.protocol]) & set(rule.protocol.lower().split(",")):
        return False
    if not rule.ports:
        return True
    named = rule.verdict == ACCEPT and any(not ports[:1].isdecimal() for ports in rule.ports)
    return flow.port is not None and (named or any(_within(flow.port, ports) for ports in rule.ports))


def _within(port: int, ports: str) -> bool:
    first, _dash, last = ports.replace(":", "-").partition("-")
    return first.isdecimal() and (last or first).isdecimal() and int(first) <= port <= int(last or first)


def judge_listeners(host: NodeHost, plan: NodePlan) -> Judged:
    """Ports that somebody else holds: another VXLAN device, or a program where nothing of Calico's or Submariner's can be the one that listens."""
    why = host.why_unseen("listeners")
    if why:
        yield Gap("listeners", why)
    for link in host.links:
        if link.vxlan is not None and not is_calico_device(link.name) and not is_submariner_device(link.name):
            yield from _shared_device(link.name, link.vxlan.id, link.vxlan.port, plan)
    for protocol, port, own in _own_ports(host, plan):
        strangers = [entry for entry in host.listeners if entry.protocol.startswith(protocol) and entry.port == port]
        if strangers and not own and not _of_vxlan(host, protocol, port):
            shown = ", ".join(sorted({f"{entry.address}:{entry.port}" for entry in strangers}))
            what = f"has another program on {protocol.upper()} {port}"
            yield Flaw(what, "listeners", shown, f"{_for(protocol, port, plan)} cannot use it", keys=(f"{protocol}/{port}",))


def _shared_device(name: str, vni: int, port: int, plan: NodePlan) -> t.Iterator[Flaw]:
    """Two VXLAN devices share a port as long as their ids differ; vx-submariner has 100, vxlan-tunnel 1000, vxlan.calico 4096."""
    taken = {(INTRA_CLUSTER, 100): VX_SUBMARINER} if plan.cable else {}
    if plan.cable == "vxlan":
        taken[plan.cable_port, 1000] = "vxlan-tunnel"
    if plan.data_plane and {VXLAN, VXLAN_V6} & set(plan.tunnels):
        taken[plan.vxlan_port, 4096] = "vxlan.calico"
    owner = taken.get((port, vni))
    if owner is not None:
        note = f"{owner} needs the same port and id: the kernel refuses a second one"
        yield Flaw(f"has VXLAN device {name} in the place of {owner}", f"links[{name}].vxlan", f"id {vni}, UDP {port}", note, keys=(f"udp/{port}",))


def _own_ports(host: NodeHost, plan: NodePlan) -> t.Iterator[tuple[str, int, bool]]:
    """Protocol and port of each flow that a program or device listens for, and whether Calico or Submariner may be the one that does."""
    for flow in inflows(plan):
        if flow.port is None:
            continue
        calico = plan.running and flow.port not in (INTRA_CLUSTER, plan.cable_port, NAT_DISCOVERY)
        device = any(link.name == VX_SUBMARINER for link in host.links) if flow.port == INTRA_CLUSTER else False
        cable = plan.running and flow.port in (plan.cable_port, NAT_DISCOVERY)
        yield flow.protocol, flow.port, calico or device or cable
    if plan.cable == LIBRESWAN and plan.gateway:
        yield UDP, 500, plan.running


def _of_vxlan(host: NodeHost, protocol: str, port: int) -> bool:
    """A VXLAN device's socket is the kernel's and shared by all devices of that port."""
    return protocol == UDP and any(link.vxlan is not None and link.vxlan.port == port for link in host.links)


def _for(protocol: str, port: int, plan: NodePlan) -> str:
    return next((flow.why for flow in inflows(plan) if (flow.protocol, flow.port) == (protocol, port)), "the cable between gateways (IKE)")
