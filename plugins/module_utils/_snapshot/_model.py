# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What one cluster said at one moment, as immutable records.

Every list is an :class:`Answer`: its records *and* whether the question could be answered at all. A check that needs a
list looks at ``Answer.state`` first, since an empty list that was forbidden is not an empty list. Records keep the fields
that some check reads and no others; field names are those of the Kubernetes API in snake case. No record holds a secret.

The records stand in files by subject; everybody imports them from here.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._answers import (
    FORBIDDEN,
    NOT_READ,
    NOT_SERVED,
    OK,
    TIMED_OUT,
    UNAVAILABLE,
    Answer,
    Ref,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_kubernetes import (
    ApiService,
    Condition,
    ConfigMap,
    Container,
    ContainerStatus,
    DaemonSet,
    Deployment,
    EnvVar,
    Event,
    HelmChart,
    HelmChartConfig,
    Manager,
    Namespace,
    NetworkPolicy,
    Node,
    OpenShiftDns,
    OpenShiftNetwork,
    Origin,
    Pod,
    PodLog,
    Service,
    ServiceCidr,
    Taint,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_calico import (
    CalicoConfiguration,
    CalicoPolicy,
    ClusterInformation,
    DatastoreMigration,
    FelixConfiguration,
    HostEndpoint,
    IPAMBlock,
    IPPool,
    Installation,
    NetworkSet,
    OperatorApiServer,
    Tier,
    TigeraStatus,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_submariner import (
    Broker,
    Connection,
    Endpoint,
    Gateway,
    GlobalEgressIP,
    RemoteEndpoint,
    RouteAgent,
    ServiceDiscovery,
    ServiceExport,
    ServiceImport,
    Submariner,
    SubmarinerCluster,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import NodeProbes

__all__ = (
    "FORBIDDEN",
    "NOT_READ",
    "NOT_SERVED",
    "OK",
    "TIMED_OUT",
    "UNAVAILABLE",
    "Answer",
    "ApiService",
    "Broker",
    "CalicoConfiguration",
    "CalicoPolicy",
    "ClusterInformation",
    "Condition",
    "ConfigMap",
    "Connection",
    "Container",
    "ContainerStatus",
    "DaemonSet",
    "DatastoreMigration",
    "Deployment",
    "Endpoint",
    "EnvVar",
    "Event",
    "FelixConfiguration",
    "Gateway",
    "GlobalEgressIP",
    "HelmChart",
    "HelmChartConfig",
    "HostEndpoint",
    "IPAMBlock",
    "IPPool",
    "Installation",
    "Manager",
    "Namespace",
    "NetworkPolicy",
    "NetworkSet",
    "Node",
    "NodeHost",
    "NodeProbes",
    "OpenShiftDns",
    "OpenShiftNetwork",
    "OperatorApiServer",
    "Origin",
    "Pod",
    "PodLog",
    "Ref",
    "RemoteEndpoint",
    "RouteAgent",
    "Service",
    "ServiceCidr",
    "ServiceDiscovery",
    "ServiceExport",
    "ServiceImport",
    "Snapshot",
    "Statistics",
    "Submariner",
    "SubmarinerCluster",
    "Taint",
    "Tier",
    "TigeraStatus",
)


@dataclass(frozen=True)
class Statistics:
    """What reading cost."""

    requests: int = 0
    bytes_read: int = 0
    retries: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Snapshot:
    """All that one cluster said at one moment. ``where`` is the API server's URL or the bundle's path."""

    cluster: str  # the name that the user knows it by (inventory host, or context)
    where: str
    taken_at: str  # RFC 3339, UTC
    server_version: Answer[str] = Answer()  # one item, e.g. v1.27.9+rke2r1
    nodes: Answer[Node] = Answer()
    pods: Answer[Pod] = Answer()
    services: Answer[Service] = Answer()
    daemon_sets: Answer[DaemonSet] = Answer()
    deployments: Answer[Deployment] = Answer()
    config_maps: Answer[ConfigMap] = Answer()
    service_cidrs: Answer[ServiceCidr] = Answer()
    helm_charts: Answer[HelmChart] = Answer()
    openshift_networks: Answer[OpenShiftNetwork] = Answer()
    ip_pools: Answer[IPPool] = Answer()  # of projectcalico.org/v3 where it answers, else of crd.projectcalico.org/v1
    installations: Answer[Installation] = Answer()
    cluster_informations: Answer[ClusterInformation] = Answer()
    api_services: Answer[ApiService] = Answer()
    submariners: Answer[Submariner] = Answer()
    endpoints: Answer[Endpoint] = Answer()
    submariner_clusters: Answer[SubmarinerCluster] = Answer()
    gateways: Answer[Gateway] = Answer()
    ip_pools_v3: Answer[IPPool] = Answer()  # as projectcalico.org/v3 answered: the API that Submariner's route agent writes to
    ip_pools_v1: Answer[IPPool] = Answer()  # as crd.projectcalico.org/v1 answered: Calico's storage, also where no API server runs
    api_groups: Answer[str] = Answer()  # every group/version of GET /apis, e.g. projectcalico.org/v3
    namespaces: Answer[Namespace] = Answer()
    network_policies: Answer[NetworkPolicy] = Answer()
    helm_chart_configs: Answer[HelmChartConfig] = Answer()
    openshift_dns: Answer[OpenShiftDns] = Answer()
    events: Answer[Event] = Answer()  # warnings of the namespaces of Calico and Submariner
    logs: Answer[PodLog] = Answer()  # of the few pods whose logs tell something; which ones, see _log_targets.py
    tigera_statuses: Answer[TigeraStatus] = Answer()
    operator_api_servers: Answer[OperatorApiServer] = Answer()
    # Of Calico's own kinds: through projectcalico.org/v3 where it answers, else crd.projectcalico.org/v1, as ip_pools.
    felix_configurations: Answer[FelixConfiguration] = Answer()
    bgp_configurations: Answer[CalicoConfiguration] = Answer()
    kube_controllers_configurations: Answer[CalicoConfiguration] = Answer()
    calico_policies: Answer[CalicoPolicy] = Answer()  # NetworkPolicies and GlobalNetworkPolicies, staged ones included
    tiers: Answer[Tier] = Answer()
    host_endpoints: Answer[HostEndpoint] = Answer()
    network_sets: Answer[NetworkSet] = Answer()
    ipam_blocks: Answer[IPAMBlock] = Answer()
    datastore_migrations: Answer[DatastoreMigration] = Answer()
    route_agents: Answer[RouteAgent] = Answer()
    service_discoveries: Answer[ServiceDiscovery] = Answer()
    brokers: Answer[Broker] = Answer()
    global_egress_ips: Answer[GlobalEgressIP] = Answer()
    service_exports: Answer[ServiceExport] = Answer()
    service_imports: Answer[ServiceImport] = Answer()
    node_hosts: Answer[NodeHost] = Answer()  # what module node_info saw on the nodes' own hosts
    node_probes: Answer[NodeProbes] = Answer()  # what probes on the nodes found on the wire
    statistics: Statistics = Statistics()

    @property
    def submariner(self) -> Submariner | None:
        """The Submariner of this cluster, None where it is not installed or could not be read (see ``submariners``)."""
        return next(iter(self.submariners.items), None)
