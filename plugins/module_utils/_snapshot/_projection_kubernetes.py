# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Kubernetes' own objects (and RKE2's and OpenShift's descriptions of the network), from raw JSON to records.

Everything that could carry a credential passes an allow-list here, not a deny-list: environment variables, ConfigMap keys, Helm values and
node arguments are kept by name. A secret of a kind that nobody thought of is thus dropped as well.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    ApiService,
    ConfigMap,
    Container,
    DaemonSet,
    Deployment,
    EnvVar,
    HelmChart,
    Node,
    OpenShiftNetwork,
    Pod,
    Service,
    ServiceCidr,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import (
    JsonObject,
    condition_holds,
    condition_of,
    flag_at,
    integer_at,
    objects_at,
    ref_of,
    text_at,
    text_map_at,
    text_of,
    texts_at,
    value_at,
)

ENVIRONMENT = frozenset(
    (
        "SUBMARINER_CLUSTERCIDR",
        "SUBMARINER_SERVICECIDR",
        "SUBMARINER_GLOBALCIDR",
        "SUBMARINER_CLUSTERID",
        "SUBMARINER_NAMESPACE",
        "SUBMARINER_NETWORKPLUGIN",
        "SUBMARINER_CABLEDRIVER",
        "SUBMARINER_NATENABLED",
        "SUBMARINER_HEALTHCHECKENABLED",
        "AIR_GAPPED_DEPLOYMENT",
        "CE_IPSEC_NATTPORT",
        "CE_IPSEC_FORCEENCAPS",
        "CALICO_IPV4POOL_CIDR",
        "CALICO_IPV6POOL_CIDR",
        "CALICO_NETWORKING_BACKEND",
        "CLUSTER_TYPE",
        "DATASTORE_TYPE",
        "IP",
        "IP_AUTODETECTION_METHOD",
        "IPALLOC_RANGE",
        "POD_SUBNET",
    )
)
PROXY_ENVIRONMENT = frozenset(("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"))
CNI_TYPE = re.compile(r'"type"\s*:\s*"([a-z0-9-]+)"')
URL_PASSWORD = re.compile(r"(?<=:)[^:/@\s]*(?=@)")
NODE_ANNOTATION_PREFIXES = ("k3s.io/", "rke2.io/", "projectcalico.org/", "gateway.submariner.io/", "submariner.io/")
NODE_ARGUMENTS = ("rke2.io/node-args", "k3s.io/node-args")
NODE_ENVIRONMENTS = ("rke2.io/node-env", "k3s.io/node-env")
SECRET_OPTION = re.compile(r"^--?[a-z0-9-]*(token|secret|password|passphrase|access-key|datastore-endpoint)[a-z0-9-]*$", re.IGNORECASE)
CONFIG_MAP_KEYS = frozenset(
    (
        "ClusterConfiguration",  # kubeadm-config
        "config.conf",  # kube-proxy
        "net-conf.json",  # canal and flannel
        "cluster_type",  # calico-config
        "calico_backend",
        "veth_mtu",
        "typha_service_name",
        "net_cidr",  # ovn-config
        "svc_cidr",
    )
)
HELM_VALUES = ("global.clusterCIDR", "global.serviceCIDR", "global.clusterDNS", "global.clusterDomain")
# The pods whose command lines, environment and labels some check or Submariner's own discovery looks at.
SYSTEM_PODS: t.Mapping[str, frozenset[str]] = {
    "component": frozenset(("kube-apiserver", "kube-controller-manager", "kube-proxy")),
    "k8s-app": frozenset(("kube-proxy", "calico-node", "calico-typha", "calico-kube-controllers", "calico-apiserver", "canal", "cilium")),
    "app": frozenset(("submariner-gateway", "submariner-routeagent", "submariner-globalnet", "ovnkube-node", "kindnet")),
    "name": frozenset(("submariner-operator", "weave-net")),
}
MASK = "********"


