# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the conditions under which known defects show hold on a cluster. Each answers None where what was read does not tell."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import NATIVE, UNKNOWN, api_state
from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import config_map, detect_install_method
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import calico_node, containers_of
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._kube_proxy import modes
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _known_bugs as bugs
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import parse_kubernetes_version

VSPHERE = "vsphere://"
NEW_KERNEL = (6, 5, 0)
_NATIVE_BACKENDS = ("bird",)


def condition(facts: Facts, name: str) -> bool | None:
    """:raises KeyError: ``name`` is no condition of ``_known_bugs.py``."""
    return _CONDITIONS[name](facts)


def ebpf(snapshot: Snapshot) -> bool | None:
    """Whether Calico runs its eBPF data plane: by Installation, environment or FelixConfiguration, in the order of their precedence."""
    for installation in snapshot.installations.items:
        network = (installation.computed or installation.spec).get("calicoNetwork")
        plane = network.get("linuxDataplane") if isinstance(network, dict) else None
        if plane:
            return bool(plane == "BPF")
    return _felix_flag(snapshot, "FELIX_BPFENABLED", "bpfEnabled")


def _felix_flag(snapshot: Snapshot, variable: str, field: str) -> bool | None:
    daemon_set = calico_node(snapshot)
    for container in containers_of(daemon_set) if daemon_set else ():
        value = container.env_value(variable)
        if value is not None:
            return value.lower() in ("true", "enabled")
    if not snapshot.felix_configurations.known:
        return None
    default = next((entry for entry in snapshot.felix_configurations.items if entry.ref.name == "default"), None)
    return str(default.spec.get(field, "")).lower() in ("true", "enabled") if default else False


def _calico_nftables(facts: Facts) -> bool | None:
    for installation in facts.snapshot.installations.items:
        network = (installation.computed or installation.spec).get("calicoNetwork")
        plane = network.get("linuxDataplane") if isinstance(network, dict) else None
        if plane:
            return bool(plane == "Nftables")
    return _felix_flag(facts.snapshot, "FELIX_NFTABLESMODE", "nftablesMode")


def _bgp(facts: Facts) -> bool | None:
    snapshot = facts.snapshot
    if snapshot.installations.items:
        return any(installation.bgp == "Enabled" for installation in snapshot.installations.items)
    if not snapshot.config_maps.known:
        return None
    found = config_map(snapshot, "calico-config")
    return None if found is None else found.data.get("calico_backend", "bird") in _NATIVE_BACKENDS


def _kubernetes_1_33(facts: Facts) -> bool | None:
    version = parse_kubernetes_version(next(iter(facts.snapshot.server_version.items), ""))
    return None if version is None else version >= (1, 33, 0)


def _no_api_server_pod(facts: Facts) -> bool | None:
    if not facts.snapshot.pods.known:
        return None
    return not any(pod.labels.get("component") == "kube-apiserver" for pod in facts.snapshot.pods.items)


def _no_calico_config(facts: Facts) -> bool | None:
    snapshot = facts.snapshot
    if not (snapshot.config_maps.known and snapshot.daemon_sets.known):
        return None
    return calico_node(snapshot) is not None and config_map(snapshot, "calico-config") is None


def _kube_proxy_nftables(facts: Facts) -> bool | None:
    seen = modes(facts.snapshot)
    return None if not seen else any(entry.mode == "nftables" for entry in seen)


def _new_kernel(facts: Facts) -> bool | None:
    kernels = [parse_calico_version(node.kernel_version) for node in facts.snapshot.nodes.items]
    if any(kernel is not None and kernel >= NEW_KERNEL for kernel in kernels):
        return True
    return None if not facts.snapshot.nodes.known or None in kernels else False


def _several_nodes(facts: Facts) -> bool | None:
    return len(facts.snapshot.nodes.items) > 1 if facts.snapshot.nodes.known else None


def _vmware(facts: Facts) -> bool | None:
    return any(node.provider_id.startswith(VSPHERE) for node in facts.snapshot.nodes.items) if facts.snapshot.nodes.known else None


def _native_v3(facts: Facts) -> bool | None:
    state = api_state(facts.snapshot).state
    return None if state == UNKNOWN else state == NATIVE


def _api_server_asked(facts: Facts) -> bool | None:
    answer = facts.snapshot.operator_api_servers
    return bool(answer.items) if answer.known else None


def _not(decide: t.Callable[[Facts], bool | None]) -> t.Callable[[Facts], bool | None]:
    def negated(facts: Facts) -> bool | None:
        answer = decide(facts)
        return None if answer is None else not answer

    return negated


_CONDITIONS: t.Mapping[str, t.Callable[[Facts], t.Optional[bool]]] = {
    bugs.CALICO_PLUGIN: lambda facts: facts.uses_calico_handler,
    bugs.UNPINNED: lambda facts: not (facts.submariner.cluster_cidr and facts.submariner.service_cidr),
    bugs.RKE2: lambda facts: detect_install_method(facts.snapshot).platform == "rke2" if facts.snapshot.nodes.known else None,
    bugs.SEVERAL_NODES: _several_nodes,
    bugs.KUBERNETES_1_33: _kubernetes_1_33,
    bugs.NO_API_SERVER_POD: _no_api_server_pod,
    bugs.BGP: _bgp,
    bugs.NO_CALICO_CONFIG: _no_calico_config,
    bugs.SERVICE_DISCOVERY: lambda facts: facts.submariner.spec.get("serviceDiscoveryEnabled") is True,
    bugs.PROXY_NFTABLES: _kube_proxy_nftables,
    bugs.CALICO_NFTABLES: _calico_nftables,
    bugs.EBPF: lambda facts: ebpf(facts.snapshot),
    bugs.NATIVE_V3: _native_v3,
    bugs.NEW_KERNEL: _new_kernel,
    bugs.VMWARE: _vmware,
    bugs.API_SERVER_ASKED: _api_server_asked,
    bugs.NO_API_SERVER_ASKED: _not(_api_server_asked),
}
CONDITIONS_KNOWN = frozenset(_CONDITIONS)
