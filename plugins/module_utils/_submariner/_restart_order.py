# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which route agents and gateways need a restart, why, and in which order.

A restart heals an agent that gave up looking for Calico's interface (submariner#3120), one that gave up creating IPPools, since it does so only at its start
and for new Endpoints, and one that still runs with an older template of its DaemonSet. It heals nothing that is still wrong where the agent looks.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import api_state
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet, Pod, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _agent_sight as sight
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _remote_pools as remote_pools
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cni_discovery import line_time
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_places import active_nodes
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._moments import seconds_between
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._pool_log import GAVE_UP, NOT_SERVED, pool_lines
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._timeline import (
    BLIND,
    LATE,
    UNREAD,
    WRONG_CIDR,
    AgentStart,
    agent_starts,
    verdict,
)

AGENT = "submariner-routeagent"
GATEWAY = "submariner-gateway"
# An agent that has not given up tries again after 30 s at the most (submariner admiral pkg/workqueue); a minute of silence is no pause between two tries.
_BETWEEN_TRIES = 60.0
_CIDRS = ("SUBMARINER_CLUSTERCIDR", "SUBMARINER_SERVICECIDR", "SUBMARINER_GLOBALCIDR")


class Restart(t.NamedTuple):
    """One pod to restart.

    :param app: AGENT or GATEWAY.
    :param why: what made it necessary.
    :param disruptive: whether it interrupts cross-cluster traffic.
    """

    app: str
    node: str
    pod: Pod
    why: str
    disruptive: bool

    def __str__(self) -> str:
        return f"restart {self.pod.ref} on {self.node}: {self.why}"


class Choice(t.NamedTuple):
    """What was decided.

    :param restarts: in order.
    :param in_vain: sentences on pods that need a restart which would not heal them now.
    :param unknown: sentences on pods of which it cannot be told whether they need one.
    """

    restarts: tuple[Restart, ...] = ()
    in_vain: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def choose(snapshot: Snapshot, nodes: t.Collection[str] = (), *, gateways: bool = False, started_before: str = "") -> Choice:
    """Decide what to restart on a joined Calico cluster.

    :param snapshot: with the logs of :func:`telling`.
    :param nodes: restart what runs there, and nothing else; empty restarts what needs it.
    :param gateways: restart gateway pods as well.
    :param started_before: RFC 3339; of ``nodes`` leave alone what has started since.
    """
    apps = (AGENT, GATEWAY) if gateways else (AGENT,)
    reasons = _named(snapshot, apps, nodes, started_before) if nodes else _needed(snapshot, apps)
    active = active_nodes(snapshot)
    restarts = []
    in_vain = [] if nodes else _told_wrong(snapshot)
    for pod, why in reasons:
        futile = _in_vain(snapshot, pod)
        if futile:
            in_vain.append(f"{pod.ref} on {pod.node} needs a restart ({why}), which would be in vain now: {futile}")
        else:
            restarts.append(Restart(pod.labels["app"], pod.node, pod, why, pod.node in active))
    return Choice(in_order(restarts, active, gateway_nodes(snapshot)), tuple(in_vain), () if nodes else _unknown(snapshot))


def in_order(restarts: t.Iterable[Restart], active: t.Container[str], gateways: t.Container[str]) -> tuple[Restart, ...]:
    """Gateways first, the passive ones before the active one, since agents take up what these announce; then agents: those of nodes that are no gateway,
    those of passive gateways, and the active gateway's last, since all cross-cluster traffic passes its node.

    :param active: nodes with the active gateway.
    :param gateways: nodes that are labelled as gateways.
    """
    return tuple(sorted(restarts, key=lambda each: (each.app != GATEWAY, each.node in active, each.node in gateways, each.node, each.pod.ref)))


def gateway_nodes(snapshot: Snapshot) -> frozenset[str]:
    return frozenset(node.ref.name for node in snapshot.nodes.items if node.is_gateway)


def connected(snapshot: Snapshot) -> frozenset[str]:
    """The clusters that an active gateway says it is connected to."""
    active = [gateway for gateway in snapshot.gateways.items if gateway.ha_status == "active"]
    return frozenset(entry.cluster_id for gateway in active for entry in gateway.connections if entry.status == "connected")


def failing_nodes(snapshot: Snapshot) -> frozenset[str]:
    """Nodes whose agent cannot ping a remote cluster that the active gateway is connected to."""
    up = connected(snapshot)
    return frozenset(
        agent.ref.name
        for agent in snapshot.route_agents.items
        if any(remote.status == "error" and remote.cluster_id in up for remote in agent.remote_endpoints)
    )


def telling(snapshot: Snapshot) -> tuple[Pod, ...]:
    """The agents whose logs must be read to tell whether they need a restart: the active gateway's, those that fail, and those whose start belongs to their
    node's coming up. One that started days after its node and Calico cannot have met the race."""
    special = active_nodes(snapshot) | failing_nodes(snapshot)
    return tuple(
        start.agent for start in agent_starts(snapshot) if start.node in special or _in_question(start)
    )


def pods_of(snapshot: Snapshot, app: str) -> tuple[Pod, ...]:
    """The pods of one of Submariner's DaemonSets that are not being removed."""
    namespace = snapshot.submariner.ref.namespace if snapshot.submariner else ""
    return tuple(pod for pod in snapshot.pods.items if pod.ref.namespace == namespace and pod.labels.get("app") == app and not pod.deleting)


def _named(snapshot: Snapshot, apps: t.Sequence[str], nodes: t.Collection[str], started_before: str) -> list[tuple[Pod, str]]:
    found = [pod for app in apps for pod in pods_of(snapshot, app) if pod.node in nodes]
    if started_before:
        found = [pod for pod in found if (seconds_between(pod.started_at or pod.created, started_before) or 0.0) > 0]
    return [(pod, "asked for") for pod in found]


