# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What is left to do until a cluster's CIDRs are right here and on every peer, read off the clusters' state alone.

Patching ``spec.clusterCIDR`` is half a repair: the operator updates status and DaemonSets, but the Endpoint is updated and
not recreated, so remote gateways keep their old selectors, remote route agents create no new pool (they ignore Endpoint
updates), and the pool of the wrong CIDR keeps the right one out (submariner pkg/routeagent_driver/handlers/calico).
Because every step is derived from what is there, an interrupted correction goes on where it stopped.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Answer, Connection, Endpoint, Gateway, IPPool, Pod, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _remote_pools as remote_pools
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_places import active_nodes, node_of, why_unplaced

PATCH_SUBMARINER = "patch_submariner"
AWAIT_OPERATOR = "await_operator"
RESTART_GATEWAY = "restart_gateway"
RESTART_ROUTE_AGENT = "restart_route_agent"
DELETE_POOL = "delete_pool"

GATEWAY_LABEL = "submariner-gateway"
ROUTE_AGENT_LABEL = "submariner-routeagent"


class Step(t.NamedTuple):
    """One thing to do. ``disruptive`` means that traffic that works now would be interrupted. Only AWAIT_OPERATOR writes nothing."""

    action: str
    cluster: str
    object: str
    why: str
    disruptive: bool

    def __str__(self) -> str:
        return f"{self.cluster}: {self.action} {self.object} ({self.why})"


class Wanted(t.NamedTuple):
    """The CIDRs of one cluster as they should be; comma lists where a cluster has several."""

    cluster_id: str
    cluster_cidr: str
    service_cidr: str

    @property
    def subnets(self) -> tuple[str, ...]:
        """What its Endpoint must announce: service CIDRs, then cluster CIDRs (submariner pkg/endpoint/local_endpoint.go)."""
        return tuple(part.strip() for text in (self.service_cidr, self.cluster_cidr) for part in text.split(",") if part.strip())


def steps(local: Snapshot, peers: t.Iterable[Snapshot], wanted: Wanted) -> tuple[Step, ...]:
    """List what is left to do, in the order in which it must be done; empty when all is right.

    With Globalnet the Endpoint announces the global CIDR only, so peers know nothing of the corrected ones.

    :raises RefusedError: when a peer's state could not be read, or a pool that is not Submariner's stands in the way.
    """
    todo = list(local_steps(local, wanted))
    if not (local.submariner and local.submariner.global_cidr):
        for peer in peers:
            todo += peer_steps(peer, wanted)
    return tuple(todo)


def local_steps(local: Snapshot, wanted: Wanted) -> t.Iterator[Step]:
    """The steps on the cluster itself."""
    _require(local)
    submariner = local.submariner
    if (submariner.cluster_cidr, submariner.service_cidr) != (wanted.cluster_cidr, wanted.service_cidr):
        yield Step(
            PATCH_SUBMARINER,
            local.cluster,
            str(submariner.ref),
            f"spec.clusterCIDR is {submariner.cluster_cidr!r} and spec.serviceCIDR {submariner.service_cidr!r}, "
            f"should be {wanted.cluster_cidr!r} and {wanted.service_cidr!r}",
            True,
        )
    elif (submariner.status_cluster_cidr, submariner.status_service_cidr) != (wanted.cluster_cidr, wanted.service_cidr):
        yield Step(
            AWAIT_OPERATOR,
            local.cluster,
            str(submariner.ref),
            f"status.clusterCIDR is {submariner.status_cluster_cidr!r} and status.serviceCIDR {submariner.status_service_cidr!r}: not reconciled yet",
            False,
        )
    for pod in pods_of(local, GATEWAY_LABEL):
        why = _outdated(pod, wanted) or _unannounced(local, wanted)
        if why:
            yield Step(RESTART_GATEWAY, local.cluster, str(pod.ref), why, True)
    for pod in pods_of(local, ROUTE_AGENT_LABEL):
        why = _outdated(pod, wanted)
        if why:
            yield Step(RESTART_ROUTE_AGENT, local.cluster, str(pod.ref), why, True)


def peer_steps(peer: Snapshot, wanted: Wanted) -> t.Iterator[Step]:
    """The steps on one other cluster of the set, so that it follows the corrected CIDRs."""
    if peer.submariner is None and peer.submariners.known:
        return
    _require(peer)
    unplaced = why_unplaced(peer)
    if unplaced:
        raise RefusedError(f"{peer.cluster}: {unplaced}. Without it, nobody knows what must be restarted there. Nothing was written.")
    if peer.submariner.network_plugin == "calico":
        yield from _pool_steps(peer, wanted)
    for gateway in peer.gateways.items:
        node = node_of(gateway, peer)
        for connection in gateway.connections:
            if connection.cluster_id == wanted.cluster_id and set(connection.subnets) != set(wanted.subnets):
                for pod in pods_of(peer, GATEWAY_LABEL):
                    if pod.node == node:
                        yield Step(
                            RESTART_GATEWAY,
                            peer.cluster,
                            str(pod.ref),
                            f"its connection to {wanted.cluster_id} still carries {', '.join(connection.subnets) or 'nothing'}",
                            True,
                        )
    if peer.submariner.network_plugin == "calico":
        missing = _missing_pools(peer, wanted)
        if missing:
            for pod in active_route_agents(peer):
                yield Step(
                    RESTART_ROUTE_AGENT,
                    peer.cluster,
                    str(pod.ref),
                    f"no IPPool for {', '.join(pool.cidr for pool in missing)} of {wanted.cluster_id}; the agent creates pools only at start "
                    "or for new Endpoints",
                    True,
                )


