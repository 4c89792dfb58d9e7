# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Watching calico-node being rolled out, node by node."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._restart import is_ready
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import VXLAN
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_history import HASH, newest
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_live import signature
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import ENVIRONMENT
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, read_list
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet

MOST_LINES = 30  # nodes that are named one by one

Object = t.Dict[str, t.Any]


def await_rollout(task: Task, daemon_set: DaemonSet, mtu: int, *, rendered: bool, before: t.Collection[str] = ()) -> None:
    """Wait until every node's calico-node runs with the template that has the MTU; a line for each node that came to do so.

    :param rendered: by the operator, whose doing is waited for first.
    :param before: names of the pods that there were before the change: a node whose pod is among them and is done was so already.
    :raises TimedOutError: names the first node that is not well, its pod and the pod's own reason.
    """
    found = _await_template(task, daemon_set, mtu, rendered)
    revision = newest(revisions(task, daemon_set, str(found["metadata"].get("uid", ""))))
    if not revision:
        raise SubmarinerError(f"{task.member.name}: {daemon_set.ref} has no ControllerRevision although it was observed: is kube-controller-manager well?")
    desired = int(found.get("status", {}).get("desiredNumberScheduled") or 0)
    progress = _Progress(task, revision, desired, mtu, before)
    try:
        wait_for(
            task.member.connection,
            f"/api/v1/namespaces/{daemon_set.ref.namespace}/pods",
            progress.look,
            deadline=task.deadline,
            what=f"{task.member.name}: calico-node to run with {'an MTU of ' + str(mtu) if mtu else 'the MTU left to Calico'} on {desired} nodes",
            label_selector=f"k8s-app={daemon_set.labels.get('k8s-app', daemon_set.ref.name)}",
        )
    except TimedOutError as error:
        raise SubmarinerError(
            f"{error.message} The rollout goes on by itself once that node is well: kubectl -n {daemon_set.ref.namespace} rollout status "
            f"ds/{daemon_set.ref.name}. Run this again then: it goes on from there."
        ) from error
    progress.summarize()


def revisions(task: Task, daemon_set: DaemonSet, uid: str = "") -> list[Object]:
    """The ControllerRevisions of calico-node.

    :param uid: of the DaemonSet; "" takes those of its name.
    :raises KubeError: they may not be listed.
    """
    path = f"/apis/apps/v1/namespaces/{daemon_set.ref.namespace}/controllerrevisions"
    result = read_list(task.member.connection, ListRequest("revisions", path, dict), task.deadline)
    if result.error is not None:
        raise result.error
    return [revision for revision in result.items if _belongs(revision, daemon_set.ref.name, uid)]


def _belongs(revision: Object, name: str, uid: str) -> bool:
    owners = revision["metadata"].get("ownerReferences") or []
    return any(owner.get("kind") == "DaemonSet" and owner.get("name") == name and (not uid or owner.get("uid") == uid) for owner in owners)


def _await_template(task: Task, daemon_set: DaemonSet, mtu: int, rendered: bool) -> Object:
    def observed(objects: list[Object]) -> bool | str:
        for obj in objects:
            if obj["metadata"]["name"] != daemon_set.ref.name:
                continue
            said = dict(signature(obj["spec"]["template"])).get(ENVIRONMENT[VXLAN], "")
            if rendered and said != (str(mtu) if mtu else ""):
                return f"the operator has not rendered it: {ENVIRONMENT[VXLAN]} of calico-node is {said or 'not set'}"
            if obj.get("status", {}).get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
                return f"{daemon_set.ref} has not been observed since it changed"
            return True
        return f"there is no {daemon_set.ref}"

    try:
        found = wait_for(
            task.member.connection,
            f"/apis/apps/v1/namespaces/{daemon_set.ref.namespace}/daemonsets",
            observed,
            deadline=task.deadline,
            what=f"{task.member.name}: {daemon_set.ref} to be rendered with the MTU",
        )
    except TimedOutError as error:
        advice = "Look at kubectl get tigerastatus calico -o yaml, and at the log of tigera-operator." if rendered else "Is kube-controller-manager well?"
        raise SubmarinerError(f"{error.message} {advice}") from error
    return next(obj for obj in found if obj["metadata"]["name"] == daemon_set.ref.name)


class _Progress:
    """What has been seen of the rollout; told to the task as it comes."""

    def __init__(self, task: Task, revision: str, desired: int, mtu: int, before: t.Collection[str] = ()) -> None:
        self._task = task
        self._revision = revision
        self._desired = desired
        self._what = f"MTU {mtu}" if mtu else "the MTU left to Calico"
        self._before = frozenset(before)
        self._told: set[str] = set()

    def look(self, pods: list[Object]) -> bool | str:
        done = {_node(pod): str(pod["metadata"]["name"]) for pod in pods if self._is_new(pod) and is_ready(pod)}
        for node in sorted(node for node, name in done.items() if name not in self._before and node not in self._told):
            self._told.add(node)
            if len(self._told) <= MOST_LINES:
                self._task.lines.append(f"{self._task.member.name}: calico-node on node {node} runs with {self._what}.")
        waiting = [pod for pod in pods if not (self._is_new(pod) and is_ready(pod))]
        if not waiting and len(done) >= self._desired:
            return True
        trouble = sorted((not self._is_new(pod), _node(pod), reason_of(pod)) for pod in waiting)
        named = f"; node {trouble[0][1]}: {trouble[0][2]}" if trouble else ""
        return f"{len(done)} of {self._desired} nodes are done{named}"

    def summarize(self) -> None:
        more = len(self._told) - MOST_LINES
        if more > 0:
            self._task.lines.append(f"{self._task.member.name}: calico-node on {more} more nodes runs with {self._what}.")

    def _is_new(self, pod: Object) -> bool:
        metadata = pod["metadata"]
        return (metadata.get("labels") or {}).get(HASH) == self._revision and not metadata.get("deletionTimestamp")


def _node(pod: Object) -> str:
    return str((pod.get("spec") or {}).get("nodeName") or "(none yet)")


def reason_of(pod: Object) -> str:
    """Why a pod is not well, in its own words."""
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return f"pod {name} is ending"
    for entry in (*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])):
        state = entry.get("state") or {}
        for kind in ("waiting", "terminated"):
            found = state.get(kind) or {}
            if found.get("reason") and found["reason"] != "Completed":
                said = f" ({' '.join(str(found['message']).split())[:200]})" if found.get("message") else ""
                return f"pod {name}: container {entry.get('name')} {kind}: {found['reason']}{said}"
    for condition in status.get("conditions") or []:
        if condition.get("status") == "False" and condition.get("type") in ("PodScheduled", "Ready"):
            said = condition.get("message") or condition.get("reason") or "no reason is given"
            return f"pod {name} is not {'scheduled' if condition['type'] == 'PodScheduled' else 'Ready'}: {said}"
    return f"pod {name} is {'Ready, and from before the change' if is_ready(pod) else status.get('phase') or 'Pending'}"
