# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether Submariner's workloads run: ready, not merely scheduled."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import api_state
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import GATEWAY, ROUTE_AGENT, Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._gateways import GATEWAY_NOT_READY, IMAGE_PULL
from ansible_collections.fathom.submariner.plugins.module_utils._checks._pod_trouble import (
    IMAGE,
    IMAGE_REASONS,
    MOST,
    NODE,
    RESTARTS,
    crash_match,
    hopeless,
    troubles_of,
)
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._checks._words import few, names
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Pod
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures import plain_line
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures_submariner import HANDLERS

ROUTE_AGENT_NOT_READY = "route-agent-not-ready"
OPERATOR = "submariner-operator"
GLOBALNET = "submariner-globalnet"
METRICS_PROXY = "submariner-metrics-proxy"
LIGHTHOUSE_AGENT = "submariner-lighthouse-agent"
LIGHTHOUSE_DNS = "submariner-lighthouse-coredns"


class Component(t.NamedTuple):
    """``severity`` is that of its absence; ``impact`` what stops."""

    name: str
    severity: str
    impact: str


DEPLOYMENTS = (
    Component(OPERATOR, "error", "Changes to the Submariner object have no effect, and its deletion never ends."),
    Component(LIGHTHOUSE_AGENT, "error", "Exported Services do not reach other clusters, and theirs do not reach this one."),
    Component(LIGHTHOUSE_DNS, "error", "Names under clusterset.local do not resolve."),
)
DAEMON_SETS = (
    Component(GLOBALNET, "error", "Global addresses are not handed out or not translated: nothing reaches this cluster from others."),
    Component(METRICS_PROXY, "warning", "Submariner's metrics are not served; traffic does not need them."),
)


@check(
    ROUTE_AGENT_NOT_READY,
    title="The route agent is ready on every node",
    severity="error",
    needs=("daemon_sets", "pods"),
    joined=True,
    references=("submariner-operator controllers/submariner/route_agent_resources.go",),
    tags=("agents", "health"),
    remedy="What the agent's pod ends on says it; the finding carries the known cause where there is one.",
)
def route_agent_ready(facts: Facts) -> t.Iterator[Problem]:
    """Pods of a node without a route agent have no route to remote clusters. The finding names why: image, node, or the message that it ends on.

    The DaemonSet selects Windows and virtual nodes, too, where no agent can run: those do not count.
    """
    daemon_set = facts.daemon_set(ROUTE_AGENT)
    if daemon_set is None:
        raise CannotJudge(f"there is no DaemonSet {facts.submariner.ref.namespace}/{ROUTE_AGENT} yet: the operator has not made it")
    nowhere = hopeless(facts.pods_of(ROUTE_AGENT), facts.snapshot)
    if daemon_set.desired > 0 and daemon_set.ready >= daemon_set.desired - len(nowhere):
        return
    troubles = troubles_of((pod for pod in facts.pods_of(ROUTE_AGENT) if pod not in nowhere), facts.snapshot)
    first = next((trouble for trouble in troubles if trouble.signature is not None), troubles[0] if troubles else None)
    evidence = [Evidence(str(daemon_set.ref), "status.numberReady", f"{daemon_set.ready} of {daemon_set.desired}")]
    cause = ""
    if troubles and all(trouble.kind == IMAGE for trouble in troubles):
        cause = IMAGE_PULL
    elif first is not None and first.signature is not None and first.signature.id == HANDLERS and api_state(facts.snapshot).refuses:
        cause = "calico-api-unavailable"
    only_nodes = bool(troubles) and all(trouble.kind == NODE for trouble in troubles)
    why = "" if first is None or first.words == "is not ready" else f": the one on {first.pod.node or 'no node'} {first.words}"
    yield Problem(
        subject=str(daemon_set.ref),
        title=f"The route agent is ready on {daemon_set.ready} of {daemon_set.desired} nodes{why}",
        evidence=few((*evidence, *(entry for trouble in troubles for entry in trouble.evidence)), 8),
        impact="Pods on the nodes without it have no route to other clusters.",
        remedy=by_hand(
            first.signature.remedy
            if first is not None and first.signature is not None
            else "Bring the nodes back."
            if only_nodes
            else f"Read the log of the pods with label app={ROUTE_AGENT} that are not ready."
        ),
        severity="warning" if cause or only_nodes else "",
        caused_by=f"{facts.snapshot.cluster}/{cause}" if cause else "",
    )


