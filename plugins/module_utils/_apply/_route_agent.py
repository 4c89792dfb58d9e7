# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Restarting route agents, and gateways where asked: one after the other, each proved by its own word before the next."""

from __future__ import annotations

import datetime
import time
import typing as t
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._apply._gateway_reports import Reports
from ansible_collections.fathom.submariner.plugins.module_utils._apply._restart import restart_pod
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import get_object
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_submariner as project
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._log_targets import LogTarget
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._logs import clean, read_logs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, OK, Answer, Gateway, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _agent_sight as sight
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _restart_order as order
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cni_discovery import WAIT_SECONDS
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_places import node_of, places, why_unplaced
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._moments import moment
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._timeline import SEES, AgentStart, verdict

_LOOK_AGAIN = 2.0  # seconds between two looks at a log, which cannot be watched
# For one agent: its search, and a minute for image and handlers (submariner pkg/routeagent_driver/handlers/kubeproxy/kp_packetfilter.go).
_SEARCH = WAIT_SECONDS + 60.0
_NEEDS = ("submariners", "nodes", "pods", "daemon_sets", "gateways", "endpoints")


def perform(task: Task) -> None:
    """Do what the module is asked: see there."""
    nodes, before = _wanted(task.params)
    snapshot = look(task)
    choice = order.choose(snapshot, nodes, gateways=task.params["gateways"], started_before=before)
    _require_sense(task, snapshot, nodes, choice)
    disruptive = [f"{each} (all cross-cluster traffic passes that node)" for each in choice.restarts if each.disruptive]
    task.require_consent(disruptive)
    restarted: list[dict[str, t.Any]] = []
    task.facts["restarted"] = restarted
    todo = list(choice.restarts)
    while todo:
        each = todo.pop(0)
        restarted += restart_one(task, snapshot, each)
        if each.app == order.GATEWAY and not task.check_mode:
            # Another gateway may have become the active one.
            gateways = wait_for_gateways(task, snapshot, lambda records: "", "its gateways")
            active = {node_of(record, snapshot) for record in gateways if record.ha_status == "active"}
            todo = list(order.in_order(todo, active, order.gateway_nodes(snapshot)))
    if choice.in_vain:
        raise SubmarinerError(f"{task.member.name}: {'; '.join(choice.in_vain)}. {f'Restarted: {len(restarted)}.' if restarted else 'Nothing was written.'}")


def restart_one(task: Task, snapshot: Snapshot, each: order.Restart) -> list[dict[str, t.Any]]:
    """Restart one pod and wait for its proof; return what shows it ([] in check mode).

    :param snapshot: as it was before; what it says of connections must be so again afterwards.
    :raises SubmarinerError: it did not heal.
    """
    report = _report_path(snapshot, each.node)
    version = _version_of(get_object(task.member.connection, report, task.deadline)) if _reports(snapshot) and not task.check_mode else ""
    task.lines.append(str(each))
    found = restart_pod(task.writer, each.pod, task.deadline, wait=task.params["wait"])
    if found is None:
        return []
    name = found["metadata"]["name"]
    if each.app == order.AGENT:
        seen = await_sight(task, snapshot, name, each.node, version)
    else:
        seen = await_gateway(task, snapshot, each.node)
    return [{"kind": each.app, "node": each.node, "pod": name, "uid": found["metadata"]["uid"], "evidence": seen}]


def await_sight(task: Task, snapshot: Snapshot, pod: str, node: str, stale: str = "") -> str:
    """Wait until an agent shows by itself that it sees Calico's interface; return what shows it.

    :param stale: resourceVersion of the RouteAgent object that the agent's predecessor left: it tells nothing of this one.
    :raises SubmarinerError: it is blind, or nothing that can be read tells.
    """
    found = _settled(task, snapshot, pod, node, stale)
    if found.state == sight.BLIND:
        raise SubmarinerError(
            f"{task.member.name}: the route agent {pod} on {node} is Ready, and still does not see Calico's interface; {found.why}. "
            f"Nothing more was restarted. On the node: ip -4 address must show an address in {order.told_cidr(snapshot)}; "
            "calico-node's log says why it does not."
        )
    return found.why


