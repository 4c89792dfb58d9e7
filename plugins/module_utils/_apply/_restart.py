# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Restarting a pod of a DaemonSet, and waiting until another one stands in its place."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._writer import Object, Writer
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Pod


def restart_pod(writer: Writer, pod: Pod, deadline: Deadline, *, wait: bool = True) -> Object | None:
    """Delete one pod of a DaemonSet, wait until another one in its place is Ready, and return that one.

    A pod that was replaced since it was seen is not deleted. Restarting the DaemonSet itself would be undone: Submariner's operator wipes the annotation
    that ``kubectl rollout restart`` sets (submariner-operator controllers/submariner).

    :return: None in check mode, and without ``wait``.
    :raises TimedOutError: no other pod, or none that is Ready, came in time.
    """
    collection = f"/api/v1/namespaces/{pod.ref.namespace}/pods"
    path = f"{collection}/{pod.ref.name}"
    found = writer.read(path)
    if found is not None and found["metadata"].get("uid") == pod.uid:
        writer.delete(path, found, restart=True)
    if writer.check_mode or not wait:
        return None
    pods = wait_for(
        writer.member.connection,
        collection,
        lambda objects: replaced(objects, pod),
        deadline=deadline,
        what=f"{writer.member.name}: the pod that takes the place of {pod.ref}",
        label_selector=f"app={pod.labels['app']}",
    )
    return next(obj for obj in here(pods, pod) if is_ready(obj))


def replaced(pods: t.Iterable[Object], pod: Pod) -> bool | str:
    """True when another Ready pod stands on the node of one that was deleted, else what is missing, in words."""
    pods = list(pods)
    if any(obj["metadata"]["uid"] == pod.uid for obj in pods):
        return f"pod {pod.ref.name} is still being removed"
    successors = here(pods, pod)
    if not successors:
        return f"no pod has taken the place of {pod.ref.name} on node {pod.node}"
    return True if any(is_ready(obj) for obj in successors) else f"pod {successors[0]['metadata']['name']} is not Ready yet"


def here(pods: t.Iterable[Object], pod: Pod) -> list[Object]:
    """The pods on the node of ``pod`` that are not being removed."""
    return [obj for obj in pods if obj.get("spec", {}).get("nodeName") == pod.node and not obj["metadata"].get("deletionTimestamp")]


def is_ready(pod: t.Mapping[str, t.Any]) -> bool:
    return any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in pod.get("status", {}).get("conditions") or [])
