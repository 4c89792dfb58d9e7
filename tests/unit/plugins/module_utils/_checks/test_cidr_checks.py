# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of CIDRs: a cluster on which each passes, one on which it fails, one on which it cannot be judged."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, TIMED_OUT, UNAVAILABLE
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    agent,
    answer,
    broken,
    cluster,
    component,
    daemon_set,
    endpoint,
    judged,
    local_pool,
    ok,
    pod,
    submariner,
    values,
    without,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import expect_fail, expect_not_asked, expect_pass, expect_unknown


class TestCidrTruth:
    def test_passes(self):
        expect_pass(cluster(), "cidr-truth")

    def test_conflict_lists_every_source(self):
        live = cluster()
        pods = [item for item in live.pods.items if item.ref.name != "kube-controller-manager"]
        snapshot = cluster(
            pods=ok(*pods, component("kube-controller-manager", "--cluster-cidr=10.99.0.0/16")),
            helm_charts=ok(),
            ip_pools=ok(local_pool("10.46.0.0/16")),
        )
        snapshot = without(snapshot, "pods", "web-1", "web-2")
        finding = expect_fail(snapshot, "cidr-truth")
        assert "contradict" in finding.title
        assert {"10.46.0.0/16", "10.99.0.0/16"} <= set(values(finding))

    def test_addresses_outside(self):
        live = cluster()
        finding = expect_fail(cluster(pods=ok(*live.pods.items, pod("shop", "stray", "172.16.5.5"))), "cidr-truth")
        assert "outside" in finding.title
        assert "172.16.5.5" in values(finding)

    def test_unknown(self):
        snapshot = cluster(
            ip_pools=answer(FORBIDDEN),
            pods=answer(FORBIDDEN),
            helm_charts=answer(FORBIDDEN),
            installations=answer(FORBIDDEN),
            nodes=answer(FORBIDDEN),
        )
        missing = [finding.missing for finding in judged(snapshot, "cidr-truth").findings]
        assert any("pod CIDR" in text for text in missing)
        assert "cidr-truth" not in judged(snapshot, "cidr-truth").passed


class TestSubmarinerCidrs:
    def test_empty(self):
        finding = judged(cluster(joined=submariner("cluster-1", said="")), "submariner-cidr-wrong").findings[0]
        assert finding.title == "Submariner does not know this cluster's pod CIDR (10.46.0.0/16)"

    def test_pinned_wrong(self):
        finding = expect_fail(cluster(joined=submariner("cluster-1", said="10.99.0.0/16", pinned="10.99.0.0/16")), "submariner-cidr-wrong")
        assert "is pinned to the pod CIDR 10.99.0.0/16, but this cluster has 10.46.0.0/16" in finding.title

    def test_service_cidr(self):
        finding = expect_fail(cluster(joined=submariner("cluster-1", said_services="10.96.0.0/12")), "submariner-cidr-wrong")
        assert "service CIDR 10.96.0.0/12" in finding.title
        assert "SUBMARINER_SERVICECIDR" in " ".join(entry.field for entry in finding.evidence)

    def test_host_bits_are_the_same_range(self):
        expect_pass(cluster(joined=submariner("cluster-1", said="10.46.7.1/16")), "submariner-cidr-wrong")

    def test_unknown_where_truth_is(self):
        snapshot = cluster(ip_pools=answer(FORBIDDEN), pods=answer(FORBIDDEN), helm_charts=answer(FORBIDDEN), installations=answer(FORBIDDEN))
        findings = judged(snapshot, "submariner-cidr-wrong").findings
        assert findings and all(finding.verdict == "unknown" for finding in findings)

    def test_not_pinned_and_would_change(self):
        finding = expect_fail(cluster(joined=submariner("cluster-1", version="0.17.3", pinned_services="10.45.0.0/16")), "submariner-cidr-unpinned")
        assert "a restart of the operator would change it to 10.46.0.0/24" in finding.title
        assert finding.severity == "warning"

    def test_not_pinned_and_would_stay(self):
        expect_pass(cluster(), "submariner-cidr-unpinned")

    def test_pinned_is_safe(self):
        expect_pass(
            cluster(joined=submariner("cluster-1", version="0.17.3", pinned="10.46.0.0/16", pinned_services="10.45.0.0/16")),
            "submariner-cidr-unpinned",
        )

    def test_unpinned_unknown(self):
        expect_unknown(cluster(nodes=answer(TIMED_OUT)), "submariner-cidr-unpinned")
        assert "names no release" in expect_unknown(cluster(joined=submariner("cluster-1", version="our-build")), "submariner-cidr-unpinned").missing


