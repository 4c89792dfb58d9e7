# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of Calico's address on each node, of its autodetection, and of its migrations: pass, fail and unknown of each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    ClusterInformation,
    DatastoreMigration,
    HelmChartConfig,
    Ref,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, judged, not_served, ok, submariner
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import expect_fail, expect_not_asked, expect_pass, expect_unknown

PICKED = "calico-address-of-submariner"
INTERNAL = "calico-address-not-internal"
TUNNEL = "calico-tunnel-address-outside-pools"
METHOD = "autodetection-picks-submariner"
MIGRATION = "calico-migration-in-flight"
VALUES = "nodeAddressAutodetectionV4: {firstFound: false, kubernetes: NodeInternalIP} "  # the operator's default stays, unless it is switched off by name
FIRST_FOUND = methods.installation("RKE2", release="rke2-calico", autodetection={"firstFound": True})


def node(name, address, internal="192.168.0.1", labels=None, **annotations):
    found = methods.plain_node(name, labels=labels)
    return found._replace(internal_ips=(internal,), annotations={**found.annotations, "projectcalico.org/IPv4Address": address, **annotations})


class TestPicked:
    def test_one_worker(self):
        finding = expect_fail(cluster(nodes=ok(node("a", "192.168.0.1/24"), node("b", "240.168.0.2/8", "192.168.0.2")), installations=ok(FIRST_FOUND)), PICKED)
        assert finding.severity == "error"
        assert finding.title == "Calico took 240.168.0.2/8, the address of Submariner's vx-submariner, for that of b"
        assert finding.evidence[0].note == "InternalIP 192.168.0.2"
        assert finding.evidence[1].value == "firstFound: True"
        assert "HelmChartConfig kube-system/rke2-calico" in finding.remedy.target

    @pytest.mark.parametrize(
        "nodes",
        [
            (node("a", "192.168.0.1/24"), node("b", "240.168.0.2/8", "192.168.0.2", labels={"submariner.io/gateway": "true"})),
            (node("a", "240.168.0.1/8"), node("b", "240.168.0.2/8", "192.168.0.2")),
        ],
        ids=["gateway", "all"],
    )
    def test_traffic_is_dead(self, nodes):
        assert expect_fail(cluster(nodes=ok(*nodes)), PICKED).severity == "blocker"

    def test_many_are_few_rows(self):
        nodes = [node(f"n{number}", f"240.168.0.{number}/8", f"192.168.0.{number}") for number in range(1, 30)]
        finding = expect_fail(cluster(nodes=ok(node("a", "192.168.0.200/24", "192.168.0.200"), *nodes)), PICKED)
        assert "n5 and 24 more" in finding.title
        assert len(finding.evidence) == 6

    def test_passes(self):
        expect_pass(cluster(), PICKED)
        expect_pass(cluster(joined=False), PICKED)

    def test_not_asked(self):
        expect_not_asked(cluster(installations=ok(methods.installation("EKS", cni="AmazonVPC"))), PICKED)

    def test_unknown(self):
        expect_unknown(cluster(nodes=answer(FORBIDDEN)), PICKED)
        without = methods.plain_node()._replace(annotations={})
        assert "no Node has an annotation" in expect_unknown(cluster(nodes=ok(without)), PICKED).missing
        etcd = methods.without_operator(methods.calico_node(DATASTORE_TYPE="etcdv3"), nodes=ok(without))
        assert "in etcd" in expect_unknown(cluster(**etcd), PICKED).missing


class TestNotInternal:
    other = node("a", "10.9.9.9/24")

    def test_by_accident(self):
        finding = expect_fail(cluster(nodes=ok(self.other), installations=ok(FIRST_FOUND)), INTERNAL)
        assert (finding.severity, finding.title) == ("warning", "Calico uses 10.9.9.9/24 on a, which is not its InternalIP")

    def test_by_choice(self):
        chosen = ok(methods.installation(autodetection={"interface": "storage0"}))
        assert expect_fail(cluster(**methods.operator(nodes=ok(self.other), installations=chosen)), INTERNAL).severity == "info"

    def test_passes(self):
        expect_pass(cluster(), INTERNAL)
        expect_pass(cluster(nodes=ok(node("a", "240.168.0.1/8"))), INTERNAL)

    def test_second_family_without_an_internal_address(self):
        dual = node("a", "192.168.0.1/24", **{"projectcalico.org/IPv6Address": "fd00::1/64"})
        expect_pass(cluster(nodes=ok(dual)), INTERNAL)
        expect_fail(cluster(nodes=ok(dual._replace(internal_ips=("192.168.0.1", "fd00::2")))), INTERNAL)

    def test_unknown(self):
        expect_unknown(cluster(nodes=answer(FORBIDDEN)), INTERNAL)


