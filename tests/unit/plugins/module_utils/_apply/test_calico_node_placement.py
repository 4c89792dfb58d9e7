# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out a placement: the order of writes, batches, and what is taken back when one does not lead to what it is for."""

from __future__ import annotations

import copy
import types

import pytest
import yaml

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_node_placement as placing
from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import merged
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import COMPONENTS, LABEL
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import FORBIDDEN, KubeError, TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListResult
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_SERVED, OK, Answer, ConfigMap, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.placements import affinity, cluster, daemon_set, node, opt_out, three

INSTALLATION = "/apis/operator.tigera.io/v1/installations/default"
DAEMON_SET = "/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node"
OF_KUBESPRAY = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"
PARAMS = {
    "nodes": [],
    "mode": "exclude",
    "state": "present",
    "label": LABEL,
    "value": None,
    "components": list(COMPONENTS),
    "architectures": [],
    "max_excluded": 1,
    "batch_size": 1,
    "canary": True,
    "pause": 0,
    "cordon": False,
    "taint": False,
    "write_live": False,
    "force": False,
    "wait": True,
    "wait_timeout": 600,
    "allow_disruption": True,
}


class Server:
    """The objects of a cluster; stands in for the writer and for reading, and writes down what was written."""

    def __init__(self, snapshot):
        self.snapshot = snapshot
        self.member = types.SimpleNamespace(name="cluster-1", connection=None)
        self.objects = {f"/api/v1/nodes/{each.ref.name}": raw(each) for each in snapshot.nodes.items}
        for installation in snapshot.installations.items:
            spec = copy.deepcopy(dict(installation.spec))
            self.objects[INSTALLATION] = {"kind": "Installation", "metadata": {"name": "default"}, "spec": spec}
        self.written = []
        self.broken = set()
        self.pods = ListResult(())
        self.diff, self.warnings, self.preconditions, self.changed = [], [], [], False
        self.deadline = Deadline(60)

    def read(self, path):
        return copy.deepcopy(self.objects.get(path))

    def patch(self, path, found, patch, **_options):
        if path in self.broken:
            raise KubeError(f"{path} cannot be written")
        self.written.append((path, patch))
        self.objects[path] = merged(found, patch)
        return self.objects[path]


def raw(record):
    roles = dict(record.labels)
    spec = {"unschedulable": True} if record.unschedulable else {}
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    return {"kind": "Node", "metadata": {"name": record.ref.name, "labels": roles}, "spec": spec, "status": status}


class Bench:
    """Runs the remedy against a server."""

    def __init__(self, monkeypatch):
        self.watched = []
        self.failing = set()
        bench = self

        class Watch:
            def __init__(self, *_arguments, **_keywords):
                pass

            def await_rule(self, requirements, *, there, deadline):
                bench.watched.append(("rule", there))

            def await_nodes(self, gone, running, deadline):
                bench.watched.append(("nodes", sorted(gone), sorted(running)))
                bad = sorted(bench.failing & ({*gone} | {*running}))
                if bad:
                    raise TimedOutError(f"cluster-1: calico-node still has a pod on {bad[0]}.")

        monkeypatch.setattr(placing, "Watch", Watch)
        monkeypatch.setattr(placing, "read_snapshot", lambda *_arguments, **_keywords: self.server.snapshot)
        monkeypatch.setattr(placing, "get_object", lambda _connection, path, _deadline: self.server.read(path))
        monkeypatch.setattr(placing, "read_list", self.read_list)
        monkeypatch.setattr(placing.time, "sleep", lambda seconds: self.watched.append(("pause", seconds)))

    def read_list(self, _connection, request, _deadline):
        if request.path == "/api/v1/pods":
            return self.server.pods
        return ListResult(tuple(request.project(obj) for path, obj in self.server.objects.items() if path.startswith("/api/v1/nodes/")))

    def run(self, server, check=False, **options):
        self.server = server
        self.task = Task({**PARAMS, **options}, server.member, server, Deadline(60), check_mode=check)
        placing.perform(self.task)
        return self.task

    @property
    def order(self):
        return [path.rpartition("/")[2] for path, _patch in self.server.written]


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


def many(*workers):
    return Server(cluster(*three(), *(node(name) for name in workers)))


