# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports to draw: an incident of wrong CIDRs, a budget too small, a reboot race, large clustersets, a cluster of thousands of nodes, hostile names."""

from __future__ import annotations

import functools
import json
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card, CardEndpoint, CardRange, card_of, unreadable_card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_cluster, unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import UNKNOWN, Evidence, Finding, Remedy, Waiver
from ansible_collections.fathom.submariner.plugins.module_utils._report._assemble import assemble
from ansible_collections.fathom.submariner.plugins.module_utils._report._details import details_of
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import ClusterResult, Comparison, Gone, Report, ordered
from ansible_collections.fathom.submariner.plugins.modules.diagnose import result
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import broken, cluster

EVIL = "\x1b[2Jname</style></script></failure>\u202e|`<script>document.title='owned'</script><img src=x onerror=alert(1)>\"'&"

MTU = {
    "link": 1500,
    "link_source": "Pod calico-system/calico-node-7rkqz log: determined by Felix",
    "steps": [
        {"what": "VXLAN", "bytes": 50, "why": "between this cluster's nodes: an enabled IPPool or Felix asks for it"},
        {"what": "vx-submariner", "bytes": 50, "why": "from a node to the gateway (VXLAN, UDP 4800)"},
        {"what": "libreswan cable", "bytes": 80, "why": "from gateway to gateway; TCP is clamped to what fits, other packets are fragmented or lost"},
    ],
    "largest_pod_mtu": 1450,
    "largest_across_clusters": 1420,
    "pod": 1500,
    "configured": [
        {"knob": "pod interfaces: data.veth_mtu", "value": "1500", "where": "ConfigMap kube-system/calico-config", "effective": True, "note": ""},
        {"knob": "VXLAN: spec.vxlanMTU", "value": "1450", "where": "FelixConfiguration default", "effective": True, "note": "overrides the environment"},
        {"knob": "VXLAN: FELIX_VXLANMTU", "value": "0 (automatic)", "where": "DaemonSet kube-system/calico-node", "effective": False, "note": ""},
    ],
    "family": "IPv4",
    "cable": "libreswan",
}
TIMELINE = {
    "node": "gateway-01",
    "events": [
        {"at": "2026-11-20T03:10:02Z", "what": "The node booted", "object": "Node gateway-01", "field": "status.nodeInfo.bootID"},
        {
            "at": "2026-11-20T03:10:41Z",
            "what": "The route agent started",
            "object": "Pod submariner-operator/submariner-routeagent-x2x4f",
            "field": "state.running.startedAt",
        },
        {
            "at": "2026-11-20T03:10:44Z",
            "what": "It found no CNI interface and gave up",
            "object": "Pod submariner-operator/submariner-routeagent-x2x4f",
            "field": "log",
        },
        {"at": "2026-11-20T03:11:58Z", "what": "The node became Ready", "object": "Node gateway-01", "field": "status.conditions[Ready].lastTransitionTime"},
        {"at": "2026-11-20T03:12:20Z", "what": "calico-node became ready", "object": "Pod calico-system/calico-node-7rkqz", "field": "state.running.startedAt"},
    ],
    "verdict": "The route agent started 99 s before Calico was up, programmed nothing, and is Ready.",
}


def diagnosed(snapshot, **details):
    """What module diagnose returns, after its way through JSON."""
    facts = Facts.of(snapshot)
    judgement = judge_cluster(facts)
    made = {**details_of(facts), **details}
    return json.loads(
        json.dumps(result(snapshot.cluster, judgement.findings, card_of(facts), judgement.passed, facts.truth.to_dict(), snapshot.statistics, made))
    )


def incident():
    """Two clusters of which each told Submariner the /24 of a node; a third that did not answer."""
    results = [diagnosed(broken("cluster-1"), mtu=MTU, timelines=[TIMELINE]), diagnosed(broken("cluster-2"))]
    return assemble(results, CHECKS)


