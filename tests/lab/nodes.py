# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node objects as a kubelet would register them."""

from __future__ import annotations

from tests.lab.client import Object
from tests.lab.info import ClusterInfo, NodeInfo

# What the API server asks the kubelet's address by (--kubelet-preferred-address-types): real nodes have no InternalDNS outside clouds.
KUBELET_ADDRESS_TYPE = "InternalDNS"


def node_object(node: NodeInfo, cluster: ClusterInfo) -> Object:
    """The Node of a NodeInfo."""
    return as_registered(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": node.name, "labels": dict(node.labels), "annotations": dict(node.annotations)},
            "spec": {"taints": list(node.taints)} if node.taints else {},
            "status": {"addresses": [{"type": "InternalIP", "address": node.ip}]},
        },
        cluster,
    )


def as_registered(node: Object, cluster: ClusterInfo) -> Object:
    """A Node with what it leaves open of that which a kubelet reports: labels, capacity, nodeInfo, addresses, the kubelet's port.

    The port is that of the lab's kubelet stand-in, at an extra address of type InternalDNS.
    """
    metadata, status = node["metadata"], node.get("status", {})
    name = metadata["name"]
    addresses = list(status.get("addresses", []))
    kinds = {each["type"] for each in addresses}
    if "Hostname" not in kinds:
        addresses.append({"type": "Hostname", "address": name})
    if KUBELET_ADDRESS_TYPE not in kinds:
        addresses.append({"type": KUBELET_ADDRESS_TYPE, "address": "localhost"})
    resources = {"cpu": "16", "memory": "64Gi", "ephemeral-storage": "200Gi", "pods": "110"}
    return {
        **node,
        "metadata": {
            **metadata,
            "labels": {
                "beta.kubernetes.io/arch": "amd64",
                "beta.kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                **metadata.get("labels", {}),
            },
        },
        "status": {
            "capacity": resources,
            "allocatable": resources,
            **status,
            "addresses": addresses,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": cluster.kubelet_port}},
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": "",
                "containerRuntimeVersion": "containerd://1.7.7-k3s1",
                "kernelVersion": "5.15.0-91-generic",
                "kubeProxyVersion": cluster.kubernetes_version,
                "kubeletVersion": cluster.kubernetes_version,
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "Ubuntu 22.04.3 LTS",
                "systemUUID": "",
                **status.get("nodeInfo", {}),
            },
        },
    }
