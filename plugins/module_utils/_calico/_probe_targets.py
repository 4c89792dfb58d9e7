# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which addresses each node probes, from what the cluster's API says: for every sampled pair of nodes one on each path that there is between them."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._dns_pods import dns_pods
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_addresses import (
    TUNNELS,
    internal_addresses,
    of_submariner,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._probe_suspicion import suspicions
from ansible_collections.fathom.submariner.plugins.module_utils._network import _budget, _sampling
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import FAMILIES, IPV4, parse_address, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Endpoint, Node, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import CALICO, CROSS_CLUSTER, SUBMARINER, UNDERLAY
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_places import active_nodes

# Of the cable and of NAT discovery: 4500 and 500 of IPsec, 4490 (submariner pkg/port). Only gateways talk on them.
CABLE_PORTS = frozenset((4500, 4490, 500))
ICMP, UDP, TCP, DNS = "icmp", "udp", "tcp", "dns"
SMALL, LARGE = "small", "large"
_ZONE = "topology.kubernetes.io/zone"
_VTEP_NETWORK = 240  # submariner pkg/vxlan: the first octet; the others are those of the node's own address
# Services of the cluster's DNS: kubeadm's, Kubespray's and k3s', RKE2's, OpenShift's.
_DNS = (("kube-system", "kube-dns"), ("kube-system", "coredns"), ("kube-system", "rke2-coredns-rke2-coredns"), ("openshift-dns", "dns-default"))
_DNS_PODS_ELSEWHERE = 3

_GLOBAL = "with Globalnet its health-check address takes pings and nothing else"
_PINGS_ALONE = (
    "this cluster's API shows nothing there but an address that answers pings. Where its node runs a responder in the same run (role nodes with the nodes of "
    "all clusters, or remote_responders=true), it is"
)
_NO_SERVER = "this cluster's API shows the address of none. remote_dns names one, such as the clusterIP of its DNS Service (where there is no Globalnet)"


class DnsServer(t.NamedTuple):
    """One of another cluster.

    :param cluster: the cluster's id in the clusterset.
    """

    cluster: str
    address: str
    port: int = 53


class RemoteGateway(t.NamedTuple):
    """A node of another cluster that is, or becomes, a gateway there.

    :param address: by which it is reached from here.
    """

    name: str
    address: str


class Wish(t.NamedTuple):
    """What a user may choose. Bounds are those of modules path_mtu and path_probe, of each node.

    :param nodes: those that can probe and answer; empty for all of the cluster.
    :param neighbours: of each node.
    :param pairs: bound on pairs in all.
    :param port: of the responders; 0 where none are to be started.
    :param ports: UDP ports besides, on which responders are started for a small datagram each, between the nodes' own addresses.
    :param gateways: nodes that become gateways, beside those that the cluster labels so.
    :param remote_gateways: those of other clusters with which the cable's ports of ``ports`` are tried.
    :param remote_responders: whether the gateways of other clusters have responders on the same port.
    :param remote_dns: DNS servers of other clusters.
    :param large_dns: whether a name with a large record is asked for as well.
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
    ports: tuple[int, ...] = ()
    gateways: tuple[str, ...] = ()
    remote_gateways: tuple[RemoteGateway, ...] = ()
    remote_responders: bool = False
    remote_dns: tuple[DnsServer, ...] = ()
    large_dns: bool = False


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
    unknown = sorted({name for name in (*wish.nodes, *wish.gateways) if name not in nodes})
    probing = {name: nodes[name] for name in (wish.nodes or nodes) if name in nodes}
    suspected = {name: why for name, why in suspicions(snapshot).items() if name in probing}
    active = active_nodes(snapshot)  # over them alone the others' vx-submariner leads
    gateways = {name for name, node in probing.items() if name in active or node.is_gateway or name in wish.gateways}
    candidates = [
        _sampling.Candidate(name, name in gateways, _kind(node), suspected[name].weight if name in suspected else 0) for name, node in probing.items()
    ]
    chosen = _sampling.sample(candidates, neighbours=wish.neighbours, most=wish.pairs)
    mtu: dict[str, list[dict[str, t.Any]]] = {name: [] for name in probing}
    exchanges: dict[str, list[dict[str, t.Any]]] = {name: [] for name in probing}
    for pair in chosen.pairs:
        for path, address in _addresses(snapshot, nodes[pair.source], nodes[pair.target], active):
            _add(mtu[pair.source], exchanges[pair.source], address, pair.target, path, wish)
            if path == UNDERLAY:
                exchanges[pair.source] += _ports(address, pair.target, wish, pair.source in gateways and pair.target in gateways)
    for name in sorted(gateways):
        _cable_ports(nodes.values(), name, (mtu, exchanges), wish)
    told = _across(snapshot, candidates, active, (mtu, exchanges), wish)
    for name in probing:
        exchanges[name] += _dns(snapshot, name, wish)
    asked = [_probing(mtu[name], exchanges[name], wish) for name in probing]
    budget = _budget.of_all(asked)
    lines = [*_sampling.described(chosen, len(probing)), _budget.described(budget, len(probing))]
    lines += [f"{name} comes first: {'; '.join(why.reasons)}" for name, why in sorted(suspected.items(), key=lambda entry: (-entry[1].weight, entry[0]))[:10]]
    lines += [f"not probed, since the cluster has no such Linux node: {', '.join(unknown)}"] if unknown else []
    lines += [*told, *_of_dns(exchanges, wish), *_of_ports(exchanges, wish, gateways)]
    answering = {name: _answering(snapshot, node, exchanges, wish, name in gateways) for name, node in probing.items()}
    targets = {name: {"path_mtu": mtu[name], "path_probe": exchanges[name], **answering[name]} for name in probing}
    return Plan(targets, chosen, budget, tuple(lines))


def _answering(snapshot: Snapshot, node: Node, exchanges: t.Mapping[str, list[dict[str, t.Any]]], wish: Wish, is_gateway: bool) -> dict[str, t.Any]:
    """What a node's responders are probed on: the addresses of the one on the usual port, and of those on further ports."""
    name = node.ref.name
    asked = [target for each in exchanges.values() for target in each if target["name"] == name]
    usual = {target["address"] for target in asked if target["port"] == wish.port}
    if wish.port and wish.remote_responders:
        usual |= _checked_from_outside(snapshot, name)
    more = {(target["port"], target["address"]) for target in asked if target["port"] != wish.port}
    if is_gateway and wish.remote_gateways:
        more |= {(port, str(address)) for port in CABLE_PORTS.intersection(wish.ports) - {wish.port} for address in _own_addresses(node)}
    ports: dict[int, list[str]] = {}
    for port, address in sorted(more):
        ports.setdefault(port, []).append(address)
    return {"answers_on": sorted(usual), "answers_on_ports": [{"port": port, "addresses": addresses} for port, addresses in ports.items()]}


def _kind(node: Node) -> tuple[str, ...]:
    return node.labels.get(_ZONE, ""), node.os_image, node.kernel_version


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


def _own_addresses(node: Node) -> list[t.Any]:
    """The first of each family."""
    return [address for family in FAMILIES for address in internal_addresses(node, family)[:1]]


def _cable_ports(
    nodes: t.Iterable[Node], name: str, found: tuple[t.Mapping[str, list[dict[str, t.Any]]], t.Mapping[str, list[dict[str, t.Any]]]], wish: Wish
) -> None:
    """From a gateway to those of other clusters: the cable's ports, and a ping, by which a port is told apart from a host."""
    own = {address for node in nodes for address in node.internal_ips}
    for remote in wish.remote_gateways:
        tried = list(_ports(remote.address, remote.name, wish, True, CABLE_PORTS)) if remote.address not in own else []
        if tried:
            found[0][name].append({"address": remote.address, "name": remote.name, "path": UNDERLAY, "protocols": [ICMP]})
            found[1][name].extend(tried)


def _ports(address: str, name: str, wish: Wish, both_gateways: bool, only: t.Container[int] = ()) -> t.Iterator[dict[str, t.Any]]:
    """A small datagram to each of the further ports; those of the cable are asked for between gateways alone."""
    for port in dict.fromkeys(wish.ports):
        if port != wish.port and (both_gateways or port not in CABLE_PORTS) and (not only or port in only):
            yield {"address": address, "name": name, "path": UNDERLAY, "protocols": [UDP], "port": port, "sizes": [SMALL]}


def _of_ports(exchanges: t.Mapping[str, list[dict[str, t.Any]]], wish: Wish, gateways: t.Collection[str]) -> t.Iterator[str]:
    for port in dict.fromkeys(wish.ports):
        count = sum(target["port"] == port and target["protocols"] == [UDP] for each in exchanges.values() for target in each)
        if port == wish.port:
            yield f"UDP {port} is the responders' own port and probed on every path"
        elif count:
            times, between = f"{count} time{'s' if count > 1 else ''}", "gateways" if port in CABLE_PORTS else "nodes"
            yield f"UDP {port} is probed {times} between {between}, on their own addresses"
        elif port in CABLE_PORTS:
            yield (
                f"UDP {port} is not probed: it is needed between gateways alone, and {len(gateways)} of the nodes are gateways of this cluster "
                "(labelled submariner.io/gateway=true, or named in gateways)"
            )
        else:
            yield f"UDP {port} is not probed, since no pair of nodes was chosen"


def _across(
    snapshot: Snapshot,
    candidates: t.Sequence[_sampling.Candidate],
    gateways: t.Container[str],
    found: tuple[t.Mapping[str, list[dict[str, t.Any]]], t.Mapping[str, list[dict[str, t.Any]]]],
    wish: Wish,
) -> list[str]:
    """Other clusters: from the gateways to their gateways' own addresses, and from them and a few other nodes through the cable to what answers there.

    :param found: targets of pings and of exchanges by node, which are added to.
    :return: what is not probed there, and why.
    """
    mtu, exchanges = found
    served = bool(wish.port) and wish.remote_responders
    senders = sorted((each for each in candidates if each.name not in gateways), key=lambda each: (-each.suspicion, each.name))[: max(1, wish.neighbours)]
    through = [*(each.name for each in candidates if each.name in gateways), *(each.name for each in senders)]
    silent: dict[str, list[str]] = {}
    for remote in _remotes(snapshot):
        name = f"{remote.cluster_id}/{remote.hostname}"
        for each in candidates:
            if each.name in gateways:
                for address in _outside(snapshot, remote):
                    mtu[each.name].append({"address": address, "name": name, "path": UNDERLAY, "protocols": [ICMP]})
        if parse_address(remote.health_check_ip) is None:
            continue
        global_ip = _is_global(snapshot, remote)
        for each_name in through:
            mtu[each_name].append({"address": remote.health_check_ip, "name": name, "path": CROSS_CLUSTER, "protocols": [ICMP]})
            if served and not global_ip:
                target = {"address": remote.health_check_ip, "name": name, "path": CROSS_CLUSTER, "protocols": [TCP, UDP]}
                exchanges[each_name].append({**target, "port": wish.port, "sizes": [SMALL, LARGE]})
        if global_ip or not served:
            silent.setdefault(_GLOBAL if global_ip else _PINGS_ALONE, []).append(name)
    lines = [f"no TCP or UDP is exchanged with {', '.join(names)}: {why}" for why, names in silent.items()]
    unasked = []
    for cluster in dict.fromkeys(remote.cluster_id for remote in _remotes(snapshot)):
        servers = [server for server in wish.remote_dns if server.cluster == cluster]
        sizes = [SMALL, LARGE] if wish.large_dns else [SMALL]
        for server in servers:
            asked = {"address": server.address, "name": f"{cluster}/dns", "path": CROSS_CLUSTER, "protocols": [DNS], "port": server.port, "sizes": sizes}
            for each_name in through:
                exchanges[each_name].append(dict(asked))
        if not servers:
            unasked.append(cluster)
    lines += [f"no DNS server of {', '.join(unasked)} is asked: {_NO_SERVER}"] if unasked else []
    strange = sorted({server.cluster for server in wish.remote_dns} - {remote.cluster_id for remote in _remotes(snapshot)} - {_own_id(snapshot)})
    lines += [f"remote_dns names clusters that this one has no Endpoint of: {', '.join(strange)}"] if strange else []
    return lines


def _own_id(snapshot: Snapshot) -> str:
    return snapshot.submariner.cluster_id if snapshot.submariner is not None else ""


def _checked_from_outside(snapshot: Snapshot, node: str) -> set[str]:
    """The addresses on which a node answers other clusters' health checks: it is a gateway then."""
    own = {address for entry in snapshot.nodes.items if entry.ref.name == node for address in entry.internal_ips}
    ends = [entry for entry in snapshot.endpoints.items if entry.cluster_id == _own_id(snapshot) and (entry.hostname == node or entry.private_ip in own)]
    return {entry.health_check_ip for entry in ends if parse_address(entry.health_check_ip) is not None}


def _is_global(snapshot: Snapshot, remote: Endpoint) -> bool:
    """Whether the remote gateway's health-check address is one of Globalnet's, which are translated for pings alone."""
    ranges = [text for entry in snapshot.submariner_clusters.items if entry.cluster_id == remote.cluster_id for text in entry.global_cidrs]
    address = parse_address(remote.health_check_ip)
    return address is not None and any(address in network for network in parse_cidrs(ranges).networks if network.version == address.version)


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


def _dns(snapshot: Snapshot, node: str, wish: Wish) -> list[dict[str, t.Any]]:
    """The DNS Service's address, a few DNS pods on other nodes and one on this node.

    That tells a Service that does not work from a path that does not, and both from a server that does not.
    """
    services = [service for service in snapshot.services.items if (service.ref.namespace, service.ref.name) in _DNS and service.cluster_ips]
    pods = sorted(dns_pods(snapshot), key=lambda pod: pod.ref.name)
    found = [(services[0].cluster_ips[0], services[0].ref.name)] if services else []
    for beside in (False, True):
        found += [(pod.ips[0], pod.ref.name) for pod in pods if (pod.node == node) == beside][: (1 if beside else _DNS_PODS_ELSEWHERE) if services else 0]
    sizes = [SMALL, LARGE] if wish.large_dns else [SMALL]
    return [{"address": address, "name": name, "path": CALICO, "protocols": [DNS], "port": 53, "sizes": list(sizes)} for address, name in found]


def _of_dns(exchanges: t.Mapping[str, list[dict[str, t.Any]]], wish: Wish) -> t.Iterator[str]:
    if not wish.large_dns and any(target["protocols"] == [DNS] for each in exchanges.values() for target in each):
        yield (
            "DNS is asked for small answers alone: no name of a cluster is sure to have an answer above 512 bytes. dns_large_name names one, such as a "
            "headless Service with many pods (type SRV)"
        )


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
