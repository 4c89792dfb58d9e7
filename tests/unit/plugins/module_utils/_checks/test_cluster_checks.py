# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole clusters: what is found where all is well, in incident 001, where Submariner is not installed, and where lists are missing."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, NOT_READ, NOT_SERVED, TIMED_OUT, UNAVAILABLE, Ref, Service
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    answer,
    broken,
    cluster,
    component,
    judged,
    ok,
    pod,
    submariner,
    values,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import expect_fail, expect_not_asked, expect_pass, expect_unknown


class TestHealthy:
    @pytest.mark.parametrize("name", ["cluster-1", "cluster-2"])
    def test_nothing_is_found(self, name):
        judgement = judged(cluster(name))
        assert judgement.findings == ()
        assert {"submariner-cidr-wrong", "kube-proxy-mode", "remote-pool-missing", "connection-not-connected"} <= set(judgement.passed)

    def test_pinned(self):
        assert judged(cluster(joined=submariner("cluster-1", pinned="10.46.0.0/16", pinned_services="10.45.0.0/16"))).findings == ()

    def test_health_check_off_is_a_choice(self):
        found = judged(cluster(joined=submariner("cluster-1", health_check=False))).findings
        assert [(finding.id, finding.severity) for finding in found] == [("health-check-off", "info")]

    def test_repaired_incident_finds_nothing(self):
        repaired = submariner("cluster-1", pinned="10.46.0.0/16", pinned_services="10.45.0.0/16", version="0.17.3", health_check=False)
        assert [finding.id for finding in judged(cluster(joined=repaired)).findings] == ["health-check-off"]


class TestIncident001:
    def test_one_root_and_its_consequence(self):
        findings = judged(broken()).findings
        assert [(finding.id, finding.severity, finding.caused_by) for finding in findings] == [
            ("submariner-cidr-wrong", "blocker", ""),
            ("health-check-hides-cidr", "info", "cluster-1/submariner-cidr-wrong"),
        ]

    def test_the_story(self):
        root = judged(broken()).findings[0]
        assert root.title.startswith("Submariner was told a node's /24 is the whole cluster")
        told = {(entry.object.split()[0], entry.field): entry for entry in root.evidence}
        assert told["Submariner", "status.clusterCIDR"].value == "10.46.0.0/24"
        assert told["Submariner", "spec.clusterCIDR"].value == ""
        assert told["DaemonSet", "env SUBMARINER_CLUSTERCIDR"].value == "10.46.0.0/24"
        assert told["Endpoint", "spec.subnets"].value == "10.45.0.0/16, 10.46.0.0/24"
        assert told["Cluster", "spec.cluster_cidr"].value == "10.46.0.0/24"
        assert "only node node-1" in told["Node", "spec.podCIDR"].note
        assert told["IPPool", "spec.cidr"].value == "10.46.0.0/16"
        assert "2 of 2 pods" in told["Pod", "status.podIPs"].note

    def test_the_remedy(self):
        remedy = judged(broken()).findings[0].remedy
        assert remedy.role == "fathom.submariner.join"
        assert dict(remedy.variables) == {
            "join_cluster_id": "cluster-1",
            "join_cluster_cidr": "10.46.0.0/16",
            "join_service_cidr": "10.45.0.0/16",
            "join_correction": "patch",
        }
        assert remedy.disruptive


class TestNotJoined:
    def test_only_information(self):
        findings = judged(cluster(joined=False)).findings
        assert [(finding.id, finding.severity) for finding in findings] == [("not-joined", "info"), ("discovery-before-join", "info")]
        assert findings[0].remedy.variables == {"join_cluster_cidr": "10.46.0.0/16", "join_service_cidr": "10.45.0.0/16"}

    def test_says_so(self):
        assert expect_fail(cluster(joined=False), "not-joined").subject == "Submariner"

    def test_truth_and_kube_proxy_are_judged(self):
        assert {"cidr-truth", "kube-proxy-mode", "calico-api-unavailable"} <= set(judged(cluster(joined=False)).passed)

    def test_discovery_names_the_releases(self):
        finding = expect_fail(cluster(joined=False), "discovery-before-join")
        assert finding.title.startswith("Left to discovery, Submariner 0.16.7 to 0.18.0 would")
        assert set(values(finding)) <= {"10.46.0.0/24", ""} | {"10.45.0.0/16"}

    def test_passes_where_every_release_reads_the_options(self):
        command = ["kube-controller-manager", "--cluster-cidr=10.46.0.0/16"]
        server = ["kube-apiserver", "--service-cluster-ip-range=10.45.0.0/16"]
        snapshot = cluster(joined=False, pods=ok(component("kube-controller-manager", command=command), component("kube-apiserver", command=server)))
        expect_pass(snapshot, "discovery-before-join")

    def test_release_that_cannot_be_deployed(self):
        snapshot = cluster(joined=False, server_version=ok("v1.33.1+k3s1"), pods=ok(pod("shop", "web", "10.46.181.2")))
        found = judged(snapshot, "discovery-before-join").findings
        assert any("before 0.21.1 cannot be deployed" in finding.title and finding.severity == "warning" for finding in found)

    def test_unknown(self):
        expect_unknown(cluster(joined=False, nodes=answer(FORBIDDEN)), "discovery-before-join")
        expect_unknown(cluster(submariners=answer(FORBIDDEN)), "not-joined")

    def test_joined(self):
        expect_pass(cluster(), "not-joined")
        expect_not_asked(cluster(), "discovery-before-join")


class TestForbiddenSubmariners:
    def test_nothing_that_needs_it_passes(self):
        judgement = judged(cluster(submariners=answer(FORBIDDEN)))
        unknown_ids = {finding.id for finding in judgement.findings if finding.verdict == "unknown"}
        assert {"submariner-cidr-wrong", "remote-pool-missing", "gateway-not-ready", "not-joined"} <= unknown_ids
        assert all("forbidden" in finding.missing for finding in judgement.findings)
        assert not unknown_ids & set(judgement.passed)


class TestNeverAPass:
    """Whatever one list answers instead of its items, no check that needs it passes on the emptiness."""

    @pytest.mark.parametrize("state", [FORBIDDEN, UNAVAILABLE, TIMED_OUT, NOT_READ])
    @pytest.mark.parametrize(
        "field", ["pods", "nodes", "daemon_sets", "ip_pools", "endpoints", "gateways", "submariners", "submariner_clusters", "server_version"]
    )
    def test_unread_list(self, field, state):
        complete = set(judged(broken()).passed) | {finding.id for finding in judged(broken()).findings}
        judgement = judged(broken(**{field: answer(state)}))
        seen = set(judgement.passed) | {finding.id for finding in judgement.findings}
        assert complete <= seen
        assert any(finding.verdict == "unknown" and state.replace("_", " ") in finding.missing for finding in judgement.findings)

    def test_not_served_is_an_answer(self):
        assert judged(cluster(service_cidrs=answer(NOT_SERVED), openshift_networks=answer(NOT_SERVED))).findings == ()

    def test_service_outside_is_seen(self):
        stray = Service(Ref("Service", "odd", "shop"), ("10.200.0.1",))
        assert "cidr-truth" in [finding.id for finding in judged(cluster(services=ok(stray))).findings]
