# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Workloads that still have the former MTU: found, and on request started anew, one owner after the other."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._calico_mtu_rollout import reason_of, revisions
from ansible_collections.fathom.submariner.plugins.module_utils._apply._restart import is_ready
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _mtu_workloads as pure
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_changes import knob_change
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_history import NEVER, Cutoffs, cutoffs, last_change
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_live import ANNOTATION, next_mark
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import calico_node, read_settings
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_workloads import EVICT, ROLL, Workload
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, read_all, read_list
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot

PLURALS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
_LISTS = {**PLURALS, "ReplicaSet": "replicasets"}
_PAUSE = 5.0  # seconds between two attempts to evict a pod that a disruption budget protects

Object = t.Dict[str, t.Any]


def every_pod() -> Cutoffs:
    """The cutoffs where calico-node is yet to be rolled out: all pods that run now will have the former MTU."""
    return Cutoffs(NEVER, {}, "calico-node is yet to be rolled out with another MTU")


def known_cutoffs(task: Task, snapshot: Snapshot) -> Cutoffs | None:
    """Since when each node gives new pods the MTU that is in force; None where as far back as anything is known it was no other.

    :raises KubeError: the history may not be read.
    """
    daemon_set = calico_node(snapshot)
    if daemon_set is None:
        return None
    change = last_change(revisions(task, daemon_set))
    if change is not None:
        path = f"/api/v1/namespaces/{daemon_set.ref.namespace}/pods"
        label = f"k8s-app={daemon_set.labels.get('k8s-app', daemon_set.ref.name)}"
        pods = read_list(task.member.connection, ListRequest("pods", path, dict, label_selector=label), task.deadline)
        if pods.error is not None:
            raise pods.error
        return cutoffs(change, pods.items)
    written = knob_change(snapshot, read_settings(snapshot))
    if written is None or not written.exact or written.at <= written.created:
        return None
    return Cutoffs(written.at, {}, f"{written.where} {written.field} was written at {written.at} by {written.by}")


def outdated_workloads(task: Task, limits: Cutoffs) -> tuple[Workload, ...]:
    """
    :raises KubeError: pods, or what they belong to, may not be listed.
    """
    requests = [ListRequest("pods", "/api/v1/pods", pure.pod_row)]
    requests += [ListRequest(kind, f"/apis/apps/v1/{plural}", pure.controller_row(kind)) for kind, plural in _LISTS.items()]
    results = read_all(task.member.connection, requests, task.deadline)
    for result in results.values():
        if result.error is not None:
            raise result.error
    controllers = {owner.uid: owner for kind in _LISTS for owner in results[kind].items}
    rows = [row for row in results["pods"].items if row is not None]
    return pure.workloads(pure.outdated(rows, limits), controllers)


def chosen(found: t.Sequence[Workload], which: str, names: t.Sequence[str]) -> tuple[Workload, ...]:
    """Those that are to be started anew.

    :param which: none, listed or all.
    :param names: ``NAMESPACE/KIND/NAME``; one that is not outdated needs nothing.
    """
    restartable = [workload for workload in found if workload.way in (ROLL, EVICT)]
    if which == "all":
        return tuple(restartable)
    wanted = set(names) if which == "listed" else set()
    return tuple(workload for workload in restartable if f"{workload.namespace}/{workload.kind}/{workload.name}" in wanted)


def restart(task: Task, workload: Workload, mtu: int) -> None:
    """Start one workload anew and wait until it is whole again.

    :raises SubmarinerError: it does not heal; those after it are left alone.
    """
    if workload.way == ROLL:
        _roll(task, workload, mtu)
    else:
        for pod in workload.pods:
            _evict(task, workload, pod)
    count = "its pod was evicted" if len(workload.pods) == 1 else f"its {len(workload.pods)} pods were evicted one by one"
    how = "restarted" if workload.way == ROLL else f"{count}, since {workload.why}"
    task.lines.append(f"{task.member.name}: {workload}: {how}.")


