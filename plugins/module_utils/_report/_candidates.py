# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Clusters that are only planned: their ranges as the user writes them, as cards beside those of diagnosed clusters."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card, CardRange
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import parse_address, parse_cidrs

KEYS = ("pods", "services", "nodes", "globalnet")


def candidate_cards(candidates: t.Mapping[str, t.Any]) -> tuple[Card, ...]:
    """One card for each candidate.

    :param candidates: name to a CIDR, a list of CIDRs (pods and Services, in any order), or a mapping with lists ``pods``, ``services``, ``nodes`` (CIDRs
        or addresses) and ``globalnet`` (its global CIDR).
    :raises InputError: a key is not known, or a text is no CIDR.
    """
    cards = []
    for name, given in candidates.items():
        ranges = given if isinstance(given, dict) else {"pods": given}
        unknown = sorted(set(map(str, ranges)) - set(KEYS))
        if unknown:
            raise InputError(f"candidates: {name} has keys that mean nothing here: {', '.join(unknown)}. Keys are {', '.join(KEYS)}.")
        pods, services, nodes, globalnet = (_cidrs(name, key, ranges.get(key)) for key in KEYS)
        if not any((pods, services, nodes, globalnet)):
            raise InputError(f"candidates: {name} has no CIDR at all.")
        why_not = f"candidate {name} states none" if isinstance(given, dict) else ""
        cards.append(
            Card(
                cluster=str(name),
                candidate=True,
                pods=CardRange(pods, "" if pods else f"pod CIDR: {why_not}"),
                services=CardRange(services, "" if services or not why_not else f"service CIDR: {why_not}"),
                node_networks=nodes,
                global_cidrs=globalnet,
                globalnet=bool(globalnet),
            )
        )
    return tuple(cards)


def without_known(stated: t.Iterable[Card], read: t.Sequence[Card]) -> tuple[tuple[Card, ...], tuple[str, ...]]:
    """Candidates that are none of the clusters ``read``, by name or cluster id, and notes where one of those has other ranges than were stated.

    One list for a whole fleet names the cluster at hand, too. Of a cluster that could not be read the list is all there is.
    """
    known = {name: card for card in read if not card.error for name in (card.cluster, card.cluster_id, card.planned_id) if name}
    kept, notes = [], []
    for card in stated:
        found = known.get(card.cluster)
        if found is None:
            kept.append(card)
            continue
        said, has = ({*entry.pods.cidrs, *entry.services.cidrs} for entry in (card, found))
        if has and said - has:
            notes.append(f"candidates: {card.cluster} is stated with {', '.join(sorted(said - has))}, and has {', '.join(sorted(has))}, which counts.")
    return tuple(kept), tuple(notes)


def _cidrs(name: str, key: str, given: t.Any) -> tuple[str, ...]:
    texts = [given] if isinstance(given, str) else list(given) if isinstance(given, (list, tuple)) else [] if given is None else [str(given)]
    if key == "nodes":
        addresses = ((text, parse_address(str(text))) for text in texts)
        texts = [f"{text}/{address.max_prefixlen}" if address is not None else text for text, address in addresses]
    parsed = parse_cidrs(map(str, texts))
    if parsed.problems:
        raise InputError(f"candidates: {name}, {key}: {'; '.join(parsed.problems)}.")
    return parsed.cidrs