class TestDataPlane:
    def test_passes(self):
        expect_pass(cluster(), "data-plane-cidr-outdated")
        expect_pass(broken(), "data-plane-cidr-outdated")

    def test_daemon_set_not_updated(self):
        old = daemon_set("submariner-gateway", "10.46.0.0/24", "10.45.0.0/16")
        finding = expect_fail(cluster(daemon_sets=ok(old, daemon_set("submariner-routeagent", "10.46.0.0/16", "10.45.0.0/16"))), "data-plane-cidr-outdated")
        assert values(finding) == ["10.46.0.0/24"]
        assert "DaemonSets were not" in finding.title

    def test_pod_not_restarted(self):
        snapshot = without(cluster(), "pods", "submariner-gateway-abcde")
        stale = agent("submariner-gateway", "10.46.0.0/24", "10.45.0.0/16")
        finding = expect_fail(cluster(pods=ok(*snapshot.pods.items, stale)), "data-plane-cidr-outdated")
        assert finding.subject == f"Pod {NAMESPACE}/submariner-gateway-abcde"
        assert finding.remedy.role == "fathom.submariner.join"

    def test_unknown(self):
        expect_unknown(cluster(daemon_sets=answer(FORBIDDEN)), "data-plane-cidr-outdated")


class TestAnnounced:
    def test_passes(self):
        expect_pass(cluster(), "announced-cidr-wrong")
        expect_pass(broken(), "announced-cidr-wrong")

    def test_gateway_not_restarted(self):
        finding = expect_fail(cluster(announced=("10.45.0.0/16", "10.46.0.0/24")), "announced-cidr-wrong")
        assert finding.evidence[0].value == "10.45.0.0/16, 10.46.0.0/24"
        assert finding.caused_by == ""

    def test_third_value_follows_the_wrong_status(self):
        snapshot = broken(announced=("10.45.0.0/16", "10.46.9.0/24"))
        assert expect_fail(snapshot, "announced-cidr-wrong").caused_by == "cluster-1/submariner-cidr-wrong"

    def test_globalnet_announces_something_else(self):
        joined = submariner("cluster-1", globalCIDR="242.0.0.0/16")
        expect_not_asked(cluster(joined=joined, announced=("242.0.0.0/16",)), "announced-cidr-wrong")

    def test_unknown(self):
        expect_unknown(cluster(endpoints=answer(UNAVAILABLE)), "announced-cidr-wrong")
        assert "has not announced" in expect_unknown(cluster(endpoints=ok(endpoint("cluster-2", "10.42.0.0/16"))), "announced-cidr-wrong").missing

    def test_copies_of_the_broker_are_not_its_own(self):
        own = cluster().endpoints.items
        snapshot = cluster(endpoints=ok(*own, endpoint("cluster-1", "10.46.0.0/24", namespace="submariner-k8s-broker")))
        expect_pass(snapshot, "announced-cidr-wrong")


class TestHealthCheck:
    def test_all(self):
        expect_pass(cluster(), "health-check-hides-cidr")
        assert expect_fail(broken(), "health-check-hides-cidr").severity == "info"
        expect_unknown(cluster(submariners=answer(FORBIDDEN)), "health-check-hides-cidr")


class TestDiscoveryFails:
    def test_passes(self):
        expect_pass(cluster(), "discovery-fails")

    def test_no_api_server_pod(self):
        snapshot = without(
            cluster(server_version=ok("v1.33.4+k3s1"), joined=submariner("cluster-1", version="0.20.0")),
            "pods",
            "kube-apiserver",
            "kube-controller-manager",
        )
        finding = expect_fail(snapshot, "discovery-fails")
        assert "0.21.1" in finding.remedy.text

    def test_fixed_release(self):
        snapshot = without(cluster(server_version=ok("v1.33.4+k3s1"), joined=submariner("cluster-1", version="0.21.1")), "pods", "kube-apiserver")
        expect_pass(snapshot, "discovery-fails")

    def test_unknown(self):
        expect_unknown(cluster(server_version=answer(FORBIDDEN)), "discovery-fails")
        expect_unknown(cluster(joined=submariner("cluster-1", version="our-build")), "discovery-fails")
