# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How nodes are set: forwarding, connection tracking, clocks."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_clock import judge_clock, reference
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import Flaw
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_sysctl import WITHOUT_IPV6, judge_conntrack, judge_forwarding
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._node_hosts import Told, hosts, judged, keys_of, plan_of
from ansible_collections.fathom.submariner.plugins.module_utils._checks._node_remedies import on_nodes
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand


@check(
    "node-forwarding",
    title="Nodes forward packets",
    severity="error",
    references=("kernel Documentation/networking/ip-sysctl.rst", "submariner pkg/netlink/netlink.go"),
    tags=("nodes", "agents"),
    remedy="Switch forwarding on, now and at boot (role node_sysctl).",
)
def forwarding(facts: Facts) -> t.Iterator[Problem]:
    """net.ipv4.ip_forward, with IPv6 its twin and net.ipv6.conf.all.disable_ipv6, and the setting of each device of Calico's and Submariner's.

    Hardening writes 0 into a file of sysctl.d, which acts at the next boot or `sysctl --system`, days after all went well.
    """
    hosts(facts)
    plan = plan_of(facts)
    yield from judged(facts, lambda host: judge_forwarding(host, plan), lambda nodes, flaws: _forwarding(facts.snapshot.cluster, nodes, flaws))


def _forwarding(cluster: str, nodes: t.Sequence[str], flaws: t.Sequence[Flaw]) -> Told:
    impact = "Packets that are not for the node itself end there: pods reach no other node, and on a gateway no other cluster."
    search = "Find what switches it off, too: grep -r forward /etc/sysctl.*."
    names = keys_of(flaws)
    if flaws[0].field.startswith("links["):
        # The device's maker sets it; a file of sysctl.d acts only on devices that are there at boot.
        paths = " ".join(f"/proc/sys/net/ipv4/conf/{name}/forwarding" for name in names)
        return Told(impact, by_hand(f"On {', '.join(nodes[:5])}: for f in {paths}; do echo 1 > $f; done. {search}"))
    if names == [WITHOUT_IPV6]:
        variables = {"node_sysctl_sysctls": {WITHOUT_IPV6: 0}, "node_sysctl_rp_filter": {}}
        impact = "Its links get no IPv6 addresses: pods there have none, and nothing of IPv6 reaches the node."
        search = "Find what switches it off, too: grep -r disable_ipv6 /etc/sysctl.*."
        return Told(impact, on_nodes(cluster, "node_sysctl", nodes, f"Switch IPv6 on. {search}", variables))
    variables = {"node_sysctl_sysctls": dict.fromkeys(names, 1), "node_sysctl_rp_filter": {}}
    text = "Switch forwarding on."
    if any(name.startswith("net.ipv6.") for name in names):
        text += " A node whose default route comes by router advertisements to the kernel loses it then: add net.ipv6.conf.DEVICE.accept_ra: 2 to"
        text += " node_sysctl_sysctls there. The role refuses without it, and names the device."
    return Told(impact, on_nodes(cluster, "node_sysctl", nodes, f"{text} {search}", variables))


@check(
    "node-conntrack-full",
    title="Nodes have room for more connections",
    severity="warning",
    references=("kernel Documentation/networking/nf_conntrack-sysctl.rst",),
    tags=("nodes",),
    remedy="Raise net.netfilter.nf_conntrack_max (role node_sysctl), or kube-proxy's conntrack-max-per-core.",
)
def conntrack_full(facts: Facts) -> t.Iterator[Problem]:
    """The table of connections at nine tenths or more. Calico counts on it for every connection, and a gateway holds those of the whole cluster."""
    hosts(facts)
    plan = plan_of(facts)
    yield from judged(facts, lambda host: judge_conntrack(host, plan), lambda nodes, flaws: _conntrack(facts.snapshot.cluster, nodes, flaws))


def _conntrack(cluster: str, nodes: t.Sequence[str], flaws: t.Sequence[Flaw]) -> Told:
    settings = {"net.netfilter.nf_conntrack_max": max(int(limit) for limit in keys_of(flaws)) * 2}
    text = "Raise the limit; kube-proxy sets it at its start to conntrack-max-per-core times the cores, so raise that, too."
    return Told(
        "New connections are dropped when it is full, established ones go on: it looks like a bad network.",
        on_nodes(cluster, "node_sysctl", nodes, text, {"node_sysctl_sysctls": settings, "node_sysctl_rp_filter": {}}),
    )


@check(
    "node-clock",
    title="Clocks of nodes are right",
    severity="warning",
    references=("RFC 5280 section 4.1.2.5", "https://etcd.io/docs/latest/op-guide/monitoring/"),
    tags=("nodes",),
    remedy="Switch time synchronisation on (chrony, systemd-timesyncd).",
)
def clock(facts: Facts) -> t.Iterator[Problem]:
    """Compared with the other nodes' where three or more were read, else with the host that asked, less the uncertainty of asking.

    A wrong clock makes certificates that were just issued not valid yet, lets leases of gateways expire, and the times in logs and events lie.
    """
    middle = reference(hosts(facts))
    remedy = by_hand("Switch time synchronisation on there: timedatectl set-ntp true, or chronyc makestep; on VMware also the host's own clock.")
    told = Told("Certificates may not be valid there, leases of gateways expire or never do, and times in logs cannot be compared.", remedy)
    yield from judged(facts, lambda host: judge_clock(host, middle), lambda _nodes, _flaws: told)
