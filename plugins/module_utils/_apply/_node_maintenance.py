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
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import missing_from
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_kubernetes as project_pod
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_nodes as project_node
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Gateway, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _maintenance as maintenance
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _restart_order as order
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_nodes import GATEWAY_LABEL
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_places import active_nodes, node_of
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._node_drain import Drain, unhindered
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._timeline import BLIND, WRONG_CIDR, agent_starts

PREPARED, RETURNED = "prepared", "returned"

# Seconds. A standby gets the lease 15 s after its holder went at the latest, and connects within some seconds (submariner pkg/gateway/gateway.go).
_HAND_OVER = 120.0
_THERE_AND_BACK = "Node {} came back from its maintenance; a rollback takes no node out of service again"
_FOR_UNDOING = 60.0  # seconds, beyond the task's deadline where need be: a cluster is not left without its gateway for want of time


class _Way(t.NamedTuple):
    """How a node goes out of service, as it is decided at one moment.

    :param noted: whether it has begun before.
    """

    snapshot: Snapshot
    mark: maintenance.Mark
    drain: Drain
    noted: bool
    boot_id: str  # as it is now
    writes: bool


def perform(task: Task) -> None:
    """Do what the module is asked: see there."""
    if task.params["state"] == PREPARED:
        _prepare(task)
    else:
        _return(task, agents.look(task), _node(task))


def _node(task: Task) -> Object:
    node = task.writer.read(_path(task.params["node"]))
    if node is None:
        raise InputError(f"{task.member.name}: there is no Node {task.params['node']}. Nothing was written.")
    return node


def _decide(task: Task) -> _Way:
    """
    :raises RefusedError: not now, or not without consent.
    """
    node, cluster = _node(task), task.member.name
    name, snapshot = node["metadata"]["name"], agents.look(task)
    others = maintenance.unfinished(snapshot.nodes.items, name)
    if others:
        raise RefusedError(
            f"{cluster}: Node {', '.join(others)} was taken out of service and is not back; one at a time. Nothing was written. Bring it back first "
            "(state=returned, or tasks_from: returned of the role)."
        )
    noted = maintenance.mark_of(node)
    standbys = maintenance.standbys(snapshot, name)
    is_active = name in active_nodes(snapshot)
    drain = look_at_pods(task, name, noted.draining if noted else None)
    disruptive = ""
    if is_active and standbys:
        disruptive = f"the gateway on {name} hands over to {' or '.join(standbys)}: traffic to other clusters stops for some seconds"
    elif is_active:
        disruptive = f"{name} has the only gateway that is fit: all traffic to other clusters stops until the node is back"
    if disruptive and disruptive not in task.disruptive:
        task.require_consent([disruptive])
    mark = noted or maintenance.new_mark(snapshot, node, hands_over=is_active and bool(standbys), draining=unhindered(drain))
    writes = bool(drain.evict or missing_from(node, maintenance.preparing(node, mark)))
    return _Way(snapshot, mark, drain, noted is not None, _boot_id(node), writes)


def _prepare(task: Task) -> None:
    name, way = task.params["node"], _decide(task)
    if way.writes and not task.check_mode:
        task.writer.lock()
        way = _decide(task)  # another run may have taken a node out of service until we had the lock, or the gateway's role has passed on
    mark, drain = way.mark, way.drain
    if patch_node(task.writer, name, lambda found: maintenance.preparing(found, mark)):
        handing_over = ", and take its label submariner.io/gateway away, so that another gateway takes over" if mark.unlabelled else ""
        task.lines.append(f"cordon Node {name}{handing_over}")
    if not task.check_mode:
        try:
            if mark.unlabelled and task.params["wait"]:
                _await_handed_over(task, way.snapshot, name, mark.connected)
            drain = look_at_pods(task, name, mark.draining if way.noted else None, written="")  # with what was scheduled there until the cordon
            if not way.noted and unhindered(drain) != mark.draining:
                patch_node(task.writer, name, lambda found: maintenance.noting(found, unhindered(drain)))
        except SubmarinerError as error:
            raise SubmarinerError(f"{error.message.rstrip('.')}. {_put_back(task, name, mark)}", **error.details) from error
    evicted = drain_node(task, name, drain)
    task.facts.update(boot_id=mark.boot_id, boot_id_now=way.boot_id, evicted=evicted, handed_over=mark.unlabelled)


