# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The race between Calico and the route agent after a node has come up, from what the API and the logs tell of it.

The agent's init container waits for the node's Ready condition alone, not for the CNI (submariner#3120), so it can look for Calico's interface before
calico-node has made it.
"""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._cidr_truth import cidr_truth
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import parse_cidrs, same
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD
from ansible_collections.fathom.submariner.plugins.module_utils._network._verdict import CidrTruth
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import ContainerStatus, Node, Pod, PodLog, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cni_discovery import (
    CNI_RETRIES,
    GAVE_UP,
    WAIT_SECONDS,
    WAITING,
    Discovery,
    discovery_in,
)
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._moments import duration, moment, seconds_between
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import parse_submariner_version

ROUTE_AGENT = "submariner-routeagent"
MOST_TIMELINES = 10
SOON = 15 * 60  # seconds after the node's Ready within which a start belongs to the node's coming up

BLIND = "blind"
WRONG_CIDR = "wrong cidr"
STILL_WAITING = "waiting"
LATE = "late"  # the order speaks for blindness, and the log that would tell was not read
UNREAD = "unread"  # neither order nor log tell
SEES = "sees"


class Happening(t.NamedTuple):
    at: str  # RFC 3339
    what: str
    object: str
    field: str


class Timeline(t.NamedTuple):
    node: str
    events: tuple[Happening, ...]
    verdict: str

    def to_dict(self) -> dict[str, t.Any]:
        """Plain JSON types, for the details of a diagnosis."""
        return {"node": self.node, "events": [entry._asdict() for entry in self.events], "verdict": self.verdict}


class AgentStart(t.NamedTuple):
    """One route agent's start against its node's and Calico's.

    ``retries`` is None where the agent's version is not known; ``late`` are the seconds by which calico-node became ready after the agent had stopped
    looking, None where that cannot be told or does not belong to this start.
    """

    node: str
    agent: Pod
    version: str
    retries: bool | None
    started_at: str
    node_ready_at: str
    calico: Pod | None
    calico_started_at: str
    calico_ready_at: str
    discovery: Discovery | None
    late: float | None
    state: str

    @property
    def wait(self) -> int:
        """Seconds for which this version looks."""
        return WAIT_SECONDS if self.retries else 0


def agent_starts(snapshot: Snapshot, truth: CidrTruth | None = None) -> tuple[AgentStart, ...]:
    """The start of every route agent that runs, by node."""
    submariner = snapshot.submariner
    if submariner is None:
        return ()
    nodes = {node.ref.name: node for node in snapshot.nodes.items}
    calico = {pod.node: pod for pod in snapshot.pods.items if pod.labels.get("k8s-app") == "calico-node"}
    logs = {log.ref.name: log for log in snapshot.logs.items if log.ref.namespace == submariner.ref.namespace and not log.previous and _of_agent(log)}
    agents = sorted(
        (pod for pod in snapshot.pods.items if pod.ref.namespace == submariner.ref.namespace and pod.labels.get("app") == ROUTE_AGENT),
        key=lambda pod: (pod.node, pod.ref.name),
    )
    told = submariner.status_cluster_cidr
    true = truth or cidr_truth(snapshot)
    return tuple(
        _start(agent, nodes.get(agent.node), calico.get(agent.node), logs.get(agent.ref.name), told, submariner.version, true, snapshot.logs.known)
        for agent in agents
        if agent.phase == "Running" and not agent.deleting
    )


def _of_agent(log: PodLog) -> bool:
    return log.container in ("", ROUTE_AGENT)


def _start(
    agent: Pod, node: Node | None, calico: Pod | None, log: PodLog | None, told: str, version: str, truth: CidrTruth, logs_read: bool
) -> AgentStart:
    running, retries = _version(next((container.image for container in agent.containers if container.name == ROUTE_AGENT), ""), version)
    status = agent.status(ROUTE_AGENT)
    started = (status.started_at if status else "") or agent.started_at
    ready = node.condition("Ready") if node is not None else None
    node_ready = ready.since if ready is not None and ready.status == "True" else ""
    calico_status = calico.status("calico-node") if calico is not None else None
    calico_ready = _ready_since(calico)
    discovery = None if log is None else discovery_in(log.lines)
    late = _late(started, node_ready, calico_ready, WAIT_SECONDS if retries else 0)
    return AgentStart(
        agent.node,
        agent,
        running,
        retries,
        started,
        node_ready,
        calico,
        calico_status.started_at if calico_status else "",
        calico_ready,
        discovery,
        late,
        _state(discovery, late, told, truth, logs_read),
    )


def _state(discovery: Discovery | None, late: float | None, told: str, truth: CidrTruth, logs_read: bool) -> str:
    if discovery is not None and discovery.state == GAVE_UP:
        looked_in = parse_cidrs(discovery.cidrs or told).networks
        true = truth.networks(POD)
        return WRONG_CIDR if true and looked_in and not same(looked_in, true) else BLIND
    if discovery is not None:
        return STILL_WAITING if discovery.state == WAITING else SEES
    if late is not None and late > 0:
        return LATE
    return SEES if logs_read else UNREAD


def _late(started: str, node_ready: str, calico_ready: str, wait: int) -> float | None:
    """A calico-node that became ready long after the agent's start was restarted since, which takes no interface away: it tells nothing of this start."""
    after_node = seconds_between(node_ready, started)
    after_agent = seconds_between(started, calico_ready)
    if after_node is None or after_agent is None or abs(after_node) > SOON or after_agent > SOON + wait:
        return None
    return after_agent - wait


def _ready_since(pod: Pod | None) -> str:
    found = next((entry for entry in pod.conditions if entry.type == "Ready" and entry.status == "True"), None) if pod is not None else None
    return found.since if found is not None else ""


@functools.lru_cache(maxsize=64)
def _version(image: str, submariner: str) -> tuple[str, bool | None]:
    """The agent's own version, from its image's tag where that names a point in Submariner's history, and whether it retries."""
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    running = tag if parse_submariner_version(tag) is not None else submariner
    return running, CNI_RETRIES.holds_in(running)


def reboot_timelines(snapshot: Snapshot, truth: CidrTruth | None = None) -> tuple[Timeline, ...]:
    """What happened on gateway nodes and on those whose agent may be blind, the worst first, ten at most."""
    gateways = {node.ref.name for node in snapshot.nodes.items if node.is_gateway}
    starts = [start for start in agent_starts(snapshot, truth) if start.state in (BLIND, WRONG_CIDR, STILL_WAITING, LATE) or start.node in gateways]
    order = (BLIND, WRONG_CIDR, STILL_WAITING, LATE, UNREAD, SEES)
    starts.sort(key=lambda start: (order.index(start.state), start.node not in gateways, start.node))
    return tuple(Timeline(start.node, happenings(start), verdict(start)) for start in starts[:MOST_TIMELINES])


def happenings(start: AgentStart) -> tuple[Happening, ...]:
    """The moments of one start, in order."""
    agent, calico = str(start.agent.ref), "" if start.calico is None else str(start.calico.ref)
    found = [
        *_ended(start.agent.status(ROUTE_AGENT), agent, "the agent's previous run ended"),
        *_ended(None if start.calico is None else start.calico.status("calico-node"), calico, "calico-node's previous run ended"),
        Happening(start.node_ready_at, "the node became Ready", f"Node {start.node}", "status.conditions[Ready].lastTransitionTime"),
        Happening(start.calico_started_at, "calico-node started", calico, "status.containerStatuses[calico-node].state.running.startedAt"),
        Happening(start.calico_ready_at, "calico-node became ready", calico, "status.conditions[Ready].lastTransitionTime"),
        Happening(start.started_at, "the route agent started", agent, f"status.containerStatuses[{ROUTE_AGENT}].state.running.startedAt"),
    ]
    if start.discovery is not None:
        log = f"log of container {ROUTE_AGENT}"
        if start.discovery.waits:
            found.append(Happening(start.discovery.first_at, f"the agent finds no CNI interface and waits ({start.discovery.waits} times)", agent, log))
        if start.discovery.state == GAVE_UP:
            found.append(Happening(start.discovery.last_at, "the agent gives up looking for the CNI interface", agent, log))
    return tuple(sorted((entry for entry in found if entry.at), key=lambda entry: moment(entry.at) or 0.0))


def _ended(status: ContainerStatus | None, owner: str, what: str) -> list[Happening]:
    if status is None or not status.finished_at:
        return []
    reason = ", ".join(part for part in (status.exit_reason, "" if status.exit_code is None else f"exit code {status.exit_code}") if part)
    return [Happening(status.finished_at, f"{what} ({reason})" if reason else what, owner, f"status.containerStatuses[{status.name}].lastState")]


def verdict(start: AgentStart) -> str:
    """One sentence on one start."""
    looks = (
        f"{start.version} looks for {WAIT_SECONDS} s"
        if start.retries
        else f"{start.version} looks once"
        if start.retries is False
        else f"how long {start.version or 'this version'} looks is not known"
    )
    order = _order(start)
    if start.state == BLIND:
        return f"Running but blind: the agent found no interface with an address of the cluster CIDR and never looks again ({looks}{order})."
    if start.state == WRONG_CIDR:
        looked_in = ", ".join(start.discovery.cidrs) if start.discovery is not None else ""
        return f"Running but blind, since it was told the wrong cluster CIDR{f' ({looked_in})' if looked_in else ''}: no address of this cluster is in it."
    if start.state == STILL_WAITING:
        return f"The agent is still looking for Calico's interface ({looks})."
    if start.state == LATE:
        return f"Perhaps blind: calico-node became ready after the agent had stopped looking ({looks}{order}); its log was not read."
    if start.state == UNREAD:
        return "Whether the agent found Calico's interface is not known: its log was not read."
    return "The agent found Calico's interface." if start.discovery is not None else "Nothing speaks against it: the agent started late enough."


def _order(start: AgentStart) -> str:
    apart = seconds_between(start.started_at, start.calico_ready_at)
    if apart is None:
        return ""
    return f"; calico-node became ready {duration(apart)} {'after' if apart > 0 else 'before'} the agent started"