def _pool_steps(peer: Snapshot, wanted: Wanted) -> t.Iterator[Step]:
    _require(peer, "ip_pools")
    for pool in stale_pools(peer, wanted):
        yield Step(
            DELETE_POOL, peer.cluster, str(pool.ref), f"{pool.cidr} is no subnet of any remote cluster, and Calico refuses every pool that overlaps it", True
        )
    for pool in remote_pools.wanted_pools([_endpoint(wanted)], peer.submariner.cluster_id):
        for blocking in remote_pools.blocking_pools(peer.ip_pools.items, pool):
            if not blocking.is_submariner:
                raise RefusedError(
                    f"{peer.cluster}: {blocking.ref} ({blocking.cidr}) overlaps {pool.cidr}, a subnet of {wanted.cluster_id}, and it was not "
                    "made by Submariner, "
                    "so it is not ours to delete; Calico refuses the pool that Submariner needs while it exists. Nothing was written. "
                    "If the two clusters' ranges really overlap, use Globalnet; if it is left over, delete it."
                )


def stale_pools(peer: Snapshot, wanted: Wanted) -> tuple[IPPool, ...]:
    """Submariner's pools on a peer that will belong to no remote subnet once ``wanted`` is announced."""
    return remote_pools.stale_pools(peer.ip_pools.items, _wanted_pools(peer, wanted))


def _missing_pools(peer: Snapshot, wanted: Wanted) -> tuple[remote_pools.WantedPool, ...]:
    return remote_pools.missing_pools(peer.ip_pools.items, remote_pools.wanted_pools([_endpoint(wanted)], peer.submariner.cluster_id))


def _wanted_pools(peer: Snapshot, wanted: Wanted) -> tuple[remote_pools.WantedPool, ...]:
    others = [endpoint for endpoint in peer.endpoints.items if endpoint.cluster_id != wanted.cluster_id]
    return remote_pools.wanted_pools([*others, _endpoint(wanted)], peer.submariner.cluster_id)


def _endpoint(wanted: Wanted) -> Endpoint:
    return Endpoint(None, "", wanted.cluster_id, "", "", "", "", "", "", wanted.subnets, "")


def _require(snapshot: Snapshot, *names: str) -> None:
    for name in names or ("submariners", "endpoints", "gateways", "pods"):
        answer: Answer[t.Any] = getattr(snapshot, name)
        if not answer.known:
            raise RefusedError(
                f"{snapshot.cluster}: {name} could not be read ({answer.where}: {answer.state}, {answer.detail}), so it is unknown what is left to do there. "
                "Nothing was written."
            )


def pods_of(snapshot: Snapshot, app: str) -> tuple[Pod, ...]:
    """Pods with label ``app``, those on the active gateway's node last, so that they are restarted last."""
    active = active_nodes(snapshot)
    found = [pod for pod in snapshot.pods.items if pod.labels.get("app") == app]
    return tuple(sorted(found, key=lambda pod: (pod.node in active, pod.ref)))


def active_route_agents(snapshot: Snapshot) -> tuple[Pod, ...]:
    """The route agent's pods on nodes with an active gateway: the only ones that create pools."""
    active = active_nodes(snapshot)
    return tuple(pod for pod in pods_of(snapshot, ROUTE_AGENT_LABEL) if pod.node in active)


def _outdated(pod: Pod, wanted: Wanted) -> str:
    for container in pod.containers:
        have = (container.env_value("SUBMARINER_CLUSTERCIDR"), container.env_value("SUBMARINER_SERVICECIDR"))
        if have[0] is not None and have != (wanted.cluster_cidr, wanted.service_cidr):
            return f"runs with SUBMARINER_CLUSTERCIDR={have[0]} and SUBMARINER_SERVICECIDR={have[1]}"
    return ""


def _unannounced(local: Snapshot, wanted: Wanted) -> str:
    if local.submariner.global_cidr:
        return ""
    for endpoint in local.endpoints.items:
        if endpoint.cluster_id == wanted.cluster_id and set(endpoint.subnets) != set(wanted.subnets):
            return f"{endpoint.ref} announces {', '.join(endpoint.subnets)}"
    return ""


def unconnected(snapshot: Snapshot, remote: Wanted) -> str:
    """Why an active gateway here does not carry the remote cluster's traffic; "" when it does."""
    active = [gateway for gateway in snapshot.gateways.items if gateway.ha_status == "active"]
    if not active:
        return f"{snapshot.cluster}: no Gateway is active"
    for gateway in active:
        connection = _connection(gateway, remote.cluster_id)
        if connection is None:
            return f"{snapshot.cluster}: {gateway.ref} has no connection to {remote.cluster_id}"
        if connection.status != "connected":
            return f"{snapshot.cluster}: {gateway.ref} is {connection.status} to {remote.cluster_id}{': ' + connection.message if connection.message else ''}"
        if not snapshot.submariner.global_cidr and set(connection.subnets) != set(remote.subnets):
            return f"{snapshot.cluster}: {gateway.ref} carries {', '.join(connection.subnets)} of {remote.cluster_id} instead of {', '.join(remote.subnets)}"
    return ""


def _connection(gateway: Gateway, cluster_id: str) -> Connection | None:
    return next((connection for connection in gateway.connections if connection.cluster_id == cluster_id), None)
