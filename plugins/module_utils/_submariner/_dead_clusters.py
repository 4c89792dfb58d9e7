# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether a cluster id is dead, as far as the members of the set can tell, and which of its records are left.

Nothing says of a cluster that it is gone: its records simply stay (submariner pkg/controllers/datastoresyncer, Cleanup runs in an uninstall alone). So
life is looked for everywhere, and any sign of it counts.

Silence is no proof of death. A gateway writes its records when it starts or something changes, and never again (datastoresyncer sets no resync period, admiral
pkg/syncer/broker: the default is none), so that a cluster whose tunnel is down is as silent as one that is gone; and a record that is deleted at the broker
comes back only when its gateway starts anew. Where nothing but long silence tells, the user agrees to what that may break.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import overlap, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Endpoint, Gateway, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._broker_records import StaleEndpoint, stale_endpoints
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._moments import duration, seconds_between

NAMESPACE = "submariner-operator"  # fixed in subctl (pkg/constants)
BROKER_NAMESPACE = "submariner-k8s-broker"  # subctl's default
ORIGIN = "submariner-io/clusterID"  # label of a synced copy: the cluster that published it (admiral pkg/federate)
CONNECTED = "connected"


class Record(t.NamedTuple):
    """An Endpoint or Cluster of a dead id.

    :param publisher: the cluster that publishes it: of a copy what its label says, of one without that label the member that holds it.
    :param source: it has no such label and is in a member's own namespace: that member publishes it, again and again.
    :param changed: when it was written last, RFC 3339.
    """

    kind: str
    namespace: str
    name: str
    cluster_id: str
    publisher: str = ""
    source: bool = False
    changed: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class Trace(t.NamedTuple):
    """What a cluster does at the broker beside its records.

    :param said: before its time: "EndpointSlice x/y was written".
    :param when: RFC 3339: not later than this.
    """

    cluster_id: str
    said: str
    when: str


def own_namespace(snapshot: Snapshot) -> str:
    return snapshot.submariner.ref.namespace if snapshot.submariner else NAMESPACE


def broker_namespace(snapshot: Snapshot, given: str) -> str:
    """The broker's namespace on the cluster that hosts it: the user's, what this member was told at its join, or subctl's default."""
    told = snapshot.submariner.spec.get("brokerK8sRemoteNamespace") if snapshot.submariner else ""
    return given or str(told or "") or BROKER_NAMESPACE


def records_of(ids: t.Collection[str], snapshot: Snapshot, broker: str) -> tuple[Record, ...]:
    """What is left of some ids on one cluster: Endpoints first, since a Cluster without an Endpoint does no harm."""
    namespaces = (own_namespace(snapshot), broker)
    endpoints = [Record("Endpoint", item.ref.namespace, item.ref.name, item.cluster_id) for item in snapshot.endpoints.items]
    clusters = [Record("Cluster", item.ref.namespace, item.ref.name, item.cluster_id) for item in snapshot.submariner_clusters.items]
    return tuple(record for record in (*endpoints, *clusters) if record.cluster_id in ids and record.namespace in namespaces)


def with_origin(record: Record, obj: t.Mapping[str, t.Any], snapshot: Snapshot, broker: str) -> Record:
    """The record with what its whole object says of it."""
    metadata = obj.get("metadata") or {}
    publisher = str((metadata.get("labels") or {}).get(ORIGIN) or "")
    member = snapshot.submariner.cluster_id if snapshot.submariner else ""
    source = not publisher and bool(member) and record.namespace == own_namespace(snapshot) != broker
    return record._replace(publisher=publisher or (member if source else ""), source=source, changed=last_write(metadata))


def last_write(metadata: t.Mapping[str, t.Any]) -> str:
    """When an object was written last, RFC 3339; "" where it does not say."""
    return max([str(metadata.get("creationTimestamp") or ""), *(str(entry.get("time") or "") for entry in metadata.get("managedFields") or ())])


def token_use(cluster_id: str, day: str, now: str) -> Trace:
    """The use of a token at the broker, of which kube-apiserver notes the day alone (UTC), once a day.

    :param now: RFC 3339.
    """
    return Trace(cluster_id, f"its token was used on {day}, so perhaps", min(f"{day}T23:59:59Z", now))


def in_order(records: t.Iterable[Record], broker: str) -> tuple[Record, ...]:
    """What publishes goes first, then what stands on the broker, then copies: nothing that is gone comes back from what is still there."""
    return tuple(sorted(records, key=lambda record: (not record.source, record.namespace != broker, record.kind != "Endpoint", record.name)))


def signs_of_life(cluster_id: str, snapshots: t.Iterable[Snapshot]) -> tuple[str, ...]:
    """Every sign that a cluster lives, a sentence each."""
    found: list[str] = []
    for snapshot in snapshots:
        submariner = snapshot.submariner
        if submariner is not None and submariner.cluster_id == cluster_id:
            found.append(f"{snapshot.cluster} is joined under that id ({submariner.ref} spec.clusterID)")
        for gateway in snapshot.gateways.items:
            for connection in gateway.connections:
                if connection.cluster_id == cluster_id and connection.status == CONNECTED:
                    found.append(f"{gateway.ref} of {snapshot.cluster} is connected to it")
        for agent in snapshot.route_agents.items:
            if any(remote.cluster_id == cluster_id and remote.status == CONNECTED for remote in agent.remote_endpoints):
                found.append(f"{agent.ref} of {snapshot.cluster} reaches it")
    return tuple(dict.fromkeys(found))


