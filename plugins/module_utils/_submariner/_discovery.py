# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The steps of Submariner's network discovery, one function each, in its order. See :mod:`_detection` for what they imitate."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Answer, ConfigMap, Pod, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._options import upstream_option
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import (
    ARGS_READ, CALICO_BY_DAEMON_SET, CANAL_BY_DAEMON_SET, DETECTOR_ORDER, KUBE_PROXY_LABEL, ONE_NODE_ONLY, SERVICE_CIDR_FROM_CONTROLLER,
    SERVICE_CIDR_OBJECTS, Change, parse_kubernetes_version, parse_submariner_version,
)

# From here on the API server refuses an address outside the range without naming the range (submariner-operator#3627).
_RANGE_NOT_NAMED = (1, 33)
# From here on that depends: ServiceCIDR objects are beta and off by default; where they are on, the new allocator answers (submariner#3676).
_RANGE_PERHAPS_NOT_NAMED = (1, 31)


class Found(t.NamedTuple):
    """``values`` is empty when nothing was found, None when the step's answer cannot be known from a snapshot."""

    values: tuple[str, ...] | None
    step: str
    words: str
    fallback: bool = False
    object: str = ""
    field: str = ""


class Stopped(t.NamedTuple):
    """Discovery fails here."""

    step: str
    reason: str


class Network(t.NamedTuple):
    """``pod`` and ``service`` are None when it cannot be told what would be found; ``plugin`` likewise."""

    plugin: str | None
    plugin_because: str
    pod: Found | None = None
    service: Found | None = None
    stopped: Stopped | None = None
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class _Stop(Exception):
    """An error of a step, which ends discovery; or, with a ``missing``, a question that the snapshot does not answer."""

    def __init__(self, step: str, reason: str, missing: bool = False) -> None:
        super().__init__(reason)
        self.stopped, self.missing = Stopped(step, reason), missing


def discover(snapshot: Snapshot, version: str, service_range: str | None) -> Network:
    """Run the detectors of ``version``, and the generic steps for what they leave open.

    :param version: one that names a point in Submariner's history.
    :param service_range: what the API server would name when it refuses an invalid Service; None when not known.
    """
    steps = _Steps(snapshot, version, service_range)
    try:
        plugin, because, pod, service = steps.plugin()
        pod, service = pod or steps.generic_pod(), service or steps.generic_service()
    except _Stop as stop:
        stopped = None if stop.missing else stop.stopped
        return Network(None, "", stopped=stopped, notes=steps.noted(), missing=(stop.stopped.reason,) if stop.missing else ())
    if pod.values == () and service.values == ():
        plugin, because = "unknown", "nothing was found"
    return Network(plugin, because, pod, service, notes=steps.noted())


_Plugin = t.Tuple[str, str, t.Optional[Found], t.Optional[Found]]  # name, recognised by, pod, service


