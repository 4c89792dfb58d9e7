# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The gateways: one is active, on a node that can carry it, and what its node tells it can be used."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import GATEWAY, Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._pod_trouble import IMAGE, NODE, Trouble, node_down, troubles_of
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._checks._submariner_cidrs import WRONG
from ansible_collections.fathom.submariner.plugins.module_utils._checks._words import few, names
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet, Gateway, Node
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._moments import duration, moment, seconds_between
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._node_keys import KNOWN, NodeKey, bad_node_keys
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures_submariner import CNI_AT_GATEWAY, UNKNOWN_KEY

GATEWAY_NOT_READY = "gateway-not-ready"
NODE_KEY = "gateway-node-key-unknown"
NODE_UNFIT = "gateway-node-unfit"
IMAGE_PULL = "image-pull-failed"
LOCAL_ENDPOINT = "submariner pkg/endpoint/local_endpoint.go"
SYNCER = "submariner pkg/cableengine/syncer/syncer.go"
# A gateway writes its record every 5 s, and others count it as gone after 15 s (GatewayUpdateInterval, GatewayStaleTimeout): two minutes of silence are
# no hiccup of the API server any more.
SILENCE = 120
LOST = "This cluster is connected to no other one."
IMPACTS = {
    "": LOST,
    "error": "The gateway on that node does not start; another one does.",
    "warning": "The setting has no effect, or would stop a gateway on that node.",
}


@check(
    GATEWAY_NOT_READY,
    title="A gateway is active and every gateway pod is ready",
    severity="blocker",
    needs=("daemon_sets", "gateways", "pods"),
    joined=True,
    references=(LOCAL_ENDPOINT,),
    tags=("health", "gateway"),
    remedy="What the gateway's pod ends on says it; the finding carries the known cause where there is one.",
)
def gateway_ready(facts: Facts) -> t.Iterator[Problem]:
    """All cross-cluster traffic passes the one active gateway; a crash-looping one is green in subctl diagnose.

    Where a pod is not ready, the finding names why: image, node, or the message that it ends on. A standby that is not ready is an error, not a blocker.
    """
    daemon_set = facts.daemon_set(GATEWAY)
    if daemon_set is not None and daemon_set.desired == 0:
        yield Problem(
            subject=str(daemon_set.ref),
            title="No node is labelled as a gateway",
            evidence=(Evidence(str(daemon_set.ref), "status.desiredNumberScheduled", "0", "it selects nodes with submariner.io/gateway=true"),),
            impact="No gateway runs: this cluster is connected to no other one.",
            remedy=by_hand("Label a node: kubectl label node NAME submariner.io/gateway=true"),
        )
        return
    if daemon_set is not None and daemon_set.ready < daemon_set.desired:
        yield _not_ready(facts, daemon_set)
    elif not facts.active_gateways:
        failures = tuple(Evidence(str(gateway.ref), "status.haStatus", gateway.ha_status, gateway.status_failure) for gateway in facts.gateways)
        yield Problem(
            subject="Gateways",
            title="No gateway is active" if failures else "No gateway has ever reported",
            evidence=failures or (Evidence("Gateways", "", "none", f"in namespace {facts.submariner.ref.namespace}"),),
            impact=LOST,
            remedy=by_hand("Read the log of the pods with label app=submariner-gateway, and see who holds the Lease submariner-gateway-lock."),
        )
    elif all(silence(facts, gateway) for gateway in facts.active_gateways):
        last = max(facts.active_gateways, key=lambda gateway: gateway.updated_at)
        yield Problem(
            subject=str(last.ref),
            title="Whether a gateway is active now is not known",
            missing=f"{last.ref.name} was active at {last.updated_at} and has not reported since: its pod hangs, cannot reach the API server, or clocks differ",
        )
    for gateway in facts.active_gateways:
        if gateway.status_failure:
            yield Problem(
                subject=str(gateway.ref),
                title="The active gateway reports a failure",
                evidence=(Evidence(str(gateway.ref), "status.statusFailure", gateway.status_failure),),
                impact="Its connections may be missing or stale.",
                remedy=by_hand("Read the log of the gateway's pod on that node."),
                severity="error",
            )


def _not_ready(facts: Facts, daemon_set: DaemonSet) -> Problem:
    troubles = troubles_of(facts.pods_of(GATEWAY), facts.snapshot)
    evidence = [Evidence(str(daemon_set.ref), "status.numberReady", f"{daemon_set.ready} of {daemon_set.desired}")]
    evidence += [entry for trouble in troubles for entry in trouble.evidence]
    first = next((trouble for trouble in troubles if trouble.signature is not None), troubles[0] if troubles else None)
    cause = _cause(facts, first) if first is not None else ""
    standby = daemon_set.ready > 0 and bool(facts.active_gateways)
    return Problem(
        subject=str(daemon_set.ref) if first is None else str(first.pod.ref),
        title="The gateway pod is not ready" if first is None else f"The gateway on {first.pod.node or 'no node'} {first.words}",
        evidence=few(evidence, 8),
        impact="Another gateway is active; there is nobody to take over from it." if standby else LOST,
        remedy=by_hand(
            first.signature.remedy
            if first is not None and first.signature is not None
            else "Read the log of the pods with label app=submariner-gateway that are not ready."
        ),
        severity="warning" if cause else "error" if standby else "",
        caused_by=f"{facts.snapshot.cluster}/{cause}" if cause else "",
    )


