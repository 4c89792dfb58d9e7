# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which way Calico was installed, and on what platform: it decides which source tells the pod CIDR and where a change lasts.

The ladder goes by objects, not by CRDs: RKE2, Helm and OLM leave the operator's CRDs behind, and Calico's own helper asks for
an Installation object, too (projectcalico/calico kube-controllers/pkg/discovery, ``IsOperatorManaged``).
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Answer, ConfigMap, DaemonSet, Snapshot

OPERATOR_RKE2 = "operator-rke2"
OPERATOR_HELM = "operator-helm"
OPERATOR = "operator"
CANAL = "canal"
KUBESPRAY = "kubespray"
MICROK8S = "microk8s"
MANIFEST = "manifest"
NONE = "none"
UNKNOWN = "unknown"

_DURABLE = {
    OPERATOR_RKE2: "HelmChartConfig kube-system/rke2-calico",
    OPERATOR_HELM: "the values of the Helm release of tigera-operator",
    OPERATOR: "Installation default",
    CANAL: "the ConfigMap and DaemonSet of canal in kube-system (RKE2: HelmChartConfig kube-system/rke2-canal)",
    KUBESPRAY: "Kubespray's inventory, and the live object",
    MICROK8S: "DaemonSet kube-system/calico-node and ConfigMap kube-system/calico-config",
    MANIFEST: "DaemonSet kube-system/calico-node and ConfigMap kube-system/calico-config",
}

_KUBESPRAYS = "can-reach=$(NODEIP)"  # IP_AUTODETECTION_METHOD as Kubespray sets it


class InstallMethod(t.NamedTuple):
    """How Calico came to the cluster.

    :param method: one of the constants of this module; ``unknown`` when the records do not tell, ``none`` without Calico.
    :param platform: ``rke2``, ``k3s``, ``openshift``, ``roks`` or empty.
    :param durable: where a change of Calico's configuration lasts, in words; empty for ``none`` and ``unknown``.
    :param calico_ipam: True when Calico's IPPools give pods their addresses, None when the records do not tell.
    :param evidence: what the decision rests on, one sentence each.
    :param missing: why, for each list that could not be read and could have changed the decision.
    :param unlisted: those lists, as RBAC names them, such as ``helmcharts.helm.cattle.io``.
    """

    method: str
    platform: str
    durable: str
    calico_ipam: bool | None
    evidence: tuple[str, ...]
    missing: tuple[str, ...]
    unlisted: tuple[str, ...] = ()


def detect_install_method(snapshot: Snapshot) -> InstallMethod:
    """Walk the ladder; the first hit wins, and all evidence for it is recorded."""
    platform, seen = _platform(snapshot)
    method, evidence = _method(snapshot)
    lacking = {resource: unread(answer) for resource, answer in _deciding(snapshot, method, platform) if not answer.known}
    if method == NONE and lacking:
        method = UNKNOWN
    return InstallMethod(
        method, platform, _DURABLE.get(method, ""), calico_ipam(snapshot), tuple(seen + evidence), tuple(lacking.values()), tuple(lacking)
    )


def _deciding(snapshot: Snapshot, method: str, platform: str) -> t.Iterator[tuple[str, Answer[t.Any]]]:
    """The answers that could have led to another method or owner than the one that was found, each by the resource that it lists."""
    if method in (OPERATOR_HELM, OPERATOR):
        yield "helmcharts.helm.cattle.io", snapshot.helm_charts
        yield "networks.config.openshift.io", snapshot.openshift_networks
        if platform == "openshift":  # the nodes' labels tell whether it is IBM's
            yield "nodes", snapshot.nodes
        return
    if method == OPERATOR_RKE2:
        return
    yield "installations.operator.tigera.io", snapshot.installations
    if method in (NONE, UNKNOWN):
        yield "daemonsets.apps", snapshot.daemon_sets
    if method in (NONE, UNKNOWN, MICROK8S, MANIFEST) and config_map(snapshot, "calico-config") is None:
        yield "configmaps", snapshot.config_maps
    if method in (MICROK8S, MANIFEST) and any(_env(entry, "IP_AUTODETECTION_METHOD") == _KUBESPRAYS for entry in snapshot.daemon_sets.items):
        yield "ippools.crd.projectcalico.org", snapshot.ip_pools
    if method == MANIFEST:
        yield "nodes", snapshot.nodes


def _platform(snapshot: Snapshot) -> tuple[str, list[str]]:
    nodes = sorted(snapshot.nodes.items, key=lambda node: node.ref)
    if snapshot.openshift_networks.items:
        ibm = next((node for node in nodes if any(label.startswith("ibm-cloud.kubernetes.io/") for label in node.labels)), None)
        if ibm is not None:
            return "roks", [f"{ibm.ref} has labels of IBM Cloud, and there is an OpenShift Network"]
        return "openshift", [f"{snapshot.openshift_networks.items[0].ref} exists"]
    for platform in ("rke2", "k3s"):
        found = next((node for node in nodes if f"+{platform}" in node.kubelet_version), None)
        if found is not None:
            return platform, [f"{found.ref} runs kubelet {found.kubelet_version}"]
    return "", []


