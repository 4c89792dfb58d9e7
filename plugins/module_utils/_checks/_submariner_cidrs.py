# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Where Submariner keeps the CIDRs of its own cluster, against the truth: status, spec, environment of its DaemonSets, Endpoint, Cluster.

One wrong value in status explains all the others, so it is one finding with all of them as evidence. The other checks of this file speak
only where a place disagrees with a status that is right: half-done corrections, pods that were not restarted.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._evidence_of_cidrs import (
    addresses_outside,
    node_with,
    origin,
    places,
    truth_evidence,
)
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import GATEWAY, ROUTE_AGENT, Facts, differs, shown, why_not_agreed
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, correct_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD, SERVICE, SUBJECTS
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._detection import WRONG as WOULD_BE_WRONG

WRONG = "submariner-cidr-wrong"
ANNOUNCED = "announced-cidr-wrong"
WORDS = {POD: "pod CIDR", SERVICE: "service CIDR"}
VARIABLES = {POD: "SUBMARINER_CLUSTERCIDR", SERVICE: "SUBMARINER_SERVICECIDR"}
DISCOVERY = "submariner-operator pkg/discovery/network/generic.go"


@check(
    WRONG,
    title="Submariner's CIDRs are the cluster's true ones",
    severity="blocker",
    joined=True,
    references=("submariner-io/submariner#2953", "submariner-io/submariner-operator#3180", DISCOVERY),
    tags=("cidr",),
    remedy="Role fathom.submariner.join pins the true CIDRs, then restarts gateways and route agents here and on every peer.",
)
def submariner_cidr_wrong(facts: Facts) -> t.Iterator[Problem]:
    """Submariner's status, from which gateway, route agents, Endpoint and every peer's pools take their value, against the truth.

    Submariner compares itself only with itself: status, Endpoint and pools that agree on one wrong value are green in subctl diagnose.
    """
    wrong = facts.wrong_subjects()
    if wrong:
        yield Problem(
            subject=str(facts.submariner.ref),
            title=_title(facts, wrong[0]),
            evidence=tuple(_story(facts, wrong)),
            impact=_impact(facts, wrong),
            remedy=correct_cidrs(facts),
        )
    yield from _not_agreed(facts)


def _not_agreed(facts: Facts) -> t.Iterator[Problem]:
    for subject in SUBJECTS:
        if not facts.truth.networks(subject):
            yield Problem(
                subject=str(facts.submariner.ref),
                title=f"Whether Submariner has the right {WORDS[subject]} is not known",
                missing=why_not_agreed(facts.truth.of(subject, "ipv4")),
            )


def _title(facts: Facts, subject: str) -> str:
    said = facts.said(subject)
    truth = shown(facts.truth.networks(subject))
    networks = parse_cidrs(said).networks
    if not said:
        return f"Submariner does not know this cluster's {WORDS[subject]} ({truth})"
    if facts.pinned(subject):
        return f"Submariner is pinned to the {WORDS[subject]} {said}, but this cluster has {truth}"
    if subject == POD and node_with(facts, said) is not None:
        return f"Submariner was told a node's /{networks[0].prefixlen} is the whole cluster: {said} instead of {truth}"
    return f"Submariner uses the {WORDS[subject]} {said}, but this cluster has {truth}"


def _story(facts: Facts, wrong: t.Sequence[str]) -> t.Iterator[Evidence]:
    """What was told and where it stands, why, and what says otherwise."""
    for subject in wrong:
        yield from places(facts, subject)
        if not facts.pinned(subject):
            yield from origin(facts, subject)
        yield from truth_evidence(facts, subject)
        yield from addresses_outside(facts, subject)


def _impact(facts: Facts, wrong: t.Sequence[str]) -> str:
    parts = []
    if POD in wrong:
        said = facts.said(POD) or "nothing"
        parts.append(
            f"Other clusters route only {said} here: pods outside it are unreachable from them, their answers are masqueraded or dropped, and the "
            "gateway finds no CNI interface in that range."
        )
    if SERVICE in wrong:
        parts.append(f"Other clusters route only {facts.said(SERVICE) or 'nothing'} for Services: those outside it are unreachable from them.")
    return " ".join([*parts, "subctl diagnose is green, since every object repeats the same wrong value."])


