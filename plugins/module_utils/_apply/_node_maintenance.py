# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Taking a node out of service and back, so that traffic to other clusters goes on meanwhile and is all right afterwards."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _route_agent as agents
from ansible_collections.fathom.submariner.plugins.module_utils._apply._drain import drain_node, look_at_pods
from ansible_collections.fathom.submariner.plugins.module_utils._apply._node_write import patch_node
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._apply._writer import Object
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_kubernetes as project_pod
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_nodes as project_node
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_submariner as project_submariner
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _maintenance as maintenance
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _restart_order as order
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_nodes import GATEWAY_LABEL
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._timeline import BLIND, WRONG_CIDR, agent_starts

PREPARED, RETURNED = "prepared", "returned"

# Seconds. A standby gets the lease 15 s after its holder went at the latest, and connects within some seconds (submariner pkg/gateway/gateway.go).
_HAND_OVER = 120.0
_FOR_UNDOING = 60.0  # seconds, beyond the task's deadline where need be: a cluster is not left without its gateway for want of time


def perform(task: Task) -> None:
    """Do what the module is asked: see there."""
    node = task.writer.read(_path(task.params["node"]))
    if node is None:
        raise InputError(f"{task.member.name}: there is no Node {task.params['node']}. Nothing was written.")
    snapshot = agents.look(task)
    if task.params["state"] == PREPARED:
        _prepare(task, snapshot, node)
    else:
        _return(task, snapshot, node)


def _prepare(task: Task, snapshot: Snapshot, node: Object) -> None:
    name, cluster = node["metadata"]["name"], task.member.name
    others = maintenance.unfinished(snapshot.nodes.items, name)
    if others:
        raise RefusedError(
            f"{cluster}: Node {', '.join(others)} was taken out of service and is not back; one at a time. Nothing was written. Bring it back first "
            "(state=returned, or tasks_from: returned of the role)."
        )
    noted = maintenance.mark_of(node)
    standbys = maintenance.standbys(snapshot, name)
    is_active = name in order.active_nodes(snapshot)
    drain = look_at_pods(task, name, again=noted is not None)
    if is_active and standbys:
        task.require_consent([f"the gateway on {name} hands over to {' or '.join(standbys)}: traffic to other clusters stops for some seconds"])
    elif is_active:
        task.require_consent([f"{name} has the only gateway that is fit: all traffic to other clusters stops until the node is back"])
    mark = noted or maintenance.new_mark(snapshot, node, hands_over=is_active and bool(standbys))
    if patch_node(task.writer, name, lambda found: maintenance.preparing(found, mark)):
        handing_over = ", and take its label submariner.io/gateway away, so that another gateway takes over" if mark.unlabelled else ""
        task.lines.append(f"cordon Node {name}{handing_over}")
    if not task.check_mode:
        try:
            if mark.unlabelled and task.params["wait"]:
                _await_handed_over(task, snapshot, name, mark.connected)
            drain = look_at_pods(task, name, again=noted is not None, written="")  # with what was scheduled there until the cordon
        except SubmarinerError as error:
            raise SubmarinerError(f"{error.message.rstrip('.')}. {_put_back(task, name, mark)}", **error.details) from error
    evicted = drain_node(task, name, drain)
    task.facts.update(boot_id=mark.boot_id, evicted=evicted, handed_over=mark.unlabelled)


