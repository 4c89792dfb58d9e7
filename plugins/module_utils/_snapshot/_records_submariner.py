# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Records of Submariner's objects. None holds a secret: token, PSK and CA are never read into a record."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._answers import Ref
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_kubernetes import Condition, Origin


class Submariner(t.NamedTuple):
    """The submariner.io/v1alpha1 Submariner, without its secrets (token, PSK and CA are never read into a record)."""

    ref: Ref
    uid: str
    resource_version: str
    generation: int
    deleting: bool
    cluster_id: str
    version: str
    repository: str
    spec: t.Mapping[str, t.Any]  # whole spec less brokerK8sApiServerToken, brokerK8sCA, ceIPSecPSK
    status_cluster_cidr: str
    status_service_cidr: str
    status_global_cidr: str
    network_plugin: str
    created: str = ""
    conditions: tuple[Condition, ...] = ()
    origin: Origin = Origin()

    @property
    def cluster_cidr(self) -> str:
        return str(self.spec.get("clusterCIDR") or "")

    @property
    def service_cidr(self) -> str:
        return str(self.spec.get("serviceCIDR") or "")

    @property
    def global_cidr(self) -> str:
        return str(self.spec.get("globalCIDR") or "")


class Endpoint(t.NamedTuple):
    """A submariner.io/v1 Endpoint, local or synced from a peer."""

    ref: Ref
    uid: str
    cluster_id: str
    hostname: str
    cable_name: str
    backend: str
    private_ip: str
    public_ip: str
    health_check_ip: str
    subnets: tuple[str, ...]
    created: str
    nat_enabled: bool = False
    backend_config: t.Mapping[str, str] = {}


class SubmarinerCluster(t.NamedTuple):
    """A submariner.io/v1 Cluster."""

    ref: Ref
    cluster_id: str
    cluster_cidrs: tuple[str, ...]
    service_cidrs: tuple[str, ...]
    global_cidrs: tuple[str, ...]
    created: str = ""


class Connection(t.NamedTuple):
    """One entry of Gateway.status.connections."""

    cluster_id: str
    hostname: str
    subnets: tuple[str, ...]
    status: str  # connected, connecting, error, none
    message: str
    using_ip: str
    latency_average: str
    using_nat: bool | None = None
    latency_last: str = ""
    latency_max: str = ""


class Gateway(t.NamedTuple):
    ref: Ref
    ha_status: str
    status_failure: str
    version: str
    local_subnets: tuple[str, ...]
    connections: tuple[Connection, ...]
    updated_at: str = ""  # annotation update-timestamp, RFC 3339 where it is a number of seconds
    private_ips: tuple[str, ...] = ()  # of its host


class RemoteEndpoint(t.NamedTuple):
    """One entry of RouteAgent.status.remoteEndpoints."""

    cluster_id: str
    hostname: str
    subnets: tuple[str, ...]
    health_check_ip: str
    status: str  # connected, connecting, error, none
    message: str
    latency_average: str = ""


class RouteAgent(t.NamedTuple):
    """A submariner.io/v1 RouteAgent (Submariner >= 0.19), named like its node."""

    ref: Ref
    version: str
    status_failure: str
    remote_endpoints: tuple[RemoteEndpoint, ...]


class ServiceDiscovery(t.NamedTuple):
    """submariner.io/v1alpha1 ServiceDiscovery, without its broker token."""

    ref: Ref
    version: str
    globalnet: bool
    custom_domains: tuple[str, ...]
    core_dns_config: str  # "namespace/name" of coreDNSCustomConfig, "" where there is none


class Broker(t.NamedTuple):
    """submariner.io/v1alpha1 Broker: it stands on the cluster that hosts the broker."""

    ref: Ref
    components: tuple[str, ...]
    globalnet: bool
    global_cidr_range: str


class GlobalEgressIP(t.NamedTuple):
    """A ClusterGlobalEgressIP or GlobalEgressIP; ``ref.kind`` tells which."""

    ref: Ref
    allocated_ips: tuple[str, ...]
    conditions: tuple[Condition, ...]


class ServiceExport(t.NamedTuple):
    """multicluster.x-k8s.io ServiceExport."""

    ref: Ref
    conditions: tuple[Condition, ...]


class ServiceImport(t.NamedTuple):
    """multicluster.x-k8s.io ServiceImport; ``clusters`` are those that export it."""

    ref: Ref
    type: str
    clusters: tuple[str, ...]
