# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conditions that the tigera operator reports of a component (tigera/operator pkg/controller/status/status.go). Pure.

A DaemonSet whose pods are not all updated or not all available is progress; a container that crashes again and again, or whose image cannot be
pulled, is a failure. Available is neither. Reasons are those of operator.tigera.io/v1 TigeraStatusReason.
"""

from __future__ import annotations

import typing as t

Object = dict[str, t.Any]

ALL_AVAILABLE, NOT_READY, POD_FAILURE = "AllObjectsAvailable", "ResourceNotReady", "PodFailure"
PULL_REASONS = ("ImagePullBackOff", "ErrImagePull")


class Health(t.NamedTuple):
    """What there is to say of a component.

    :ivar degraded: (reason, message) that a controller has set itself.
    """

    progressing: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    degraded: tuple[str, str] | None = None

    @property
    def available(self) -> bool:
        return not (self.progressing or self.failing or self.degraded)


def health(daemon_sets: t.Iterable[Object], deployments: t.Iterable[Object], pods: t.Sequence[Object], degraded: tuple[str, str] | None = None) -> Health:
    """Of a component with these workloads; pods are those of their namespaces."""
    progressing, failing = [], []
    for kind, each, progress in [*(("DaemonSet", each, _daemon_set(each)) for each in daemon_sets),
                                 *(("Deployment", each, _deployment(each)) for each in deployments)]:  # fmt: skip
        name = f'{kind} "{each["metadata"]["namespace"]}/{each["metadata"]["name"]}"'
        if progress:
            progressing.append(f"{name} {progress}")
        failing += _failure(each, pods)
    return Health(tuple(progressing), tuple(failing), degraded)


def conditions(found: Health, before: t.Sequence[Object], generation: int, now: str, first: str = "Available") -> list[Object]:
    """Those of a TigeraStatus; with ``first`` Ready those of an Installation or an APIServer. What has not changed keeps its time.

    :param before: the conditions that stand there.
    """
    failed = [*([found.degraded[1]] if found.degraded else ()), *found.failing]
    reason = found.degraded[0] if found.degraded else POD_FAILURE
    progress = bool(found.progressing) and not failed
    trouble = reason if failed else NOT_READY
    all_available = "All objects available" if first == "Available" else ""
    wanted = [
        (first, found.available, ALL_AVAILABLE if found.available else trouble, all_available if found.available else "\n".join(failed or found.progressing)),
        ("Progressing", progress, NOT_READY if progress else ALL_AVAILABLE if found.available else trouble, "\n".join(found.progressing) if progress else ""),
        ("Degraded", bool(failed), reason if failed else ALL_AVAILABLE if found.available else trouble, "\n".join(failed)),
    ]
    times = {(each["type"], each["status"]): each.get("lastTransitionTime", now) for each in before}
    return [
        {"type": kind, "status": str(state), "reason": why, "message": told, "observedGeneration": generation,
         "lastTransitionTime": times.get((kind, str(state)), now)}
        for kind, state, why, told in wanted
    ]  # fmt: skip


def _daemon_set(obj: Object) -> str:
    status = obj.get("status", {})
    wanted = status.get("desiredNumberScheduled", 0)
    if status.get("updatedNumberScheduled", 0) < wanted:
        return f"update is rolling out ({status.get('updatedNumberScheduled', 0)} out of {wanted} updated)"
    if status.get("numberUnavailable", 0):
        return f"is not available (awaiting {status['numberUnavailable']} nodes)"
    if wanted and not status.get("numberAvailable", 0):
        return "is not yet scheduled on any nodes"
    return _behind(obj)


def _deployment(obj: Object) -> str:
    status = obj.get("status", {})
    if status.get("unavailableReplicas", 0):
        return f"is not available (awaiting {status['unavailableReplicas']} replicas)"
    if not status.get("availableReplicas", 0):
        return "is not yet scheduled on any nodes"
    return _behind(obj)


def _behind(obj: Object) -> str:
    seen, generation = obj.get("status", {}).get("observedGeneration", 0), obj["metadata"]["generation"]
    return f"update is being processed (generation {generation}, observed generation {seen})" if seen < generation else ""


def _failure(workload: Object, pods: t.Sequence[Object]) -> list[str]:
    """The first pod of a workload that fails."""
    labels, namespace = workload["spec"]["selector"]["matchLabels"], workload["metadata"]["namespace"]
    for pod in pods:
        metadata = pod["metadata"]
        if metadata["namespace"] != namespace or not labels.items() <= (metadata.get("labels") or {}).items():
            continue
        name, status = f"Pod {namespace}/{metadata['name']}", pod.get("status", {})
        if status.get("phase") == "Failed":
            return [f"{name} has failed"]
        for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
            state = container.get("state", {})
            waiting = state.get("waiting", {}).get("reason", "")
            if waiting == "CrashLoopBackOff":
                return [f"{name} has crash looping container: {container['name']}"]
            if waiting in PULL_REASONS:
                return [f"{name} failed to pull container image for: {container['name']}"]
            if state.get("terminated", {}).get("reason") == "Error":
                return [f"{name} has terminated container: {container['name']}"]
    return []
