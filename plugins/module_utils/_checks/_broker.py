# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The broker: whether it is reached, and whether what it holds is true."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml_write import scalar
from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._clusterset_members import not_compared
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CLUSTERSET, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._checks._words import few, names
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import parse_cidrs, same
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Endpoint, PodLog
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._broker_records import StaleEndpoint, stale_endpoints
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._dead_clusters import proves
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures import log_field, plain_line, writer_of

BROKER_STALE = "broker-stale-records"
SYNCER = "submariner pkg/controllers/datastoresyncer/datastoresyncer.go"
LATEST = 40  # lines from the end of a log that count as now: what was cured is further up
# Words of client-go and Go's net package with which a request to the broker's API server fails, and what each means.
FAILURES = (
    ("x509:", "its certificate is not trusted"),
    ("no such host", "its name does not resolve"),
    ("connection refused", "nothing listens there"),
    ("i/o timeout", "packets to it are dropped"),
    ("context deadline exceeded", "it does not answer in time"),
    ("no route to host", "there is no route to it"),
    ("network is unreachable", "there is no route to it"),
    ("Unauthorized", "the token of this cluster is not accepted"),
    ("is forbidden", "this cluster's account lacks rights there"),
    ("proxyconnect", "the proxy refuses it"),
)


@check(
    "broker-unreachable",
    title="Submariner reaches its broker",
    severity="error",
    needs=("logs",),
    joined=True,
    references=("submariner-io/submariner#2285", "https://submariner.io/operations/troubleshooting/"),
    tags=("broker",),
    remedy="Open the way to the broker's API server, or join again with a fresh broker-info.subm.",
)
def broker_unreachable(facts: Facts) -> t.Iterator[Problem]:
    """Failed requests to the broker's API server at the end of the logs of operator, gateway, Lighthouse and Globalnet.

    Tunnels that stand go on, but nothing new reaches this cluster and nothing of it reaches others: it shows at the next change.
    """
    broker = str(facts.submariner.spec.get("brokerK8sApiServer") or "")
    host = broker.rpartition("://")[2].split("/")[0].rpartition(":")[0] or broker
    if not host:
        raise NotApplicable()
    failures: dict[str, list[Evidence]] = {}
    for log in facts.snapshot.logs.items:
        if log.ref.namespace == facts.submariner.ref.namespace and not log.previous and writer_of(None, log.ref.name):
            found = _failure(log, host)
            if found is not None:
                failures.setdefault(found[0], []).append(found[1])
    for why, evidence in failures.items():
        yield Problem(
            subject=f"broker {broker}",
            title=f"The broker {broker} is not reached: {why}",
            evidence=few((*evidence, Evidence(str(facts.submariner.ref), "spec.brokerK8sApiServer", broker))),
            impact="Tunnels that stand go on. New clusters, moved gateways and exported Services are not seen here, and this cluster's are not seen by others.",
            remedy=by_hand(
                "From a gateway node: curl -k https://BROKER/readyz. Open the way (firewall, proxy and no_proxy), or, where certificate or token are "
                "refused, join again with a fresh broker-info.subm (subctl recover-broker-info)."
            ),
        )


def _failure(log: PodLog, host: str) -> tuple[str, Evidence] | None:
    for line in reversed(log.lines[-LATEST:]):
        why = next((why for part, why in FAILURES if part in line), "") if host in line else ""
        if why:
            return why, Evidence(str(log.ref), log_field(log), plain_line(line))
    return None