def kubespray(*nodes):
    own = daemon_set(ref=Ref("DaemonSet", "calico-node", "kube-system"))
    config = ConfigMap(Ref("ConfigMap", "calico-config", "kube-system"), {"cluster_type": "kubespray,bgp"})
    made = cluster(*nodes, daemon_sets=(own,), installations=Answer(NOT_SERVED), config_maps=Answer(OK, (config,)))
    server = Server(made)
    selector = {"nodeSelector": {"kubernetes.io/os": "linux"}}
    metadata = {"name": "calico-node", "namespace": "kube-system"}
    server.objects[OF_KUBESPRAY] = {"kind": "DaemonSet", "metadata": metadata, "spec": {"template": {"spec": selector}}}
    return server


def labelled(server):
    return sorted(path.rpartition("/")[2] for path, obj in server.objects.items() if obj["metadata"].get("labels", {}).get(LABEL))


def test_the_affinity_then_the_canary_then_batches(bench):
    task = bench.run(many("w2", "w3", "w4"), nodes=["worker-1", "w2", "w3", "w4"], max_excluded=4, batch_size=2, pause=5)
    assert bench.order == ["default", "worker-1", "w2", "w3", "w4"]
    assert bench.watched == [
        ("rule", True),
        ("nodes", ["worker-1"], []),
        ("pause", 5.0),
        ("nodes", ["w2", "w3"], []),
        ("pause", 5.0),
        ("nodes", ["w4"], []),
    ]
    assert len(task.lines) == 5 and [person.target for person in task.people] == ["node w2", "node w3", "node w4", "node worker-1"]


def test_what_kubespray_undoes_is_handed_over_to_be_asked_again(bench):
    asked = {"nodes": ["worker-1", "0123"], "value": "true", "max_excluded": 2, "architectures": ["amd64"], "cordon": True, "wait": False}
    task = bench.run(kubespray(*three(), node("0123")), **asked)
    (person,) = [each for each in task.people if each.target == "the playbook that runs Kubespray"]
    ((role,),) = [play["roles"] for play in yaml.safe_load(person.paste)]
    given = {name.removeprefix("calico_node_placement_"): value for name, value in role.items() if name != "role"}
    assert given == {**asked, "allow_disruption": True}
    # cluster.yml has made the DaemonSet anew, so that its affinity is gone; the nodes keep their labels.
    again = kubespray(*three()[:2], *(node(name, labels={LABEL: "true"}) for name in asked["nodes"]))
    bench.run(again, **given)
    written = again.objects[OF_KUBESPRAY]["spec"]["template"]["spec"]["affinity"]
    assert written == affinity([opt_out("true"), {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}])


def test_an_opt_in_on_kubespray_hands_over_what_its_variable_cannot_say(bench):
    def pasted(**options):
        return [person.target.partition(",")[0] for person in bench.run(kubespray(*three()), mode="include", wait=False, **options).people]

    assert pasted() == ["Kubespray's inventory"]
    assert pasted(architectures=["amd64", "arm64"]) == ["Kubespray's inventory", "the playbook that runs Kubespray"]


def test_a_batch_that_fails_is_taken_back_and_the_rest_not_tried(bench):
    bench.failing = {"w3"}
    server = many("w2", "w3", "w4")
    with pytest.raises(SubmarinerError) as caught:
        bench.run(server, nodes=["worker-1", "w2", "w3", "w4"], max_excluded=4, batch_size=2, cordon=True)
    said = caught.value.message
    assert "still has a pod on w3" in said and f"Node w3: label {LABEL} taken away, uncordoned; Node w2" in said and "Not tried: w4" in said
    assert labelled(server) == ["worker-1"]
    assert [name for name in ("worker-1", "w2", "w3", "w4") if server.objects[f"/api/v1/nodes/{name}"]["spec"].get("unschedulable")] == ["worker-1"]
    assert "taken away" in bench.task.lines[-1]


def test_a_node_that_was_cordoned_before_stays_so(bench):
    bench.failing = {"worker-1"}
    server = Server(cluster(*three()[:2], node("worker-1", cordoned=True)))
    with pytest.raises(SubmarinerError):
        bench.run(server, nodes=["worker-1"], cordon=True)
    assert server.objects["/api/v1/nodes/worker-1"]["spec"]["unschedulable"] is True and labelled(server) == []