def masked_arguments(annotation: str) -> str:
    """The JSON list of ``rke2.io/node-args`` with the values of options that name a secret masked.

    RKE2 masks those that it knows itself (k3s pkg/nodeconfig); an argument list that is no JSON list is dropped.
    """
    try:
        arguments = json.loads(annotation)
    except ValueError:
        return ""
    if not isinstance(arguments, list):
        return ""
    kept: list[str] = []
    for argument in map(text_of, arguments):
        option, equals, _value = argument.partition("=")
        if equals and SECRET_OPTION.match(option):
            kept.append(f"{option}={MASK}")
        elif kept and SECRET_OPTION.match(kept[-1]) and not argument.startswith("-"):
            kept.append(MASK)
        else:
            kept.append(argument)
    return json.dumps(kept)


def _node_annotations(obj: JsonObject) -> dict[str, str]:
    kept = {}
    for key, value in text_map_at(obj, "metadata", "annotations").items():
        if key in NODE_ARGUMENTS:
            kept[key] = masked_arguments(value)
        elif key.startswith(NODE_ANNOTATION_PREFIXES) and key not in NODE_ENVIRONMENTS:
            kept[key] = value
    return kept


def node(obj: JsonObject) -> Node:
    pod_cidrs = texts_at(obj, "spec", "podCIDRs")
    single = text_at(obj, "spec", "podCIDR")
    addresses = objects_at(obj, "status", "addresses")
    return Node(
        ref=ref_of(obj, "Node"),
        labels=text_map_at(obj, "metadata", "labels"),
        annotations=_node_annotations(obj),
        pod_cidrs=pod_cidrs or ((single,) if single else ()),
        internal_ips=tuple(text_at(entry, "address") for entry in addresses if entry.get("type") == "InternalIP"),
        ready=condition_holds(obj, "Ready"),
        kubelet_version=text_at(obj, "status", "nodeInfo", "kubeletVersion"),
        created=text_at(obj, "metadata", "creationTimestamp"),
    )


def plugin_types(cni_configuration: str) -> str:
    """What tells the IPAM apart in a CNI configuration: every ``"type"`` in it, and nothing else of it.

    The text is no JSON while it holds placeholders such as ``"mtu": __CNI_MTU__``, and it may hold tokens and keys of etcd.
    """
    return ", ".join(f'"type": "{name}"' for name in CNI_TYPE.findall(cni_configuration))


def _environment(entries: t.Iterable[dict[str, t.Any]]) -> t.Iterator[EnvVar]:
    for entry in entries:
        name, value = text_at(entry, "name"), text_at(entry, "value")
        if entry.get("valueFrom"):
            continue
        if name in ENVIRONMENT:
            yield EnvVar(name, value)
        elif name == "CNI_NETWORK_CONFIG":
            yield EnvVar(name, plugin_types(value))
        elif name in PROXY_ENVIRONMENT:
            yield EnvVar(name, URL_PASSWORD.sub(MASK, value))


def container(obj: JsonObject) -> Container:
    return Container(
        name=text_at(obj, "name"),
        image=text_at(obj, "image"),
        command=texts_at(obj, "command"),
        args=texts_at(obj, "args"),
        env=tuple(_environment(objects_at(obj, "env"))),
    )


def pod(obj: JsonObject) -> Pod:
    labels = text_map_at(obj, "metadata", "labels")
    is_system = any(labels.get(key) in values for key, values in SYSTEM_PODS.items())
    ips = tuple(ip for ip in (text_at(entry, "ip") for entry in objects_at(obj, "status", "podIPs")) if ip)
    single = text_at(obj, "status", "podIP")
    return Pod(
        ref=ref_of(obj, "Pod"),
        uid=text_at(obj, "metadata", "uid"),
        node=text_at(obj, "spec", "nodeName"),
        host_network=flag_at(obj, "spec", "hostNetwork"),
        phase=text_at(obj, "status", "phase"),
        ready=condition_holds(obj, "Ready") is True,
        ips=ips or ((single,) if single else ()),
        labels=labels if is_system else {},
        containers=tuple(map(container, objects_at(obj, "spec", "containers"))) if is_system else (),
        restarts=sum(integer_at(entry, "restartCount") for entry in objects_at(obj, "status", "containerStatuses")),
        created=text_at(obj, "metadata", "creationTimestamp"),
    )


