# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Since when each node gives new pods the MTU that is in force, told by the history of DaemonSet calico-node.

No field says what MTU a pod's interface has. It has the one that the CNI configuration named when the pod was made, and calico-node writes that file when
it starts. Each template that a DaemonSet ever had (the last ten, unless told otherwise) is kept in a ControllerRevision, with the time when it was first
used (kubernetes pkg/controller/history and pkg/controller/daemon); a template that is taken up again keeps its old time and gets a new number.
"""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_live import signature

HASH = "controller-revision-hash"  # label of a ControllerRevision and of its pods (apps/v1 ControllerRevisionHashLabelKey)
NEVER = "9999-12-31T23:59:59Z"

Object = t.Mapping[str, t.Any]


class Change(t.NamedTuple):
    """The last rollout that changed the MTU.

    :param at: RFC 3339, when it began.
    :param revision: its hash where no other rollout has followed, else "".
    """

    at: str
    revision: str


class Cutoffs(t.NamedTuple):
    """Pods made before the cutoff of their node have the former MTU. ``why`` says how it is known."""

    default: str
    nodes: t.Mapping[str, str]
    why: str

    def of(self, node: str) -> str:
        return self.nodes.get(node, self.default)


def newest(revisions: t.Sequence[Object]) -> str:
    """The hash of the template that is in use, "" where there is no history."""
    ordered = _ordered(revisions)
    return _hash(ordered[0]) if ordered else ""


def last_change(revisions: t.Sequence[Object]) -> Change | None:
    """The last rollout that changed what the template says of the MTU; None where as far back as the history goes it said the same."""
    ordered = _ordered(revisions)
    if not ordered:
        return None
    now = _signature(ordered[0])
    same = list(itertools.takewhile(lambda revision: _signature(revision) == now, ordered))
    if len(same) == len(ordered):
        return None
    at = max(_created(same[-1]), _created(ordered[len(same)]))
    return Change(at, _hash(same[0]) if len(same) == 1 else "")


def cutoffs(change: Change, pods: t.Sequence[Object]) -> Cutoffs:
    """
    :param pods: of calico-node.
    """
    nodes: dict[str, str] = {}
    if change.revision:
        for pod in pods:
            metadata = pod["metadata"]
            rolled = (metadata.get("labels") or {}).get(HASH) == change.revision and not metadata.get("deletionTimestamp")
            nodes[str(pod["spec"].get("nodeName", ""))] = _installed(pod) if rolled else NEVER
    since = "and was started on each node since" if change.revision else "and other rollouts have followed"
    return Cutoffs(change.at, nodes, f"calico-node got another MTU with the rollout of {change.at}, {since}")


def _installed(pod: Object) -> str:
    """When the node's CNI configuration was written: the end of the init container, unless that ran again with a reboot."""
    for status in pod.get("status", {}).get("initContainerStatuses") or []:
        ended = (status.get("state") or {}).get("terminated") or {}
        if status.get("name") == "install-cni" and not status.get("restartCount") and ended.get("finishedAt"):
            return str(ended["finishedAt"])
    return str(pod["metadata"].get("creationTimestamp", ""))


def _ordered(revisions: t.Sequence[Object]) -> list[Object]:
    return sorted(revisions, key=lambda revision: int(revision.get("revision") or 0), reverse=True)


def _signature(revision: Object) -> tuple[tuple[str, t.Any], ...]:
    return signature(((revision.get("data") or {}).get("spec") or {}).get("template") or {})


def _created(revision: Object) -> str:
    return str(revision["metadata"].get("creationTimestamp", ""))


def _hash(revision: Object) -> str:
    return str((revision["metadata"].get("labels") or {}).get(HASH, ""))
