# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Why green lied: each verdict of a saved ``subctl diagnose all`` beside ours, with the reason for the difference.

What each of its checks really reads is established from submariner-io/subctl pkg/diagnose, v0.16 to v0.19.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import named_by
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import FAIL, UNKNOWN, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Check
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._subctl_diagnose import (
    FAILED,
    PASSED,
    SKIPPED,
    UNFINISHED,
    WARNED,
    SubctlCheck,
    SubctlCluster,
    SubctlDiagnosis,
)

NOT_CHECKED = "not checked"
MOST = 6  # findings of ours beside one verdict
LONGEST = 400  # characters of a reason that repeats what could not be read
CLUSTERSET = "clusterset"


class SubctlComparison(t.NamedTuple):
    """One line of the comparison.

    :param check: the title of subctl's check, "" for a finding of ours that none of its checks is about.
    :param subctl_verdict: passed, warning, failed, skipped, unfinished, or "not checked".
    :param ours: our findings on the same thing, the worst first, each as ``severity id: title``; () where we found nothing.
    :param reason: why the two differ, "" where they agree.
    """

    cluster: str
    check: str
    subctl_verdict: str
    ours: tuple[str, ...]
    reason: str


class Reads(t.NamedTuple):
    """What one check of subctl's looks at, and which checks of ours look at the same thing."""

    title: str  # regular expression
    ours: tuple[str, ...]  # patterns as in option checks
    green: str  # why it can pass on what is broken
    red: str = ""  # why it can fail on what is well


_ANNOUNCED = "It compares the subnets of the broker's Endpoints with each other. "
TABLE: tuple[Reads, ...] = (
    Reads("support for the Kubernetes version", ("tag:versions",), "It compares the server's version with a minimum and knows no bugs of a release."),
    Reads(
        "CIDRs (do not )?overlap",
        ("tag:cidr", "*cidr*", "discovery-*", "clusterset-endpoint-wrong", "clusterset-duplicate-id"),
        _ANNOUNCED + "A value that is wrong in the same way everywhere does not overlap, the true CIDRs are never read, nor are node networks and clusters "
        "that are not joined.",
        _ANNOUNCED + "Stale Endpoints of a cluster that left count as well.",
    ),
    Reads(
        'DaemonSet "submariner-gateway"',
        ("gateway-*",),
        "It compares how many pods are scheduled with how many should be: one that crashes again and again is scheduled.",
    ),
    Reads(
        'DaemonSet "submariner-routeagent"',
        ("route-agent-*", "tag:agents"),
        "It compares how many pods are scheduled with how many should be. Whether they are ready, or blind since they started before Calico, it does not ask.",
    ),
    Reads('DaemonSet "submariner-globalnet"|[Gg]lobalnet (is|config)', ("tag:globalnet",), "It counts scheduled pods and reads objects as they are stored."),
    Reads('DaemonSet "submariner-metrics-proxy"', (), "It counts scheduled pods."),
    Reads(
        'Deployment "submariner-lighthouse',
        ("tag:dns", "policy-service-discovery-dropped"),
        "It counts available replicas: whether DNS asks Lighthouse, and whether policies let it, is not read.",
    ),
    Reads(
        "Submariner pods",
        ("component-*", "gateway-not-ready", "route-agent-*", "image-pull-failed", "known-message"),
        "It reads the phase of pods: one that crashes is in phase Running, and restarts are a warning from the fifth on. No log is read.",
    ),
    Reads("metrics are accessible", ("policy-node-traffic-dropped",), "It asks for the metrics from one other node, and is left out on a single node."),
    Reads(
        "CNI network plugin",
        ("tag:rollout", "tag:autodetection"),
        "It looks up Submariner's own status.networkPlugin in a list of names. Neither TigeraStatus nor calico-node is read.",
        "Its list of supported plugins lacks some that work.",
    ),
    Reads(
        "IPPool pre-requisites",
        ("tag:pools", "tag:calico-api", "clusterset-pool-*", "clusterset-endpoint-*"),
        "It lists pools of crd.projectcalico.org/v1, not the projectcalico.org/v3 API that the route agent writes to, and wants one for each subnet that the "
        "active gateway is connected with: pools and Endpoints that agree on a wrong value pass. disableBGPExport and the other gateways are not read.",
        "It wants vxlanMode Always of every local pool, also where IPIP or CrossSubnet is right, and pools equal to the subnets to the letter.",
    ),
    Reads(
        "gateway connections",
        ("connection-*", "tag:mtu", "policy-node-traffic-dropped", "policy-remote-traffic-dropped"),
        "It repeats the Gateway's own status: small packets between two addresses, and without the health check only what the cable driver believes. Pods, "
        "large packets and policies are not tried.",
    ),
    Reads(
        "route agent connections",
        ("tag:agents", "route-agent-*"),
        "It repeats the status of RouteAgents, which exist from 0.19 on and are only pinged where the health check is on.",
        "Before 0.19 there are no RouteAgents, which it counts as a failure.",
    ),
    Reads(
        "kube-proxy mode",
        ("kube-proxy-*",),
        "It looks for the device kube-ipvs0 on the gateway's node, prints a failure where it is there, and still ends well. It knows no nftables and eBPF.",
        "The device kube-ipvs0 outlives a change of mode until the node restarts.",
    ),
    Reads(
        "intra-cluster VXLAN",
        ("policy-node-traffic-dropped", "tag:pools", "tag:mtu"),
        "It sends a few small packets between two pods over UDP 4800, and is left out on a single node.",
    ),
    Reads("inter-cluster|tunnels|NAT discovery", ("connection-*", "policy-node-traffic-dropped"), "It is no part of diagnose all."),
    Reads(
        "services have been exported|service discovery",
        ("tag:dns", "policy-service-discovery-dropped"),
        "It reads ServiceExports and EndpointSlices: no name is resolved.",
    ),
)
ENDINGS = {
    SKIPPED: "It was left out: subctl judged nothing here.",
    UNFINISHED: "It was begun and has no verdict: subctl crashed or was ended.",
}