def service(obj: JsonObject) -> Service:
    ips = texts_at(obj, "spec", "clusterIPs") or (text_at(obj, "spec", "clusterIP"),)
    return Service(ref=ref_of(obj, "Service"), cluster_ips=tuple(ip for ip in ips if ip not in ("", "None")))


def daemon_set(obj: JsonObject) -> DaemonSet:
    return DaemonSet(
        ref=ref_of(obj, "DaemonSet"),
        labels=text_map_at(obj, "metadata", "labels"),
        # calico-node's configuration of the CNI plugin stands in its init container install-cni.
        containers=tuple(
            container(entry) for part in ("containers", "initContainers") for entry in objects_at(obj, "spec", "template", "spec", part)
        ),
        desired=integer_at(obj, "status", "desiredNumberScheduled"),
        ready=integer_at(obj, "status", "numberReady"),
        generation=integer_at(obj, "metadata", "generation"),
        observed_generation=integer_at(obj, "status", "observedGeneration"),
    )


def deployment(obj: JsonObject) -> Deployment:
    replicas = value_at(obj, "spec", "replicas")
    return Deployment(
        ref=ref_of(obj, "Deployment"),
        containers=tuple(map(container, objects_at(obj, "spec", "template", "spec", "containers"))),
        replicas=replicas if isinstance(replicas, int) else 1,  # the API's default
        available=integer_at(obj, "status", "availableReplicas"),
    )


def config_map(obj: JsonObject) -> ConfigMap:
    data = text_map_at(obj, "data")
    kept = {key: value for key, value in data.items() if key in CONFIG_MAP_KEYS}
    if "cni_network_config" in data:
        kept["cni_network_config"] = plugin_types(data["cni_network_config"])
    return ConfigMap(ref=ref_of(obj, "ConfigMap"), data=kept)


def service_cidr(obj: JsonObject) -> ServiceCidr:
    return ServiceCidr(ref=ref_of(obj, "ServiceCIDR"), cidrs=texts_at(obj, "spec", "cidrs"), ready=condition_holds(obj, "Ready") is True)


def helm_chart(obj: JsonObject) -> HelmChart:
    values = text_map_at(obj, "spec", "set")
    return HelmChart(ref=ref_of(obj, "HelmChart"), set_values={key: value for key, value in values.items() if key.startswith(HELM_VALUES)})


def openshift_network(obj: JsonObject) -> OpenShiftNetwork:
    def networks(part: str) -> tuple[str, ...]:
        return tuple(cidr for cidr in (text_at(entry, "cidr") for entry in objects_at(obj, part, "clusterNetwork")) if cidr)

    return OpenShiftNetwork(
        ref=ref_of(obj, "Network"),
        network_type=text_at(obj, "status", "networkType") or text_at(obj, "spec", "networkType"),
        status_cluster_networks=networks("status"),
        status_service_networks=texts_at(obj, "status", "serviceNetwork"),
        spec_cluster_networks=networks("spec"),
        spec_service_networks=texts_at(obj, "spec", "serviceNetwork"),
    )


def api_service(obj: JsonObject) -> ApiService:
    namespace, name = text_at(obj, "spec", "service", "namespace"), text_at(obj, "spec", "service", "name")
    condition = condition_of(obj, "Available")
    return ApiService(
        ref=ref_of(obj, "APIService"),
        service=f"{namespace}/{name}" if name else "",
        available=condition_holds(obj, "Available"),
        reason=text_at(condition, "reason"),
        message=text_at(condition, "message"),
    )
