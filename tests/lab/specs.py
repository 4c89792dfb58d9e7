# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clusters that a lab is asked to boot."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from tests.lab.info import NodeInfo

# The clusters of incident 001, so that a lab without an incident looks the same.
DEFAULT_KUBERNETES = "v1.27.9+rke2r1"
DEFAULT_SUBMARINER = "0.18.1"
DEFAULT_CIDRS = (("10.46.0.0/16", "10.45.0.0/16"), ("10.42.0.0/16", "10.43.0.0/16"))


@dataclasses.dataclass(frozen=True)
class ClusterSpec:
    """A cluster to boot: the fields of ClusterInfo that do not depend on the machine."""

    name: str
    pod_cidr: str
    service_cidr: str
    kubernetes_version: str = DEFAULT_KUBERNETES
    submariner_version: str = DEFAULT_SUBMARINER
    nodes: tuple[NodeInfo, ...] = ()
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    at_rest: bool = False
    awake: bool = False


def cluster_spec(raw: dict[str, t.Any]) -> ClusterSpec:
    """One entry of ``clusters``. Raises ValueError for a CIDR that is none and TypeError for an unknown key."""
    spec = ClusterSpec(**{**raw, "nodes": tuple(NodeInfo(**each) for each in raw.get("nodes", ()))})
    ipaddress.ip_network(spec.pod_cidr)
    ipaddress.ip_network(spec.service_cidr)
    return spec if spec.nodes else dataclasses.replace(spec, nodes=(_default_node(spec.name, spec.pod_cidr),))


def default_clusters(count: int, kubernetes_version: str | None = None, submariner_version: str | None = None) -> tuple[ClusterSpec, ...]:
    """Clusters for a lab without an incident: those of incident 001 first, then more with CIDRs that overlap with none."""
    cidrs = [*DEFAULT_CIDRS, *((f"10.{100 + 2 * n}.0.0/16", f"10.{101 + 2 * n}.0.0/16") for n in range(max(0, count - len(DEFAULT_CIDRS))))]
    return tuple(
        cluster_spec(
            {
                "name": f"cluster-{n}",
                "pod_cidr": pods,
                "service_cidr": services,
                "kubernetes_version": kubernetes_version or DEFAULT_KUBERNETES,
                "submariner_version": submariner_version or DEFAULT_SUBMARINER,
            }
        )
        for n, (pods, services) in enumerate(cidrs[:count], start=1)
    )


def _default_node(cluster: str, pod_cidr: str) -> NodeInfo:
    octet = pod_cidr.split(".")[1]
    roles = {f"node-role.kubernetes.io/{each}": "true" for each in ("control-plane", "etcd", "master")}
    return NodeInfo(f"{cluster}-server-1", f"192.168.{octet}.11", roles)
