# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Submariner's operator, gateways, route agents and broker have made of the Submariner resources of clusters at rest.

The same objects as the stand-ins of a living lab write, by the same functions (see ``standins/_workloads.py`` and ``standins/_objects.py`` for the
upstream files that they imitate), all at once and all consistent: every gateway is connected with every other cluster's.
"""

from __future__ import annotations

import dataclasses
import typing as t

from tests.lab.client import Object
from tests.lab.info import ClusterInfo, LabError
from tests.lab.standins import _objects as names
from tests.lab.standins import _status
from tests.lab.standins._cables import using
from tests.lab.standins._pools import pool
from tests.lab.standins._version import SubmarinerVersion
from tests.lab.standins._workloads import Workloads
from tests.lab.standins.route_agent import remote_endpoint
from tests.lab.templates import Values

LATENCY = {"last": "1.24ms", "min": "0.91ms", "average": "1.31ms", "max": "2.48ms", "stdDev": "0.19ms"}
NO_UID = {"uid": ""}


@dataclasses.dataclass(frozen=True)
class Member:
    """One joined cluster.

    :ivar submariner: its Submariner resource, spec only.
    :ivar nodes: its Node objects.
    :ivar values: its template variables, for moments.
    """

    cluster: ClusterInfo
    submariner: Object
    nodes: tuple[Object, ...]
    values: Values

    @property
    def id(self) -> str:
        return str(self.submariner["spec"]["clusterID"])

    @property
    def version(self) -> SubmarinerVersion:
        found = SubmarinerVersion.parse(self.submariner["spec"]["version"])
        if found is None:
            raise LabError(f"{self.cluster.name}: spec.version {self.submariner['spec']['version']!r} of its Submariner is no version to play")
        return found

    @property
    def network(self) -> dict[str, str]:
        """What the operator notes in the status: the spec is explicit in every layout."""
        spec = self.submariner["spec"]
        return {"clusterCIDR": spec["clusterCIDR"], "serviceCIDR": spec["serviceCIDR"], "networkPlugin": "calico"}

    @property
    def workloads(self) -> Workloads:
        owner = {**self.submariner, "metadata": {**self.submariner["metadata"], **NO_UID}}
        return Workloads(owner, self.network, self.version, {})

    @property
    def gateways(self) -> list[Object]:
        """The nodes that carry the gateway's label; the first leads."""
        return [each for each in self.nodes if each["metadata"]["labels"].get(names.GATEWAY_NODE_LABEL) == "true"]

    def endpoint(self) -> Object:
        """The spec of its Endpoint."""
        return names.local_endpoint(_pod(self.workloads.gateway()), self.gateways[0])


def objects(member: Member, others: t.Sequence[Member]) -> list[Object]:
    """Everything in namespace submariner-operator of one cluster, and its pools for the others' subnets."""
    since = {"since": member.values["days_ago_10"]}
    gateway, agent = member.workloads.gateway(), member.workloads.route_agent()
    daemon_sets = [gateway, agent, member.workloads.metrics_proxy()]
    gateways = _gateways(member, others)
    found = [_with_status(member, gateway, agent, gateways)]
    found += [{**each, "at_rest": since} for each in daemon_sets]
    found += [member.workloads.gateway_service()]
    if member.submariner["spec"].get("serviceDiscoveryEnabled"):
        found += [{**each, "at_rest": since} for each in _discovery(member)]
    for each in (member, *others):
        found += _records(each, names.NAMESPACE, synced=each is not member)
    found += gateways
    if member.version.agents_check_health:
        found += _route_agents(member, others)
    for other in others:
        found += [_stored_pool(member, other, subnet) for subnet in names.ipv4_subnets(",".join(other.endpoint()["subnets"]))]
    return found


def broker_objects(members: t.Sequence[Member]) -> list[Object]:
    """What the members have published at the broker."""
    return [record for each in members for record in _records(each, names.BROKER_NAMESPACE, synced=True)]