def compare(diagnosis: SubctlDiagnosis, cards: t.Sequence[Card], findings: t.Sequence[Finding], checks: t.Sequence[Check]) -> tuple[SubctlComparison, ...]:
    """The whole comparison, cluster by cluster.

    :param findings: all of the run, waived ones left out. :param checks: the catalogue, for the areas of findings.
    """
    by_id = {check.id: check for check in checks}
    rows: list[SubctlComparison] = []
    for theirs, name in _paired(diagnosis.clusters, cards):
        own = [finding for finding in findings if name and finding.severity != "info" and _about(finding, name)]
        covered: set[int] = set()
        for check in theirs.checks:
            row, used = _row(name or theirs.name, check, own, by_id, known=bool(name))
            rows.append(row)
            covered |= used
        for finding in own:
            if id(finding) not in covered and finding.verdict == FAIL:
                area = by_id[finding.id].area if finding.id in by_id else "this"
                reason = f"None of the checks that it ran is about {area if area != 'general' else 'this'}."
                rows.append(SubctlComparison(name, "", NOT_CHECKED, (_words(finding),), reason))
    return tuple(rows)


def _row(cluster: str, check: SubctlCheck, own: t.Sequence[Finding], by_id: t.Mapping[str, Check], *, known: bool) -> tuple[SubctlComparison, set[int]]:
    reads = next((entry for entry in TABLE if re.search(entry.title, check.title)), None)
    if reads is None:
        ours: list[Finding] = []
    else:
        ours = [finding for finding in own if any(_named(finding, by_id, pattern) for pattern in reads.ours)]
    wrong = [finding for finding in ours if finding.verdict == FAIL]
    shown = wrong or [finding for finding in ours if finding.verdict == UNKNOWN]
    words = tuple(dict.fromkeys(map(_words, shown)))
    listed = words if len(words) <= MOST else (*words[:MOST], f"and {len(words) - MOST} more")
    row = SubctlComparison(cluster, check.title, check.verdict, listed, _reason(check, reads, wrong, shown, known))
    return row, {id(finding) for finding in ours}


def _reason(check: SubctlCheck, reads: Reads | None, wrong: t.Sequence[Finding], shown: t.Sequence[Finding], known: bool) -> str:
    if check.verdict in ENDINGS:
        said = next((message.partition(": ")[2] for message in check.messages if check.verdict == SKIPPED), "")
        return ENDINGS[check.verdict] + (f" {said}." if said else "")
    if not known:
        return "No diagnosed cluster has this name: call it as the kubeconfig's cluster, or diagnose it as well."
    if reads is None:
        return "What this check reads is not known to this release."
    if wrong:
        return reads.green if check.verdict == PASSED else f"Only a warning: {reads.green}" if check.verdict == WARNED else ""
    if check.verdict == FAILED:
        told = "; ".join(message.partition(": ")[2] for message in check.messages[:3])
        return (reads.red or "We found nothing wrong there; the cluster may have changed between the two runs.") + (f" It said: {told}" if told else "")
    if shown:
        missing = shown[0].missing
        return "We could not judge it: " + (missing if len(missing) <= LONGEST else missing[:LONGEST] + "…")
    return ""


def _named(finding: Finding, by_id: t.Mapping[str, Check], pattern: str) -> bool:
    check = by_id.get(finding.id)
    return check is not None and named_by(check, pattern)


def _about(finding: Finding, cluster: str) -> bool:
    """A finding of the clusterset is about the clusters that its subject names."""
    return finding.cluster == cluster or (finding.cluster == CLUSTERSET and cluster in re.split(r"[\s,]+", finding.subject))


def _words(finding: Finding) -> str:
    return f"{finding.severity} {finding.id}: {finding.title}" if finding.verdict == FAIL else f"unknown {finding.id}: {finding.title}"


def _paired(clusters: t.Sequence[SubctlCluster], cards: t.Sequence[Card]) -> list[tuple[SubctlCluster, str]]:
    """Their clusters with our names: the same name, else the same cluster id, else the only one that is left on both sides."""
    names: dict[int, str] = {}
    free = list(cards)
    for matches in (lambda card, name: card.cluster == name, lambda card, name: bool(name) and card.cluster_id == name):
        for index, theirs in enumerate(clusters):
            found = next((card for card in free if index not in names and matches(card, theirs.name)), None)
            if found is not None:
                names[index] = found.cluster
                free.remove(found)
    left = [index for index in range(len(clusters)) if index not in names]
    if len(left) == 1 and len(free) == 1:
        names[left[0]] = free[0].cluster
    return [(theirs, names.get(index, "")) for index, theirs in enumerate(clusters)]