def _cause(facts: Facts, trouble: Trouble) -> str:
    """The id of the finding that this trouble follows from, where another check says it with better evidence."""
    if trouble.kind == IMAGE:
        return IMAGE_PULL
    if trouble.kind == NODE:
        return NODE_UNFIT
    if trouble.signature is None:
        return ""
    if trouble.signature.id == UNKNOWN_KEY:
        return NODE_KEY if _bad_keys(facts) else ""
    if trouble.signature.id == CNI_AT_GATEWAY and POD in facts.wrong_subjects():
        return WRONG
    return ""


def _bad_keys(facts: Facts) -> tuple[NodeKey, ...]:
    return tuple(key for node in facts.snapshot.nodes.items for key in bad_node_keys(node))


@check(
    NODE_KEY,
    title="Gateway nodes carry only settings that Submariner knows",
    severity="blocker",
    needs=("nodes",),
    joined=True,
    references=(LOCAL_ENDPOINT, "submariner pkg/endpoint/public_ip.go"),
    tags=("health", "gateway"),
    remedy="Remove the label or annotation from the node.",
)
def node_key_unknown(facts: Facts) -> t.Iterator[Problem]:
    """Labels and annotations under ``gateway.submariner.io/``: the gateway ends on a key that it does not know, and on a public-ip that it cannot read.

    On a node that is no gateway they wait for the day on which it becomes one.
    """
    gateways = [node for node in facts.snapshot.nodes.items if node.is_gateway]
    sound = [node for node in gateways if not node_down(node) and not any(bad.fatal for bad in bad_node_keys(node))]
    found: dict[tuple[str, str, str, str], list[NodeKey]] = {}
    for node in facts.snapshot.nodes.items:
        for key in bad_node_keys(node):
            severity = "warning" if not node.is_gateway or not key.fatal else "error" if sound else ""
            found.setdefault((key.field, key.key, key.value, severity), []).append(key)
    for (field, name, value, severity), keys in found.items():
        option = "label" if field == "metadata.labels" else "annotate"
        nodes = [key.node for key in keys]
        ends = ", and the gateway there ends on it" if severity != "warning" else ""
        yield Problem(
            subject=names(f"Node {node}" for node in nodes),
            title=f"{name}={value} on {names(nodes)}: {keys[0].why}{ends}",
            evidence=few((Evidence(f"Node {node}", f"{field}[{name}]", value, f"known are {', '.join(KNOWN)}") for node in nodes), 3),
            impact=IMPACTS[severity],
            remedy=by_hand("; ".join(f"kubectl {option} node {node} {name}-" for node in nodes[:3])),
            severity=severity,
        )


@check(
    NODE_UNFIT,
    title="Gateway nodes are Ready and take pods",
    severity="error",
    needs=("nodes",),
    joined=True,
    references=("submariner-operator controllers/submariner/gateway_resources.go",),
    tags=("health", "gateway"),
    remedy="Bring the node back, or label another one submariner.io/gateway=true.",
)
def node_unfit(facts: Facts) -> t.Iterator[Problem]:
    """A gateway on a node that is not Ready is gone with it; one on a cordoned node goes with the maintenance that the cordon announces."""
    gateways = [node for node in facts.snapshot.nodes.items if node.is_gateway]
    fit = [node for node in gateways if not node_down(node)]
    for node in gateways:
        if node_down(node):
            condition = node.condition("Ready")
            since = "" if condition is None else f"since {condition.since}: {condition.message}"
            yield Problem(
                subject=str(node.ref),
                title=f"The gateway node {node.ref.name} is not Ready" + ("" if fit else ", and there is no other gateway"),
                evidence=(Evidence(str(node.ref), "status.conditions[Ready]", "not True" if condition is None else condition.status, since),),
                impact="Another gateway takes over; nobody takes over from that one." if fit else LOST,
                remedy=by_hand("Bring the node back, or label another one submariner.io/gateway=true and take the label from this one."),
                severity="" if fit else "blocker",
            )
        elif node.unschedulable:
            yield Problem(
                subject=str(node.ref),
                title=f"The gateway node {node.ref.name} is cordoned",
                evidence=(Evidence(str(node.ref), "spec.unschedulable", "true"),),
                impact="Cross-cluster traffic stops for a moment when it is drained"
                + ("." if len(fit) > 1 else ", and until it is back where no other gateway is labelled."),
                remedy=by_hand("Label another node submariner.io/gateway=true before the maintenance, or uncordon it."),
                severity="warning",
            )


