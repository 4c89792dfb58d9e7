# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Route agents: whether they are everywhere, see Calico's interface, and reach the remote clusters. Ready alone says none of it."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import GATEWAY, ROUTE_AGENT, Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._pod_trouble import runs_agents
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._checks._submariner_cidrs import WRONG
from ansible_collections.fathom.submariner.plugins.module_utils._checks._words import few, names
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_SERVED
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cni_discovery import CNI_RETRIES, WAIT_SECONDS
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_places import active_nodes
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._restart_order import failing_nodes
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._timeline import (
    BLIND,
    LATE,
    STILL_WAITING,
    UNREAD,
    WRONG_CIDR,
    AgentStart,
    happenings,
    verdict,
)
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import Change

ROUTE_AGENT_BLIND = "route-agent-blind"
CNI_ANNOTATION = "submariner.io/cniIfaceIp"
ANNOTATION_GONE = Change(
    "cni-annotation-gone", ("0.18.0",), "no longer notes the CNI interface's address on the node", "submariner#3010, pkg/cni/cni_iface.go"
)
# What only the node itself can tell, and the command that asks it there.
ON_THE_NODE = "on the node: sysctl net/ipv4/conf/vxlan.calico/rp_filter (tunl0 with IPIP; 2 is right) and ip route show table 150 (not empty)"
REFERENCES = (
    "submariner-io/submariner#3120",
    "submariner-io/submariner#1892",
    "submariner pkg/routeagent_driver/handlers/kubeproxy/kp_packetfilter.go",
)


@check(
    ROUTE_AGENT_BLIND,
    title="Every route agent that runs has found Calico's interface",
    severity="error",
    needs=("pods", "nodes"),
    joined=True,
    references=REFERENCES,
    tags=("agents", "reboot"),
    remedy="Delete the agent's pod on the node; upgrade to a release that waits.",
)
def route_agent_blind(facts: Facts) -> t.Iterator[Problem]:
    """An agent that starts before calico-node has made its interface gives up, stays Ready, and never looks again.

    Told by its log where that was read; else by the order of node Ready, calico-node ready and agent start together with what the agent reports of
    remote Endpoints. A wrong cluster CIDR looks the same and is told apart first. rp_filter and table 150 stand on the node alone.
    """
    starts = facts.agent_starts
    failing = failing_nodes(facts.snapshot)
    late = [start for start in starts if start.state == LATE and start.node in failing]
    blind = [start for start in starts if start.state == BLIND] + late
    if blind:
        yield _blind(facts, blind, failing)
    wrong = [start for start in starts if start.state == WRONG_CIDR]
    if wrong:
        yield Problem(
            subject=_subject(wrong),
            title=f"Route agents see no CNI interface on {names(start.node for start in wrong)}, since they were told the wrong cluster CIDR",
            evidence=few(entry for start in wrong for entry in _log_evidence(start)),
            impact="It goes away with the right CIDR and a restart of the agents.",
            severity="warning",
            caused_by=f"{facts.snapshot.cluster}/{WRONG}",
        )
    waiting = [start for start in starts if start.state == STILL_WAITING]
    if waiting:
        yield Problem(
            subject=_subject(waiting),
            title=f"Route agents on {names(start.node for start in waiting)} are still waiting for Calico's interface",
            evidence=few(entry for start in waiting for entry in _log_evidence(start)),
            impact=f"They give up after {WAIT_SECONDS} s and then never look again.",
            remedy=by_hand("See that calico-node becomes ready on the node; delete the agent's pod if it does so too late."),
            severity="warning",
        )
    unread = [start for start in starts if start.state in (LATE, UNREAD) and start not in late]
    if unread:
        yield _unknown(facts, unread)


def _blind(facts: Facts, blind: t.Sequence[AgentStart], failing: t.Container[str]) -> Problem:
    first = blind[0]
    gateways = {node.ref.name for node in facts.snapshot.nodes.items if node.is_gateway}
    evidence = [entry for start in blind[:3] for entry in _story(start, facts, start.node in failing)]
    if len(blind) > 3:
        evidence.append(Evidence(f"{len(blind) - 3} more nodes", "", names(start.node for start in blind[3:])))
    if not first.retries:
        upgrade = CNI_RETRIES.upgrade_for(first.version)
        later = f" {first.version or 'This version'} looks once: Submariner {upgrade} and newer wait {WAIT_SECONDS} s, so upgrade to keep it from coming back."
    else:
        later = f" This version waits {WAIT_SECONDS} s already: find out why calico-node takes longer on this node (image pull, typha, node load)."
    return Problem(
        subject=_subject(blind),
        title=f"The route agent on {names(start.node for start in blind)} is Ready but blind: it started before Calico's interface existed",
        evidence=tuple(evidence),
        impact="Host networks there do not reach remote clusters, and rp_filter stays strict: traffic between pods of this node and remote clusters is "
        "dropped when it comes back another way."
        + (" It is a gateway node: every cross-cluster flow passes it." if any(start.node in gateways for start in blind) else "")
        + " The pod's readiness says nothing of it, and subctl diagnose is green.",
        remedy=by_role(
            "route_agent",
            "Restart the agent: "
            + "; ".join(f"kubectl -n {start.agent.ref.namespace} delete pod {start.agent.ref.name}" for start in blind[:3])
            + (f"; and {len(blind) - 3} more like these" if len(blind) > 3 else "")
            + ". A rollout restart of the DaemonSet is undone by the operator."
            + later,
            target="Submariner submariner-operator/submariner spec.version",
            disruptive=not active_nodes(facts.snapshot).isdisjoint(start.node for start in blind),
        ),
    )


