# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""No two clusters of a set, joined or to be joined, may use the same addresses."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._clusterset_members import not_compared, strangers
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._overlap_matrix import (
    GLOBAL,
    NODES,
    PROXY,
    Clash,
    Proposals,
    local_clashes,
    own_clashes,
    reserved_clashes,
    tunnelled_clashes,
)
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CLUSTERSET, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand

GLOBALNET = "https://submariner.io/getting-started/architecture/globalnet/"
MOST = 40  # pairs that are told one by one: a hundred candidates with one default range make thousands
Cards = t.Tuple[Card, ...]


@check(
    "clusterset-cidr-overlap",
    title="No two clusters have overlapping CIDRs",
    severity="blocker",
    scope=CLUSTERSET,
    references=("submariner pkg/controllers/datastoresyncer/datastoresyncer.go", GLOBALNET),
    tags=("cidr",),
    remedy="Join with Globalnet, or give one of the clusters other ranges; free ones are proposed.",
)
def cidr_overlap(cards: Cards) -> t.Iterator[Problem]:
    """The true pod and service CIDRs of all clusters, joined, not yet joined or only planned (candidates), against each other.

    A member that nobody read is compared by the Endpoint that the others hold of it. With Globalnet on both sides an overlap is what Globalnet is for, and the
    global CIDRs are compared instead. The value that a cluster which was read announces says nothing here: a /24 that is too small hides an overlap. Between
    clusters that are not both joined it is an error: a join would be in vain. Of one cluster alone the question does not arise.
    """
    read = [card for card in cards if not card.error]
    yield from not_compared(tuple(card for card in cards if card.error))
    members = [*read, *strangers(cards)]
    if len(members) < 2:
        raise NotApplicable
    proposals = Proposals(members)
    pairs = [(one, other) for position, one in enumerate(members) for other in members[position + 1 :] if _comparable(one, other)]
    clashes = [(one, other, found) for one, other in pairs for found in (tunnelled_clashes(one, other),) if found]
    for one, other, found in clashes[:MOST]:
        shared = ", ".join(dict.fromkeys(str(clash.shared) for clash in found))
        yield Problem(
            subject=f"{one.cluster} and {other.cluster}",
            title=f"{one.cluster} and {other.cluster} both use {shared}",
            evidence=tuple(_ranges(one)) + tuple(_ranges(other)),
            impact="Each gateway ignores the other cluster's Endpoint, and Calico refuses its pools: the two cannot talk to each other.",
            remedy=_renumber(one, other, found, proposals),
            severity="" if one.joined and other.joined else "error",
        )
    if len(clashes) > MOST:
        names = ", ".join(dict.fromkeys(other.cluster for _one, other, _found in clashes[MOST:][:10]))
        yield Problem(subject="clusterset", title=f"{len(clashes) - MOST} more pairs of clusters use the same addresses, among them {names}", severity="error")
    for card in read:
        lacking = [entry.why_not for entry in (card.pods, card.services) if not entry.cidrs and entry.why_not]
        if lacking:
            yield Problem(
                subject=f"cluster {card.cluster}",
                title=f"Whether {card.cluster} overlaps another cluster is not known",
                cluster=card.cluster,
                missing="; ".join(lacking),
            )


@check(
    "clusterset-node-network-overlap",
    title="No cluster's nodes or proxy lie in a range that is sent to another cluster",
    severity="blocker",
    scope=CLUSTERSET,
    references=("submariner pkg/routeagent_driver/handlers/kubeproxy", "submariner-operator#63"),
    tags=("cidr",),
    remedy="Choose other pod and service CIDRs for the cluster that is not joined yet, or Globalnet.",
)
def node_overlap(cards: Cards) -> t.Iterator[Problem]:
    """InternalIPs of nodes, and the proxy's address, against the pod and service CIDRs (with Globalnet the global CIDRs) of every cluster, its own included.

    Submariner routes the other cluster's ranges into the tunnel on every node: a node, or the proxy, whose address lies in one of them is no longer
    reached, and the tunnel's own packets go astray where it is a gateway.
    """
    read = [card for card in cards if not card.error]
    yield from not_compared(cards, "nodes")
    unread = strangers(cards)
    proposals = Proposals([*read, *unread])
    told = 0
    for one in read:
        for other in (*read, *(card for card in unread if _comparable(one, card))):
            found = local_clashes(one, other) + (own_clashes(one) if one is other else [])
            if found:
                told += 1
                if told <= MOST:
                    yield _local(one, other, found, proposals)
    if told > MOST:
        yield Problem(subject="clusterset", title=f"{told - MOST} more pairs of clusters clash in the same way", severity="error")


