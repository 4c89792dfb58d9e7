# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a cluster and a request to what changes, in which order; and what is refused."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement import needing_network, refuse_workloads
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_decision import consent, decide, require_known
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_nodes import Wish, labels_after, left_to_do, node_patch, opposite
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import LABEL
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_placement import exclusions
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, Answer, Pod, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.placements import (
    WORKER,
    affinity,
    cluster,
    daemon_set,
    node,
    opt_out,
    request,
    three,
    workload,
)

OPT_IN = {"key": LABEL, "operator": "In", "values": ["included"]}


def include(*nodes, **changes):
    return request(*nodes, mode="include", value="included", **changes)


def labelled(name, value="excluded", **changes):
    return node(name, labels={LABEL: value}, **changes)


class TestExclude:
    def test_affinity_first_then_the_label(self):
        decision = decide(cluster(), [workload()], request("worker-1"))
        assert [entry.after for entry in decision.affinities] == [affinity([opt_out()])]
        assert dict(decision.labels) == {"worker-1": Wish(True)}
        assert not decision.labels_first and decision.batched
        assert [entry.node.ref.name for entry in decision.simulation.lost] == ["worker-1"]

    def test_a_second_time_there_is_nothing_to_do(self):
        standing = affinity([opt_out()])
        nodes = (*three()[:2], labelled("worker-1", cordoned=True, taints=((LABEL, "excluded", "NoExecute"),)))
        decision = decide(cluster(*nodes, standing=standing), [workload(standing)], request("worker-1", cordon=True, taint=True))
        assert decision.empty and not decision.simulation.lost

    def test_a_node_that_is_excluded_already_is_not_refused_for_what_it_is(self):
        standing = affinity([opt_out()])
        nodes = (labelled("gateway-1", gateway=True), node("worker-1"))
        assert decide(cluster(*nodes, standing=standing), [workload(standing)], request("gateway-1")).empty

    def test_cordon_and_taint_go_with_the_label(self):
        decision = decide(cluster(), [workload()], request("worker-1", cordon=True, taint=True))
        assert dict(decision.labels) == {"worker-1": Wish(True, True, True)}

    def test_nodes_that_carry_the_label_already_count(self):
        nodes = (*three(), labelled("worker-2"))
        with pytest.raises(RefusedError, match="2 nodes would be without calico-node"):
            decide(cluster(*nodes), [workload()], request("worker-1"))
        decision = decide(cluster(*nodes), [workload()], request("worker-1", max_excluded=2))
        assert [entry.node.ref.name for entry in decision.simulation.lost] == ["worker-1", "worker-2"]

    @pytest.mark.parametrize(("name", "said"), [("gateway-1", "is a gateway of Submariner"), ("control-1", "is a control plane")])
    def test_gateways_and_control_planes_keep_it(self, name, said):
        with pytest.raises(RefusedError, match=said) as caught:
            decide(cluster(), [workload()], request(name))
        assert "Nothing was written" in caught.value.message
        assert any("IS TAKEN AWAY" in line and line.startswith(name) for line in caught.value.details["simulation"])

    def test_a_rule_that_demands_a_role_is_refused_where_it_stands(self):
        """The remedy that is copied from projectcalico/calico#9540."""
        standing = affinity([WORKER])
        for found in (cluster(standing=standing), cluster(daemon_sets=(daemon_set(node_selector={"node-role.kubernetes.io/worker": "true"}),))):
            with pytest.raises(RefusedError, match="node-role.kubernetes.io/worker.* keeps calico-node off control-1, gateway-1"):
                decide(found, [workload(standing if found.daemon_sets.items[0].node_affinity else None)], request("worker-1"))

    def test_and_where_it_is_written_and_not_rendered_yet(self):
        with pytest.raises(RefusedError, match="demands a role label"):
            decide(cluster(), [workload(affinity([WORKER]), {})], request("worker-1"))
        with pytest.raises(RefusedError, match="demands a role label"):
            decide(cluster(), [workload(None, {}, node_selector={"node-role.kubernetes.io/worker": ""})], request("worker-1"))

    def test_replaced_tolerations_count(self):
        tainted = node("worker-2", taints=(("gpu", "", "NoSchedule"),))
        with pytest.raises(RefusedError, match="worker-1, worker-2"):
            decide(cluster(*three(), tainted), [workload(tolerations=({"key": "other", "operator": "Exists"},))], request("worker-1"))

    def test_the_affinity_of_the_user_is_kept(self):
        arm = {"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}
        amd = {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}
        standing = affinity([arm], [amd])
        decision = decide(cluster(standing=standing), [workload(standing)], request("worker-1"))
        assert decision.affinities[0].after == affinity([arm, opt_out()], [amd, opt_out()])

    def test_what_the_operator_renders_by_itself_is_kept(self):
        fargate = {"key": "eks.amazonaws.com/compute-type", "operator": "NotIn", "values": ["fargate"]}
        decision = decide(cluster(standing=affinity([fargate])), [workload(None, affinity([fargate]))], request("worker-1"))
        assert decision.affinities[0].after == affinity([fargate, opt_out()])
        unseen = decide(cluster(daemon_sets=()), [workload(None, None, preset=affinity([fargate]))], request("worker-1"))
        assert unseen.affinities[0].after == affinity([fargate, opt_out()])

    def test_an_architecture_can_be_demanded_too(self):
        nodes = (*three(), node("jetson-1", arch="arm64"))
        decision = decide(cluster(*nodes), [workload()], request("jetson-1", architectures=("amd64",)))
        assert decision.affinities[0].after == affinity([opt_out(), {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}])
        with pytest.raises(RefusedError, match="2 nodes"):
            decide(cluster(*nodes), [workload()], request("worker-1", architectures=("amd64",)))

    @pytest.mark.parametrize(
        ("name", "nodes", "said"),
        [
            ("worker-9", (), "there is no node worker-9.*control-1, gateway-1, worker-1"),
            ("win", (node("win", system="windows"),), "no Linux node"),
            ("virtual", (node("virtual", labels={"type": "virtual-kubelet"}),), "no Linux node"),
            ("worker-2", (labelled("worker-2", "mine"),), f"has {LABEL}=mine"),
        ],
    )
    def test_nodes_that_cannot_be_meant(self, name, nodes, said):
        with pytest.raises(RefusedError, match=said):
            decide(cluster(*three(), *nodes), [workload()], request(name))

    def test_no_node_is_left_for_typha(self):
        typha = workload(name="calico-typha", replicas=3)
        decision = decide(cluster(), [workload(), typha], request("worker-1"))
        assert [entry.workload.ref.name for entry in decision.affinities] == ["calico-node"]
        assert "3 replicas" in decision.warnings[0] and "only 2 nodes" in decision.warnings[0]
        roomy = decide(cluster(), [workload(), typha._replace(replicas=2)], request("worker-1"))
        assert [entry.workload.ref.name for entry in roomy.affinities] == ["calico-node", "calico-typha"] and not roomy.warnings


class TestExcludeAbsent:
    standing = affinity([opt_out()])

    def decided(self, *nodes, **changes):
        made = (*three(), labelled("worker-2", cordoned=True, taints=((LABEL, "excluded", "NoExecute"),)), labelled("worker-3"))
        return decide(cluster(*made, standing=self.standing), [workload(self.standing)], request(*nodes, state="absent", **changes))

    def test_all_labels_then_the_affinity(self):
        decision = self.decided()
        assert dict(decision.labels) == {"worker-2": Wish(False, None, False), "worker-3": Wish(False)}
        assert decision.labels_first and decision.batched
        assert [entry.after for entry in decision.affinities] == [None]
        assert decision.simulation.gained == ("worker-2", "worker-3") and not decision.simulation.lost

    def test_one_node_leaves_the_affinity_to_the_others(self):
        decision = self.decided("worker-2", cordon=True)
        assert dict(decision.labels) == {"worker-2": Wish(False, False, False)} and not decision.affinities
        assert decision.simulation.gained == ("worker-2",)

    def test_the_last_node_takes_the_affinity_with_it(self):
        assert [entry.after for entry in self.decided("worker-2", "worker-3").affinities] == [None]

    def test_a_node_that_is_gone_is_no_trouble(self):
        assert not self.decided("long-gone").labels

    def test_nothing_is_there(self):
        assert decide(cluster(), [workload()], request(state="absent")).empty

    def test_what_was_there_before_stays(self):
        standing = affinity([WORKER, opt_out()])
        decision = decide(cluster(standing=standing), [workload(standing)], request(state="absent"))
        assert decision.affinities[0].after == affinity([WORKER])

    def test_the_operators_own_is_left_to_the_operator(self):
        fargate = affinity([{"key": "eks.amazonaws.com/compute-type", "operator": "NotIn", "values": ["fargate"]}])
        written = affinity([{"key": "eks.amazonaws.com/compute-type", "operator": "NotIn", "values": ["fargate"]}, opt_out()])
        assert decide(cluster(standing=written), [workload(written, preset=fargate)], request(state="absent")).affinities[0].after is None


class TestInclude:
    def test_every_node_that_has_it_is_labelled_first(self):
        decision = decide(cluster(), [workload()], include())
        assert dict(decision.labels) == {"control-1": Wish(True), "gateway-1": Wish(True), "worker-1": Wish(True)}
        assert decision.labels_first and not decision.batched
        assert [entry.after for entry in decision.affinities] == [affinity([OPT_IN])]
        assert not decision.simulation.after

    def test_nodes_that_do_not_have_it_are_not(self):
        nodes = (*three(), node("win", system="windows"), node("virtual", labels={"type": "virtual-kubelet"}))
        assert set(decide(cluster(*nodes), [workload()], include()).labels) == {"control-1", "gateway-1", "worker-1"}

    def test_leaving_a_gateway_or_a_control_plane_out_is_refused(self):
        with pytest.raises(RefusedError, match="gateway-1 would be without"):
            decide(cluster(), [workload()], include("control-1", "worker-1"))
        with pytest.raises(RefusedError, match="control-1 would be without"):
            decide(cluster(), [workload()], include("gateway-1", "worker-1"))

    def test_leaving_one_worker_out(self):
        decision = decide(cluster(), [workload()], include("control-1", "gateway-1", cordon=True))
        assert [entry.node.ref.name for entry in decision.simulation.lost] == ["worker-1"]
        assert decision.labels["worker-1"] == Wish(None, True)

    def test_new_nodes_come_in_batches(self):
        standing = affinity([OPT_IN])
        nodes = (labelled("control-1", "included", control=True), labelled("worker-1", "included"), node("new-1"), node("new-2"))
        decision = decide(cluster(*nodes, standing=standing), [workload(standing)], include("new-1", "new-2", max_excluded=2))
        assert list(decision.labels) == ["new-1", "new-2"] and decision.batched and not decision.affinities
        assert decision.simulation.gained == ("new-1", "new-2")
        again = decide(cluster(*nodes, standing=standing), [workload(standing)], include(max_excluded=2))
        assert again.empty

    def test_absent_takes_the_affinity_first(self):
        standing = affinity([OPT_IN])
        nodes = (labelled("control-1", "included", control=True), labelled("worker-1", "included"), node("new-1"))
        decision = decide(cluster(*nodes, standing=standing), [workload(standing)], include(state="absent"))
        assert not decision.labels_first and not decision.batched
        assert [entry.after for entry in decision.affinities] == [None] and set(decision.labels) == {"control-1", "worker-1"}
        assert decision.simulation.gained == ("new-1",)

    def test_taking_nodes_out_again_is_judged_as_excluding_them(self):
        standing = affinity([OPT_IN])
        nodes = (labelled("control-1", "included", control=True), labelled("worker-1", "included"))
        decision = decide(cluster(*nodes, standing=standing), [workload(standing)], include("worker-1", state="absent"))
        assert [entry.node.ref.name for entry in decision.simulation.lost] == ["worker-1"] and decision.batched and not decision.affinities
        with pytest.raises(RefusedError, match="control-1"):
            decide(cluster(*nodes, standing=standing), [workload(standing)], include("control-1", state="absent"))


class TestWorkloads:
    def pod(self, name, **changes):
        return Pod(Ref("Pod", name, "shop"), "uid", "worker-1", False, "Running", True, ())._replace(**changes)

    def test_pods_that_need_the_network(self):
        pods = [
            self.pod("mine"),
            self.pod("host", host_network=True),
            self.pod("done", phase="Succeeded"),
            self.pod("going", deleting=True),
            self.pod("csi", owner="DaemonSet/csi-node-driver"),
        ]
        assert [pod.ref.name for pod in needing_network(pods, ("csi-node-driver",))] == ["mine"]

    def test_a_node_with_such_pods_must_be_cordoned(self):
        pods = {"worker-1": [self.pod("mine")]}
        wanted = request("worker-1")
        simulation = decide(cluster(), [workload()], wanted).simulation
        with pytest.raises(RefusedError, match="1 pods there need the network.*shop/mine"):
            refuse_workloads(simulation, wanted, pods, "cluster-1")
        refuse_workloads(simulation, wanted, {}, "cluster-1")
        for allowed in (request("worker-1", cordon=True), request("worker-1", taint=True)):
            refuse_workloads(simulation, allowed, pods, "cluster-1")
        cordoned = decide(cluster(*three()[:2], node("worker-1", cordoned=True)), [workload()], wanted).simulation
        refuse_workloads(cordoned, wanted, pods, "cluster-1")
        assert cordoned.lost


def test_what_could_not_be_read_is_not_taken_for_none():
    for name in ("nodes", "daemon_sets", "deployments", "installations"):
        with pytest.raises(SubmarinerError, match="could not be read: forbidden"):
            require_known(dataclasses.replace(cluster(), **{name: Answer(FORBIDDEN, (), "GET /x", "no right")}))
    assert require_known(cluster()) is None


def test_what_it_interrupts():
    found = cluster(daemon_sets=(daemon_set(max_unavailable="10%"),))
    asked = request("worker-1", taint=True)
    said = consent(found, decide(found, [workload()], asked), asked)
    assert said[0].startswith("calico-node restarts on each of its 3 nodes, 10% at a time")
    assert "worker-1 loses calico-node" in said[1] and "evicted" in said[2]
    back = request(state="absent")
    standing = affinity([opt_out()])
    nodes = (*three()[:2], labelled("worker-1"), labelled("worker-2"))
    only_label = request("worker-1", state="absent")
    assert consent(found, decide(cluster(*nodes, standing=standing), [workload(standing)], only_label), only_label) == []
    assert len(consent(found, decide(cluster(*nodes, standing=standing), [workload(standing)], back), back)) == 1


LABELS = st.dictionaries(st.sampled_from([LABEL, "other"]), st.sampled_from(["excluded", "x"]))
TAINTS = st.lists(st.sampled_from([(LABEL, "excluded", "NoExecute"), (LABEL, "excluded", "NoSchedule"), ("other", "", "NoExecute")]), unique=True)
WISHES = st.builds(Wish, *(st.sampled_from([None, True, False]) for dummy in range(3)))


def raw(labels, cordoned, taints):
    spec = {**({"unschedulable": True} if cordoned else {}), **({"taints": [dict(zip(("key", "value", "effect"), each)) for each in taints]} if taints else {})}
    return {"metadata": {"name": "n", "labels": dict(labels)}, "spec": spec}


def applied(obj, patch):
    spec = {key: value for key, value in {**obj["spec"], **patch.get("spec", {})}.items() if value is not None}
    labels = {key: value for key, value in {**obj["metadata"]["labels"], **patch.get("metadata", {}).get("labels", {})}.items() if value is not None}
    return {"metadata": {**obj["metadata"], "labels": labels}, "spec": spec}


@given(LABELS, st.booleans(), TAINTS, WISHES)
def test_a_nodes_patch_is_what_is_left_to_do_and_is_taken_back_whole(labels, cordoned, taints, wish):
    if wish.labelled and labels.get(LABEL) == "x":
        with pytest.raises(RefusedError):
            left_to_do(node("n", labels=labels), wish, request("n"))
        return
    record = node("n", labels=labels, cordoned=cordoned, taints=taints)
    left = left_to_do(record, wish, request("n"))
    obj = raw(labels, cordoned, taints)
    patch = node_patch(obj, wish, request("n"))
    assert bool(patch) == (left != Wish())
    after = applied(obj, patch)
    assert node_patch(after, wish, request("n")) == {}
    assert labels_after(record, wish, request("n")).get(LABEL) == after["metadata"]["labels"].get(LABEL)
    back = applied(after, node_patch(after, opposite(left), request("n")))
    assert back["metadata"] == obj["metadata"] and back["spec"].get("unschedulable") == obj["spec"].get("unschedulable")
    assert sorted(map(str, back["spec"].get("taints", []))) == sorted(map(str, obj["spec"].get("taints", [])))


FLEETS = st.lists(
    st.builds(
        lambda number, control, gateway, label, system: node(f"n{number}", control=control, gateway=gateway, labels=label, system=system),
        st.integers(0, 9),
        st.booleans(),
        st.booleans(),
        st.sampled_from([{}, {LABEL: "excluded"}, {LABEL: "included"}]),
        st.sampled_from(["linux", "linux", "linux", "windows"]),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda made: made.ref.name,
)
STANDING = st.sampled_from([None, affinity([WORKER]), affinity([opt_out()]), affinity([OPT_IN]), affinity([{"key": "other", "operator": "DoesNotExist"}])])


@given(FLEETS, STANDING, st.data(), st.integers(0, 3), st.sampled_from(["exclude", "include"]), st.sampled_from(["present", "absent"]))
def test_whatever_is_not_refused_leaves_gateways_and_control_planes_alone(fleet, standing, data, most, mode, state):
    chosen = data.draw(st.lists(st.sampled_from([made.ref.name for made in fleet]), unique=True, min_size=1 if (mode, state) == ("exclude", "present") else 0))
    asked = request(*chosen, mode=mode, state=state, value=f"{mode}d", max_excluded=most)
    try:
        decision = decide(cluster(*fleet, standing=standing), [workload(standing)], asked)
    except RefusedError:
        return
    lost = [entry.node for entry in decision.simulation.lost]
    assert not any(each.is_gateway or each.is_control_plane for each in lost)
    assert not lost or len(decision.simulation.after) <= most
    # Carried out, it is as simulated, and there is nothing left to do.
    written = next((entry.after for entry in decision.affinities), standing)
    nodes = [made._replace(labels=labels_after(made, decision.labels.get(made.ref.name, Wish()), asked)) for made in fleet]
    then = cluster(*nodes, standing=written)
    assert [entry.node.ref.name for entry in exclusions(then.daemon_sets.items[0], then.nodes.items)] == sorted(
        (entry.node.ref.name for entry in decision.simulation.after), key=[made.ref.name for made in nodes].index
    )
    assert decide(then, [workload(written)], asked).empty