class _Steps:
    def __init__(self, snapshot: Snapshot, version: str, service_range: str | None) -> None:
        self.snapshot, self.version, self.service_range = snapshot, version, service_range
        self.notes: list[str] = []

    def has(self, change: Change) -> bool:
        """Whether the version has the change; notes it when the first release is not established and this may be one before it."""
        held = bool(change.holds_in(self.version))
        latest_known = parse_submariner_version(SERVICE_CIDR_OBJECTS.first[0])
        point = parse_submariner_version(self.version)
        if held and change.first_unsure and latest_known is not None and point is not None and point.point < latest_known.point:
            self.notes.append(f"taken for granted in {self.version}: {change.what} ({change.source}; its first release is not established)")
        return held

    def noted(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.notes))

    def read(self, answer: Answer[t.Any], what: str, step: str) -> tuple[t.Any, ...]:
        if not answer.known:
            raise _Stop(step, f"{what}: {answer.state.replace('_', ' ')}{f' ({answer.detail})' if answer.detail else ''}", missing=True)
        return answer.items

    # --- plugins

    def plugin(self) -> _Plugin:
        newer = (self._openshift, self._ovn, self._weave, self._canal, self._calico, self._flannel, self._kindnet)
        older = (self._calico, self._canal, self._kindnet, self._openshift, self._ovn, self._weave, self._flannel)
        for detector in newer if self.has(DETECTOR_ORDER) else older:
            found = detector()
            if found is not None:
                return found
        return "generic", "no plugin was recognised", None, None

    def _openshift(self) -> _Plugin | None:
        for network in self.read(self.snapshot.openshift_networks, "OpenShift's Network", "openshift-network"):
            words = "reads OpenShift's Network"
            pod = Found(network.spec_cluster_networks, "openshift-network", words, object=str(network.ref), field="spec.clusterNetwork[].cidr")
            service = Found(network.spec_service_networks, "openshift-network", words, object=str(network.ref), field="spec.serviceNetwork[]")
            name = "calico" if network.network_type == "Calico" else network.network_type
            return name, f"{network.ref} exists", pod if pod.values else None, service if service.values else None
        return None

    def _ovn(self) -> _Plugin | None:
        pod = self._first_pod("app", "ovnkube-node")
        if pod is None:
            return None
        config = next((entry for entry in self.snapshot.config_maps.items if entry.ref.name == "ovn-config" and entry.ref.namespace == pod.ref.namespace), None)
        return "OVNKubernetes", f"{pod.ref} has the label app=ovnkube-node", _datum(config, "net_cidr"), _datum(config, "svc_cidr")

    def _weave(self) -> _Plugin | None:
        pod = self._first_pod("name", "weave-net")
        return None if pod is None else ("weave-net", f"{pod.ref} has the label name=weave-net", _variable(pod, "IPALLOC_RANGE"), None)

    def _kindnet(self) -> _Plugin | None:
        pod = self._first_pod("app", "kindnet")
        return None if pod is None else ("kindnet", f"{pod.ref} has the label app=kindnet", _variable(pod, "POD_SUBNET"), None)

    def _canal(self) -> _Plugin | None:
        if not self.has(CANAL_BY_DAEMON_SET):
            config = next((entry for entry in self._flannel_configs() if entry.ref.name == "canal-config"), None)
            pod = _net_conf(config)
            return None if config is None or pod is None else ("canal-flannel", f"{config.ref} exists", pod, None)
        daemon_set = next(
            (
                entry for entry in self.read(self.snapshot.daemon_sets, "DaemonSets", "canal")
                if entry.ref.namespace == "kube-system" and entry.labels.get("k8s-app") == "canal"
            ),
            None,
        )
        return None if daemon_set is None else self._with_flannel_config("canal-flannel", f"{daemon_set.ref} has the label k8s-app=canal", "canal")

    def _flannel(self) -> _Plugin | None:
        daemon_set = next(
            (
                entry for entry in self.read(self.snapshot.daemon_sets, "DaemonSets", "flannel")
                if entry.ref.namespace == "kube-system" and "flannel" in entry.ref.name
            ),
            None,
        )
        return None if daemon_set is None else self._with_flannel_config("flannel", f"{daemon_set.ref} exists", "flannel")

    def _with_flannel_config(self, plugin: str, because: str, name: str) -> _Plugin | None:
        config = next((entry for entry in self._flannel_configs() if name in entry.ref.name), None)
        if config is None:
            return plugin, because, None, None
        pod = _net_conf(config)
        return None if pod is None else (plugin, because, pod, None)

    def _flannel_configs(self) -> list[ConfigMap]:
        # A ConfigMap is found through the DaemonSet's volumes; a snapshot has no volumes, but no cluster has two of these.
        entries = self.read(self.snapshot.config_maps, "ConfigMaps", "canal")
        return [entry for entry in entries if entry.ref.namespace == "kube-system" and "net-conf.json" in entry.data]

    def _calico(self) -> _Plugin | None:
        config = next((entry for entry in self.read(self.snapshot.config_maps, "ConfigMaps", "calico") if entry.ref.name == "calico-config"), None)
        if config is not None:
            return "calico", f"{config.ref} exists", None, None
        if not self.has(CALICO_BY_DAEMON_SET):
            return None
        daemon_set = next((entry for entry in self.read(self.snapshot.daemon_sets, "DaemonSets", "calico") if entry.ref.name == "calico-node"), None)
        return None if daemon_set is None else ("calico", f"{daemon_set.ref} exists", None, None)

    # --- generic steps

    def generic_pod(self) -> Found:
        label = "k8s-app" if self.has(KUBE_PROXY_LABEL) else "component"
        for name, value in (("component", "kube-controller-manager"), (label, "kube-proxy")):
            found = self._option(name, value, "--cluster-cidr")
            if found is not None:
                return found
        nodes = sorted(self.read(self.snapshot.nodes, "Nodes", "nodes"), key=lambda node: node.ref)
        if self.has(ONE_NODE_ONLY):
            node, step, words = (nodes[0] if len(nodes) == 1 else None), "only-node", "takes spec.podCIDR of the only node"
        else:
            node, step, words = next((node for node in nodes if node.pod_cidrs), None), "first-node", "takes spec.podCIDR of the first node that has one"
        if node is not None and node.pod_cidrs:
            return Found(node.pod_cidrs[:1], step, words, fallback=True, object=str(node.ref), field="spec.podCIDR")
        return Found((), "none", f"finds nothing: no option that it can read, and {len(nodes)} nodes", fallback=True)

    def generic_service(self) -> Found:
        if self.has(SERVICE_CIDR_OBJECTS):
            for entry in self.read(self.snapshot.service_cidrs, "ServiceCIDRs", "service-cidr"):
                if entry.ref.name == "kubernetes" and entry.cidrs:
                    return Found(entry.cidrs, "service-cidr", "reads the ServiceCIDR kubernetes", object=str(entry.ref), field="spec.cidrs")
        components = ["kube-apiserver"] + (["kube-controller-manager"] if self.has(SERVICE_CIDR_FROM_CONTROLLER) else [])
        for component in components:
            found = self._option("component", component, "--service-cluster-ip-range")
            if found is not None:
                return found
        return self._invalid_service()

    def _invalid_service(self) -> Found:
        if self.version.strip() == "devel":
            return Found((), "none", "finds nothing: no ServiceCIDR and no option that it can read", fallback=True)
        words = "creates a Service with an address that is out of range and reads the range from the refusal"
        version = next(iter(self.read(self.snapshot.server_version, "the server's version", "invalid-service")), "")
        kubernetes = parse_kubernetes_version(version)
        if kubernetes is None:
            raise _Stop("invalid-service", "the server's version", missing=True)
        if kubernetes[:2] >= _RANGE_NOT_NAMED or (kubernetes[:2] >= _RANGE_PERHAPS_NOT_NAMED and self.snapshot.service_cidrs.items):
            raise _Stop(
                "invalid-service",
                f"no kube-apiserver pod shows --service-cluster-ip-range, and Kubernetes {version} does not name the range when it refuses a Service. "
                f"Explicit CIDRs do not help: upgrade Submariner to {SERVICE_CIDR_OBJECTS.upgrade_for(self.version)} or newer (submariner-operator#3627)",
            )
        values = None if self.service_range is None else (self.service_range,)
        return Found(values, "invalid-service", words, object="Service invalid-svc", field="spec.clusterIP")

    def _first_pod(self, label: str, value: str) -> Pod | None:
        pods = self.read(self.snapshot.pods, "Pods", f"{label}={value}")
        return min((pod for pod in pods if pod.labels.get(label) == value), key=lambda pod: (pod.ref.namespace, pod.ref.name), default=None)

    def _option(self, label: str, component: str, option: str) -> Found | None:
        """The first pod with the label counts, as the API server lists them: by namespace and name."""
        pod = self._first_pod(label, component)
        if pod is None:
            return None
        found = upstream_option(pod, option, reads_args=self.has(ARGS_READ))
        if found.panics:
            raise _Stop(component, f"{option} and its value are two words in {found.field} of {pod.ref}: Submariner's discovery panics (exit code 2)")
        words = f"reads {option} of {component}"
        return Found((found.value,), component, words, object=str(pod.ref), field=f"{found.field} {option}") if found.value else None


def _datum(config: ConfigMap | None, key: str) -> Found | None:
    value = config.data.get(key, "") if config is not None else ""
    return Found((value,), "ovn-config", "reads OVN's configuration", object=str(config.ref) if config else "", field=f"data.{key}") if value else None


def _variable(pod: Pod, name: str) -> Found | None:
    for container in pod.containers:
        value = container.env_value(name)
        if value:
            return Found((value,), name, f"reads {name} of the plugin's pod", object=str(pod.ref), field=f"spec.containers[{container.name}].env[{name}]")
    return None


def _net_conf(config: ConfigMap | None) -> Found | None:
    try:
        network = json.loads(config.data.get("net-conf.json", "")) if config is not None else None
    except (ValueError, RecursionError):
        network = None
    value = str(network.get("Network") or "") if isinstance(network, dict) else ""
    if config is None or not value:
        return None
    return Found((value,), "flannel-config", "reads flannel's configuration", object=str(config.ref), field="data[net-conf.json] Network")