def proof_of_death(cluster_id: str, snapshots: t.Iterable[Snapshot], broker: str) -> str:
    """What shows that a cluster is no more: another id has its gateway and its subnets. "" where nothing does."""
    for snapshot in snapshots:
        for found in _stale(snapshot, broker):
            if found.stale.cluster_id == cluster_id and proves(found):
                return f"{found.why} ({found.alive.ref} on {snapshot.cluster})"
    return ""


def proves(found: StaleEndpoint) -> bool:
    """Whether a stale Endpoint shows that its whole cluster is dead, and not only that two look alike.

    Two sites that were built alike have the same host name and private address, too. Of two ids with common subnets one is never connected, so that
    nothing breaks with its records; with Globalnet, or other subnets, both may live.
    """
    return found.stale.cluster_id != found.alive.cluster_id and bool(shared(found.stale, found.alive))


def shared(one: Endpoint, other: Endpoint) -> tuple[str, ...]:
    """The ranges that two Endpoints have in common."""
    pairs = overlap(parse_cidrs(one.subnets).networks, parse_cidrs(other.subnets).networks)
    return tuple(dict.fromkeys(str(max(left, right, key=lambda network: network.prefixlen)) for left, right in pairs))


def _stale(snapshot: Snapshot, broker: str) -> t.Iterator[StaleEndpoint]:
    own_id = snapshot.submariner.cluster_id if snapshot.submariner else ""
    connected = {entry.cluster_id for gateway in _active(snapshot) for entry in gateway.connections if entry.status == CONNECTED}
    for namespace in dict.fromkeys((own_namespace(snapshot), broker)):
        yield from stale_endpoints([item for item in snapshot.endpoints.items if item.ref.namespace == namespace], own_id, connected)


def why_not_dead(
    cluster_id: str, snapshots: t.Sequence[Snapshot], records: t.Sequence[Record], broker: str, min_age: int, traces: t.Sequence[Trace] = ()
) -> str:
    """Why an id that shows no sign of life must not be taken for dead all the same; "" where it may.

    :param records: of that id, with their origin, on the cluster that is written to.
    :param min_age: seconds for which it may have done nothing, where nothing but silence tells.
    :param traces: of whichever ids.
    """
    if proof_of_death(cluster_id, snapshots, broker):
        return ""
    done = [*(Trace(cluster_id, f"{record} was written", record.changed) for record in records), *(each for each in traces if each.cluster_id == cluster_id)]
    for trace in done:
        age = seconds_between(trace.when, snapshots[0].taken_at)
        if age is None or age < min_age:
            when = f"{duration(age)} ago" if age is not None else "at a time that it does not tell"
            return f"{trace.said} {when}, as by a cluster that lives or joins. Wait until that was {duration(min_age)} ago, or set min_age"
    if any(record.kind == "Endpoint" for record in records) and not any(_active(snapshot) for snapshot in snapshots):
        return f"no active gateway was asked that would be connected to it: {', '.join(snapshot.cluster for snapshot in snapshots)} have none"
    return ""


def only_silent(ids: t.Iterable[str], snapshots: t.Sequence[Snapshot], broker: str) -> tuple[str, ...]:
    """What the removal breaks of ids whose death nothing proves, should they live."""
    return tuple(
        f"nothing but silence says that {cluster_id} is dead. Should it live behind a tunnel that is down, it is cut off until its gateway starts anew, since "
        "nothing before that puts its records back"
        for cluster_id in ids
        if not proof_of_death(cluster_id, snapshots, broker)
    )


def _active(snapshot: Snapshot) -> list[Gateway]:
    return [gateway for gateway in snapshot.gateways.items if gateway.ha_status == "active"]


def interrupts(ids: t.Collection[str], snapshot: Snapshot, broker: str) -> tuple[str, ...]:
    """What the removal of an Endpoint may interrupt: members that hold it drop its routes, and with them those that a living cluster shares with it.

    A member's own subnets do not count in its own namespace: an Endpoint that overlaps them is never taken up (datastoresyncer, shouldSyncRemoteEndpoint).
    """
    own_id = snapshot.submariner.cluster_id if snapshot.submariner else ""
    found: list[str] = []
    for dead in snapshot.endpoints.items:
        if dead.cluster_id not in ids or dead.ref.namespace not in (own_namespace(snapshot), broker):
            continue
        for alive in snapshot.endpoints.items:
            is_own = alive.cluster_id == own_id and alive.ref.namespace != broker
            common = shared(dead, alive) if alive.ref.namespace == dead.ref.namespace and alive.cluster_id not in ids and not is_own else ()
            if common:
                found.append(
                    f"{dead.ref} shares {', '.join(common)} with {alive.cluster_id}, which lives: gateways and route agents drop the routes of the one, and "
                    "maybe those of the other with them until the route agent's pod on the gateway node is restarted"
                )
    return tuple(dict.fromkeys(found))