class TestTunnel:
    def of(self, address):
        return cluster(nodes=ok(node("a", "192.168.0.1/24", **{"projectcalico.org/IPv4VXLANTunnelAddr": address})))

    def test_outside(self):
        finding = expect_fail(self.of("10.99.1.0"), TUNNEL)
        assert (finding.severity, finding.evidence[0].value) == ("warning", "10.99.1.0")

    def test_passes(self):
        expect_pass(self.of("10.46.7.64"), TUNNEL)
        expect_pass(cluster(), TUNNEL)

    def test_unknown(self):
        expect_unknown(cluster(ip_pools=answer(FORBIDDEN)), TUNNEL)


class TestMethod:
    @pytest.mark.parametrize("joined", [None, False], ids=["member", "candidate"])
    @pytest.mark.parametrize(
        ("changes", "step", "target"),
        [
            (methods.rke2(installations=ok(FIRST_FOUND)), VALUES, "HelmChartConfig kube-system/rke2-calico"),
            (methods.helm(installations=ok(methods.installation(release="calico", autodetection={"firstFound": True}))), VALUES, "Helm release"),
            (methods.operator(installations=ok(methods.installation(autodetection={"firstFound": True}))), '"firstFound":null', "Installation default"),
            (methods.manifest(), "set env daemonset/calico-node IP_AUTODETECTION_METHOD=kubernetes-internal-ip", "DaemonSet kube-system/calico-node"),
            (methods.microk8s(), "microk8s' cni-network directory", "DaemonSet kube-system/calico-node"),
            (methods.roks(installations=ok(methods.installation("OpenShift", autodetection={"firstFound": True}))), "Ask IBM's support", "IBM's master"),
        ],
        ids=["rke2", "helm", "operator", "manifest", "microk8s", "roks"],
    )
    def test_first_found(self, joined, changes, step, target):
        finding = expect_fail(cluster(joined=joined, **changes), METHOD)
        assert finding.severity == "warning"
        assert "first-found" in finding.title
        assert step in finding.remedy.text
        assert target in finding.remedy.target

    @pytest.mark.parametrize(
        ("method", "step"),
        [
            (methods.helm, '{firstFound: false, skipInterface: "", cidrs: [], kubernetes: NodeInternalIP}'),
            (methods.operator, '{"skipInterface":null,"cidrs":null,"kubernetes":"NodeInternalIP"}'),
        ],
    )
    def test_whatever_else_is_in_force_goes(self, method, step):
        written = {"skipInterface": "docker.*", "cidrs": ["240.0.0.0/4"]}
        installation = methods.installation(release="calico" if method is methods.helm else "", autodetection=written, in_spec=True)
        assert step in expect_fail(cluster(**method(installations=ok(installation))), METHOD).remedy.text

    def test_pattern_of_kubespray(self):
        daemon_set = methods.calico_node(IP="autodetect", IP_AUTODETECTION_METHOD="skip-interface=docker.*")
        finding = expect_fail(cluster(**methods.kubespray(daemon_sets=ok(daemon_set))), METHOD)
        assert "calico_ip_auto_method" in finding.remedy.text

    def test_vxlan_cable(self):
        skips = ok(methods.installation("RKE2", autodetection={"skipInterface": "vx-submariner"}))
        expect_pass(cluster(installations=skips), METHOD)
        cable = submariner("cluster-1", cableDriver="vxlan")
        assert "vxlan-tunnel" in expect_fail(cluster(joined=cable, installations=skips), METHOD).evidence[0].note

    def test_canal_is_information(self):
        assert expect_fail(cluster(**methods.canal()), METHOD).severity == "info"

    def test_happened_already(self):
        snapshot = cluster(nodes=ok(node("a", "240.168.0.1/8")), installations=ok(FIRST_FOUND))
        assert expect_fail(snapshot, METHOD).caused_by == f"cluster-1/{PICKED}"

    @pytest.mark.parametrize("changes", [{}, methods.kubespray(), methods.roks()], ids=["internal-ip", "kubespray", "roks"])
    def test_passes(self, changes):
        expect_pass(cluster(**changes), METHOD)

    def test_unknown(self):
        expect_unknown(cluster(installations=answer(FORBIDDEN)), METHOD)
        expect_unknown(cluster(installations=ok(methods.installation(autodetection={"interface": "("}))), METHOD)