def _method(snapshot: Snapshot) -> tuple[str, list[str]]:
    installation = next(iter(snapshot.installations.items), None)
    if installation is not None:
        evidence = [f"{installation.ref} exists"]
        chart = next((chart for chart in snapshot.helm_charts.items if chart.ref.name == "rke2-calico"), None)
        if chart is not None:
            return OPERATOR_RKE2, evidence + [f"{chart.ref} exists"]
        release = installation.annotations.get("meta.helm.sh/release-name")
        if release:
            return OPERATOR_HELM, evidence + [f"it belongs to Helm release {release}"]
        return OPERATOR, evidence
    canal = canal_daemon_set(snapshot)
    if canal is not None:
        return CANAL, [f"{canal.ref} exists"]
    calico_node = [daemon_set for daemon_set in snapshot.daemon_sets.items if daemon_set.ref.name == "calico-node"]
    inside = next((daemon_set for daemon_set in calico_node if daemon_set.ref.namespace == "kube-system"), None)
    if inside is not None:
        return _manifest(snapshot, inside)
    if calico_node:
        return UNKNOWN, [f"{calico_node[0].ref} exists, but neither an Installation nor the manifest's namespace kube-system"]
    if snapshot.cluster_informations.items:
        return UNKNOWN, [f"{snapshot.cluster_informations.items[0].ref} exists, but no calico-node DaemonSet"]
    return NONE, []


def _manifest(snapshot: Snapshot, calico_node: DaemonSet) -> tuple[str, list[str]]:
    evidence = [f"{calico_node.ref} exists"]
    config = config_map(snapshot, "calico-config")
    cluster_type = config.data.get("cluster_type", "") if config else ""
    if "kubespray" in cluster_type.split(","):
        return KUBESPRAY, evidence + [f"{config.ref if config else ''} has cluster_type {cluster_type}"]
    detection = _env(calico_node, "IP_AUTODETECTION_METHOD")
    if detection == _KUBESPRAYS and any(pool.ref.name == "default-pool" for pool in snapshot.ip_pools.items):
        return KUBESPRAY, evidence + [f"IP_AUTODETECTION_METHOD is {detection} and an IPPool is called default-pool"]
    if any("microk8s.io/cluster" in node.labels for node in snapshot.nodes.items):
        return MICROK8S, evidence + ["the nodes have the label microk8s.io/cluster"]
    return MANIFEST, evidence


def calico_ipam(snapshot: Snapshot) -> bool | None:
    """True when pods get their addresses from Calico's IPPools; None when what was read does not tell.

    False for AmazonVPC, AzureVNET and GKE (Calico is policy-only there), for host-local IPAM and for canal, where
    ``node.spec.podCIDR`` and not a pool gives a pod its address.
    """
    for installation in snapshot.installations.items:
        cni = installation.cni_type or "Calico"
        return cni == "Calico" and (installation.ipam_type or "Calico") == "Calico"
    if canal_daemon_set(snapshot) is not None:
        return False
    daemon_sets = sorted(snapshot.daemon_sets.items, key=lambda entry: entry.ref)
    calico_node = next((daemon_set for daemon_set in daemon_sets if daemon_set.ref.name == "calico-node"), None)
    if calico_node is None:
        return None
    if _env(calico_node, "CALICO_NETWORKING_BACKEND") == "none":
        return False
    config = config_map(snapshot, "calico-config")
    written = [_env(calico_node, "CNI_NETWORK_CONFIG"), config.data.get("cni_network_config", "") if config else ""]
    return not any("host-local" in text for text in written)


def canal_daemon_set(snapshot: Snapshot) -> DaemonSet | None:
    """The DaemonSet of canal: by its label, or by the names that upstream and RKE2 give it."""
    return next(
        (
            daemon_set for daemon_set in snapshot.daemon_sets.items if daemon_set.ref.namespace == "kube-system"
            and (daemon_set.labels.get("k8s-app") == "canal" or daemon_set.ref.name in ("canal", "rke2-canal"))
        ),
        None,
    )


def config_map(snapshot: Snapshot, name: str) -> ConfigMap | None:
    """The ConfigMap of that name, the one in kube-system if there are several."""
    found = [entry for entry in snapshot.config_maps.items if entry.ref.name == name]
    return next((entry for entry in found if entry.ref.namespace == "kube-system"), found[0] if found else None)


def _env(daemon_set: DaemonSet, name: str) -> str:
    return next((value for value in (container.env_value(name) for container in daemon_set.containers) if value is not None), "")


def unread(answer: Answer[t.Any]) -> str:
    """Why a list is not there, in words for evidence: ``forbidden (GET /api/v1/pods): pods is forbidden``."""
    reason = answer.state.replace("_", " ") + (f" ({answer.where})" if answer.where else "")
    return f"{reason}: {answer.detail}" if answer.detail else reason
