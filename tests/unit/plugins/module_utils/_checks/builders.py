# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters as records: a healthy RKE2 cluster with Calico and Submariner, and ways to break it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import card_of
from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_cluster, judge_clusterset
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    NOT_SERVED,
    OK,
    Answer,
    ClusterInformation,
    Connection,
    Container,
    DaemonSet,
    Deployment,
    Endpoint,
    EnvVar,
    Gateway,
    HelmChart,
    Installation,
    IPPool,
    Node,
    Pod,
    Ref,
    Service,
    Snapshot,
    Submariner,
    SubmarinerCluster,
)

NAMESPACE = "submariner-operator"
PODS = {"cluster-1": "10.46.0.0/16", "cluster-2": "10.42.0.0/16"}
SERVICES = {"cluster-1": "10.45.0.0/16", "cluster-2": "10.43.0.0/16"}
OTHER = {"cluster-1": "cluster-2", "cluster-2": "cluster-1"}


def ok(*items, where="GET /test"):
    return Answer(OK, tuple(items), where)


def answer(state, where="GET /test", detail="as the test wants"):
    return Answer(state, (), where, detail)


def not_served():
    return answer(NOT_SERVED)


def pool(
    name,
    cidr,
    *,
    disabled=True,
    nat_outgoing=False,
    disable_bgp_export=True,
    labels=None,
    allowed_uses=("Workload", "Tunnel"),
    vxlan_mode="Never",
    ipip_mode="Never",
    **fields,
):
    return IPPool(
        Ref("IPPool", name),
        "projectcalico.org/v3",
        f"uid-{name}",
        "1",
        labels or {},
        cidr,
        disabled,
        nat_outgoing,
        disable_bgp_export,
        vxlan_mode,
        ipip_mode,
        allowed_uses,
        **fields,
    )


def remote_pool(cluster_id, cidr, **fields):
    return pool(f"submariner-{cluster_id}-{cidr.replace('/', '-')}", cidr, labels={"submariner.io/ippool": "true"}, **fields)


def local_pool(cidr):
    return pool("default-ipv4-ippool", cidr, disabled=False, nat_outgoing=True, disable_bgp_export=False, vxlan_mode="Always")


def container(name, command=(), args=(), **env):
    return Container(name, f"{name}:test", tuple(command), tuple(args), tuple(EnvVar(key, value) for key, value in env.items()))


def pod(namespace, name, ip, *, labels=None, containers=(), host_network=False, ready=True, restarts=0, node="node-1"):
    return Pod(Ref("Pod", name, namespace), f"uid-{name}", node, host_network, "Running", ready, (ip,), labels or {}, tuple(containers), restarts)


def component(name, *args, command=None):
    """A static pod of the control plane, as RKE2 makes them: the binary in command, all options in args."""
    return pod(
        "kube-system", name, "192.168.0.1", labels={"component": name}, containers=[container(name, command or [name], args)], host_network=True
    )


def endpoint(cluster_id, *subnets, namespace=NAMESPACE):
    name = f"{cluster_id}-submariner-cable-{cluster_id}-192-168-0-1"
    return Endpoint(
        Ref("Endpoint", name, namespace), f"uid-{name}", cluster_id, f"host-{cluster_id}", name, "libreswan", "192.168.0.1", "", "", subnets, ""
    )


def connection(cluster_id, status="connected", message=""):
    return Connection(cluster_id, f"host-{cluster_id}", (), status, message, "192.168.0.2", "1ms")


def gateway(*connections, ha_status="active", failure="", node="node-1", version="0.19.0", updated_at=""):
    return Gateway(Ref("Gateway", node, NAMESPACE), ha_status, failure, f"v{version}", (), connections, updated_at)


def deployment(name, *, replicas=1, available=1, image=None, namespace=NAMESPACE):
    return Deployment(Ref("Deployment", name, namespace), (container(name)._replace(image=image or f"{name}:test"),), replicas, available)


def daemon_set(name, pods="", services="", *, desired=1, ready=1):
    env = {"SUBMARINER_CLUSTERCIDR": pods, "SUBMARINER_SERVICECIDR": services}
    return DaemonSet(Ref("DaemonSet", name, NAMESPACE), {"app": name}, (container(name, **env),), desired, ready, 1, 1)


