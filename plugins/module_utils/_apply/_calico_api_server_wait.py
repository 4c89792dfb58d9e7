# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Waiting until the Calico API is served and answers, or is gone; and why it is not."""

from __future__ import annotations

import datetime
import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _api_server_objects as objects
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_repair import repair
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_request import api_request
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_decision import first_rollout, held_back_by
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import DEAD, api_service, api_state
from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._dead_api import dead_cause
from ansible_collections.fathom.submariner.plugins.module_utils._checks._rollout import is_fresh
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import FORBIDDEN, KubeError, TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, read_list
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Pod, Snapshot

API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
API_SERVICE = f"{API_SERVICES}/{objects.API_SERVICE}"
IP_POOLS = "/apis/projectcalico.org/v3/ippools"
POD_SELECTOR = f"{objects.POD_LABEL}={objects.NAME}"

_CLEANING = 60.0  # seconds of a task that are kept for finding out why it failed, and for removing what is dead
_CLEANING_PART = 0.25  # of what is left, where that is less
_EXPLAINING = 15.0  # seconds at the least for reading why
_REMOVING = 30.0  # seconds at the least for removing what is dead, over the task's time if need be: it does harm to the whole cluster
_PAUSE = 1.0  # seconds between two lists, while the API server learns what an API that has just become available serves

Object = t.Dict[str, t.Any]


class NeverServed(SubmarinerError):
    """The API did not get to answer in time; ``message`` says why, as a whole sentence."""

    def __init__(self, message: str, *, dead: bool) -> None:
        super().__init__(message)
        self.dead = dead  # an APIService is there and does harm


