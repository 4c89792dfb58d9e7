# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""From a cluster and a request to the affinities and labels that change, in which order, and what that does to every node."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import calico_node
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement import Simulation, refuse_harm, simulate
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_affinity import (
    Affinity,
    mentions,
    node_affinity,
    terms_of,
    with_requirement,
    without_requirement,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_nodes import Wish, default_wish, labels_after, left_to_do
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import ARCHITECTURE, CALICO_NODE, Request
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_terms import unmet
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_placement import is_none
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet, Node, Ref, Snapshot

# What the operator renders before anybody asked for anything else (tigera/operator pkg/render/node.go).
_FRESH = DaemonSet(
    Ref("DaemonSet", CALICO_NODE, "calico-system"),
    {},
    (),
    0,
    0,
    node_selector={"kubernetes.io/os": "linux"},
    tolerations=({"operator": "Exists", "effect": "NoSchedule"}, {"operator": "Exists", "effect": "NoExecute"}),
)


class Workload(t.NamedTuple):
    """One of Calico's workloads, and what decides where it runs.

    :param written: the affinity where ours is to be written; None where there is none.
    :param stands: the affinity in force, the operator's own preset included.
    :param preset: what the operator renders where nothing is written; None for nothing, and where no operator is.
    :param field: of Installation.spec; "" where the workload's own object is written.
    :param node_selector: that Installation adds to the workload's own.
    :param tolerations: that Installation puts in the place of the workload's own; None where it does not.
    :param replicas: of a Deployment; 0 for a DaemonSet.
    """

    ref: Ref
    written: Affinity | None
    stands: Affinity | None
    preset: Affinity | None = None
    field: str = ""
    node_selector: t.Mapping[str, str] = {}
    tolerations: tuple[t.Mapping[str, t.Any], ...] | None = None
    replicas: int = 0


class AffinityChange(t.NamedTuple):
    """``after`` is None where the affinity is taken away."""

    workload: Workload
    after: Affinity | None


class Decision(t.NamedTuple):
    """:param before: calico-node's DaemonSet as it is; ``after`` with the rules that it will have.
    :param wanted: the affinity that each workload is to have, calico-node's first; empty where they all stay as they are.
    :param labels: what is left to do on each node, in the order in which it is done.
    :param rule: True where the affinity is to be there, False where it is to be gone, None where it stays as it is.
    :param labels_first: whether the nodes change before the affinity.
    :param batched: whether nodes change in batches, each watched before the next: where a node's change has an effect at once.
    """

    before: DaemonSet
    after: DaemonSet
    simulation: Simulation
    wanted: tuple[AffinityChange, ...]
    labels: t.Mapping[str, Wish]
    rule: bool | None
    labels_first: bool
    batched: bool
    warnings: tuple[str, ...] = ()

    @property
    def affinities(self) -> tuple[AffinityChange, ...]:
        """Those that change."""
        return tuple(entry for entry in self.wanted if entry.after != entry.workload.written)

    @property
    def empty(self) -> bool:
        return not self.affinities and not self.labels

    @property
    def rule_changes(self) -> bool:
        return any(entry.workload.ref.name == CALICO_NODE for entry in self.affinities)


def decide(snapshot: Snapshot, workloads: t.Sequence[Workload], request: Request) -> Decision:
    """
    :param workloads: calico-node's first.
    :raises RefusedError: a node is not there, or the change would take calico-node off nodes that need it.
    """
    daemon_set = calico_node(snapshot) or _FRESH
    nodes = {node.ref.name: node for node in snapshot.nodes.items}
    chosen = _chosen(snapshot.cluster, daemon_set, workloads[0], nodes, request)
    rule = _rule_after(request, chosen, nodes)
    wanted = _wanted(workloads, request, rule)
    after = _daemon_set_after(daemon_set, workloads[0], wanted)
    wishes = {name: default_wish(request) for name in chosen}
    simulation = simulate(daemon_set, after, nodes.values(), {name: labels_after(nodes[name], wish, request) for name, wish in wishes.items()})
    if not request.excludes and request.present and (request.cordon or request.taint):
        aside = Wish(None, request.cordon or None, request.taint or None)
        wishes = {**wishes, **{entry.node.ref.name: aside for entry in simulation.lost}}
    labels = {name: left_to_do(nodes[name], wish, request) for name, wish in wishes.items()}
    labels = {name: wish for name, wish in labels.items() if wish != Wish()}
    wanted, warnings = _with_room(wanted, simulation)
    decision = Decision(daemon_set, after, simulation, wanted, labels, rule, request.present != request.excludes, _batched(request, rule, wanted), warnings)
    if not decision.empty and (request.present or simulation.lost):
        refuse_harm(simulation, request, snapshot.cluster)
    return decision


def _chosen(cluster: str, daemon_set: DaemonSet, calico: Workload, nodes: t.Mapping[str, Node], request: Request) -> list[str]:
    """Names of the nodes whose label is spoken of."""
    missing = [name for name in request.nodes if name not in nodes]
    if missing and request.present:
        known = ", ".join(sorted(nodes)[:20])
        raise RefusedError(f"{cluster}: there is no node {', '.join(missing)}. Nothing was written. The nodes are {known}{' ...' if len(nodes) > 20 else ''}.")
    others = [name for name in request.nodes if name in nodes and is_none(nodes[name])]
    if others and request.present:
        raise RefusedError(f"{cluster}: calico-node never runs on {', '.join(others)}, which is no Linux node of its own. Nothing was written.")
    if request.nodes:
        return [name for name in request.nodes if name in nodes]
    labelled = [name for name in sorted(nodes) if nodes[name].labels.get(request.key) == request.value]
    if not request.present:
        return labelled
    # Every node that has calico-node keeps it: where the rule stands already, those are the labelled ones.
    rules = _daemon_set_after(daemon_set, calico, ())
    fits = simulate(rules, rules, nodes.values()).selected
    wanted = {node.ref.name for node in fits if not request.architectures or node.labels.get(ARCHITECTURE) in request.architectures}
    return sorted(wanted | set(labelled))


def _rule_after(request: Request, chosen: t.Sequence[str], nodes: t.Mapping[str, Node]) -> bool | None:
    """True where the affinity is to be there, False where it is to be gone, None where it stays as it is."""
    if request.present:
        return True
    if not request.nodes:
        return False
    left = [name for name, node in nodes.items() if node.labels.get(request.key) == request.value and name not in chosen]
    return False if request.excludes and not left else None


def _wanted(workloads: t.Sequence[Workload], request: Request, rule: bool | None) -> tuple[AffinityChange, ...]:
    return () if rule is None else tuple(AffinityChange(workload, _with(workload, request) if rule else _without(workload, request)) for workload in workloads)


def _with(workload: Workload, request: Request) -> Affinity:
    base = workload.written if workload.written is not None else workload.stands if workload.stands is not None else workload.preset
    for requirement in request.requirements:
        base = with_requirement(base, requirement)
    return base or {}


def _without(workload: Workload, request: Request) -> Affinity | None:
    left = workload.written
    for requirement in request.requirements:
        if mentions(left, requirement):
            left = without_requirement(left, requirement)
    return None if left == workload.preset else left


def _daemon_set_after(daemon_set: DaemonSet, calico: Workload, wanted: t.Sequence[AffinityChange]) -> DaemonSet:
    changed = next((entry for entry in wanted if entry.workload is calico), None)
    affinity = calico.stands if changed is None and calico.written is None else calico.written if changed is None else changed.after
    affinity = calico.preset if affinity is None else affinity
    return daemon_set._replace(
        node_affinity=node_affinity(affinity),
        node_selector={**calico.node_selector, **daemon_set.node_selector},
        tolerations=daemon_set.tolerations if calico.tolerations is None else calico.tolerations,
    )


def _with_room(wanted: tuple[AffinityChange, ...], simulation: Simulation) -> tuple[tuple[AffinityChange, ...], tuple[str, ...]]:
    """Leaves a Deployment alone that would not find a node for each of its replicas: Typha's pods share no node, as they use its network."""
    kept, warnings = [], []
    for entry in wanted:
        terms = terms_of(entry.after)
        room = [node for node in simulation.selected if node.ready is not False and (terms is None or unmet(terms, node.labels, node.ref.name) is None)]
        if entry.after is not None and len(room) < entry.workload.replicas:
            warnings.append(
                f"{entry.workload.ref.name} is left where it is: it has {entry.workload.replicas} replicas, which each need a node, and only "
                f"{len(room)} nodes would be left."
            )
        else:
            kept.append(entry)
    return tuple(kept), tuple(warnings)


def _batched(request: Request, rule: bool | None, wanted: t.Sequence[AffinityChange]) -> bool:
    """A label acts at once where the rule stands by then: not before it lands, and not after it is gone."""
    if request.excludes:
        return True
    return rule is None or (rule and all(entry.after == entry.workload.written for entry in wanted if entry.workload.ref.name == CALICO_NODE))


def require_known(snapshot: Snapshot) -> None:
    """
    :raises SubmarinerError: a list that decides about nodes could not be read.
    """
    for name, answer in (
        ("nodes", snapshot.nodes),
        ("daemon sets", snapshot.daemon_sets),
        ("deployments", snapshot.deployments),
        ("Installations", snapshot.installations),
    ):
        if not answer.known:
            raise SubmarinerError(
                f"{snapshot.cluster}: which nodes would lose calico-node cannot be told, since {name} could not be read: {answer.state.replace('_', ' ')} "
                f"({answer.where}) {answer.detail}. Nothing was written."
            )


def consent(snapshot: Snapshot, decision: Decision, request: Request) -> list[str]:
    """What the change interrupts, a sentence each."""
    daemon_set = calico_node(snapshot)
    said = []
    if decision.rule_changes and daemon_set is not None and daemon_set.desired:
        at_once = daemon_set.max_unavailable or "1"
        said.append(f"calico-node restarts on each of its {daemon_set.desired} nodes, {at_once} at a time, since the template of {daemon_set.ref} changes")
    for entry in decision.simulation.lost:
        said.append(f"node {entry.node.ref.name} loses calico-node: nobody programs routes and policy there any more")
    for name, wish in decision.labels.items():
        if wish.tainted:
            said.append(f"node {name} is tainted {request.label}:NoExecute: pods that do not tolerate it are evicted")
    return said
