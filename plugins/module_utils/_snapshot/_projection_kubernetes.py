# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Kubernetes' own objects but nodes, from raw JSON to records.

Everything that could carry a credential passes an allow-list here, not a deny-list: ConfigMap keys, annotations and labels are kept by name.
A secret of a kind that nobody thought of is thus dropped as well.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    ApiService,
    Condition,
    ConfigMap,
    DaemonSet,
    Deployment,
    Event,
    Namespace,
    Pod,
    Ref,
    Service,
    ServiceCidr,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_containers import cni_summary, container_statuses, containers_at
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_origin import origin
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import (
    JsonObject,
    condition,
    condition_holds,
    condition_of,
    conditions_of,
    flag_at,
    integer_at,
    interned,
    object_at,
    objects_at,
    ref_of,
    repeated_text_map_at,
    shared,
    text_at,
    text_map_at,
    texts_at,
    value_at,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import redacted_message, redacted_text

CONFIG_MAP_KEYS = frozenset(
    (
        "ClusterConfiguration",  # kubeadm-config
        "config.conf",  # kube-proxy
        "kube-proxy-config.yaml",  # proxy-config
        "net-conf.json",  # canal and flannel
        "cluster_type",  # calico-config
        "calico_backend",
        "veth_mtu",
        "typha_service_name",
        "net_cidr",  # ovn-config
        "svc_cidr",
        "Corefile",  # coredns, rke2-coredns-rke2-coredns, nodelocaldns
        "lighthouse.server",  # what Submariner writes for --coredns-custom-configmap
    )
)
# Labels of pods of which everything is kept; which of them are read, and how many, is said in _requests.py.
SYSTEM_PODS: t.Mapping[str, frozenset[str]] = {
    "component": frozenset(("kube-apiserver", "kube-controller-manager", "kube-proxy")),
    "k8s-app": frozenset(
        (
            "kube-proxy",
            "kube-dns",
            "nodelocaldns",
            "node-local-dns",
            "calico-node",
            "calico-typha",
            "calico-kube-controllers",
            "calico-apiserver",
            "tigera-operator",
            "csi-node-driver",
            "canal",
            "cilium",
        )
    ),
    "app": frozenset(
        (
            "submariner-gateway",
            "submariner-routeagent",
            "submariner-globalnet",
            "submariner-metrics-proxy",
            "submariner-lighthouse-agent",
            "submariner-lighthouse-coredns",
            "ovnkube-node",
            "kindnet",
        )
    ),
    "name": frozenset(("submariner-operator", "weave-net")),
}
SERVICE_ANNOTATIONS = ("service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type",)
TEMPLATE_ANNOTATIONS = ("kubectl.kubernetes.io/restartedAt", "hash.operator.tigera.io/")
REVISION = "controller-revision-hash"
LONGEST_TEXT = 2000  # characters of a message in an event or a pod's status


def is_system_pod(labels: t.Mapping[str, str]) -> bool:
    return any(labels.get(key) in values for key, values in SYSTEM_PODS.items())


def _controller(metadata: JsonObject) -> str:
    owners = objects_at(metadata, "ownerReferences")
    owner = next((entry for entry in owners if entry.get("controller") is True), None)
    return interned(f"{text_at(owner, 'kind')}/{text_at(owner, 'name')}") if owner else ""


def pod(obj: JsonObject) -> Pod:
    metadata, spec, status = object_at(obj, "metadata"), object_at(obj, "spec"), object_at(obj, "status")
    labels = repeated_text_map_at(metadata, "labels")
    system = is_system_pod(labels)
    conditions = objects_at(status, "conditions")
    ips = tuple(ip for ip in (text_at(entry, "ip") for entry in objects_at(status, "podIPs")) if ip)
    single = text_at(status, "podIP")
    return Pod(
        ref=ref_of(obj, "Pod"),
        uid=text_at(metadata, "uid"),
        node=interned(text_at(spec, "nodeName")),
        host_network=flag_at(spec, "hostNetwork"),
        phase=interned(text_at(status, "phase")),
        ready=any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in conditions),
        ips=ips or ((single,) if single else ()),
        labels=labels if system else {},
        containers=containers_at(spec, "containers") if system else (),
        restarts=sum(integer_at(entry, "restartCount") for entry in objects_at(status, "containerStatuses")),
        created=interned(text_at(metadata, "creationTimestamp")),
        deleting=bool(text_at(metadata, "deletionTimestamp")),
        started_at=interned(text_at(status, "startTime")),
        owner=_controller(metadata) if system else "",
        conditions=_telling(conditions) if system else (),
        statuses=container_statuses(obj) if system else (),
        init_containers=containers_at(spec, "initContainers") if system else (),
        revision=labels.get(REVISION, "") if system else "",
        reason=text_at(status, "reason"),
        message=redacted_message(text_at(status, "message"))[:LONGEST_TEXT],
    )


def _telling(conditions: list[dict[str, t.Any]]) -> tuple[Condition, ...]:
    """Ready, and what is not as it should be: a running pod's other conditions say nothing more."""
    return shared(tuple(condition(entry) for entry in conditions if entry.get("type") == "Ready" or entry.get("status") != "True"))


