# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which workloads still run with the former MTU, and how each of them can be started anew."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_history import Cutoffs

ROLL = "rollout restart"
EVICT = "eviction"
LEFT = "left alone"
PERSON = "needs a person"
ROLLED = ("Deployment", "StatefulSet", "DaemonSet")
_OVER = ("Succeeded", "Failed")

Object = t.Mapping[str, t.Any]


class Owner(t.NamedTuple):
    """A controller of pods or of other controllers.

    :param owner: the controller of this one, None where it has none.
    :param held: why a changed template starts nothing anew, "" where it does.
    """

    kind: str
    name: str
    uid: str
    owner: Owner | None = None
    held: str = ""


class PodRow(t.NamedTuple):
    """A pod with an interface of its own."""

    namespace: str
    name: str
    uid: str
    node: str
    created: str
    owner: Owner | None


class Workload(t.NamedTuple):
    """What ``pods`` belong to. ``way`` is one of the constants of this module, and ``why`` the reason for it."""

    namespace: str
    kind: str
    name: str
    pods: tuple[PodRow, ...]
    way: str
    why: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def pod_row(pod: Object) -> PodRow | None:
    """None for a pod that shares its node's interface, has not been placed, is over, or is on its way out."""
    metadata, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    if spec.get("hostNetwork") or not spec.get("nodeName") or status.get("phase") in _OVER or metadata.get("deletionTimestamp") or not status.get("podIP"):
        return None
    return PodRow(
        metadata["namespace"], metadata["name"], metadata.get("uid", ""), spec["nodeName"], str(metadata.get("creationTimestamp", "")), controller_of(pod)
    )


def controller_row(kind: str) -> t.Callable[[Object], Owner]:
    """Make a projection of a list of controllers of ``kind``; a list's items do not name their kind."""

    def row(obj: Object) -> Owner:
        return Owner(kind, obj["metadata"]["name"], obj["metadata"].get("uid", ""), controller_of(obj), _held(kind, obj.get("spec") or {}))

    return row


def controller_of(obj: Object) -> Owner | None:
    for reference in obj["metadata"].get("ownerReferences") or []:
        if reference.get("controller"):
            return Owner(str(reference.get("kind", "")), str(reference.get("name", "")), str(reference.get("uid", "")))
    return None


def _held(kind: str, spec: Object) -> str:
    if kind == "Deployment":
        return "it is paused" if spec.get("paused") else ""
    strategy = (spec.get("updateStrategy") or {}).get("type", "")
    return "its update strategy is OnDelete" if strategy == "OnDelete" else ""


def outdated(rows: t.Iterable[PodRow], cutoffs: Cutoffs) -> tuple[PodRow, ...]:
    """Kubernetes writes all times in one form, which compares as text."""
    return tuple(row for row in rows if row.created < cutoffs.of(row.node))


def workloads(rows: t.Iterable[PodRow], controllers: t.Mapping[str, Owner]) -> tuple[Workload, ...]:
    """Group pods by what they belong to.

    :param controllers: ReplicaSets, Deployments, StatefulSets and DaemonSets by uid.
    """
    groups: dict[tuple[str, str, str], list[PodRow]] = {}
    tops: dict[tuple[str, str, str], Owner | None] = {}
    for row in rows:
        top = _top(row.owner, controllers)
        key = (row.namespace, top.kind if top else "Pod", top.name if top else row.name)
        groups.setdefault(key, []).append(row)
        tops[key] = top
    return tuple(Workload(*key, tuple(sorted(groups[key])), *_way(tops[key])) for key in sorted(groups))


def _top(owner: Owner | None, controllers: t.Mapping[str, Owner]) -> Owner | None:
    known = controllers.get(owner.uid) if owner else None
    if known is not None and known.kind == "ReplicaSet" and known.owner is not None:
        return controllers.get(known.owner.uid, known.owner)
    return known or owner


def _way(top: Owner | None) -> tuple[str, str]:
    if top is None:
        return PERSON, "nothing would make this pod again"
    if top.kind == "Node":
        return PERSON, "a static pod: its node's kubelet makes it from a file"
    if top.kind == "Job":
        return LEFT, "it ends by itself, and an eviction would count as a failure of the Job"
    if top.kind not in ROLLED:
        return EVICT, f"{top.kind} makes its pods again"
    if top.owner is not None:
        return EVICT, f"{top.owner.kind} {top.owner.name} looks after it, and would undo a change of its template"
    if top.held:
        return EVICT, top.held
    return ROLL, ""
