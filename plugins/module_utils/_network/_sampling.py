# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which pairs of nodes are probed: few enough for any cluster, and chosen so that what is wrong somewhere is met.

All pairs of a cluster of 5,000 nodes are 25 million. The sample grows with the number of nodes instead, and it is the same whenever the nodes are the
same, so that figures before and after a repair belong to the same pairs.
"""

from __future__ import annotations

import itertools
import typing as t

# Why a pair is in the sample, in the order in which pairs are taken while there is room.
SUSPECTED = "something points at one of them"
GATEWAYS = "both are gateways"
CLASSES = "they stand for their kinds of node (zone, system, kernel)"
HUB = "to a gateway, as all traffic to other clusters goes"
NEIGHBOURS = "neighbours"
GATEWAYS_BEYOND = "both are gateways, of which each is probed with 50 others at the most"  # MOST_GATEWAYS
REASONS = (SUSPECTED, GATEWAYS, CLASSES, HUB, NEIGHBOURS)

MOST_GATEWAYS = 50  # others that each gateway is probed with; clusters have two or three, and a set with every node labelled must not become all pairs

FEW_KINDS = 3  # other kinds that each kind of node is probed with in any case


class Candidate(t.NamedTuple):
    """A node that can be probed.

    :param kind: what nodes of one kind have in common: zone, operating system, kernel.
    :param suspicion: how much else points at it, 0 for nothing.
    """

    name: str
    gateway: bool = False
    kind: tuple[str, ...] = ()
    suspicion: int = 0


class Pair(t.NamedTuple):
    """``source`` sends, ``target`` answers."""

    source: str
    target: str
    why: str


class Sample(t.NamedTuple):
    """:param left_out: how many pairs of each reason there was no room for."""

    pairs: tuple[Pair, ...]
    left_out: t.Mapping[str, int]

    def of(self, source: str) -> tuple[Pair, ...]:
        """The pairs that one node probes."""
        return tuple(pair for pair in self.pairs if pair.source == source)


def sample(candidates: t.Iterable[Candidate], *, neighbours: int = 2, most: int = 200) -> Sample:
    """Choose pairs: O(n * neighbours) of them, ``most`` at the most, always the same for the same nodes in whatever order.

    Pairs with a suspected node come first, in both directions, the most suspected one before the others; then every gateway with every gateway (with
    ``MOST_GATEWAYS`` others where there are more); then one pair of each two kinds of node, and one inside each kind; then every node to a gateway; then
    ``neighbours`` for every node, arranged so that each sends to as many as it answers and the nodes hang together.

    :param candidates: nodes, each name once.
    :param most: 0 for no pair at all.
    """
    nodes = sorted(candidates)
    ring = tuple(node.name for node in nodes)
    around = {name: index for index, name in enumerate(ring)}
    hubs = tuple(node.name for node in nodes if node.gateway)
    chosen: dict[tuple[str, str], str] = {}
    left_out: dict[str, dict[tuple[str, str], None]] = {}
    wanted = itertools.chain(
        _reasoned(SUSPECTED, _suspected(nodes, ring, around, hubs, neighbours)),
        _reasoned(GATEWAYS, _circle(hubs, MOST_GATEWAYS)),
        _reasoned(CLASSES, _kinds(nodes, neighbours)),
        _reasoned(HUB, _to_hub(ring, hubs)),
        _reasoned(NEIGHBOURS, _circle(ring, neighbours)),
    )
    cut: dict[tuple[str, str], None] = {}
    for why, pair in wanted:
        if pair in chosen or pair in cut:
            continue
        if len(chosen) < most:
            chosen[pair] = why
        else:
            cut[pair] = None
            left_out.setdefault(why, {})[pair] = None
    pairs = tuple(Pair(source, target, why) for (source, target), why in chosen.items())
    counts = {why: len(each) for why, each in left_out.items()}
    among = frozenset(hubs)
    met = sum(source in among and target in among for source, target in itertools.chain(chosen, cut))
    if met < len(hubs) * (len(hubs) - 1):
        counts[GATEWAYS_BEYOND] = len(hubs) * (len(hubs) - 1) - met
    return Sample(pairs, counts)


def described(chosen: Sample, nodes: int) -> tuple[str, ...]:
    """What is probed and why, in sentences for a person."""
    counted = {why: sum(pair.why == why for pair in chosen.pairs) for why in REASONS}
    lines = [f"{len(chosen.pairs)} of the {nodes * (nodes - 1)} pairs of {nodes} nodes are probed:"]
    lines += [f"  {count} because {why}" if why not in (NEIGHBOURS, HUB) else f"  {count} {why}" for why, count in counted.items() if count]
    for why, count in chosen.left_out.items():
        lines.append(f"  {count} more are left out{'' if why == GATEWAYS_BEYOND else ', by the bound on pairs'}: {why}")
    return tuple(lines)


def _reasoned(why: str, pairs: t.Iterable[tuple[str, str]]) -> t.Iterator[tuple[str, tuple[str, str]]]:
    return ((why, pair) for pair in pairs)


def _offsets(size: int, neighbours: int) -> tuple[int, ...]:
    """By how far the neighbours in a circle of ``size`` are away: the next one, so that all hang together, and others spread evenly over the rest.

    Names that follow each other often stand in one rack, so that the nearest alone would probe inside racks only.
    """
    count = max(0, min(neighbours, size - 1))
    return tuple(1 + (index * (size - 1)) // count for index in range(count))


def _circle(names: t.Sequence[str], neighbours: int) -> t.Iterator[tuple[str, str]]:
    size = len(names)
    for offset in _offsets(size, neighbours):  # all nodes have their first neighbour before one has its second
        for index, name in enumerate(names):
            yield name, names[(index + offset) % size]


def _suspected(
    nodes: t.Sequence[Candidate], ring: t.Sequence[str], around: t.Mapping[str, int], hubs: t.Sequence[str], neighbours: int
) -> t.Iterator[tuple[str, str]]:
    """A suspected node with a gateway and with its neighbours, preferably such that nothing points at: of two broken ends neither would be told."""
    suspects = sorted((node for node in nodes if node.suspicion > 0), key=lambda node: (-node.suspicion, node.name))
    doubtful = {node.name for node in suspects}
    sound = tuple(name for name in ring if name not in doubtful)
    for number, node in enumerate(suspects):
        others = [name for name in (hubs[number % len(hubs)],) if name != node.name] if hubs else []
        index = around[node.name]
        if sound:
            others += [sound[(index + offset) % len(sound)] for offset in (0, *_offsets(len(sound), neighbours))][: max(1, neighbours)]
        else:
            others += [ring[(index + offset) % len(ring)] for offset in _offsets(len(ring), neighbours)]
        for other in others:
            yield node.name, other
            yield other, node.name


def _kinds(nodes: t.Sequence[Candidate], neighbours: int) -> t.Iterator[tuple[str, str]]:
    """One pair inside each kind, and one from each kind to others: to all of them where they are few, else to a number that keeps the sum O(n)."""
    members: dict[tuple[str, ...], list[str]] = {}
    for node in nodes:
        members.setdefault(node.kind, []).append(node.name)
    kinds = sorted(members)
    taken = dict.fromkeys(kinds, 0)

    def one_of(kind: tuple[str, ...]) -> str:
        taken[kind] += 1
        return members[kind][taken[kind] % len(members[kind])]

    for kind in kinds:
        if len(members[kind]) > 1:
            yield members[kind][0], members[kind][1]
    each = max(FEW_KINDS, len(nodes) * max(1, neighbours) // max(1, len(kinds)))
    size = len(kinds)
    for offset in _offsets(size, each):
        for index, kind in enumerate(kinds):
            yield one_of(kind), one_of(kinds[(index + offset) % size])


def _to_hub(ring: t.Sequence[str], hubs: t.Sequence[str]) -> t.Iterator[tuple[str, str]]:
    gateways = frozenset(hubs)
    for index, name in enumerate(ring):
        if hubs and name not in gateways:
            yield name, hubs[index % len(hubs)]