def _story(start: AgentStart, facts: Facts, failing: bool) -> t.Iterator[Evidence]:
    for entry in happenings(start):
        yield Evidence(entry.object, entry.field, entry.at, entry.what)
    yield from _log_evidence(start)
    if failing:
        for agent in facts.snapshot.route_agents.items:
            for remote in agent.remote_endpoints:
                if agent.ref.name == start.node and remote.status == "error":
                    yield Evidence(str(agent.ref), f"status.remoteEndpoints[{remote.cluster_id}].status", remote.status, remote.message)
    node = next((item for item in facts.snapshot.nodes.items if item.ref.name == start.node), None)
    if node is not None and ANNOTATION_GONE.holds_in(start.version) is False:
        value = node.annotations.get(CNI_ANNOTATION, "")
        yield Evidence(str(node.ref), f"metadata.annotations[{CNI_ANNOTATION}]", value, "" if value else "the agent did not note an address")
    yield Evidence(f"Node {start.node}", "rp_filter, table 150", "not readable from the API", ON_THE_NODE)


def _log_evidence(start: AgentStart) -> t.Iterator[Evidence]:
    if start.discovery is not None and start.discovery.line:
        yield Evidence(str(start.agent.ref), "log of container submariner-routeagent", start.discovery.line, verdict(start))


def _unknown(facts: Facts, unread: t.Sequence[AgentStart]) -> Problem:
    late = [start for start in unread if start.state == LATE]
    reason = missing(facts.snapshot.logs, "logs") or f"the logs of {names(str(start.agent.ref) for start in unread)} were not read"
    suspicion = "".join(f"; {start.node}: {verdict(start)}" for start in late[:3])
    return Problem(
        subject=_subject(late or unread),
        title="Whether route agents have found Calico's interface is not known",
        evidence=tuple(Evidence(entry.object, entry.field, entry.at, entry.what) for start in late[:2] for entry in happenings(start)),
        missing=f"{reason}{suspicion}; {ON_THE_NODE}",
        severity="" if late else "warning",
    )


def _subject(starts: t.Sequence[AgentStart]) -> str:
    return names(str(start.agent.ref) for start in starts)


@check(
    "route-agent-connection",
    title="Every node's route agent reaches the remote clusters",
    severity="error",
    needs=("route_agents", "gateways"),
    joined=True,
    references=("submariner pkg/routeagent_driver/handlers/healthchecker/healthchecker.go",),
    tags=("agents",),
    remedy="Check UDP 4800 between the nodes and the gateway, rp_filter, and policies on 240.0.0.0/8.",
)
def route_agent_connection(facts: Facts) -> t.Iterator[Problem]:
    """What the agents of nodes beside the gateway report of their pings to remote gateways (Submariner >= 0.19, every minute with the usual interval).

    Where the gateway itself is not connected, or the agent is blind, it follows from that.
    """
    if facts.snapshot.route_agents.state == NOT_SERVED:
        raise NotApplicable()  # before 0.19 agents report nothing
    up = facts.connected_ids
    blind = {start.node for start in facts.agent_starts if start.state in (BLIND, LATE)}
    failing: dict[str, list[tuple[str, Evidence]]] = {}
    reporting: dict[str, int] = {}
    for agent in facts.snapshot.route_agents.items:
        for remote in agent.remote_endpoints:
            reporting[remote.cluster_id] = reporting.get(remote.cluster_id, 0) + (remote.status != "none")
            if remote.status == "error":
                evidence = Evidence(str(agent.ref), f"status.remoteEndpoints[{remote.cluster_id}].status", remote.status, remote.message)
                failing.setdefault(remote.cluster_id, []).append((agent.ref.name, evidence))
    for cluster_id, entries in failing.items():
        nodes = [node for node, _evidence in entries]
        cause = "connection-not-connected" if cluster_id not in up else ROUTE_AGENT_BLIND if blind.issuperset(nodes) else ""
        yield Problem(
            subject=f"route agents on {names(nodes)}",
            title=f"{len(nodes)} of {reporting[cluster_id]} route agents cannot reach {cluster_id}: {names(nodes)}",
            evidence=few(evidence for _node, evidence in entries),
            impact=f"Pods and host networks on those nodes do not reach {cluster_id}"
            + (", although the gateway is connected to it." if cluster_id in up else "."),
            remedy=by_hand(
                "Check that UDP 4800 is open between these nodes and the gateway node in both directions, that rp_filter is loose there, and that no "
                "policy drops traffic to or from 240.0.0.0/8."
            ),
            severity="warning" if cause else "",
            caused_by=f"{facts.snapshot.cluster}/{cause}" if cause else "",
        )


