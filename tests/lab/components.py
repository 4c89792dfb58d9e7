# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command lines and configuration files of a control plane's processes. Nothing here starts one."""

from __future__ import annotations

import ipaddress
import json
import typing as t
from pathlib import Path

from tests.lab import nodes, pki
from tests.lab.info import ClusterInfo

NODE_MASK = 24
ISSUER = "https://kubernetes.default.svc.cluster.local"

# Plugins that hold an object back, or change it, until a controller has come by; in a cluster at rest none ever does.
CONTROLLED_ADMISSION = ("DefaultTolerationSeconds", "Priority", "ServiceAccount", "TaintNodesByCondition")

# etcd listens on sockets that it makes in its working directory (the cluster's folder): no port to race for, and no other user can read Secrets.
# Of a cluster that was planted at rest: what moves workloads, and what of nodes, namespaces and owners. It is paused while something is planted, which
# must not look like the death of all nodes.
AWAKE_CONTROLLERS = (
    "daemonset-controller", "deployment-controller", "replicaset-controller", "node-lifecycle-controller", "taint-eviction-controller",
    "namespace-controller", "garbage-collector-controller", "pod-garbage-collector-controller", "disruption-controller",
    "endpointslice-controller", "endpoints-controller",
)  # fmt: skip
_AWAKE = (
    f"--controllers={','.join(AWAKE_CONTROLLERS)}",
    "--use-service-account-credentials=false",
    "--allocate-node-cidrs=false",
    "--node-monitor-grace-period=1h",
)

ETCD_CLIENTS = "unix://etcd:1"
ETCD_PEERS = "unix://etcd:2"

# One event a write, when it has been answered. Reads would drown them, and watch loops of the components read all the time.
# Nothing routes to the addresses of Services in the lab: what the API server asks of the cluster's network goes through a proxy (egress.py).
EGRESS_FILE = "egress.json"
EGRESS_SOCKET = "egress.sock"
EGRESS = {
    "apiVersion": "apiserver.k8s.io/v1beta1",
    "kind": "EgressSelectorConfiguration",
    "egressSelections": [
        {"name": "cluster", "connection": {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": EGRESS_SOCKET}}}},
    ],
}

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]},
        {"level": "None"},
    ],
}


def etcd() -> list[str]:
    """Data that need not outlive the machine's next crash: no fsync."""
    return [
        "--name=lab",
        "--data-dir=etcd",
        "--unsafe-no-fsync",
        f"--listen-client-urls={ETCD_CLIENTS}",
        f"--advertise-client-urls={ETCD_CLIENTS}",
        f"--listen-peer-urls={ETCD_PEERS}",
        f"--initial-advertise-peer-urls={ETCD_PEERS}",
        f"--initial-cluster=lab={ETCD_PEERS}",
        "--log-level=warn",
    ]


def apiserver(cluster: ClusterInfo, port: int) -> list[str]:
    """The front-proxy flags are for the aggregated Calico API, which a Service of type ExternalName localhost reaches.

    The advertised address is the first node's, as on a real cluster: it ends up in the Endpoints of ``default/kubernetes``.
    """
    return [
        f"--etcd-servers={ETCD_CLIENTS}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--advertise-address={cluster.nodes[0].ip}",
        "--cert-dir=apiserver",
        "--tls-cert-file=pki/apiserver.crt",
        "--tls-private-key-file=pki/apiserver.key",
        "--client-ca-file=pki/ca.crt",
        f"--service-cluster-ip-range={cluster.service_cidr}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        *([f"--disable-admission-plugins={','.join(CONTROLLED_ADMISSION)}"] if cluster.at_rest else []),
        "--allow-privileged=true",
        f"--service-account-issuer={ISSUER}",
        "--service-account-key-file=pki/service-account.key",
        "--service-account-signing-key-file=pki/service-account.key",
        "--requestheader-client-ca-file=pki/front-proxy-ca.crt",
        f"--requestheader-allowed-names={pki.FRONT_PROXY_USER}",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--proxy-client-cert-file=pki/front-proxy-client.crt",
        "--proxy-client-key-file=pki/front-proxy-client.key",
        "--kubelet-client-certificate=pki/kubelet-client.crt",
        "--kubelet-client-key=pki/kubelet-client.key",
        "--kubelet-certificate-authority=pki/ca.crt",
        f"--kubelet-preferred-address-types={nodes.KUBELET_ADDRESS_TYPE}",
        *([f"--egress-selector-config-file={EGRESS_FILE}"] if cluster.awake else []),
        "--audit-policy-file=audit-policy.json",
        "--audit-log-path=audit.log",
        "--audit-log-mode=blocking",
        "--audit-log-maxsize=10000",
        "--profiling=false",
    ]


