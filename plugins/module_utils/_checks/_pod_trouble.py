# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Why a pod is not ready, in one sentence: image, crash with its reason, place, or its own probe."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import ContainerStatus, Node, Pod, PodLog, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures import (
    Match,
    Signature,
    find,
    log_field,
    plain_line,
    writer_of,
)
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures_submariner import SUBMARINER_SIGNATURES

IMAGE = "image"
CRASH = "crash"
UNSCHEDULED = "unscheduled"
NODE = "node"
NOT_READY = "not ready"
RESTARTS = 5  # what subctl diagnose deployment calls too many

IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError")
_OUT_OF_MEMORY = "OOMKilled"


MOST = 20  # pods that are looked at: on a large cluster the others have the same trouble


class Trouble(t.NamedTuple):
    """``words`` complete "the pod ..."; ``signature`` is the known message behind a crash, where its log has one."""

    kind: str
    words: str
    pod: Pod
    evidence: tuple[Evidence, ...]
    signature: Signature | None = None


def troubles_of(pods: t.Iterable[Pod], snapshot: Snapshot) -> list[Trouble]:
    """Why those of ``pods`` that are not ready are not, of twenty at most."""
    return [trouble_of(pod, snapshot) for pod in [pod for pod in pods if not pod.ready][:MOST]]


def trouble_of(pod: Pod, snapshot: Snapshot) -> Trouble:
    """Why this pod, which is not ready, is not."""
    restarts = f", {pod.restarts} restarts" if pod.restarts >= RESTARTS else ""
    state = Evidence(str(pod.ref), "status.phase", pod.phase, f"on node {pod.node or '(none)'}, not ready{restarts}")
    image = next((status for status in pod.statuses if status.waiting_reason in IMAGE_REASONS), None)
    if image is not None:
        waiting = Evidence(str(pod.ref), _field(image, "state.waiting"), image.waiting_reason, plain_line(image.waiting_message))
        return Trouble(IMAGE, f"cannot get the image {image.image}", pod, (state, waiting))
    node = next((node for node in snapshot.nodes.items if node.ref.name == pod.node), None)
    if node is not None and node_down(node):
        return Trouble(NODE, f"stands on node {pod.node}, which is not Ready", pod, (state, Evidence(str(node.ref), "status.conditions[Ready]", "not True")))
    crashed = next((status for status in pod.statuses if _crashes(status)), None)
    if crashed is not None or pod.restarts >= RESTARTS:
        return _crash(pod, crashed, snapshot, state)
    unplaced = next((entry for entry in pod.conditions if entry.type == "PodScheduled" and entry.status == "False"), None)
    if unplaced is not None:
        placed = Evidence(str(pod.ref), "status.conditions[PodScheduled]", unplaced.reason or "False", plain_line(unplaced.message))
        return Trouble(UNSCHEDULED, "has no node", pod, (state, placed))
    waiting_for = next((status for status in pod.statuses if status.waiting_reason), None)
    if waiting_for is not None:
        seen = Evidence(str(pod.ref), _field(waiting_for, "state.waiting"), waiting_for.waiting_reason, plain_line(waiting_for.waiting_message))
        return Trouble(NOT_READY, f"waits: {waiting_for.waiting_reason}", pod, (state, seen))
    return Trouble(NOT_READY, "is not ready", pod, (state,))


def node_down(node: Node) -> bool:
    """True where the Ready condition says False or Unknown: a kubelet that no longer reports is down as well."""
    condition = node.condition("Ready")
    return node.ready is False or (condition is not None and condition.status != "True")


def runs_agents(node: Node) -> bool:
    """False for nodes that Submariner's images do not run on, Windows and virtual ones: the operator's DaemonSet of route agents selects them all the same."""
    windows = "windows" in (node.operating_system, node.labels.get("kubernetes.io/os"))
    virtual = node.labels.get("type") == "virtual-kubelet" or node.labels.get("eks.amazonaws.com/compute-type") == "fargate"
    return not (windows or virtual)


def hopeless(pods: t.Iterable[Pod], snapshot: Snapshot) -> tuple[Pod, ...]:
    """Those of ``pods`` that are not ready and never will be, since no agent runs on such a node."""
    nowhere = {node.ref.name for node in snapshot.nodes.items if not runs_agents(node)}
    return tuple(pod for pod in pods if not pod.ready and pod.node in nowhere)


def _crashes(status: ContainerStatus) -> bool:
    return status.waiting_reason == "CrashLoopBackOff" or (not status.ready and bool(status.exit_code) and not status.started_at)


def _crash(pod: Pod, status: ContainerStatus | None, snapshot: Snapshot, state: Evidence) -> Trouble:
    evidence = [state]
    if status is not None:
        end = ", ".join(part for part in (status.exit_reason, "" if status.exit_code is None else f"exit code {status.exit_code}") if part)
        evidence.append(Evidence(str(pod.ref), _field(status, "lastState.terminated"), end or status.waiting_reason, plain_line(status.exit_message)))
    match = crash_match(pod, snapshot)
    if match is not None:
        evidence.append(Evidence(str(match.ref), match.field, match.line))
        return Trouble(CRASH, f"crashes: {match.signature.cause}", pod, tuple(evidence), match.signature)
    said = last_words(pod, snapshot)
    if said is not None:
        evidence.append(said)
    if status is not None and status.exit_reason == _OUT_OF_MEMORY:
        return Trouble(CRASH, "is killed for using more memory than its limit", pod, tuple(evidence))
    code = "" if status is None or status.exit_code is None else f" with exit code {status.exit_code}"
    return Trouble(CRASH, f"crashes{code}", pod, tuple(evidence))


def crash_match(pod: Pod, snapshot: Snapshot) -> Match | None:
    """The known message that this pod ends on: in the log of its last run, then of this one, then in what it left as termination message."""
    writer = writer_of(pod, pod.ref.name)
    for log in sorted(logs_of(pod, snapshot), key=lambda log: not log.previous):
        found = [match for match in find(SUBMARINER_SIGNATURES, writer, pod.ref, log_field(log), log.lines) if match.signature.fatal]
        if found:
            return found[-1]
    for status in pod.statuses:
        left = [
            match
            for match in find(SUBMARINER_SIGNATURES, writer, pod.ref, _field(status, "lastState.terminated.message"), status.exit_message.splitlines())
            if match.signature.fatal
        ]
        if left:
            return left[-1]
    return None


def last_words(pod: Pod, snapshot: Snapshot) -> Evidence | None:
    """The last line of the previous run's log, else of this one's."""
    for log in sorted(logs_of(pod, snapshot), key=lambda log: not log.previous):
        line = next((line for line in reversed(log.lines) if line.strip()), "")
        if line:
            return Evidence(str(pod.ref), f"last line of the {log_field(log)}", plain_line(line))
    return None


def logs_of(pod: Pod, snapshot: Snapshot) -> tuple[PodLog, ...]:
    return tuple(log for log in snapshot.logs.items if (log.ref.namespace, log.ref.name) == (pod.ref.namespace, pod.ref.name))


def _field(status: ContainerStatus, what: str) -> str:
    return f"status.{'initContainerStatuses' if status.init else 'containerStatuses'}[{status.name}].{what}"
