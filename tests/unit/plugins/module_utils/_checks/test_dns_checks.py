# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of service discovery, and of known messages: pass, fail and unknown of each."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    NOT_READ,
    ApiService,
    Condition,
    ConfigMap,
    ContainerStatus,
    Event,
    OpenShiftDns,
    PodLog,
    Ref,
    Service,
    ServiceExport,
    ServiceImport,
    TigeraStatus,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    answer,
    cluster,
    deployment,
    judged,
    ok,
    pod,
    submariner,
    values,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)

LIGHTHOUSE = "10.45.77.12"
KUBE_DNS = "10.45.0.10"
WAITING = Condition("Degraded", "True", "ResourceNotReady", "Waiting for Tigera API server to be ready")
ROOT = ".:53 {\n    kubernetes cluster.local\n    forward . /etc/resolv.conf\n}\n"


def forward(domain="clusterset.local", address=LIGHTHOUSE):
    return f"{domain}:53 {{\n    forward . {address}\n}}\n"


def corefile(name, text, namespace="kube-system", key="Corefile"):
    return ConfigMap(Ref("ConfigMap", name, namespace), {key: text})


def discovering(*config_maps, version="0.19.0", spec=None, **changes):
    fields = {
        "joined": submariner("cluster-1", version=version, serviceDiscoveryEnabled=True, **(spec or {})),
        "config_maps": ok(*config_maps),
        "services": ok(
            *cluster().services.items,
            Service(Ref("Service", "kube-dns", "kube-system"), (KUBE_DNS,)),
            Service(Ref("Service", "submariner-lighthouse-coredns", NAMESPACE), (LIGHTHOUSE,)),
        ),
        "deployments": ok(*(deployment(name) for name in ("submariner-operator", "submariner-lighthouse-agent", "submariner-lighthouse-coredns"))),
    }
    return cluster(**{**fields, **changes})


class TestForwarding:
    ID = "dns-not-forwarded"

    def test_passes(self):
        expect_pass(discovering(corefile("coredns", forward() + ROOT)), self.ID)

    def test_not_asked_without_service_discovery(self):
        expect_not_asked(cluster(), self.ID)

    def test_rke2_before_0_20(self):
        finding = expect_fail(discovering(corefile("rke2-coredns-rke2-coredns", ROOT)), self.ID)
        assert finding.severity == "error"
        assert finding.title == (
            "The cluster's DNS does not know clusterset.local: Submariner 0.19.0 does not handle RKE2's CoreDNS (rke2-coredns-rke2-coredns)"
        )
        assert finding.remedy.target == "HelmChartConfig kube-system/rke2-coredns" and LIGHTHOUSE in finding.remedy.text

    def test_rke2_on_0_20(self):
        assert "does not handle" not in expect_fail(discovering(corefile("rke2-coredns-rke2-coredns", ROOT), version="0.20.0"), self.ID).title
        expect_pass(discovering(corefile("rke2-coredns-rke2-coredns", forward() + ROOT), version="0.20.0"), self.ID)

    def test_the_address_of_an_earlier_lighthouse(self):
        finding = expect_fail(discovering(corefile("coredns", forward(address="10.45.1.1") + ROOT)), self.ID)
        assert finding.title == f"The cluster's DNS forwards clusterset.local to 10.45.1.1, and Lighthouse is at {LIGHTHOUSE}"

    def test_a_custom_domain(self):
        finding = expect_fail(discovering(corefile("coredns", forward() + ROOT), spec={"customDomains": ["shop.example"]}), self.ID)
        assert "does not know shop.example" in finding.title

    def test_a_custom_config_map_that_is_imported(self):
        spec = {"coreDNSCustomConfig": {"configMapName": "coredns-custom", "namespace": "kube-system"}}
        written = corefile("coredns-custom", forward(), key="lighthouse.server")
        expect_pass(discovering(corefile("coredns", ROOT + "import custom/*.server\n"), written, spec=spec), self.ID)
        assert "does not know" in expect_fail(discovering(corefile("coredns", ROOT), written, spec=spec), self.ID).title
        expect_unknown(discovering(corefile("coredns", ROOT + "import custom/*.server\n"), spec=spec), self.ID)

    def test_openshift(self):
        right, wrong = (OpenShiftDns(Ref("DNS", "default"), (("clusterset.local", (address,)),)) for address in (LIGHTHOUSE, "10.45.1.1"))
        expect_pass(discovering(openshift_dns=ok(right)), self.ID)
        assert values(expect_fail(discovering(openshift_dns=ok(wrong)), self.ID)) == ["10.45.1.1"]
        expect_fail(discovering(openshift_dns=ok(OpenShiftDns(Ref("DNS", "default"), ()))), self.ID)

    def test_unknown(self):
        expect_unknown(discovering(), self.ID)
        expect_unknown(discovering(config_maps=answer(FORBIDDEN)), self.ID)