@check(
    "submariner-cidr-unpinned",
    title="The right CIDRs do not hang on discovery",
    severity="warning",
    needs=("nodes", "pods"),
    joined=True,
    references=(DISCOVERY, "submariner-io/submariner-operator#1730"),
    tags=("cidr",),
    remedy="Role fathom.submariner.join pins the CIDRs in the Submariner object.",
)
def submariner_cidr_unpinned(facts: Facts) -> t.Iterator[Problem]:
    """Status is right, spec is empty, and this version would find something else today: it will, when the operator's pod restarts.

    The operator caches what it discovered for the life of its pod, and what it finds changes with the number of nodes.
    """
    if facts.detection.fatal:
        raise NotApplicable()  # discovery finds nothing at all, which is a finding of its own
    wrong = facts.wrong_subjects()
    for subject, detected in ((POD, facts.detection.pod), (SERVICE, facts.detection.service)):
        if facts.pinned(subject) or subject in wrong or not facts.truth.networks(subject):
            continue
        if detected.value is None:
            raise CannotJudge(f"what Submariner {facts.submariner.version} would detect: {detected.words or detected.why}")
        if detected.judgement == WOULD_BE_WRONG:
            field = "clusterCIDR" if subject == POD else "serviceCIDR"
            yield Problem(
                subject=str(facts.submariner.ref),
                title=f"The {WORDS[subject]} is right but not pinned: a restart of the operator would change it to {detected.value or 'nothing'}",
                evidence=(
                    Evidence(str(facts.submariner.ref), f"spec.{field}", "", "not pinned: left to discovery"),
                    Evidence(str(facts.submariner.ref), f"status.{field}", facts.said(subject), "cached by the operator"),
                    Evidence(
                        f"Submariner {facts.submariner.version}", "would detect", detected.value, f"{detected.words}; {detected.why}".strip("; ")
                    ),
                ),
                impact="Cross-cluster traffic would break at a restart of the operator's pod that nobody connects with it.",
                remedy=correct_cidrs(facts),
            )


@check(
    "data-plane-cidr-outdated",
    title="Gateway and route agents run with the CIDRs of Submariner's status",
    severity="error",
    needs=("daemon_sets", "pods"),
    joined=True,
    tags=("cidr",),
)
def data_plane_outdated(facts: Facts) -> t.Iterator[Problem]:
    """The environment that gateway and route agents are started with, and that their running pods were started with."""
    stale = []
    for name in (GATEWAY, ROUTE_AGENT):
        daemon_set = facts.daemon_set(name)
        owners = ([daemon_set] if daemon_set is not None else []) + list(facts.pods_of(name))
        for owner in owners:
            for subject in SUBJECTS:
                value = next((found for found in (entry.env_value(VARIABLES[subject]) for entry in owner.containers) if found is not None), None)
                if value is not None and value != facts.said(subject):
                    stale.append(Evidence(str(owner.ref), f"env {VARIABLES[subject]}", value, f"status says {facts.said(subject) or 'nothing'}"))
    if stale:
        of_daemon_sets = [entry for entry in stale if entry.object.startswith("DaemonSet")]
        yield Problem(
            subject=", ".join(dict.fromkeys(entry.object for entry in stale[:3])),
            title="Submariner's status was corrected, but its DaemonSets were not"
            if of_daemon_sets
            else "Gateway or route agents still run with old CIDRs",
            evidence=tuple(stale[:8]),
            impact="What moves the packets works with the old value until it is restarted.",
            remedy=by_hand("Read the operator's log: it did not update the DaemonSets.")
            if of_daemon_sets
            else correct_cidrs(
                facts, "Restart gateway and route agents, here and on every peer; the CIDRs in the Submariner object are right already."
            ),
            caused_by=f"{facts.snapshot.cluster}/{WRONG}" if facts.wrong_subjects() else "",
        )