def take_snapshot(task: Task, deadline: Deadline, *, logs: bool = False) -> Snapshot:
    """The cluster as it is now."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return read_snapshot(task.member.connection, task.member.name, timeout=deadline.left(), taken_at=now, logs=logs)


def fresh_in(snapshot: Snapshot) -> t.Callable[[Pod], bool]:
    return lambda pod: is_fresh(snapshot, pod)


def patience(task: Task) -> Deadline:
    """How long to wait, so that there is time left for what follows a failure."""
    left = task.deadline.left()
    return Deadline(max(0.0, left - min(_CLEANING, left * _CLEANING_PART)))


def grant_cleaning(task: Task) -> None:
    """Give a task whose time is over enough of it to remove what it leaves behind."""
    task.deadline = task.writer.deadline = Deadline(max(task.deadline.left(), _REMOVING))


def await_served(task: Task) -> None:
    """Wait until the APIService is available *and* IPPools can be listed: it may be called available while every request fails (projectcalico/calico#9419).

    :raises NeverServed: it did not happen in time; says why.
    """
    deadline = patience(task)
    try:
        wait_for(
            task.member.connection,
            API_SERVICES,
            _is_available,
            deadline=deadline,
            what=f"APIService {objects.API_SERVICE} to be available",
            field_selector=f"metadata.name={objects.API_SERVICE}",
        )
        _await_list(task, deadline)
    except TimedOutError as error:
        raise _explained(task, error) from error


def await_gone(task: Task) -> None:
    """Wait until the APIService is gone.

    :raises TimedOutError: it is still there.
    """
    wait_for(
        task.member.connection,
        API_SERVICES,
        lambda found: not found or "it is still registered",
        deadline=task.deadline,
        what=f"APIService {objects.API_SERVICE} to be removed",
        field_selector=f"metadata.name={objects.API_SERVICE}",
    )


def await_pods(task: Task, namespace: str, since: str, deadline: Deadline) -> None:
    """Wait until the API server's pods are ready, and none is left that has served since before a moment.

    :param since: RFC 3339, by the API server's clock; "" takes pods of any age.
    :raises NeverServed: they did not get ready in time; says why.
    """

    def are_ready(pods: list[Object]) -> bool | str:
        staying = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
        old = [pod for pod in staying if serving_since(pod) < since]
        if old or not staying:
            return f"pod {old[0]['metadata']['name']} still has the old certificate" if old else "it has no pods"
        return all(map(is_ready, staying)) or f"pod {staying[0]['metadata']['name']} is not ready"

    try:
        wait_for(
            task.member.connection,
            f"/api/v1/namespaces/{namespace}/pods",
            are_ready,
            deadline=deadline,
            what="the pods of the Calico API server to be ready",
            label_selector=POD_SELECTOR,
        )
    except TimedOutError as error:
        raise _explained(task, error) from error


def list_pods(task: Task, namespace: str) -> list[Object]:
    """The API server's pods that are not being removed.

    :raises KubeError: they cannot be listed.
    """
    result = read_list(task.member.connection, ListRequest("", f"/api/v1/namespaces/{namespace}/pods", dict, POD_SELECTOR), task.deadline)
    if result.error is not None:
        raise result.error
    return [pod for pod in result.items if not pod["metadata"].get("deletionTimestamp")]


def serving_since(pod: t.Mapping[str, t.Any]) -> str:
    """When a pod read its files: at the start of its containers, which waited for them, or at the making of the pod, should the node's clock be behind."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    started = [str(((entry.get("state") or {}).get("running") or {}).get("startedAt") or "") for entry in statuses]
    return max([str(pod["metadata"].get("creationTimestamp") or ""), *started])


def is_running(pod: t.Mapping[str, t.Any]) -> bool:
    return any((entry.get("state") or {}).get("running") for entry in (pod.get("status") or {}).get("containerStatuses") or [])


def is_ready(pod: t.Mapping[str, t.Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in conditions)


def why_not_served(snapshot: Snapshot) -> tuple[str, bool]:
    """Why the API does not answer, in whole sentences, and whether something dead is registered."""
    state = api_state(snapshot)
    request = api_request(snapshot)
    registered = api_service(snapshot) is not None
    if first_rollout(snapshot):
        held = ", ".join(held_back_by(snapshot, fresh_in(snapshot))) or "it is still going on"
        return f"The operator waits for Calico's first rollout: {held}.", registered and state.state == DEAD
    cause = dead_cause(snapshot, state)
    if state.state == DEAD or (not registered and not request.wanted and cause.seen):
        seen = "; ".join(" ".join(filter(None, row)) for row in cause.seen[:3])
        step = repair(cause, request, calico_version(snapshot)).text
        return f"It does not answer: {cause.why}{f' ({seen})' if seen else ''}. {step}", state.state == DEAD
    if request.wanted:
        return f"It was asked for, and {request.why}. {request.enable}.", False
    return f"The API is {state.state}{f': {state.missing}' if state.missing else ''}.", False


def _explained(task: Task, error: TimedOutError) -> NeverServed:
    try:
        why, dead = why_not_served(take_snapshot(task, Deadline(max(task.deadline.left() / 2, _EXPLAINING))))
    except KubeError as failure:
        why, dead = f"Why could not be read: {failure.message}", False
    return NeverServed(f"{error.message} {why}", dead=dead)


def _is_available(found: list[Object]) -> bool | str:
    if not found:
        return "it is not registered"
    conditions = (found[0].get("status") or {}).get("conditions") or []
    condition = next((entry for entry in conditions if entry.get("type") == "Available"), {})
    if condition.get("status") == "True":
        return True
    return ": ".join(filter(None, ("it is not available", condition.get("reason"), condition.get("message"))))


def _await_list(task: Task, deadline: Deadline) -> None:
    while True:
        try:
            task.member.connection.request("GET", IP_POOLS, {"limit": 1}, deadline=deadline)
            return
        except KubeError as error:
            if error.state == FORBIDDEN:
                task.warnings.append(f"{task.member.name}: the API answers, but its IPPools may not be listed with these credentials: {error.message}")
                return
            if deadline.left() <= _PAUSE:
                said = f"APIService {objects.API_SERVICE} is available, and IPPools cannot be listed. {error.message}"
                raise TimedOutError(f"{task.member.name}: {said}") from error
        time.sleep(_PAUSE)