def _roll(task: Task, workload: Workload, mtu: int) -> None:
    collection = f"/apis/apps/v1/namespaces/{workload.namespace}/{PLURALS[workload.kind]}"
    path = f"{collection}/{workload.name}"
    found = task.writer.read(path)
    if found is None:
        return  # it has gone meanwhile, and its pods with it
    template = found["spec"]["template"]
    mark = ((template.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION, "")
    if not (mark.startswith(str(mtu)) and missing(found)):  # else a run before this one has started it, and it is under way
        task.writer.patch(path, found, {"spec": {"template": {"metadata": {"annotations": {ANNOTATION: next_mark(template, mtu)}}}}})
    if task.check_mode:
        return

    def whole(objects: list[Object]) -> bool | str:
        return next((missing(obj) or True for obj in objects), "it has been deleted")

    try:
        wait_for(
            task.member.connection,
            collection,
            whole,
            deadline=task.deadline,
            what=f"{task.member.name}: {workload} to be whole again after its restart",
            field_selector=f"metadata.name={workload.name}",
        )
    except TimedOutError as error:
        raise _stopped(workload, error.message) from error


def missing(obj: Object) -> str:
    """What a Deployment, StatefulSet or DaemonSet lacks for its last template to run everywhere, "" for nothing (as kubectl's rollout status judges it)."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        return "its controller has not seen the change yet"
    if "desiredNumberScheduled" in status:
        wanted, names, old = int(status["desiredNumberScheduled"]), ("updatedNumberScheduled", "numberAvailable"), 0
    else:
        wanted, names, old = int(spec.get("replicas", 1)), ("updatedReplicas", "availableReplicas"), int(status.get("replicas") or 0)
    updated, available = (int(status.get(name) or 0) for name in names)
    kept = int(((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition") or 0)  # of a StatefulSet: stay as they are
    if updated >= wanted - kept and available >= wanted and (kept or old <= updated):
        return ""
    return f"{updated} of {max(0, wanted - kept)} pods are new, {available} of {wanted} are available"


def _evict(task: Task, workload: Workload, pod: pure.PodRow) -> None:
    collection = f"/api/v1/namespaces/{pod.namespace}/pods"
    path = f"{collection}/{pod.name}"
    found = task.writer.read(path)
    if found is None or found["metadata"].get("uid") != pod.uid:
        return
    owner = pod.owner.uid if pod.owner else ""
    siblings = read_list(task.member.connection, ListRequest("pods", collection, dict), task.deadline)
    if siblings.error is not None:
        raise siblings.error
    before = len(_standing(siblings.items, owner))
    while True:
        blocked = task.writer.evict(path, found)
        if not blocked or task.check_mode:
            break
        if task.deadline.left() <= _PAUSE:
            raise _stopped(workload, f"{task.member.name}: pod {pod.namespace}/{pod.name} cannot be evicted: {blocked}")
        time.sleep(_PAUSE)
    if task.check_mode:
        return

    def replaced(objects: list[Object]) -> bool | str:
        if any(obj["metadata"].get("uid") == pod.uid for obj in objects):
            return f"pod {pod.name} is ending"
        standing = _standing(objects, owner)
        ill = sorted(reason_of(obj) for obj in standing if not is_ready(obj))
        if ill:
            return ill[0]
        return len(standing) >= before or f"{len(standing)} of {before} pods are there"

    try:
        what = f"{task.member.name}: the pod that takes the place of {pod.namespace}/{pod.name}"
        wait_for(task.member.connection, collection, replaced, deadline=task.deadline, what=what)
    except TimedOutError as error:
        raise _stopped(workload, error.message) from error


def _standing(pods: t.Iterable[Object], owner: str) -> list[Object]:
    """The pods of a controller that are not on their way out."""
    owned = (pod for pod in pods if any(entry.get("uid") == owner for entry in pod["metadata"].get("ownerReferences") or []))
    return [pod for pod in owned if not pod["metadata"].get("deletionTimestamp") and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]


def _stopped(workload: Workload, message: str) -> SubmarinerError:
    return SubmarinerError(
        f"{message} {workload} did not heal, so that the workloads after it were left alone. Once it is well, run this again: it goes on from there."
    )
