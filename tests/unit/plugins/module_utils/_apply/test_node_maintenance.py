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
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _restart_order as order
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import ok
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner.test_gateway_places import HOST, OTHER, TELLING, elsewhere
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner.test_restart_order import (
    GATEWAY,
    STANDBY,
    TUNNEL,
    WORKER,
    a_node,
    three,
)

NODE = f"/api/v1/nodes/{GATEWAY}"


def a_gateway(node, ha_status="active", connected="connected"):
    connection = {"status": connected, "endpoint": {"cluster_id": "cluster-2"}}
    metadata = {"name": node, "namespace": "submariner-operator", "annotations": {"update-timestamp": "1700000000"}}
    return {"metadata": metadata, "status": {"haStatus": ha_status, "connections": [connection]}}


def a_pod(name, owner="ReplicaSet", **spec):
    metadata = {"name": name, "namespace": "apps", "uid": f"uid-{name}"}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner, "controller": True}]
    return {"kind": "Pod", "metadata": metadata, "spec": {"nodeName": GATEWAY, **spec}}


def a_daemon(app, started, ready=True):
    """The pod of a DaemonSet on the node."""
    labels = {"k8s-app": app} if app == work.maintenance.CALICO_NODE else {"app": app}
    status = {
        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        "containerStatuses": [{"name": app, "ready": ready, "restartCount": 1, "state": {"running": {"startedAt": started}}}],
    }
    metadata = {"name": app, "namespace": "submariner-operator", "uid": f"uid-{app}", "labels": labels}
    return {"kind": "Pod", "metadata": metadata, "spec": {"nodeName": GATEWAY, "containers": [{"name": app}]}, "status": status}


