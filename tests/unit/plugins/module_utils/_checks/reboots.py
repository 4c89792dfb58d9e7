# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters after a reboot: route agents, Calico and the node, each with its moments and its log."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Condition, ContainerStatus, PodLog, Ref, RemoteEndpoint, RouteAgent
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    agent,
    calico_pod,
    cluster,
    ok,
    submariner,
    without,
)

ROUTE_AGENT = "submariner-routeagent"
NODE_READY = "2026-01-01T10:00:00Z"
TRUE_ERROR = 'unable to find CNI Interface on the host which has IP from [\\"10.46.0.0/16\\"]'
STARTED = "2026-01-01T10:00:05.000Z INF ..agent_driver/main.go:77 main Starting submariner-route-agent version: v0.19.0"
GAVE_UP = f'2026-01-01T10:02:13.000Z ERR ..kp_packetfilter.go:142 KubeProxy Error discovering the CNI interface error="{TRUE_ERROR}"'
WRONG_CIDR = 'E0101 10:00:06.000000 1 kp_iptables.go:90] Error retrieving the CNI interface for 10.46.0.0/24: nothing'


def waits(count=12):
    said = f"Waiting for CNI interface discovery: Error discovering the CNI interface: {TRUE_ERROR}"
    return [f"2026-01-01T10:00:{5 + second:02d}.000Z INF ..kp_packetfilter.go:119 KubeProxy {said}" for second in range(count)]


def status(name, started_at, **fields):
    return ContainerStatus(name, True, fields.pop("restarts", 0), f"{name}:test", started_at, **fields)


def log(*lines, name=f"{ROUTE_AGENT}-abcde", container=ROUTE_AGENT, previous=False):
    return PodLog(Ref("Pod", name, NAMESPACE), container, "\n".join(lines), previous=previous)


def rebooted(*, version="0.19.0", agent_at="2026-01-01T10:00:05Z", calico_at="2026-01-01T10:00:40Z", lines=None, failing=False, said=None, **changes):
    """A cluster whose only node came up at 10:00:00.

    :param lines: of the route agent's log, None where it was not read.
    :param failing: the agent reports that it cannot ping the remote cluster, to which the gateway is connected.
    """
    joined = submariner("cluster-1", version=version, said=said)
    snapshot = cluster(joined=joined, **changes)
    pods = agent(ROUTE_AGENT, joined.status_cluster_cidr, joined.status_service_cidr)._replace(
        statuses=(status(ROUTE_AGENT, agent_at, restarts=1, exit_reason="Unknown", exit_code=255, finished_at="2026-01-01T09:58:00Z"),)
    )
    calico = calico_pod(statuses=(status("calico-node", "2026-01-01T10:00:20Z"),), conditions=(Condition("Ready", "True", since=calico_at),))
    kept = without(snapshot, "pods", f"{ROUTE_AGENT}-abcde", calico.ref.name).pods.items
    node = snapshot.nodes.items[0]._replace(conditions=(Condition("Ready", "True", since=NODE_READY),))
    remote = RemoteEndpoint("cluster-2", "host-cluster-2", (), "", "error" if failing else "connected", "no answer" if failing else "")
    return replace(
        snapshot,
        pods=ok(*kept, pods, calico) if "pods" not in changes else snapshot.pods,
        nodes=ok(node) if "nodes" not in changes else snapshot.nodes,
        logs=changes.get("logs", ok(*([] if lines is None else [log(*lines)]))),
        route_agents=changes.get("route_agents", ok(RouteAgent(Ref("RouteAgent", "node-1", NAMESPACE), "v0.19.0", "", (remote,)))),
    )
