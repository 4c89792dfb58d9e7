# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Why a registered Calico API server does not answer: from the reason of its APIService, its pods, and the warnings about them."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import ApiState, api_service
from ansible_collections.fathom.submariner.plugins.module_utils._calico._seen import Seen
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Deployment, Event, Pod, Snapshot

API_DEPLOYMENT = "calico-apiserver"
API_NAMESPACES = ("calico-apiserver", "calico-system")  # the operator's is the second one from Calico 3.31 on
CERTIFICATE = "calico-apiserver-certs"

SERVICE_GONE = "service-gone"
PORT = "port"
WRONG_NAME = "wrong-name"
EXPIRED = "expired"
UNTRUSTED = "untrusted"
NO_SECRET = "no-secret"
IMAGE = "image"
CRASH = "crash"
UNSCHEDULED = "unscheduled"
NO_PODS = "no-pods"
NOT_READY = "not-ready"
UNREACHABLE = "unreachable"
OTHER = "other"

_VALID_FOR = re.compile(r"certificate is valid for (.+?), not ([\w.-]+)")
_NETWORK = ("i/o timeout", "connection refused", "no route to host", "context deadline exceeded", "Client.Timeout")
_IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_SHOWN = 3  # pods


class DeadCause(t.NamedTuple):
    """Why it is dead.

    :param cause: one of the constants of this module.
    :param why: in words, to follow "does not answer:".
    :param namespace: of the pods behind it.
    """

    cause: str
    why: str
    namespace: str
    seen: tuple[Seen, ...] = ()


def dead_cause(snapshot: Snapshot, state: ApiState) -> DeadCause:
    """The most specific cause that was seen.

    A certificate shows in the condition's message; the reasons ServiceNotFound, ServicePortError, EndpointsNotFound, MissingEndpoints and
    FailedDiscoveryCheck are kube-aggregator's (kubernetes/kube-aggregator pkg/controllers/status/remote).
    """
    service = api_service(snapshot)
    namespace = service.service.partition("/")[0] if service and service.service else API_NAMESPACES[0]
    found = (
        _by_certificate(state.message)
        or _by_service(state.reason, service.service if service else "")
        or _by_pods(snapshot, namespace, state.reason)
        or _by_network(state.message)
    )
    cause, why, seen = found or (OTHER, state.message or state.reason or "the reason is not told", ())
    return DeadCause(cause, why, namespace, seen)


Found = t.Optional[tuple[str, str, tuple[Seen, ...]]]


def _by_certificate(message: str) -> Found:
    name = _VALID_FOR.search(message)
    if name:
        return WRONG_NAME, f"its certificate is not for {name.group(2)}", ()
    if "certificate has expired" in message:
        return EXPIRED, "its certificate has expired", ()
    if "x509" in message:
        return UNTRUSTED, "the APIService does not trust its certificate", ()
    return None


def _by_network(message: str) -> Found:
    """Last of all: where no pod is ready, nobody can connect either."""
    if any(text in message for text in _NETWORK):
        return UNREACHABLE, "the control plane does not reach its pods on TCP 5443", ()
    return None


def _by_service(reason: str, name: str) -> Found:
    if reason == "ServiceNotFound":
        return SERVICE_GONE, f"its Service {name} does not exist", ()
    if reason == "ServicePortError":
        return PORT, f"its Service {name} lacks the port that the APIService names", ()
    return None


def _by_pods(snapshot: Snapshot, namespace: str, reason: str) -> Found:
    """What keeps the pods from being ready, where pods and events were read. A discovery that failed found an address: there is something behind it."""
    lost = _secret_event(snapshot.events.items)
    pods = api_pods(snapshot)
    if lost is not None:
        return NO_SECRET, f"its pods wait for Secret {CERTIFICATE}", (Seen(str(lost.ref), f"event {lost.reason}", lost.message[:200], lost.last_seen),)
    waiting = [(pod, status) for pod in pods for status in pod.statuses if status.waiting_reason and not status.ready]
    for pod, status in waiting:
        if status.waiting_reason in _IMAGE_REASONS:
            return IMAGE, f"the image {status.image} cannot be pulled", (_waiting(pod, status.waiting_reason, status.waiting_message),)
        if status.waiting_reason == "CrashLoopBackOff":
            ended = status.exit_message or status.exit_reason or "its log tells why"
            return CRASH, "its pods crash", (_waiting(pod, status.waiting_reason, f"{status.restarts} restarts: {ended}"),)
    pending = [pod for pod in pods if not pod.node and pod.phase == "Pending"]
    if pending:
        scheduled = next((entry for entry in pending[0].conditions if entry.type == "PodScheduled"), None)
        return UNSCHEDULED, "its pods are not scheduled", (Seen(str(pending[0].ref), "status.phase", "Pending", scheduled.message if scheduled else ""),)
    deployment = api_deployment(snapshot)
    if not pods and snapshot.pods.ok and reason != "FailedDiscoveryCheck":
        rows = (Seen(str(deployment.ref), "spec.replicas", str(deployment.replicas)),) if deployment else (Seen("Pods", "", "none", f"in {namespace}"),)
        return NO_PODS, "it has no pods", rows
    not_ready = [pod for pod in pods if not pod.ready]
    if not_ready and len(not_ready) == len(pods):
        return NOT_READY, "none of its pods is ready", tuple(Seen(str(pod.ref), "status.phase", pod.phase, f"on {pod.node}") for pod in not_ready[:_SHOWN])
    return None


def _waiting(pod: Pod, reason: str, message: str) -> Seen:
    return Seen(str(pod.ref), "status.containerStatuses[].state.waiting", reason, f"on {pod.node}: {message[:200]}")


def _secret_event(events: t.Iterable[Event]) -> Event | None:
    return next((event for event in events if CERTIFICATE in event.message and "not found" in event.message), None)


def api_pods(snapshot: Snapshot) -> tuple[Pod, ...]:
    """The pods of the Calico API server, by label or by the name that the manifest and the operator give them."""
    return tuple(
        pod
        for pod in snapshot.pods.items
        if pod.labels.get("k8s-app") == API_DEPLOYMENT
        or pod.labels.get("apiserver") == "true"
        or (pod.ref.namespace in API_NAMESPACES and pod.ref.name.startswith(f"{API_DEPLOYMENT}-"))
    )


def api_deployment(snapshot: Snapshot) -> Deployment | None:
    return next((item for item in snapshot.deployments.items if item.ref.name == API_DEPLOYMENT and item.ref.namespace in API_NAMESPACES), None)
