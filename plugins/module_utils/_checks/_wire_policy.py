# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether Calico's policies drop what a probe sends from one node to another: what HostEndpoints of the two do with it."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _policy_flow as policy
from ansible_collections.fathom.submariner.plugins.module_utils._calico._differential import any_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._differential_cases import Flow
from ansible_collections.fathom.submariner.plugins.module_utils._calico._differential_results import TCP
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_hosts import (
    at_host,
    covers_address,
    failsafes,
    host_entity,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_namespaces import policies_of
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet, HostEndpoint, Node
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import CROSS_CLUSTER, SUBMARINER
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._node_flows import VXLAN, addresses

_CALICO_NODES = ("calico-node", "canal", "rke2-canal")


def dropper(facts: Facts) -> t.Callable[[Flow], bool | None]:
    """A function that tells of a flow whether policies drop it, None where what decides it could not be read."""
    snapshot = facts.snapshot
    if not snapshot.host_endpoints.known:
        return lambda flow: None
    by_node: dict[str, list[HostEndpoint]] = {}
    for endpoint in snapshot.host_endpoints.items:
        by_node.setdefault(endpoint.node, []).append(endpoint)
    if not by_node:
        return lambda flow: False
    answers = (snapshot.calico_policies, snapshot.felix_configurations, snapshot.tiers, snapshot.daemon_sets, snapshot.network_sets, snapshot.nodes)
    if not all(answer.known for answer in answers):
        return lambda flow: None
    return _Dropper(facts, by_node).drops


class _Dropper:
    def __init__(self, facts: Facts, by_node: t.Mapping[str, list[HostEndpoint]]) -> None:
        snapshot = facts.snapshot
        self._by_node = by_node
        self._nodes = {node.ref.name: node for node in snapshot.nodes.items}
        self._rules = policies_of(snapshot, missing(snapshot.network_sets, "NetworkSets"))
        self._configurations = snapshot.felix_configurations.items
        self._calico_node: DaemonSet | None = next((item for item in snapshot.daemon_sets.items if item.ref.name in _CALICO_NODES), None)

    def drops(self, flow: Flow) -> bool | None:
        if flow.path == CROSS_CLUSTER:
            return None  # which gateway's HostEndpoints it meets is judged by check policy-node-traffic-dropped
        if not (self._by_node.get(flow.source) or self._by_node.get(flow.target)):
            return False if flow.target in self._nodes else None
        source, target = self._nodes.get(flow.source), self._nodes.get(flow.target)
        protocol, port = (policy.UDP, VXLAN) if flow.path == SUBMARINER else (policy.TCP if flow.protocol == TCP else policy.UDP, flow.port)
        if source is None or target is None or not port:
            return None
        return any_of(
            self._at(source, target, policy.EGRESS, protocol, port),
            self._at(target, source, policy.INGRESS, protocol, port),
        )

    def _at(self, node: Node, peer: Node, direction: str, protocol: int, port: int) -> bool | None:
        own, other = self._entity(node), self._entity(peer)
        source, destination = (other, own) if direction == policy.INGRESS else (own, other)
        flow = policy.Flow(direction, source, destination, protocol, port)
        safe = failsafes(node.ref.name, self._configurations, self._calico_node)
        found: list[bool | None] = []
        for endpoint in self._by_node.get(node.ref.name, ()):
            met = covers_address(endpoint, addresses(node))
            if met is False:
                continue
            outcome = at_host(endpoint, flow, self._rules, safe)
            dropped = True if outcome.is_dropped else False if outcome.is_allowed else None
            found.append(dropped if met or dropped is False else None)
        return any_of(*found) if found else False

    def _entity(self, node: Node) -> policy.Entity:
        own = {policy.net(ip) for ip in node.internal_ips}
        endpoints = self._by_node.get(node.ref.name, ())
        found = next((endpoint for endpoint in endpoints if own & {policy.net(ip) for ip in endpoint.expected_ips}), None)
        return host_entity(found, addresses(node))
