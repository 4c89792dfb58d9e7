# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node goes out of service: what is put back where that fails half way, and which pods leave it."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _drain as draining
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _node_maintenance as work
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import merged
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import TimedOutError
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner.test_restart_order import GATEWAY, STANDBY, three

NODE = f"/api/v1/nodes/{GATEWAY}"


def a_gateway(node, ha_status="active", connected="connected"):
    connection = {"status": connected, "endpoint": {"cluster_id": "cluster-2"}}
    return {"metadata": {"name": node, "namespace": "submariner-operator"}, "status": {"haStatus": ha_status, "connections": [connection]}}


def a_pod(name, owner="ReplicaSet", **spec):
    metadata = {"name": name, "namespace": "apps", "uid": f"uid-{name}"}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner, "controller": True}]
    return {"kind": "Pod", "metadata": metadata, "spec": {"nodeName": GATEWAY, **spec}}


class Cluster:
    """One node, its pods, and the Gateways; the Writer of the task, too.

    :ivar late: pods that the scheduler puts on the node just before it is cordoned.
    :ivar failing: what a patch that brings the node back raises.
    :ivar patience: seconds, of each wait by what is awaited.
    """

    check_mode = False

    def __init__(self, monkeypatch):
        self.node = {
            "kind": "Node",
            "metadata": {"name": GATEWAY, "labels": {"submariner.io/gateway": "true"}, "annotations": {}},
            "spec": {},
            "status": {"nodeInfo": {"bootID": "boot-1"}},
        }
        self.before = copy.deepcopy(self.node)
        self.pods, self.late, self.evicted, self.gateways = [], [], [], [a_gateway(STANDBY)]
        self.failing = None
        self.patience, self.diff = {}, []
        self.deadline = Deadline(0)
        monkeypatch.setattr(work.agents, "look", lambda task: three())
        monkeypatch.setattr(draining, "read_list", lambda *dummy: SimpleNamespace(items=tuple(self.pods), error=None))
        for room in (work, draining):
            monkeypatch.setattr(room, "wait_for", self.wait_for)

    def wait_for(self, connection, path, predicate, *, deadline, what, **dummy):
        self.patience[path] = deadline.seconds
        verdict = predicate(self.gateways if path.endswith("/gateways") else self.pods)
        if verdict is not True:
            raise TimedOutError(f"waited {deadline.seconds:.0f} s for {what}. Last seen: {verdict}.", last_seen=verdict)

    def read(self, path):
        return self.node if path == NODE else next((pod for pod in self.pods if path.endswith(f"/{pod['metadata']['name']}")), None)

    def patch(self, path, found, patch):
        if patch.get("spec") == {"unschedulable": True}:
            self.pods = self.pods + self.late
        elif self.failing:
            raise self.failing
        self.node = merged(found, patch)

    def evict(self, path, found):
        self.evicted.append(found["metadata"]["name"])
        self.pods = [pod for pod in self.pods if pod is not found]
        return ""

    def prepare(self, seconds=1800, **params):
        options = {
            "node": GATEWAY, "state": work.PREPARED, "allow_disruption": True, "wait": True, "drain_timeout": 300,
            "delete_emptydir_data": False, "delete_bare_pods": False, **params,
        }
        self.task = Task(options, Member("cluster-1", SimpleNamespace()), self, Deadline(seconds), check_mode=False)
        work.perform(self.task)


@pytest.fixture
def cluster(monkeypatch):
    return Cluster(monkeypatch)


def test_the_standby_takes_over_and_the_node_is_drained(cluster):
    cluster.pods = [a_pod("web")]
    cluster.prepare()
    assert cluster.evicted == ["web"] and cluster.task.facts["handed_over"]
    assert cluster.node["spec"]["unschedulable"] and cluster.node["metadata"]["labels"] == {}


@pytest.mark.parametrize(("seconds", "patience"), [(1800, 120), (30, 30)])
def test_a_gateway_that_is_not_replaced_soon_gets_its_label_back(cluster, seconds, patience):
    cluster.gateways, cluster.pods = [a_gateway(STANDBY, connected="error")], [a_pod("web")]
    with pytest.raises(SubmarinerError, match="Last seen: Gateway b-standby: cluster-2 is error") as caught:
        cluster.prepare(seconds)
    put_back = f"Put back: Node {GATEWAY} is uncordoned and labelled submariner.io/gateway again"
    for said in ("may have stopped", "kubectl -n submariner-operator", put_back, "Run it again"):
        assert said in caught.value.message
    assert [round(each) for each in cluster.patience.values()] == [patience]
    assert cluster.node == cluster.before and cluster.evicted == []
    assert cluster.deadline.left() > 50 and "labelled" in cluster.task.lines[-1]


def test_a_node_that_others_had_cordoned_stays_so(cluster):
    cluster.gateways = []
    cluster.node["spec"]["unschedulable"] = True
    with pytest.raises(SubmarinerError, match=f"Put back: Node {GATEWAY} is labelled submariner.io/gateway again;"):
        cluster.prepare()
    assert cluster.node["spec"]["unschedulable"] and "submariner.io/gateway" in cluster.node["metadata"]["labels"]


def test_what_cannot_be_put_back_is_to_be_done_by_hand(cluster):
    cluster.gateways, cluster.failing = [], SubmarinerError("the server is away.")
    with pytest.raises(SubmarinerError, match="no Gateway is active") as caught:
        cluster.prepare()
    assert "could NOT be put back: the server is away. Do it by hand" in caught.value.message
    for command in (f"label node {GATEWAY} submariner.io/gateway=true", f"uncordon {GATEWAY}", f"annotate node {GATEWAY} submariner.fathom-ansible.github.io/maintenance-"):
        assert f"kubectl {command}" in caught.value.message


def test_a_note_that_is_gone_is_not_said_to_be_put_back(cluster, monkeypatch):
    cluster.gateways = []
    monkeypatch.setattr(work.maintenance, "returning", lambda node: {})
    with pytest.raises(SubmarinerError, match="bears no note of its maintenance any more, so nothing was put back"):
        cluster.prepare()


def test_a_pod_that_came_before_the_cordon_leaves_too(cluster):
    cluster.pods, cluster.late = [a_pod("web")], [a_pod("late")]
    cluster.prepare()
    assert cluster.evicted == ["late", "web"] and cluster.task.facts["evicted"] == ["Pod apps/late", "Pod apps/web"]


@pytest.mark.parametrize(
    ("late", "consent"),
    [(a_pod("late", owner=""), "delete_bare_pods"), (a_pod("late", volumes=[{"name": "data", "emptyDir": {}}]), "delete_emptydir_data")],
)
def test_one_that_needs_consent_ends_it_before_any_eviction(cluster, late, consent):
    cluster.pods, cluster.late = [a_pod("web")], [late]
    with pytest.raises(SubmarinerError, match=rf"Pod apps/late .*\({consent}\)\. Put back: Node {GATEWAY} is uncordoned and labelled") as caught:
        cluster.prepare()
    assert "Nothing was written" not in caught.value.message
    assert cluster.node == cluster.before and cluster.evicted == []
    cluster.pods.remove(late)
    cluster.prepare(**{consent: True})
    assert cluster.evicted == ["late", "web"]


def test_consent_that_is_missing_at_once_is_asked_before_the_first_write(cluster):
    cluster.pods = [a_pod("bare", owner="")]
    with pytest.raises(RefusedError, match="Nothing was written"):
        cluster.prepare()
    assert cluster.node == cluster.before
