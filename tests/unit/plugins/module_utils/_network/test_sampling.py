# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of nodes: bounded, complete between gateways, one of each kind, what is suspected first, and always the same."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._network._sampling import (
    CLASSES,
    GATEWAYS,
    GATEWAYS_BEYOND,
    HUB,
    MOST_GATEWAYS,
    NEIGHBOURS,
    REASONS,
    SUSPECTED,
    Candidate,
    described,
    sample,
)

KIND = st.tuples(st.sampled_from("ab"), st.sampled_from("xy"))
CANDIDATES = st.lists(
    st.builds(Candidate, st.text("abc123", min_size=1, max_size=5), st.booleans(), KIND, st.integers(0, 3)),
    max_size=14,
    unique_by=lambda candidate: candidate.name,
)


def edges(found):
    return {(pair.source, pair.target) for pair in found.pairs}


@given(CANDIDATES, st.integers(0, 4), st.integers(0, 80))
def test_any_nodes(candidates, neighbours, most):
    found = sample(candidates, neighbours=neighbours, most=most)
    names = {candidate.name for candidate in candidates}
    assert len(found.pairs) <= most
    assert len(edges(found)) == len(found.pairs)
    assert all(pair.source != pair.target and {pair.source, pair.target} <= names and pair.why in REASONS for pair in found.pairs)
    assert sample(reversed(candidates), neighbours=neighbours, most=most) == found
    assert (sum(found.left_out.values()) > 0) == (len(sample(candidates, neighbours=neighbours, most=10**6).pairs) > most)
    assert len(found.pairs) + sum(found.left_out.values()) == len(sample(candidates, neighbours=neighbours, most=10**6).pairs)


@given(CANDIDATES, st.integers(1, 4))
def test_without_a_bound_all_that_is_promised_is_there(candidates, neighbours):
    found = sample(candidates, neighbours=neighbours, most=10**6)
    chosen = edges(found)
    names = sorted(candidate.name for candidate in candidates)
    gateways = [candidate.name for candidate in candidates if candidate.gateway]
    assert set(itertools.permutations(gateways, 2)) <= chosen
    wanted = min(neighbours, len(names) - 1)
    for name in names:
        assert sum(source == name for source, _target in chosen) >= wanted
        assert sum(target == name for _source, target in chosen) >= wanted
    for candidate in candidates:
        if gateways and not candidate.gateway:
            assert any((candidate.name, gateway) in chosen for gateway in gateways)
        if candidate.suspicion and len(names) > 1:
            assert any((candidate.name, other) in chosen and (other, candidate.name) in chosen for other in names)
    kinds = {candidate.name: candidate.kind for candidate in candidates}
    met = {(kinds[source], kinds[target]) for source, target in chosen}
    for one, other in itertools.permutations(set(kinds.values()), 2):
        assert (one, other) in met
    for kind in set(kinds.values()):
        if list(kinds.values()).count(kind) > 1:
            assert (kind, kind) in met
    # All hang together: whoever is cut off from everybody else is met.
    if names:
        reached, queue = {names[0]}, [names[0]]
        while queue:
            here = queue.pop()
            for source, target in chosen:
                if source == here and target not in reached:
                    reached.add(target)
                    queue.append(target)
        assert reached == set(names)


def test_what_is_suspected_comes_first_and_with_sound_nodes():
    nodes = [Candidate(f"n{index:02}", suspicion=(index == 7) + 3 * (index == 9)) for index in range(12)]
    found = sample(nodes, neighbours=2, most=4).pairs
    assert {pair.why for pair in found} == {SUSPECTED}
    assert all("n09" in (pair.source, pair.target) and "n07" not in (pair.source, pair.target) for pair in found)


def test_a_large_cluster_stays_linear():
    nodes = [Candidate(f"node-{index:05}", index < 3, (f"zone-{index % 3}", "linux", f"kernel-{index % 2}"), index % 500 == 0) for index in range(5000)]
    found = sample(nodes, neighbours=2, most=10**6)
    assert len(found.pairs) < 5000 * 5
    whys = {why: sum(pair.why == why for pair in found.pairs) for why in REASONS}
    assert set(itertools.permutations(("node-00000", "node-00001", "node-00002"), 2)) <= edges(found)
    assert whys[HUB] >= 4900 and whys[CLASSES] == 6 + 6 * 5  # inside each kind, and each with each
    bounded = sample(nodes, neighbours=2, most=200)
    assert len(bounded.pairs) == 200 and bounded.left_out[NEIGHBOURS] > 9000
    assert {GATEWAYS, CLASSES, SUSPECTED} <= {pair.why for pair in bounded.pairs}


def test_kinds_as_many_as_nodes_stay_linear():
    nodes = [Candidate(f"node-{index:04}", kind=(str(index),)) for index in range(1000)]
    assert len(sample(nodes, neighbours=2, most=10**6).pairs) <= 1000 * 6


def test_every_node_a_gateway_stays_bounded():
    nodes = [Candidate(f"node-{index:04}", gateway=True) for index in range(400)]
    assert len(sample(nodes, neighbours=2, most=10**6).pairs) <= 400 * (MOST_GATEWAYS + 4)


def test_neighbours_are_spread():
    """The second neighbour is far away in the order of names, in which racks stand together."""
    nodes = [Candidate(f"n{index:02}") for index in range(20)]
    assert {pair.target for pair in sample(nodes, neighbours=2).of("n00")} == {"n01", "n10"}


def test_description():
    nodes = [Candidate("a", gateway=True), Candidate("b", gateway=True), Candidate("c")]
    lines = described(sample(nodes, neighbours=1, most=3), 3)
    assert lines[0] == "3 of the 6 pairs of 3 nodes are probed:"
    assert "  2 because both are gateways" in lines
    assert any("left out" in line for line in lines)


def test_pairs_of_gateways_beyond_the_bound_are_told():
    few = sample([Candidate(f"g{n:02}", True) for n in range(MOST_GATEWAYS + 1)], most=10**6)
    assert GATEWAYS_BEYOND not in few.left_out
    size = MOST_GATEWAYS + 10
    many = sample([Candidate(f"g{n:02}", True) for n in range(size)], most=10**6)
    assert len(many.pairs) + many.left_out[GATEWAYS_BEYOND] == size * (size - 1) and many.left_out[GATEWAYS_BEYOND] > 0
    line = next(line for line in described(many, size) if "left out" in line)
    assert "50 others at the most" in line and "bound on pairs" not in line