def test_what_cannot_be_taken_back_is_said(bench):
    bench.failing = {"worker-1"}
    server = many()
    reads = server.read

    def breaking(path):
        if labelled(server):
            server.broken.add("/api/v1/nodes/worker-1")
        return reads(path)

    server.read = breaking
    with pytest.raises(SubmarinerError, match="Could NOT be taken back: Node worker-1: /api/v1/nodes/worker-1 cannot be written"):
        bench.run(server, nodes=["worker-1"])
    assert labelled(server) == ["worker-1"]


def test_bringing_it_back_begins_with_the_labels(bench):
    standing = affinity([opt_out()])
    spec = {"calicoNodeDaemonSet": {"spec": {"template": {"spec": {"affinity": standing}}}}}
    server = Server(cluster(*three()[:2], node("worker-1", labels={LABEL: "excluded"}), standing=standing, spec=spec))
    bench.run(server, state="absent")
    assert bench.order == ["worker-1", "default"]
    assert bench.watched == [("nodes", [], ["worker-1"]), ("rule", False), ("nodes", [], ["worker-1"])]
    assert server.objects[INSTALLATION]["spec"] == {} and labelled(server) == []


def test_a_node_that_does_not_get_ready_is_left_out_again(bench):
    bench.failing = {"worker-1"}
    standing = affinity([opt_out()])
    spec = {"calicoNodeDaemonSet": {"spec": {"template": {"spec": {"affinity": standing}}}}}
    server = Server(cluster(*three()[:2], node("worker-1", labels={LABEL: "excluded"}), standing=standing, spec=spec))
    with pytest.raises(SubmarinerError, match=f"Taken back: Node worker-1: labelled {LABEL}=excluded"):
        bench.run(server, state="absent")
    assert labelled(server) == ["worker-1"] and server.objects[INSTALLATION]["spec"] == spec


def test_an_opt_in_labels_all_then_looks_again(bench):
    server = many()
    bench.run(server, mode="include")
    assert bench.order == ["control-1", "gateway-1", "worker-1", "default"]
    assert bench.watched == [("rule", True), ("nodes", [], [])]


@pytest.mark.parametrize(("late", "said"), [(node("control-2", control=True), "control-2 would be without"), (node("w2"), "w2 would lose calico-node")])
def test_a_node_that_came_meanwhile_stops_an_opt_in_before_the_affinity(bench, late, said):
    server = many()
    server.objects[f"/api/v1/nodes/{late.ref.name}"] = raw(late)
    with pytest.raises(RefusedError, match=said):
        bench.run(server, mode="include")
    assert "default" not in bench.order


def test_a_node_that_became_a_gateway_meanwhile_is_not_labelled(bench):
    server = many()
    server.objects["/api/v1/nodes/worker-1"]["metadata"]["labels"]["submariner.io/gateway"] = "true"
    with pytest.raises(RefusedError, match="has become a gateway"):
        bench.run(server, nodes=["worker-1"])
    assert labelled(server) == []


def test_without_waiting_nothing_is_watched(bench):
    bench.run(many(), nodes=["worker-1"], wait=False)
    assert bench.order == ["default", "worker-1"] and bench.watched == []


def test_nothing_to_do(bench):
    standing = affinity([opt_out()])
    spec = {"calicoNodeDaemonSet": {"spec": {"template": {"spec": {"affinity": standing}}}}}
    server = Server(cluster(*three()[:2], node("worker-1", labels={LABEL: "excluded"}), standing=standing, spec=spec))
    task = bench.run(server, nodes=["worker-1"], allow_disruption=False)
    assert (server.written, task.lines, task.people, bench.watched) == ([], [], [], [])
    assert task.facts["without"] == ["worker-1"] and task.facts["lost"] == []


def test_consent_comes_before_the_first_write(bench):
    server = many()
    with pytest.raises(RefusedError, match="worker-1 loses calico-node"):
        bench.run(server, nodes=["worker-1"], allow_disruption=False)
    assert server.written == []


def test_pods_that_cannot_be_read_are_not_taken_for_none(bench):
    server = many()
    server.pods = ListResult((), KubeError("pods is forbidden", FORBIDDEN))
    with pytest.raises(SubmarinerError, match="pods on worker-1.*nothing was written: pods is forbidden"):
        bench.run(server, nodes=["worker-1"])
    assert server.written == []
