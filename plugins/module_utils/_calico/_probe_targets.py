# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which addresses each node probes, from what the cluster's API says: for every sampled pair of nodes one on each path that there is between them."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_addresses import (
    TUNNELS,
    internal_addresses,
    of_submariner,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._probe_suspicion import suspicions
from ansible_collections.fathom.submariner.plugins.module_utils._network import _budget, _sampling
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import FAMILIES, IPV4, parse_address
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Endpoint, Node, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import CALICO, CROSS_CLUSTER, SUBMARINER, UNDERLAY

ICMP, UDP, TCP, DNS = "icmp", "udp", "tcp", "dns"
SMALL, LARGE = "small", "large"
_ZONE = "topology.kubernetes.io/zone"
_VTEP_NETWORK = 240  # submariner pkg/vxlan: the first octet; the others are those of the node's own address
# Services of the cluster's DNS: kubeadm's, Kubespray's and k3s', RKE2's, OpenShift's.
_DNS = (("kube-system", "kube-dns"), ("kube-system", "coredns"), ("kube-system", "rke2-coredns-rke2-coredns"), ("openshift-dns", "dns-default"))
_DNS_PODS = {"k8s-app": ("kube-dns",), "dns.operator.openshift.io/daemonset-dns": ("default",)}


class Wish(t.NamedTuple):
    """What a user may choose. Bounds are those of modules path_mtu and path_probe, of each node.

    :param nodes: those that can probe and answer; empty for all of the cluster.
    :param neighbours: of each node.
    :param pairs: bound on pairs in all.
    :param port: of the responders; 0 where none are to be started.
    """

    nodes: tuple[str, ...] = ()
    neighbours: int = 2
    pairs: int = 200
    port: int = 0
    largest: int = 1500
    timeout: float = 1.0
    retries: int = 2
    workers: int = 8
    packets: int = 400
    exchange_packets: int = 2000
    large: int = 16384
    throughput_seconds: float = 0.0
    throughput_bytes: int = 0


class Plan(t.NamedTuple):
    """:param targets: of each node, by the module that takes them, and the addresses that its responder is probed on.
    :param lines: what is done, why and at what cost, for a person.
    """

    targets: t.Mapping[str, t.Mapping[str, list[t.Any]]]
    sample: _sampling.Sample
    budget: _budget.Budget
    lines: tuple[str, ...]


def plan(snapshot: Snapshot, wish: Wish) -> Plan:
    """Choose what each node probes. Nodes that the wish names and the cluster does not have are left out, and said to be."""
    nodes = {node.ref.name: node for node in snapshot.nodes.items if node.operating_system != "windows"}
    unknown = [name for name in wish.nodes if name not in nodes]
    probing = {name: nodes[name] for name in (wish.nodes or nodes) if name in nodes}
    suspected = {name: why for name, why in suspicions(snapshot).items() if name in probing}
    gateways = _gateways(snapshot)
    candidates = [
        _sampling.Candidate(name, name in gateways or node.is_gateway, _kind(node), suspected[name].weight if name in suspected else 0)
        for name, node in probing.items()
    ]
    chosen = _sampling.sample(candidates, neighbours=wish.neighbours, most=wish.pairs)
    mtu: dict[str, list[dict[str, t.Any]]] = {name: [] for name in probing}
    exchanges: dict[str, list[dict[str, t.Any]]] = {name: [] for name in probing}
    for pair in chosen.pairs:
        for path, address in _addresses(snapshot, nodes[pair.source], nodes[pair.target], gateways):
            _add(mtu[pair.source], exchanges[pair.source], address, pair.target, path, wish)
    _across(snapshot, candidates, gateways, mtu, wish)
    for name in probing:
        exchanges[name] += _dns(snapshot, name)
    asked = [_probing(mtu[name], exchanges[name], wish) for name in probing]
    budget = _budget.of_all(asked)
    lines = [*_sampling.described(chosen, len(probing)), _budget.described(budget, len(probing))]
    lines += [f"{name} comes first: {'; '.join(why.reasons)}" for name, why in sorted(suspected.items(), key=lambda entry: (-entry[1].weight, entry[0]))[:10]]
    lines += [f"not probed, since the cluster has no such Linux node: {', '.join(sorted(unknown))}"] if unknown else []
    answering = {name: sorted({target["address"] for each in exchanges.values() for target in each if target["name"] == name}) for name in probing}
    targets = {name: {"path_mtu": mtu[name], "path_probe": exchanges[name], "answers_on": answering[name]} for name in probing}
    return Plan(targets, chosen, budget, tuple(lines))


def _kind(node: Node) -> tuple[str, ...]:
    return node.labels.get(_ZONE, ""), node.os_image, node.kernel_version


def _gateways(snapshot: Snapshot) -> frozenset[str]:
    """The nodes of the active gateways: over them alone the others' vx-submariner leads."""
    return frozenset(gateway.ref.name for gateway in snapshot.gateways.items if gateway.ha_status == "active")