@check(
    "component-unavailable",
    title="Submariner's operator, Lighthouse, Globalnet and metrics proxy run",
    severity="error",
    needs=("deployments", "daemon_sets", "pods"),
    joined=True,
    references=("submariner-operator controllers/submariner", "submariner-operator controllers/servicediscovery"),
    tags=("health",),
    remedy="Read the log and the events of the component's pods; scale the operator up again.",
)
def component_unavailable(facts: Facts) -> t.Iterator[Problem]:
    """Deployments must be available and DaemonSets ready: subctl diagnose looks whether DaemonSets are scheduled, which a crashing pod is, too."""
    namespace = facts.submariner.ref.namespace
    deployments = {item.ref.name: item for item in facts.snapshot.deployments.items if item.ref.namespace == namespace}
    for component in DEPLOYMENTS:
        deployment = deployments.get(component.name)
        if deployment is None and component.name == OPERATOR:
            seen = Evidence(f"Deployment {namespace}/{OPERATOR}", "", "none")
            yield _unavailable(facts, component, str(seen.object), "is not there", seen)
        elif deployment is not None and deployment.available < max(deployment.replicas, 1):
            seen = Evidence(str(deployment.ref), "status.availableReplicas", f"{deployment.available} of {deployment.replicas}")
            scaled = " (scaled to none)" if deployment.replicas == 0 else ""
            yield _unavailable(facts, component, str(deployment.ref), f"has {deployment.available} of {deployment.replicas} replicas{scaled}", seen)
    for component in DAEMON_SETS:
        daemon_set = facts.daemon_set(component.name)
        if daemon_set is not None and daemon_set.ready < daemon_set.desired:
            seen = Evidence(str(daemon_set.ref), "status.numberReady", f"{daemon_set.ready} of {daemon_set.desired}")
            yield _unavailable(facts, component, str(daemon_set.ref), f"is ready on {daemon_set.ready} of {daemon_set.desired} nodes", seen)


def _unavailable(facts: Facts, component: Component, subject: str, what: str, seen: Evidence) -> Problem:
    troubles = troubles_of(pods_named(facts, component.name), facts.snapshot)
    image = bool(troubles) and all(trouble.kind == IMAGE for trouble in troubles)
    first = troubles[0] if troubles else None
    why = "" if first is None or first.words == "is not ready" else f": its pod {first.words}"
    return Problem(
        subject=subject,
        title=f"{component.name} {what}{why}",
        evidence=few((seen, *(entry for trouble in troubles for entry in trouble.evidence))),
        impact=component.impact,
        remedy=by_hand(
            first.signature.remedy
            if first is not None and first.signature is not None
            else f"Read the log and the events of the pods of {component.name} in {facts.submariner.ref.namespace}."
        ),
        severity="warning" if image else component.severity,
        caused_by=f"{facts.snapshot.cluster}/{IMAGE_PULL}" if image else "",
    )


def pods_named(facts: Facts, component: str) -> tuple[Pod, ...]:
    """The pods of a component: of its label app, else by the name that its controller gives them."""
    namespace = facts.submariner.ref.namespace
    return facts.pods_of(component) or tuple(
        pod for pod in facts.snapshot.pods.items if pod.ref.namespace == namespace and pod.ref.name.startswith(f"{component}-")
    )


