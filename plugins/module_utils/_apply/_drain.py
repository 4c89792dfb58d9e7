# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Emptying a node through the eviction API: as fast as disruption budgets allow, and no faster."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._apply._writer import Object
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import ConflictError, KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, read_list
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._node_drain import Drain, blocking_budgets, named, sort_out

_TRY_AGAIN = 5.0  # seconds between two rounds, as kubectl drain has it (kubernetes staging/src/k8s.io/kubectl/pkg/drain/drain.go)
_PODS = "/api/v1/pods"


def look_at_pods(task: Task, node: str, begun_with: t.Collection[str] | None = None, *, written: str = "Nothing was written.") -> Drain:
    """What a drain of the node would do now.

    :param begun_with: as :func:`sort_out` has it.
    :param written: what a refusal says of writes; "" where its catcher tells of them.
    :raises RefusedError: a pod needs consent that was not given.
    """
    found = read_list(task.member.connection, ListRequest("pods", _PODS, dict, field_selector=f"spec.nodeName={node}"), task.deadline)
    if found.error is not None:
        raise RefusedError(f"{task.member.name}: the pods of Node {node} could not be listed: {found.error.message} {written}".rstrip())
    consent = {name: task.params[name] for name in ("delete_emptydir_data", "delete_bare_pods")}
    drain = sort_out(found.items, **consent, begun_with=begun_with)
    if drain.refused:
        raise RefusedError(f"{task.member.name}: Node {node} was not drained, since {'; '.join(drain.refused)}. {written}".rstrip())
    return drain


def drain_node(task: Task, node: str, drain: Drain) -> list[str]:
    """Evict what is to leave a cordoned node, wait until it is gone, and return the names.

    What comes to the node meanwhile, since it tolerates the cordon, is left alone.

    :param drain: as :func:`look_at_pods` returned it.
    :raises SubmarinerError: budgets do not allow it in time; names them. The node stays cordoned.
    """
    deadline = Deadline(min(float(task.params["drain_timeout"]), task.deadline.left()))
    shown = len(task.writer.diff)
    todo, evicted, blocked = list(drain.evict), [], {}
    while todo:
        blocked = {named(pod): (pod, why) for pod, why in ((pod, _evict(task, pod)) for pod in todo) if why}
        gone = [named(pod) for pod in todo if task.check_mode or named(pod) not in blocked]
        evicted += gone
        task.lines.extend(f"evict {name}" for name in gone)
        todo = [] if task.check_mode else [pod for pod in todo if named(pod) in blocked]
        if todo and (not task.params["wait"] or deadline.left() <= _TRY_AGAIN):
            raise SubmarinerError(f"{task.member.name}: Node {node} is cordoned and not drained: {_told(task, list(blocked.values()))} Run it again to go on.")
        time.sleep(_TRY_AGAIN if todo else 0)
    task.writer.diff[shown:] = sorted(task.writer.diff[shown:], key=lambda entry: str(entry["before_header"]))
    if task.check_mode:
        task.warnings += [f"{task.member.name}: {name} could not be evicted now: {why}" for name, (dummy, why) in blocked.items()]
    elif task.params["wait"]:
        _await_gone(task, node, {str(pod["metadata"]["uid"]): named(pod) for pod in (*drain.evict, *drain.leaving)}, deadline)
    return sorted(evicted)


def _evict(task: Task, pod: t.Mapping[str, t.Any]) -> str:
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
    found = task.writer.read(path)
    if found is None or found["metadata"].get("uid") != metadata.get("uid"):
        return ""
    try:
        return task.writer.evict(path, found)
    except ConflictError:
        return ""  # it is another pod of that name by now


def _await_gone(task: Task, node: str, uids: t.Mapping[str, str], deadline: Deadline) -> None:
    """:param uids: UID -> name of what is to go."""

    def gone(pods: list[Object]) -> bool | str:
        left = [uids[pod["metadata"]["uid"]] for pod in pods if pod["metadata"]["uid"] in uids]
        return f"{', '.join(sorted(left))} still there" if left else True

    if not uids:
        return
    try:
        wait_for(
            task.member.connection,
            _PODS,
            gone,
            deadline=deadline,
            what=f"{task.member.name}: the evicted pods to leave Node {node}",
            field_selector=f"spec.nodeName={node}",
        )
    except KubeError as error:
        raise SubmarinerError(f"{error.message} Node {node} is cordoned. Run it again to go on.") from error


def _told(task: Task, blocked: t.Sequence[tuple[t.Mapping[str, t.Any], str]]) -> str:
    sentences = []
    for pod, why in blocked[:5]:
        path = f"/apis/policy/v1/namespaces/{pod['metadata']['namespace']}/poddisruptionbudgets"
        budgets = read_list(task.member.connection, ListRequest("budgets", path, dict), Deadline(10.0))
        names = blocking_budgets(pod, budgets.items)
        sentences.append(f"{named(pod)} may not be evicted: {' and '.join(names) or why}.")
    if len(blocked) > 5:
        sentences.append(f"So are {len(blocked) - 5} more.")
    return " ".join(sentences)
