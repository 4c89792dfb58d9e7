# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""In which mode kube-proxy runs: Submariner works with iptables."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import KUBESPRAY, detect_install_method
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Container, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import NFTABLES_NO_SNAT

IPTABLES = "iptables"
DEFAULT = ""  # said to be left at its default, which is iptables on Linux (kubernetes pkg/proxy/apis/config)
# `mode` is a key of the document's top level; `mode: ""` means the default.
CONFIGURED_MODE = re.compile(r"^mode:[ \t]*[\"']?(?P<mode>[A-Za-z]*)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE)
# Of kubeadm, and of OpenShift's network operator for clusters with a CNI that is not its own; the key that holds the KubeProxyConfiguration.
CONFIGURATIONS = {("kube-system", "kube-proxy"): "config.conf", ("openshift-kube-proxy", "proxy-config"): "kube-proxy-config.yaml"}
NODE_ARGUMENTS = ("rke2.io/node-args", "k3s.io/node-args")


class ModeSeen(t.NamedTuple):
    mode: str
    evidence: Evidence


@check(
    "kube-proxy-mode",
    title="kube-proxy runs in a mode that Submariner supports",
    severity="error",
    references=(
        "submariner-io/submariner#1559",
        "submariner-io/submariner#3967",
        "submariner-io/submariner#3544",
        "https://submariner.io/operations/known-issues/",
    ),
    tags=("versions", "kube-proxy"),
)
def kube_proxy_mode(facts: Facts) -> t.Iterator[Problem]:
    """IPVS is not supported by Submariner (and is Kubespray's default); nftables is, but only from 0.21 on.

    Read from what kube-proxy is really started with where its pods are visible, else from its ConfigMap (kubeadm's, OpenShift's) and from the
    arguments that RKE2 and k3s nodes were started with. `subctl diagnose` prints a failure for IPVS and still ends with success.
    """
    seen = modes(facts.snapshot)
    if not seen:
        raise CannotJudge(_nothing_found(facts.snapshot))
    for mode in sorted({entry.mode for entry in seen} - {IPTABLES, DEFAULT}):
        evidence = tuple(entry.evidence for entry in seen if entry.mode == mode)
        yield _nftables(facts, evidence) if mode == "nftables" else _unsupported(facts, mode, evidence)


def _nftables(facts: Facts, evidence: tuple[Evidence, ...]) -> Problem:
    version = facts.submariner.version if facts.joined else ""
    first = NFTABLES_NO_SNAT.first[0]
    handled = NFTABLES_NO_SNAT.holds_in(version) is True
    return Problem(
        subject="kube-proxy",
        title=f"kube-proxy runs in nftables mode, which Submariner handles from {first} on" + (f"; {version} runs here" if version else ""),
        evidence=_few(evidence),
        impact="Few have run it with this kube-proxy yet."
        if handled
        else "Traffic of other clusters is masqueraded and arrives with a node's address; clamping of TCP segments can fail.",
        remedy=by_hand(f"Use Submariner {first} or newer, or set kube-proxy's mode to iptables."),
        severity="info" if handled else "warning",
    )


def _unsupported(facts: Facts, mode: str, evidence: tuple[Evidence, ...]) -> Problem:
    return Problem(
        subject="kube-proxy",
        title=f"kube-proxy runs in {mode} mode, which Submariner does not support",
        evidence=_few(evidence),
        impact="Traffic from other clusters to Services here is dropped or bypasses Submariner's rules; subctl diagnose still ends with success.",
        remedy=_to_iptables(facts),
    )


def _to_iptables(facts: Facts) -> Remedy:
    """IPVS leaves the interface kube-ipvs0 with every Service's address behind, which ``subctl diagnose`` looks for."""
    clean = "Then reboot each node, or run kube-proxy --cleanup there: IPVS leaves kube-ipvs0 and its rules behind."
    method = detect_install_method(facts.snapshot)
    if method.method == KUBESPRAY:
        return by_hand(
            "Set kube_proxy_mode: iptables in Kubespray's inventory (group_vars/k8s_cluster/k8s-cluster.yml; its default is ipvs) and run "
            f"ansible-playbook cluster.yml. {clean}",
            "Kubespray's inventory: kube_proxy_mode",
            disruptive=True,
        )
    if method.platform in ("rke2", "k3s"):
        return by_hand(
            f"Take proxy-mode out of kube-proxy-arg in /etc/rancher/{method.platform}/config.yaml on every node and restart it. {clean}",
            f"/etc/rancher/{method.platform}/config.yaml: kube-proxy-arg",
            disruptive=True,
        )
    return by_hand(
        f"Set mode: iptables in config.conf of ConfigMap kube-system/kube-proxy and restart DaemonSet kube-proxy. {clean}",
        "ConfigMap kube-system/kube-proxy data[config.conf] mode",
        disruptive=True,
    )


def modes(snapshot: Snapshot) -> list[ModeSeen]:
    """Every place that says in which mode kube-proxy runs. A pod that is only given a configuration file says nothing by itself."""
    return [*_of_pods(snapshot), *_of_config_map(snapshot), *_of_node_arguments(snapshot)]


def _few(evidence: tuple[Evidence, ...], most: int = 4) -> tuple[Evidence, ...]:
    if len(evidence) <= most:
        return evidence
    return (*evidence[:most], Evidence(f"{len(evidence) - most} more", "", evidence[0].value))


def _of_pods(snapshot: Snapshot) -> t.Iterator[ModeSeen]:
    for pod in snapshot.pods.items:
        if "kube-proxy" not in (pod.labels.get("component"), pod.labels.get("k8s-app")):
            continue
        for container in pod.containers:
            options = _options(container)
            if "proxy-mode" in options:
                yield ModeSeen(options["proxy-mode"].lower(), Evidence(str(pod.ref), "--proxy-mode", options["proxy-mode"]))
            elif options and "config" not in options:
                yield ModeSeen(DEFAULT, Evidence(str(pod.ref), "--proxy-mode", "", "not given: the default, iptables"))


def _options(container: Container) -> dict[str, str]:
    """The options of a command line, in both spellings (`--name=value`, `--name value`), also inside one shell string."""
    words = [word for text in (*container.command, *container.args) for word in text.split()]
    options = {}
    for index, word in enumerate(words):
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            following = words[index + 1] if index + 1 < len(words) and not words[index + 1].startswith("-") else ""
            options[name] = value if equals else following
    return options


def _of_config_map(snapshot: Snapshot) -> t.Iterator[ModeSeen]:
    for config_map in snapshot.config_maps.items:
        key = CONFIGURATIONS.get((config_map.ref.namespace, config_map.ref.name), "")
        if key in config_map.data:
            found = CONFIGURED_MODE.search(config_map.data[key])
            mode = found.group("mode").lower() if found else DEFAULT
            note = "" if mode else "empty: the default, iptables"
            yield ModeSeen(mode, Evidence(str(config_map.ref), f"data[{key}] mode", mode, note))


def _of_node_arguments(snapshot: Snapshot) -> t.Iterator[ModeSeen]:
    for node in snapshot.nodes.items:
        for key in NODE_ARGUMENTS:
            arguments = _json_list(node.annotations.get(key, ""))
            mode = _mode_of_arguments(arguments)
            if mode:
                yield ModeSeen(mode, Evidence(str(node.ref), f"metadata.annotations[{key}]", f"--kube-proxy-arg proxy-mode={mode}"))
            elif arguments and "--disable-kube-proxy" not in arguments:
                yield ModeSeen(
                    DEFAULT, Evidence(str(node.ref), f"metadata.annotations[{key}]", "", "no proxy-mode among them: the default, iptables")
                )


def _json_list(text: str) -> list[str]:
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return []
    return [entry for entry in found if isinstance(entry, str)] if isinstance(found, list) else []


def _mode_of_arguments(arguments: t.Sequence[str]) -> str:
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--kube-proxy-arg":
            given = value if equals else arguments[position + 1] if position + 1 < len(arguments) else ""
            option, _equals, mode = given.strip("\"'").lstrip("-").partition("=")
            if option == "proxy-mode":
                return mode.lower()
    return ""


def _nothing_found(snapshot: Snapshot) -> str:
    reasons = [missing(snapshot.pods, "pods"), missing(snapshot.config_maps, "ConfigMaps"), missing(snapshot.nodes, "nodes")]
    unread = "; ".join(reason for reason in reasons if reason)
    return (
        unread
        or "no kube-proxy pod, no ConfigMap kube-system/kube-proxy and no RKE2 or k3s node arguments were found: something else may do its work"
    )
