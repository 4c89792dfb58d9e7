# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Globalnet: its range, its addresses, and whether all members take part."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._clusterset_members import not_compared
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CLUSTERSET, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._checks._words import few, names
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, overlap, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD, SERVICE
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_SERVED, GlobalEgressIP

DEFAULT_RANGE = "242.0.0.0/8"  # submariner-operator pkg/discovery/globalnet
VX_SUBMARINER = "240.0.0.0/8"  # addresses of the nodes on vx-submariner (submariner pkg/routeagent_driver/handlers/kubeproxy)
CLUSTER_EGRESS = "cluster-egress.submariner.io"
GLOBALNET = "submariner-globalnet"
DOCUMENTED = "https://submariner.io/getting-started/architecture/globalnet/"
REJOIN = (
    "Deploy the broker anew with another --globalnet-cidr-range (subctl deploy-broker), then join every cluster again: the range cannot be changed in place."
)


@check(
    "globalnet-range-clash",
    title="Globalnet's range is used by nothing else",
    severity="error",
    needs=("ip_pools", "nodes", "submariner_clusters"),
    joined=True,
    references=(DOCUMENTED, "https://submariner.io/operations/deployment/calico/", "submariner-io/submariner#2305"),
    tags=("globalnet", "cidr"),
    remedy="Deploy the broker with another --globalnet-cidr-range and join every cluster again.",
)
def range_clash(facts: Facts) -> t.Iterator[Problem]:
    """This cluster's global CIDR and those of the others against its pods, Services, IPPools, node addresses and vx-submariner's 240.0.0.0/8.

    Globalnet's default range 242.0.0.0/8 is documented as not to be used with Calico.
    """
    if not facts.globalnet:
        raise NotApplicable()
    used = list(_used(facts))
    for where, cidr in _global_ranges(facts):
        networks = parse_cidrs(cidr).networks
        clashes = [evidence for others, evidence in used if overlap(networks, others)]
        if clashes:
            # Nodes of one cluster in the range of another are told once for the whole set, too.
            of_set = where != str(facts.submariner.ref) and all(evidence.object.startswith("Node ") for evidence in clashes)
            yield Problem(
                subject=where,
                title=f"Globalnet's range {cidr} overlaps {names(evidence.value for evidence in clashes)}",
                evidence=few((Evidence(where, "global CIDR", cidr), *clashes)),
                impact="Packets to global addresses go to what has these addresses here, and Calico refuses the IPPool for the range.",
                remedy=by_hand(REJOIN),
                severity="warning" if of_set else "",
                caused_by=f"{CLUSTERSET}/clusterset-node-network-overlap" if of_set else "",
            )
        elif facts.uses_calico_handler and overlap(networks, parse_cidrs(DEFAULT_RANGE).networks) and where == str(facts.submariner.ref):
            yield Problem(
                subject=where,
                title=f"Globalnet uses {cidr}, out of its default range {DEFAULT_RANGE}, which Submariner advises against with Calico",
                evidence=(Evidence(where, "global CIDR", cidr),),
                impact="Pods of clusters with Calico may not reach global addresses in it.",
                remedy=by_hand(REJOIN),
                severity="warning",
            )


def _global_ranges(facts: Facts) -> t.Iterator[tuple[str, str]]:
    own = facts.submariner.status_global_cidr or facts.submariner.global_cidr
    yield str(facts.submariner.ref), own
    for cluster in facts.snapshot.submariner_clusters.items:
        if cluster.ref.namespace == facts.submariner.ref.namespace and cluster.cluster_id != facts.submariner.cluster_id:
            for cidr in cluster.global_cidrs:
                yield str(cluster.ref), cidr


def _used(facts: Facts) -> t.Iterator[tuple[tuple[Network, ...], Evidence]]:
    for subject in (POD, SERVICE):
        for network in facts.truth.networks(subject):
            yield (network,), Evidence("this cluster", f"true {subject} CIDR", str(network))
    for pool in facts.snapshot.ip_pools.items:
        if not pool.is_submariner:
            yield parse_cidrs(pool.cidr).networks, Evidence(str(pool.ref), "spec.cidr", pool.cidr)
    yield parse_cidrs(VX_SUBMARINER).networks, Evidence("vx-submariner", "addresses of the nodes", VX_SUBMARINER)
    for node in facts.snapshot.nodes.items:
        for address in node.internal_ips:
            yield parse_cidrs(f"{address}/{128 if ':' in address else 32}").networks, Evidence(str(node.ref), "status.addresses[InternalIP]", address)