def everything():
    """One report in which every section has something to show."""
    report = incident()
    waived = finding(
        "error",
        id="kube-proxy-mode",
        title="kube-proxy runs in ipvs mode, which Submariner does not support",
        waiver=Waiver("Migration is planned, CHG-1207", "2026-12-31", "waivers.yml line 2"),
    )
    expired = finding(
        "warning",
        id="route-agent-restarts",
        title="The route agent on node-7 restarted 14 times",
        evidence=(Evidence("Pod submariner-operator/submariner-routeagent-q7k2p", "status.containerStatuses[0].restartCount", "14", "since 2026-11-19"),),
        remedy=Remedy("Look at its log: kubectl logs -p -n submariner-operator submariner-routeagent-q7k2p"),
        references=("submariner-io/submariner#2489",),
        waiver=Waiver("Seen before", "2026-10-31", "waivers.yml line 7", expired=True),
        trend="new",
    )
    unread = finding("blocker", UNKNOWN, id="calico-api", missing="api services could not be read (GET /apis/apiregistration.k8s.io/v1/apiservices): forbidden")
    gone = (
        Gone("gateway-unhealthy", "cluster-2", "error", "Gateway node-1", "No gateway is active", True),
        Gone("dns-forwarding", "cluster-1", "warning", "ConfigMap kube-system/coredns", "CoreDNS does not forward clusterset.local", False),
    )
    findings = [replace(entry, trend="persisting") if entry.verdict == "fail" else entry for entry in report.findings]
    return replace(
        report,
        findings=ordered([*findings, waived, expired, unread]),
        comparison=Comparison("2026-11-20T06:00:00Z", gone),
        notes=("waivers.yml line 11 waives no-such-check: no check of this run has that id.",),
    )


def finding(severity="error", verdict="fail", **fields):
    defaults = {"id": "some-check", "cluster": "cluster-1", "subject": "thing", "title": "is wrong", "missing": "a list" if verdict == UNKNOWN else ""}
    return Finding(severity=severity, verdict=verdict, **{**defaults, **fields})


def ring(count, down=(), silent=()):
    """A full mesh.

    :param down: pairs of numbers between which there is no tunnel.
    :param silent: numbers of clusters that could not be read.
    """
    names = [f"site-{number:02d}" for number in range(1, count + 1)]
    clusters, findings = [], []
    for number, name in enumerate(names, 1):
        if number in silent:
            clusters.append(ClusterResult(name, card=unreadable_card(name, "no route to host")))
            findings.append(unreadable(name, "GET https://10.9.9.9:6443: no route to host"))
            continue
        connections = []
        for other_number, other in enumerate(names, 1):
            if other_number == number:
                continue
            lost = (number, other_number) in down or (other_number, number) in down or other_number in silent
            state = (
                {"status": "error", "message": "no response to IKE", "latency_ms": None}
                if lost
                else {"status": "connected", "message": "", "latency_ms": 1.5 + (number * other_number) % 40}
            )
            connections.append({"cluster_id": other, "hostname": f"{other}-gw-1", "using_ip": f"203.0.113.{other_number}", **state})
            if lost and number < other_number:
                findings.append(finding("blocker", id="tunnel-down", cluster=name, subject=f"Gateway {name}-gw-1", title=f"No tunnel to {other}"))
        pods, services = (f"10.{2 * number}.0.0/16",), (f"10.{2 * number + 1}.0.0/16",)
        card = Card(
            name, joined=True, cluster_id=name, pods=CardRange(pods), services=CardRange(services), calico_version="v3.30.3", submariner_version="0.21.0",
            announced=(CardEndpoint(name, f"Endpoint {name}", (*services, *pods)),),
        )  # fmt: skip
        gateways = [
            {"node": f"{name}-gw-1", "ha_status": "active", "failure": "", "version": "v0.21.0", "subnets": [*services, *pods], "connections": connections},
            {"node": f"{name}-gw-2", "ha_status": "passive", "failure": "", "version": "v0.21.0", "subnets": [], "connections": []},
        ]
        nodes = {"total": 40 + number, "ready": 40, "not_ready": [], "gateways": []}
        clusters.append(ClusterResult(name, card.facts, ("some-check", "another-check"), card, {}, {"gateways": gateways, "nodes": nodes}))
    return Report(tuple(clusters), ordered(findings), ("clusterset-cidr-overlap",))