def _return(task: Task, snapshot: Snapshot, node: Object) -> None:
    name = node["metadata"]["name"]
    noted = maintenance.mark_of(node)
    mark = noted or maintenance.Mark(boot_id=task.params["boot_id"] or "", connected=tuple(sorted(_known_clusters(snapshot))))
    if not task.params["rebooted"]:
        mark = mark._replace(boot_id="", started={})
    if task.check_mode or not task.params["wait"]:
        missing = maintenance.node_missing(node, mark.boot_id) or _pods_missing(snapshot, node, mark)
        if missing and not task.check_mode:
            raise SubmarinerError(f"{task.member.name}: Node {name} is not back: {missing}. Nothing was written.")
        task.warnings += [f"{task.member.name}: Node {name} is not back yet: {missing}; the real run waits for it."] if missing else []
    else:
        _await_back(task, snapshot, name, mark)
        snapshot = agents.look(task)
    restarted = _heal_agent(task, snapshot, name)
    if task.params["wait"] and not task.check_mode:
        agents.wait_for_gateways(task, snapshot, lambda found: agents.missing_connections(found, mark.connected), "the connections to other clusters")
    if patch_node(task.writer, name, maintenance.returning, one_way=_THERE_AND_BACK.format(name)):
        what = [text for text, holds in (("uncordon it", mark.cordoned), ("label it submariner.io/gateway again", mark.unlabelled)) if holds]
        task.lines.append(f"take the mark of the maintenance from Node {name}" + "".join(f", {text}" for text in what))
    if mark.unlabelled and task.params["wait"] and not task.check_mode:
        _await_pod(task, snapshot, order.GATEWAY, name, order.GATEWAY, "")
    task.facts.update(boot_id=_boot_id(task.writer.read(_path(name)) or node), restarted=restarted)


def _await_handed_over(task: Task, snapshot: Snapshot, node: str, connected: t.Collection[str]) -> None:
    """
    :raises SubmarinerError: no other gateway has all connections in time; says what to look at.
    """
    namespace = snapshot.submariner.ref.namespace if snapshot.submariner else ""

    def missing(gateways: list[Gateway]) -> str:
        return agents.missing_connections([gateway for gateway in gateways if node_of(gateway, snapshot) != node], connected)

    deadline = Deadline(min(_HAND_OVER, task.deadline.left()))
    try:
        agents.wait_for_gateways(task, snapshot, missing, f"another gateway than that on {node} to take over", deadline)
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
        written = patch_node(task.writer, node, maintenance.returning, one_way=_THERE_AND_BACK.format(node))
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
    for app in maintenance.awaited_on(_node(task), mark)[1:]:
        _await_pod(task, snapshot, app, node, app, mark.started.get(app, ""))


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


def _pods_missing(snapshot: Snapshot, node: Object, mark: maintenance.Mark) -> str:
    for container in maintenance.awaited_on(node, mark):
        missing = maintenance.pod_missing(snapshot.pods.items, node["metadata"]["name"], container, mark.started.get(container, ""))
        if missing:
            return missing
    return maintenance.tunnel_missing(project_node.node(node), order.told_cidr(snapshot))


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
    restart = order.Restart(order.AGENT, node, start.agent, why, node in active_nodes(snapshot))
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


def _boot_id(node: Object) -> str:
    return str(((node.get("status") or {}).get("nodeInfo") or {}).get("bootID") or "")


def _path(node: str) -> str:
    return f"/api/v1/nodes/{node}"
