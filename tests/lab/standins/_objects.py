# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Submariner's objects and where they are: names, paths, and the specs that gateways publish.

Imitates submariner pkg/apis/submariner.io/v1 (types.go, endpoint.go), pkg/endpoint/local_endpoint.go and pkg/gateway/gateway.go
at v0.19.0-rc3; the parts used here are the same in v0.16.
"""

from __future__ import annotations

import ipaddress
import json
import re
import typing as t

from tests.lab.client import ApiError, Client
from tests.lab.info import ClusterInfo, LabError, LabInfo
from tests.lab.standins._version import SubmarinerVersion

Object = dict[str, t.Any]

NAMESPACE = "submariner-operator"
BROKER_NAMESPACE = "submariner-k8s-broker"
OPERATOR = "submariner-operator"
GATEWAY = "submariner-gateway"
ROUTE_AGENT = "submariner-routeagent"
METRICS_PROXY = "submariner-metrics-proxy"
LIGHTHOUSE_AGENT = "submariner-lighthouse-agent"
LIGHTHOUSE_COREDNS = "submariner-lighthouse-coredns"
UNINSTALL = "-uninstall"

CLEANUP_FINALIZER = "controllers.submariner.io/cleanup"
CLUSTER_ID_LABEL = "submariner-io/clusterID"
GATEWAY_NODE_LABEL = "submariner.io/gateway"
GATEWAY_CONFIG_PREFIX = "gateway.submariner.io/"
GATEWAY_CONFIG_KEYS = ("udp-port", "natt-discovery-port", "public-ip", "preferred-server")
UPDATE_TIMESTAMP = "update-timestamp"
# Ours: says that a stand-in has played the one-time task of an uninstall pod's init container, which kwok only pretends to have run.
UNINSTALLED = "lab.fathom.submariner/uninstalled"

SUBMARINERS = f"/apis/submariner.io/v1alpha1/namespaces/{NAMESPACE}/submariners"
SERVICE_DISCOVERIES = f"/apis/submariner.io/v1alpha1/namespaces/{NAMESPACE}/servicediscoveries"
GATEWAYS = f"/apis/submariner.io/v1/namespaces/{NAMESPACE}/gateways"
ROUTE_AGENTS = f"/apis/submariner.io/v1/namespaces/{NAMESPACE}/routeagents"
ENDPOINTS = f"/apis/submariner.io/v1/namespaces/{NAMESPACE}/endpoints"
CLUSTERS = f"/apis/submariner.io/v1/namespaces/{NAMESPACE}/clusters"
DAEMON_SETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
NODES = "/api/v1/nodes"
IPPOOLS = "/apis/projectcalico.org/v3/ippools"

# Calico's vxlan.calico and tunl0, as calico-node writes them to its Node (calico node/pkg/allocateip).
_TUNNEL_ANNOTATIONS = ("projectcalico.org/IPv4VXLANTunnelAddr", "projectcalico.org/IPv4IPIPTunnelAddr")
_UDP_PORT = "4500"
_NATT_DISCOVERY_PORT = "4490"


class EndpointError(Exception):
    """Why a gateway cannot describe itself; the text is upstream's, and the gateway ends with it."""


def environment(pod: Object) -> dict[str, str]:
    """The literal environment of a pod's components: of its first container, or in an uninstall pod of the init container."""
    spec = pod["spec"]
    container = spec["containers"][0]
    if pod["metadata"].get("labels", {}).get("app", "").endswith(UNINSTALL):
        container = spec["initContainers"][0]
    return {each["name"]: each.get("value", "") for each in container.get("env") or ()}


def ipv4_subnets(text: str) -> list[str]:
    """The IPv4 CIDRs of a comma list, as cidr.ExtractIPv4Subnets."""
    return [each for each in (part.strip() for part in text.split(",")) if _network(each) and ":" not in each]


def overlap(subnets: t.Iterable[str], others: t.Iterable[str]) -> bool:
    """Whether any CIDR of the one list shares an address with any of the other."""
    right = [network for network in map(_network, others) if network]
    return any(left.version == each.version and left.overlaps(each) for left in map(_network, subnets) if left for each in right)


def internal_ip(node: Object) -> str:
    """The node's InternalIP, or ""."""
    return _address(node, "InternalIP")


