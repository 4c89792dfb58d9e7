# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Policies that drop what Submariner itself needs: between nodes at HostEndpoints, and for its pods that are not on the host's network."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_evaluation import Outcome, Policies, evaluate, selection, together
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_flow import EGRESS, INGRESS, TCP, UDP, Entity, Flow, net, pod_entity
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_hosts import Failsafes, at_host, failsafes, host_action
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_namespaces import policies_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_selector import Labels
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._policy import POLICY_DOCS, remote_clusters
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet, Pod, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._node_flows import API, NAT_TRAVERSAL, NodeFlow, Site, node_flows

AGENT = "submariner-lighthouse-agent"
COREDNS = "submariner-lighthouse-coredns"
CALICO_NODES = ("calico-node", "canal", "rke2-canal")
HOST_ENDPOINT_DOCS = "https://docs.tigera.io/calico/latest/reference/host-endpoints/overview"
MOST = 8
Key = t.Tuple[str, str, t.Tuple[str, ...], t.Tuple[str, ...]]


@check(
    "policy-node-traffic-dropped",
    title="No HostEndpoint drops what Submariner sends between nodes and gateways",
    severity="blocker",
    needs=("host_endpoints", "calico_policies", "nodes", "endpoints"),
    joined=True,
    references=(HOST_ENDPOINT_DOCS, "https://submariner.io/operations/nat-traversal/", "submariner-io/submariner#2841"),
    tags=("policy",),
    remedy="Allow UDP 4500, 4490 and 4800 (and TCP 8080 for metrics) on the nodes' HostEndpoints, or add them to the failsafe ports.",
)
def node_traffic(facts: Facts) -> t.Iterator[Problem]:
    """HostEndpoints, made by hand or by Calico itself, against UDP 4500, 4490 and 4800, ESP, TCP 8080 and the broker's port.

    None of Submariner's ports is among those that Felix keeps open in any case. With a policy that selects a HostEndpoint, or with one without a profile, what
    no rule allows is dropped. Policies with applyOnForward also meet the pods' own traffic on its way through the gateway.
    """
    snapshot = facts.snapshot
    flows = list(node_flows(_site(facts))) if snapshot.host_endpoints.items else []
    rules = policies_of(snapshot, missing(snapshot.network_sets, "NetworkSets"))
    unread = _unread(snapshot)
    configured = {item.ref.name.removeprefix("node.") for item in snapshot.felix_configurations.items if item.ref.name.startswith("node.")}
    by_node: dict[str, Failsafes] = {}
    dropped: dict[Key, list[NodeFlow]] = {}
    doubts: dict[str, list[str]] = {}
    for entry in flows:
        alone = entry.node if entry.node in configured else ""  # most nodes have no FelixConfiguration of their own
        if alone not in by_node:
            by_node[alone] = failsafes(alone, snapshot.felix_configurations.items, _calico_node(snapshot))
        outcome = at_host(entry.endpoint, entry.flow, rules, by_node[alone], forwarded=entry.forwarded)
        if outcome.is_dropped and entry.sure and not unread:
            dropped.setdefault((entry.what, entry.need.severity, (entry.need.impact,), outcome.dropped_by), []).append(entry)
        elif not outcome.is_allowed:
            interface = f"HostEndpoint {entry.endpoint.ref.name} has no expectedIPs: whether {entry.endpoint.interface_name} holds the node's address"
            reasons = outcome.unknown or ((unread,) if unread else ()) or ((interface,) if not entry.sure else ())
            if reasons:  # else it is open on some ports, which somebody meant
                doubts.setdefault("; ".join(reasons[:3]), []).append(f"{entry.what} on {entry.node}")
    for (what, severity, impact, by), entries in _fewest(dropped):
        yield _dropped(what, severity, impact[0], by, entries)
    for reason, subjects in doubts.items():
        yield Problem(
            subject=", ".join(dict.fromkeys(subjects[:2])),
            title=f"Whether HostEndpoints let {subjects[0]} through is not known",
            missing=reason,
        )


def _fewest(dropped: t.Mapping[Key, list[NodeFlow]]) -> t.Iterator[tuple[Key, list[NodeFlow]]]:
    """One problem for each thing that is lost, with all the policies that drop it."""
    merged: dict[tuple[str, str, tuple[str, ...]], tuple[dict[str, None], list[NodeFlow]]] = {}
    for (what, severity, impact, by), entries in dropped.items():
        reasons, listed = merged.setdefault((what, severity, impact), ({}, []))
        reasons.update(dict.fromkeys(by))
        listed += entries
    for (what, severity, impact), (reasons, listed) in merged.items():
        yield (what, severity, impact, tuple(reasons)), listed