def _needed(snapshot: Snapshot, apps: t.Sequence[str]) -> list[tuple[Pod, str]]:
    failing, active = failing_nodes(snapshot), active_nodes(snapshot)
    starts = {start.agent.ref: start for start in agent_starts(snapshot)}
    found = []
    for pod in (pod for app in apps for pod in pods_of(snapshot, app)):
        start = starts.get(pod.ref)
        blind = start is not None and (start.state == BLIND or (start.state == LATE and pod.node in failing))
        why = _outdated(snapshot, pod) or (verdict(start).rstrip(".") if start is not None and blind else "")
        if not why and start is not None and pod.node in active:
            why = _gave_up_on_pools(snapshot, pod)
        if why:
            found.append((pod, why))
    return found


def _told_wrong(snapshot: Snapshot) -> list[str]:
    """Agents that see nothing since Submariner tells them, and would tell their successors, a wrong cluster CIDR."""
    wrong = [start for start in agent_starts(snapshot) if start.state == WRONG_CIDR and not _outdated(snapshot, start.agent)]
    return [f"{start.agent.ref} on {start.node}: {verdict(start)} Correct that first (role fathom.submariner.join)" for start in wrong]


def _unknown(snapshot: Snapshot) -> tuple[str, ...]:
    reports = {agent.ref.name: agent for agent in snapshot.route_agents.items}
    up, failing = connected(snapshot), failing_nodes(snapshot)
    return tuple(
        f"{start.agent.ref} on {start.node}: {verdict(start).rstrip('.')}"
        for start in agent_starts(snapshot)
        if start.state in (LATE, UNREAD)
        and _in_question(start)
        and not (start.state == LATE and start.node in failing)
        and sight.sight_in_report(reports.get(start.node), up).state != sight.SEES
    )


def _in_question(start: AgentStart) -> bool:
    """Whether this start may have met the race at all."""
    return start.late is not None or any(each.restarts for each in start.agent.statuses)


def _outdated(snapshot: Snapshot, pod: Pod) -> str:
    """Why a pod is not what its DaemonSet would make now, in a field that matters; "" where it is."""
    daemon_set = _daemon_set(snapshot, pod.labels["app"])
    if daemon_set is None:
        return ""
    wanted = {container.name: container for container in daemon_set.containers}
    for container in pod.containers:
        template = wanted.get(container.name)
        if template is None:
            continue
        for name in _CIDRS:
            have, want = container.env_value(name), template.env_value(name)
            if want is not None and have is not None and have != want:
                return f"it runs with {name}={have}, and its DaemonSet says {want}"
        if container.image != template.image:
            return f"it runs {container.image}, and its DaemonSet says {template.image}"
    return ""


def _gave_up_on_pools(snapshot: Snapshot, pod: Pod) -> str:
    """Why the active gateway's agent must be started again for the IPPools that are missing; "" where it would not help, or it is at work on them."""
    submariner = snapshot.submariner
    if submariner is None or not (snapshot.ip_pools.ok and snapshot.endpoints.ok and api_state(snapshot).answers):
        return ""
    endpoints = [endpoint for endpoint in snapshot.endpoints.items if endpoint.ref.namespace == submariner.ref.namespace]
    pools = snapshot.ip_pools.items
    missing = [
        wanted
        for wanted in remote_pools.missing_pools(pools, remote_pools.wanted_pools(endpoints, submariner.cluster_id))
        if not remote_pools.blocking_pools(pools, wanted) and not any(remote_pools.same_range(pool, wanted.cidr) for pool in pools)
    ]
    lines = {line.kind: line for line in pool_lines(snapshot) if line.pod == pod.ref}
    if not missing or (GAVE_UP not in lines and NOT_SERVED in lines and _is_recent(lines[NOT_SERVED].text, snapshot.taken_at)):
        return ""
    ranges = ", ".join(wanted.cidr for wanted in missing)
    said = "an agent creates IPPools only at its start and for new Endpoints, and there are none of"
    if GAVE_UP in lines:
        said = "it gave up creating the IPPools of"
    return f"{said} {ranges}"


def _is_recent(line: str, now: str) -> bool:
    passed = seconds_between(line_time(line), now)
    return passed is not None and passed < _BETWEEN_TRIES


def _in_vain(snapshot: Snapshot, pod: Pod) -> str:
    node = next((item for item in snapshot.nodes.items if item.ref.name == pod.node), None)
    calico = next((item for item in snapshot.pods.items if item.node == pod.node and item.labels.get("k8s-app") == "calico-node"), None)
    if calico is not None and not calico.ready:
        return f"{calico.ref} is not Ready, and it makes the interface that the agent looks for"
    return sight.why_in_vain(node, pod.node, told_cidr(snapshot))


def told_cidr(snapshot: Snapshot) -> str:
    """The cluster CIDR that a pod which starts now is told: its DaemonSet's, else what the Submariner's status says."""
    daemon_set = _daemon_set(snapshot, AGENT)
    values = [container.env_value("SUBMARINER_CLUSTERCIDR") for container in daemon_set.containers] if daemon_set is not None else []
    found = next((value for value in values if value), "")
    return found or (snapshot.submariner.status_cluster_cidr if snapshot.submariner else "")


def _daemon_set(snapshot: Snapshot, name: str) -> DaemonSet | None:
    namespace = snapshot.submariner.ref.namespace if snapshot.submariner else ""
    return next((item for item in snapshot.daemon_sets.items if (item.ref.namespace, item.ref.name) == (namespace, name)), None)