def controller_manager(cluster: ClusterInfo) -> list[str]:
    mask = max(NODE_MASK, ipaddress.ip_network(cluster.pod_cidr).prefixlen)
    return [
        "--kubeconfig=pki/kube-controller-manager.kubeconfig",
        "--secure-port=0",
        "--leader-elect=false",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        *(_AWAKE if cluster.awake else ("--use-service-account-credentials=true", "--allocate-node-cidrs=true")),
        f"--cluster-cidr={cluster.pod_cidr}",
        f"--node-cidr-mask-size={mask}",
        f"--service-cluster-ip-range={cluster.service_cidr}",
        f"--cluster-name={cluster.name}",
        "--root-ca-file=pki/ca.crt",
        "--cluster-signing-cert-file=pki/ca.crt",
        "--cluster-signing-key-file=pki/ca.key",
        "--service-account-private-key-file=pki/service-account.key",
        "--profiling=false",
    ]


def scheduler() -> list[str]:
    return ["--kubeconfig=pki/kube-scheduler.kubeconfig", "--secure-port=0", "--leader-elect=false", "--profiling=false"]


def kwok(cluster: ClusterInfo, stages: t.Iterable[Path]) -> list[str]:
    return [
        "--kubeconfig=pki/kwok.kubeconfig",
        "--manage-all-nodes=true",
        f"--cidr={pod_address_pool(cluster.pod_cidr)}",
        "--node-lease-duration-seconds=40",
        *(f"--config={path}" for path in stages),
    ]


def pod_address_pool(pod_cidr: str) -> str:
    """kwok's ``--cidr``: it hands out addresses from the given one upwards.

    The first lies five eighths into the pod CIDR, whereas kube-controller-manager deals out node CIDRs from its bottom: pods are outside
    their node's podCIDR, as with Calico's IPAM.
    """
    network = ipaddress.ip_network(pod_cidr)
    return f"{network[network.num_addresses * 5 // 8 + 1]}/{network.prefixlen}"


def stages(*folders: Path) -> list[Path]:
    """The Stage files of some folders; a later folder's file replaces an earlier one of the same name."""
    chosen = {path.name: path for folder in folders for path in sorted(folder.glob("*.yaml"))}
    return [chosen[name] for name in sorted(chosen)]


def write_files(cluster: ClusterInfo, stand_ins: t.Iterable[str]) -> None:
    """All that the processes read, and the administrator's kubeconfig."""
    cluster.dir.mkdir(parents=True, exist_ok=True)
    cluster.dir.chmod(0o700)
    pki.create(cluster.pki, cluster.service_cidr, stand_ins)
    (cluster.dir / "audit-policy.json").write_text(json.dumps(AUDIT_POLICY, indent=1), encoding="utf-8")
    if cluster.awake:
        (cluster.dir / EGRESS_FILE).write_text(json.dumps(EGRESS), encoding="utf-8")
    write_kubeconfigs(cluster)


def write_kubeconfigs(cluster: ClusterInfo) -> None:
    """Those of the components, and the administrator's; again when the port has changed."""
    for name in ("kube-controller-manager", "kube-scheduler", "kwok"):
        pki.kubeconfig(cluster.pki / f"{name}.kubeconfig", cluster.pki, name, cluster.name, cluster.server)
    pki.kubeconfig(cluster.kubeconfig, cluster.pki, "admin", cluster.name, cluster.server)
