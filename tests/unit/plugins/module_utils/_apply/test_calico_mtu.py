# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching the rollout and restarting workloads, with an API server of dictionaries."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_mtu_rollout as rollout, _calico_mtu_workloads as old
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_history import HASH
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_live import ANNOTATION
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_workloads import EVICT, LEFT, PERSON, ROLL, Owner, PodRow, Workload
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListResult

READY = {"conditions": [{"type": "Ready", "status": "True"}]}


class Writer:
    """Notes what is written; ``answers`` are what evictions come to, one after the other."""

    changed = False

    def __init__(self, objects=(), answers=()):
        self.objects = dict(objects)
        self.answers = list(answers)
        self.done = []

    def read(self, path):
        return self.objects.get(path)

    def patch(self, path, found, patch):
        self.done.append((path, patch))

    def evict(self, path, found):
        self.done.append((path, "evict"))
        return self.answers.pop(0) if self.answers else ""


def task(writer=None, seconds=60.0, check_mode=False):
    return Task({}, Member("c", None), writer or Writer(), Deadline(seconds), check_mode=check_mode)


def node_pod(node, hashed="new", status=READY, **metadata):
    return {"metadata": {"name": f"calico-node-{node}", "labels": {HASH: hashed}, **metadata}, "spec": {"nodeName": node}, "status": status}