@check(
    "globalnet-addresses-missing",
    title="Globalnet runs and has handed out its addresses",
    severity="error",
    needs=("global_egress_ips", "daemon_sets"),
    joined=True,
    references=("submariner pkg/globalnet/controllers/cluster_egressip_controller.go",),
    tags=("globalnet",),
    remedy="Restart Globalnet's pods; join with a larger --globalnet-cluster-size where the range is used up.",
)
def addresses_missing(facts: Facts) -> t.Iterator[Problem]:
    """DaemonSet submariner-globalnet, and what ClusterGlobalEgressIP and GlobalEgressIPs say of their allocation."""
    if not facts.globalnet:
        raise NotApplicable()
    namespace = facts.submariner.ref.namespace
    if facts.daemon_set(GLOBALNET) is None:
        yield Problem(
            subject=f"DaemonSet {namespace}/{GLOBALNET}",
            title="This cluster has a global CIDR, and Globalnet does not run",
            evidence=(
                Evidence(f"DaemonSet {namespace}/{GLOBALNET}", "", "none"),
                Evidence(str(facts.submariner.ref), "spec.globalCIDR", facts.submariner.global_cidr or facts.submariner.status_global_cidr),
            ),
            impact="Nothing translates global addresses: other clusters do not reach this one.",
            remedy=by_hand("Read the log of submariner-operator: it makes the DaemonSet from spec.globalCIDR."),
        )
        return
    answer = facts.snapshot.global_egress_ips
    if answer.state == NOT_SERVED or not any(item.ref.name == CLUSTER_EGRESS for item in answer.items):
        yield Problem(
            subject=f"ClusterGlobalEgressIP {CLUSTER_EGRESS}",
            title="The cluster has no global egress address",
            evidence=(Evidence(answer.where or f"ClusterGlobalEgressIP {CLUSTER_EGRESS}", "", "none", answer.detail),),
            impact="Pods of this cluster reach no other one.",
            remedy=by_hand("Delete the pods with label app=submariner-globalnet: they make it when they start."),
        )
    without: dict[tuple[str, str], list[tuple[GlobalEgressIP, str]]] = {}
    for item in answer.items:
        failed = next((entry for entry in item.conditions if entry.type == "Allocated" and entry.status != "True"), None)
        if failed is not None or not item.allocated_ips:
            reason, message = ("", "") if failed is None else (failed.reason, failed.message)
            without.setdefault((item.ref.kind, reason), []).append((item, message))
    for (kind, reason), entries in without.items():
        yield Problem(
            subject=names(str(item.ref) for item, _message in entries),
            title=f"{kind} {names(item.ref.name for item, _message in entries)} {'has' if len(entries) == 1 else 'have'} no addresses"
            + (f": {reason}" if reason else ""),
            evidence=few(Evidence(str(item.ref), "status.allocatedIPs", ", ".join(item.allocated_ips) or "none", message) for item, message in entries),
            impact="Pods that they stand for reach no other cluster.",
            remedy=by_hand("The condition says why: where the range is used up, join with a larger --globalnet-cluster-size."),
        )


@check(
    "globalnet-mixed",
    title="All clusters of the set use Globalnet, or none does",
    severity="error",
    scope=CLUSTERSET,
    references=(DOCUMENTED,),
    tags=("globalnet",),
    remedy="Join the others with --globalnet, too.",
)
def mixed(cards: tuple[Card, ...]) -> t.Iterator[Problem]:
    """A member with Globalnet announces global addresses alone, one without its own: the first cannot tell Services and pods of the second apart."""
    yield from not_compared(tuple(card for card in cards if card.error))
    members = [card for card in cards if card.joined]
    using = [card for card in members if card.globalnet]
    without = [card for card in members if not card.globalnet]
    if using and without:
        yield Problem(
            subject=", ".join(card.cluster for card in without),
            title=f"{names(card.cluster for card in using)} use Globalnet, and {names(card.cluster for card in without)} do not",
            evidence=tuple(
                Evidence(f"cluster {card.cluster}", "Endpoint spec.subnets", ", ".join(subnet for own in card.announced for subnet in own.subnets) or "none")
                for card in members
            ),
            impact="Exported Services resolve to addresses that the other side cannot route, and overlapping CIDRs are not translated.",
            remedy=by_hand(f"Join {names(card.cluster for card in without)} again with --globalnet, once the broker has Globalnet."),
        )
