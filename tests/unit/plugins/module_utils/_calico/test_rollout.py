# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollout of calico-node as a whole, the nodes that are down, and the pods that are stranded there."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import InstallMethod
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout import nodes_down, rollout_of, stranded
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_causes import CRASH, UNCLEAR, Cause
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_remedy import WORDS, exclude, repair
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Condition, ContainerStatus, Node, Pod, Ref, Taint
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.mtu_clusters import calico_pod, daemon_set, ok, operator, snapshot


def node(name, **fields):
    return Node(Ref("Node", name), {}, {}, (), (), True, "", "")._replace(**fields)


def not_fresh(_pod):
    return False


def bad(name, **fields):
    return calico_pod(name, namespace="calico-system")._replace(ready=False, **fields)


class TestRollout:
    def test_stalled_nodes_are_in_the_order_of_their_causes(self):
        crash = ContainerStatus("calico-node", False, 3, "x:1", waiting_reason="CrashLoopBackOff")
        pods = (bad("c"), bad("b", statuses=(crash,)), bad("a", statuses=(crash,)), calico_pod("d", namespace="calico-system"), bad("gone", deleting=True))
        found = rollout_of(snapshot(pods=ok(*pods), nodes=ok(*map(node, "abcd"))), not_fresh)
        assert [(entry.node, entry.cause.kind) for entry in found.stalled] == [("a", CRASH), ("b", CRASH), ("c", UNCLEAR)]
        assert found.without_calico == {"a", "b", "c"}

    @pytest.mark.parametrize(("variant", "first"), [("", True), ("Calico", False)])
    def test_first_or_later(self, variant, first):
        installation = operator().installations.items[0]._replace(variant=variant)
        assert rollout_of(operator(installations=ok(installation)), not_fresh).first is first

    def test_without_an_operator_nothing_tells(self):
        assert rollout_of(snapshot(), not_fresh).first is None

    @pytest.mark.parametrize(("desired", "updated", "observed", "behind"), [(3, 3, 1, 0), (3, 1, 1, 2), (3, 0, 0, 0), (3, 0, 2, 3)])
    def test_how_many_nodes_are_behind(self, desired, updated, observed, behind):
        made = daemon_set()._replace(desired=desired, updated=updated, observed_generation=observed)
        assert rollout_of(snapshot(daemon_sets=ok(made)), not_fresh).updating == behind

    def test_pods_of_a_node_that_is_left_out_do_not_stall(self):
        made = daemon_set()._replace(node_selector={"calico": "yes"})
        found = rollout_of(snapshot(daemon_sets=ok(made), pods=ok(bad("a")), nodes=ok(node("a"))), not_fresh)
        assert found.stalled == () and [entry.node.ref.name for entry in found.excluded] == ["a"]

    def test_none_without_calico(self):
        assert rollout_of(snapshot(daemon_sets=ok()), not_fresh) is None


def test_nodes_that_are_down():
    up, down = Condition("NetworkUnavailable", "False", "CalicoIsUp"), Condition("NetworkUnavailable", "True", "CalicoIsDown")
    taint = Taint("node.kubernetes.io/network-unavailable", "", "NoSchedule")
    nodes = [node("up", conditions=(up,)), node("down", conditions=(down,)), node("tainted", conditions=(up,), taints=(taint,)), node("plain")]
    assert [(entry.node.ref.name, entry.condition, entry.tainted) for entry in nodes_down(nodes)] == [("down", down, False), ("tainted", None, True)]


def test_stranded_pods():
    def pod(name, where, **fields):
        return Pod(Ref("Pod", name, "shop"), "uid", where, False, "Running", True, ("10.0.0.1",))._replace(**fields)

    pods = [pod("a", "x"), pod("host", "x", host_network=True), pod("done", "x", phase="Succeeded"), pod("leaving", "x", deleting=True), pod("elsewhere", "y")]
    assert [entry.ref.name for entry in stranded(snapshot(pods=ok(*pods)), ["x"])] == ["a"]


@pytest.mark.parametrize("kind", sorted(WORDS))
def test_every_cause_has_words_and_a_remedy(kind):
    assert WORDS[kind]
    assert repair(Cause(kind, "thing"), "node-7", "3.30.6").endswith(".")


@pytest.mark.parametrize("method", ["operator", "operator-helm", "operator-rke2", "kubespray", "manifest", "canal"])
def test_keeping_calico_off_a_node_is_an_opt_out(method):
    text = exclude(InstallMethod(method, "", "DaemonSet x", True, (), ()), "node-7")
    assert "NotIn [excluded]" in text and "Never demand a role label" in text


def test_roks_is_left_alone():
    assert "IBM does not support" in exclude(InstallMethod("operator", "roks", "", True, (), ()), "node-7")
