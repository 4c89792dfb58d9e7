# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that Calico leaves out: by rule, or because it is down there; and what must not stand on them."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import why_not
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import detect_install_method
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import EXCLUDE, INCLUDE, LABEL
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import EXCLUDED as OPTED_OUT
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import INCLUDED as OPTED_IN
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout import (
    IS_DOWN,
    UNAVAILABLE_TAINT,
    Down,
    Rollout,
    nodes_down,
    rollout_of,
    stranded,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_placement import Exclusion
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._checks._rollout import EXCLUDED, SHOWN, STALLED, find_rollout, is_fresh, named
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node, Pod


@check(
    EXCLUDED,
    title="No selector, affinity or taint keeps calico-node off a node that needs it",
    severity="error",
    needs=("daemon_sets", "nodes", "pods"),
    references=("projectcalico/calico#9540", "projectcalico/calico#6357", "tigera/operator#2019", "kubernetes pkg/controller/daemon"),
    tags=("rollout",),
)
def node_excluded(facts: Facts) -> t.Iterator[Problem]:
    """calico-node tolerates every taint by default; only a selector or an affinity keeps it away, on purpose or not.

    A rule that demands a role label, as node-role.kubernetes.io/worker Exists, takes it off control planes, and off every node of kubeadm, RKE2 and
    k3s, which set no such label: the remedy for one unfit node that is often copied breaks the cluster. A node that is left out on purpose, without
    gateway, control plane and pods of its own, is only an information.
    """
    rollout = find_rollout(facts)
    for rule in dict.fromkeys((entry.field, entry.rule) for entry in rollout.excluded):
        entries = [entry for entry in rollout.excluded if (entry.field, entry.rule) == rule]
        yield _excluded(facts, rollout, entries)


@check(
    "gateway-without-calico",
    title="Every gateway node has a working calico-node",
    severity="error",
    needs=("daemon_sets", "nodes", "pods"),
    joined=True,
    references=("submariner-io/submariner#3120", "projectcalico/calico#9540"),
    tags=("rollout", "agents"),
)
def gateway_without_calico(facts: Facts) -> t.Iterator[Problem]:
    """All traffic to other clusters enters and leaves through the gateway node, whose agent needs Calico's interface and keeps the IPPools."""
    rollout = find_rollout(facts)
    without = rollout.without_calico
    for node in facts.snapshot.nodes.items:
        if node.is_gateway and node.ref.name in without:
            cause = EXCLUDED if any(entry.node.ref.name == node.ref.name for entry in rollout.excluded) else STALLED
            others = [other.ref.name for other in facts.snapshot.nodes.items if _is_fit(other, without)]
            yield Problem(
                subject=str(node.ref),
                title=f"Gateway node {node.ref.name} has no working calico-node",
                evidence=(Evidence(str(node.ref), "metadata.labels[submariner.io/gateway]", "true", "and calico-node does not run there"),),
                impact="Pods of this cluster lose the way to other clusters when this gateway is the active one.",
                remedy=by_hand(
                    f"Move the gateway to a fit node, such as {others[0]}: kubectl label node {others[0]} submariner.io/gateway=true, then "
                    f"kubectl label node {node.ref.name} submariner.io/gateway-"
                    if others
                    else "Repair calico-node on this node: no other node is fit to be a gateway.",
                    str(node.ref),
                    disruptive=True,
                ),
                severity="warning",
                caused_by=f"{facts.snapshot.cluster}/{cause}",
            )


@check(
    "calico-node-down",
    title="No node is marked as being without its network",
    severity="error",
    needs=("nodes",),
    references=("projectcalico/calico node/pkg/lifecycle/shutdown", "kubernetes pkg/controller/nodelifecycle"),
    tags=("rollout", "agents"),
)
def node_down(facts: Facts) -> t.Iterator[Problem]:
    """calico-node sets the condition NetworkUnavailable (CalicoIsDown) when it stops; the node then gets a taint and no new pods."""
    causes = _causes(facts)
    groups: dict[tuple[bool, str], list[Down]] = {}
    for down in nodes_down(facts.snapshot.nodes.items):
        by_calico = down.condition is not None and down.condition.reason == IS_DOWN
        groups.setdefault((by_calico, causes.get(down.node.ref.name, "")), []).append(down)
    for (by_calico, cause), group in groups.items():
        yield _down(facts, group, by_calico, cause)


def _down(facts: Facts, group: list[Down], by_calico: bool, cause: str) -> Problem:
    names = [down.node.ref.name for down in group]
    who = f"Node {names[0]} is" if len(names) == 1 else f"Nodes {named(names)} are"
    return Problem(
        subject=str(group[0].node.ref) if len(names) == 1 else f"Nodes {named(names)}",
        title=f"{who} marked as without network: {'calico-node was stopped there' if by_calico else 'nobody has reported the network as up'}",
        evidence=tuple(row for down in group[:SHOWN] for row in _down_rows(down)),
        impact=f"No new pod is scheduled there. {_stranded(facts, names)}".strip(),
        remedy=by_hand(
            f"Bring calico-node on {named(names)} back: it clears the condition itself when it starts (not with CALICO_NETWORKING_BACKEND none)."
        ),
        severity="warning" if cause else "",
        caused_by=cause,
    )


def _down_rows(down: Down) -> t.Iterator[Evidence]:
    if down.condition:
        said = f"{down.condition.reason} since {down.condition.since}"
        yield Evidence(str(down.node.ref), "status.conditions[NetworkUnavailable]", down.condition.status, said)
    if down.tainted:
        yield Evidence(str(down.node.ref), "spec.taints", UNAVAILABLE_TAINT)


def _excluded(facts: Facts, rollout: Rollout, entries: list[Exclusion]) -> Problem:
    nodes = [entry.node for entry in entries]
    lost, whole = named([node.ref.name for node in nodes]), len(nodes) == len(facts.snapshot.nodes.items)
    gateways, planes = [node for node in nodes if node.is_gateway], [node for node in nodes if node.is_control_plane]
    left = stranded(facts.snapshot, {node.ref.name for node in nodes})
    role = entries[0].role
    who = "all nodes" if whole else lost
    title = f"calico-node is kept off {who} by {entries[0].rule}"
    if role:
        lacking = "no node has it" if whole else f"{lost} {'lack' if len(nodes) > 1 else 'lacks'} it"
        title = f"calico-node may only run on nodes with a role label ({entries[0].rule}), and {lacking}"
    harm = "Nobody programs routes and policy on these nodes, and the CNI plugin's token there expires."
    return Problem(
        subject=str(rollout.daemon_set.ref),
        title=title,
        evidence=(
            Evidence(str(rollout.daemon_set.ref), entries[0].field, entries[0].rule, f"not met by {lost}"),
            *(Evidence(str(node.ref), "metadata.labels", "gateway" if node.is_gateway else "control plane") for node in (*gateways, *planes)[:SHOWN]),
            *([Evidence("Pods", "spec.nodeName", f"{len(left)} of those that were read", _pods(left))] if left else []),
        ),
        impact=f"{harm} {_stranded(facts, [node.ref.name for node in nodes])}".strip(),
        remedy=_remedy(facts, entries, role),
        severity=_severity(whole, role, bool(gateways or planes), bool(left)),
    )


def _severity(whole: bool, role: bool, important: bool, left: bool) -> str:
    if whole:
        return "blocker"
    if role or important:
        return "error"
    return "warning" if left else "info"


def _remedy(facts: Facts, entries: list[Exclusion], role: bool) -> Remedy:
    """Our own label is taken back (or, where it opts in, given) where it keeps calico-node off a node that needs it; other rules are a person's."""
    method = detect_install_method(facts.snapshot)
    needed = [entry.node.ref.name for entry in entries if entry.node.is_gateway or entry.node.is_control_plane]
    mode = {f"{LABEL} NotIn [{OPTED_OUT}]": EXCLUDE, f"{LABEL} In [{OPTED_IN}]": INCLUDE}.get(entries[0].rule, "")
    if not needed or not mode or method.platform == "roks" or why_not(facts.snapshot):
        return by_hand(_how_to_include(facts, role), method.durable, disruptive=True)
    return by_role(
        "calico_node_placement",
        f"{'Take the label from' if mode == EXCLUDE else 'Label'} {named(needed)}, so that calico-node runs there again.",
        {"calico_node_placement_nodes": needed, "calico_node_placement_mode": mode, "calico_node_placement_state": "absent" if mode == EXCLUDE else "present"},
        target=f"Node {named(needed)}",
    )


def _how_to_include(facts: Facts, role: bool) -> str:
    durable = detect_install_method(facts.snapshot).durable or "the DaemonSet"
    if role:
        return (
            f"Take the demand for a role label out, in {durable}. To keep calico-node off single unfit nodes, let role calico_node_placement label these "
            f"{LABEL}={OPTED_OUT} and demand {LABEL} NotIn [{OPTED_OUT}] instead."
        )
    return f"Take the rule out in {durable}, or, if these nodes are to stay without Calico, move gateways away and drain them with a NoExecute taint."


def _causes(facts: Facts) -> dict[str, str]:
    """Of each node without a working calico-node the finding that says why; none where that could not be read."""
    if any(missing(answer, "") for answer in (facts.snapshot.daemon_sets, facts.snapshot.pods)):
        return {}
    rollout = rollout_of(facts.snapshot, lambda pod: is_fresh(facts.snapshot, pod))
    if rollout is None:
        return {}
    excluded = {entry.node.ref.name for entry in rollout.excluded}
    return {name: f"{facts.snapshot.cluster}/{EXCLUDED if name in excluded else STALLED}" for name in rollout.without_calico}


def _is_fit(node: Node, without_calico: t.Container[str]) -> bool:
    return node.ready is True and not node.is_control_plane and not node.is_gateway and node.ref.name not in without_calico


def _stranded(facts: Facts, nodes: t.Collection[str]) -> str:
    left = stranded(facts.snapshot, nodes)
    return f"Stranded there are {_pods(left)}." if left else ""


def _pods(pods: t.Sequence[Pod]) -> str:
    return named([f"{pod.ref.namespace}/{pod.ref.name}" for pod in pods])