def _addresses(snapshot: Snapshot, source: Node, target: Node, gateways: t.Container[str]) -> t.Iterator[tuple[str, str]]:
    """The target's address on each path that there is from one node to another, of each family."""
    for family in FAMILIES:
        own = internal_addresses(target, family)[:1]
        if own and internal_addresses(source, family):
            yield UNDERLAY, str(own[0])
        tunnels = (_tunnel(source, family), _tunnel(target, family))
        if all(tunnels):
            yield CALICO, tunnels[1]
    if snapshot.submariner is not None and (source.ref.name in gateways) != (target.ref.name in gateways):
        own = internal_addresses(target, IPV4)[:1]
        if own:
            yield SUBMARINER, ".".join([str(_VTEP_NETWORK), *str(own[0]).split(".")[1:]])


def _tunnel(node: Node, family: str) -> str:
    """The address of the first of Calico's tunnel devices of a node; "" where it has none."""
    for name in TUNNELS[family]:
        parsed = parse_address(node.annotations.get(name, ""))
        if parsed is not None and not of_submariner(parsed):
            return str(parsed)
    return ""


def _add(mtu: list[dict[str, t.Any]], exchanges: list[dict[str, t.Any]], address: str, name: str, path: str, wish: Wish) -> None:
    served = bool(wish.port)
    target = {"address": address, "name": name, "path": path, "protocols": [ICMP, UDP] if served else [ICMP]}
    mtu.append({**target, "port": wish.port} if served else target)
    if served:
        exchanges.append({"address": address, "name": name, "path": path, "protocols": [TCP, UDP], "port": wish.port, "sizes": [SMALL, LARGE]})


def _across(
    snapshot: Snapshot, candidates: t.Sequence[_sampling.Candidate], gateways: t.Container[str], mtu: t.Mapping[str, list[dict[str, t.Any]]], wish: Wish
) -> None:
    """Other clusters: from the gateways to their gateways' own addresses, and from them and a few other nodes through the cable to what answers pings there."""
    senders = sorted((each for each in candidates if each.name not in gateways), key=lambda each: (-each.suspicion, each.name))[: max(1, wish.neighbours)]
    for remote in _remotes(snapshot):
        name = f"{remote.cluster_id}/{remote.hostname}"
        for each in candidates:
            if each.name in gateways:
                for address in _outside(snapshot, remote):
                    mtu[each.name].append({"address": address, "name": name, "path": UNDERLAY, "protocols": [ICMP]})
        for each in (*(each for each in candidates if each.name in gateways), *senders):
            if parse_address(remote.health_check_ip) is not None:
                mtu[each.name].append({"address": remote.health_check_ip, "name": name, "path": CROSS_CLUSTER, "protocols": [ICMP]})


def _remotes(snapshot: Snapshot) -> list[Endpoint]:
    own = snapshot.submariner
    if own is None:
        return []
    return [entry for entry in snapshot.endpoints.items if entry.ref.namespace == own.ref.namespace and entry.cluster_id != own.cluster_id]


def _outside(snapshot: Snapshot, remote: Endpoint) -> tuple[str, ...]:
    """The address by which the cable reaches a remote gateway; before there is a cable, each by which it may."""
    used = [
        connection.using_ip
        for gateway in snapshot.gateways.items
        for connection in gateway.connections
        if (connection.cluster_id, connection.hostname) == (remote.cluster_id, remote.hostname) and connection.using_ip
    ]
    found = used[:1] or [remote.public_ip, remote.private_ip]
    return tuple(address for address in dict.fromkeys(found) if parse_address(address) is not None)


def _dns(snapshot: Snapshot, node: str) -> list[dict[str, t.Any]]:
    """The DNS Service's address, and one DNS pod on another node: what tells a Service that does not work from a path that does not."""
    services = [service for service in snapshot.services.items if (service.ref.namespace, service.ref.name) in _DNS and service.cluster_ips]
    pods = [
        pod
        for pod in snapshot.pods.items
        if pod.ready and pod.ips and not pod.host_network and any(pod.labels.get(key) in names for key, names in _DNS_PODS.items())
    ]
    pods.sort(key=lambda pod: (pod.node == node, pod.ref.name))
    found = [(services[0].cluster_ips[0], services[0].ref.name)] if services else []
    found += [(pods[0].ips[0], pods[0].ref.name)] if pods and found else []
    return [{"address": address, "name": name, "path": CALICO, "protocols": [DNS], "port": 53, "sizes": [SMALL]} for address, name in found]


def _probing(mtu: t.Sequence[t.Mapping[str, t.Any]], exchanges: t.Sequence[t.Mapping[str, t.Any]], wish: Wish) -> _budget.Probing:
    return _budget.Probing(
        searches=sum(len(target["protocols"]) for target in mtu),
        exchanges=sum(len(target["protocols"]) * len(target["sizes"]) for target in exchanges),
        largest=wish.largest,
        large=wish.large,
        throughputs=sum(TCP in target["protocols"] for target in exchanges) if wish.throughput_seconds else 0,
        throughput_bytes=wish.throughput_bytes,
        throughput_seconds=wish.throughput_seconds,
        timeout=wish.timeout,
        retries=wish.retries,
        workers=wish.workers,
        packets=wish.packets,
        exchange_packets=wish.exchange_packets,
    )
