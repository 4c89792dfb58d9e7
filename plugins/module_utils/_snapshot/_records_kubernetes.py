# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Records of Kubernetes' own objects, and of RKE2's and OpenShift's descriptions of the network."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._answers import Ref


class Condition(t.NamedTuple):
    """An entry of ``status.conditions``; ``since`` is its lastTransitionTime, RFC 3339."""

    type: str
    status: str  # True, False, Unknown
    reason: str = ""
    message: str = ""
    since: str = ""


class Manager(t.NamedTuple):
    """An entry of ``metadata.managedFields``: who wrote what, last when. ``fields`` are paths such as ``spec.clusterCIDR``, at most three steps deep."""

    name: str
    operation: str  # Apply or Update
    time: str
    subresource: str = ""
    fields: tuple[str, ...] = ()


class Origin(t.NamedTuple):
    """What tells who looks after an object, and would undo a change to it that they do not know of.

    ``labels`` and ``annotations`` hold the keys of package managers, GitOps tools and add-ons alone (``ORIGIN_KEYS`` of ``_projection_values.py``).
    ``owners`` are its ownerReferences as "Kind/name".
    """

    labels: t.Mapping[str, str] = {}
    annotations: t.Mapping[str, str] = {}
    managers: tuple[Manager, ...] = ()
    owners: tuple[str, ...] = ()


class Taint(t.NamedTuple):
    key: str
    value: str
    effect: str


class ContainerStatus(t.NamedTuple):
    """``containerStatuses`` and ``initContainerStatuses`` of a Pod. Times are RFC 3339, "" where there is none."""

    name: str
    ready: bool
    restarts: int
    image: str
    started_at: str = ""  # state.running.startedAt
    waiting_reason: str = ""
    waiting_message: str = ""
    exit_code: int | None = None  # of state.terminated, else of lastState.terminated
    exit_reason: str = ""
    exit_message: str = ""
    finished_at: str = ""
    init: bool = False


class EnvVar(t.NamedTuple):
    """One ``env`` entry of a container: a literal value, or the key of a ConfigMap that it comes from (entries from elsewhere are left out)."""

    name: str
    value: str
    config_map_key: str = ""  # "calico-config/veth_mtu"; the value is "" then


class Container(t.NamedTuple):
    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[EnvVar, ...]

    def env_value(self, name: str) -> str | None:
        """The literal value, None where there is none."""
        return next((entry.value for entry in self.env if entry.name == name and not entry.config_map_key), None)


class Node(t.NamedTuple):
    ref: Ref
    labels: t.Mapping[str, str]
    annotations: t.Mapping[str, str]  # only those of NODE_ANNOTATION_PREFIXES in _projection_nodes.py
    pod_cidrs: tuple[str, ...]
    internal_ips: tuple[str, ...]
    ready: bool | None
    kubelet_version: str
    created: str  # RFC 3339
    conditions: tuple[Condition, ...] = ()
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    external_ips: tuple[str, ...] = ()
    provider_id: str = ""
    boot_id: str = ""
    kernel_version: str = ""
    os_image: str = ""
    operating_system: str = ""
    architecture: str = ""

    def condition(self, name: str) -> Condition | None:
        return next((entry for entry in self.conditions if entry.type == name), None)

    @property
    def is_gateway(self) -> bool:
        """Labelled as a gateway of Submariner (submariner-operator, DaemonSet submariner-gateway's nodeSelector)."""
        return self.labels.get("submariner.io/gateway") == "true"

    @property
    def is_control_plane(self) -> bool:
        return any(f"node-role.kubernetes.io/{role}" in self.labels for role in ("control-plane", "master", "controlplane"))


class Pod(t.NamedTuple):
    """``containers`` and ``labels`` are kept only for pods of the control plane, Calico, DNS and Submariner (the *system* pods)."""

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
    deleting: bool = False
    started_at: str = ""  # status.startTime
    owner: str = ""  # "Kind/name" of its controller
    conditions: tuple[Condition, ...] = ()
    statuses: tuple[ContainerStatus, ...] = ()
    init_containers: tuple[Container, ...] = ()
    revision: str = ""  # label controller-revision-hash: which template of its DaemonSet it was made from
    reason: str = ""  # status.reason, e.g. Evicted
    message: str = ""

    def status(self, container: str) -> ContainerStatus | None:
        return next((entry for entry in self.statuses if entry.name == container), None)


class Service(t.NamedTuple):
    ref: Ref
    cluster_ips: tuple[str, ...]  # without "None" and ""
    type: str = ""
    annotations: t.Mapping[str, str] = {}  # only service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type
    external_ips: tuple[str, ...] = ()  # of status.loadBalancer.ingress


