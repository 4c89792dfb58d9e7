# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings become steps."""

from __future__ import annotations

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import UNKNOWN, Evidence, Finding, Remedy, Waiver
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _order as order
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._outage import Size
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._steps import Cluster, draft, merge_variables
from hypothesis import given
from hypothesis import strategies as st

A, B = Cluster("a", "uid-a", "east", True, Size(3, 1, 1)), Cluster("b", "uid-b", "east", True, Size(5, 2, 1))


def finding(check="some-check", cluster="a", role="", variables=None, **fields):
    remedy = Remedy("Do it.", f"{order.COLLECTION}{role}" if role else "", variables or {}, target="Thing x", **fields.pop("remedy", {}))
    return Finding(check, "error", cluster, "subject", "It is broken", remedy=fields.pop("without", remedy), **fields)


def test_remedies_that_are_one_role_on_one_cluster_are_one_step():
    steps = draft(
        [
            finding("one", role="remote_ippools", variables={"remote_ippools_blocking": ["p1"]}),
            finding("two", role="remote_ippools", variables={"remote_ippools_blocking": ["p2", "p1"]}),
        ],
        [A, B],
    ).steps
    assert [(step.n, step.cluster, step.role, step.findings) for step in steps] == [(1, "a", "fathom.submariner.remote_ippools", ("a/one", "a/two"))]
    assert steps[0].variables == {"remote_ippools_blocking": ["p1", "p2"]}
    assert (steps[0].text, steps[0].target) == ("Do it.", "Thing x")


def test_remedies_that_contradict_one_another_need_a_person_who_is_told_which():
    found = draft(
        [finding("one", role="calico_mtu", variables={"calico_mtu_mtu": 1400}), finding("two", role="calico_mtu", variables={"calico_mtu_mtu": 1380})], [A]
    )
    assert found.steps == ()
    assert "calico_mtu_mtu should be 1400 for a/one and 1380 for a/two" in found.people[0].text


def test_what_the_user_has_set_settles_a_contradiction():
    found = draft(
        [finding("one", role="calico_mtu", variables={"calico_mtu_mtu": 1400}), finding("two", role="calico_mtu", variables={"calico_mtu_mtu": 1380})],
        [A],
        given={"calico_mtu_mtu": {"a": 1350, "b": ""}},
    )
    assert found.steps[0].variables == {"calico_mtu_mtu": 1350} and found.people == ()


def test_a_consequence_needs_no_remedy_of_its_own_unless_its_cause_is_gone():
    consequence = finding("two", role="route_agent", caused_by="a/one")
    assert [step.kind for step in draft([finding("one", role="join"), consequence], [A]).steps] == [order.JOIN]
    assert [step.kind for step in draft([consequence], [A]).steps] == [order.AGENTS]


def test_a_consequence_that_outlives_its_cause_is_remedied_after_it():
    cause = finding("calico-api-unavailable", role="calico_api_server")
    consequence = finding("remote-pool-missing", role="remote_ippools", caused_by=cause.key)
    found = draft([consequence, cause], [A])
    assert [(step.kind, step.depends_on) for step in found.steps] == [(order.API_SERVER, ()), (order.POOLS, (1,))]
    for_a_person = finding("calico-api-unavailable")
    assert [step.kind for step in draft([consequence, for_a_person], [A]).steps] == []


def test_waived_and_unknown_findings_are_no_reason_to_write():
    waived = finding("one", role="join", waiver=Waiver("known", "2027-01-01", "w.yml line 1", False))
    expired = finding("two", role="join", waiver=Waiver("known", "2026-01-01", "w.yml line 2", True))
    found = draft([waived, finding("three", role="route_agent", verdict=UNKNOWN, missing="pods"), expired], [A])
    assert [step.findings for step in found.steps] == [("a/two",)]
    assert found.unknown == ("a/three",)


def test_gates_that_need_a_person_come_first():
    found = draft([finding("some-check"), finding("kube-proxy-mode")], [A])
    assert [(entry.finding, entry.gate) for entry in found.people] == [("a/kube-proxy-mode", True), ("a/some-check", False)]


