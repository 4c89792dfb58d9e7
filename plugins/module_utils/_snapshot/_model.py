# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What one cluster said at one moment, as immutable records.

Every list is an :class:`Answer`: its records *and* whether the question could be answered at all. A check that needs a
list looks at ``Answer.state`` first, since an empty list that was forbidden is not an empty list. Records keep the fields
that some check reads and no others; field names are those of the Kubernetes API in snake case. No record holds a secret.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

T = t.TypeVar("T")

OK = "ok"
FORBIDDEN = "forbidden"  # 401 or 403: these credentials may not ask
NOT_SERVED = "not_served"  # the API group or kind does not exist on this cluster
UNAVAILABLE = "unavailable"  # 5xx, refused connection, broken body, after all retries
TIMED_OUT = "timed_out"  # the total deadline passed first
NOT_READ = "not_read"  # nobody asked, or the bundle's format does not hold it


@dataclass(frozen=True)
class Answer(t.Generic[T]):
    """What came back for one question.

    ``state`` is one of the constants above; ``where`` names the question (``GET /api/v1/nodes``, or a file of a bundle);
    ``detail`` is the reason in words when ``state`` is not ``ok``.
    """

    state: str = NOT_READ
    items: tuple[T, ...] = ()
    where: str = ""
    detail: str = ""

    @property
    def ok(self) -> bool:
        return self.state == OK

    @property
    def known(self) -> bool:
        """True when the items are all there are: listed, or the kind does not exist on this cluster at all."""
        return self.state in (OK, NOT_SERVED)


class Ref(t.NamedTuple):
    """Names one object, as evidence prints it."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class EnvVar(t.NamedTuple):
    """One ``env`` entry of a container that has a literal value (entries with valueFrom are left out)."""

    name: str
    value: str


class Container(t.NamedTuple):
    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[EnvVar, ...]

    def env_value(self, name: str) -> str | None:
        return next((entry.value for entry in self.env if entry.name == name), None)


class Node(t.NamedTuple):
    ref: Ref
    labels: t.Mapping[str, str]
    annotations: t.Mapping[str, str]  # only rke2.io/*, k3s.io/*, projectcalico.org/*, gateway.submariner.io/*, submariner.io/*
    pod_cidrs: tuple[str, ...]
    internal_ips: tuple[str, ...]
    ready: bool | None
    kubelet_version: str
    created: str  # RFC 3339


class Pod(t.NamedTuple):
    """``containers`` and ``labels`` are kept only for pods of the control plane, Calico and Submariner."""

    ref: Ref
    uid: str
    node: str
    host_network: bool
    phase: str
    ready: bool
    ips: tuple[str, ...]
    labels: t.Mapping[str, str] = {}
    containers: tuple[Container, ...] = ()
    restarts: int = 0
    created: str = ""


class Service(t.NamedTuple):
    ref: Ref
    cluster_ips: tuple[str, ...]  # without "None" and ""


class DaemonSet(t.NamedTuple):
    ref: Ref
    labels: t.Mapping[str, str]
    containers: tuple[Container, ...]
    desired: int
    ready: int
    generation: int = 0
    observed_generation: int = 0


class Deployment(t.NamedTuple):
    ref: Ref
    containers: tuple[Container, ...]
    replicas: int
    available: int


class ConfigMap(t.NamedTuple):
    """Only ConfigMaps that describe the network are read: calico-config, kubeadm-config, kube-proxy, canal's, rke2's."""

    ref: Ref
    data: t.Mapping[str, str]


class ServiceCidr(t.NamedTuple):
    """networking.k8s.io ServiceCIDR."""

    ref: Ref
    cidrs: tuple[str, ...]
    ready: bool


class HelmChart(t.NamedTuple):
    """helm.cattle.io HelmChart of RKE2 and k3s; ``set_values`` is ``spec.set``."""

    ref: Ref
    set_values: t.Mapping[str, str]


class OpenShiftNetwork(t.NamedTuple):
    """config.openshift.io Network ``cluster``."""

    ref: Ref
    network_type: str
    status_cluster_networks: tuple[str, ...]
    status_service_networks: tuple[str, ...]
    spec_cluster_networks: tuple[str, ...]
    spec_service_networks: tuple[str, ...]


class IPPool(t.NamedTuple):
    """A Calico IPPool; ``api_version`` tells through which API it was read."""

    ref: Ref
    api_version: str  # projectcalico.org/v3 or crd.projectcalico.org/v1
    uid: str
    resource_version: str
    labels: t.Mapping[str, str]  # v3's, also where v1 keeps them in annotation projectcalico.org/metadata (facts 5.6)
    cidr: str
    disabled: bool
    nat_outgoing: bool
    disable_bgp_export: bool
    vxlan_mode: str
    ipip_mode: str
    allowed_uses: tuple[str, ...]

    @property
    def is_submariner(self) -> bool:
        """True for a pool that Submariner's route agent made (label, or its naming scheme)."""
        return self.labels.get("submariner.io/ippool") == "true" or self.ref.name.startswith("submariner-")


class Installation(t.NamedTuple):
    """operator.tigera.io Installation; the pools are CIDRs from status.computed and from spec."""

    ref: Ref
    annotations: t.Mapping[str, str]
    provider: str
    cni_type: str
    ipam_type: str
    computed_pools: tuple[str, ...]
    spec_pools: tuple[str, ...]
    calico_version: str
    bgp: str = ""  # calicoNetwork.bgp: Enabled, Disabled, "" where unsaid


class ClusterInformation(t.NamedTuple):
    ref: Ref
    calico_version: str
    cluster_type: str


class ApiService(t.NamedTuple):
    """An apiregistration.k8s.io APIService; ``service`` is "namespace/name", "" for a local one."""

    ref: Ref
    service: str
    available: bool | None
    reason: str
    message: str


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


class SubmarinerCluster(t.NamedTuple):
    """A submariner.io/v1 Cluster."""

    ref: Ref
    cluster_id: str
    cluster_cidrs: tuple[str, ...]
    service_cidrs: tuple[str, ...]
    global_cidrs: tuple[str, ...]


class Connection(t.NamedTuple):
    """One entry of Gateway.status.connections."""

    cluster_id: str
    hostname: str
    subnets: tuple[str, ...]
    status: str  # connected, connecting, error, none
    message: str
    using_ip: str
    latency_average: str


class Gateway(t.NamedTuple):
    ref: Ref
    ha_status: str
    status_failure: str
    version: str
    local_subnets: tuple[str, ...]
    connections: tuple[Connection, ...]


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
    statistics: Statistics = Statistics()

    @property
    def submariner(self) -> Submariner | None:
        """The Submariner of this cluster, None where it is not installed or could not be read (see ``submariners``)."""
        return next(iter(self.submariners.items), None)
