# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a pod of calico-node does not become ready, from its status, its events and its log.

The classes are those that need different hands: a kernel, an image, a registry, a scheduler, a machine that is away. Messages are those of
projectcalico/calico felix/ipsets, felix/iptables and node/pkg/lifecycle/startup, of ipset and iptables, and of the kubelet.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._seen import Seen
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import ContainerStatus, Event, Node, Pod, PodLog

NODE_AWAY = "node-not-ready"
UNSCHEDULED = "unscheduled"
IMAGE = "image-pull"
ARCHITECTURE = "architecture"
MODULE = "kernel-module"
IPSET_REVISION = "ipset-revision"
ADDRESS = "address"
DATASTORE = "datastore"
MOUNT = "mount"
MEMORY = "out-of-memory"
CRASH = "crash"
PROBE = "probe"
STARTING = "starting"
UNCLEAR = "unclear"

_IMAGE_REASONS = frozenset(("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError"))
_CREATE_REASONS = frozenset(("CreateContainerConfigError", "CreateContainerError", "RunContainerError"))
_CNI_NOT_READY = ("cni plugin not initialized", "cni config uninitialized", "NetworkPluginNotReady", "network is not ready", "network plugin is not ready")
_LONGEST_ROW = 200
_LAST_LINES = 400  # of a log: what keeps a pod from getting ready stands at its end, or is said again there


class Message(t.NamedTuple):
    """A known message; ``lacks`` names what the kernel lacks, where the message tells."""

    kind: str
    pattern: re.Pattern[str]
    lacks: str = ""


def _message(kind: str, pattern: str, lacks: str = "") -> Message:
    return Message(kind, re.compile(pattern, re.IGNORECASE), lacks)


MESSAGES = (
    _message(ARCHITECTURE, r"exec format error|no match(?:ing manifest)? for (?:platform|linux/)"),
    _message(IPSET_REVISION, r"Kernel and userspace incompatible"),
    _message(MODULE, r"Kernel error received: Invalid argument|ipset.*Cannot open session to kernel", "ip_set"),
    _message(MODULE, r"set type not supported", "ip_set_hash_*"),
    _message(MODULE, r"can't initialize ip6?tables table [`'](?P<lacks>\w+)|do you need to insmod\?", "ip_tables"),
    _message(MODULE, r"Module (?P<lacks>[\w-]+) not found"),
    _message(MODULE, r"Couldn't load (?:match|target) [`'](?P<lacks>\w+)"),
    _message(MODULE, r"failed to create (?P<lacks>vxlan|ipip|wireguard)\b.*operation not supported|(?P<tunnel>tunl0|vxlan\.calico).*operation not supported"),
    _message(ADDRESS, r"Couldn't autodetect an IPv[46] address|is already using the IPv[46] address"),
    _message(DATASTORE, r"connection is unauthorized|failed to (?:query|reach|connect to) (?:the )?(?:kube-apiserver|datastore)"),
    _message(DATASTORE, r"Datastore connection error|dial tcp .*:(?:6443|443): .*(?:refused|timeout|no route)"),
)


class Cause(t.NamedTuple):
    """:param kind: one of the classes above.
    :param lacks: what the kernel lacks, the image that is not pulled, or the like; "" where nothing names it.
    :param seen: the rows that it rests on, the telling one first.
    """

    kind: str
    lacks: str = ""
    seen: tuple[Seen, ...] = ()


def cause_of(pod: Pod, node: Node | None, logs: t.Sequence[PodLog], events: t.Sequence[Event], *, fresh: bool = False) -> Cause:
    """What keeps ``pod`` from being ready.

    :param node: the node that it is on, None where it has none or it was not read.
    :param logs: of this pod's containers.
    :param events: about this pod.
    :param fresh: it was made a short while ago and may just need its time.
    """
    if node is not None and _is_away(node):
        condition = node.condition("Ready")
        said = f"{condition.reason}: {condition.message}" if condition else ""
        return Cause(NODE_AWAY, node.ref.name, (Seen(str(node.ref), "status.conditions[Ready]", condition.status if condition else "", _cut(said)),))
    scheduled = next((entry for entry in pod.conditions if entry.type == "PodScheduled" and entry.status == "False"), None)
    if scheduled is not None:
        return Cause(UNSCHEDULED, scheduled.reason, (Seen(str(pod.ref), "status.conditions[PodScheduled]", scheduled.reason, _cut(scheduled.message)),))
    return (
        _of_image(pod)
        or _of_message(pod, logs, events)
        or _of_creation(pod, events)
        or _of_end(pod, logs)
        or _of_probe(pod, events)
        or Cause(STARTING if fresh else UNCLEAR, "", (Seen(str(pod.ref), "status.phase", pod.phase, "not ready, and nothing says why"),))
    )


