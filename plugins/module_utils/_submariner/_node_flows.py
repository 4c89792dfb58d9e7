# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The named flows between nodes that Submariner lives on, as the HostEndpoints of a cluster meet them.

Ports after https://submariner.io/operations/nat-traversal/ and submariner pkg/natdiscovery, pkg/routeagent_driver/handlers/kubeproxy (vx-submariner).
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_flow import EGRESS, ESP, INGRESS, TCP, UDP, Entity, Flow, net
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_hosts import covers_address, host_entity
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Connection, Endpoint, HostEndpoint, Node

NAT_TRAVERSAL = 4500
NAT_DISCOVERY = 4490
VXLAN = 4800
METRICS = 8080
API = 6443
MOST_PEERS = 50  # nodes that a gateway's HostEndpoint is judged with: of thousands the first ones say as much as all, and each has its own verdict


class Need(t.NamedTuple):
    """What a flow is for: the words for it, what is lost without it, and how bad that is."""

    what: str
    impact: str
    severity: str


TUNNEL = Need("UDP {port} (the tunnel between gateways)", "No tunnel to the remote gateway: all cross-cluster traffic is dead.", "blocker")
ESP_TUNNEL = Need("IP protocol 50 (ESP between gateways without NAT)", "The tunnel is agreed on and carries nothing.", "blocker")
DISCOVERY = Need("UDP {port} (NAT discovery between gateways)", "The gateways cannot find out by which address they reach each other.", "error")
INTRA = Need("UDP 4800 (vx-submariner, between nodes and the gateway)", "Only pods on the gateway node itself reach other clusters.", "blocker")
FORWARDED = Need("forwarded pod traffic (applyOnForward)", "Pods of the two clusters cannot talk with each other, though the tunnel stands.", "blocker")
BROKER = Need("TCP {port} to the broker's API server", "This cluster's Endpoint and those of the others are no longer exchanged.", "error")
SCRAPED = Need("TCP 8080 (the gateway's metrics, from other nodes)", "Connections and latencies of the gateway cannot be scraped.", "warning")


class NodeFlow(t.NamedTuple):
    """One flow at one HostEndpoint. ``sure`` is False where its packets may take another interface than the HostEndpoint's."""

    need: Need
    port: int | None
    node: str
    endpoint: HostEndpoint
    flow: Flow
    forwarded: bool = False
    sure: bool = True

    @property
    def what(self) -> str:
        return self.need.what.format(port=self.port)


class Site(t.NamedTuple):
    """What the flows of a cluster depend on.

    :param gateways: names of nodes on which a gateway runs or may run. :param nat_port: ceIPSecNATTPort. :param broker: its address and port, None
    where there is none.
    """

    nodes: tuple[Node, ...]
    endpoints: tuple[HostEndpoint, ...]
    gateways: frozenset[str]
    remotes: tuple[Endpoint, ...]
    connections: tuple[Connection, ...]
    nat_port: int
    esp: bool  # libreswan may send ESP without UDP around it
    broker: tuple[Entity, int] | None
    local_pods: tuple[Network, ...]
    remote_pods: tuple[Network, ...]


def node_flows(site: Site) -> t.Iterator[NodeFlow]:
    """Every flow of Submariner that meets a HostEndpoint."""
    by_node: dict[str, list[HostEndpoint]] = {}
    for endpoint in site.endpoints:
        by_node.setdefault(endpoint.node, []).append(endpoint)
    met = {node.ref.name: _met(node, by_node.get(node.ref.name, ())) for node in site.nodes}
    ends = {node.ref.name: host_entity(_found_by(node, by_node.get(node.ref.name, ())), addresses(node)) for node in site.nodes}
    gateways = [node for node in site.nodes if node.ref.name in site.gateways]
    for gateway in gateways:
        name = gateway.ref.name
        for endpoint, sure in met[name]:
            for need, port, flow, forwarded in _at_gateway(site, gateway, ends):
                yield NodeFlow(need, port, name, endpoint, flow, forwarded, sure)
    for node in site.nodes:
        name = node.ref.name
        for endpoint, sure in met[name]:
            for gateway in gateways[:2]:
                if gateway is not node:
                    for flow in _both_ways(ends[name], ends[gateway.ref.name], UDP, VXLAN, VXLAN):
                        yield NodeFlow(INTRA, VXLAN, name, endpoint, flow, False, sure)


