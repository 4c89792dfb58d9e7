# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How far probe pods are, and what one's log says."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import API_VERSION, record_of

Object = t.Mapping[str, t.Any]

KIND = "PodReport"  # of the line that _wire._pod writes
RUNNING, DONE, FAILED = "running", "done", "failed"
# Waiting for these is in vain (kubernetes pkg/kubelet/images and pkg/kubelet/kuberuntime).
_HOPELESS = ("ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "CreateContainerError", "CreateContainerConfigError", "RunContainerError")


class PodState(t.NamedTuple):
    """Of the newest pod on a node.

    :param pod: its name; "" where there is none.
    :param why: what it is at, or why it has failed.
    """

    pod: str
    state: str
    why: str = ""


def states(pods: t.Iterable[Object], nodes: t.Iterable[str]) -> t.Dict[str, PodState]:
    """The state of each node's pod."""
    newest: t.Dict[str, Object] = {}
    for pod in sorted(pods, key=lambda each: str((each.get("metadata") or {}).get("creationTimestamp") or "")):
        if not pod["metadata"].get("deletionTimestamp"):
            newest[str((pod.get("spec") or {}).get("nodeName") or "")] = pod
    unscheduled = _state(newest[""]).why if "" in newest else ""
    absent = PodState("", RUNNING, f"no pod was scheduled to it{f': {unscheduled}' if unscheduled else ''}")
    return {node: _state(newest[node]) if node in newest else absent for node in nodes}


def _state(pod: Object) -> PodState:
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    conditions = {entry.get("type"): entry for entry in status.get("conditions") or ()}
    if status.get("phase") == "Succeeded" or conditions.get("Ready", {}).get("status") == "True":
        return PodState(name, DONE)
    container: Object = next(iter(status.get("containerStatuses") or ()), {})
    waiting = (container.get("state") or {}).get("waiting") or {}
    ended = (container.get("state") or {}).get("terminated") or {}
    if status.get("phase") == "Failed":
        told = [status.get("reason"), status.get("message"), ended.get("reason"), ended.get("message"), f"exit code {ended['exitCode']}" if ended else ""]
        return PodState(name, FAILED, ": ".join(str(each) for each in told if each) or "failed")
    if waiting.get("reason") in _HOPELESS:
        return PodState(name, FAILED, ": ".join(filter(None, (waiting["reason"], waiting.get("message")))))
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return PodState(name, RUNNING, str(scheduled.get("message") or scheduled.get("reason") or "not scheduled"))
    if waiting.get("reason"):
        return PodState(name, RUNNING, ": ".join(filter(None, (waiting["reason"], waiting.get("message")))))
    return PodState(name, RUNNING, "probing" if status.get("phase") == "Running" else str(status.get("phase") or "Pending"))


def progress(found: t.Mapping[str, PodState]) -> t.Union[bool, str]:
    """True when nothing is left to be waited for, else what is, in words."""
    waiting = [f"{node}: {each.why}" for node, each in found.items() if each.state == RUNNING]
    return f"{len(found) - len(waiting)} of {len(found)} nodes are done; {'; '.join(waiting[:5])}" if waiting else True


def refusals(events: t.Iterable[Object], job_uid: str) -> t.Tuple[str, ...]:
    """Why no pods could be made, in the API server's words: of the Job's events that warn."""
    told = [
        str(event.get("message") or "")
        for event in events
        if event.get("type") == "Warning" and (event.get("involvedObject") or {}).get("uid") == job_uid and event.get("reason") == "FailedCreate"
    ]
    return tuple(dict.fromkeys(filter(None, told)))


def report_of(log: str, node: str) -> t.Dict[str, t.Any]:
    """The report in a pod's log.

    :raises InputError: there is none, or it is not of this node; says what the log ends with.
    """
    for line in reversed(log.splitlines()):
        if f'"kind":"{KIND}"' not in line[:200]:
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            raise InputError(f"{node}: the report in the log of its pod is not whole: {error}.") from error
        documents = found.get("documents") if isinstance(found, dict) and found.get("apiVersion") == API_VERSION else None
        if not isinstance(documents, list):
            break
        for document in documents:
            record = record_of(document, f"the log of the pod on {node}")
            if record.node != node:
                raise InputError(f"{node}: the log of its pod has a document of node {record.node}.")
        return t.cast("t.Dict[str, t.Any]", found)
    last = " ".join(log.split())[-300:]
    raise InputError(f"{node}: the log of its pod holds no report; it ends with: {last}" if last else f"{node}: the log of its pod is empty.")