@check(
    BROKER_STALE,
    title="No record of a dead cluster or gateway is left",
    severity="error",
    needs=("endpoints", "submariner_clusters", "brokers"),
    joined=True,
    references=(SYNCER, "subctl cmd/subctl/join.go", "RamenDR/ramen#2502"),
    tags=("broker",),
    remedy="Delete Endpoint and Cluster of the dead id in the broker's namespace.",
)
def broker_stale_records(facts: Facts) -> t.Iterator[Problem]:
    """Endpoints that another Endpoint shows to be dead, here and, on the cluster that hosts it, in the broker's namespace.

    Gateways connect to both, Calico keeps pools for both, and a cluster that was joined again under another id overlaps itself.
    """
    by_namespace: dict[str, list[Endpoint]] = {}
    for endpoint in facts.snapshot.endpoints.items:
        by_namespace.setdefault(endpoint.ref.namespace, []).append(endpoint)
    broker = str(facts.submariner.spec.get("brokerK8sRemoteNamespace") or "submariner-k8s-broker")
    hosts_broker = any(item.ref.namespace == broker for item in facts.snapshot.brokers.items)
    for namespace in [facts.submariner.ref.namespace, *([broker] if hosts_broker else [])]:
        for found in stale_endpoints(by_namespace.get(namespace, ()), facts.submariner.cluster_id, facts.connected_ids):
            two_ids = found.stale.cluster_id != found.alive.cluster_id
            at_broker = namespace == broker
            yield Problem(
                subject=str(found.stale.ref),
                title=f"The Endpoint of {found.stale.cluster_id} {'on the broker ' if at_broker else ''}is dead: {found.why}",
                evidence=(
                    Evidence(str(found.stale.ref), "spec.subnets", ", ".join(found.stale.subnets), f"of {found.stale.hostname}, made {found.stale.created}"),
                    Evidence(str(found.alive.ref), "spec.subnets", ", ".join(found.alive.subnets), f"of {found.alive.hostname}, made {found.alive.created}"),
                ),
                impact="Gateways take both for clusters of their own: "
                + ("their subnets overlap, so one of them is ignored." if two_ids else "traffic can go to the gateway that is no more."),
                remedy=_removal(found, broker, two_ids),
                severity="" if two_ids and not (at_broker and facts.stale_endpoints) else "warning",
            )


def _removal(found: StaleEndpoint, broker: str, two_ids: bool) -> Remedy:
    """By the role where it can show, too, that the whole cluster is dead; an Endpoint of an id that lives is nothing for it."""
    if not proves(found):
        return by_hand(_delete(found, broker, two_ids))
    return by_role(
        "broker_records",
        f"Delete what is left of {found.stale.cluster_id}: on the cluster that hosts the broker, then where a copy stays. "
        f"By hand: {_delete(found, broker, two_ids)}",
        {"broker_records_cluster_id": [found.stale.cluster_id]},
        target=str(found.stale.ref),
        disruptive=True,
    )


def _delete(found: StaleEndpoint, broker: str, two_ids: bool) -> str:
    cluster = f" and clusters.submariner.io {found.stale.cluster_id}" if two_ids else ""
    return (
        f"On the broker's cluster: kubectl -n {broker} delete endpoints.submariner.io {found.stale.ref.name}{cluster}. It goes from every member by itself; "
        "where it stays, delete it there too, then the route agent's pod on the gateway node."
    )


@check(
    "broker-out-of-sync",
    title="The broker's records are those of its members",
    severity="error",
    needs=("endpoints", "brokers"),
    joined=True,
    references=(SYNCER,),
    tags=("broker",),
    remedy="Delete the gateway's pod to sync anew.",
)
def broker_out_of_sync(facts: Facts) -> t.Iterator[Problem]:
    """Judged on the cluster that hosts the broker: its own Endpoint there, and the broker's Endpoints of others here."""
    namespace = str(facts.submariner.spec.get("brokerK8sRemoteNamespace") or "submariner-k8s-broker")
    if not any(item.ref.namespace == namespace for item in facts.snapshot.brokers.items):
        return
    here = {endpoint.cluster_id: endpoint for endpoint in facts.endpoints}
    there = {endpoint.cluster_id: endpoint for endpoint in facts.snapshot.endpoints.items if endpoint.ref.namespace == namespace}
    own = facts.submariner.cluster_id
    # A namespace that holds nothing of what this cluster knows may be of a broker that was deployed and never used.
    used = bool(set(here) & set(there))
    for cluster_id in sorted({*here, *there}):
        mine, brokers = here.get(cluster_id), there.get(cluster_id)
        direction = "is not on the broker" if brokers is None else "has not come from the broker" if mine is None else ""
        if mine is not None and brokers is not None:
            if same(parse_cidrs(mine.subnets).networks, parse_cidrs(brokers.subnets).networks):
                continue
            direction = f"announces {', '.join(mine.subnets)} here and {', '.join(brokers.subnets)} on the broker"
        if cluster_id == own and mine is None:
            direction = "stands on the broker, and the gateway here announces none"
        yield Problem(
            subject=f"Endpoint of {cluster_id}",
            title=f"The Endpoint of {cluster_id} {direction}",
            evidence=tuple(
                Evidence(str(entry.ref), "spec.subnets", ", ".join(entry.subnets), f"in namespace {entry.ref.namespace}") for entry in (mine, brokers) if entry
            ),
            impact="Other clusters do not learn what is true." if cluster_id == own else f"This cluster does not see what is true of {cluster_id}.",
            remedy=by_hand("Read the gateway's log for errors with the broker; delete the gateway's pod to sync anew."),
            caused_by=f"{facts.snapshot.cluster}/gateway-not-ready" if not facts.active_gateways else "",
            severity="" if facts.active_gateways and used else "warning",
        )


