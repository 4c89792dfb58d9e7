# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""CIDRs across the clusterset: what each cluster really has against what the others believe of it."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card, CardEndpoint, CardPool
from ansible_collections.fathom.submariner.plugins.module_utils._checks._clusterset_members import not_compared
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import differs
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CLUSTERSET, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remote_pools import STALE
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import pin_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._checks._submariner_cidrs import ANNOUNCED, WRONG
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import IPV4, Network, overlap, parse_cidrs, same

HANDLER = "submariner pkg/routeagent_driver/handlers/calico/ippool_handler.go"
Cards = t.Tuple[Card, ...]


@check(
    "clusterset-endpoint-wrong",
    title="Every cluster holds the right subnets of every other one",
    severity="error",
    scope=CLUSTERSET,
    references=("submariner pkg/endpoint/local_endpoint.go", "submariner-io/submariner#2953"),
    tags=("cidr",),
    remedy="Correct the CIDRs of the cluster that announces them.",
)
def endpoint_wrong(cards: Cards) -> t.Iterator[Problem]:
    """Each cluster's copy of a remote Endpoint against the true CIDRs of the cluster that owns it.

    Where the owner announces the same wrong value, this follows from the owner's own finding; where the owner is right, the copy is stale.
    """
    yield from not_compared(cards, "endpoints")
    yield from _without_truth(cards)
    for peer, owner, endpoint in _copies(cards):
        if not owner.true_subnets or not differs(endpoint.subnets, parse_cidrs(owner.true_subnets).networks):
            continue
        announced = [own for own in owner.announced if sorted(own.subnets) == sorted(endpoint.subnets)]
        yield Problem(
            cluster=peer.cluster,
            subject=endpoint.object,
            title=f"{peer.cluster} routes {', '.join(endpoint.subnets) or 'nothing'} to {owner.cluster}, which really has {', '.join(owner.true_subnets)}",
            evidence=(
                Evidence(endpoint.object, "spec.subnets", ", ".join(endpoint.subnets), f"as {peer.cluster} holds it"),
                *(Evidence(own.object, "spec.subnets", ", ".join(own.subnets), f"as {owner.cluster} announces it") for own in owner.announced),
                Evidence(f"cluster {owner.cluster}", "true CIDRs", ", ".join(owner.true_subnets)),
            ),
            impact=f"Pods and Services of {owner.cluster} outside those subnets cannot be reached from {peer.cluster}.",
            remedy=_correct(owner, peer),
            severity="warning" if announced else "",
            caused_by=f"{owner.cluster}/{_cause(owner)}" if announced else "",
        )


@check(
    "clusterset-pool-wrong",
    title="The IPPools of every cluster fit the true CIDRs of the others",
    severity="error",
    scope=CLUSTERSET,
    references=(HANDLER,),
    tags=("pools", "cidr"),
    remedy="Correct the CIDRs of the cluster that they belong to: that removes the stale pools as well.",
)
def pool_wrong(cards: Cards) -> t.Iterator[Problem]:
    """The pools that a cluster keeps for a remote one against that one's true CIDRs.

    A pool that overlaps the true range without being equal follows a wrong value and keeps the right pool out. Pools and Endpoints that agree on
    the same wrong /24 are green in subctl diagnose.
    """
    owners = {card.cluster_id: card for card in cards if card.joined and card.true_subnets and not card.globalnet}
    yield from not_compared(cards, "endpoints", "ip_pools")
    yield from _without_truth(cards)
    for peer in cards:
        if not (peer.joined and peer.calico_handler) or "ip_pools" in peer.unread:
            continue
        for owner in owners.values():
            wrong = [] if owner is peer or not _knows(peer, owner) else list(_wrong_pools(peer, owner))
            if wrong:
                follows = [pool for pool, _true in wrong if any(pool.cidr in own.subnets for own in owner.announced)]
                known = [pool for pool, _true in wrong if any(pool.cidr in copy.subnets for copy in peer.remote)]
                cause = f"{owner.cluster}/{_cause(owner)}" if follows else "" if known else f"{peer.cluster}/{STALE}"
                yield Problem(
                    cluster=peer.cluster,
                    subject=", ".join(f"IPPool {pool.name}" for pool, _true in wrong),
                    title=f"The pool {wrong[0][0].cidr} on {peer.cluster} does not fit {wrong[0][1]} of {owner.cluster}"
                    + (": it follows the wrong value" if follows else ": it is left over from a wrong value"),
                    evidence=(
                        *(Evidence(f"IPPool {pool.name}", "spec.cidr", pool.cidr, f"on {peer.cluster}; keeps {true} out") for pool, true in wrong),
                        Evidence(f"cluster {owner.cluster}", "true CIDRs", ", ".join(owner.true_subnets)),
                    ),
                    impact=f"Traffic from {peer.cluster} to {owner.cluster} outside {wrong[0][0].cidr} leaves masqueraded, and Calico refuses the right pool.",
                    remedy=_correct(owner, peer),
                    severity="warning" if cause else "",
                    caused_by=cause,
                )


def _wrong_pools(peer: Card, owner: Card) -> t.Iterator[tuple[CardPool, Network]]:
    for true in parse_cidrs(owner.true_subnets).of(IPV4):
        for pool in peer.pools:
            if pool.made_by_submariner:
                networks = parse_cidrs(pool.cidr).networks
                if overlap(networks, (true,)) and not same(networks, (true,)):
                    yield pool, true


def _knows(peer: Card, owner: Card) -> bool:
    return any(endpoint.cluster_id == owner.cluster_id for endpoint in peer.remote)


def _copies(cards: Cards) -> t.Iterator[tuple[Card, Card, CardEndpoint]]:
    """Every remote Endpoint that some cluster holds, with the card of the cluster that owns it; Globalnet's say nothing of CIDRs."""
    owners = {card.cluster_id: card for card in cards if card.joined and not card.globalnet}
    for peer in cards:
        for endpoint in peer.remote:
            owner = owners.get(endpoint.cluster_id)
            if owner is not None and owner is not peer:
                yield peer, owner, endpoint


def _without_truth(cards: Cards) -> t.Iterator[Problem]:
    """One unknown verdict for each member whose true CIDRs are not known: there is nothing to compare its copies with."""
    for owner in cards:
        if owner.joined and not owner.globalnet and not owner.true_subnets and len(cards) > 1:
            reasons = [entry.why_not for entry in (owner.pods, owner.services) if not entry.cidrs]
            yield Problem(
                subject=f"cluster {owner.cluster}",
                cluster=owner.cluster,
                title=f"What {owner.cluster} really has is not known",
                missing="; ".join(reasons),
            )


def _cause(owner: Card) -> str:
    """The owner's finding that a wrong announcement follows from: its status where the Endpoint only repeats that, else the Endpoint."""
    return WRONG if owner.status_wrong else ANNOUNCED


def _correct(owner: Card, peer: Card) -> Remedy:
    text = f"Correct the CIDRs of {owner.cluster}: that also removes the stale pools on {peer.cluster} and restarts what still follows them."
    return pin_cidrs(owner.cluster_id, owner.pods.cidrs, owner.services.cidrs, text=text, cluster=owner.cluster)
