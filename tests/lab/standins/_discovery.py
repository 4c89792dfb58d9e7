# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the Submariner operator finds a cluster's pod and service CIDRs, release by release.

Imitates submariner-operator pkg/discovery/network at v0.16.0, v0.17.3, v0.18.1 and v0.19.0-rc3, and for later releases
generic.go as changed by pull request 3630. Pure: what it reads comes through a View.
"""

from __future__ import annotations

import json
import re
import typing as t

from tests.lab.standins._version import SubmarinerVersion

Object = dict[str, t.Any]

_VALID_IPS = re.compile(r".*valid IPs is (.*)$", re.MULTILINE)


class ClusterNetwork(t.NamedTuple):
    """What was found. Upstream uses the first of each list and complains of more."""

    plugin: str
    pod_cidrs: tuple[str, ...]
    service_cidrs: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return bool(self.pod_cidrs and self.service_cidrs)


class DiscoveryError(Exception):
    """An error that upstream returns; its text is upstream's."""


class OptionPanic(Exception):
    """An option without ``=``: upstream indexes the missing half and panics (pods.go FindPodCommandParameter)."""

    def __init__(self) -> None:
        super().__init__("runtime error: index out of range [1] with length 1")


class View(t.Protocol):
    """The part of the API that discovery reads. Lists come in the API server's order: namespace, then name."""

    def pods(self, label: str) -> list[Object]: ...

    def nodes(self) -> list[Object]: ...

    def config_maps(self) -> list[Object]: ...

    def daemon_sets(self) -> list[Object]: ...

    def openshift_network(self) -> Object | None: ...

    def service_cidr(self) -> list[str] | None:
        """``spec.cidrs`` of the ServiceCIDR named kubernetes; None where that is not served."""

    def invalid_service(self) -> str | None:
        """The API server's message when it refuses a Service with clusterIP 1.1.1.1; None if it took it."""


def discover(view: View, version: SubmarinerVersion) -> tuple[ClusterNetwork | None, DiscoveryError | None]:
    """What the release finds, and the error that its operator then meets; since v0.19 there may be both.

    :raises OptionPanic: where upstream panics.
    """
    try:
        found = _of_plugin(view, version)
    except DiscoveryError as error:
        if not version.generic_hides_plugin_errors:
            return None, error
        found = None
    if found is not None and found.complete:
        return found, None
    try:
        generic = _generic(view, version)
    except DiscoveryError as error:
        return (found if version.generic_hides_plugin_errors else None), error
    if found is None:
        return (generic and generic._replace(plugin="generic")), None
    if generic is None:
        return found, None
    return found._replace(pod_cidrs=found.pod_cidrs or generic.pod_cidrs, service_cidrs=found.service_cidrs or generic.service_cidrs), None


def option_value(pod: Object, option: str, version: SubmarinerVersion) -> str:
    """The value of a command line option of a pod's containers, or "" (pods.go FindPodCommandParameter).

    Args are looked at once for every word of ``command``, so that a container without ``command`` has none.

    :raises OptionPanic: for ``--option value``.
    """
    for container in pod["spec"]["containers"]:
        for word in container.get("command") or ():
            candidates = [word]
            if version.reads_args:
                candidates.extend(container.get("args") or ())
            if " " in word:
                candidates.extend(word.split(" "))
            chosen = next((each for each in candidates if each.startswith(option)), None)
            if chosen is not None:
                name, equals, value = chosen.partition("=")
                if not equals:
                    raise OptionPanic
                return value
    return ""


def service_cidr_of(message: str | None) -> str:
    """The range in the refusal of an invalid Service (generic.go parseServiceCIDRFrom).

    :raises DiscoveryError: when it names none, as API servers since Kubernetes 1.33 do.
    """
    beginning = "could not determine the service IP range via service creation - "
    if message is None:
        raise DiscoveryError(beginning + "expected a specific error but none was returned")
    found = _VALID_IPS.match(message)
    if not found:
        raise DiscoveryError(f"{beginning}the expected error was not returned. The actual error was {json.dumps(message)}")
    return found.group(1)


def _of_plugin(view: View, version: SubmarinerVersion) -> ClusterNetwork | None:
    for detector in (_openshift, _ovn_kubernetes, _weave, _canal, _calico, _flannel, _kindnet):
        found = detector(view, version)
        if found is not None:
            return found
    return None


def _openshift(view: View, version: SubmarinerVersion) -> ClusterNetwork | None:
    network = view.openshift_network()
    if network is None:
        return None
    spec = network.get("spec") or {}
    for field in ("clusterNetwork", "serviceNetwork", "networkType"):
        if field not in spec:
            raise DiscoveryError(f"field .spec.{field} expected, but not found in Network resource: {network}")
    if any("cidr" not in each for each in spec["clusterNetwork"]):
        raise DiscoveryError(f"field cidr expected, but not found in clusterNetwork: {spec['clusterNetwork']}")
    plugin = "calico" if spec["networkType"] == "Calico" else spec["networkType"]
    return ClusterNetwork(plugin, tuple(each["cidr"] for each in spec["clusterNetwork"]), tuple(spec["serviceNetwork"]))


