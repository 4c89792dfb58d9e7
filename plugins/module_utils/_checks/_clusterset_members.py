# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Who is in the clusterset, and who could not be asked."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card
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
    """Two clusters with one id overwrite each other's Endpoint and Cluster on the broker."""
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
    yield from not_compared(cards)


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