def cni_address(node: Object, cluster_cidr: str) -> str:
    """The first IPv4 address on the node's interfaces that lies in the pod CIDR, or "" (pkg/cni/cni_iface.go Discover).

    The interfaces that a Node object tells of: its own address and Calico's tunnels; and, where Calico has none, the bridge of
    a CNI that takes the first address of ``spec.podCIDR``.
    """
    annotations = node["metadata"].get("annotations") or {}
    addresses = [internal_ip(node), *(annotations.get(each, "") for each in _TUNNEL_ANNOTATIONS)]
    if not any(addresses[1:]) and not any(key.startswith("projectcalico.org/") for key in annotations):
        pods = _network(node["spec"].get("podCIDR", ""))
        addresses.append(str(pods[1]) if pods else "")
    ranges = [network for network in map(_network, ipv4_subnets(cluster_cidr)) if network]
    return next((each for each in addresses if each and any(ipaddress.ip_address(each) in network for network in ranges)), "")


def cni_error(cluster_cidr: str) -> str:
    """What cni.Discover says when it finds no interface; the list is printed as Go's ``%q`` does."""
    printed = " ".join(json.dumps(each) for each in cluster_cidr.split(",") if each)
    return f"unable to find CNI Interface on the host which has IP from [{printed}]"


def local_endpoint(pod: Object, node: Object) -> Object:
    """The spec of the Endpoint that a gateway pod publishes for its cluster.

    :raises EndpointError: when upstream's gateway would end instead.
    """
    env = environment(pod)
    cluster_id, private_ip = env["SUBMARINER_CLUSTERID"], internal_ip(node)
    globalnet = bool(env.get("SUBMARINER_GLOBALCIDR"))
    if globalnet:
        subnets = env["SUBMARINER_GLOBALCIDR"].split(",")
    else:
        subnets = ipv4_subnets(env.get("SUBMARINER_SERVICECIDR", "")) + ipv4_subnets(env.get("SUBMARINER_CLUSTERCIDR", ""))
    spec = {
        "backend": env.get("SUBMARINER_CABLEDRIVER") or "libreswan",
        "backend_config": _backend_config(node, env),
        "cable_name": f"submariner-cable-{cluster_id}-{private_ip.replace('.', '-')}",
        "cluster_id": cluster_id,
        "hostname": node["metadata"]["name"],
        "nat_enabled": env.get("SUBMARINER_NATENABLED") == "true",
        "private_ip": private_ip,
        "public_ip": "",
        "subnets": subnets,
    }
    spec["public_ip"] = _public_ip(node, spec["backend_config"], env.get("AIR_GAPPED_DEPLOYMENT") == "true")
    if env.get("SUBMARINER_HEALTHCHECKENABLED") == "true" and not globalnet:
        cluster_cidr = env.get("SUBMARINER_CLUSTERCIDR", "")
        address = cni_address(node, cluster_cidr)
        if not address:
            raise EndpointError(
                f"error getting CNI Interface IP address: {cni_error(cluster_cidr)}."
                "Please disable the health check if your CNI does not expose a pod IP on the nodes"
            )
        spec["healthCheckIP"] = address
    return spec


def same_endpoint(one: Object, other: Object) -> bool:
    """Whether two specs are of the same Endpoint: subnets do not count (endpoint.go EndpointSpec.Equals)."""
    keys = ("cluster_id", "cable_name", "hostname", "backend", "backend_config")
    return all(one.get(key) == other.get(key) for key in keys)


def endpoint_name(spec: Object) -> str:
    """``<cluster>-<cable>`` as a DNS label (endpoint.go GenerateName)."""
    return re.sub(r"[^-a-z0-9.]", "-", f"{spec['cluster_id']}-{spec['cable_name']}".lower())


def endpoint(spec: Object) -> Object:
    return {"apiVersion": "submariner.io/v1", "kind": "Endpoint", "metadata": {"name": endpoint_name(spec)}, "spec": spec}


def cluster(env: t.Mapping[str, str]) -> Object:
    """The Cluster object of a gateway's environment (gateway.go submarinerClusterFrom)."""
    cluster_id = env["SUBMARINER_CLUSTERID"]
    return {
        "apiVersion": "submariner.io/v1",
        "kind": "Cluster",
        "metadata": {"name": cluster_id},
        "spec": {
            "cluster_id": cluster_id,
            "color_codes": ["blue"],
            "service_cidr": ipv4_subnets(env.get("SUBMARINER_SERVICECIDR", "")),
            "cluster_cidr": ipv4_subnets(env.get("SUBMARINER_CLUSTERCIDR", "")),
            "global_cidr": [each for each in env.get("SUBMARINER_GLOBALCIDR", "").split(",") if each],
        },
    }


