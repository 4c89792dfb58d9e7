# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which nodes calico-node may run, as the DaemonSet controller would decide.

A pod of a DaemonSet goes to every node that its nodeSelector, its required node affinity and its tolerations allow (kubernetes
pkg/controller/daemon, ``NodeShouldRunDaemonPod``). calico-node tolerates every taint unless somebody replaced its tolerations; a nodeSelector or an
affinity is what usually keeps it away.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_terms import REQUIRED, unmet, words
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet, Node, Taint

ROLE = "node-role.kubernetes.io/"
# What the DaemonSet controller adds to every pod of a DaemonSet by itself; the last one to those with hostNetwork.
_ALWAYS_TOLERATED = frozenset(
    f"node.kubernetes.io/{name}"
    for name in ("not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable", "network-unavailable")
)
# Nodes that are none: the operator's own presets keep calico-node off them on AKS and EKS (tigera/operator pkg/render/node.go).
_NO_NODES = (("type", "virtual-kubelet"), ("eks.amazonaws.com/compute-type", "fargate"))


class Exclusion(t.NamedTuple):
    """A node that gets no calico-node.

    :param rule: the rule that keeps it away, as it stands in the DaemonSet.
    :param field: where it stands.
    :param role: True where the rule demands a role label: it keeps off every node that lacks the label, wanted or not.
    """

    node: Node
    rule: str
    field: str
    role: bool = False


def exclusions(daemon_set: DaemonSet, nodes: t.Iterable[Node]) -> tuple[Exclusion, ...]:
    """The Linux nodes that the DaemonSet does not select, each with the first rule that keeps it away."""
    found = []
    for node in nodes:
        if not is_none(node):
            excluded = _by_selector(daemon_set, node) or _by_affinity(daemon_set, node) or _by_taint(daemon_set, node)
            if excluded is not None:
                found.append(excluded)
    return tuple(found)


def is_none(node: Node) -> bool:
    windows = "windows" in (node.operating_system, node.labels.get("kubernetes.io/os"))
    return windows or any(node.labels.get(key) == value for key, value in _NO_NODES)


def _by_selector(daemon_set: DaemonSet, node: Node) -> Exclusion | None:
    for key, value in daemon_set.node_selector.items():
        # A record without labels comes from a bundle that left them out: the label that each kubelet sets by itself is no reason then.
        if node.labels.get(key) != value and not (key in ("kubernetes.io/os", "beta.kubernetes.io/os") and key not in node.labels):
            return Exclusion(node, f"{key}={value}", "spec.template.spec.nodeSelector", key.startswith(ROLE))
    return None


def _by_affinity(daemon_set: DaemonSet, node: Node) -> Exclusion | None:
    required = daemon_set.node_affinity.get(REQUIRED)
    if not isinstance(required, dict) or not isinstance(required.get("nodeSelectorTerms"), list):
        return None
    failed = unmet(required["nodeSelectorTerms"], node.labels, node.ref.name)
    if failed is None:
        return None
    role = bool(failed) and all(_demands_role(expression) for expression in failed)
    return Exclusion(node, words(failed[0]) if failed else "no term", "spec.template.spec.affinity.nodeAffinity", role)


def _demands_role(expression: t.Mapping[str, t.Any]) -> bool:
    return str(expression.get("key", "")).startswith(ROLE) and expression.get("operator") in ("Exists", "In")


def _by_taint(daemon_set: DaemonSet, node: Node) -> Exclusion | None:
    if not daemon_set.tolerations:
        return None  # not read: calico-node has always had some
    for taint in node.taints:
        repels = taint.effect in ("NoSchedule", "NoExecute") and taint.key not in _ALWAYS_TOLERATED
        if repels and not any(tolerates(entry, taint) for entry in daemon_set.tolerations):
            return Exclusion(node, f"taint {taint.key}={taint.value}:{taint.effect} is not tolerated", "spec.template.spec.tolerations")
    return None


def tolerates(toleration: t.Mapping[str, t.Any], taint: Taint) -> bool:
    """An empty effect tolerates all effects; Exists without a key tolerates all taints (kubernetes api/core/v1/toleration.go)."""
    effect, key, operator = (str(toleration.get(name) or "") for name in ("effect", "key", "operator"))
    if effect and effect != taint.effect:
        return False
    if key and key != taint.key:
        return False
    return operator == "Exists" or (bool(key) and str(toleration.get("value") or "") == taint.value)