def _ovn_kubernetes(view: View, version: SubmarinerVersion) -> ClusterNetwork | None:
    pod = _first(view.pods("app=ovnkube-node"))
    if pod is None:
        return None
    config = _config_map(view, pod["metadata"]["namespace"], "ovn-config") or {}
    data = config.get("data") or {}
    return ClusterNetwork("OVNKubernetes", _given(data.get("net_cidr")), _given(data.get("svc_cidr")))


def _weave(view: View, version: SubmarinerVersion) -> ClusterNetwork | None:
    return _by_environment(view, version, "weave-net", "name=weave-net", "IPALLOC_RANGE")


def _kindnet(view: View, version: SubmarinerVersion) -> ClusterNetwork | None:
    return _by_environment(view, version, "kindnet", "app=kindnet", "POD_SUBNET")


def _by_environment(view: View, version: SubmarinerVersion, plugin: str, label: str, variable: str) -> ClusterNetwork | None:
    pod = _first(view.pods(label))
    if pod is None:
        return None
    values = [
        each.get("value", "") for container in pod["spec"]["containers"] for each in container.get("env") or () if each["name"] == variable
    ]
    try:
        services = _service_cidrs(view, version)
    except DiscoveryError:
        services = ()
    return ClusterNetwork(plugin, tuple(values[-1:]), services)


def _canal(view: View, version: SubmarinerVersion) -> ClusterNetwork | None:
    for each in view.daemon_sets():
        metadata = each["metadata"]
        if metadata["namespace"] == "kube-system" and (metadata.get("labels") or {}).get("k8s-app") == "canal":
            return _by_flannel_config(view, version, "canal-flannel", each)
    return None


def _calico(view: View, version: SubmarinerVersion) -> ClusterNetwork | None:
    present = any(each["metadata"]["name"] == "calico-config" for each in view.config_maps()) or any(
        each["metadata"]["name"] == "calico-node" for each in view.daemon_sets()
    )
    if not present:
        return None
    generic = _generic(view, version)
    return generic and generic._replace(plugin="calico")


def _flannel(view: View, version: SubmarinerVersion) -> ClusterNetwork | None:
    found = [each for each in view.daemon_sets() if each["metadata"]["namespace"] == "kube-system" and "flannel" in each["metadata"]["name"]]
    if not found or not _volumes(found[-1]):
        return None
    return _by_flannel_config(view, version, "flannel", found[-1])


def _by_flannel_config(view: View, version: SubmarinerVersion, plugin: str, daemon_set: Object) -> ClusterNetwork | None:
    names = [(each.get("configMap") or {}).get("name") for each in _volumes(daemon_set) if "flannel" in each["name"]]
    name = next((each for each in names if each), None)
    if name is None:
        pods = _pod_cidr(view, version)
    else:
        config = _config_map(view, "kube-system", name)
        try:
            pods = json.loads(((config or {}).get("data") or {})["net-conf.json"]).get("Network", "")
        except (KeyError, ValueError, AttributeError):
            return None
    return ClusterNetwork(plugin, (pods,), _service_cidrs(view, version))


def _generic(view: View, version: SubmarinerVersion) -> ClusterNetwork | None:
    pods = _pod_cidr(view, version)
    services = _service_cidrs(view, version)
    if not pods and not services:
        return None
    return ClusterNetwork("", _listed(pods, version), services)


def _pod_cidr(view: View, version: SubmarinerVersion) -> str:
    for label in ("component=kube-controller-manager", version.kube_proxy_selector):
        value = _option(view, version, label, "--cluster-cidr")
        if value:
            return value
    nodes = view.nodes()
    return nodes[0]["spec"].get("podCIDR", "") if len(nodes) == 1 else ""


def _service_cidrs(view: View, version: SubmarinerVersion) -> tuple[str, ...]:
    labels = ["component=kube-apiserver"]
    if version.reads_service_range_of_controller_manager:
        labels.append("component=kube-controller-manager")
    for label in labels:
        value = _option(view, version, label, "--service-cluster-ip-range")
        if value:
            return _listed(value, version)
    if version.reads_service_cidr_objects:
        cidrs = view.service_cidr()
        if cidrs:
            return tuple(cidrs)
    return _listed(service_cidr_of(view.invalid_service()), version)


def _option(view: View, version: SubmarinerVersion, label: str, option: str) -> str:
    pod = _first(view.pods(label))
    return option_value(pod, option, version) if pod else ""


def _listed(value: str, version: SubmarinerVersion) -> tuple[str, ...]:
    return _given(*value.split(",")) if version.splits_cidr_lists else _given(value)


def _given(*values: str | None) -> tuple[str, ...]:
    return tuple(each for each in values if each)


def _first(objects: list[Object]) -> Object | None:
    return objects[0] if objects else None


def _config_map(view: View, namespace: str, name: str) -> Object | None:
    return next((each for each in view.config_maps() if (each["metadata"]["namespace"], each["metadata"]["name"]) == (namespace, name)), None)


def _volumes(daemon_set: Object) -> list[Object]:
    return daemon_set["spec"]["template"]["spec"].get("volumes") or []
