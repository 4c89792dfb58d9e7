# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""RKE2 as role lablabs.rke2 and collection rancherfederal.rke2_ansible are asked for it: their variables, and the manifests that they hand to the servers.

Defaults of RKE2: canal, 10.42.0.0/16, 10.43.0.0/16 (rke2 pkg/cli/cmds/server.go), kube-proxy in iptables mode; of its chart rke2-calico: no API server since
v3.22.102 (rke2-charts#244), first-found.
"""

from __future__ import annotations

import types
import typing as t
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml import EditError, load_documents
from ansible_collections.fathom.submariner.plugins.module_utils._calico._helm_values import parse_values
from ansible_collections.fathom.submariner.plugins.module_utils._checks._inventory import PUBLISHED_TOKEN, Asked, Said, truth

CHART = "rke2-calico"
LABLABS_NAMES = ("rke2_cni", "rke2_cluster_cidr", "rke2_service_cidr", "rke2_kube_proxy_arg", "rke2_server_options", "disable_kube_proxy", "rke2_token")
RANCHERFEDERAL_NAMES = ("cluster_rke2_config", "group_rke2_config", "host_rke2_config")  # merged in this order
_OF_LABLABS = {
    "cni": "rke2_cni",
    "cluster-cidr": "rke2_cluster_cidr",
    "service-cidr": "rke2_service_cidr",
    "kube-proxy-arg": "rke2_kube_proxy_arg",
    "disable-kube-proxy": "disable_kube_proxy",
}
_METHODS = {"interface": "interface", "skipInterface": "skip-interface", "canReach": "can-reach"}
_MANIFEST = "in HelmChartConfig kube-system/rke2-calico, in a manifest that the installer hands to the servers"
_OF_MANIFESTS = ("calico-api-unavailable", "autodetection-picks-submariner", "calico-ebpf")  # ids of checks
HOW = {
    "kube-proxy-mode": "Take proxy-mode out of kube-proxy-arg, and disable-kube-proxy out: RKE2's default is kube-proxy in iptables mode.",
    "calico-ebpf": f"Leave installation.calicoNetwork.linuxDataplane out {_MANIFEST}, and disable-kube-proxy out of config.yaml.",
    "planned-join-token": "Set rke2_token to a secret of your own, by a look-up or with Ansible Vault. It cannot be changed easily once the cluster is built.",
    "calico-api-unavailable": f"Set apiServer: {{enabled: true}} {_MANIFEST}.",
    "autodetection-picks-submariner": f"Set installation.calicoNetwork.nodeAddressAutodetectionV4: {{kubernetes: NodeInternalIP}} {_MANIFEST}.",
    "planned-network-plugin": "Set cni: calico.",
    "planned-cidr-unusable": "Correct cluster-cidr or service-cidr: they cannot be changed once the cluster is built.",
}


class Manifest(t.NamedTuple):
    """One file that the installer puts among the servers' manifests."""

    path: str
    text: str


def lablabs(cluster: str, variables: t.Mapping[str, t.Any], manifests: t.Sequence[Manifest], yaml: types.ModuleType) -> Asked:
    """What lablabs.rke2 would make. Lines of ``rke2_server_options`` outrank its own variables, as they come later in config.yaml."""
    found = {key: Said(name, variables[name]) for key, name in _OF_LABLABS.items() if variables.get(name)}
    for line in _listed(variables.get("rke2_server_options")):
        for name, value in line.items() if isinstance(line, dict) else [str(line).partition(":")[::2]]:
            key = str(name).strip()
            if key in _OF_LABLABS and value not in ("", None):
                found[key] = Said(key, value.strip().strip("\"'[]") if isinstance(value, str) else value)
    given = variables.get("rke2_token") is not None
    token = Said("rke2_token", variables["rke2_token"] if given else PUBLISHED_TOKEN, given)
    return replace(_asked(cluster, "the variables of lablabs.rke2", found, manifests, yaml), token=token)


def rancherfederal(cluster: str, variables: t.Mapping[str, t.Any], manifests: t.Sequence[Manifest], yaml: types.ModuleType) -> Asked:
    """What rancherfederal.rke2_ansible would make."""
    merged: dict[str, t.Any] = {}
    for name in RANCHERFEDERAL_NAMES:
        merged = _combined(merged, variables.get(name) or {})
    found = {key: Said(key, merged[key]) for key in _OF_LABLABS if merged.get(key)}
    return _asked(cluster, "the variables of rancherfederal.rke2_ansible", found, manifests, yaml)


def _combined(old: t.Mapping[str, t.Any], new: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """As its config.yml does: combine(list_merge='prepend_rp'), which is not recursive."""
    both = [key for key, value in new.items() if isinstance(value, list) and isinstance(old.get(key), list)]
    return {**old, **new, **{key: [*new[key], *(entry for entry in old[key] if entry not in new[key])] for key in both}}


def _asked(cluster: str, where: str, found: t.Mapping[str, Said], manifests: t.Sequence[Manifest], yaml: types.ModuleType) -> Asked:
    def said(key: str, default: t.Any) -> Said:
        return found.get(key) or Said(key, default, given=False)

    cni = said("cni", "canal")
    proxy = said("kube-proxy-arg", [])
    no_proxy = said("disable-kube-proxy", False)
    modes = [str(argument).rpartition("=")[2] for argument in _listed(proxy.value) if str(argument).lstrip("-").startswith("proxy-mode=")]
    asked = Asked(
        cluster=cluster,
        where=where,
        cni=cni._replace(value=tuple(_listed(cni.value))),
        pods=(said("cluster-cidr", "10.42.0.0/16"),),
        services=(said("service-cidr", "10.43.0.0/16"),),
        proxy_mode=Said("proxy-mode", modes[-1]) if modes else Said("kube-proxy-arg", "iptables", given=False),
        no_proxy=no_proxy._replace(value=truth(no_proxy.value)),
        ebpf=Said("installation.calicoNetwork.linuxDataplane", False, given=False),
        api_server=Said("apiServer.enabled", False, given=False),
        autodetection=Said("installation.calicoNetwork.nodeAddressAutodetectionV4", "first-found", given=False),
        how=HOW,
    )
    return _with_manifests(asked, manifests, yaml)


def _listed(value: t.Any) -> list[t.Any]:
    return list(value) if isinstance(value, (list, tuple)) else [piece.strip() for piece in str(value or "").split(",") if piece.strip()]


def _with_manifests(asked: Asked, manifests: t.Sequence[Manifest], yaml: types.ModuleType) -> Asked:
    """The chart's values win over its defaults. What cannot be read makes unknown what it could say."""
    for manifest in manifests:
        try:
            documents = load_documents(manifest.text, yaml)
            values = [_values(each, yaml) for each in documents if _configures_calico(each)]
        except EditError as error:
            if CHART not in manifest.text:
                continue
            reason = f"manifest {manifest.path} cannot be read before it is rendered: {error}"
            asked = replace(asked, unread={**asked.unread, **dict.fromkeys(_OF_MANIFESTS, reason)})
            continue
        for each in values:
            asked = _with_values(asked, manifest, each)
    return asked


def _configures_calico(document: t.Any) -> bool:
    return isinstance(document, dict) and document.get("kind") == "HelmChartConfig" and (document.get("metadata") or {}).get("name") == CHART


def _values(document: t.Mapping[str, t.Any], yaml: types.ModuleType) -> t.Mapping[str, t.Any]:
    return parse_values(str((document.get("spec") or {}).get("valuesContent") or ""), yaml)


def _with_values(asked: Asked, manifest: Manifest, values: t.Mapping[str, t.Any]) -> Asked:
    api_server = _mapping(values, "apiServer")
    network = _mapping(_mapping(values, "installation"), "calicoNetwork")
    if "enabled" in api_server:
        said = Said("apiServer.enabled", truth(api_server["enabled"]), True, manifest.path, _line(manifest.text, "apiServer:"))
        asked = replace(asked, api_server=said)
    if network.get("linuxDataplane"):
        line = _line(manifest.text, "linuxDataplane:")
        said = Said("installation.calicoNetwork.linuxDataplane", network["linuxDataplane"] == "BPF", True, manifest.path, line)
        asked = replace(asked, ebpf=said)
    method = _mapping(network, "nodeAddressAutodetectionV4")
    if method:
        name = "installation.calicoNetwork.nodeAddressAutodetectionV4"
        asked = replace(asked, autodetection=Said(name, _as_environment(method), True, manifest.path, _line(manifest.text, "nodeAddressAutodetectionV4:")))
    return asked


def _mapping(values: t.Mapping[str, t.Any], key: str) -> t.Mapping[str, t.Any]:
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def _as_environment(method: t.Mapping[str, t.Any]) -> str:
    """As the operator renders it into IP_AUTODETECTION_METHOD (tigera/operator pkg/render/node.go)."""
    for key, kind in _METHODS.items():
        if method.get(key):
            return f"{kind}={method[key]}"
    if method.get("cidrs"):
        return f"cidr={','.join(map(str, _listed(method['cidrs'])))}"
    return "kubernetes-internal-ip" if method.get("kubernetes") == "NodeInternalIP" else "first-found"


def _line(text: str, needle: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), 1) if needle in line and not line.lstrip().startswith("#")), 0)
