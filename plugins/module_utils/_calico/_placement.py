# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which nodes calico-node has, gets and loses: the DaemonSet's rules and the nodes' labels before and after a change, and what forbids it.

Judged by :mod:`_rollout_placement`, as the DaemonSet controller would. Taints are judged too, though calico-node tolerates all of them unless somebody
replaced its tolerations. Nodes that are none (Windows, virtual ones) are in neither list.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import Request
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_placement import Exclusion, exclusions, is_none
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet, Node, Pod

_SHOWN = 8


class Simulation(t.NamedTuple):
    """:param nodes: with the labels that they will have, in the order of their names.
    :param before: nodes without calico-node now, each with the rule that keeps it away.
    :param after: nodes that will be without it.
    """

    nodes: tuple[Node, ...]
    before: tuple[Exclusion, ...]
    after: tuple[Exclusion, ...]

    @property
    def lost(self) -> tuple[Exclusion, ...]:
        """Nodes that have it now and will not."""
        had = {entry.node.ref.name for entry in self.before}
        return tuple(entry for entry in self.after if entry.node.ref.name not in had)

    @property
    def gained(self) -> tuple[str, ...]:
        """Names of the nodes that do not have it now and will."""
        out = {entry.node.ref.name for entry in self.after}
        return tuple(entry.node.ref.name for entry in self.before if entry.node.ref.name not in out)

    @property
    def selected(self) -> tuple[Node, ...]:
        """Nodes that will have it."""
        out = {entry.node.ref.name for entry in self.after}
        return tuple(node for node in self.nodes if node.ref.name not in out and not is_none(node))

    def lines(self) -> list[str]:
        """A table: node, what it is, and what becomes of calico-node there."""
        before = {entry.node.ref.name for entry in self.before}
        after = {entry.node.ref.name: entry for entry in self.after}
        rows = [("NODE", "IS", "CALICO-NODE")]
        rows += [(node.ref.name, roles(node), _fate(node, before, after.get(node.ref.name))) for node in self.nodes if not is_none(node)]
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        return [f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {fate}".rstrip() for name, kind, fate in rows]


def roles(node: Node) -> str:
    """``gateway, control plane``; ``worker`` for a node that is neither."""
    return ", ".join(word for word, is_it in (("gateway", node.is_gateway), ("control plane", node.is_control_plane)) if is_it) or "worker"


def _fate(node: Node, before: t.Container[str], out: Exclusion | None) -> str:
    if out is None:
        return "comes" if node.ref.name in before else "stays"
    return f"{'is not there' if node.ref.name in before else 'IS TAKEN AWAY'}: {out.rule}"


def simulate(before: DaemonSet, after: DaemonSet, nodes: t.Iterable[Node], labels: t.Mapping[str, t.Mapping[str, str]] | None = None) -> Simulation:
    """
    :param before: the DaemonSet as it is.
    :param after: the same with the selector, the affinity and the tolerations that it will have.
    :param labels: of each node whose labels change all that it will have.
    """
    now = tuple(sorted(nodes, key=lambda node: node.ref.name))
    then = tuple(node._replace(labels=labels[node.ref.name]) if labels and node.ref.name in labels else node for node in now)
    return Simulation(then, exclusions(before, now), exclusions(after, then))


def refuse_harm(simulation: Simulation, request: Request, cluster: str, *, written: str = "Nothing was written.") -> None:
    """
    :param written: what was, or was not, written by then.
    :raises RefusedError: a gateway, a control plane or too many nodes would be without calico-node, or are already by a rule that stands.
    """
    by_role = [entry for entry in simulation.after if entry.role]
    if by_role:
        raise _refused(
            simulation,
            cluster,
            written,
            f"the rule {by_role[0].rule} ({by_role[0].field} of calico-node) keeps calico-node off {_named(by_role)}, since it demands a role label. "
            "Control planes have none such, and on kubeadm, RKE2 and k3s no node has. Take that rule out first",
        )
    for what, found in (
        ("gateway of Submariner", [entry for entry in simulation.after if entry.node.is_gateway]),
        ("control plane", [entry for entry in simulation.after if entry.node.is_control_plane]),
    ):
        if found:
            raise _refused(
                simulation,
                cluster,
                written,
                f"{_named(found)} would be without calico-node and {'is a' if len(found) == 1 else 'are each a'} {what} ({found[0].rule}). "
                + ("Move the gateway to another node first" if found[0].node.is_gateway else "Webhooks and aggregated APIs go through Calico there"),
            )
    if len(simulation.after) > request.max_excluded:
        raise _refused(
            simulation,
            cluster,
            written,
            f"{len(simulation.after)} nodes would be without calico-node ({_named(simulation.after)}), and max_excluded is {request.max_excluded}. "
            "Raise max_excluded if that is what you want",
        )


def needing_network(pods: t.Iterable[Pod], leaving: t.Container[str]) -> list[Pod]:
    """Of the pods of one node those that need CNI there.

    :param leaving: names of DaemonSets whose pods go together with calico-node.
    """
    return [
        pod
        for pod in pods
        if not pod.host_network and not pod.deleting and pod.phase in ("Running", "Pending") and pod.owner.partition("/")[2] not in leaving
    ]


def refuse_workloads(simulation: Simulation, request: Request, pods: t.Mapping[str, t.Sequence[Pod]], cluster: str) -> None:
    """
    :param pods: of each node that loses calico-node the pods that need CNI.
    :raises RefusedError: one with such pods is not cordoned, and is not to be.
    """
    for entry in simulation.lost:
        left, name = pods.get(entry.node.ref.name, ()), entry.node.ref.name
        if left and not (entry.node.unschedulable or request.cordon or request.taint):
            raise _refused(
                simulation,
                cluster,
                "Nothing was written.",
                f"{name} would be without calico-node, and {len(left)} pods there need the network that it keeps up ({_pods(left)}). Drain it "
                f"(kubectl drain {name} --ignore-daemonsets), or cordon it; with cordon=true this module cordons it, with taint=true it evicts them",
            )


def _refused(simulation: Simulation, cluster: str, written: str, why: str) -> RefusedError:
    return RefusedError(f"{cluster}: {why}. {written}", simulation=simulation.lines())


def _named(entries: t.Sequence[Exclusion]) -> str:
    names = [entry.node.ref.name for entry in entries]
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _pods(pods: t.Sequence[Pod]) -> str:
    names = [f"{pod.ref.namespace}/{pod.ref.name}" for pod in pods]
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