def addresses(node: Node) -> tuple[Network, ...]:
    return tuple(network for network in (net(ip) for ip in node.internal_ips) if network is not None)


def _at_gateway(site: Site, gateway: Node, ends: t.Mapping[str, Entity]) -> t.Iterator[tuple[Need, int | None, Flow, bool]]:
    own = ends[gateway.ref.name]
    port = _number(gateway.annotations.get("gateway.submariner.io/udp-port")) or site.nat_port
    for remote in site.remotes:
        connection = next((item for item in site.connections if item.cluster_id == remote.cluster_id), None)
        peer = Entity(tuple(network for network in map(net, _peer_addresses(remote, connection)) if network is not None))
        theirs = _number(remote.backend_config.get("udp-port")) or NAT_TRAVERSAL
        for flow in _both_ways(own, peer, UDP, port, theirs):
            yield TUNNEL, flow.port, flow, False
        discovery = _number(remote.backend_config.get("natt-discovery-port")) or NAT_DISCOVERY
        mine = _number(gateway.annotations.get("gateway.submariner.io/natt-discovery-port")) or NAT_DISCOVERY
        for flow in _both_ways(own, peer, UDP, mine, discovery):
            yield DISCOVERY, flow.port, flow, False
        if site.esp and connection is not None and connection.using_nat is False:
            for flow in _both_ways(own, peer, ESP, None, None):
                yield ESP_TUNNEL, None, flow, False
    others = [end for name, end in ends.items() if name != gateway.ref.name]
    for other in others[:MOST_PEERS]:
        for flow in _both_ways(own, other, UDP, VXLAN, VXLAN):
            yield INTRA, VXLAN, flow, False
        yield SCRAPED, METRICS, Flow(INGRESS, other, own, TCP, METRICS), False
    if site.broker is not None:
        yield BROKER, site.broker[1], Flow(EGRESS, own, site.broker[0], TCP, site.broker[1]), False
    if site.local_pods and site.remote_pods:
        for protocol in (TCP, UDP):
            yield FORWARDED, None, Flow(INGRESS, Entity(site.remote_pods), Entity(site.local_pods), protocol), True
            yield FORWARDED, None, Flow(EGRESS, Entity(site.local_pods), Entity(site.remote_pods), protocol), True


def _both_ways(own: Entity, peer: Entity, protocol: int, own_port: int | None, peer_port: int | None) -> tuple[Flow, Flow]:
    return Flow(INGRESS, peer, own, protocol, own_port), Flow(EGRESS, own, peer, protocol, peer_port)


def _peer_addresses(remote: Endpoint, connection: Connection | None) -> tuple[str, ...]:
    """The address that is in use; before there is one, each that may be."""
    if connection is not None and connection.using_ip:
        return (connection.using_ip,)
    return tuple(address for address in dict.fromkeys((remote.public_ip, remote.private_ip)) if address)


def _met(node: Node, endpoints: t.Sequence[HostEndpoint]) -> list[tuple[HostEndpoint, bool]]:
    """Of a node's HostEndpoints those that packets to and from its InternalIP meet, and whether that is sure: one of an interface goes before one of all."""
    own = [(endpoint, covers_address(endpoint, addresses(node))) for endpoint in endpoints]
    sure = [endpoint for endpoint, verdict in own if verdict]
    special = [endpoint for endpoint in sure if endpoint.interface_name != "*"]
    if sure:
        return [(endpoint, True) for endpoint in special or sure]
    return [(endpoint, False) for endpoint, verdict in own if verdict is None]


def _found_by(node: Node, endpoints: t.Sequence[HostEndpoint]) -> HostEndpoint | None:
    """Of a node's HostEndpoints the one by which selectors of rules find its InternalIP."""
    own = {net(ip) for ip in node.internal_ips}
    return next((endpoint for endpoint in endpoints if own & {net(ip) for ip in endpoint.expected_ips}), None)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