@check(
    "clusterset-range-reserved",
    title="No cluster uses a range that Submariner takes for itself",
    severity="error",
    scope=CLUSTERSET,
    references=("submariner pkg/vxlan/vxlan.go", "submariner-io/submariner#2305"),
    tags=("cidr", "globalnet"),
    remedy="Choose ranges outside 240.0.0.0/8 to 243.0.0.0/8.",
)
def range_reserved(cards: Cards) -> t.Iterator[Problem]:
    """240.0.0.0/8 and 241.0.0.0/8 are the addresses of Submariner's tunnel devices, 242.0.0.0/8 is Globalnet's default, 243.0.0.0/8 that of clusterset IPs.

    172.17.0.0/16, Docker's default bridge, is an information: it only matters to hosts on which Docker runs.
    """
    yield from not_compared(cards)
    for card in cards:
        for reserved, use, network in reserved_clashes(card):
            yield Problem(
                cluster=card.cluster,
                subject=f"{use} of {card.cluster}",
                title=f"{card.cluster} has {use} in {network}, which is {reserved.use}",
                evidence=(Evidence(f"cluster {card.cluster}", use, str(network), f"{reserved.network} is {reserved.use}"),),
                impact=reserved.impact,
                remedy=by_hand("Choose another range for the cluster, or where that can be configured for what takes it."),
                severity=reserved.severity,
            )


def _comparable(one: Card, other: Card) -> bool:
    """Of an Endpoint under the id that a cluster would get it is asked whether that id is free, not whether its ranges are."""
    return not other.known_from or not (one.known_from or one.planned_id == other.cluster_id)


def _local(one: Card, other: Card, found: t.Sequence[Clash], proposals: Proposals) -> Problem:
    shared = ", ".join(dict.fromkeys(str(clash.shared) for clash in found[:4]))
    what = " and ".join(dict.fromkeys({NODES: "Nodes", PROXY: "The proxy"}.get(clash.one_use, clash.one_use.capitalize()) for clash in found))
    targets = " and ".join(dict.fromkeys(clash.other_use for clash in found))
    own = one is other
    return Problem(
        subject=f"cluster {one.cluster}" if own else f"{one.cluster} and {other.cluster}",
        cluster=one.cluster if own else "",
        title=f"{what} of {one.cluster}: addresses among the {targets} of {'the same cluster' if own else other.cluster}, {shared}",
        evidence=tuple(
            entry
            for clash in found[:4]
            for entry in (
                Evidence(f"cluster {one.cluster}", clash.one_use, str(clash.one_network), "InternalIPs of nodes" if clash.one_use == NODES else ""),
                Evidence(f"cluster {other.cluster}", clash.other_use, str(clash.other_network)),
            )
        ),
        impact=(
            f"Kubernetes and Calico of {one.cluster} take the same addresses for two things."
            if own
            else f"On {one.cluster} those addresses are routed to {other.cluster}: the nodes (or the proxy) behind them cannot be reached, nor can the tunnel."
        ),
        remedy=_renumber(other, other, found, proposals),
        severity="" if one.joined and other.joined else "error",
    )


def _renumber(one: Card, other: Card, found: t.Sequence[Clash], proposals: Proposals) -> Remedy:
    """Whom to give other ranges: a cluster that is only planned, else one that is not joined, else the second."""
    chosen = min((other, one), key=lambda card: (not card.candidate, card.joined))
    free = proposals.of(chosen)
    ranges = ", ".join(f"{use} {network}" for use, network in free.items())
    offered = f" Free in this clusterset: {ranges}." if ranges else " No private range of that size is free in this clusterset."
    if any(GLOBAL in (clash.one_use, clash.other_use) for clash in found):
        return by_hand("Give one of the clusters another global CIDR (--globalnet-cidr), outside the ranges that the others have.")
    if chosen.candidate:
        planned = " or ".join(dict.fromkeys(card.cluster for card in (one, other) if card.candidate))
        return by_hand(f"Build {planned} with other ranges, or join all with Globalnet.{offered}")
    return by_hand(f"Join them with Globalnet, or rebuild {chosen.cluster} with other CIDRs: they cannot be changed on a running cluster.{offered}")


def _ranges(card: Card) -> t.Iterator[Evidence]:
    if card.known_from:
        yield Evidence(f"cluster {card.cluster}", "Endpoint's subnets", ", ".join((*card.pods.cidrs, *card.global_cidrs)), f"as {card.known_from} holds them")
        return
    note = "as planned" if card.candidate else ""
    for kind, cidrs in (("true pod CIDR", card.pods.cidrs), ("true service CIDR", card.services.cidrs), ("global CIDR", card.global_cidrs)):
        if cidrs:
            yield Evidence(f"cluster {card.cluster}", kind, ", ".join(cidrs), note)
