# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether Submariner's own parts run, and whether its gateways are connected."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import GATEWAY, ROUTE_AGENT, Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet

GATEWAY_NOT_READY = "gateway-not-ready"
RESTARTS = 5  # what subctl diagnose deployment calls too many


@check(
    GATEWAY_NOT_READY,
    title="A gateway is active and every gateway pod is ready",
    severity="error",
    needs=("daemon_sets", "gateways"),
    joined=True,
    references=("submariner pkg/endpoint/local_endpoint.go",),
)
def gateway_ready(facts: Facts) -> t.Iterator[Problem]:
    """All cross-cluster traffic passes the one active gateway; a crash-looping one is green in subctl diagnose."""
    daemon_set = facts.daemon_set(GATEWAY)
    if daemon_set is not None and daemon_set.desired == 0:
        yield Problem(
            subject=str(daemon_set.ref),
            title="No node is labelled as a gateway",
            evidence=(Evidence(str(daemon_set.ref), "status.desiredNumberScheduled", "0", "it selects nodes with submariner.io/gateway=true"),),
            impact="No gateway runs: this cluster is connected to no other one.",
            remedy=by_hand("Label a node: kubectl label node NAME submariner.io/gateway=true"),
        )
        return
    if daemon_set is not None and daemon_set.ready < daemon_set.desired:
        yield _not_ready(facts, daemon_set, "The gateway pod is not ready", "This cluster is connected to no other one while no gateway runs.")
    if not facts.active_gateways:
        failures = tuple(Evidence(str(gateway.ref), "status.haStatus", gateway.ha_status, gateway.status_failure) for gateway in facts.gateways)
        yield Problem(
            subject="Gateways",
            title="No gateway is active" if failures else "No gateway has ever reported",
            evidence=failures or (Evidence("Gateways", "", "none", f"in namespace {facts.submariner.ref.namespace}"),),
            impact="This cluster is connected to no other one.",
            remedy=by_hand("Read the log of the pods with label app=submariner-gateway."),
        )
    for gateway in facts.active_gateways:
        if gateway.status_failure:
            yield Problem(
                subject=str(gateway.ref),
                title="The active gateway reports a failure",
                evidence=(Evidence(str(gateway.ref), "status.statusFailure", gateway.status_failure),),
                impact="Its connections may be missing or stale.",
                remedy=by_hand("Read the log of the gateway's pod on that node."),
            )


@check("route-agent-not-ready", title="The route agent is ready on every node", severity="error", needs=("daemon_sets",), joined=True)
def route_agent_ready(facts: Facts) -> t.Iterator[Problem]:
    """Pods of a node without a route agent have no route to remote clusters."""
    daemon_set = facts.daemon_set(ROUTE_AGENT)
    if daemon_set is None:
        raise CannotJudge(f"there is no DaemonSet {facts.submariner.ref.namespace}/{ROUTE_AGENT} yet: the operator has not made it")
    if daemon_set.desired == 0 or daemon_set.ready < daemon_set.desired:
        lost = "Pods on the nodes without it have no route to other clusters."
        yield _not_ready(facts, daemon_set, f"The route agent is ready on {daemon_set.ready} of {daemon_set.desired} nodes", lost)


def _not_ready(facts: Facts, daemon_set: DaemonSet, title: str, impact: str) -> Problem:
    evidence = [Evidence(str(daemon_set.ref), "status.numberReady", f"{daemon_set.ready} of {daemon_set.desired}")]
    for pod in facts.pods_of(daemon_set.ref.name):
        if not pod.ready:
            restarts = f", {pod.restarts} restarts" if pod.restarts >= RESTARTS else ""
            evidence.append(Evidence(str(pod.ref), "status.phase", pod.phase, f"on node {pod.node}, not ready{restarts}"))
    return Problem(
        subject=str(daemon_set.ref),
        title=title,
        evidence=tuple(evidence[:6]),
        impact=impact,
        remedy=by_hand(f"Read the log of the pods with label app={daemon_set.ref.name} that are not ready."),
    )


@check(
    "connection-not-connected",
    title="The active gateway is connected to every remote cluster",
    severity="error",
    needs=("gateways", "endpoints"),
    joined=True,
)
def connections(facts: Facts) -> t.Iterator[Problem]:
    """Each remote Endpoint must have a connection of status connected on the active gateway."""
    if not facts.active_gateways:
        raise CannotJudge("no gateway is active, so nobody reports connections")
    remote = {endpoint.cluster_id for endpoint in facts.remote_endpoints}
    for gateway in facts.active_gateways:
        up = {connection.cluster_id for connection in gateway.connections if connection.status == "connected"}
        for connection in gateway.connections:
            if connection.status != "connected" and connection.cluster_id not in up:
                yield Problem(
                    subject=f"connection to {connection.cluster_id}",
                    title=f"The gateway {gateway.ref.name} is {connection.status or 'not connected'} to {connection.cluster_id}",
                    evidence=(
                        Evidence(str(gateway.ref), f"status.connections[{connection.cluster_id}].status", connection.status, connection.message),
                    ),
                    impact=f"No traffic reaches {connection.cluster_id}.",
                    remedy=by_hand(
                        "Check UDP 4500 (or the NAT-T port) and 4490, and ESP where private addresses are used, between the two gateways."
                    ),
                )
        for cluster_id in sorted(remote - {connection.cluster_id for connection in gateway.connections}):
            yield Problem(
                subject=f"connection to {cluster_id}",
                title=f"The gateway {gateway.ref.name} has no connection to {cluster_id}",
                evidence=(Evidence(str(gateway.ref), "status.connections", ", ".join(sorted(up)) or "none", f"an Endpoint of {cluster_id} exists"),),
                impact=f"No traffic reaches {cluster_id}.",
                remedy=by_hand("Read the gateway's log for that cluster: it skips a remote Endpoint whose subnets overlap the local ones."),
            )