def _with_status(member: Member, gateway: Object, agent: Object, gateways: list[Object]) -> Object:
    """The Submariner resource as its operator reports it."""
    sets = {}
    for daemon_set, count in ((gateway, len(member.gateways)), (agent, len(member.nodes))):
        keys = ("currentNumberScheduled", "desiredNumberScheduled", "numberAvailable", "numberReady", "updatedNumberScheduled")
        counted = {**dict.fromkeys(keys, count), "numberMisscheduled": 0, "observedGeneration": 1}
        sets[daemon_set["metadata"]["name"]] = {**daemon_set, "metadata": {**daemon_set["metadata"], "resourceVersion": "1"}, "status": counted}
    status = _status.status(
        member.submariner["spec"], member.network, sets[names.GATEWAY], sets[names.ROUTE_AGENT], {names.GATEWAY: [], names.ROUTE_AGENT: []}, gateways
    )
    return {**member.submariner, "status": status}


def _discovery(member: Member) -> list[Object]:
    discovery = member.workloads.service_discovery()
    owner = {**discovery, "metadata": {**discovery["metadata"], **NO_UID}}
    made = member.workloads
    return [
        discovery,
        made.lighthouse_config(owner),
        made.lighthouse_agent(owner),
        made.lighthouse_coredns(owner),
        *made.lighthouse_services(owner),
    ]


def _records(member: Member, namespace: str, *, synced: bool) -> list[Object]:
    """Cluster and Endpoint of a member; a copy that admiral has synced says whose it is."""
    found = []
    for each in (names.cluster(_environment(member)), names.endpoint(member.endpoint())):
        labels = {"labels": {names.CLUSTER_ID_LABEL: member.id}} if synced else {}
        found.append({**each, "metadata": {**each["metadata"], "namespace": namespace, **labels}})
    return found


def _gateways(member: Member, others: t.Sequence[Member]) -> list[Object]:
    found = []
    for number, node in enumerate(member.gateways):
        local = names.local_endpoint(_pod(member.workloads.gateway()), node)
        connections = [_connection(local, other.endpoint()) for other in others] if number == 0 else []
        metadata = {
            "name": node["metadata"]["name"],
            "namespace": names.NAMESPACE,
            "annotations": {names.UPDATE_TIMESTAMP: str(int(member.values.now.timestamp()))},
        }
        status = {
            "version": f"v{member.version}",
            "haStatus": "passive" if number else "active",
            "localEndpoint": local,
            "statusFailure": "",
            "connections": connections,
        }
        found.append({"apiVersion": "submariner.io/v1", "kind": "Gateway", "metadata": metadata, "status": status})
    return found


def _connection(local: Object, remote: Object) -> Object:
    address, nat = using(remote, local)
    return {
        "endpoint": remote,
        "status": "connected",
        "statusMessage": f"Connected to {address}:{remote['backend_config']['udp-port']} - encryption alg=AES_GCM_16, keysize=128 rekey-time=11233",
        "usingIP": address,
        "usingNAT": nat,
        "latencyRTT": LATENCY if local.get("healthCheckIP") and remote.get("healthCheckIP") else {},
    }


def _route_agents(member: Member, others: t.Sequence[Member]) -> list[Object]:
    environment = names.environment(_pod(member.workloads.route_agent()))
    endpoints = [names.endpoint(each.endpoint()) for each in (member, *others)]
    found = []
    for node in member.nodes:
        name = node["metadata"]["name"]
        remotes = []
        for other in others:
            entry = remote_endpoint(environment, name, other.endpoint(), endpoints)
            remotes.append({**entry, "latencyRTT": LATENCY} if entry["status"] == "connected" else entry)
        status = {"version": f"v{member.version}", "statusFailure": "", "remoteEndpoints": remotes}
        metadata = {"name": name, "namespace": names.NAMESPACE}
        found.append({"apiVersion": "submariner.io/v1", "kind": "RouteAgent", "metadata": metadata, "status": status})
    return found


def _stored_pool(member: Member, other: Member, subnet: str) -> Object:
    """A pool for a remote subnet with what Calico's API server fills in."""
    made = pool(other.id, subnet, member.version)
    defaults = {"allowedUses": ["Workload", "Tunnel"], "blockSize": 26, "ipipMode": "Never", "nodeSelector": "all()", "vxlanMode": "Never"}
    return {**made, "spec": {**defaults, **made["spec"]}}


def _environment(member: Member) -> dict[str, str]:
    return names.environment(_pod(member.workloads.gateway()))


def _pod(daemon_set: Object) -> Object:
    return {"metadata": {"labels": daemon_set["spec"]["template"]["metadata"]["labels"]}, "spec": daemon_set["spec"]["template"]["spec"]}
