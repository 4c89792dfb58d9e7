# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The evidence of a wrong CIDR: every place that repeats it, every source that contradicts it, and the addresses that refute it."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import GATEWAY, ROUTE_AGENT, Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, holds, parse_address, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node, Ref
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._wrong_cidr import identify_wrong_cidr

MOST_SOURCES = 4


def places(facts: Facts, subject: str) -> t.Iterator[Evidence]:
    """Status, spec, environment of gateway and route agent, own Endpoint and Cluster object, in the order in which the value travels."""
    field = "clusterCIDR" if subject == POD else "serviceCIDR"
    submariner = facts.submariner
    yield Evidence(str(submariner.ref), f"status.{field}", facts.said(subject), "what Submariner works with")
    yield Evidence(
        str(submariner.ref), f"spec.{field}", facts.pinned(subject), "pinned" if facts.pinned(subject) else "not pinned: left to discovery"
    )
    variable = f"SUBMARINER_{field.upper()}"
    for name in (GATEWAY, ROUTE_AGENT):
        daemon_set = facts.daemon_set(name)
        if daemon_set is not None:
            value = next((found for found in (container.env_value(variable) for container in daemon_set.containers) if found is not None), None)
            if value is not None:
                yield Evidence(str(daemon_set.ref), f"env {variable}", value)
    if not facts.globalnet:
        for endpoint in facts.own_endpoints:
            yield Evidence(str(endpoint.ref), "spec.subnets", ", ".join(endpoint.subnets), "announced to every other cluster")
    for cluster in facts.own_cluster_objects:
        values = cluster.cluster_cidrs if subject == POD else cluster.service_cidrs
        yield Evidence(str(cluster.ref), f"spec.{'cluster_cidr' if subject == POD else 'service_cidr'}", ", ".join(values))


def node_with(facts: Facts, cidr: str) -> Node | None:
    """The first node whose own pod CIDR is that range."""
    networks = parse_cidrs(cidr).networks
    return next((node for node in facts.snapshot.nodes.items if networks and set(networks) <= set(parse_cidrs(node.pod_cidrs).networks)), None)


def origin(facts: Facts, subject: str) -> t.Iterator[Evidence]:
    """Where a wrong value that nobody pinned came from: the node that it belongs to, and the step of discovery that took it."""
    said = facts.said(subject)
    reason = identify_wrong_cidr(said, facts.snapshot, subject, facts.truth)
    node = node_with(facts, said) if subject == POD else None
    if node is not None:
        yield Evidence(str(node.ref), "spec.podCIDR", said, f"Submariner's value {reason}" if reason else "the same value")
    elif reason:
        yield Evidence(str(facts.submariner.ref), "origin of the value", said, reason)
    detected = facts.detection.pod if subject == POD else facts.detection.service
    if detected.value is not None and detected.words:
        yield Evidence(f"Submariner {facts.submariner.version}", "discovery", detected.value, detected.words)


def truth_evidence(facts: Facts, subject: str) -> t.Iterator[Evidence]:
    """The best sources of the truth, one row each."""
    for family in ("ipv4", "ipv6"):
        verdict = facts.truth.of(subject, family)
        agreeing = [claim for claim in verdict.claims if claim.relation in ("equal", "covers", "part")]
        for claim in agreeing[:MOST_SOURCES]:
            yield Evidence(claim.object, claim.field, ", ".join(claim.cidrs), "the truth")


def addresses_outside(facts: Facts, subject: str) -> t.Iterator[Evidence]:
    """How many addresses in use lie outside what Submariner was told, with one of them."""
    said = parse_cidrs(facts.said(subject)).networks
    in_use = list(_addresses(facts, subject))
    outside = [(owner, ip) for owner, ip in in_use if not _inside(said, ip)]
    if outside and said:
        what = "pods" if subject == POD else "Services"
        if subject == POD and facts.snapshot.pods.partial:
            what = "pods that were looked at"
        owner, ip = min(outside, key=lambda entry: str(entry[0]))
        yield Evidence(
            str(owner),
            "status.podIPs" if subject == POD else "spec.clusterIPs",
            ip,
            f"{len(outside)} of {len(in_use)} {what} have addresses outside {facts.said(subject)}",
        )


def _addresses(facts: Facts, subject: str) -> t.Iterator[tuple[Ref, str]]:
    """IPv4 addresses of running pods outside the host network, or of Services."""
    if subject == POD:
        owners: t.Iterable[tuple[Ref, tuple[str, ...]]] = (
            (pod.ref, pod.ips) for pod in facts.snapshot.pods.items if not pod.host_network and pod.phase == "Running"
        )
    else:
        owners = ((service.ref, service.cluster_ips) for service in facts.snapshot.services.items)
    return ((owner, ip) for owner, ips in owners for ip in ips if ":" not in ip)


def _inside(networks: tuple[Network, ...], ip: str) -> bool:
    address = parse_address(ip)
    return address is None or holds(networks, address)