@pytest.mark.parametrize(
    "remedy, clusters, told",
    [
        (Remedy("Do it.", "somebody.else.role"), [A], "is none that a plan of this collection may run"),
        (Remedy("Do it.", "fathom.submariner.join", cluster="z"), [A], "cluster z is not in this run"),
        (Remedy("Do it.", "fathom.submariner.join"), [A._replace(uid="")], "cluster a could not be read"),
    ],
)
def test_a_remedy_that_cannot_be_run_here_needs_a_person(remedy, clusters, told):
    found = draft([finding(without=remedy)], clusters)
    assert found.steps == () and told in found.people[0].text


def test_a_remedy_for_another_cluster_runs_there():
    found = draft([finding("one", cluster="a", role="join", remedy={"cluster": "b", "disruptive": True})], [A, B])
    assert [(step.cluster, step.findings, step.disruptive) for step in found.steps] == [("b", ("a/one",), True)]
    assert found.steps[0].outage.seconds == 90 and "3 gateway restarts here and on 1 peers" in found.steps[0].outage.source


def test_steps_depend_on_others_by_number():
    found = draft([finding("3", "b", role="join"), finding("2", "a", role="route_agent"), finding("1", "a", role="calico_api_server")], [A, B])
    assert [(step.n, step.kind, step.cluster, step.depends_on) for step in found.steps] == [
        (1, order.API_SERVER, "a", ()),
        (2, order.JOIN, "b", (1,)),
        (3, order.AGENTS, "a", (1,)),
    ]


def test_the_first_rollout_is_told_by_the_evidence_of_the_check():
    evidence = (Evidence("Installation default", "status.variant", "", "never available yet: this is its first rollout"),)
    placement = {"role": "calico_node_placement"}
    first = draft([finding("calico-rollout-stalled", evidence=evidence, **placement)], [A])
    later = draft([finding("calico-rollout-stalled", evidence=(evidence[0]._replace(note="was available before"),), **placement)], [A])
    assert (first.steps[0].kind, later.steps[0].kind) == (order.FIRST_ROLLOUT, order.PLACEMENT)


def test_clusters_that_are_not_joined_are_joined_on_request_only():
    clusters = [A, B._replace(joined=False), Cluster("c", "uid-c", "", None), Cluster("d", "", "", False)]
    assert draft([], clusters).steps == ()
    assert [(step.cluster, step.role) for step in draft([], clusters, join=True).steps] == [("b", "fathom.submariner.join")]


def test_a_join_waits_for_what_its_future_peers_need():
    peer, new = A._replace(clusterset="east"), Cluster("c", "uid-c", "", False)
    found = draft([finding("1", "a", role="calico_api_server"), finding("2", "a", role="remote_ippools")], [peer, new], join=True)
    assert [(step.kind, step.cluster, step.depends_on) for step in found.steps][-1] == (order.JOIN, "c", (1, 2))


values = st.recursive(
    st.integers(0, 3) | st.booleans() | st.sampled_from(["x", ""]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
)


@given(st.dictionaries(st.sampled_from("ab"), values), st.dictionaries(st.sampled_from("ab"), values))
def test_merging_is_the_same_both_ways_but_for_the_order_of_lists(one, other):
    def plain(value):
        if isinstance(value, dict):
            return {key: plain(entry) for key, entry in value.items()}
        return sorted(map(repr, map(plain, value))) if isinstance(value, list) else value

    forth, wrong = merge_variables([("1", one), ("2", other)])
    back, wrong_too = merge_variables([("2", other), ("1", one)])
    assert sorted(entry.name for entry in wrong) == sorted(entry.name for entry in wrong_too)
    if not wrong:
        assert plain(forth).keys() == plain(back).keys()
    assert merge_variables([("1", one), ("2", one)])[1] == []


def test_a_yes_is_not_a_one():
    assert merge_variables([("1", {"x": True}), ("2", {"x": 1})])[1][0].name == "x"
