# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a placement waits for, and what it says when that does not come."""

from __future__ import annotations

import types

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _placement_watch as watching
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import LABEL
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.placements import affinity, opt_out, request

PLACE = Ref("DaemonSet", "calico-node", "calico-system")
PODS, SETS, STATUSES = "pods", "daemonsets", "tigerastatuses"


class World(dict):
    """Objects by the last part of their collection's path; stands in for ``wait_for``, which looks once."""

    def wait_for(self, _connection, path, predicate, *, deadline, what, label_selector=""):
        verdict = predicate(self[path.rpartition("/")[2]])
        if verdict is not True:
            raise TimedOutError(f"waited for {what}. Last seen: {verdict}")


@pytest.fixture
def world(monkeypatch):
    made = World(
        {
            PODS: [pod("a"), pod("b")],
            SETS: [daemon_set()],
            STATUSES: [status(Available="True", Degraded="False")],
        }
    )
    monkeypatch.setattr(watching, "wait_for", made.wait_for)
    return made


def pod(node, ready=True, deleting=False):
    metadata = {"name": f"calico-node-{node}", "namespace": "calico-system", "labels": {"k8s-app": "calico-node"}}
    metadata.update({"deletionTimestamp": "now"} if deleting else {})
    waiting = [] if ready else [{"name": "calico-node", "ready": False, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
    return {
        "metadata": metadata,
        "spec": {"nodeName": node},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}], "containerStatuses": waiting},
    }


def daemon_set(standing=None, generation=2, observed=2, **counts):
    numbers = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2, **counts}
    template = {"spec": {"affinity": standing} if standing else {}}
    metadata = {"name": "calico-node", "namespace": "calico-system", "generation": generation}
    return {"metadata": metadata, "spec": {"template": template}, "status": {"observedGeneration": observed, **numbers}}


def status(**conditions):
    said = [{"type": kind, "status": value, "message": f"{kind} it is"} for kind, value in conditions.items()]
    return {"metadata": {"name": "calico"}, "status": {"conditions": said}}


def watch(ailing=(), operator=True):
    return watching.Watch(types.SimpleNamespace(name="cluster-1", connection=None), PLACE, ailing, operator=operator)


def nodes(gone=(), running=(), **options):
    watch(**options).await_nodes(gone, running, Deadline(1))
    return True


def test_all_is_well(world):
    assert nodes(gone=["c"], running=["a"])


@pytest.mark.parametrize(
    ("changes", "options", "said"),
    [
        ({PODS: [None, pod("c", deleting=True)]}, {"gone": ["c"]}, "calico-node still has a pod on c"),
        ({PODS: [pod("b")]}, {"running": ["a"]}, "not ready on a: it has no pod there"),
        ({PODS: [pod("a", ready=False), pod("b")]}, {"running": ["a"]}, "not ready on a: pod calico-node-a is CrashLoopBackOff"),
        ({PODS: [pod("a", deleting=True), pod("b")]}, {"running": ["a"]}, "not ready on a"),
        ({PODS: [pod("a"), pod("b", ready=False)]}, {}, "not ready on b"),
        ({SETS: [daemon_set(observed=1)]}, {}, "has not seen the change"),
        ({SETS: [daemon_set(updatedNumberScheduled=1)]}, {}, "1 of 2 pods have the new template"),
        ({SETS: [daemon_set(numberAvailable=1)]}, {}, "1 of 2 pods are available"),
        ({SETS: []}, {}, "there is no DaemonSet calico-system/calico-node"),
        ({STATUSES: [status(Available="False", Degraded="False")]}, {}, "not Available: Available it is"),
        ({STATUSES: [status(Available="True", Degraded="True")]}, {}, "Degraded: Degraded it is"),
        ({STATUSES: []}, {}, "there is no TigeraStatus calico"),
    ],
)
def test_what_is_missing_is_said(world, changes, options, said):
    world.update({key: [pod("a") if each is None else each for each in value] for key, value in changes.items()})
    with pytest.raises(TimedOutError, match="cluster-1") as caught:
        nodes(**options)
    assert said in caught.value.message


def test_a_node_that_ailed_before_is_not_waited_for(world):
    world[PODS] = [pod("a"), pod("b", ready=False)]
    world[SETS] = [daemon_set(updatedNumberScheduled=1, numberAvailable=1)]
    world[STATUSES] = [status(Available="False")]
    assert nodes(ailing=["b"])
    world[SETS] = [daemon_set(numberAvailable=0)]
    with pytest.raises(TimedOutError, match="0 of 2 pods are available"):
        nodes(ailing=["b"])


def test_without_an_operator_nobody_is_asked(world):
    world[STATUSES] = []
    assert nodes(operator=False)


def rule(there):
    watch().await_rule(request("a").requirements, there=there, deadline=Deadline(1))
    return True


def test_the_rule_is_rendered_and_seen(world):
    assert rule(False)
    world[SETS] = [daemon_set(affinity([opt_out()]))]
    assert rule(True)


@pytest.mark.parametrize(
    ("found", "there", "said"),
    [
        ([daemon_set()], True, f"does not demand {LABEL}"),
        ([daemon_set(affinity([opt_out()], [{"key": "a", "operator": "Exists"}]))], True, f"does not demand {LABEL}"),
        ([daemon_set(affinity([opt_out()]))], False, f"still demands {LABEL}"),
        ([daemon_set(affinity([opt_out()]), observed=1)], True, "controller has not seen the change"),
        ([], True, "there is no DaemonSet"),
    ],
)
def test_a_rule_that_does_not_come_names_who_should_bring_it(world, found, there, said):
    world[SETS] = found
    with pytest.raises(SubmarinerError, match="deploy/tigera-operator") as caught:
        rule(there)
    assert said in caught.value.message