@check(
    IMAGE_PULL,
    title="The nodes can get Submariner's images",
    severity="error",
    needs=("pods",),
    joined=True,
    references=("https://kubernetes.io/docs/concepts/containers/images/", "submariner-operator pkg/images/images.go"),
    tags=("health", "images"),
    remedy="Correct repository, version or overrides in the Submariner object, or give the nodes access to the registry.",
)
def image_pull(facts: Facts) -> t.Iterator[Problem]:
    """An image that cannot be pulled stops gateway, agents and Lighthouse alike: one finding for each image, with what the registry said."""
    seen: dict[str, list[tuple[Pod, Evidence]]] = {}
    nowhere = hopeless(facts.snapshot.pods.items, facts.snapshot)
    for pod in facts.snapshot.pods.items:
        if pod.ref.namespace != facts.submariner.ref.namespace or pod in nowhere:
            continue
        for status in pod.statuses:
            if status.waiting_reason in IMAGE_REASONS:
                kind = "initContainerStatuses" if status.init else "containerStatuses"
                field = f"status.{kind}[{status.name}].state.waiting"
                evidence = Evidence(str(pod.ref), field, status.waiting_reason, plain_line(status.waiting_message) or f"on node {pod.node}")
                seen.setdefault(status.image, []).append((pod, evidence))
    for image, entries in seen.items():
        lost = any(pod.labels.get("app") == GATEWAY for pod, _evidence in entries) and not facts.active_gateways
        yield Problem(
            subject=f"image {image}",
            title=f"{names(pod.node for pod, _evidence in entries)} cannot get the image {image}",
            evidence=few(
                (
                    *(evidence for _pod, evidence in entries),
                    Evidence(str(facts.submariner.ref), "spec.repository, spec.version", f"{facts.submariner.repository} {facts.submariner.version}".strip()),
                )
            ),
            impact="These pods do not start" + (": this cluster is connected to no other one." if lost else "."),
            remedy=by_hand(
                "Correct spec.repository, spec.version or spec.imageOverrides of the Submariner object, or give the nodes access to the registry "
                "(mirror, proxy, pull secret on the service account)."
            ),
            severity="blocker" if lost else "",
        )


@check(
    "component-restarts",
    title="Submariner's pods do not restart again and again",
    severity="warning",
    needs=("pods",),
    joined=True,
    references=("subctl internal/pods",),
    tags=("health",),
    remedy="Read the log of the pod's previous run.",
)
def component_restarts(facts: Facts) -> t.Iterator[Problem]:
    """Pods that are ready now and have restarted five times or more, with what they ended on the last time.

    Those that are not ready are told by the findings on gateway, route agents and components.
    """
    restarted: dict[str, list[Pod]] = {}
    for pod in facts.snapshot.pods.items:
        if pod.ref.namespace == facts.submariner.ref.namespace and pod.ready and pod.restarts >= RESTARTS:
            restarted.setdefault(pod.labels.get("app") or pod.owner or pod.ref.name, []).append(pod)
    for component, pods in restarted.items():
        worst = sorted(pods, key=lambda pod: -pod.restarts)
        known = next((found for found in (crash_match(pod, facts.snapshot) for pod in worst[:MOST]) if found is not None), None)
        evidence = [entry for pod in worst[:2] for entry in _restarts(pod)]
        if known is not None:
            evidence.append(Evidence(str(known.ref), known.field, known.line))
        if len(pods) > 2:
            evidence.append(Evidence(f"{len(pods) - 2} more", "status.containerStatuses[].restartCount", f"up to {worst[2].restarts}"))
        yield Problem(
            subject=names(str(pod.ref) for pod in worst),
            title=f"{names(pod.ref.name for pod in worst)} {'has' if len(pods) == 1 else 'have'} restarted up to {worst[0].restarts} times"
            + (f": {known.signature.cause}" if known is not None else ""),
            evidence=tuple(evidence),
            impact="Each restart interrupts what it does for seconds to minutes.",
            remedy=by_hand(known.signature.remedy if known is not None else f"kubectl -n {worst[0].ref.namespace} logs --previous {worst[0].ref.name}"),
            caused_by=f"{facts.snapshot.cluster}/{GATEWAY_NOT_READY}" if component == GATEWAY else "",
        )


def _restarts(pod: Pod) -> t.Iterator[Evidence]:
    yield Evidence(str(pod.ref), "status.containerStatuses[].restartCount", str(pod.restarts), f"on node {pod.node}")
    status = max(pod.statuses, key=lambda entry: entry.restarts, default=None)
    if status is not None and status.finished_at:
        end = ", ".join(part for part in (status.exit_reason, "" if status.exit_code is None else f"exit code {status.exit_code}") if part)
        field = f"status.containerStatuses[{status.name}].lastState.terminated"
        yield Evidence(str(pod.ref), field, end, f"at {status.finished_at} {plain_line(status.exit_message)}".strip())
