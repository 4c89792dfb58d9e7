# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Giving calico-node a method of finding its address that cannot find Submariner's devices, and seeing to it that it took effect on every node."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable import (
    refuse_unknown,
    set_installation,
    set_node_environment,
    would_set_installation,
    would_set_node_environment,
)
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico._autodetection import CAN_REACH, CIDR, INTERFACE, SKIP_INTERFACE
from ansible_collections.fathom.submariner.plugins.module_utils._calico._autodetection_repair import (
    FIELD,
    KUBESPRAY,
    VARIABLE,
    Repair,
    Wanted,
    in_values,
    repair,
    wanted_method,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import WITH_INSTALLATION, base_installation, method_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import unread
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import calico_node
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import Objects, wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet, Pod, Snapshot

WHY = "calico-node cannot take an address of Submariner's devices for its node's"


def repair_autodetection(task: Task) -> None:
    """Read, decide, ask for consent, write, wait, prove."""
    wanted = wanted_method(
        task.params["method"],
        {
            SKIP_INTERFACE: (task.params["skip_interface"] or "").strip(),
            CAN_REACH: (task.params["can_reach"] or "").strip(),
            INTERFACE: (task.params["interface"] or "").strip(),
            CIDR: ",".join(filter(None, (cidr.strip() for cidr in task.params["cidrs"]))),
        },
    )
    families = tuple(filter(None, task.params["families"]))
    snapshot = _read(task)
    refuse_unknown(snapshot)
    todo = repair(snapshot, wanted, families)
    task.facts.update(_facts(snapshot, todo, wanted))
    if not (todo.change or todo.keep or todo.restart or todo.pending):
        return
    writes = _would_write(task, snapshot, todo, wanted)
    task.require_consent(_interrupts(todo, writes))
    if todo.change or todo.keep:
        _write(task, snapshot, todo, wanted)
    _restart(task, todo)
    if task.check_mode or not task.params["wait"] or not (todo.change or todo.restart or todo.pending):
        return
    if todo.change and not writes and not _in_force(snapshot, todo, wanted):
        if not task.people:
            raise SubmarinerError(
                f"{task.member.name}: the autodetection is to be {wanted.variable}, and neither is it so nor was anything to be written. Look at "
                "spec.calicoNetwork and status.computed of the Installation, and at the log of Deployment tigera-operator. Nothing was written."
            )
        return  # a person must change the values of a Helm release first
    _await(task, snapshot, todo, wanted)
    _prove(task, wanted, families)


def _read(task: Task) -> Snapshot:
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return read_snapshot(task.member.connection, task.member.name, timeout=task.deadline.left(), taken_at=now)


def _facts(snapshot: Snapshot, todo: Repair, wanted: Wanted) -> dict[str, t.Any]:
    annotations = {node.ref.name: node.annotations for node in snapshot.nodes.items}
    return {
        "method": wanted.variable,
        "families": [method.family for method in todo.change],
        "nodes": [
            {"node": entry.node, "family": entry.family, "problem": entry.lacks(annotations[entry.node])}
            for entry in todo.expected
            if entry.lacks(annotations[entry.node])
        ],
        "manifest_files": [],
    }


def _fragment(todo: Repair, wanted: Wanted) -> tuple[dict[str, t.Any], list[str]]:
    fields = {FIELD[method.family]: wanted.field(method.family) for method in (*todo.change, *todo.keep)}
    return {"calicoNetwork": fields}, [f"calicoNetwork.{name}" for name in fields]


def _environment(todo: Repair, wanted: Wanted) -> dict[str, str | None]:
    return {VARIABLE[method.family]: wanted.of_family(method.family).variable for method in (*todo.change, *todo.keep)}


def _would_write(task: Task, snapshot: Snapshot, todo: Repair, wanted: Wanted) -> bool:
    if not (todo.change or todo.keep):
        return False
    if method_of(snapshot) in WITH_INSTALLATION:
        fragment, replace = _fragment(todo, wanted)
        return would_set_installation(task, snapshot, fragment, replace=replace)
    return would_set_node_environment(task, snapshot, _environment(todo, wanted))


def _interrupts(todo: Repair, writes: bool) -> list[str]:
    found = []
    if writes and todo.change:
        families = " and ".join(f"{method.family} ({method.kind})" for method in todo.change)
        effect = "restarts calico-node on every node, one at a time; each node's tunnels and BGP sessions flap once"
        found.append(f"replacing the autodetection of {families} {effect}")
    found += [f"restarting calico-node on {pod.node}, whose tunnels and BGP sessions flap once" for pod in todo.restart]
    return found


def _write(task: Task, snapshot: Snapshot, todo: Repair, wanted: Wanted) -> None:
    if method_of(snapshot) in WITH_INSTALLATION:
        fragment, replace = _fragment(todo, wanted)
        network = _network(snapshot)
        values = {"calicoNetwork": {name: in_values(field, network.get(name) or {}) for name, field in fragment["calicoNetwork"].items()}}
        set_installation(task, snapshot, fragment, replace=replace, values=values, why=WHY)
        return
    variables = {KUBESPRAY[method.family]: wanted.of_family(method.family).variable for method in (*todo.change, *todo.keep)}
    set_node_environment(task, snapshot, _environment(todo, wanted), variables=variables, why=WHY)


def _restart(task: Task, todo: Repair) -> None:
    """Start calico-node anew where it holds on to a wrong address, one node after the other, gateways last."""
    for pod in todo.restart:
        path = f"/api/v1/namespaces/{pod.ref.namespace}/pods"
        found = task.writer.read(f"{path}/{pod.ref.name}")
        if found is None or found["metadata"]["uid"] != pod.uid:
            continue  # it was replaced meanwhile: its successor has looked for its address anew
        task.writer.delete(f"{path}/{pod.ref.name}", found, restart=True)
        task.lines.append(f"{pod.ref} restarted, so that {pod.node} gets its own address again.")
        if task.params["wait"] and not task.check_mode:
            _await_nodes(task, todo, {pod.node})
            wait_for(
                task.member.connection,
                path,
                lambda objects, old=pod: _successor_ready(objects, old),
                deadline=task.deadline,
                what=f"calico-node on {pod.node} to be ready again",
                field_selector=f"spec.nodeName={pod.node}",
            )


def _successor_ready(objects: Objects, old: Pod) -> bool | str:
    kind, _slash, name = old.owner.partition("/")
    for obj in objects:
        metadata = obj["metadata"]
        owned = any((each.get("kind"), each.get("name")) == (kind, name) for each in metadata.get("ownerReferences") or [])
        if owned and metadata.get("uid") != old.uid and not metadata.get("deletionTimestamp"):
            ready = any(each.get("type") == "Ready" and each.get("status") == "True" for each in (obj.get("status") or {}).get("conditions") or [])
            return ready or f"{metadata['name']} is not ready"
    return f"no new pod on {old.node}"


def _daemon_set(snapshot: Snapshot) -> DaemonSet:
    found = calico_node(snapshot)
    if found is None:
        raise SubmarinerError(f"{snapshot.cluster}: there is no DaemonSet calico-node any more. Run this again.")
    return found


def _in_force(snapshot: Snapshot, todo: Repair, wanted: Wanted) -> bool:
    """Whether an earlier run, or somebody else, wrote it already, so that its effect can be waited for."""
    if method_of(snapshot) not in WITH_INSTALLATION:
        return True
    network = _network(snapshot)
    has = {method.family: {key: value for key, value in (network.get(FIELD[method.family]) or {}).items() if value} for method in todo.change}
    return all(has[family] == wanted.field(family) for family in has)


def _network(snapshot: Snapshot) -> t.Mapping[str, t.Any]:
    own = base_installation(snapshot)
    return (own.spec.get("calicoNetwork") or {}) if own is not None else {}


def _await(task: Task, snapshot: Snapshot, todo: Repair, wanted: Wanted) -> None:
    ref = _daemon_set(snapshot).ref
    try:
        wait_for(
            task.member.connection,
            f"/apis/apps/v1/namespaces/{ref.namespace}/daemonsets",
            lambda objects: _rolled_out(objects, ref.name, _environment(todo, wanted)),
            deadline=task.deadline,
            what=f"the rollout of {ref}",
            field_selector=f"metadata.name={ref.name}",
        )
    except TimedOutError as error:  # a slow rollout looks like a stuck one, so that nothing is taken back
        raise TimedOutError(
            f"{error.message} calico-node ends where {wanted.variable} finds no address on an interface of its node, and the rollout then stays there: look at "
            "the pod that is not ready, and at its log.",
            **error.details,
        ) from error
    _await_nodes(task, todo, {entry.node for entry in todo.expected})


def _rolled_out(objects: Objects, name: str, env: t.Mapping[str, str | None]) -> bool | str:
    found = next((obj for obj in objects if obj["metadata"]["name"] == name), None)
    if found is None:
        return f"there is no DaemonSet {name}"
    containers = found["spec"]["template"]["spec"]["containers"]
    values = {entry["name"]: entry.get("value") for each in containers if each["name"] == "calico-node" for entry in each.get("env") or []}
    lacking = [f"{key}={value}" for key, value in env.items() if values.get(key) != value]
    if lacking:
        return f"its template does not have {', '.join(lacking)} yet"
    status = found.get("status") or {}
    desired, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    if status.get("observedGeneration", 0) < found["metadata"].get("generation", 0) or updated < desired:
        return f"{updated} of {desired} pods are of the new template"
    available = status.get("numberAvailable", 0)
    return available >= desired or f"{available} of {desired} pods are available"


def _await_nodes(task: Task, todo: Repair, names: t.Collection[str]) -> None:
    expected = [entry for entry in todo.expected if entry.node in names]

    def right(objects: Objects) -> bool | str:
        annotations = {obj["metadata"]["name"]: obj["metadata"].get("annotations") or {} for obj in objects}
        lacking = [text for text in (entry.lacks(annotations[entry.node]) for entry in expected if entry.node in annotations) if text]
        return not lacking or "; ".join(lacking[:5]) + (f" and {len(lacking) - 5} more" if len(lacking) > 5 else "")

    wait_for(task.member.connection, "/api/v1/nodes", right, deadline=task.deadline, what="calico-node to write the right address of every node")


def _left(task: Task, wanted: Wanted, families: t.Collection[str]) -> tuple[Snapshot, Repair]:
    """The cluster as it is after the rollout, and what would still be to be done there.

    :raises SubmarinerError: it cannot be told; says what was done all the same.
    """
    try:
        after = _read(task)
        lacking = [f"{name}: {unread(answer)}" for name, answer in (("Nodes", after.nodes), ("DaemonSets", after.daemon_sets)) if not answer.known]
        if lacking:
            raise SubmarinerError(f"{task.member.name}: {'; '.join(lacking)}.")
        return after, repair(after, wanted, families)
    except SubmarinerError as error:
        done = "the autodetection was changed, and calico-node" if task.writer.changed else "calico-node"
        raise SubmarinerError(
            f"{task.member.name}: {done} runs on every node as {wanted.variable} wants it; whether that holds could not be proved. "
            f"{error.message.partition(' Nothing was written.')[0]} Run this again to have it proved."
        ) from error


def _prove(task: Task, wanted: Wanted, families: t.Collection[str]) -> None:
    after, left = _left(task, wanted, families)
    annotations = {node.ref.name: node.annotations for node in after.nodes.items}
    wrong = [f"{method.seen.object} {method.seen.field} is {method.seen.value or method.kind}" for method in left.change]
    wrong += [text for text in (entry.lacks(annotations[entry.node]) for entry in left.expected) if text]
    if wrong:
        raise SubmarinerError(
            f"{task.member.name}: the autodetection was changed, and does not hold: {'; '.join(wrong[:5])}. "
            "Somebody puts it back, or calico-node finds no other address: look at managedFields of Installation and DaemonSet, and at "
            "calico-node's log on that node."
        )