def service(obj: JsonObject) -> Service:
    ips = texts_at(obj, "spec", "clusterIPs") or (text_at(obj, "spec", "clusterIP"),)
    annotations = text_map_at(obj, "metadata", "annotations")
    ingress = objects_at(obj, "status", "loadBalancer", "ingress")
    return Service(
        ref=ref_of(obj, "Service"),
        cluster_ips=tuple(ip for ip in ips if ip not in ("", "None")),
        type=text_at(obj, "spec", "type"),
        annotations={key: value for key, value in annotations.items() if key in SERVICE_ANNOTATIONS},
        external_ips=tuple(address for address in (text_at(entry, "ip") or text_at(entry, "hostname") for entry in ingress) if address),
    )


def daemon_set(obj: JsonObject) -> DaemonSet:
    template = object_at(obj, "spec", "template", "spec")
    containers, init_containers = containers_at(template, "containers"), containers_at(template, "initContainers")
    annotations = text_map_at(obj, "spec", "template", "metadata", "annotations")
    status = object_at(obj, "status")
    return DaemonSet(
        ref=ref_of(obj, "DaemonSet"),
        labels=text_map_at(obj, "metadata", "labels"),
        # calico-node's configuration of the CNI plugin stands in its init container install-cni.
        containers=(*containers, *init_containers),
        desired=integer_at(status, "desiredNumberScheduled"),
        ready=integer_at(status, "numberReady"),
        generation=integer_at(obj, "metadata", "generation"),
        observed_generation=integer_at(status, "observedGeneration"),
        current=integer_at(status, "currentNumberScheduled"),
        updated=integer_at(status, "updatedNumberScheduled"),
        available=integer_at(status, "numberAvailable"),
        unavailable=integer_at(status, "numberUnavailable"),
        misscheduled=integer_at(status, "numberMisscheduled"),
        max_unavailable=text_at(obj, "spec", "updateStrategy", "rollingUpdate", "maxUnavailable"),
        node_selector=text_map_at(template, "nodeSelector"),
        node_affinity=object_at(template, "affinity", "nodeAffinity"),
        tolerations=tuple(objects_at(template, "tolerations")),
        init_containers=init_containers,
        template_annotations={key: value for key, value in annotations.items() if key.startswith(TEMPLATE_ANNOTATIONS)},
        created=text_at(obj, "metadata", "creationTimestamp"),
        origin=origin(obj),
    )


def deployment(obj: JsonObject) -> Deployment:
    replicas = value_at(obj, "spec", "replicas")
    return Deployment(
        ref=ref_of(obj, "Deployment"),
        containers=containers_at(obj, "spec", "template", "spec", "containers"),
        replicas=replicas if isinstance(replicas, int) else 1,  # the API's default
        available=integer_at(obj, "status", "availableReplicas"),
        labels=text_map_at(obj, "metadata", "labels"),
        updated=integer_at(obj, "status", "updatedReplicas"),
        ready=integer_at(obj, "status", "readyReplicas"),
        conditions=conditions_of(obj),
        created=text_at(obj, "metadata", "creationTimestamp"),
        origin=origin(obj),
    )


def config_map(obj: JsonObject) -> ConfigMap:
    data = text_map_at(obj, "data")
    kept = {key: redacted_text(value, assigned=True) for key, value in data.items() if key in CONFIG_MAP_KEYS}
    if "cni_network_config" in data:
        kept["cni_network_config"] = cni_summary(data["cni_network_config"])
    return ConfigMap(ref=ref_of(obj, "ConfigMap"), data=kept, origin=origin(obj))


def service_cidr(obj: JsonObject) -> ServiceCidr:
    return ServiceCidr(ref=ref_of(obj, "ServiceCIDR"), cidrs=texts_at(obj, "spec", "cidrs"), ready=condition_holds(obj, "Ready") is True)


def namespace(obj: JsonObject) -> Namespace:
    return Namespace(
        ref=ref_of(obj, "Namespace"),
        labels=text_map_at(obj, "metadata", "labels"),
        deleted_at=text_at(obj, "metadata", "deletionTimestamp"),
        conditions=conditions_of(obj),
    )


def event(obj: JsonObject) -> Event:
    """A core/v1 Event; one that was written through events.k8s.io has its count and time in ``series`` and ``eventTime``."""
    about = object_at(obj, "involvedObject")
    last_seen = text_at(obj, "series", "lastObservedTime") or text_at(obj, "lastTimestamp") or text_at(obj, "eventTime")
    return Event(
        ref=Ref(text_at(about, "kind") or "Event", text_at(about, "name"), text_at(about, "namespace")),
        reason=text_at(obj, "reason"),
        message=redacted_message(text_at(obj, "message"))[:LONGEST_TEXT],
        count=integer_at(obj, "series", "count") or integer_at(obj, "count") or 1,
        last_seen=last_seen or text_at(obj, "metadata", "creationTimestamp"),
    )


def api_service(obj: JsonObject) -> ApiService:
    namespace_of, name = text_at(obj, "spec", "service", "namespace"), text_at(obj, "spec", "service", "name")
    available = condition_of(obj, "Available")
    return ApiService(
        ref=ref_of(obj, "APIService"),
        service=f"{namespace_of}/{name}" if name else "",
        available=condition_holds(obj, "Available"),
        reason=text_at(available, "reason"),
        message=redacted_message(text_at(available, "message")),
    )
