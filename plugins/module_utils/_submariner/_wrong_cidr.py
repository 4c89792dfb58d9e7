# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Where a wrong CIDR came from: names the fallback that lied."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._calico._cidr_truth import cidr_truth
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, collapse, covers, parse_cidrs, same
from ansible_collections.fathom.submariner.plugins.module_utils._network._command_line import option_values
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD, SERVICE
from ansible_collections.fathom.submariner.plugins.module_utils._network._verdict import CidrTruth
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import ARGS_READ

# Defaults that are found on clusters which were told otherwise, by subject.
_DEFAULTS = {
    (POD, "10.42.0.0/16"): "RKE2's and k3s's default pod range",
    (POD, "10.244.0.0/16"): "the pod range of kubeadm's and flannel's instructions",
    (POD, "192.168.0.0/16"): "Calico's default pod range",
    (POD, "10.233.64.0/18"): "Kubespray's default pod range",
    (SERVICE, "10.43.0.0/16"): "RKE2's and k3s's default service range",
    (SERVICE, "10.96.0.0/12"): "kubeadm's default service range",
    (SERVICE, "10.233.0.0/18"): "Kubespray's default service range",
}


def identify_wrong_cidr(value: str, snapshot: Snapshot, subject: str = POD, truth: CidrTruth | None = None) -> str:
    """Explain a value that is not the true CIDR, as in ``equals spec.podCIDR of the only node rke2-1``; empty when nothing fits.

    :param value: as found in the Submariner's status, an Endpoint or an environment variable; may be empty or nonsense.
    :param subject: ``pod`` or ``service``.
    :param truth: where it has been judged already.
    """
    truth = cidr_truth(snapshot) if truth is None else truth
    if not value.strip():
        return _why_empty(snapshot, subject)
    parsed = parse_cidrs(value)
    if not parsed.networks:
        return "; ".join(parsed.problems)
    networks = parsed.networks
    if same(networks, truth.networks(subject)):
        return ""
    return (
        _of_a_node(networks, snapshot)
        or _of_a_source(networks, subject, truth)
        or _of_a_default(networks, subject)
        or _beside_the_truth(networks, subject, truth)
    )


def _why_empty(snapshot: Snapshot, subject: str) -> str:
    component, option = ("kube-controller-manager", "--cluster-cidr") if subject == POD else ("kube-apiserver", "--service-cluster-ip-range")
    if not snapshot.pods.known or not snapshot.nodes.known:
        return "empty: nothing was detected"
    count = len(snapshot.nodes.items)
    several = (f"{count} nodes and " if count != 1 else "one node without spec.podCIDR and ") if subject == POD else ""
    pods = sorted((pod for pod in snapshot.pods.items if pod.labels.get("component") == component), key=lambda pod: pod.ref)
    if not pods:
        return f"empty: {several}no visible {component}"
    given = [value for container in pods[0].containers for value in option_values(container.command, container.args, option)]
    if not given:
        return f"empty: {several}a {component} without {option}"
    if all(value.field == "args" for value in given):
        return f"empty: {several}{component} has {option} in args, which Submariner before {ARGS_READ.first[0]} does not read"
    return f"empty: {several}{component} has {option}, but Submariner did not find it (its operator looks once, when its pod starts)"


def _of_a_node(networks: tuple[Network, ...], snapshot: Snapshot) -> str:
    nodes = sorted(snapshot.nodes.items, key=lambda node: node.ref)

    def matches(node: Node) -> bool:
        return any(collapse([network]) == collapse(networks) for network in parse_cidrs(node.pod_cidrs).networks) or same(
            parse_cidrs(node.pod_cidrs).networks, networks
        )

    found = next((node for node in nodes if matches(node)), None)
    if found is None:
        return ""
    if len(nodes) == 1:
        return f"equals spec.podCIDR of the only node {found.ref.name}"
    if found is nodes[0]:
        return f"equals spec.podCIDR of {found.ref.name}, the first node of {len(nodes)}"
    return f"equals spec.podCIDR of {found.ref.name}, one node of {len(nodes)} (the operator keeps what it found when that was the only one)"


def _of_a_source(networks: tuple[Network, ...], subject: str, truth: CidrTruth) -> str:
    other = SERVICE if subject == POD else POD
    if same(truth.networks(other), networks):
        return f"is the {other} CIDR"
    row = next((row for row in truth.evidence if row.subject == subject and row.cidrs and same(parse_cidrs(row.cidrs).networks, networks)), None)
    if row is None:
        return ""
    return f"equals {row.field} of {row.object}" + (f" ({row.caveat})" if row.caveat else "")


def _of_a_default(networks: tuple[Network, ...], subject: str) -> str:
    default = _DEFAULTS.get((subject, ",".join(str(network) for network in networks)))
    return f"equals {default}" if default else ""


def _beside_the_truth(networks: tuple[Network, ...], subject: str, truth: CidrTruth) -> str:
    true = truth.networks(subject)
    shown = ", ".join(str(network) for network in true)
    if not true:
        return ""
    if covers(true, networks):
        return f"is only a part of {shown}"
    return f"is wider than {shown}" if covers(networks, true) else ""
