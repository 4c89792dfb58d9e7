# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whose logs are worth reading: a bounded number of containers, those first that tell most.

The operator and the gateways always; of agents that run on each node those on gateway nodes and the conspicuous ones. What a log tells that no object
does: that a route agent which is Ready gave up on its node's network when it started.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import ContainerStatus, Pod, Ref, Snapshot

MOST_LOGS = 24
RACE = 15 * 60.0  # seconds between a node's Ready and the start of an agent on it, either way, that make the agent conspicuous
# Waiting for one of these, and never started before, a container has no log.
NEVER_STARTED = frozenset(("ContainerCreating", "PodInitializing", "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"))


class LogTarget(t.NamedTuple):
    """One log to read. ``previous`` asks for the container's last incarnation."""

    ref: Ref  # the Pod
    container: str
    previous: bool
    why: str


class _Kind(t.NamedTuple):
    """Pods whose label ``key`` is ``value``.

    :param always: how many are read though nothing is conspicuous about them.
    :param conspicuous: how many more are read that are.
    """

    key: str
    value: str
    always: int
    conspicuous: int


_KINDS = (
    _Kind("name", "submariner-operator", 1, 1),
    _Kind("app", "submariner-gateway", 2, 1),
    _Kind("app", "submariner-routeagent", 0, 3),  # besides those on gateway nodes
    _Kind("k8s-app", "tigera-operator", 0, 1),
    _Kind("k8s-app", "calico-node", 1, 3),  # what it says of the MTU stands in no object
    _Kind("k8s-app", "canal", 0, 2),
    _Kind("k8s-app", "calico-apiserver", 0, 2),
    _Kind("k8s-app", "calico-typha", 0, 1),
    _Kind("app", "submariner-lighthouse-agent", 1, 1),
    _Kind("app", "submariner-globalnet", 2, 1),
    _Kind("app", "submariner-lighthouse-coredns", 0, 1),
    _Kind("k8s-app", "calico-kube-controllers", 0, 1),
)
_AGENTS_ON_GATEWAYS = 2


def log_targets(snapshot: Snapshot) -> tuple[LogTarget, ...]:
    """At most ``MOST_LOGS``, the most telling ones first."""
    gateways = {node.ref.name for node in snapshot.nodes.items if node.is_gateway}
    gateways |= {pod.node for pod in snapshot.pods.items if pod.labels.get("app") == "submariner-gateway"}
    ready_since = {node.ref.name: _seconds(ready.since) for node in snapshot.nodes.items for ready in [node.condition("Ready")] if ready is not None}
    found: list[LogTarget] = []
    for kind in _KINDS:
        pods = sorted((pod for pod in snapshot.pods.items if pod.labels.get(kind.key) == kind.value), key=lambda pod: pod.ref)
        if kind.value == "submariner-routeagent":
            found += [target for pod in [pod for pod in pods if pod.node in gateways][:_AGENTS_ON_GATEWAYS] for target in _logs_of(pod, "on a gateway node")]
        found += [target for pod in pods[: kind.always] for target in _logs_of(pod, "")]
        suspects = sorted((suspicion for suspicion in (_suspicion(pod, ready_since) for pod in pods) if suspicion.weight), key=_Suspicion.order)
        operator_is_unhappy = kind.value == "tigera-operator" and _calico_is_degraded(snapshot)
        if operator_is_unhappy and not suspects:
            suspects = [_Suspicion(1.0, pod, "a TigeraStatus is Degraded") for pod in pods]
        found += [target for suspicion in suspects[: kind.conspicuous] for target in _logs_of(suspicion.pod, suspicion.why)]
    unique = {(target.ref, target.container, target.previous): target for target in reversed(found)}
    return tuple(target for target in found if unique.get((target.ref, target.container, target.previous)) is target)[:MOST_LOGS]


class _Suspicion(t.NamedTuple):
    weight: float  # 0 for an inconspicuous pod
    pod: Pod
    why: str

    def order(self) -> tuple[float, Ref]:
        return (-self.weight, self.pod.ref)


def _suspicion(pod: Pod, ready_since: t.Mapping[str, float | None]) -> _Suspicion:
    if pod.phase == "Succeeded":
        return _Suspicion(0.0, pod, "")
    if not pod.ready:
        return _Suspicion(3.0, pod, "not ready")
    if pod.restarts:
        return _Suspicion(2.0 + pod.restarts / (pod.restarts + 1), pod, f"restarted {pod.restarts} times" if pod.restarts > 1 else "restarted once")
    started = _seconds(next((status.started_at for status in pod.statuses if status.started_at), "") or pod.started_at)
    since = ready_since.get(pod.node)
    if started is not None and since is not None and abs(started - since) <= RACE:
        return _Suspicion(1.0 - abs(started - since) / (2 * RACE), pod, "started about when its node became Ready")
    return _Suspicion(0.0, pod, "")


def _calico_is_degraded(snapshot: Snapshot) -> bool:
    conditions = [status.condition("Degraded") for status in snapshot.tigera_statuses.items]
    return any(condition is not None and condition.status == "True" for condition in conditions)


def _logs_of(pod: Pod, why: str) -> list[LogTarget]:
    """Of its containers (of a failing init container, where one fails), and what they said before they last ended."""
    statuses = pod.statuses or tuple(ContainerStatus(container.name, pod.ready, 0, container.image) for container in pod.containers)
    failing = [status for status in statuses if status.init and status.exit_code not in (None, 0)]
    found = []
    for status in failing or [status for status in statuses if not status.init]:
        if status.waiting_reason not in NEVER_STARTED or status.restarts:
            found.append(LogTarget(pod.ref, status.name, False, why))
        if status.restarts and not status.init:
            found.append(LogTarget(pod.ref, status.name, True, f"{status.name} restarted {status.restarts} times"))
    return found


def _seconds(moment: str) -> float | None:
    """Seconds since 1970 of an RFC 3339 moment, None where it is none."""
    try:
        parsed = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    except ValueError:
        return None
    return parsed.timestamp() if parsed.tzinfo is not None else None
