# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of every kind of installation, as far as MTUs are concerned."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    OK,
    Answer,
    ClusterInformation,
    ConfigMap,
    Container,
    DaemonSet,
    EnvVar,
    FelixConfiguration,
    Installation,
    IPAMBlock,
    IPPool,
    Manager,
    Origin,
    Pod,
    PodLog,
    Ref,
    Snapshot,
)

ADDED = "2026-01-01T00:00:00Z"
CHANGED = "2026-03-01T12:00:00Z"


def ok(*items):
    return Answer(OK, items, "GET /test")


def pool(cidr="10.42.0.0/16", *, vxlan="Always", ipip="Never", disabled=False, name="default-ipv4-ippool"):
    return IPPool(Ref("IPPool", name), "crd.projectcalico.org/v1", "uid", "1", {}, cidr, disabled, True, False, vxlan, ipip, ())


def blocks(**used):
    """IPAM blocks by name; ``b10_42_0_0_26=3`` is 10.42.0.0/26 with three addresses in use."""
    return ok(*(IPAMBlock(Ref("IPAMBlock", name), "{}.{}.{}.{}/{}".format(*name[1:].split("_")), "node-a", number) for name, number in used.items()))


def cluster_type(text):
    return ok(ClusterInformation(Ref("ClusterInformation", "default"), "v3.28.1", text))


def felix(name="default", **spec):
    return FelixConfiguration(Ref("FelixConfiguration", name), "crd.projectcalico.org/v1", spec)


def env(**values):
    return tuple(EnvVar(name, "", value[1:]) if value.startswith("@") else EnvVar(name, value) for name, value in values.items())


def daemon_set(namespace="calico-system", name="calico-node", *, origin=Origin(), cni=None, **variables):
    """``@map/key`` is a variable's value from a ConfigMap; ``cni`` are the variables of the container that writes the CNI configuration."""
    node = Container("calico-node", "calico/node:v3.28.1", (), (), env(**variables))
    install = Container("install-cni", "calico/cni:v3.28.1", (), (), env(**(cni or {})))
    return DaemonSet(
        Ref("DaemonSet", name, namespace), {"k8s-app": name}, (node,), 3, 3, 1, 1, init_containers=(install,) if cni else (), created=ADDED, origin=origin
    )


def log(*lines, pod="calico-node-a", namespace="calico-system"):
    return PodLog(Ref("Pod", pod, namespace), "calico-node", "\n".join(lines))


def calico_pod(node, *, namespace="kube-system", created=ADDED):
    return Pod(Ref("Pod", f"calico-node-{node}", namespace), "uid", node, True, "Running", True, ("192.0.2.1",), created=created, owner="DaemonSet/calico-node")


def written(at, *fields, by="kubectl-patch"):
    return Origin(managers=(Manager("creator", "Apply", ADDED, fields=("metadata.labels", "spec", "data")), Manager(by, "Update", at, fields=fields)))


def snapshot(**fields):
    empty = ("config_maps", "felix_configurations", "installations", "logs", "pods", "helm_chart_configs", "helm_charts", "nodes", "submariners")
    known = {name: ok() for name in empty}
    return Snapshot("c", "https://test.invalid", "2026-04-01T00:00:00Z", **{**known, "ip_pools": ok(pool()), "daemon_sets": ok(daemon_set()), **fields})


def operator(mtu=None, *, status=0, felix_spec=None, provider="", cni="Calico", bgp="", ipv6=False, **fields):
    """The operator writes Felix' environment exactly when Installation has an MTU."""
    network = {"nodeAddressAutodetectionV6": {"firstFound": True}} if ipv6 else {}
    spec = {"calicoNetwork": {**network, "mtu": mtu} if mtu else network}
    installation = Installation(
        Ref("Installation", "default"), {}, provider, cni, cni, (), (), "v3.28.1", bgp, spec=spec, computed=spec, mtu=mtu or status, variant="Calico"
    )
    variables = {"FELIX_VXLANMTU": str(mtu), "FELIX_WIREGUARDMTU": str(mtu)} if mtu else {}
    made = {
        "installations": ok(installation),
        "daemon_sets": ok(daemon_set(**variables)),
        "felix_configurations": ok(*([felix(**felix_spec)] if felix_spec else [])),
    }
    return snapshot(**{**made, **fields})


def manifest(veth_mtu="0", *, config_map=True, felix_spec=None, origin=Origin(), **fields):
    """calico.yaml: everything comes from ConfigMap calico-config."""
    variables = {name: "@calico-config/veth_mtu" for name in ("FELIX_IPINIPMTU", "FELIX_VXLANMTU", "FELIX_WIREGUARDMTU")}
    cni = {"CNI_NETWORK_CONFIG": "@calico-config/cni_network_config", "CNI_MTU": "@calico-config/veth_mtu"}
    data = {"veth_mtu": veth_mtu, "cni_network_config": '"type": "calico", "mtu": __CNI_MTU__, "type": "calico-ipam"', "calico_backend": "bird"}
    made = {
        "installations": Answer("not_served"),
        "daemon_sets": ok(daemon_set("kube-system", cni=cni, **variables)),
        "config_maps": ok(*([ConfigMap(Ref("ConfigMap", "calico-config", "kube-system"), data, origin)] if config_map else [])),
        "felix_configurations": ok(*([felix(**felix_spec)] if felix_spec else [])),
    }
    return snapshot(**{**made, **fields})


def kubespray(conflist=None, tunnels=None, *, cni_mtu=None, **fields):
    """The CNI configuration is a literal in the DaemonSet, and holds an MTU only where calico_mtu is a number."""
    text = '"type": "calico"' + (f', "mtu": {conflist}' if conflist else "") + ', "type": "calico-ipam"'
    variables = {"FELIX_IPINIPMTU": str(tunnels), "FELIX_VXLANMTU": str(tunnels)} if tunnels else {}
    cni = {"CNI_NETWORK_CONFIG": text, **({"CNI_MTU": str(cni_mtu)} if cni_mtu else {})}
    made = {
        "installations": Answer("not_served"),
        "daemon_sets": ok(daemon_set("kube-system", cni=cni, **variables)),
        "config_maps": ok(ConfigMap(Ref("ConfigMap", "calico-config", "kube-system"), {"cluster_type": "kubespray,bgp", "calico_backend": "vxlan"})),
        "ip_pools": ok(pool("10.233.64.0/18", name="default-pool")),
    }
    return snapshot(**{**made, **fields})