def _return(task: Task, snapshot: Snapshot, node: Object) -> None:
    name = node["metadata"]["name"]
    noted = maintenance.mark_of(node)
    mark = noted or maintenance.Mark(boot_id=task.params["boot_id"] or "", connected=tuple(sorted(_known_clusters(snapshot))))
    if not task.params["rebooted"]:
        mark = mark._replace(boot_id="", started={})
    if task.check_mode or not task.params["wait"]:
        missing = maintenance.node_missing(node, mark.boot_id) or _pods_missing(snapshot, name, mark)
        if missing and not task.check_mode:
            raise SubmarinerError(f"{task.member.name}: Node {name} is not back: {missing}. Nothing was written.")
        task.warnings += [f"{task.member.name}: Node {name} is not back yet: {missing}; the real run waits for it."] if missing else []
    else:
        _await_back(task, snapshot, name, mark)
        snapshot = agents.look(task)
    restarted = _heal_agent(task, snapshot, name)
    if task.params["wait"] and not task.check_mode:
        agents.wait_for_gateways(task, snapshot, lambda found: agents.missing_connections(found, mark.connected) or True, "the connections to other clusters")
    if patch_node(task.writer, name, maintenance.returning):
        what = [text for text, holds in (("uncordon it", mark.cordoned), ("label it submariner.io/gateway again", mark.unlabelled)) if holds]
        task.lines.append(f"take the mark of the maintenance from Node {name}" + "".join(f", {text}" for text in what))
    if mark.unlabelled and task.params["wait"] and not task.check_mode:
        _await_pod(task, snapshot, order.GATEWAY, name, order.GATEWAY, "")
    task.facts.update(boot_id=_boot_id(task, name, node), restarted=restarted)


def _await_handed_over(task: Task, snapshot: Snapshot, node: str, connected: t.Collection[str]) -> None:
    """
    :raises SubmarinerError: no other gateway has all connections in time; says what to look at.
    """
    namespace = snapshot.submariner.ref.namespace if snapshot.submariner else ""

    def elsewhere(gateways: list[Object]) -> bool | str:
        others = [project_submariner.gateway(obj) for obj in gateways if obj["metadata"]["name"] != node]
        return agents.missing_connections(others, connected) or True

    try:
        wait_for(
            task.member.connection,
            f"/apis/submariner.io/v1/namespaces/{namespace}/gateways",
            elsewhere,
            deadline=Deadline(min(_HAND_OVER, task.deadline.left())),
            what=f"{task.member.name}: another gateway than that on {node} to take over",
        )
    except KubeError as error:
        raise SubmarinerError(
            f"{error.message.rstrip('.')}. Nothing shows that the gateway on {node} was replaced, so traffic to other clusters may have stopped. See why with "
            f"kubectl -n {namespace} describe gateways.submariner.io, and kubectl -n {namespace} logs -l app={order.GATEWAY}.",
            **error.details,
        ) from error


def _put_back(task: Task, node: str, mark: maintenance.Mark) -> str:
    """Undo the preparation of a node, and say in words how that went, and what to do."""
    undone = [text for text, holds in (("uncordoned", mark.cordoned), ("labelled submariner.io/gateway again", mark.unlabelled)) if holds]
    what = " and ".join(undone) or "no longer marked as under maintenance"
    task.writer.deadline = Deadline(max(_FOR_UNDOING, task.deadline.left()))
    try:
        written = patch_node(task.writer, node, maintenance.returning)
    except SubmarinerError as error:
        by_hand = [f"kubectl label node {node} {GATEWAY_LABEL}=true"] if mark.unlabelled else []
        by_hand += [f"kubectl uncordon {node}"] if mark.cordoned else []
        by_hand.append(f"kubectl annotate node {node} {maintenance.ANNOTATION}-")
        return f"What was done to Node {node} could NOT be put back: {error.message.rstrip('.')}. Do it by hand, in this order: {'; '.join(by_hand)}."
    if not written:
        return f"Node {node} bears no note of its maintenance any more, so nothing was put back: see whether it is cordoned and labelled as it should be."
    task.lines.append(f"Node {node} is {what}, since it could not be taken out of service")
    return f"Put back: Node {node} is {what}; none of its pods was evicted by this. Run it again when what is in the way has been dealt with."