class Cluster:
    """One node, its pods, and the Gateways; the Writer of the task, too.

    :ivar late: pods that the scheduler puts on the node just before it is cordoned.
    :ivar failing: what a patch that brings the node back raises.
    :ivar silent: names of Gateways that are not written any more.
    :ivar locked: how often the lock was asked for; ``meanwhile`` is called before it is had.
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
        self.failing, self.silent, self.locked, self.budget = None, (), 0, ()
        self.snapshot, self.meanwhile = three(), lambda: None
        self.patience, self.diff = {}, []
        self.deadline = Deadline(0)
        monkeypatch.setattr(work.agents, "look", lambda task: self.snapshot)
        monkeypatch.setattr(draining, "read_list", lambda *dummy: SimpleNamespace(items=tuple(self.pods), error=None))
        for room in (work, draining, work.agents):
            monkeypatch.setattr(room, "wait_for", self.wait_for)

    def wait_for(self, connection, path, predicate, *, deadline, what, **dummy):
        self.patience[path] = deadline.seconds
        shown = {"gateways": self.gateways, "nodes": [self.node]}.get(path.rpartition("/")[2], self.pods)
        verdict = predicate(shown)
        if path.endswith("/gateways"):
            for gateway in shown:
                if gateway["metadata"]["name"] not in self.silent:
                    beat = int(gateway["metadata"]["annotations"]["update-timestamp"])
                    gateway["metadata"]["annotations"] = {"update-timestamp": str(beat + 5)}
            verdict = predicate(shown)
        if verdict is not True:
            raise TimedOutError(f"waited {deadline.seconds:.0f} s for {what}. Last seen: {verdict}.", last_seen=verdict)
        return shown

    def lock(self):
        self.locked += 1
        self.meanwhile()

    def read(self, path):
        return self.node if path == NODE else next((pod for pod in self.pods if path.endswith(f"/{pod['metadata']['name']}")), None)

    def patch(self, path, found, patch, *, irreversible="", one_way=False):
        self.one_way = irreversible if one_way else ""
        if patch.get("spec") == {"unschedulable": True}:
            self.pods = self.pods + self.late
        elif self.failing:
            raise self.failing
        self.node = merged(found, patch)

    def evict(self, path, found):
        if found["metadata"]["name"] in self.budget:
            return "the budget does not allow it"
        self.evicted.append(found["metadata"]["name"])
        self.pods = [pod for pod in self.pods if pod is not found]
        return ""

    def prepare(self, seconds=1800, **params):
        options = {
            "node": GATEWAY, "state": work.PREPARED, "allow_disruption": True, "wait": True, "drain_timeout": 300,
            "delete_emptydir_data": False, "delete_bare_pods": False, "boot_id": None, "rebooted": True, **params,
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


def test_what_the_standby_said_long_ago_does_not_show_that_it_took_over(cluster):
    cluster.silent, cluster.pods = (STANDBY,), [a_pod("web")]
    with pytest.raises(SubmarinerError, match="has not been written while this was waiting, last at 2023-11-14T22:13:20Z"):
        cluster.prepare()
    assert cluster.node == cluster.before and cluster.evicted == []


class TestNodesThatAreCalledOtherwise:
    """Gateways are called after their hosts; here no Node is."""

    @pytest.fixture(autouse=True)
    def elsewhere(self, cluster):
        cluster.snapshot = elsewhere(**TELLING[0])

    def test_the_gateway_hands_over_with_consent(self, cluster):
        with pytest.raises(RefusedError, match=f"the gateway on {GATEWAY} hands over to {STANDBY}"):
            cluster.prepare(allow_disruption=False)
        cluster.gateways = [a_gateway(OTHER)]
        cluster.prepare()
        assert cluster.task.facts["handed_over"] and cluster.node["metadata"]["labels"] == {}

    def test_its_own_record_does_not_show_that_another_took_over(self, cluster):
        cluster.gateways = [a_gateway(HOST)]
        with pytest.raises(SubmarinerError, match="no Gateway is active"):
            cluster.prepare()
        assert cluster.node == cluster.before


class TestASecondDrain:
    """Of pods that the cordon does not keep away."""

    bound = a_pod("bound", tolerations=[{"operator": "Exists"}])

    def test_goes_on_with_what_a_budget_kept(self, cluster):
        cluster.pods, cluster.budget = [self.bound], ("bound",)
        with pytest.raises(SubmarinerError, match="Run it again to go on"):
            cluster.prepare(drain_timeout=1)
        assert cluster.evicted == [] and cluster.node["spec"]["unschedulable"]
        with pytest.raises(SubmarinerError, match="Run it again to go on"):
            cluster.prepare(drain_timeout=1)
        cluster.budget = ()
        cluster.prepare()
        assert cluster.evicted == ["bound"]

    def test_goes_on_after_a_death_between_the_cordon_and_the_first_eviction(self, cluster, monkeypatch):
        cluster.pods = [self.bound]
        with monkeypatch.context() as dying:
            dying.setattr(work, "drain_node", lambda *dummy: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                cluster.prepare()
        cluster.prepare()
        assert cluster.evicted == ["bound"]

    def test_knows_of_one_that_came_before_the_cordon(self, cluster):
        cluster.late, cluster.budget = [self.bound], ("bound",)
        with pytest.raises(SubmarinerError, match="Run it again"):
            cluster.prepare(drain_timeout=1)
        cluster.late, cluster.budget = [], ()
        cluster.prepare()
        assert cluster.evicted == ["bound"]

    def test_leaves_alone_what_came_in_its_place_and_writes_nothing(self, cluster):
        cluster.pods = [self.bound]
        cluster.prepare()
        cluster.pods, cluster.locked = [a_pod("next", tolerations=[{"operator": "Exists"}])], 0
        cluster.prepare()
        assert cluster.evicted == ["bound"] and cluster.locked == 0 and cluster.task.lines == []


class TestWhileItWaitedForTheLock:
    def test_another_node_may_have_gone_out_of_service(self, cluster):
        def other():
            nodes = [a_node(WORKER, {**TUNNEL, work.maintenance.ANNOTATION: "{}"})]
            cluster.snapshot = three(nodes=nodes)

        cluster.meanwhile = other
        with pytest.raises(RefusedError, match=f"Node {WORKER} was taken out of service and is not back; one at a time. Nothing was written"):
            cluster.prepare()
        assert cluster.node == cluster.before and cluster.locked == 1

    def test_the_gateway_may_have_become_the_active_one(self, cluster):
        active, passive = three().gateways.items
        cluster.snapshot = three(gateways=ok(active._replace(ha_status="passive"), passive._replace(ha_status="active")))
        cluster.meanwhile = lambda: setattr(cluster, "snapshot", three())
        with pytest.raises(RefusedError, match=f"the gateway on {GATEWAY} hands over to {STANDBY}"):
            cluster.prepare(allow_disruption=False)
        assert cluster.node == cluster.before


class TestTheWayBack:
    """Of the node with a gateway that did not hand over, since it was passive."""

    @pytest.fixture(autouse=True)
    def back(self, cluster, monkeypatch):
        monkeypatch.setattr(work, "_heal_agent", lambda *dummy: [])
        started = {name: "2026-01-01T10:00:05Z" for name in work.maintenance.STARTS_ANEW}
        mark = work.maintenance.Mark("boot-1", True, False, started, ("cluster-2",))
        cluster.node["metadata"]["annotations"] = {work.maintenance.ANNOTATION: mark.text(), **TUNNEL}
        cluster.node["spec"]["unschedulable"] = True
        cluster.node["status"] = {"nodeInfo": {"bootID": "boot-2"}, "conditions": [{"type": "Ready", "status": "True"}]}
        cluster.pods = [a_daemon(name, "2026-01-02T00:00:00Z") for name in work.maintenance.STARTS_ANEW]

    def test_is_done_when_all_has_started_anew(self, cluster):
        cluster.prepare(state=work.RETURNED)
        assert "unschedulable" not in cluster.node["spec"] and work.maintenance.ANNOTATION not in cluster.node["metadata"]["annotations"]
        assert cluster.one_way == f"Node {GATEWAY} came back from its maintenance; a rollback takes no node out of service again"

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"started": "2026-01-01T10:00:05Z"}, "has not been started anew"),
            ({"ready": False}, "is not Ready"),
        ],
    )
    def test_is_not_before_the_gateway_runs_again(self, cluster, changes, words):
        cluster.pods[-1] = a_daemon(order.GATEWAY, **{"started": "2026-01-02T00:00:00Z", **changes})
        with pytest.raises(SubmarinerError, match=f"Pod submariner-operator/{order.GATEWAY} {words}"):
            cluster.prepare(state=work.RETURNED)
        assert cluster.node["spec"]["unschedulable"]

    def test_is_not_while_connections_are_known_from_before_alone(self, cluster):
        cluster.silent = (STANDBY,)
        with pytest.raises(SubmarinerError, match="has not been written while this was waiting"):
            cluster.prepare(state=work.RETURNED)
        assert cluster.node["spec"]["unschedulable"]