class TestProgress:
    def test_each_node_is_told_once_and_those_that_were_done_before_are_not(self):
        watched = task()
        progress = rollout._Progress(watched, "new", 3, 1400, {"calico-node-a"})
        assert progress.look([node_pod("a"), node_pod("b", "old"), node_pod("c", "old")]) == (
            "1 of 3 nodes are done; node b: pod calico-node-b is Ready, and from before the change"
        )
        progress.look([node_pod("a"), node_pod("b"), node_pod("c", "old", deletionTimestamp="x")])
        assert progress.look([node_pod("a"), node_pod("b"), node_pod("c")]) is True
        progress.summarize()
        assert watched.lines == ["c: calico-node on node b runs with MTU 1400.", "c: calico-node on node c runs with MTU 1400."]

    def test_a_node_that_was_done_between_the_change_and_the_first_look_is_told(self):
        watched = task()
        assert rollout._Progress(watched, "new", 1, 1400, {"calico-node-former"}).look([node_pod("a")]) is True
        assert watched.lines == ["c: calico-node on node a runs with MTU 1400."]

    def test_the_failing_node_is_named_with_its_pods_reason(self):
        waiting = {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}
        ill = {"phase": "Running", "containerStatuses": [{"name": "calico-node", "state": {"waiting": waiting}}]}
        said = rollout._Progress(task(), "new", 2, 0).look([node_pod("a", "old"), node_pod("b", status=ill)])
        assert said.endswith("node b: pod calico-node-b: container calico-node waiting: CrashLoopBackOff (back-off 5m0s restarting failed container)")

    def test_nodes_without_a_pod_are_missing(self):
        assert rollout._Progress(task(), "new", 2, 1400).look([node_pod("a")]) == "1 of 2 nodes are done"

    def test_many_nodes_are_summed_up(self):
        watched = task()
        progress = rollout._Progress(watched, "new", 100, 1400)
        progress.look([])
        assert progress.look([node_pod(f"n{number:03}") for number in range(100)]) is True
        progress.summarize()
        assert len(watched.lines) == rollout.MOST_LINES + 1
        assert watched.lines[-1] == "c: calico-node on 70 more nodes runs with MTU 1400."

    @pytest.mark.parametrize(
        ("status", "said"),
        [
            ({"initContainerStatuses": [{"name": "i", "state": {"terminated": {"reason": "Error"}}}]}, "container i terminated: Error"),
            ({"initContainerStatuses": [{"name": "i", "state": {"terminated": {"reason": "Completed"}}}], "phase": "Running"}, "is Running"),
            ({"conditions": [{"type": "PodScheduled", "status": "False", "message": "no room"}]}, "is not scheduled: no room"),
            ({"conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]}, "is not Ready: ContainersNotReady"),
            ({}, "is Pending"),
        ],
    )
    def test_reasons(self, status, said):
        assert said in rollout.reason_of(node_pod("a", status=status))


def workload(way, *pods, kind="Deployment", name="web"):
    return Workload("shop", kind, name, pods, way, "a reason" if way != ROLL else "")


POD = PodRow("shop", "web-1", "u1", "a", "2026-01-01T00:00:00Z", Owner("ReplicaSet", "web", "r1"))
PATH = "/apis/apps/v1/namespaces/shop/deployments/web"
POD_PATH = "/api/v1/namespaces/shop/pods/web-1"


class TestChosen:
    FOUND = (workload(ROLL), workload(EVICT, kind="StatefulSet", name="db"), workload(LEFT, kind="Job"), workload(PERSON, kind="Pod"))

    def test_all_are_those_that_can_be_restarted(self):
        assert old.chosen(self.FOUND, "all", ()) == self.FOUND[:2]

    def test_listed_ones(self):
        assert old.chosen(self.FOUND, "listed", ["shop/StatefulSet/db", "shop/Job/web", "shop/Pod/web", "other/Deployment/web"]) == self.FOUND[1:2]

    def test_none(self):
        assert old.chosen(self.FOUND, "none", ["shop/Deployment/web"]) == ()


class TestMissing:
    @pytest.mark.parametrize(
        "obj",
        [
            {"spec": {"replicas": 2}, "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}},
            {"spec": {"replicas": 0}, "status": {"observedGeneration": 2}},
            {"spec": {}, "status": {"observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}},
            {
                "spec": {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
                "status": {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 3},
            },
        ],
    )
    def test_whole(self, obj):
        assert old.missing({"metadata": {"generation": 2}, **obj}) == ""

    @pytest.mark.parametrize(
        ("status", "said"),
        [
            ({"observedGeneration": 1}, "has not seen"),
            ({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2}, "are new"),  # an old one is still there
            ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}, "1 of 2 are available"),
            ({"observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": 2, "numberAvailable": 3}, "2 of 3 pods are new"),
        ],
    )
    def test_not_whole(self, status, said):
        assert said in old.missing({"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status})


def deployment(mark=None, **status):
    annotations = {ANNOTATION: mark} if mark else {}
    done = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    spec = {"replicas": 1, "template": {"metadata": {"annotations": annotations}}}
    return {"metadata": {"name": "web", "generation": 1}, "spec": spec, "status": {**done, **status}}


class TestRoll:
    @pytest.mark.parametrize(("mark", "written"), [(None, "1400"), ("1500", "1400"), ("1400", "1400 again")])
    def test_another_template(self, mark, written, monkeypatch):
        monkeypatch.setattr(old, "wait_for", lambda _connection, _path, predicate, **_rest: predicate([deployment()]) is True)
        writer = Writer({PATH: deployment(mark)})
        watched = task(writer)
        old.restart(watched, workload(ROLL, POD), 1400)
        assert writer.done == [(PATH, {"spec": {"template": {"metadata": {"annotations": {ANNOTATION: written}}}}})]
        assert watched.lines == ["c: Deployment shop/web: restarted."]

    def test_a_restart_that_is_under_way_is_only_waited_for(self, monkeypatch):
        monkeypatch.setattr(old, "wait_for", lambda *_arguments, **_rest: [])
        writer = Writer({PATH: deployment("1400", updatedReplicas=0)})
        old.restart(task(writer), workload(ROLL, POD), 1400)
        assert writer.done == []

    def test_one_that_does_not_heal_stops_everything(self, monkeypatch):
        def never(_connection, _path, predicate, **_rest):
            raise TimedOutError(f"c: waited. Last seen: {predicate([deployment(availableReplicas=0)])}.")

        monkeypatch.setattr(old, "wait_for", never)
        with pytest.raises(SubmarinerError, match=r"0 of 1 are available.*Deployment shop/web did not heal.*left alone"):
            old.restart(task(Writer({PATH: deployment()})), workload(ROLL, POD), 1400)

    def test_one_that_has_gone_needs_nothing(self):
        writer = Writer()
        old.restart(task(writer), workload(ROLL, POD), 1400)
        assert writer.done == []


def web_pod(uid="u1", name="web-1", **more):
    return {"metadata": {"name": name, "uid": uid, "ownerReferences": [{"uid": "r1", "controller": True}]}, "status": {"phase": "Running", **READY}, **more}


class TestEvict:
    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch):
        monkeypatch.setattr(old, "_PAUSE", 0.01)
        monkeypatch.setattr(old, "read_list", lambda *_arguments: ListResult((web_pod(), web_pod("u2", "web-2"))))

    def test_a_budget_is_waited_for(self, monkeypatch):
        monkeypatch.setattr(old, "wait_for", lambda *_arguments, **_rest: [])
        writer = Writer({POD_PATH: web_pod()}, ["it would violate the pod's disruption budget", ""])
        watched = task(writer)
        old.restart(watched, workload(EVICT, POD), 1400)
        assert writer.done == [(POD_PATH, "evict")] * 2
        assert watched.lines == ["c: Deployment shop/web: its pod was evicted, since a reason."]

    def test_a_budget_that_never_allows_stops_everything(self):
        writer = Writer({POD_PATH: web_pod()}, ["it would violate the pod's disruption budget"] * 1000)
        with pytest.raises(SubmarinerError, match="shop/web-1 cannot be evicted: it would violate.*did not heal"):
            old.restart(task(writer, seconds=0.2), workload(EVICT, POD), 1400)

    def test_another_pod_of_that_name_is_left_alone(self):
        writer = Writer({POD_PATH: web_pod("other")})
        old.restart(task(writer), workload(EVICT, POD), 1400)
        assert writer.done == []

    def test_whole_again_is_as_many_ready_ones_as_before(self, monkeypatch):
        seen = []

        def look(_connection, _path, predicate, **_rest):
            second = web_pod("u2", "web-2")
            pending = {**web_pod("u3", "web-3"), "status": {"phase": "Pending"}}
            seen.extend(predicate(pods) for pods in ([web_pod(), second], [second], [second, pending], [second, web_pod("u3", "web-3")]))

        monkeypatch.setattr(old, "wait_for", look)
        old.restart(task(Writer({POD_PATH: web_pod()})), workload(EVICT, POD), 1400)
        assert seen == ["pod web-1 is ending", "1 of 2 pods are there", "pod web-3 is Pending", True]

    def test_check_mode_waits_for_nothing(self):
        writer = Writer({POD_PATH: web_pod()}, ["not now"])
        old.restart(task(writer, check_mode=True), workload(EVICT, POD), 1400)
        assert writer.done == [(POD_PATH, "evict")]