def settled_sight(task: Task, snapshot: Snapshot, start: AgentStart) -> str:
    """What shows that an agent that was not restarted by us sees; "" where it has become blind meanwhile.

    :raises SubmarinerError: nothing that can be read tells.
    """
    log = next((log for log in snapshot.logs.items if log.ref == start.agent.ref and not log.previous), None)
    if start.state == SEES and log is not None and not sight.begins_at_the_start(log.lines):
        return verdict(start)
    found = _settled(task, snapshot, start.agent.ref.name, start.node, "")
    return "" if found.state == sight.BLIND else found.why


def _settled(task: Task, snapshot: Snapshot, pod: str, node: str, stale: str) -> sight.Sight:
    """Wait until an agent has found Calico's interface or given up; return which."""
    deadline = Deadline(min(_SEARCH, task.deadline.left()))
    while True:
        found = _sight(task, snapshot, pod, node, stale)
        if found.state in (sight.SEES, sight.BLIND):
            return found
        if deadline.left() <= _LOOK_AGAIN:
            raise SubmarinerError(
                f"{task.member.name}: the route agent {pod} on {node} is Ready, but within {deadline.seconds:.0f} s nothing has proved that it sees Calico's "
                f"interface; {found.why}. Nothing more was done. Read kubectl -n {_namespace(snapshot)} logs {pod}."
            )
        time.sleep(_LOOK_AGAIN)


def await_gateway(task: Task, snapshot: Snapshot, node: str) -> str:
    """Wait until a gateway writes its record anew, and the active one is connected to whom it was connected before; return what shows it."""
    wanted = order.connected(snapshot)

    def missing(gateways: list[Gateway]) -> str:
        if not any(node_of(gateway, snapshot) == node for gateway in gateways):
            return f"the gateway on {node} has written no record since the restart"
        return missing_connections(gateways, wanted)

    wait_for_gateways(task, snapshot, missing, f"the gateway on {node} to be back")
    return f"The gateway on {node} reports again" + (f", connected: {', '.join(sorted(wanted))}" if wanted else "")


def missing_connections(gateways: t.Iterable[Gateway], wanted: t.Iterable[str]) -> str:
    """What is still missing of an active gateway and its connections, in words; "" where nothing is."""
    active = [record for record in gateways if record.ha_status == "active"]
    if not active:
        return "no Gateway is active"
    entries = {entry.cluster_id: entry for record in active for entry in record.connections}
    told = {name: f"{entry.status}{f': {entry.message}' if entry.message else ''}" for name, entry in entries.items() if entry.status != "connected"}
    told.update({cluster: "not among its connections" for cluster in wanted if cluster not in entries})
    down = [f"{cluster} is {told[cluster]}" for cluster in sorted(wanted) if cluster in told]
    return f"Gateway {active[0].ref.name}: {', '.join(down)}" if down else ""


def wait_for_gateways(
    task: Task, snapshot: Snapshot, complaint: t.Callable[[list[Gateway]], str], what: str, deadline: Deadline | None = None
) -> list[Gateway]:
    """The Gateway records as soon as there is no complaint about those that were written since this was called.

    :param deadline: the task's by default.
    """
    reports = Reports()
    objects = wait_for(
        task.member.connection,
        f"/apis/submariner.io/v1/namespaces/{_namespace(snapshot)}/gateways",
        lambda found: reports.judge(found, complaint),
        deadline=deadline or task.deadline,
        what=f"{task.member.name}: {what}",
    )
    return [project.gateway(obj) for obj in objects]


def look(task: Task) -> Snapshot:
    """A fresh snapshot of a joined Calico cluster, with the logs that tell which agents need a restart.

    :raises RefusedError: it is none, or it cannot be known.
    """
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    snapshot = read_snapshot(task.member.connection, task.member.name, timeout=task.deadline.left(), taken_at=now)
    for name in _NEEDS:
        answer = getattr(snapshot, name)
        if not answer.known:
            raise RefusedError(f"{task.member.name}: {name} could not be read ({answer.where}: {answer.state}): {answer.detail} Nothing was written.")
    if snapshot.submariner is None:
        raise RefusedError(f"{task.member.name}: Submariner is not installed here, so it has no route agents. Nothing was written.")
    if snapshot.submariner.network_plugin != "calico":
        plugin = snapshot.submariner.network_plugin or "empty"
        raise RefusedError(
            f"{task.member.name}: Submariner's status.networkPlugin is {plugin!r}, not calico: what its route agents look for on another network "
            "is not known here. Nothing was written."
        )
    unplaced = why_unplaced(snapshot)
    if unplaced:
        raise RefusedError(f"{task.member.name}: {unplaced}. Without it, nobody knows which node all cross-cluster traffic passes. Nothing was written.")
    targets = [LogTarget(pod.ref, order.AGENT, False, "") for pod in order.telling(snapshot)]
    return replace(snapshot, logs=read_logs(task.member.connection, targets, task.deadline) if targets else Answer(OK))