class TestNodeCache:
    ID = "dns-node-cache"
    MAIN = corefile("coredns", forward() + ROOT)

    def test_passes(self):
        expect_pass(discovering(self.MAIN), self.ID)
        expect_pass(discovering(self.MAIN, corefile("nodelocaldns", forward(address=KUBE_DNS) + ROOT)), self.ID)
        expect_pass(discovering(self.MAIN, corefile("nodelocaldns", f".:53 {{\n forward . {KUBE_DNS}\n}}\n")), self.ID)

    def test_kubespray(self):
        finding = expect_fail(discovering(self.MAIN, corefile("nodelocaldns", ROOT)), self.ID)
        assert finding.title == "NodeLocal DNSCache sends clusterset.local to /etc/resolv.conf instead of the cluster's DNS"
        assert "nodelocaldns_external_zones" in finding.remedy.text

    def test_a_template(self):
        text = ".:53 {\n    forward . __PILLAR__UPSTREAM__SERVERS__\n}\n"
        expect_unknown(discovering(self.MAIN, corefile("node-local-dns", text)), self.ID)

    def test_unknown(self):
        expect_unknown(discovering(config_maps=answer(NOT_READ)), self.ID)


class TestExports:
    ID = "service-export-failed"

    def exported(self, *conditions):
        return cluster(service_exports=ok(ServiceExport(Ref("ServiceExport", "web", "shop"), conditions)))

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(self.exported(Condition("Valid", "True"), Condition("Ready", "True"), Condition("Conflict", "False")), self.ID)

    @pytest.mark.parametrize(
        ("condition", "words"),
        [
            (Condition("Valid", "False", "ServiceUnavailable", "no such Service"), "not Valid: ServiceUnavailable"),
            (Condition("Conflict", "True", "ConflictingPorts", "ports differ"), "in conflict: ConflictingPorts"),
        ],
    )
    def test_fails(self, condition, words):
        assert words in expect_fail(self.exported(condition), self.ID).title

    def test_unknown(self):
        expect_unknown(cluster(service_exports=answer(FORBIDDEN)), self.ID)

    def test_one_reason_is_one_finding(self):
        same = Condition("Valid", "False", "ServiceUnavailable", "no such Service")
        exports = [ServiceExport(Ref("ServiceExport", f"web-{number}", "shop"), (same,)) for number in range(30)]
        assert "and 27 more are exported" in expect_fail(cluster(service_exports=ok(*exports)), self.ID).title


class TestImports:
    ID = "service-import-empty"

    def test_passes(self):
        expect_pass(cluster(service_imports=ok(ServiceImport(Ref("ServiceImport", "web", "shop"), "ClusterSetIP", ("cluster-2",)))), self.ID)

    def test_fails(self):
        finding = expect_fail(cluster(service_imports=ok(ServiceImport(Ref("ServiceImport", "web", "shop"), "ClusterSetIP", ()))), self.ID)
        assert finding.title == "1 imported Services have no cluster behind them: shop/web"

    def test_unknown(self):
        expect_unknown(cluster(service_imports=answer(FORBIDDEN)), self.ID)


class TestKnownMessages:
    ID = "known-message"

    def said(self, *lines, name="submariner-routeagent-abcde", previous=False, **changes):
        return cluster(logs=ok(PodLog(Ref("Pod", name, NAMESPACE), "main", "\n".join(lines), previous=previous)), **changes)

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(self.said("Successfully created Calico IPPool"), self.ID)

    def test_what_only_a_log_tells(self):
        finding = expect_fail(self.said(*["ERR loose mode not configured on iface vxlan.calico"] * 3), self.ID)
        assert (finding.severity, finding.caused_by) == ("error", "")
        assert finding.evidence[0].note == "3 times" and "rp_filter" in finding.title

    def test_what_another_check_judges_is_an_information(self):
        finding = expect_fail(self.said("the server could not find the requested resource (post ippools.projectcalico.org)"), self.ID)
        assert (finding.severity, finding.caused_by) == ("info", "cluster-1/calico-api-unavailable")

    def test_the_log_of_an_earlier_run_tells_of_crashes_not_of_now(self):
        expect_pass(self.said("loose mode not configured on iface", previous=True), self.ID)

    def test_what_a_container_ended_on_is_told_elsewhere(self):
        expect_pass(self.said("could not determine public IP", name="submariner-gateway-abcde"), self.ID)

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"events": ok(Event(Ref("Pod", "x", "calico"), "FailedMount", 'secret "calico-apiserver-certs" not found', 4, ""))}, "event FailedMount"),
            ({"tigera_statuses": ok(TigeraStatus(Ref("TigeraStatus", "tiers"), (WAITING,)))}, "status.conditions[Degraded]"),
            (
                {"api_services": ok(ApiService(Ref("APIService", "v3.projectcalico.org"), "a/b", False, "MissingEndpoints", "none"))},
                "status.conditions[Available]",
            ),
        ],
    )
    def test_statuses_and_events(self, changes, where):
        found = judged(cluster(**changes), self.ID).findings
        assert [entry.evidence[0].field for entry in found] == [where]

    def test_what_the_kubelet_says_of_a_container(self):
        status = ContainerStatus("web", False, 0, "web:1", waiting_reason="CreateContainerError", waiting_message="connection is unauthorized: Unauthorized")
        snapshot = cluster(pods=ok(*cluster().pods.items, pod("shop", "web-9", "", ready=False)._replace(statuses=(status,))))
        assert expect_fail(snapshot, self.ID).severity == "error"

    def test_statuses_that_are_well(self):
        healthy = TigeraStatus(Ref("TigeraStatus", "calico"), (Condition("Available", "True", "AllObjectsAvailable", "MissingEndpoints"),))
        expect_pass(cluster(tigera_statuses=ok(healthy)), self.ID)

    def test_unknown(self):
        expect_unknown(cluster(logs=answer(FORBIDDEN)), self.ID)