def _await_back(task: Task, snapshot: Snapshot, node: str, mark: maintenance.Mark) -> None:
    cluster = task.member.name
    told = order.told_cidr(snapshot)
    wait_for(
        task.member.connection, "/api/v1/nodes", lambda found: maintenance.node_missing(next(iter(found), None), mark.boot_id) or True,
        deadline=task.deadline, what=f"{cluster}: Node {node} to be back", field_selector=f"metadata.name={node}",
    )
    _await_pod(task, snapshot, "", node, maintenance.CALICO_NODE, mark.started.get(maintenance.CALICO_NODE, ""))
    wait_for(
        task.member.connection, "/api/v1/nodes", lambda found: _tunnel_missing(found, told) or True,
        deadline=task.deadline, what=f"{cluster}: Calico's tunnel on Node {node}", field_selector=f"metadata.name={node}",
    )
    _await_pod(task, snapshot, order.AGENT, node, order.AGENT, mark.started.get(order.AGENT, ""))


def _tunnel_missing(nodes: list[Object], told: str) -> str:
    return maintenance.tunnel_missing(project_node.node(nodes[0]), told) if nodes else "the Node does not exist"


def _await_pod(task: Task, snapshot: Snapshot, app: str, node: str, container: str, before: str) -> None:
    """:param app: its label ``app`` in Submariner's namespace; "" for calico-node, wherever that is."""
    wait_for(
        task.member.connection,
        f"/api/v1/namespaces/{snapshot.submariner.ref.namespace}/pods" if app and snapshot.submariner else "/api/v1/pods",
        lambda found: maintenance.pod_missing(map(project_pod.pod, found), node, container, before) or True,
        deadline=task.deadline,
        what=f"{task.member.name}: {container} on Node {node}",
        label_selector=f"app={app}" if app else "k8s-app=calico-node",
    )


def _pods_missing(snapshot: Snapshot, node: str, mark: maintenance.Mark) -> str:
    for container in (maintenance.CALICO_NODE, order.AGENT):
        missing = maintenance.pod_missing(snapshot.pods.items, node, container, mark.started.get(container, ""))
        if missing:
            return missing
    record = next(item for item in snapshot.nodes.items if item.ref.name == node)
    return maintenance.tunnel_missing(record, order.told_cidr(snapshot))


def _heal_agent(task: Task, snapshot: Snapshot, node: str) -> list[dict[str, t.Any]]:
    """Prove that the node's agent sees, and restart it where it is blind."""
    start = next((each for each in agent_starts(snapshot) if each.node == node), None)
    if start is None:
        return []  # in check mode: the wait for it is what tells
    if start.state == WRONG_CIDR:
        raise SubmarinerError(f"{task.member.name}: {start.agent.ref} was told a wrong cluster CIDR: correct that first (role fathom.submariner.join).")
    why = next((each.why for each in order.choose(snapshot).restarts if each.pod.ref == start.agent.ref), "")
    if not why and start.state != BLIND and not task.check_mode and task.params["wait"]:
        seen = agents.settled_sight(task, snapshot, start)
        if seen:
            task.facts["evidence"] = seen
            return []
        why = "it gave up looking for Calico's interface while this waited for it"
    if not why:
        return []
    restart = order.Restart(order.AGENT, node, start.agent, why, node in order.active_nodes(snapshot))
    if restart.disruptive:
        task.require_consent([f"{restart} (all cross-cluster traffic passes that node)"])
    return agents.restart_one(task, snapshot, restart)


def _known_clusters(snapshot: Snapshot) -> frozenset[str]:
    """All other clusters of which there is an Endpoint here."""
    submariner = snapshot.submariner
    if submariner is None:
        return frozenset()
    own = (submariner.cluster_id, "")
    return frozenset(each.cluster_id for each in snapshot.endpoints.items if each.ref.namespace == submariner.ref.namespace and each.cluster_id not in own)


def _boot_id(task: Task, name: str, otherwise: Object) -> str:
    node = task.writer.read(_path(name)) or otherwise
    return str(((node.get("status") or {}).get("nodeInfo") or {}).get("bootID") or "")


def _path(node: str) -> str:
    return f"/api/v1/nodes/{node}"