@check(
    "cluster-id-taken",
    title="Only this cluster uses its cluster id",
    severity="blocker",
    needs=("endpoints", "nodes", "gateways"),
    joined=True,
    references=("subctl cmd/subctl/join.go", "submariner-io/subctl#705"),
    tags=("broker", "membership"),
    remedy="Join the other cluster under another --clusterid, or delete the left-over Endpoint.",
)
def cluster_id_taken(facts: Facts) -> t.Iterator[Problem]:
    """An Endpoint of this cluster's own id for a host that is none of its nodes: another cluster joined under the same id, or a node that is gone."""
    hosts = {node.ref.name for node in facts.snapshot.nodes.items} | {gateway.ref.name for gateway in facts.gateways}
    addresses = {address for node in facts.snapshot.nodes.items for address in (*node.internal_ips, *node.external_ips)}
    ours = [entry for entry in facts.own_endpoints if entry.hostname in hosts or entry.private_ip in addresses]
    for endpoint in facts.own_endpoints:
        if endpoint in ours or not (endpoint.hostname or endpoint.private_ip):
            continue
        alike = any(same(parse_cidrs(endpoint.subnets).networks, parse_cidrs(other.subnets).networks) for other in ours)
        yield Problem(
            subject=str(endpoint.ref),
            title=f"An Endpoint of this cluster's id {endpoint.cluster_id} is of {endpoint.hostname}, which is no node of this cluster",
            evidence=few(
                (
                    Evidence(str(endpoint.ref), "spec.hostname", endpoint.hostname, f"private address {endpoint.private_ip}"),
                    Evidence(str(endpoint.ref), "spec.subnets", ", ".join(endpoint.subnets)),
                    Evidence("Nodes", "metadata.name", names(sorted(hosts))),
                )
            ),
            impact="It is left from a node that is gone, and other clusters may still send there."
            if alike
            else "Another cluster joined under this id: the two overwrite each other on the broker.",
            remedy=by_hand(
                "Delete that Endpoint on the broker where it is left over. Join the other cluster under another --clusterid where there is one, and delete "
                "the id's Cluster and Endpoint on the broker in between."
            ),
            severity="error" if alike else "",
        )


@check(
    "clusterset-dead-member",
    title="Somebody is connected to every cluster that the members know",
    severity="warning",
    scope=CLUSTERSET,
    references=(SYNCER,),
    tags=("broker",),
    remedy="Delete the dead cluster's records on the broker, or add it to the inventory.",
)
def dead_member(cards: tuple[Card, ...]) -> t.Iterator[Problem]:
    """An id that the members hold an Endpoint of, that is none of the diagnosed clusters', and that no gateway is connected to."""
    yield from not_compared(cards, "endpoints", "gateways")
    asked = {card.cluster_id for card in cards if card.joined} | {card.cluster for card in cards if card.error}
    holders: dict[str, list[Card]] = {}
    for card in cards:
        for endpoint in card.remote:
            if endpoint.cluster_id not in asked and card.active_gateways:
                holders.setdefault(endpoint.cluster_id, []).append(card)
    for cluster_id, members in holders.items():
        said = {card.cluster: [entry.status for entry in card.connections if entry.cluster_id == cluster_id] for card in members}
        if not any("connected" in statuses for statuses in said.values()):
            yield Problem(
                subject=f"cluster id {cluster_id}",
                title=f"Nobody is connected to {cluster_id}, and no diagnosed cluster has that id",
                evidence=tuple(
                    Evidence(f"cluster {name}", f"Gateway status.connections[{cluster_id}].status", ", ".join(statuses) or "none")
                    for name, statuses in said.items()
                ),
                impact="It is down, or it was removed uncleanly: members keep Endpoints, connections and IPPools for it, and its id cannot be used again.",
                remedy=by_hand(
                    f"If it is gone for good, run the role fathom.submariner.broker_records with broker_records_cluster_id: [{scalar(cluster_id)}] on the "
                    "cluster that hosts the broker, or there kubectl -n submariner-k8s-broker delete endpoints.submariner.io,clusters.submariner.io of "
                    f"{cluster_id}. Else add it to the inventory."
                ),
            )
