# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A node's way out of a Submariner cluster and back: what is noted on it, who takes over from a gateway, and what must be there again.

How a gateway is made to hand over: by taking its node's label away, on which the DaemonSet removes its pod, so that another gateway gets the lease. Deleting
the pod does not do it: the one that comes in its place on the same node has the same identity in the leader election and holds the lease at once
(submariner pkg/gateway/gateway.go: the identity is the host's name). A reboot without it costs the lease's 15 seconds and the time until the node is missed.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import DOMAIN
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node, Pod, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _restart_order as order
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._agent_sight import why_in_vain
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_nodes import GATEWAY_LABEL

ANNOTATION = f"{DOMAIN}/maintenance"  # not below gateway.submariner.io/: a gateway ends on a key there that it does not know
CALICO_NODE = "calico-node"
STARTS_ANEW = (CALICO_NODE, order.AGENT, order.GATEWAY)  # containers, of pods that are called like them


class Mark(t.NamedTuple):
    """What is noted on a node that was prepared, so that whoever brings it back knows what to undo, days later and from another machine.

    :param boot_id: status.nodeInfo.bootID as it was.
    :param cordoned: whether we did it: a node that somebody else had cordoned stays so.
    :param unlabelled: whether we took the gateway label away.
    :param started: container -> startedAt of what must have been started anew after a reboot.
    :param connected: clusters that the active gateway was connected to.
    :param draining: UIDs of the pods that were to leave, of those that the cordon does not keep from coming back: these alone are evicted when it goes on.
    """

    boot_id: str = ""
    cordoned: bool = False
    unlabelled: bool = False
    started: t.Mapping[str, str] = {}
    connected: tuple[str, ...] = ()
    draining: tuple[str, ...] = ()

    def text(self) -> str:
        return json.dumps(self._asdict(), sort_keys=True)


def mark_of(node: t.Mapping[str, t.Any]) -> Mark | None:
    """What is noted on a Node (JSON); None where nothing is, or nothing that we wrote."""
    text = (node["metadata"].get("annotations") or {}).get(ANNOTATION)
    if not text:
        return None
    try:
        found = json.loads(text)
        return Mark(
            str(found["boot_id"]), found["cordoned"] is True, found["unlabelled"] is True,
            {str(key): str(value) for key, value in found["started"].items()}, tuple(map(str, found["connected"])),
            tuple(map(str, found.get("draining") or ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def new_mark(snapshot: Snapshot, node: t.Mapping[str, t.Any], *, hands_over: bool, draining: tuple[str, ...] = ()) -> Mark:
    """What to note on a node that is prepared now."""
    name = node["metadata"]["name"]
    boot_id = ((node.get("status") or {}).get("nodeInfo") or {}).get("bootID") or ""
    cordoned = not (node.get("spec") or {}).get("unschedulable")
    return Mark(str(boot_id), cordoned, hands_over, started_on(snapshot.pods.items, name), tuple(sorted(order.connected(snapshot))), draining)


def preparing(node: t.Mapping[str, t.Any], mark: Mark) -> dict[str, t.Any]:
    """The patch of a Node that cordons it, notes that, and takes the gateway label away where the gateway is to hand over.

    A node that was prepared before keeps what was noted then.
    """
    noted = mark_of(node)
    patch: dict[str, t.Any] = {"metadata": {}, "spec": {"unschedulable": True}}
    if noted is None:
        patch["metadata"]["annotations"] = {ANNOTATION: mark.text()}
    if (noted or mark).unlabelled:
        patch["metadata"]["labels"] = {GATEWAY_LABEL: None}
    return patch


def noting(node: t.Mapping[str, t.Any], draining: tuple[str, ...]) -> dict[str, t.Any]:
    """The patch of a Node that notes which pods its drain began with; {} where nothing is noted on it."""
    mark = mark_of(node)
    return {} if mark is None else {"metadata": {"annotations": {ANNOTATION: mark._replace(draining=draining).text()}}}


def returning(node: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The patch of a Node that undoes :func:`preparing`; {} where nothing is noted on it."""
    mark = mark_of(node)
    if mark is None:
        return {}
    patch: dict[str, t.Any] = {"metadata": {"annotations": {ANNOTATION: None}}}
    if mark.cordoned:
        patch["spec"] = {"unschedulable": None}
    if mark.unlabelled:
        patch["metadata"]["labels"] = {GATEWAY_LABEL: "true"}
    return patch


def unfinished(nodes: t.Iterable[Node], but: str) -> tuple[str, ...]:
    """Other nodes that were prepared and are not back."""
    return tuple(node.ref.name for node in nodes if node.annotations.get(ANNOTATION) and node.ref.name != but)


def standbys(snapshot: Snapshot, but: str) -> tuple[str, ...]:
    """Nodes whose gateway can take over now: labelled, Ready, not cordoned, with a gateway pod that is Ready."""
    ready = {pod.node for pod in order.pods_of(snapshot, order.GATEWAY) if pod.ready}
    fit = (node for node in snapshot.nodes.items if node.is_gateway and node.ready and not node.unschedulable)
    return tuple(sorted(node.ref.name for node in fit if node.ref.name != but and node.ref.name in ready))


def started_on(pods: t.Iterable[Pod], node: str) -> dict[str, str]:
    """When what matters on a node was started, as its kubelet tells it; no clock is compared."""
    found = {}
    for pod in pods:
        if pod.node == node and not pod.deleting:
            for status in pod.statuses:
                if status.name in STARTS_ANEW and status.started_at:
                    found[status.name] = status.started_at
    return found


def awaited_on(node: t.Mapping[str, t.Any], mark: Mark) -> tuple[str, ...]:
    """Which of STARTS_ANEW must run on a node again before it counts as back: the gateway where it has its label, and has not yet to get it again."""
    is_gateway = (node["metadata"].get("labels") or {}).get(GATEWAY_LABEL) == "true" and not mark.unlabelled
    return STARTS_ANEW if is_gateway else tuple(name for name in STARTS_ANEW if name != order.GATEWAY)


def node_missing(node: t.Mapping[str, t.Any] | None, old_boot: str) -> str:
    """What is missing of a node until it is back, in words; "" where nothing is.

    :param old_boot: the bootID that it must not have any more; "" where it need not have been rebooted.
    """
    if node is None:
        return "the Node does not exist"
    status = node.get("status") or {}
    boot = (status.get("nodeInfo") or {}).get("bootID") or ""
    if old_boot and boot == old_boot:
        return f"it has not been rebooted yet: its bootID is {boot} still"
    ready = next((entry for entry in status.get("conditions") or [] if entry.get("type") == "Ready"), {})
    if ready.get("status") != "True":
        return f"it is not Ready ({ready.get('reason') or 'no reason'}: {ready.get('message') or 'no message'})"
    return ""


def pod_missing(pods: t.Iterable[Pod], node: str, container: str, before: str) -> str:
    """What is missing of the pod of a DaemonSet on a node, in words; "" where it runs anew and is Ready.

    :param container: the one that tells, which is also what the pod is called here.
    :param before: when it was started before; "" where it need not have been started anew.
    """
    here = [pod for pod in pods if pod.node == node and not pod.deleting and pod.status(container) is not None]
    if not here:
        return f"there is no {container} on {node}"
    status = here[0].status(container)
    if before and status is not None and status.started_at in ("", before):
        return f"{here[0].ref} has not been started anew"
    return "" if here[0].ready else f"{here[0].ref} is not Ready"


def tunnel_missing(node: Node, cidrs: str) -> str:
    """Why a route agent would see nothing on a node, "" where it would."""
    return why_in_vain(node, node.ref.name, cidrs)
