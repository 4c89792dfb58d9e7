# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Submariner on the nodes themselves: Calico's interface as the route agent finds it, reverse path filters, routes."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import Flaw
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, require
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._node_hosts import Told, hosts, judged, plan_of
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._checks._route_agents import REFERENCES
from ansible_collections.fathom.submariner.plugins.module_utils._checks._submariner_cidrs import WRONG
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import IPV4, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_places import active_nodes, why_unplaced
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._node_interfaces import (
    NOT_THERE,
    judge_cni_interface,
    judge_reverse_path,
    judge_routes,
)

INTERFACE = "node-cni-interface"


@check(
    INTERFACE,
    title="Nodes have an interface of Calico's inside the cluster CIDR, for the route agent to find",
    severity="error",
    joined=True,
    references=REFERENCES,
    tags=("nodes", "agents", "reboot"),
    remedy="Repair calico-node on the node, or the cluster CIDR that Submariner was told; then restart the route agent.",
)
def cni_interface(facts: Facts) -> t.Iterator[Problem]:
    """The agent takes the first interface with an address inside the cluster CIDR, whoever's it is, and goes on without where there is none.

    Without encapsulation Calico gives no interface such an address. A wrong cluster CIDR looks the same and is told apart.
    """
    _applies(facts)
    told = _told(facts)
    wrong = POD in facts.wrong_subjects()

    def tell(nodes: t.Sequence[str], flaws: t.Sequence[Flaw]) -> Told:
        if wrong:
            return Told("The agents look in a CIDR that is not this cluster's.", severity="warning", cause=WRONG)
        if flaws[0].what.startswith(NOT_THERE):
            return Told(
                "Host networks there do not reach other clusters, and answers to pods are dropped by the reverse path filter.",
                by_hand(
                    f"See that calico-node is ready on {', '.join(nodes[:3])} and has its tunnel device (ip -d link show vxlan.calico, or tunl0); "
                    "Calico without any encapsulation gives no interface an address of the pods' range. Then restart the route agents there."
                ),
            )
        return Told(
            "The agent loosens the reverse path filter of the wrong interface and gives packets of the host the wrong address: answers do not come back.",
            by_hand(f"Take the address off {flaws[0].keys[0]}, or move it out of the cluster CIDR, then restart the route agents there.", disruptive=True),
        )

    yield from judged(facts, lambda host: judge_cni_interface(host, told), tell)


@check(
    "node-rp-filter",
    title="Reverse path filters let answers of other clusters in",
    severity="error",
    joined=True,
    references=(*REFERENCES, "kernel Documentation/networking/ip-sysctl.rst", "submariner pkg/netlink/netlink.go"),
    tags=("nodes", "agents", "reboot"),
    remedy="Restart the route agent on the node, which sets rp_filter to 2; see that nothing sets it back.",
)
def reverse_path(facts: Facts) -> t.Iterator[Problem]:
    """rp_filter as it acts, the larger of all and own: 1 on Calico's interface of a worker, or on vx-submariner or vxlan-tunnel of the active gateway.

    The agent sets 2 on them when it starts. What sets it back is `sysctl --system` with a file for all interfaces, or the device's being made anew.
    """
    _applies(facts)
    require(facts.snapshot.gateways, "Gateways")
    told, cable = _told(facts), plan_of(facts).cable
    active = _active(facts)

    def tell(nodes: t.Sequence[str], _flaws: t.Sequence[Flaw]) -> Told:
        gateway = not active.isdisjoint(nodes)
        return Told(
            "Packets of other clusters, or on the gateway those of other nodes, are dropped without a word: their way back is another one.",
            _restart(nodes, gateway, "It sets rp_filter to 2; where it is 1 again later, find the file: grep -r rp_filter /etc/sysctl.* /usr/lib/sysctl.d."),
        )

    yield from judged(facts, lambda host: judge_reverse_path(host, told, active=host.node in active, cable=cable), tell)


@check(
    "node-submariner-routes",
    title="Nodes have Submariner's routes to every other cluster",
    severity="error",
    needs=("endpoints", "gateways"),
    joined=True,
    references=("submariner pkg/routeagent_driver/handlers/kubeproxy/routes_iface.go", "submariner-io/submariner#3156"),
    tags=("nodes", "agents"),
    remedy="Restart the route agent on the node; where another route wins, repair the IPPools of the remote subnets.",
)
def submariner_routes(facts: Facts) -> t.Iterator[Problem]:
    """For each subnet of the other clusters' Endpoints: on workers a route through vx-submariner in table main, on the active gateway one in table 150."""
    _applies(facts)
    remote = parse_cidrs([subnet for endpoint in facts.remote_endpoints for subnet in endpoint.subnets]).of(IPV4)
    if not remote:
        raise NotApplicable()
    active = _active(facts)
    if not active:
        raise CannotJudge("no gateway of this cluster is active: its nodes have no way to other clusters then")

    def tell(nodes: t.Sequence[str], flaws: t.Sequence[Flaw]) -> Told:
        if flaws[0].note.startswith("BIRD"):
            return Told(
                "Packets for other clusters leave this node towards another node, and are lost there.",
                by_role("remote_ippools", "Set disableBGPExport on the IPPools of the remote subnets."),
            )
        impact = "Pods there do not reach other clusters." if active.isdisjoint(nodes) else "The gateway's own programs do not reach other clusters; pods do."
        return Told(impact, _restart(nodes, not active.isdisjoint(nodes), "It makes them when it starts."))

    yield from judged(facts, lambda host: judge_routes(host, remote, active=host.node in active), tell)


def _applies(facts: Facts) -> None:
    """:raises NotApplicable: no documents were given, or another route agent's handlers run here (OVN-Kubernetes has its own routes)."""
    hosts(facts)
    if facts.submariner.network_plugin.lower().startswith("ovn"):
        raise NotApplicable()


def _active(facts: Facts) -> frozenset[str]:
    """The nodes with an active gateway.

    :raises CannotJudge: there is one of which the node is not known; other things hold there than on other nodes.
    """
    unplaced = why_unplaced(facts.snapshot)
    if unplaced:
        raise CannotJudge(unplaced)
    return active_nodes(facts.snapshot)


def _told(facts: Facts) -> str:
    """:raises CannotJudge: nobody told the agents a cluster CIDR."""
    told = facts.said(POD)
    if not told:
        raise CannotJudge("Submariner's status.clusterCIDR is empty, so that nobody knows where its agents look")
    return told


def _restart(nodes: t.Sequence[str], gateway: bool, why: str) -> Remedy:
    text = f"Restart the route agents on {', '.join(nodes[:3])}. {why}"
    return by_role("route_agent", text, {"route_agent_nodes": list(nodes)}, target="Pods app=submariner-routeagent", disruptive=gateway)