class DaemonSet(t.NamedTuple):
    ref: Ref
    labels: t.Mapping[str, str]
    containers: tuple[Container, ...]
    desired: int
    ready: int
    generation: int = 0
    observed_generation: int = 0
    current: int = 0  # status.currentNumberScheduled
    updated: int = 0
    available: int = 0
    unavailable: int = 0
    misscheduled: int = 0
    max_unavailable: str = ""
    node_selector: t.Mapping[str, str] = {}
    node_affinity: t.Mapping[str, t.Any] = {}  # spec.template.spec.affinity.nodeAffinity as it stands
    tolerations: tuple[t.Mapping[str, t.Any], ...] = ()
    init_containers: tuple[Container, ...] = ()
    template_annotations: t.Mapping[str, str] = {}  # only kubectl.kubernetes.io/restartedAt and hash.operator.tigera.io/*
    created: str = ""
    origin: Origin = Origin()


class Deployment(t.NamedTuple):
    ref: Ref
    containers: tuple[Container, ...]
    replicas: int
    available: int
    labels: t.Mapping[str, str] = {}
    updated: int = 0
    ready: int = 0
    conditions: tuple[Condition, ...] = ()
    created: str = ""
    origin: Origin = Origin()


class ConfigMap(t.NamedTuple):
    """Only ConfigMaps that describe the network are read: calico-config, kubeadm-config, kube-proxy, canal's, rke2's, and those of the cluster's DNS."""

    ref: Ref
    data: t.Mapping[str, str]
    origin: Origin = Origin()


class ServiceCidr(t.NamedTuple):
    """networking.k8s.io ServiceCIDR."""

    ref: Ref
    cidrs: tuple[str, ...]
    ready: bool


class HelmChart(t.NamedTuple):
    """helm.cattle.io HelmChart of RKE2 and k3s; ``set_values`` is ``spec.set``."""

    ref: Ref
    set_values: t.Mapping[str, str]
    version: str = ""  # the chart's, from spec.version or the chart's file name
    failed: str = ""  # the message of a Failed condition


class OpenShiftNetwork(t.NamedTuple):
    """config.openshift.io Network ``cluster``."""

    ref: Ref
    network_type: str
    status_cluster_networks: tuple[str, ...]
    status_service_networks: tuple[str, ...]
    spec_cluster_networks: tuple[str, ...]
    spec_service_networks: tuple[str, ...]


class ApiService(t.NamedTuple):
    """An apiregistration.k8s.io APIService; ``service`` is "namespace/name", "" for a local one."""

    ref: Ref
    service: str
    available: bool | None
    reason: str
    message: str


class HelmChartConfig(t.NamedTuple):
    """helm.cattle.io HelmChartConfig of RKE2 and k3s.

    ``values`` are the leaves of ``valuesContent`` under keys that concern Calico's network (``apiServer``, ``installation``, ``felixConfiguration``,
    ``calico``, ``flannel``), as dotted paths; ``problem`` says why the content is no YAML mapping.
    """

    ref: Ref
    values: t.Mapping[str, str]
    problem: str = ""
    origin: Origin = Origin()


class Namespace(t.NamedTuple):
    ref: Ref
    labels: t.Mapping[str, str]
    deleted_at: str = ""  # metadata.deletionTimestamp
    conditions: tuple[Condition, ...] = ()


class NetworkPolicy(t.NamedTuple):
    """networking.k8s.io/v1 NetworkPolicy. Selectors and rules are as they stand in the object."""

    ref: Ref
    pod_selector: t.Mapping[str, t.Any]
    policy_types: tuple[str, ...]
    ingress: tuple[t.Mapping[str, t.Any], ...]
    egress: tuple[t.Mapping[str, t.Any], ...]


class Event(t.NamedTuple):
    """A Warning event of a namespace of Calico or Submariner."""

    ref: Ref  # of what it is about
    reason: str
    message: str
    count: int
    last_seen: str


class OpenShiftDns(t.NamedTuple):
    """operator.openshift.io DNS ``default``: the zones that it forwards, each with its upstreams."""

    ref: Ref
    forwards: tuple[tuple[str, tuple[str, ...]], ...]


class PodLog(t.NamedTuple):
    """The beginning and the end of one container's log, a bounded number of bytes of each.

    ``ref`` names the Pod; ``previous`` marks the log of the container's last incarnation. ``text`` is the beginning, ``tail`` the end where that is not
    contained in the beginning already. Colour codes are stripped, since the operator writes them even into files.
    """

    ref: Ref
    container: str
    text: str
    tail: str = ""
    previous: bool = False

    @property
    def lines(self) -> tuple[str, ...]:
        return (*self.text.splitlines(), *self.tail.splitlines())