def calico_node(**fields):
    """The operator's DaemonSet, on every node of the cluster and ready there."""
    healthy = {
        "generation": 1,
        "observed_generation": 1,
        "current": 1,
        "updated": 1,
        "available": 1,
        "max_unavailable": "1",
        "node_selector": {"kubernetes.io/os": "linux"},
        "tolerations": ({"operator": "Exists", "effect": "NoSchedule"}, {"operator": "Exists", "effect": "NoExecute"}),
    }
    return DaemonSet(Ref("DaemonSet", "calico-node", "calico-system"), {"k8s-app": "calico-node"}, (container("calico-node"),), 1, 1, **{**healthy, **fields})


def tigera_operator(version="v1.30.7"):
    image = container("tigera-operator")._replace(image=f"quay.io/tigera/operator:{version}")
    return Deployment(Ref("Deployment", "tigera-operator", "tigera-operator"), (image,), 1, 1)


def calico_pod(node="node-1", *, ready=True, **fields):
    made = pod("calico-system", f"calico-node-{node}", "192.168.0.1", labels={"k8s-app": "calico-node"}, host_network=True, ready=ready, node=node)
    return made._replace(**{"owner": "DaemonSet/calico-node", "created": "2025-12-01T00:00:00Z", **fields})


def agent(name, pods, services, *, ready=True, restarts=0):
    env = {"SUBMARINER_CLUSTERCIDR": pods, "SUBMARINER_SERVICECIDR": services}
    return pod(
        NAMESPACE,
        f"{name}-abcde",
        "192.168.0.1",
        labels={"app": name},
        containers=[container(name, **env)],
        host_network=True,
        ready=ready,
        restarts=restarts,
    )


def node(name="node-1", pod_cidr="", node_args=("server",), kubelet="v1.27.9+rke2r1"):
    annotations = {"projectcalico.org/IPv4Address": "192.168.0.1/24"}
    if node_args:
        annotations["rke2.io/node-args"] = json.dumps(list(node_args))
    return Node(Ref("Node", name), {}, annotations, (pod_cidr,) if pod_cidr else (), ("192.168.0.1",), True, kubelet, "2026-01-01T00:00:00Z")


def submariner(name, *, said=None, said_services=None, pinned="", pinned_services="", version="0.19.0", health_check=True, plugin="calico", **spec):
    full = {
        "clusterCIDR": pinned,
        "serviceCIDR": pinned_services,
        "connectionHealthCheck": {"enabled": health_check} if health_check else {"intervalSeconds": 1},
        **spec,
    }
    return Submariner(
        Ref("Submariner", "submariner", NAMESPACE),
        f"uid-{name}",
        "1",
        1,
        False,
        name,
        version,
        "quay.io/submariner",
        full,
        PODS[name] if said is None else said,
        SERVICES[name] if said_services is None else said_services,
        str(spec.get("globalCIDR") or ""),
        plugin,
    )