def _dropped(what: str, severity: str, impact: str, by: tuple[str, ...], entries: t.Sequence[NodeFlow]) -> Problem:
    nodes = tuple(dict.fromkeys(entry.node for entry in entries))
    shown = ", ".join(nodes[:3]) + (f" and {len(nodes) - 3} more nodes" if len(nodes) > 3 else "")
    evidence: dict[Evidence, None] = {}
    for entry in entries:
        profile = "no profile" if not entry.endpoint.profiles else ", ".join(entry.endpoint.profiles)
        note = f"node {entry.node}, interface {entry.endpoint.interface_name or 'of its expectedIPs'}, {profile}; by {'; '.join(by[:2])}"
        evidence.setdefault(Evidence(str(entry.endpoint.ref), entry.flow.direction, "dropped", note))
    more = (Evidence("HostEndpoints", "", f"{len(evidence) - MOST} more"),) if len(evidence) > MOST else ()
    return Problem(
        subject=f"HostEndpoints of {shown}",
        title=f"HostEndpoints drop {what} on {shown}",
        evidence=(*tuple(evidence)[:MOST], *more),
        impact=impact,
        remedy=by_hand(
            f"Add a GlobalNetworkPolicy that selects these HostEndpoints, comes before what drops it, and allows {what} in both directions; "
            "or add the port to failsafeInboundHostPorts and failsafeOutboundHostPorts of FelixConfiguration default "
            "(with the default list, which it replaces).",
            "GlobalNetworkPolicy",
        ),
        severity=severity,
    )


def _unread(snapshot: Snapshot) -> str:
    """What could turn a drop into its opposite and was not read: failsafe ports, tiers."""
    answers = (("FelixConfigurations", snapshot.felix_configurations), ("Tiers", snapshot.tiers), ("DaemonSets", snapshot.daemon_sets))
    return "; ".join(reason for reason in (missing(answer, name) for name, answer in answers) if reason)


def _site(facts: Facts) -> Site:
    snapshot = facts.snapshot
    spec = facts.submariner.spec
    driver = next((endpoint.backend for endpoint in facts.own_endpoints), str(spec.get("cableDriver") or "libreswan"))
    local = tuple(facts.truth.networks(POD))
    remotes = remote_clusters(facts)
    port = spec.get("ceIPSecNATTPort")
    return Site(
        nodes=snapshot.nodes.items,
        endpoints=snapshot.host_endpoints.items,
        gateways=frozenset([node.ref.name for node in snapshot.nodes.items if node.is_gateway] + [*facts.gateway_places.values()]),
        remotes=facts.remote_endpoints,
        connections=tuple(connection for gateway in facts.active_gateways for connection in gateway.connections),
        nat_port=port if isinstance(port, int) and port > 0 else NAT_TRAVERSAL,
        esp=driver == "libreswan" and not spec.get("ceIPSecForceUDPEncaps"),
        broker=_broker(facts),
        local_pods=local,
        remote_pods=tuple(network for remote in remotes for network in remote.pods),
    )


def _broker(facts: Facts) -> tuple[Entity, int] | None:
    """Where the broker's API server is; its address stays open where it is given by name."""
    server = str(facts.submariner.spec.get("brokerK8sApiServer") or "").partition("://")[2] or str(facts.submariner.spec.get("brokerK8sApiServer") or "")
    host, _colon, port = server.split("/")[0].rpartition(":") if not server.endswith("]") and ":" in server else (server, "", "")
    address = net(host.strip("[]"))
    return (Entity((address,) if address is not None else ()), int(port) if port.isdigit() else API) if host else None


def _calico_node(snapshot: Snapshot) -> DaemonSet | None:
    return next((item for item in snapshot.daemon_sets.items if item.ref.name in CALICO_NODES), None)