def mark_uninstalled(client: Client, pod: Object) -> None:
    """Says that the one-time task of an uninstall pod is done, unless the operator has given up meanwhile."""
    try:
        client.merge_patch(f"{PODS}/{pod['metadata']['name']}", {"metadata": {"annotations": {UNINSTALLED: "true"}}})
    except ApiError as error:
        if not error.not_found:
            raise


def broker_of(lab: LabInfo, api_server: str) -> ClusterInfo | None:
    """The lab's cluster behind a ``brokerK8sApiServer`` (host and port, with or without scheme), or None."""
    wanted = api_server.partition("://")[2] or api_server
    return next((each for each in lab.clusters if each.server.partition("://")[2] == wanted.rstrip("/")), None)


def played_version(pod: Object, cluster_info: ClusterInfo) -> SubmarinerVersion:
    """The release that a pod's image names, else the cluster's.

    :raises LabError: when neither is a version.
    """
    image = pod["spec"]["containers"][0]["image"]
    if pod["metadata"].get("labels", {}).get("app", "").endswith(UNINSTALL):
        image = pod["spec"]["initContainers"][0]["image"]
    found = SubmarinerVersion.of_image(image) or SubmarinerVersion.parse(cluster_info.submariner_version)
    if found is None:
        raise LabError(f"{cluster_info.name}: neither image {image} nor {cluster_info.submariner_version!r} names a Submariner version to play")
    return found


def build_version(pod: Object) -> str:
    """What a component calls its own version: the tag of its image, with a ``v`` before a number."""
    tag = pod["spec"]["containers"][0]["image"].rpartition(":")[2]
    return f"v{tag}" if tag[:1].isdigit() else tag


def is_ready(pod: Object) -> bool:
    """Whether a pod is Ready and not on its way out."""
    return not is_going(pod) and any(
        each["type"] == "Ready" and each["status"] == "True" for each in pod.get("status", {}).get("conditions") or ()
    )


def is_going(obj: Object) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def with_label(pods: t.Iterable[Object], app: str) -> list[Object]:
    """The pods labelled ``app=<app>``, oldest first."""
    chosen = [pod for pod in pods if (pod["metadata"].get("labels") or {}).get("app") == app]
    return sorted(chosen, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))


def pod_fingerprint(pod: Object) -> t.Any:
    """What of a pod the stand-ins act on; not its clocks."""
    metadata, status = pod["metadata"], pod.get("status", {})
    return (
        metadata.get("deletionTimestamp"),
        metadata.get("labels"),
        metadata.get("annotations"),
        pod["spec"].get("nodeName"),
        [(each["type"], each["status"]) for each in status.get("conditions") or ()],
        [(each["restartCount"], each.get("state", {}).keys()) for each in status.get("containerStatuses") or ()],
    )


def _backend_config(node: Object, env: t.Mapping[str, str]) -> dict[str, str]:
    config: dict[str, str] = {}
    for source in (node["metadata"].get("labels") or {}, node["metadata"].get("annotations") or {}):
        for key, value in source.items():
            if not key.startswith(GATEWAY_CONFIG_PREFIX):
                continue
            name = key[len(GATEWAY_CONFIG_PREFIX) :]
            if name not in GATEWAY_CONFIG_KEYS:
                raise EndpointError(f"unknown config annotation {json.dumps(key)} on node {json.dumps(node['metadata']['name'])}")
            config[name] = value
    config.setdefault("udp-port", env.get("CE_IPSEC_NATTPORT") or _UDP_PORT)
    config.setdefault("natt-discovery-port", _NATT_DISCOVERY_PORT)
    config.setdefault("preferred-server", env.get("CE_IPSEC_PREFERREDSERVER") or "false")
    return config


def _public_ip(node: Object, config: t.Mapping[str, str], air_gapped: bool) -> str:
    for resolver in config.get("public-ip", "").split(","):
        method, colon, value = resolver.strip().partition(":")
        if method == "ipv4" and colon:
            return value
    if air_gapped:
        return ""
    # Where upstream asks echo services on the internet, the lab's answer is the ExternalIP, or an address of RFC 5737's TEST-NET-3.
    return _address(node, "ExternalIP") or f"203.0.113.{internal_ip(node).rpartition('.')[2]}"


def _address(node: Object, kind: str) -> str:
    return next((each["address"] for each in node.get("status", {}).get("addresses") or () if each["type"] == kind), "")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