def cluster(name="cluster-1", *, joined=None, remote=None, announced=None, pools=None, **changes):
    """A healthy member of a set of two.

    :param joined: its Submariner, False for none.
    :param remote: subnets of the other cluster as this one holds them.
    :param announced: subnets of its own Endpoint.
    :param pools: remote pools instead of those for ``remote``.
    :param changes: fields of the Snapshot instead of the healthy ones.
    """
    other = OTHER[name]
    joined = submariner(name) if joined is None else joined
    remote = (SERVICES[other], PODS[other]) if remote is None else remote
    said, services = (joined.status_cluster_cidr, joined.status_service_cidr) if joined else ("", "")
    announced = (services, said) if announced is None else announced
    pools = [remote_pool(other, cidr) for cidr in remote] if pools is None else pools
    pod_network = PODS[name].removesuffix("0.0/16")
    fields = {
        "server_version": ok("v1.27.9+rke2r1"),
        "nodes": ok(node(pod_cidr=PODS[name].replace("/16", "/24"))._replace(labels={"submariner.io/gateway": "true"} if joined else {})),
        "pods": ok(
            component("kube-controller-manager", f"--cluster-cidr={PODS[name]}", f"--service-cluster-ip-range={SERVICES[name]}"),
            component("kube-apiserver", f"--service-cluster-ip-range={SERVICES[name]}"),
            component("kube-proxy", f"--cluster-cidr={PODS[name]}", "--proxy-mode=iptables"),
            pod("shop", "web-1", f"{pod_network}181.193"),
            pod("shop", "web-2", f"{pod_network}181.194"),
            agent("submariner-gateway", said, services),
            agent("submariner-routeagent", said, services),
            calico_pod(),
        ),
        "services": ok(Service(Ref("Service", "kubernetes", "default"), (SERVICES[name].replace("0.0/16", "0.1"),))),
        "daemon_sets": ok(
            calico_node(),
            *([daemon_set("submariner-gateway", said, services), daemon_set("submariner-routeagent", said, services)] if joined else []),
        ),
        "deployments": ok(tigera_operator(), deployment("submariner-operator")) if joined else ok(tigera_operator()),
        "config_maps": ok(),
        "service_cidrs": not_served(),
        "helm_charts": ok(
            HelmChart(Ref("HelmChart", "rke2-calico", "kube-system"), {"global.clusterCIDR": PODS[name], "global.serviceCIDR": SERVICES[name]})
        ),
        "openshift_networks": not_served(),
        "ip_pools": ok(local_pool(PODS[name]), *(pools if joined else [])),
        "ip_pools_v3": ok(local_pool(PODS[name]), *(pools if joined else [])),
        "ip_pools_v1": ok(local_pool(PODS[name]), *(pools if joined else [])),
        "installations": ok(
            Installation(
                Ref("Installation", "default"),
                {},
                "RKE2",
                "Calico",
                "Calico",
                (PODS[name],),
                (PODS[name],),
                "v3.26.3",
                "Disabled",
                computed={"calicoNetwork": {"nodeAddressAutodetectionV4": {"kubernetes": "NodeInternalIP"}}},
                variant="Calico",
            )
        ),
        "cluster_informations": ok(ClusterInformation(Ref("ClusterInformation", "default"), "v3.26.3", "k8s,operator")),
        "api_services": ok(),
        "submariners": ok(joined) if joined else not_served(),
        "endpoints": ok(endpoint(name, *announced), endpoint(other, *remote)) if joined else not_served(),
        "submariner_clusters": ok(
            SubmarinerCluster(Ref("Cluster", name, NAMESPACE), name, (said,), (services,), ()),
            SubmarinerCluster(Ref("Cluster", other, NAMESPACE), other, (PODS[other],), (SERVICES[other],), ()),
        )
        if joined
        else not_served(),
        "gateways": ok(gateway(connection(other), version=joined.version)) if joined else not_served(),
    }
    empty = {entry.name: ok() for entry in dataclasses.fields(Snapshot) if isinstance(entry.default, Answer)}
    # Documents of nodes are optional: nobody gave any.
    unserved = {"datastore_migrations": not_served(), "node_hosts": Answer(), "node_probes": Answer()}
    return Snapshot(name, "https://test.invalid:6443", "2026-01-01T00:00:00Z", **{**empty, **unserved, **fields, **changes})


def broken(name="cluster-1", other_broken=True, **changes):
    """Incident 001: told a node's /24, everything agrees on it."""
    other = OTHER[name]
    told = submariner(name, said=PODS[name].replace("/16", "/24"), version="0.17.3", health_check=False)
    remote = (SERVICES[other], PODS[other].replace("/16", "/24") if other_broken else PODS[other])
    return cluster(name, joined=told, remote=remote, **changes)


def without(snapshot, field, *names):
    """The snapshot without the objects of these names in one answer."""
    kept = tuple(item for item in getattr(snapshot, field).items if item.ref.name not in names)
    return replace(snapshot, **{field: replace(getattr(snapshot, field), items=kept)})


def only(*ids):
    return tuple(entry for entry in CHECKS if entry.id in ids)


def judged(snapshot, *ids):
    """The judgement of the checks ``ids`` (of all without any) on one cluster."""
    return judge_cluster(Facts.of(snapshot), only(*ids) if ids else CHECKS)


def set_judged(snapshots, *ids):
    """The judgement of the clusterset on cards that travelled through JSON."""
    cards = [type(card).from_dict(json.loads(json.dumps(card.to_dict()))) for card in (card_of(Facts.of(snapshot)) for snapshot in snapshots)]
    return judge_clusterset(cards, only(*ids) if ids else CHECKS)


def values(finding):
    return [entry.value for entry in finding.evidence]
