# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Keeping calico-node off nodes, or on labelled ones alone: read, simulate, refuse what harms, then affinity and labels in the order that is safe."""

from __future__ import annotations

import datetime
import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable import person_kubespray, refuse_unknown, set_installation
from ansible_collections.fathom.submariner.plugins.module_utils._apply._node_write import patch_node
from ansible_collections.fathom.submariner.plugins.module_utils._apply._placement_watch import STATUS, Watch
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import ARGUMENT_SPEC, Person, Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _placement_words as words
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import WITH_INSTALLATION, Method, base_installation, method_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_changes import calico_node_pods
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import calico_node
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement import needing_network, refuse_harm, refuse_workloads, simulate
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_affinity import change
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_decision import AffinityChange, Decision, consent, decide, require_known
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_nodes import Wish, node_patch, opposite
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import CALICO_NODE, COMPONENTS, Request, batches, parse_request
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_workloads import (
    fields_of,
    fragment_of,
    places,
    refuse_old_operator,
    workloads_of,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout import IS_DOWN, nodes_down
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, get_object, read_list
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node, Pod, Ref, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_kubernetes import pod as project_pod
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_nodes import node as project_node

_DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/installations.operator.tigera.io"
_HANDED_OVER = ("allow_disruption", "wait", "wait_timeout")  # options beside the request that a play after Kubespray needs again
_FOR_UNDOING = 30.0  # seconds that are kept for putting labels back

Object = t.Dict[str, t.Any]


def perform(task: Task) -> None:
    """See ``run_remedy``."""
    request = parse_request(task.params)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    snapshot = read_snapshot(task.member.connection, task.member.name, timeout=task.deadline.left(), taken_at=now)
    refuse_unknown(snapshot)
    require_known(snapshot)
    method = method_of(snapshot)
    if method == Method.ROKS and not task.params["force"]:
        raise RefusedError(
            f"{snapshot.cluster}: on Red Hat OpenShift on IBM Cloud, IBM does not support a change of calico-node's placement, and its master may undo it. "
            "Nothing was written. Replace the worker, ask IBM's support, or set force=true."
        )
    fields = _fields(task) if method in WITH_INSTALLATION else None
    refuse_old_operator(snapshot, fields)
    live = {name: get_object(task.member.connection, _path(ref), task.deadline) for name, ref in places(snapshot, request).items()}
    workloads, warnings = workloads_of(snapshot, live, fields)
    decision = decide(snapshot, workloads, request)
    simulation = decision.simulation
    task.facts.update(
        simulation=simulation.lines(),
        without=[entry.node.ref.name for entry in simulation.after],
        lost=[entry.node.ref.name for entry in simulation.lost],
        gained=list(simulation.gained),
    )
    pods = {name: _pods_of(task, name) for name in task.facts["lost"]}
    refuse_workloads(simulation, request, pods, snapshot.cluster)
    task.warnings += [*warnings, *decision.warnings, *words.stranded(pods)]
    if not decision.empty:
        task.require_consent(consent(snapshot, decision, request))
    _Run(task, snapshot, request, decision).carry_out()


def _fields(task: Task) -> frozenset[str] | None:
    try:
        return fields_of(get_object(task.member.connection, _DEFINITION, task.deadline))
    except KubeError:
        return None  # a field that is not known is refused by the server's own validation


def _path(ref: Ref) -> str:
    return f"/apis/apps/v1/namespaces/{ref.namespace}/{ref.kind.lower()}s/{ref.name}"


def _pods_of(task: Task, node: str) -> list[Pod]:
    found = read_list(task.member.connection, ListRequest("", "/api/v1/pods", project_pod, field_selector=f"spec.nodeName={node}"), task.deadline)
    if found.error is not None:
        raise SubmarinerError(f"{task.member.name}: which pods on {node} need calico-node could not be read, so nothing was written: {found.error.message}")
    return needing_network(found.items, COMPONENTS)


class _Run:
    """The carrying out of one decision."""

    def __init__(self, task: Task, snapshot: Snapshot, request: Request, decision: Decision) -> None:
        self._task = task
        self._snapshot = snapshot
        self._request = request
        self._decision = decision
        self._waits = task.params["wait"] and not task.check_mode
        self._lost = frozenset(entry.node.ref.name for entry in decision.simulation.lost)
        self._gained = frozenset(decision.simulation.gained)
        daemon_set = calico_node(snapshot)
        place = daemon_set.ref if daemon_set else Ref("DaemonSet", CALICO_NODE, "calico-system")
        pods = [pod for pod in calico_node_pods(snapshot, daemon_set) if pod.node] if daemon_set else []
        ailing = {pod.node for pod in pods if not pod.ready and not pod.deleting} - self._lost - self._gained
        tells = any(entry.ref.name == STATUS for entry in snapshot.tigera_statuses.items)
        self._watch = Watch(task.member, place, ailing, operator=method_of(snapshot) in WITH_INSTALLATION and tells)

    def carry_out(self) -> None:
        decision = self._decision
        if decision.labels_first:
            self._write_labels()
            in_force = self._write_rule()
        else:
            in_force = self._write_rule()
            if in_force:
                self._write_labels()
        last_watched = decision.labels and decision.batched and not decision.labels_first
        if in_force and self._waits and not decision.empty and not last_watched:
            self._watch.await_nodes(self._lost, self._gained, self._task.deadline)
        if in_force:
            self._tell_of_lost()

    def _write_rule(self) -> bool:
        """Return whether the rule is as it is to be; False where that needs a person first."""
        decision, task = self._decision, self._task
        if decision.rule is None:
            return True
        method = method_of(self._snapshot)
        if method not in WITH_INSTALLATION:
            self._write_templates()
        elif decision.rule or decision.affinities:
            base = base_installation(self._snapshot)
            fragment, replace = fragment_of(decision.wanted if decision.rule else decision.affinities, base.spec if base else {})
            why = words.purpose(self._request)
            written = set_installation(task, self._snapshot, fragment, replace=replace, why=why)
            if decision.rule_changes and not written:
                task.lines.append(words.person_first(self._request, decision))
                return False
        if self._waits and decision.rule_changes:
            self._watch.await_rule(self._request.requirements, there=bool(decision.rule), deadline=task.deadline)
        return True

    def _write_templates(self) -> None:
        task, method = self._task, method_of(self._snapshot)
        for entry in self._decision.affinities:
            self._write_template(entry)
        if not self._decision.affinities:
            return
        if method == Method.KUBESPRAY:
            self._tell_kubespray()
        elif self._decision.rule:
            task.warnings.append(words.of_manifest(task.member.name, self._decision.affinities[0].workload.ref))

    def _tell_kubespray(self) -> None:
        task, request, there = self._task, self._request, bool(self._decision.rule)
        if not request.excludes:
            person_kubespray(task, words.kubespray_variables(request, there=there), words.purpose(request))
        if there and (request.excludes or request.architectures):
            options = {name: task.params[name] for name in _HANDED_OVER if task.params[name] != ARGUMENT_SPEC[name]["default"]}
            task.people.append(Person(*words.after_kubespray(request, options)))

    def _write_template(self, entry: AffinityChange) -> None:
        ref = entry.workload.ref
        path = _path(ref)
        found = self._task.writer.read(path)
        if found is None:
            raise SubmarinerError(f"{self._task.member.name}: {ref} has disappeared. Run this again.")
        before = found["spec"]["template"]["spec"].get("affinity") or {}
        if before != (entry.workload.written or {}):
            raise SubmarinerError(f"{self._task.member.name}: the affinity of {ref} has changed since it was read, so it was not written. Run this again.")
        patch = None if entry.after is None else change(before, entry.after)
        self._task.writer.patch(path, found, {"spec": {"template": {"spec": {"affinity": patch}}}})
        self._task.lines.append(f"{ref}: affinity set, so that {words.purpose(self._request)}.")

    def _write_labels(self) -> None:
        decision, request, task = self._decision, self._request, self._task
        names = list(decision.labels)
        groups = batches(names, request) if decision.batched else (tuple(names),) if names else ()
        for number, group in enumerate(groups):
            if number and self._waits and request.pause:
                time.sleep(min(float(request.pause), task.deadline.left()))
            for name in group:
                self._write_node(name, decision.labels[name])
            if self._waits and decision.batched:
                self._prove(group, names[names.index(group[-1]) + 1 :])
        if request.present and not request.excludes and decision.rule_changes and not task.check_mode:
            self._require_labelled()

    def _write_node(self, name: str, wish: Wish) -> None:
        request = self._request

        def decided(obj: Object) -> Object:
            record = project_node(obj)
            if request.excludes and wish.labelled and (record.is_gateway or record.is_control_plane):
                raise RefusedError(f"{self._task.member.name}: {name} has become a gateway or a control plane meanwhile: it was not labelled.")
            return node_patch(obj, wish, request)

        if patch_node(self._task.writer, name, decided):
            self._task.lines.append(f"Node {name}: {wish.words(request)}.")

    def _prove(self, group: t.Sequence[str], left: t.Sequence[str]) -> None:
        """Watch what the change of some nodes leads to, and take it back where that is not what it is for."""
        seconds = self._task.deadline.left()
        deadline = Deadline(max(seconds - _FOR_UNDOING, seconds / 2))
        try:
            self._watch.await_nodes(self._lost.intersection(group), self._gained.intersection(group), deadline)
        except SubmarinerError as error:
            told = self._undo(group)
            rest = f" Not tried: {', '.join(left)}." if left else ""
            raise SubmarinerError(f"{error.message.rstrip('.')}. {told}{rest}", **error.details) from error

    def _undo(self, group: t.Sequence[str]) -> str:
        request, writer = self._request, self._task.writer
        writer.deadline = Deadline(max(_FOR_UNDOING, self._task.deadline.left()))
        done, failed = [], []
        for name in reversed(group):
            wish = opposite(self._decision.labels[name])
            try:
                patch_node(writer, name, lambda obj, wish=wish: node_patch(obj, wish, request))
                done.append(f"Node {name}: {wish.words(request)}")
            except SubmarinerError as error:
                failed.append(f"Node {name}: {error.message}")
        self._task.lines += [f"{line}, since it did not lead to what it is for." for line in done]
        said = f"Taken back: {'; '.join(done)}." if done else ""
        return f"{said} Could NOT be taken back: {' '.join(failed)}".strip() if failed else said

    def _require_labelled(self) -> None:
        """Before an opt-in lands: the nodes as they are now, not as they were when it was decided."""
        cluster = self._task.member.name
        found = read_list(self._task.member.connection, ListRequest("", "/api/v1/nodes", project_node), self._task.deadline)
        if found.error is not None:
            raise SubmarinerError(f"{cluster}: whether all nodes are labelled could not be read, so the affinity was not written: {found.error.message}")
        nodes: t.Tuple[Node, ...] = found.items
        fresh = simulate(self._decision.before, self._decision.after, nodes)
        refuse_harm(fresh, self._request, cluster, written="The affinity was not written.")
        more = sorted({entry.node.ref.name for entry in fresh.lost} - self._lost)
        if more:
            raise RefusedError(f"{cluster}: {', '.join(more)} would lose calico-node, which was not so when this was decided. The affinity was not written.")

    def _tell_of_lost(self) -> None:
        task = self._task
        for name in sorted(self._lost):
            task.people.append(Person(*words.stale_cni(name)))
        if not self._waits or not self._lost:
            return
        found = [get_object(task.member.connection, f"/api/v1/nodes/{name}", task.deadline) for name in sorted(self._lost)]
        for down in nodes_down(project_node(obj) for obj in found if obj):
            reason = down.condition.reason if down.condition else "no condition"
            task.lines.append(words.is_down(down.node.ref.name, reason, by_calico=reason == IS_DOWN, tainted=down.tainted))