@check(
    "policy-service-discovery-dropped",
    title="Policies let Submariner's own pods reach the broker, and the cluster's DNS reach Lighthouse",
    severity="error",
    needs=("calico_policies", "network_policies", "namespaces", "pods"),
    joined=True,
    references=(POLICY_DOCS, "lighthouse pkg/agent/controller/agent.go"),
    tags=("policy", "dns"),
    remedy="Except Submariner's namespace from the default deny, or allow egress to the broker's API server and DNS, and ingress of DNS.",
)
def service_discovery(facts: Facts) -> t.Iterator[Problem]:
    """Gateway, route agent and globalnet are on the host's network and meet HostEndpoints alone; Lighthouse's pods are not: a global default deny hits them.

    The agent must reach the broker's API server (and DNS where the broker is given by name), and the cluster's DNS must reach Lighthouse's.
    """
    flows = list(_pod_flows(facts))
    if not flows:
        raise NotApplicable()
    rules = policies_of(facts.snapshot, missing(facts.snapshot.network_sets, "NetworkSets"))
    unread = missing(facts.snapshot.tiers, "Tiers")
    doubts: dict[str, None] = {}
    done = set()
    for what, impact, pod, flow in flows:
        outcome = _at_pod(rules, flow)
        by = outcome.dropped_by or _own_node(facts, pod, flow)
        if (outcome.is_dropped or (by and not outcome.dropped_by)) and not unread:
            if (what, flow.direction) not in done:
                done.add((what, flow.direction))
                yield Problem(
                    subject=str(pod.ref),
                    title=f"{what} is dropped",
                    evidence=(Evidence(str(pod.ref), flow.direction, "dropped", f"by {'; '.join(by[:3])}"),),
                    impact=impact,
                    remedy=by_hand(
                        f"Except the namespace {pod.ref.namespace} in the namespaceSelector of what drops it, or allow it there "
                        "(egress to the broker's API server and to DNS, ingress on port 53 from the cluster's DNS)."
                    ),
                )
        elif not outcome.is_allowed:
            doubts.setdefault(f"{what}: {'; '.join(outcome.unknown[:2]) or unread}")
    for doubt in doubts:
        yield Problem(subject="Submariner's pods", title="Whether policies let Submariner's pods talk is not known", missing=doubt, severity="warning")


def _pod_flows(facts: Facts) -> t.Iterator[tuple[str, str, Pod, Flow]]:
    snapshot = facts.snapshot
    labels = {item.ref.name: {**item.labels, "projectcalico.org/name": item.ref.name} for item in snapshot.namespaces.items}

    def entity(pod: Pod) -> Entity:
        networks = [network for network in map(net, pod.ips) if network is not None]
        return pod_entity(pod.ref.namespace, networks, Labels(labels.get(pod.ref.namespace, {})), pod.labels)

    dns = [pod for pod in snapshot.pods.items if pod.labels.get("k8s-app") == "kube-dns" and not pod.host_network]
    broker = _broker(facts)
    for agent in [pod for pod in facts.pods_of(AGENT) if not pod.host_network]:
        if broker is not None:
            words = f"Lighthouse's agent to the broker's API server (TCP {broker[1]})"
            yield words, "Exported Services are no longer exchanged with other clusters.", agent, Flow(EGRESS, entity(agent), broker[0], TCP, broker[1])
            if not broker[0].networks and dns:
                lost = "The agent cannot resolve the broker's name: exported Services are not exchanged."
                yield "Lighthouse's agent to DNS (UDP 53)", lost, agent, Flow(EGRESS, entity(agent), entity(dns[0]), UDP, 53)
    for server in [pod for pod in facts.pods_of(COREDNS) if not pod.host_network]:
        for client in dns[:1]:
            lost = "Names under clusterset.local do not resolve in this cluster."
            yield "DNS from the cluster's DNS to Lighthouse's (UDP 53)", lost, server, Flow(INGRESS, entity(client), entity(server), UDP, 53)
            yield "DNS from the cluster's DNS to Lighthouse's (UDP 53)", lost, client, Flow(EGRESS, entity(client), entity(server), UDP, 53)


def _at_pod(rules: Policies, flow: Flow) -> Outcome:
    own = flow.destination if flow.direction == INGRESS else flow.source
    chosen = selection(rules.policies, own, flow.direction)
    base = evaluate(chosen.certain, flow, rules)
    if not chosen.perhaps:
        return base
    both = together([base, evaluate((*chosen.certain, *chosen.perhaps), flow, rules)])
    doubts = tuple(f"whether {policy.ref} selects it" for policy in chosen.perhaps) if len(both.possible) > 1 else ()
    return both._replace(unknown=(*both.unknown, *doubts))


def _own_node(facts: Facts, pod: Pod, flow: Flow) -> tuple[str, ...]:
    """What drops a pod's packets to its own node, () where they go elsewhere or are let through."""
    own = {net(ip) for node in facts.snapshot.nodes.items if node.ref.name == pod.node for ip in node.internal_ips}
    if flow.direction != EGRESS or not set(flow.destination.networks) & own or not facts.snapshot.daemon_sets.known:
        return ()
    action, source = host_action(facts.snapshot.felix_configurations.items, _calico_node(facts.snapshot))
    return (f"defaultEndpointToHostAction {action} ({source}): the broker's API server is on the pod's own node",) if action == "drop" else ()
