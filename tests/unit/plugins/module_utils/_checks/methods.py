# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells the ways of installing Calico apart, as changes of the builders' healthy cluster."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    ConfigMap,
    Container,
    DaemonSet,
    EnvVar,
    HelmChart,
    Installation,
    Node,
    OpenShiftNetwork,
    OperatorApiServer,
    Ref,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import not_served, ok

POOL = "10.46.0.0/16"
INTERNAL_IP = {"kubernetes": "NodeInternalIP"}


def installation(provider="", cni="Calico", variant="Calico", release="", bgp="Disabled", autodetection=None, in_spec=False, **fields):
    annotations = {"meta.helm.sh/release-name": release} if release else {}
    network = {"calicoNetwork": {"nodeAddressAutodetectionV4": INTERNAL_IP if autodetection is None else autodetection}}
    fields.setdefault("spec" if in_spec else "computed", network)
    return Installation(
        Ref("Installation", "default"), annotations, provider, cni, "Calico", (POOL,), (POOL,), fields.pop("version", "v3.30.3"), bgp, variant=variant, **fields
    )


def api_server(name="default", state="Ready"):
    return OperatorApiServer(Ref("APIServer", name), state)


def plain_node(name="node-1", kubelet="v1.30.4", labels=None, **annotations):
    return Node(
        Ref("Node", name),
        labels or {},
        {"projectcalico.org/IPv4Address": "192.168.0.1/24", **{key.replace("_", "/"): value for key, value in annotations.items()}},
        (),
        ("192.168.0.1",),
        True,
        kubelet,
        "",
    )


def calico_node(name="calico-node", namespace="kube-system", labels=None, **env):
    containers = (Container("calico-node", "docker.io/calico/node:v3.30.3", (), (), tuple(EnvVar(key, value) for key, value in env.items())),)
    return DaemonSet(Ref("DaemonSet", name, namespace), {"k8s-app": "calico-node", **(labels or {})}, containers, 1, 1)


def without_operator(*daemon_sets, config=None, **changes):
    """A cluster whose Calico is not the operator's."""
    return {
        "installations": not_served(),
        "operator_api_servers": not_served(),
        "helm_charts": not_served(),
        "helm_chart_configs": not_served(),
        "tigera_statuses": not_served(),
        "daemon_sets": ok(*daemon_sets),
        "config_maps": ok(*([config] if config else [])),
        "nodes": ok(plain_node()),
        "server_version": ok("v1.30.4"),
        **changes,
    }


def operator(**changes):
    return {
        "installations": ok(installation()),
        "operator_api_servers": ok(),
        "helm_charts": not_served(),
        "helm_chart_configs": not_served(),
        "nodes": ok(plain_node()),
        "server_version": ok("v1.30.4"),
        **changes,
    }


def helm(**changes):
    return operator(**{"installations": ok(installation(release="calico")), **changes})


def rke2(version="v3.26.300", **changes):
    chart = HelmChart(Ref("HelmChart", "rke2-calico", "kube-system"), {"global.clusterCIDR": POOL, "global.serviceCIDR": "10.45.0.0/16"}, version)
    return {"installations": ok(installation("RKE2", release="rke2-calico")), "operator_api_servers": ok(), "helm_charts": ok(chart), **changes}


def roks(version="v1.28.14+abc", **changes):
    network = OpenShiftNetwork(Ref("Network", "cluster"), "Calico", (POOL,), ("10.45.0.0/16",), (), ())
    node = plain_node(kubelet=version, labels={"ibm-cloud.kubernetes.io/region": "eu-de"})
    detection = {"interface": "(^bond0$|^eth0$|^ens6$|^ens3$)"}
    return operator(
        **{
            "installations": ok(installation("OpenShift", autodetection=detection)),
            "openshift_networks": ok(network),
            "nodes": ok(node),
            "server_version": ok(version),
            **changes,
        }
    )


def kubespray(**changes):
    config = ConfigMap(Ref("ConfigMap", "calico-config", "kube-system"), {"cluster_type": "kubespray"})
    env = {"DATASTORE_TYPE": "kubernetes", "IP": "autodetect", "IP_AUTODETECTION_METHOD": "can-reach=$(NODEIP)", "CALICO_NETWORKING_BACKEND": "vxlan"}
    return without_operator(calico_node(**env), config=config, **changes)


def manifest(backend="bird", **changes):
    config = ConfigMap(Ref("ConfigMap", "calico-config", "kube-system"), {"calico_backend": backend, "veth_mtu": "0"})
    return without_operator(calico_node(DATASTORE_TYPE="kubernetes", IP="autodetect", CLUSTER_TYPE="k8s,bgp"), config=config, **changes)


def microk8s(**changes):
    return manifest(nodes=ok(plain_node(labels={"microk8s.io/cluster": "true"})), **changes)


def canal(**changes):
    return without_operator(calico_node("rke2-canal", labels={"k8s-app": "canal"}, CALICO_NETWORKING_BACKEND="none", IP="autodetect"), **changes)
