# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must come before what."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _order as order
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._order import Place, in_order, kind_of, needed
from hypothesis import given
from hypothesis import strategies as st

SETS = {"a": "east", "b": "east", "c": ""}
places = st.lists(st.builds(lambda kind, cluster: Place(kind, cluster, SETS[cluster]), st.sampled_from(list(order.KINDS)), st.sampled_from("abc")), unique=True)


@given(places)
def test_every_step_comes_after_all_that_it_needs(found):
    """Whatever is needed at all is needed from a lower rank, so that the sorted list needs nothing that comes later."""
    ordered = in_order(found, ["a", "b", "c"])
    for index, place in enumerate(ordered):
        assert needed(place, ordered[index + 1:]) == []
        assert all(number < index for number in needed(place, ordered[:index]))


@given(places)
def test_the_order_does_not_depend_on_the_order_of_findings(found):
    assert in_order(found, ["b", "a"]) == in_order(list(reversed(found)), ["b", "a"])


def test_needs_name_kinds_that_come_before():
    for kind, rule in order.KINDS.items():
        assert all(order.RANKS[other] < order.RANKS[kind] for other in (*rule.needs, *rule.needs_of_set))


def test_the_issue_s_order_over_a_whole_clusterset():
    expected = [
        order.AUTODETECTION, order.API_SERVER, order.POOLS, order.JOIN, order.BROKER, order.AGENTS, order.MTU, order.PLACEMENT,
    ]  # fmt: skip
    found = [Place(kind, cluster) for cluster, kind in itertools.product(["b", "a"], reversed(expected))]
    ordered = in_order(found, ["b", "a"])
    assert [place.kind for place in ordered if place.cluster == "a"] == expected
    assert [place.cluster for place in ordered] == ["b", "a"] * len(expected)


def test_a_node_that_blocks_the_first_rollout_comes_before_the_api_server():
    first = kind_of("fathom.submariner.calico_node_placement", first_rollout=True)
    later = kind_of("calico_node_placement")
    ordered = in_order([Place(later, "a"), Place(order.API_SERVER, "a"), Place(first, "a")], ["a"])
    assert [place.kind for place in ordered] == [first, order.API_SERVER, later]
    assert needed(ordered[1], ordered[:1]) == [0]


def test_a_correction_needs_the_api_servers_of_its_clusterset_and_of_no_other():
    earlier = [Place(order.API_SERVER, "a", "east"), Place(order.API_SERVER, "b", "east"), Place(order.API_SERVER, "c", "west")]
    assert needed(Place(order.JOIN, "a", "east"), earlier) == [0, 1]


def test_a_cluster_that_is_yet_to_be_joined_waits_for_every_set_that_it_may_be_joined_to():
    earlier = [Place(order.API_SERVER, "a", "east"), Place(order.POOLS, "b", "west"), Place(order.MTU, "a", "east"), Place(order.API_SERVER, "e", "")]
    assert needed(Place(order.JOIN, "d", ""), earlier) == [0, 1, 3]
    assert needed(Place(order.BROKER, "a", "east"), [Place(order.JOIN, "d", ""), Place(order.JOIN, "c", "west")]) == [0]
    assert needed(Place(order.AGENTS, "a", "east"), [Place(order.JOIN, "d", "")]) == [], "only a member's own join keeps its agents waiting"


def test_rollouts_of_one_cluster_wait_for_one_another():
    assert needed(Place(order.PLACEMENT, "a"), [Place(order.AUTODETECTION, "a"), Place(order.MTU, "a"), Place(order.MTU, "b")]) == [0, 1]


@pytest.mark.parametrize("role", ["", "other.collection.join", "fathom.submariner.rollback", "fathom.submariner.diagnose"])
def test_a_role_that_is_no_remedy_has_no_place(role):
    assert kind_of(role) == ""
