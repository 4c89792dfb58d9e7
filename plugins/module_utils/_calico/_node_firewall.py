# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether a host's own firewall lets in what Calico and Submariner receive, and whether somebody else holds their ports.

Packets are followed through the chains as far as the rules' text tells: from each chain that the kernel calls for what comes in, into those that it jumps to.
A rule for certain senders, devices or states may or may not concern a packet. What Calico, kube-proxy and Submariner write themselves is left out: Felix' own
rules drop VXLAN of hosts that are no nodes.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import IPIP, LIBRESWAN, VXLAN, VXLAN_V6, WIREGUARD, WIREGUARD_V6
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_firewall_matches import (
    ALL,
    ESP,
    IP_IN_IP,
    NONE,
    SOME,
    SPELLINGS,
    TCP,
    UDP,
    Packets,
    matched,
    names_port,
    within,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import (
    EBPF,
    VX_SUBMARINER,
    Flaw,
    Gap,
    Judged,
    NodePlan,
    is_calico_device,
    is_submariner_device,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import FirewallRule, NodeHost

ACCEPT, RETURN, JUMPS = "accept", "return", ("jump", "goto")
_DROPS = ("drop", "reject")
INTRA_CLUSTER = 4800  # submariner pkg/port
NAT_DISCOVERY = 4490
_FELIX = "cali-INPUT"
_OURS = re.compile(r"(^|\W)(cali-|KUBE-|SUBMARINER-|submariner)|cali:")  # chains of Felix, kube-proxy and Submariner's route agent
# Chains, ufw's and firewalld's too, through which nothing comes in for the node itself.
_ELSEWHERE = re.compile(r"forward|output|postrouting|fwd", re.IGNORECASE)
_HOOK = re.compile(r"type \w+ hook (\w+)")
_INWARDS = ("input", "prerouting", "ingress")
_PORTS = re.compile(r"\d+(?:[-:]\d+)?")
_MOST_STEPS = 20000  # of one flow: rules of chains that others jump to many times over


class Inflow(t.NamedTuple):
    """Packets that a node receives.

    :param port: None for a protocol without ports.
    :param severity: of a firewall that drops it.
    :param felix: Felix lets it in itself, from the other nodes, where its own chain comes first (projectcalico/calico felix/rules/static.go, filterInputChain).
    """

    protocol: str
    port: int | None
    why: str
    severity: str = "error"
    felix: bool = False

    def __str__(self) -> str:
        named = {IP_IN_IP: "IP protocol 4", ESP: "ESP"}.get(self.protocol, self.protocol.upper())
        return f"{named} {self.port}" if self.port is not None else named


def inflows(plan: NodePlan) -> tuple[Inflow, ...]:
    """What a node of that plan receives from other nodes; where it is not known whether it is a gateway, what every node does."""
    found = []
    if plan.data_plane:
        found += [Inflow(UDP, plan.vxlan_port, "Calico's VXLAN", felix=True)] if {VXLAN, VXLAN_V6} & set(plan.tunnels) else []
        found += [Inflow(IP_IN_IP, None, "Calico's IPIP", felix=True)] if IPIP in plan.tunnels else []
        found += [Inflow(UDP, 51820, "Calico's WireGuard", felix=True)] if WIREGUARD in plan.tunnels else []
        found += [Inflow(UDP, 51821, "Calico's WireGuard over IPv6", felix=True)] if WIREGUARD_V6 in plan.tunnels else []
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
    why = _unread(host)
    if why:
        yield Gap("firewall", why)
    chains = _Chains(host.firewall, plan)
    for flow in inflows(plan):
        found = _Path(chains, flow, plan).walked()
        if found is not None:
            rule, severity, note = found
            yield Flaw(f"drops {flow} ({flow.why})", f"firewall[{rule.tool} {rule.chain}]", _shown(rule), note, severity, (str(flow),))


def dropped_by(host: NodeHost, protocol: str, port: int | None, *, felix: bool) -> tuple[bool | None, str]:
    """Whether the host's own rules drop what comes in on a protocol and port, and the rule that does.

    None where a rule of which nobody knows whether it concerns these packets may.

    :param felix: Felix lets it in itself, where its own chain comes first.
    """
    plan = NodePlan(running=True)
    path = _Path(_Chains(host.firewall, plan), Inflow(protocol, port, "", felix=felix), plan)
    found = path.walked()
    if found is not None and found[1] == "error" and not _unread(host):
        return True, f"firewall[{found[0].tool} {found[0].chain}] {_shown(found[0])}"
    return (None if found is not None or path.doubtful or _unread(host) else False), ""


def _shown(rule: FirewallRule) -> str:
    return rule.text or f"{rule.verdict} {rule.protocol} {','.join(rule.ports)}".strip()


def _unread(host: NodeHost) -> str:
    """Why it is not known which ports the host's rules name, "" where it is."""
    hidden = next((rule for rule in host.firewall if not _is_ours(rule) and ("dport != @" in rule.text or any("@" in ports for ports in rule.ports))), None)
    return host.why_unseen("firewall") or (f"the ports of a set were not read: {hidden.chain}: {hidden.text}" if hidden is not None else "")


_Key = t.Tuple[str, str]  # tool and chain


class _Chains:
    """The host's own rules by chain, each chain's policy, which tools print first, after its rules."""

    def __init__(self, rules: t.Iterable[FirewallRule], plan: NodePlan) -> None:
        self.rules: dict[_Key, list[FirewallRule]] = {}
        hooks: dict[_Key, str] = {}
        for rule in rules:
            hook = _HOOK.match(rule.text)
            if hook is not None:
                hooks[rule.tool, rule.chain] = hook.group(1)
            if not _is_ours(rule) and (plan.wants_ipv6 or not rule.chain.startswith("ip6 ")):
                self.rules.setdefault((rule.tool, rule.chain), []).append(rule)
        for found in self.rules.values():
            found.sort(key=_is_policy)
        targets = {(rule.tool, _target(rule)) for found in self.rules.values() for rule in found if rule.verdict in JUMPS}
        hooked = {(tool, chain.rpartition(" ")[0]) for tool, chain in hooks}
        self.first = [key for key in self.rules if _is_first(key, hooks, hooked, targets)]
        reached, ways = set(self.first), list(self.first)
        while ways:
            tool = ways[-1][0]
            new = {(tool, _target(rule)) for rule in self.rules.get(ways.pop(), ()) if rule.verdict in JUMPS} - reached
            reached |= new
            ways += new
        # A map of verdicts, which nft alone has, may lead to these without showing it.
        hidden = [key for key in self.rules if key not in reached and key[0] != "iptables" and not _ELSEWHERE.search(key[1])]
        self.unreached = [rule for key in hidden for rule in self.rules[key]]


def _is_first(key: _Key, hooks: t.Mapping[_Key, str], hooked: t.Container[_Key], targets: t.Container[_Key]) -> bool:
    """The kernel calls this chain for what comes in. A table of nft whose rules do not say where a chain hangs has no others than such."""
    tool, chain = key
    table, _space, name = chain.rpartition(" ")
    if key in hooks:
        return hooks[key] in _INWARDS
    if tool == "iptables" or name in ("INPUT", "PREROUTING"):
        return name in ("INPUT", "PREROUTING")
    return (tool, table) not in hooked and key not in targets and not _ELSEWHERE.search(chain)


def _is_ours(rule: FirewallRule) -> bool:
    if rule.verdict in JUMPS and rule.target == _FELIX:
        return False
    return _OURS.search(rule.chain) is not None or _OURS.search(rule.text) is not None


def _is_policy(rule: FirewallRule) -> bool:
    return rule.text.startswith("type ") or (rule.tool == "iptables" and bool(rule.text) and not rule.text.startswith("-A"))


def _target(rule: FirewallRule) -> str:
    return f"{rule.chain.rpartition(' ')[0]} {rule.target}"


class _Over(Exception):
    """Nothing more can happen to the flow in this chain that the kernel called."""


class _Path:
    """The way of one flow through the chains, and the worst that happens to it there."""

    def __init__(self, chains: _Chains, flow: Inflow, plan: NodePlan) -> None:
        self._chains, self._flow = chains, flow
        self._packets = Packets(flow.protocol, flow.port, plan.wants_ipv6)
        self._plan = plan
        self._found: list[tuple[FirewallRule, str, str]] = []
        self._trusting = False  # a rule has accepted all of certain senders, which may be the nodes
        self._steps = 0
        self.doubtful = False  # a rule that does not name the flow drops some packets, of which nobody knows whether they are the flow's

    def walked(self) -> tuple[FirewallRule, str, str] | None:
        """The rule that drops the flow, how bad that is and why; None where none does."""
        for key in self._chains.first:
            self._trusting = False
            rules = self._chains.rules[key]
            try:
                if not self._walk(key, [rule for rule in rules if not _is_policy(rule)], False, False, ()):
                    self._walk(key, [rule for rule in rules if _is_policy(rule)], False, False, ())
            except _Over:
                pass
        return min(self._found, key=lambda found: found[1] != "error", default=None)

    def _walk(self, key: _Key, rules: t.Iterable[FirewallRule], limited: bool, named: bool, above: tuple[_Key, ...]) -> bool:
        """Whether none of the packets that came into the chain leaves it.

        :param limited: perhaps not all of the flow came here. :param named: a rule that led here names the flow.
        """
        thinned = False  # some may have left the chain
        for rule in rules:
            self._steps += 1
            extent = self._extent(rule)
            if extent == NONE or self._steps > _MOST_STEPS:
                continue
            names = named or self._names(rule)
            every = extent == ALL and not (limited or thinned)
            if rule.verdict in JUMPS:
                if self._jump(rule, key, not every, names, above) and extent == ALL:
                    return not thinned
                if rule.verdict == "goto" and extent == ALL:
                    return False
                continue
            if rule.verdict == RETURN:
                if extent == ALL:
                    return False
                thinned = True
                continue
            if rule.verdict == ACCEPT:
                # In doubt a rule that names the flow is for the nodes.
                if names or every:
                    raise _Over()
                self._trusting = True
            elif names or every:
                self._drops(rule, names, every)
            else:
                self.doubtful = True
            if extent == ALL:
                return not thinned
        return False

    def _jump(self, rule: FirewallRule, key: _Key, limited: bool, names: bool, above: tuple[_Key, ...]) -> bool:
        if rule.target == _FELIX:
            if self._flow.felix and self._plan.running:
                if self._plan.data_plane != EBPF:
                    raise _Over()
                self._trusting = True  # which packets its eBPF programs have marked for this chain no rule tells
            return False
        target = (key[0], _target(rule))
        if target in above or target == key:
            return False
        return self._walk(target, self._chains.rules.get(target, ()), limited, names, (*above, key))

    def _drops(self, rule: FirewallRule, names: bool, every: bool) -> None:
        severity = self._flow.severity
        if not every:
            self._found.append((rule, "warning", "of some senders or packets"))
            return
        if names:
            self._found.append((rule, severity, ""))
        elif self._trusting:
            self._found.append((rule, "warning", "it drops everything that no rule accepts, and there are rules that accept all of certain senders"))
        elif any(other.verdict == ACCEPT and other.tool == rule.tool and self._names(other) and self._extent(other) for other in self._chains.unreached):
            self._found.append((rule, "warning", "it drops everything that no rule accepts; one accepts this, and nothing shows what leads to its chain"))
        else:
            self._found.append((rule, severity, "it drops everything that no rule accepts, and none accepts this"))
        raise _Over()

    def _extent(self, rule: FirewallRule) -> int:
        return min(_concerns(rule, self._flow), matched(rule.text, self._packets))

    def _names(self, rule: FirewallRule) -> bool:
        """The rule is about this flow, by its ports, or by its protocol where that has none. Of a jump for ports that nobody knows it is not known."""
        if rule.ports and rule.verdict in JUMPS:
            return _concerns(rule, self._flow) == ALL
        return bool(rule.ports) or (self._flow.port is None and bool(rule.protocol)) or names_port(rule.text, self._packets)


def _concerns(rule: FirewallRule, flow: Inflow) -> int:
    """How much of the flow a rule's protocol and ports leave. In doubt, with a set of ports or a service's name, it accepts and does not drop."""
    if rule.protocol and not set(SPELLINGS[flow.protocol]) & set(rule.protocol.lower().split(",")):
        return NONE
    if not rule.ports:
        return ALL
    if flow.port is None:
        return NONE
    # Several fields in one set have a port among other things: ``10.0.0.1 . 4800``.
    choices = [[part for part in ports.split(" . ") if _PORTS.fullmatch(part)] for ports in rule.ports]
    if any(within(flow.port, part) for parts in choices for part in parts):
        return ALL
    return SOME if rule.verdict not in _DROPS and not all(choices) else NONE


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