@functools.cache
def thousands(nodes=5000):
    """A cluster on which something is wrong with every node, in the most wordy form that checks have."""
    base = incident()
    findings = [
        finding(
            "error" if number % 2 else "warning",
            id="route-agent-blind",
            subject=f"Pod submariner-operator/submariner-routeagent-{number:05d} on node worker-{number:05d}.rack-17.example.org",
            title=f"The route agent on worker-{number:05d}.rack-17.example.org runs and programs nothing",
            evidence=tuple(
                Evidence(f"Node worker-{number:05d}", f"status.conditions[{index}]", "2026-11-20T03:11:58Z", "when it happened") for index in range(6)
            ),
            impact="Pods of this node do not reach other clusters." * 3,
            remedy=Remedy("Restart the route agent of this node after calico-node is ready."),
        )
        for number in range(nodes)
    ]
    wide = finding(evidence=tuple(Evidence(f"Node worker-{number:05d}", "spec.podCIDR", "10.0.0.0/24", "too small") for number in range(nodes)))
    return replace(base, findings=ordered([*base.findings, *findings, wide]))


def hostile():
    """Every text that a cluster may choose is an attack."""
    evil = finding(
        "blocker",
        id=EVIL,
        cluster=EVIL,
        subject=EVIL,
        title=EVIL,
        impact=EVIL,
        evidence=(Evidence(EVIL, EVIL, EVIL, EVIL, EVIL, 3),),
        remedy=Remedy(EVIL, EVIL, {EVIL: EVIL}, target=EVIL, cluster=EVIL),
        references=(EVIL, "javascript:alert(1)", 'https://example.org/"onmouseover="alert(1)'),
    )
    unread = finding(verdict=UNKNOWN, cluster=EVIL, missing=EVIL)
    gateway = {
        "node": EVIL,
        "ha_status": "active",
        "version": EVIL,
        "subnets": [EVIL],
        "connections": [{"cluster_id": EVIL + "2", "status": "error", "message": EVIL, "latency_ms": "x"}],
    }
    card = Card(
        EVIL, joined=True, cluster_id=EVIL, pods=CardRange((EVIL,)), services=CardRange((EVIL,)), announced=(CardEndpoint(EVIL, EVIL, (EVIL, "10.0.0.0/8")),)
    )
    verdict = {"status": EVIL, "cidrs": [EVIL], "because": EVIL}
    row = dict.fromkeys(("object", "field", "raw", "caveat", "problem", "standing", "source", "family"), EVIL)
    cidrs = {"pod": {EVIL: verdict}, "service": {}, "evidence": [{**row, "subject": "pod", "cidrs": [EVIL]}], "problems": [EVIL]}
    mtu = {
        **MTU,
        "link_source": EVIL,
        "steps": [{"what": EVIL, "bytes": 3, "why": EVIL}],
        "configured": [{"knob": EVIL, "value": EVIL, "where": EVIL, "effective": True}],
    }
    timeline = {"node": EVIL, "verdict": EVIL, "events": [{"at": EVIL, "what": EVIL, "object": EVIL, "field": EVIL}, *TIMELINE["events"]]}
    details = {"gateways": [gateway], "nodes": {"total": 3, "ready": 2, "not_ready": [EVIL]}, "mtu": mtu, "timelines": [timeline]}
    return Report(
        (ClusterResult(EVIL, (EVIL,), (EVIL,), card, cidrs, details),),
        (evil, unread),
        (EVIL,),
        Comparison(EVIL, (Gone(*[EVIL] * 2, "error", EVIL, EVIL, True),)),
        (EVIL,),
    )


HEALTHY = (cluster("cluster-1"), cluster("cluster-2"))