def _is_away(node: Node) -> bool:
    """The machine or its kubelet, and not just a node that waits for the network that this very pod would bring."""
    if node.ready is True:
        return False
    condition = node.condition("Ready")
    text = f"{condition.reason} {condition.message}" if condition else ""
    return not any(part.lower() in text.lower() for part in _CNI_NOT_READY)


def _of_image(pod: Pod) -> Cause | None:
    for status in pod.statuses:
        if status.waiting_reason in _IMAGE_REASONS:
            kind = ARCHITECTURE if MESSAGES[0].pattern.search(status.waiting_message) else IMAGE
            return Cause(kind, status.image, (_waiting(pod, status),))
    return None


def _waiting(pod: Pod, status: ContainerStatus) -> Seen:
    part = "initContainerStatuses" if status.init else "containerStatuses"
    return Seen(str(pod.ref), f"status.{part}[{status.name}].state.waiting", status.waiting_reason, _cut(status.waiting_message))


def _of_message(pod: Pod, logs: t.Sequence[PodLog], events: t.Sequence[Event]) -> Cause | None:
    said = [
        (text, Seen(str(pod.ref), f"status of container {status.name}", f"exit code {status.exit_code}" if status.exit_code is not None else "", _cut(text)))
        for status in pod.statuses
        for text in (status.exit_message, status.waiting_message)
        if text
    ]
    lines = [
        (line, Seen(str(log.ref), f"log of container {log.container}" + (" (previous run)" if log.previous else ""), _cut(line)))
        for log in logs
        for line in reversed(log.lines[-_LAST_LINES:])
    ]
    happened = [(event.message, Seen(str(event.ref), f"event {event.reason}", f"{event.count} times", _cut(event.message))) for event in events]
    for message in MESSAGES:
        for text, seen in (*said, *lines, *happened):
            found = message.pattern.search(text)
            if found:
                named = next((value for value in found.groupdict().values() if value), "")
                return Cause(message.kind, named or message.lacks, (seen, *_restarts(pod)))
    return None


def _of_creation(pod: Pod, events: t.Sequence[Event]) -> Cause | None:
    for status in pod.statuses:
        if status.waiting_reason in _CREATE_REASONS:
            return Cause(MOUNT, status.name, (_waiting(pod, status),))
    for event in events:
        if event.reason in ("FailedMount", "FailedCreatePodSandBox", "FailedCreatePodContainer") and pod.phase == "Pending":
            return Cause(MOUNT, event.reason, (Seen(str(event.ref), f"event {event.reason}", f"{event.count} times", _cut(event.message)),))
    return None


def _of_end(pod: Pod, logs: t.Sequence[PodLog]) -> Cause | None:
    for status in pod.statuses:
        ended = status.exit_code is not None and status.exit_code != 0
        if status.exit_reason == "OOMKilled" and not status.ready:
            return Cause(MEMORY, status.name, (Seen(str(pod.ref), f"status of container {status.name}", "OOMKilled", f"{status.restarts} restarts"),))
        if status.waiting_reason == "CrashLoopBackOff" or (ended and not status.ready and status.restarts > 0):
            row = Seen(str(pod.ref), f"status of container {status.name}", status.waiting_reason or f"exit code {status.exit_code}", _ending(status))
            return Cause(CRASH, status.name, (row, *_last_error(logs, status.name)))
    return None


def _ending(status: ContainerStatus) -> str:
    code = "" if status.exit_code is None else f"exit code {status.exit_code} {status.exit_reason}".strip()
    return ", ".join(filter(None, (code, f"{status.restarts} restarts", _cut(status.exit_message))))


def _last_error(logs: t.Sequence[PodLog], container: str) -> tuple[Seen, ...]:
    for log in sorted(logs, key=lambda entry: not entry.previous):
        for line in reversed(log.lines if log.container == container else ()):
            if re.search(r"\[?(?:FATAL|PANIC|ERROR)|^panic:|^Error", line):
                return (Seen(str(log.ref), f"log of container {container}" + (" (previous run)" if log.previous else ""), _cut(line)),)
    return ()


def _of_probe(pod: Pod, events: t.Sequence[Event]) -> Cause | None:
    unhealthy = [event for event in events if event.reason == "Unhealthy"]
    if unhealthy:
        last = max(unhealthy, key=lambda event: event.last_seen)
        return Cause(PROBE, "", (Seen(str(last.ref), "event Unhealthy", f"{last.count} times", _cut(last.message)), *_restarts(pod)))
    return None


def _restarts(pod: Pod) -> tuple[Seen, ...]:
    worst = max(pod.statuses, key=lambda status: status.restarts, default=None)
    if worst is None or not worst.restarts:
        return ()
    return (Seen(str(pod.ref), f"status of container {worst.name}", worst.waiting_reason or "restarted", _ending(worst)),)


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST_ROW else f"{flat[:_LONGEST_ROW - 1]}…"