@check(
    "route-agent-missing",
    title="The route agent's DaemonSet covers every node",
    severity="error",
    needs=("nodes", "pods", "daemon_sets"),
    joined=True,
    references=("submariner-operator controllers/submariner/route_agent_resources.go",),
    tags=("agents",),
    remedy="Undo what was changed in the DaemonSet's selector, affinity or tolerations.",
)
def route_agent_missing(facts: Facts) -> t.Iterator[Problem]:
    """The operator makes a DaemonSet without node selector that tolerates every taint: a node without an agent is one that somebody excluded."""
    daemon_set = facts.daemon_set(ROUTE_AGENT)
    covered = {pod.node for pod in facts.pods_of(ROUTE_AGENT)}
    without = [node for node in facts.snapshot.nodes.items if runs_agents(node) and node.ref.name not in covered]
    if daemon_set is None or not without or daemon_set.desired >= len(covered) + len(without):
        return  # pods that should be there and are not are told by the DaemonSet's readiness
    selector = ", ".join(f"{key}={value}" for key, value in daemon_set.node_selector.items())
    yield Problem(
        subject=str(daemon_set.ref),
        title=f"{names(node.ref.name for node in without)} {'has' if len(without) == 1 else 'have'} no route agent",
        evidence=(
            Evidence(str(daemon_set.ref), "status.desiredNumberScheduled", str(daemon_set.desired), f"{len(covered) + len(without)} nodes should have one"),
            Evidence(str(daemon_set.ref), "spec.template.spec.nodeSelector", selector or "none", "the operator sets none"),
        ),
        impact="Pods there have no route to other clusters.",
        remedy=by_hand("Remove the node selector, affinity or toleration change from the DaemonSet, or delete it: the operator makes it anew."),
    )


@check(
    "workload-outdated",
    title="Gateway and route agents run what their DaemonSets say",
    severity="warning",
    needs=("daemon_sets", "pods"),
    joined=True,
    references=("submariner-operator controllers/submariner/route_agent_resources.go",),
    tags=("agents", "versions"),
    remedy="Delete the pods that stayed behind, one by one.",
)
def workload_outdated(facts: Facts) -> t.Iterator[Problem]:
    """Pods that were made from an older template of their DaemonSet: their image is another one."""
    for name in (GATEWAY, ROUTE_AGENT, "submariner-globalnet"):
        daemon_set = facts.daemon_set(name)
        if daemon_set is None:
            continue
        wanted = {container.name: container.image for container in daemon_set.containers}
        old = [
            Evidence(str(pod.ref), f"spec.containers[{container.name}].image", container.image, f"on {pod.node}; the DaemonSet has {wanted[container.name]}")
            for pod in facts.pods_of(name)
            for container in pod.containers
            if not pod.deleting and wanted.get(container.name, container.image) != container.image
        ]
        if old:
            yield Problem(
                subject=str(daemon_set.ref),
                title=f"{len(old)} pods of {name} still run an older image than their DaemonSet",
                evidence=few(old),
                impact="Nodes behave differently, and faults that the newer image cures stay on those.",
                remedy=_renew(name, f"Delete these pods one by one: kubectl -n {daemon_set.ref.namespace} delete pod NAME"),
            )


def _renew(daemon_set: str, text: str) -> Remedy:
    """What replaces the pods of a DaemonSet that stayed behind: the role knows agents and gateways, whose restart it can prove."""
    if daemon_set not in (GATEWAY, ROUTE_AGENT):
        return by_hand(text, disruptive=True)
    return by_role("route_agent", text, {"route_agent_gateways": True} if daemon_set == GATEWAY else {}, disruptive=True)


@check(
    "cni-annotation-stale",
    title="No node carries the CNI annotation of an older Submariner",
    severity="info",
    needs=("nodes",),
    joined=True,
    references=("submariner-io/submariner#3010",),
    tags=("agents",),
    remedy="Remove the annotation.",
)
def cni_annotation_stale(facts: Facts) -> t.Iterator[Problem]:
    """Submariner up to 0.17 noted the CNI interface's address on the node; 0.18 and newer neither write nor read it. It is no evidence of anything."""
    if ANNOTATION_GONE.holds_in(facts.submariner.version) is not True:
        return
    left = [node for node in facts.snapshot.nodes.items if node.annotations.get(CNI_ANNOTATION)]
    if left:
        yield Problem(
            subject=names(str(node.ref) for node in left),
            title=f"Submariner {facts.submariner.version} does not use the annotation {CNI_ANNOTATION}, which an older one left",
            evidence=few(Evidence(str(node.ref), f"metadata.annotations[{CNI_ANNOTATION}]", node.annotations[CNI_ANNOTATION]) for node in left),
            impact="None; it misleads people who look for the CNI interface.",
            remedy=by_hand(f"kubectl annotate node {left[0].ref.name} {CNI_ANNOTATION}-"),
        )
