# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose logs are read: few, and those that tell something."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._log_targets import MOST_LOGS, log_targets
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    OK,
    Answer,
    Condition,
    ContainerStatus,
    Node,
    Pod,
    Ref,
    Snapshot,
    TigeraStatus,
)

READY_AT = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T05:00:00Z"


def node(name, *, gateway=False, since=READY_AT):
    labels = {"submariner.io/gateway": "true"} if gateway else {}
    return Node(Ref("Node", name), labels, {}, (), (), True, "", "", conditions=(Condition("Ready", "True", since=since),))


def pod(name, key, value, *, on="node-1", ready=True, restarts=0, started=LATER, **status):
    statuses = (ContainerStatus(value, ready, restarts, "image", started_at=started, **status),)
    return Pod(Ref("Pod", name, "ns"), f"uid-{name}", on, True, "Running", ready, (), {key: value}, restarts=restarts, statuses=statuses)


def agent(name, **keywords):
    return pod(name, "app", "submariner-routeagent", **keywords)


def targets(*pods, nodes=(node("node-1"),), **answers):
    snapshot = Snapshot("one", "test", READY_AT, nodes=Answer(OK, tuple(nodes)), pods=Answer(OK, pods), **answers)
    return [(target.ref.name, target.container, target.previous) for target in log_targets(snapshot)]


def test_operator_and_gateways_always():
    found = targets(pod("op", "name", "submariner-operator"), pod("gw", "app", "submariner-gateway"))
    assert found == [("op", "submariner-operator", False), ("gw", "submariner-gateway", False)]


def test_inconspicuous_agents_are_left_alone():
    assert targets(agent("agent"), pod("typha", "k8s-app", "calico-typha")) == []


def test_one_calico_node_tells_the_mtu():
    assert targets(pod("calico-a", "k8s-app", "calico-node"), pod("calico-b", "k8s-app", "calico-node")) == [("calico-a", "calico-node", False)]


def test_agents_on_gateway_nodes():
    nodes = (node("node-1"), node("node-2", gateway=True))
    assert targets(agent("here", on="node-2"), agent("there"), nodes=nodes) == [("here", "submariner-routeagent", False)]


@pytest.mark.parametrize("change", [{"ready": False}, {"started": "2026-01-01T00:14:00Z"}, {"started": "2025-12-31T23:50:00Z"}])
def test_conspicuous_agents(change):
    assert targets(agent("agent", **change)) == [("agent", "submariner-routeagent", False)]


@pytest.mark.parametrize("started", ["2026-01-01T00:16:00Z", "", "no moment"])
def test_start_that_says_nothing(started):
    assert targets(agent("agent", started=started)) == []


def test_restarted_container_has_two_logs():
    found = targets(agent("agent", restarts=3))
    assert found == [("agent", "submariner-routeagent", False), ("agent", "submariner-routeagent", True)]


def test_container_that_never_started_has_none():
    assert targets(agent("agent", ready=False, waiting_reason="ImagePullBackOff")) == []
    crashing = targets(agent("agent", ready=False, restarts=5, waiting_reason="CrashLoopBackOff"))
    assert crashing == [("agent", "submariner-routeagent", False), ("agent", "submariner-routeagent", True)]


def test_failing_init_container_speaks_for_the_pod():
    failing = pod("calico", "k8s-app", "calico-node", ready=False, waiting_reason="PodInitializing")
    init = ContainerStatus("install-cni", False, 4, "image", waiting_reason="CrashLoopBackOff", exit_code=1, init=True)
    assert targets(failing._replace(statuses=(*failing.statuses, init))) == [("calico", "install-cni", False)]


def test_calico_operator_where_it_is_unhappy():
    operator = pod("tigera", "k8s-app", "tigera-operator")
    degraded = TigeraStatus(Ref("TigeraStatus", "calico"), (Condition("Degraded", "True"),))
    assert targets(operator) == []
    assert targets(operator, tigera_statuses=Answer(OK, (degraded,))) == [("tigera", "tigera-operator", False)]


def test_bounded_and_the_worst_first():
    pods = [agent(f"agent-{number:03}", ready=False) for number in range(500)]
    pods += [pod(f"calico-{number:03}", "k8s-app", "calico-node", restarts=number) for number in range(500)]
    pods += [pod(f"gw-{number}", "app", "submariner-gateway", restarts=1) for number in range(50)]
    found = targets(*pods)
    assert len(found) <= MOST_LOGS
    assert len(set(found)) == len(found)
    assert ("calico-499", "calico-node", False) in found


def test_ended_pods_are_no_suspects():
    ended = agent("agent", ready=False)._replace(phase="Succeeded")
    assert targets(ended) == []
