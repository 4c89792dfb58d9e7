# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Who is in the clusterset, and who could not be asked."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card, CardRange
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CLUSTERSET, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand

Cards = t.Tuple[Card, ...]


def not_compared(cards: Cards, *names: str) -> t.Iterator[Problem]:
    """One unknown verdict for each cluster that could not be read, or whose answers ``names`` could not."""
    for card in cards:
        reasons = [card.error] if card.error else [card.unread[name] for name in ("submariners", *names) if name in card.unread]
        if reasons:
            yield Problem(
                subject=f"cluster {card.cluster}",
                cluster=card.cluster,
                title=f"{card.cluster} could not be compared with the others",
                missing="; ".join(reasons),
            )


def strangers(cards: Cards) -> tuple[Card, ...]:
    """Members that nobody read and nobody stated as candidates, as far as the Endpoints that others hold tell of them."""
    known = {card.cluster_id for card in cards if card.joined} | {card.cluster for card in cards if card.candidate}
    held: dict[str, list[tuple[Card, tuple[str, ...]]]] = {}
    for card in cards:
        for endpoint in card.remote:
            if endpoint.cluster_id not in known:
                held.setdefault(endpoint.cluster_id, []).append((card, endpoint.subnets))
    found = []
    for cluster_id, entries in held.items():
        subnets = tuple(dict.fromkeys(subnet for _holder, several in entries for subnet in several))
        globalnet = entries[0][0].globalnet
        found.append(
            Card(
                cluster=cluster_id,
                joined=True,
                cluster_id=cluster_id,
                pods=CardRange(() if globalnet else subnets),  # an Endpoint does not tell pods from Services
                globalnet=globalnet,
                global_cidrs=subnets if globalnet else (),
                known_from=", ".join(dict.fromkeys(holder.cluster for holder, _several in entries)),
            )
        )
    return tuple(found)


@check(
    "clusterset-duplicate-id",
    title="Every cluster has a cluster id of its own",
    severity="blocker",
    scope=CLUSTERSET,
    references=("subctl cmd/subctl/join.go", "submariner-io/subctl#705"),
    tags=("membership",),
    remedy="Join one of them again under an id of its own.",
)
def duplicate_id(cards: Cards) -> t.Iterator[Problem]:
    """Two clusters with one id overwrite each other's Endpoint and Cluster on the broker.

    Of a cluster that is not joined the id counts under which it would be (submariner_cluster_id, else its name). That one must be free, too: no member of the
    set may have it, nor hold an Endpoint of it.
    """
    by_id: dict[str, list[Card]] = {}
    for card in cards:
        if card.joined and card.cluster_id:
            by_id.setdefault(card.cluster_id, []).append(card)
    for cluster_id, members in by_id.items():
        if len(members) > 1:
            names = " and ".join(card.cluster for card in members)
            yield Problem(
                subject=f"cluster id {cluster_id}",
                title=f"{names} have the same cluster id {cluster_id}",
                evidence=tuple(Evidence(f"cluster {card.cluster}", "Submariner spec.clusterID", card.cluster_id) for card in members),
                impact="They overwrite each other's Endpoint on the broker: traffic goes to whichever wrote last. Or it is one cluster listed twice.",
                remedy=by_hand("List each cluster once in the inventory; join one of them again under another --clusterid if they are two."),
            )
    taken = {**{card.cluster_id: card for card in strangers(cards)}, **{card.cluster_id: card for card in cards if card.joined}}
    planned: dict[str, Card] = {}
    for card in cards:
        other = taken.get(card.planned_id) or planned.setdefault(card.planned_id, card)
        if card.planned_id and other is not card and not (other.known_from and card.planned_id in card.left_ids):
            yield _not_free(card, other)
    yield from not_compared(cards)


def _not_free(card: Card, other: Card) -> Problem:
    whose = f"cluster {other.cluster}"
    if other.known_from:
        title = f"{card.cluster} would be joined under the id {card.planned_id}, of which {other.known_from} holds an Endpoint already"
        row = Evidence(f"cluster {other.known_from}", "Endpoint's subnets", ", ".join((*other.pods.cidrs, *other.global_cidrs)), f"of {card.planned_id}")
    elif other.joined:
        title = f"{card.cluster} would be joined under the id {card.planned_id}, which {other.cluster} has"
        row = Evidence(whose, "Submariner spec.clusterID", other.cluster_id)
    else:
        title = f"{card.cluster} and {other.cluster} would both be joined under the id {card.planned_id}"
        row = Evidence(whose, "submariner_cluster_id", other.planned_id)
    gone = " If the cluster of that Endpoint is gone for good, remove its records with role fathom.submariner.broker_records." if other.known_from else ""
    return Problem(
        subject=f"cluster id {card.planned_id}",
        cluster=card.cluster,
        title=title,
        evidence=(Evidence(f"cluster {card.cluster}", "submariner_cluster_id", card.planned_id, "or its name, where that is not set"), row),
        impact="They would overwrite each other's Endpoint on the broker; subctl and fathom.submariner.join refuse what they see of it.",
        remedy=by_hand(f"Give {card.cluster} a submariner_cluster_id of its own, in its host's variables and not in those of all hosts.{gone}"),
        severity="warning",  # nobody may mean to join it
    )


@check(
    "clusterset-member-unread",
    title="Every member of the clusterset was read",
    severity="warning",
    scope=CLUSTERSET,
    tags=("membership",),
    remedy="Add the member to the inventory.",
)
def member_unread(cards: Cards) -> t.Iterator[Problem]:
    """Clusters that could not be read, that did not say whether they are joined, or that the others know and nobody was asked about.

    A member outside the inventory is only an information: its own side and its pools were not judged.
    """
    yield from not_compared(cards, "endpoints")
    asked = {card.cluster_id for card in cards if card.joined} | {card.cluster for card in cards if card.error}
    strangers: dict[str, list[str]] = {}
    for card in cards:
        for endpoint in card.remote:
            if endpoint.cluster_id not in asked:
                strangers.setdefault(endpoint.cluster_id, []).append(card.cluster)
    for cluster_id, holders in strangers.items():
        yield Problem(
            subject=f"cluster id {cluster_id}",
            title=f"{cluster_id} is a member of the clusterset that was not diagnosed",
            missing=f"{', '.join(dict.fromkeys(holders))} hold an Endpoint of {cluster_id}, and no diagnosed cluster has that id: add it to the inventory",
            severity="info",
        )
