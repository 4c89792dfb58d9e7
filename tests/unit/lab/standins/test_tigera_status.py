# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tigera operator's stand-in says of its workloads."""

from __future__ import annotations

import pytest

from tests.lab.standins import _tigera_status as status

NOW = "2026-11-21T12:00:00Z"
WELL = {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3, "observedGeneration": 1}


def workload(name: str, generation: int = 1, **counts: int) -> dict:
    metadata = {"name": name, "namespace": "calico-system", "generation": generation}
    return {"metadata": metadata, "spec": {"selector": {"matchLabels": {"k8s-app": name}}}, "status": counts}


def pod(state: dict, phase: str = "Running") -> dict:
    metadata = {"name": "calico-node-x", "namespace": "calico-system", "labels": {"k8s-app": "calico-node", "more": "labels"}}
    return {"metadata": metadata, "status": {"phase": phase, "containerStatuses": [{"name": "calico-node", "state": state}]}}


def told(found: status.Health, first: str = "Available") -> dict[str, tuple[str, str, str]]:
    return {each["type"]: (each["status"], each["reason"], each["message"]) for each in status.conditions(found, (), 2, NOW, first)}


def test_all_is_available():
    found = status.health([workload("calico-node", **WELL)], [workload("calico-typha", availableReplicas=2, observedGeneration=1)], [pod({"running": {}})])
    assert found.available
    assert told(found)["Available"] == ("True", "AllObjectsAvailable", "All objects available")
    assert told(found, "Ready")["Ready"] == ("True", "AllObjectsAvailable", "")
    assert {told(found)[each][0] for each in ("Progressing", "Degraded")} == {"False"}


@pytest.mark.parametrize(
    ("counts", "generation", "message"),
    [
        ({**WELL, "updatedNumberScheduled": 1}, 1, "update is rolling out (1 out of 3 updated)"),
        ({**WELL, "numberUnavailable": 1}, 1, "is not available (awaiting 1 nodes)"),
        ({**WELL, "numberAvailable": 0}, 1, "is not yet scheduled on any nodes"),
        (WELL, 2, "update is being processed (generation 2, observed generation 1)"),
    ],
)
def test_a_rollout_is_progress(counts, generation, message):
    found = told(status.health([workload("calico-node", generation, **counts)], [], []))
    assert found["Progressing"] == ("True", "ResourceNotReady", f'DaemonSet "calico-system/calico-node" {message}')
    assert found["Available"][:2] == ("False", "ResourceNotReady")
    assert found["Degraded"][0] == "False"


@pytest.mark.parametrize(
    ("failing", "message"),
    [
        (pod({"waiting": {"reason": "CrashLoopBackOff"}}), "Pod calico-system/calico-node-x has crash looping container: calico-node"),
        (pod({"waiting": {"reason": "ErrImagePull"}}), "Pod calico-system/calico-node-x failed to pull container image for: calico-node"),
        (pod({"terminated": {"reason": "Error"}}), "Pod calico-system/calico-node-x has terminated container: calico-node"),
        (pod({}, "Failed"), "Pod calico-system/calico-node-x has failed"),
    ],
)
def test_one_failing_pod_degrades(failing, message):
    found = told(status.health([workload("calico-node", **{**WELL, "numberUnavailable": 1})], [], [failing]))
    assert found["Degraded"] == ("True", "PodFailure", message)
    assert (found["Available"][0], found["Progressing"][0]) == ("False", "False")


def test_what_a_controller_says_itself_comes_first():
    found = told(status.health([], [], [], ("ResourceValidationError", "no more than one")))
    assert found["Degraded"] == ("True", "ResourceValidationError", "no more than one")


def test_a_condition_that_stays_keeps_its_time():
    before = status.conditions(status.Health(), (), 1, "2026-11-01T00:00:00Z")
    after = {each["type"]: each for each in status.conditions(status.Health(progressing=("x",)), before, 2, NOW)}
    assert {kind: each["lastTransitionTime"] for kind, each in after.items()} == {"Available": NOW, "Progressing": NOW, "Degraded": "2026-11-01T00:00:00Z"}
