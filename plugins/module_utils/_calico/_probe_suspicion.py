# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Nodes that something in the API points at: they are probed first."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_addresses import calico_addresses, of_submariner
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_places import node_of

# What a sign is worth: a failed ping between clusters and an address that is none of the node's say most, a pod that is not ready may have other reasons.
PINGS, ADDRESS, POD, CONDITION = 4, 4, 2, 1
_AGENTS: t.Mapping[str, str] = {"calico-node": "k8s-app", "submariner-routeagent": "app", "submariner-gateway": "app"}


class Suspicion(t.NamedTuple):
    weight: int
    reasons: tuple[str, ...]


def suspicions(snapshot: Snapshot) -> dict[str, Suspicion]:
    """The nodes at which something points, each with what does."""
    found: dict[str, Suspicion] = {}

    def add(node: str, weight: int, reason: str) -> None:
        known = found.get(node, Suspicion(0, ()))
        if reason not in known.reasons:
            found[node] = Suspicion(known.weight + weight, (*known.reasons, reason))

    for agent in snapshot.route_agents.items:
        for remote in agent.remote_endpoints:
            if remote.status == "error":
                add(agent.ref.name, PINGS, f"its route agent does not reach {remote.cluster_id}")
    for gateway in snapshot.gateways.items:
        for connection in gateway.connections:
            if gateway.ha_status == "active" and connection.status != "connected":
                add(node_of(gateway, snapshot) or gateway.ref.name, PINGS, f"its gateway is {connection.status or 'not connected'} to {connection.cluster_id}")
    for entry in calico_addresses(snapshot.nodes.items):
        if of_submariner(entry.address):
            add(entry.node.ref.name, ADDRESS, f"Calico took Submariner's address {entry.value} for its own")
    for pod in snapshot.pods.items:
        for name, label in _AGENTS.items():
            if pod.labels.get(label) == name and pod.node and not pod.ready and pod.phase != "Succeeded":
                add(pod.node, POD, f"{name} is not ready")
    for node in snapshot.nodes.items:
        if node.ready is False:
            add(node.ref.name, CONDITION, "it is not Ready")
        unavailable = node.condition("NetworkUnavailable")
        if unavailable is not None and unavailable.status == "True":
            add(node.ref.name, CONDITION, f"its network is unavailable ({unavailable.reason})")
    return found
