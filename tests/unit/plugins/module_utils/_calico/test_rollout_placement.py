# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a DaemonSet selects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_placement import exclusions, tolerates
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet, Node, Ref, Taint

WORKER = {"key": "node-role.kubernetes.io/worker", "operator": "Exists"}


def node(name="n", labels=None, taints=(), system=""):
    return Node(Ref("Node", name), {"kubernetes.io/os": "linux", **(labels or {})}, {}, (), (), True, "", "", taints=taints, operating_system=system)


def daemon_set(*expressions, terms=None, selector=None, tolerations=({"operator": "Exists"},), fields=()):
    terms = [{"matchExpressions": list(expressions), "matchFields": list(fields)}] if terms is None and (expressions or fields) else terms
    affinity = {} if terms is None else {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    selected = {"kubernetes.io/os": "linux"} if selector is None else selector
    return DaemonSet(Ref("DaemonSet", "calico-node", "calico-system"), {}, (), 1, 1, node_selector=selected, node_affinity=affinity, tolerations=tolerations)


def excluded(made, *nodes):
    return [entry.node.ref.name for entry in exclusions(made, nodes)]


def test_the_operators_own_daemon_set_leaves_nobody_out():
    assert excluded(daemon_set(), node("a"), node("tainted", taints=(Taint("any", "", "NoExecute"),))) == []


@pytest.mark.parametrize(
    "away",
    [
        node("w", system="windows"),
        node("w", {"kubernetes.io/os": "windows"}),
        node("v", {"type": "virtual-kubelet"}),
        node("f", {"eks.amazonaws.com/compute-type": "fargate"}),
    ],
)
def test_what_is_no_node_for_calico_is_not_reported(away):
    assert excluded(daemon_set(WORKER), away) == []


def test_the_positive_role_affinity_is_recognised():
    found = exclusions(
        daemon_set(WORKER), [node("cp", {"node-role.kubernetes.io/control-plane": ""}), node("plain"), node("w", {"node-role.kubernetes.io/worker": ""})]
    )
    assert [(entry.node.ref.name, entry.role, entry.rule) for entry in found] == [
        ("cp", True, "node-role.kubernetes.io/worker Exists"),
        ("plain", True, "node-role.kubernetes.io/worker Exists"),
    ]
    selector = exclusions(daemon_set(selector={"node-role.kubernetes.io/worker": "true"}), [node("cp")])
    assert [(entry.role, entry.field) for entry in selector] == [(True, "spec.template.spec.nodeSelector")]


def test_an_opt_out_label_is_no_role():
    rule = {"key": "submariner-remedy/calico", "operator": "DoesNotExist"}
    found = exclusions(daemon_set(rule), [node("a"), node("b", {"submariner-remedy/calico": "excluded"})])
    assert [(entry.node.ref.name, entry.role) for entry in found] == [("b", False)]


@pytest.mark.parametrize(
    ("expression", "labels", "selected"),
    [
        ({"key": "a", "operator": "In", "values": ["x", "y"]}, {"a": "y"}, True),
        ({"key": "a", "operator": "In", "values": ["x"]}, {"a": "z"}, False),
        ({"key": "a", "operator": "In", "values": ["x"]}, {}, False),
        ({"key": "a", "operator": "NotIn", "values": ["x"]}, {"a": "x"}, False),
        ({"key": "a", "operator": "NotIn", "values": ["x"]}, {}, True),
        ({"key": "a", "operator": "Exists"}, {"a": ""}, True),
        ({"key": "a", "operator": "DoesNotExist"}, {"a": ""}, False),
        ({"key": "a", "operator": "Gt", "values": ["5"]}, {"a": "6"}, True),
        ({"key": "a", "operator": "Gt", "values": ["5"]}, {"a": "5"}, False),
        ({"key": "a", "operator": "Lt", "values": ["5"]}, {"a": "x"}, False),
        ({"key": "a", "operator": "Unheard"}, {"a": "x"}, False),
    ],
)
def test_operators(expression, labels, selected):
    assert (excluded(daemon_set(expression), node("n", labels)) == []) is selected


def test_terms_are_alternatives_and_expressions_are_not():
    either = daemon_set(terms=[{"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {"matchExpressions": [{"key": "b", "operator": "Exists"}]}])
    assert excluded(either, node("a", {"a": ""}), node("b", {"b": ""}), node("c")) == ["c"]
    both = daemon_set({"key": "a", "operator": "Exists"}, {"key": "b", "operator": "Exists"})
    assert excluded(both, node("a", {"a": ""}), node("ab", {"a": "", "b": ""})) == ["a"]


def test_fields_and_odd_affinities():
    by_name = daemon_set(fields=[{"key": "metadata.name", "operator": "NotIn", "values": ["bad"]}])
    assert excluded(by_name, node("good"), node("bad")) == ["bad"]
    assert excluded(daemon_set(terms=[]), node("n")) == ["n"]  # no term selects no node
    assert excluded(daemon_set(terms=["odd"]), node("n")) == ["n"]


def test_replaced_tolerations_keep_it_off_tainted_nodes():
    only_master = daemon_set(tolerations=({"key": "node-role.kubernetes.io/master", "operator": "Exists"},))
    taints = (Taint("gpu", "true", "NoSchedule"),)
    found = exclusions(only_master, [node("a"), node("g", taints=taints), node("m", taints=(Taint("node-role.kubernetes.io/master", "", "NoSchedule"),))])
    assert [(entry.node.ref.name, entry.rule) for entry in found] == [("g", "taint gpu=true:NoSchedule is not tolerated")]
    assert (
        excluded(
            only_master,
            node("soft", taints=(Taint("x", "", "PreferNoSchedule"),)),
            node("down", taints=(Taint("node.kubernetes.io/not-ready", "", "NoExecute"),)),
        )
        == []
    )


@given(st.text(max_size=8), st.text(max_size=8), st.sampled_from(["NoSchedule", "NoExecute"]))
def test_tolerating_everything_tolerates_every_taint(key, value, effect):
    taint = Taint(key, value, effect)
    assert tolerates({"operator": "Exists"}, taint)
    assert tolerates({"operator": "Exists", "effect": effect}, taint)
    assert not tolerates({"operator": "Exists", "effect": "PreferNoSchedule"}, taint)


def test_tolerating_a_value():
    taint = Taint("gpu", "true", "NoSchedule")
    assert tolerates({"key": "gpu", "value": "true"}, taint)
    assert not tolerates({"key": "gpu", "operator": "Equal", "value": "false"}, taint)
    assert not tolerates({"key": "cpu", "operator": "Exists"}, taint)