class TestMigration:
    def of(self, phase):
        return cluster(datastore_migrations=ok(DatastoreMigration(Ref("DatastoreMigration", "v1-to-v3"), phase)))

    @pytest.mark.parametrize(
        ("phase", "severity"),
        [("Pending", "warning"), ("Migrating", "warning"), ("WaitingForConflictResolution", "error"), ("Converged", "warning"), ("Failed", "error")],
    )
    def test_phases(self, phase, severity):
        finding = expect_fail(self.of(phase), MIGRATION)
        assert (finding.severity, finding.evidence[0].value) == (severity, phase)

    def test_locked_datastore_is_evidence(self):
        locked = ok(ClusterInformation(Ref("ClusterInformation", "default"), "v3.32.0", "", False))
        snapshot = replace(self.of("Migrating"), cluster_informations=locked)
        assert expect_fail(snapshot, MIGRATION).evidence[1].field == "spec.datastoreReady"

    def test_to_the_operator(self):
        label = "projectcalico.org/operator-node-migration"
        nodes = ok(node("a", "192.168.0.1/24", labels={label: "migrated"}), node("b", "192.168.0.1/24", labels={label: "pre-operator"}))
        finding = expect_fail(cluster(nodes=nodes), MIGRATION)
        assert (finding.severity, finding.title.endswith("has not finished on b")) == ("warning", True)

    def test_passes(self):
        expect_pass(cluster(), MIGRATION)
        expect_pass(self.of("Complete"), MIGRATION)
        expect_pass(cluster(datastore_migrations=not_served()), MIGRATION)

    def test_unknown(self):
        expect_unknown(cluster(datastore_migrations=answer(FORBIDDEN)), MIGRATION)


class TestHealthyInEveryWay:
    """No way of installing Calico is a fault by itself."""

    @pytest.mark.parametrize(
        "changes",
        [
            methods.rke2(operator_api_servers=ok(methods.api_server())),
            methods.rke2(helm_chart_configs=ok(HelmChartConfig(Ref("HelmChartConfig", "rke2-calico", "kube-system"), {"apiServer.enabled": "true"}))),
            methods.operator(operator_api_servers=ok(methods.api_server())),
            methods.helm(operator_api_servers=ok(methods.api_server())),
            methods.kubespray(),
            methods.roks(),
            methods.roks("v1.29.8"),
        ],
    )
    def test_nothing_above_information(self, changes):
        wanted = {"calico-api", "pools", "autodetection", "ownership"}
        judgement = judged(cluster(**changes))
        areas = {entry.id for entry in CHECKS if entry.area in wanted}
        assert [finding.id for finding in judgement.findings if finding.id in areas and finding.severity != "info"] == []
        assert len([check_id for check_id in judgement.passed if check_id in areas]) > 10


class TestRemedies:
    @pytest.mark.parametrize(
        ("changes", "role"),
        [
            (methods.rke2(installations=ok(FIRST_FOUND)), True),
            (methods.operator(installations=ok(methods.installation(autodetection={"firstFound": True}))), True),
            (methods.manifest(), True),
            (methods.microk8s(), True),
            (methods.helm(installations=ok(methods.installation(release="calico", autodetection={"firstFound": True}))), False),
            (methods.roks(installations=ok(methods.installation("OpenShift", autodetection={"firstFound": True}))), False),
            (methods.canal(), False),
        ],
    )
    def test_the_role_repairs_what_it_may_write(self, changes, role):
        remedy = expect_fail(cluster(**changes), METHOD).remedy
        assert remedy.role == ("fathom.submariner.calico_autodetection" if role else "") and remedy.disruptive and remedy.text

    def test_an_old_calico_gets_a_method_that_it_knows(self):
        old = methods.manifest(cluster_informations=ok(ClusterInformation(Ref("ClusterInformation", "default"), "v3.16.1", "k8s,bgp", True)))
        variables = expect_fail(cluster(**old), METHOD).remedy.variables
        assert variables["calico_autodetection_method"] == "skip-interface"
        assert variables["calico_autodetection_skip_interface"] == "^vx-submariner$,^vxlan-tunnel$,^submariner$"