@check(
    "gateway-no-standby",
    title="A second gateway could take over",
    severity="info",
    needs=("nodes",),
    joined=True,
    references=("https://submariner.io/getting-started/architecture/gateway-engine/",),
    tags=("health", "gateway"),
    remedy="Label a second node submariner.io/gateway=true.",
)
def no_standby(facts: Facts) -> t.Iterator[Problem]:
    """With one gateway node, a reboot of it cuts this cluster off. On a cluster of one node there is no choice."""
    if len(facts.snapshot.nodes.items) < 2:
        raise NotApplicable()
    gateways = [node for node in facts.snapshot.nodes.items if node.is_gateway]
    if len(gateways) == 1:
        yield Problem(
            subject=str(gateways[0].ref),
            title=f"{gateways[0].ref.name} is the only gateway node: nobody takes over from it",
            evidence=(Evidence(str(gateways[0].ref), "metadata.labels[submariner.io/gateway]", "true", f"one of {len(facts.snapshot.nodes.items)} nodes"),),
            impact="A reboot of that node cuts this cluster off for as long as it takes.",
            remedy=by_hand("Label a second node submariner.io/gateway=true."),
        )


@check(
    "gateway-several-active",
    title="One gateway alone is active",
    severity="error",
    needs=("gateways",),
    joined=True,
    references=(SYNCER,),
    tags=("health", "gateway"),
    remedy="Delete the pod of the gateway that does not hold the lease.",
)
def several_active(facts: Facts) -> t.Iterator[Problem]:
    """Two gateways that both say that they are active: each makes tunnels and routes, and answers come in at the wrong one.

    A record that its gateway no longer refreshes does not count: it is told as old.
    """
    newest = max((moment(gateway.updated_at) or 0.0 for gateway in facts.gateways), default=0.0)
    active = [gateway for gateway in facts.active_gateways if newest - (moment(gateway.updated_at) or newest) <= SILENCE]
    if len(active) > 1:
        yield Problem(
            subject="Gateways",
            title=f"{len(active)} gateways are active at once: {names(gateway.ref.name for gateway in active)}",
            evidence=few(Evidence(str(gateway.ref), "status.haStatus", gateway.ha_status, "and refreshes its record") for gateway in active),
            impact="Both make tunnels and routes; traffic enters at one and is answered by the other, or not at all.",
            remedy=by_hand(
                "See who holds the Lease submariner-gateway-lock, and delete the pod of the other: it lost the API server without noticing. During a "
                "failover of a few seconds it is normal."
            ),
        )


@check(
    "gateway-record-old",
    title="The gateways refresh their records",
    severity="warning",
    needs=("gateways",),
    joined=True,
    references=(SYNCER,),
    tags=("health", "gateway"),
    remedy="Read the gateway's log; delete the Gateway object where the node is gone.",
)
def record_old(facts: Facts) -> t.Iterator[Problem]:
    """Everything that a Gateway object says is as old as its ``update-timestamp``: connections of a gateway that hangs stay green for ever."""
    for gateway in facts.gateways:
        passed, cause = silence(facts, gateway), _silent_because(facts, gateway)
        if passed:
            yield Problem(
                subject=str(gateway.ref),
                title=f"The gateway {gateway.ref.name} has not reported for {duration(passed)}",
                evidence=(
                    Evidence(str(gateway.ref), "metadata.annotations[update-timestamp]", gateway.updated_at, f"read at {facts.snapshot.taken_at}"),
                    Evidence(str(gateway.ref), "status.haStatus", gateway.ha_status),
                ),
                impact="What it says of connections and latency is of that time, not of now.",
                remedy=by_hand(
                    f"Read the log of the gateway's pod on {gateway.ref.name}; delete the Gateway object where the node is gone. Compare the clocks of that "
                    "node and of the machine that runs this, too."
                ),
                caused_by=f"{facts.snapshot.cluster}/{cause}" if cause else "",
            )


def silence(facts: Facts, gateway: Gateway) -> float:
    """Seconds since a gateway's last report beyond what is usual, 0 where it reports or never said when."""
    passed = seconds_between(gateway.updated_at, facts.snapshot.taken_at)
    return passed if passed is not None and passed > SILENCE else 0.0


def _silent_because(facts: Facts, gateway: Gateway) -> str:
    """The check whose finding tells why a gateway is silent, "" where none does."""
    node: Node | None = next((item for item in facts.snapshot.nodes.items if item.ref.name == facts.gateway_places.get(gateway.ref.name)), None)
    if node is not None and node_down(node):
        return NODE_UNFIT
    daemon_set = facts.daemon_set(GATEWAY)
    return GATEWAY_NOT_READY if daemon_set is not None and daemon_set.ready < daemon_set.desired else ""