@check(
    ANNOUNCED,
    title="The cluster announces its true CIDRs",
    severity="error",
    needs=("endpoints", "submariner_clusters"),
    joined=True,
    references=("submariner pkg/endpoint/local_endpoint.go",),
    tags=("cidr",),
)
def announced_wrong(facts: Facts) -> t.Iterator[Problem]:
    """The cluster's own Endpoint and Cluster objects, which every peer copies.

    Where they only repeat a wrong status, that finding tells it. A gateway that was not restarted after a correction announces the old value.
    """
    if facts.globalnet:
        raise NotApplicable()
    truths = {subject: facts.truth.networks(subject) for subject in SUBJECTS}
    if not all(truths.values()):
        raise CannotJudge("; ".join(why_not_agreed(facts.truth.of(subject, "ipv4")) for subject in SUBJECTS if not truths[subject]))
    if not facts.own_endpoints:
        raise CannotJudge(f"there is no Endpoint of {facts.submariner.cluster_id}: the gateway has not announced anything")
    repeated = [part for subject in SUBJECTS for part in parse_cidrs(facts.said(subject)).cidrs]
    wrong = []
    for endpoint in facts.own_endpoints:
        if differs(endpoint.subnets, (*truths[SERVICE], *truths[POD])) and sorted(parse_cidrs(endpoint.subnets).cidrs) != sorted(repeated):
            wrong.append(
                Evidence(str(endpoint.ref), "spec.subnets", ", ".join(endpoint.subnets), f"should be {shown((*truths[SERVICE], *truths[POD]))}")
            )
    for cluster in facts.own_cluster_objects:
        for field, values, subject in (("cluster_cidr", cluster.cluster_cidrs, POD), ("service_cidr", cluster.service_cidrs, SERVICE)):
            if differs(values, truths[subject]) and sorted(parse_cidrs(values).cidrs) != sorted(parse_cidrs(facts.said(subject)).cidrs):
                wrong.append(Evidence(str(cluster.ref), f"spec.{field}", ", ".join(values), f"should be {shown(truths[subject])}"))
    if wrong:
        yield Problem(
            subject=wrong[0].object,
            title=f"This cluster still announces {wrong[0].value or 'nothing'} to the others",
            evidence=tuple(wrong),
            impact="The other clusters route only what is announced.",
            remedy=correct_cidrs(facts, "Restart the gateway so that it announces the right CIDRs, then what follows the old ones on every peer."),
            caused_by=f"{facts.snapshot.cluster}/{WRONG}" if facts.wrong_subjects() else "",
        )


@check(
    "health-check-hides-cidr",
    title="No disabled health check hides a wrong CIDR",
    severity="info",
    joined=True,
    references=("submariner pkg/endpoint/local_endpoint.go",),
    tags=("cidr",),
)
def health_check_hides(facts: Facts) -> t.Iterator[Problem]:
    """With the health check on, a gateway with a wrong cluster CIDR crashes; with it off, connections stay green and pods cannot talk.

    Switching it off is often taken for the cure of that crash. On a cluster with right CIDRs it is a choice like any other, and no finding.
    """
    health = facts.submariner.spec.get("connectionHealthCheck")
    enabled = isinstance(health, dict) and health.get("enabled") is True
    if POD in facts.wrong_subjects() and not enabled:
        yield Problem(
            subject=str(facts.submariner.ref),
            title="The health check is off: it hides the wrong CIDR instead of curing it",
            evidence=(Evidence(str(facts.submariner.ref), "spec.connectionHealthCheck.enabled", "false", "omitted counts as false"),),
            impact="Connections are shown as connected whether or not pods can talk.",
            remedy=by_hand("Switch it on again (--health-check=true) once the CIDRs are right."),
            caused_by=f"{facts.snapshot.cluster}/{WRONG}",
        )
