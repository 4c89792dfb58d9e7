# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Giving gateway nodes a fixed TCP segment size, and naming the route agents that have not read it."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._clamp_mss import ANNOTATION, GATEWAY, clamp_patch, reads_older

AGENT = "submariner-routeagent"


def gateways(task: Task, snapshot: Snapshot) -> list[str]:
    """The names of the gateway nodes.

    :raises RefusedError: the nodes could not be read, or none is a gateway.
    """
    if not snapshot.nodes.known:
        raise RefusedError(
            f"{task.member.name}: the nodes could not be read ({snapshot.nodes.detail}), so that the gateways are not known. Nothing was written."
        )
    found = sorted(node.ref.name for node in snapshot.nodes.items if node.is_gateway)
    if not found:
        raise RefusedError(f"{task.member.name}: no node has the label {GATEWAY}=true, so there is none whose route agent would clamp. Nothing was written.")
    return found


def clamp(task: Task, snapshot: Snapshot, nodes: t.Sequence[str], segment: int) -> list[str]:
    """Write the annotation where it differs, and return the names of the nodes whose route agent must be started anew to read it.

    :param segment: bytes, 0 takes the annotation away.
    """
    stale = []
    for name in nodes:
        path = f"/api/v1/nodes/{name}"
        found = task.writer.read(path)
        if found is None:
            continue  # it has left the cluster meanwhile
        patch = clamp_patch(found, segment)
        if patch:
            task.writer.patch(path, found, patch)
            said = f"annotation {ANNOTATION} {segment}" if segment else f"annotation {ANNOTATION} taken away"
            task.lines.append(f"{task.member.name}: Node {name}: {said}.")
        if patch or any(reads_older(found, started) for started in _agents(snapshot, name)):
            stale.append(name)
    return stale


def _agents(snapshot: Snapshot, node: str) -> t.Iterator[str]:
    for pod in snapshot.pods.items:
        if pod.node == node and pod.labels.get("app") == AGENT and not pod.deleting:
            yield pod.started_at or pod.created
