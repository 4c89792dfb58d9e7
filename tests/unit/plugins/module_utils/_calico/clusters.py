# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters as records, for tests of CIDRs and of what Submariner detects. ``rke2()`` is the cluster of submariner#2953."""

from __future__ import annotations

import json
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN, NOT_SERVED, OK, Answer, ConfigMap, Container, DaemonSet, Endpoint, EnvVar, HelmChart, Installation, IPPool, Node, OpenShiftNetwork, Pod, Ref,
    Service, ServiceCidr, Snapshot, Submariner,
)

POD_CIDR = "10.46.0.0/16"
SERVICE_CIDR = "10.45.0.0/16"
NOT_SERVED_ANSWER = Answer(NOT_SERVED, (), "GET /apis", "the server could not find the requested resource")


def ok(*items):
    return Answer(OK, tuple(items), "test")


def forbidden(where="GET /x"):
    return Answer(FORBIDDEN, (), where, "x is forbidden")


def container(name, command=(), args=(), env=()):
    return Container(name, "image", tuple(command), tuple(args), tuple(EnvVar(*entry) for entry in env))


def node(name, cidrs=(), annotations=None, labels=None, kubelet="v1.27.9"):
    return Node(Ref("Node", name), labels or {}, annotations or {}, tuple(cidrs), ("192.168.0.1",), True, kubelet, "")


def rke2_node(name, cidrs=(), arguments=("server", "--cluster-cidr", POD_CIDR, "--service-cidr", SERVICE_CIDR)):
    return node(name, cidrs, {"rke2.io/node-args": json.dumps(list(arguments))}, {"node-role.kubernetes.io/control-plane": "true"}, "v1.27.9+rke2r1")


def pod(name, *ips, namespace="default", host_network=False, phase="Running", labels=None, containers=()):
    return Pod(Ref("Pod", name, namespace), f"uid-{name}", "n", host_network, phase, True, ips, labels or {}, tuple(containers))


def component(name, command=(), args=(), suffix="1", label="component"):
    return pod(
        f"{name}-{suffix}", "192.168.0.1", namespace="kube-system", host_network=True, labels={label: name}, containers=[container(name, command, args)]
    )


def rke2_control_plane(pod_cidr=POD_CIDR, service_cidr=SERVICE_CIDR):
    """RKE2 puts the binary into ``command`` and every option into ``args``."""
    return (
        component("kube-controller-manager", ["kube-controller-manager"], [f"--cluster-cidr={pod_cidr}", f"--service-cluster-ip-range={service_cidr}"]),
        component("kube-apiserver", ["kube-apiserver"], [f"--service-cluster-ip-range={service_cidr}"]),
    )


def service(name, *ips):
    return Service(Ref("Service", name, "default"), ips)


def pool(name, cidr, disabled=False, labels=None, allowed_uses=()):
    return IPPool(Ref("IPPool", name), "projectcalico.org/v3", "u", "1", labels or {}, cidr, disabled, True, False, "Always", "Never", tuple(allowed_uses))


def daemon_set(name, namespace="kube-system", labels=None, env=()):
    return DaemonSet(Ref("DaemonSet", name, namespace), labels or {}, (container(name, env=env),), 1, 1)


def config_map(name, data, namespace="kube-system"):
    return ConfigMap(Ref("ConfigMap", name, namespace), data)


def installation(pools=(), spec_pools=(), cni="Calico", ipam="Calico", annotations=None):
    return Installation(Ref("Installation", "default"), annotations or {}, "", cni, ipam, tuple(pools), tuple(spec_pools), "v3.26.3")


def service_cidr(name, *cidrs, ready=True):
    return ServiceCidr(Ref("ServiceCIDR", name), cidrs, ready)


def helm_chart(name, **values):
    return HelmChart(Ref("HelmChart", name, "kube-system"), {f"global.{key}": value for key, value in values.items()})


def openshift(status=((), ()), spec=((), ()), network_type="Calico"):
    return OpenShiftNetwork(Ref("Network", "cluster"), network_type, *(tuple(part) for part in status), *(tuple(part) for part in spec))


def submariner(cluster_id, version="0.17.3"):
    return Submariner(Ref("Submariner", "submariner", "submariner-operator"), "u", "1", 1, False, cluster_id, version, "", {}, "", "", "", "calico")


def endpoint(cluster_id, *subnets):
    return Endpoint(Ref("Endpoint", cluster_id, "submariner-operator"), "u", cluster_id, "gw", "cable", "libreswan", "", "", "", subnets, "")


def cluster(**fields):
    """A cluster in which everything could be read and nothing is there."""
    empty = {
        name: ok() for name in (
            "nodes", "pods", "services", "daemon_sets", "deployments", "config_maps", "submariners", "endpoints", "submariner_clusters", "gateways",
            "api_services", "ip_pools",
        )
    }
    unserved = {name: NOT_SERVED_ANSWER for name in ("service_cidrs", "helm_charts", "openshift_networks", "installations", "cluster_informations")}
    return Snapshot("cluster-1", "https://test", "2026-01-01T00:00:00Z", **{"server_version": ok("v1.27.9"), **empty, **unserved, **fields})


def rke2(**fields):
    """One server node, Calico by the operator, nothing wrong but the version of Submariner."""
    base = cluster(
        server_version=ok("v1.27.9+rke2r1"),
        nodes=ok(rke2_node("rke2-1", ["10.46.0.0/24"])),
        pods=ok(*rke2_control_plane(), pod("web", "10.46.178.3")),
        services=ok(service("kubernetes", "10.45.0.1")),
        daemon_sets=ok(daemon_set("calico-node", "calico-system")),
        helm_charts=ok(helm_chart("rke2-calico", clusterCIDR=POD_CIDR, serviceCIDR=SERVICE_CIDR)),
        ip_pools=ok(pool("default-ipv4-ippool", POD_CIDR)),
        installations=ok(installation([POD_CIDR])),
    )
    return replace(base, **fields)