def _wanted(params: t.Mapping[str, t.Any]) -> tuple[tuple[str, ...], str]:
    nodes = tuple(dict.fromkeys(name.strip() for entry in params["nodes"] for name in str(entry).split(",") if name.strip()))
    before = params["started_before"] or ""
    if before and moment(before) is None:
        raise InputError(f"started_before is {before!r}, which is no time such as 2026-11-21T10:15:00Z. Nothing was written.")
    if before and not nodes:
        raise InputError("started_before goes with nodes: without them, only what needs a restart is restarted. Nothing was written.")
    return nodes, before


def _require_sense(task: Task, snapshot: Snapshot, nodes: t.Sequence[str], choice: order.Choice) -> None:
    name, written = task.member.name, "Nothing was written."
    present = {node.ref.name for node in snapshot.nodes.items}
    strangers = [node for node in nodes if node not in present]
    if strangers:
        raise InputError(f"{name}: there is no Node {', '.join(strangers)}. {written}")
    if nodes and choice.in_vain:
        raise RefusedError(f"{name}: {'; '.join(choice.in_vain)}. {written}")
    if choice.unknown:
        told = f" {snapshot.logs.detail}" if snapshot.logs.detail else ""
        raise RefusedError(
            f"{name}: whether these need a restart cannot be told: {'; '.join(choice.unknown)}.{told} {written} "
            f"Grant get on pods/log in {_namespace(snapshot)}, or name the nodes in question."
        )
    agents = [each for each in choice.restarts if each.app == order.AGENT]
    if agents and task.params["wait"] and snapshot.logs.state == FORBIDDEN and not _reports(snapshot):
        raise RefusedError(
            f"{name}: nothing could prove afterwards that an agent sees Calico's interface: logs may not be read, and its version writes no RouteAgent "
            f"objects. {snapshot.logs.detail} {written}"
        )
    known = places(snapshot)
    lost = [str(gateway.ref) for gateway in snapshot.gateways.items if gateway.ref.name not in known]
    silent = [each.node for each in choice.restarts if each.app == order.GATEWAY and each.node not in known.values()]
    if lost and silent and task.params["wait"]:
        raise RefusedError(
            f"{name}: nothing could prove afterwards that the gateway on {', '.join(silent)} is back: it is not known on which nodes {', '.join(lost)} are. "
            f"Delete those whose node is gone, or give their nodes the label kubernetes.io/hostname with the host's name. {written}"
        )
    if len(choice.restarts) > 1 and not task.params["wait"]:
        raise RefusedError(f"{name}: wait=false would restart {len(choice.restarts)} pods at once: {', '.join(map(str, choice.restarts))}. {written}")


def _sight(task: Task, snapshot: Snapshot, pod: str, node: str, stale: str) -> sight.Sight:
    path = f"/api/v1/namespaces/{_namespace(snapshot)}/pods/{pod}/log"
    why = ""
    try:
        return sight.sight_in_log(clean(task.member.connection.request_text(path, {"container": order.AGENT}, task.deadline)).splitlines())
    except KubeError as error:
        why = error.message
    if not _reports(snapshot):
        return sight.Sight(sight.UNKNOWN, f"its log cannot be read: {why}")
    report = get_object(task.member.connection, _report_path(snapshot, node), task.deadline)
    if report is None or _version_of(report) == stale:
        return sight.Sight(sight.UNKNOWN, f"it has written no RouteAgent object yet, and its log cannot be read: {why}")
    return sight.sight_in_report(project.route_agent(report), order.connected(snapshot))


def _reports(snapshot: Snapshot) -> bool:
    """Whether this version's agents write RouteAgent objects (0.19 and newer)."""
    return snapshot.route_agents.ok


def _report_path(snapshot: Snapshot, node: str) -> str:
    return f"/apis/submariner.io/v1/namespaces/{_namespace(snapshot)}/routeagents/{node}"


def _version_of(obj: t.Mapping[str, t.Any] | None) -> str:
    return str(((obj or {}).get("metadata") or {}).get("resourceVersion") or "")


def _namespace(snapshot: Snapshot) -> str:
    return snapshot.submariner.ref.namespace if snapshot.submariner else ""
