# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known defects, pairs of releases and kube-proxy by version: pass, fail and unknown of each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._version_conditions import CONDITIONS_KNOWN, condition
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    ApiService,
    ClusterInformation,
    ConfigMap,
    DaemonSet,
    Deployment,
    FelixConfiguration,
    Installation,
    OperatorApiServer,
    Ref,
)
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _known_bugs as bugs
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    answer,
    calico_node,
    cluster,
    component,
    container,
    judged,
    node,
    not_served,
    ok,
    submariner,
    tigera_operator,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)

BUG = "known-bug"


def running(version, **changes):
    return cluster(joined=submariner("cluster-1", version=version, pinned="10.46.0.0/16", pinned_services="10.45.0.0/16"), **changes)


def felix(**spec):
    return ok(FelixConfiguration(Ref("FelixConfiguration", "default"), "projectcalico.org/v3", spec))


def found(snapshot):
    return {next((entry.field for entry in finding.evidence if entry.object == "known defect"), "unknown") for finding in judged(snapshot, BUG).findings}


class TestKnownBug:
    def test_passes(self):
        expect_pass(running("0.19.0"), BUG)
        expect_pass(running("0.22.1"), BUG)

    def test_single_look_for_the_interface(self):
        finding = expect_fail(running("0.17.2"), BUG)
        assert finding.severity == "warning"
        assert finding.title.startswith("The route agent looks for Calico's interface once")
        assert "Upgrade Submariner to 0.17.3 or newer." in finding.remedy.text and "helps" in finding.remedy.text
        assert any("submariner#3120" in entry.value for entry in finding.evidence)

    def test_before_pools_were_made(self):
        assert {"before-pools-by-agent", "before-cni-retries"} <= found(running("0.15.4"))

    def test_calico_that_is_not_recognised(self):
        assert "before-calico-by-daemon-set" in found(running("0.15.2"))
        config = ok(ConfigMap(Ref("ConfigMap", "calico-config", "kube-system"), {}))
        assert "before-calico-by-daemon-set" not in found(running("0.15.2", config_maps=config))

    def test_ebpf_has_no_release_with_a_fix(self):
        finding = expect_fail(running("0.22.1", felix_configurations=felix(bpfEnabled=True)), BUG)
        assert "no release has a fix" in finding.remedy.text

    def test_ebpf_before_a_join(self):
        """Afterwards it is a known defect."""
        assert "linuxDataplane" in expect_fail(cluster(joined=False, felix_configurations=felix(bpfEnabled=True)), "calico-ebpf").remedy.text
        expect_pass(cluster(joined=False, felix_configurations=felix(bpfEnabled=False)), "calico-ebpf")
        expect_unknown(cluster(joined=False, felix_configurations=answer(FORBIDDEN)), "calico-ebpf")
        expect_not_asked(running("0.22.1", felix_configurations=felix(bpfEnabled=True)), "calico-ebpf")

    def test_native_crds_blind_subctl(self):
        local = ApiService(Ref("APIService", "v3.projectcalico.org"), "", True, "Local", "")
        finding = expect_fail(running("0.22.1", api_services=ok(local)), BUG)
        assert finding.severity == "info" and "subctl diagnose cni" in finding.title

    def test_calicos_own(self):
        old = ok(ClusterInformation(Ref("ClusterInformation", "default"), "v3.30.1", ""))
        nftables = felix(nftablesMode="Enabled")
        assert found(running("0.22.1", cluster_informations=old, felix_configurations=nftables)) == {"nftables-tech-preview"}

    def test_a_version_that_names_no_release(self):
        findings = judged(running("latest"), BUG).findings
        assert findings and all(finding.verdict == "unknown" for finding in findings)
        assert all("the release of Submariner (latest)" in finding.missing for finding in findings)

    def test_conditions_that_were_not_read(self):
        finding = expect_unknown(running("0.22.1", felix_configurations=answer(FORBIDDEN)), BUG)
        assert "eBPF" in finding.missing

    def test_not_for_others(self):
        expect_not_asked(cluster(joined=False), BUG)


class TestConditions:
    def of(self, name, snapshot):
        return condition(Facts.of(snapshot), name)

    def test_each_one_answers(self):
        facts = Facts.of(cluster())
        assert {name for name in CONDITIONS_KNOWN if condition(facts, name) not in (True, False, None)} == set()
        with pytest.raises(KeyError):
            condition(facts, "the moon is full")

    @pytest.mark.parametrize(
        ("name", "yes", "no", "unread"),
        [
            (bugs.KUBERNETES_1_33, {"server_version": ok("v1.33.0+k3s1")}, {"server_version": ok("v1.32.9")}, {"server_version": ok()}),
            (bugs.NO_API_SERVER_POD, {"pods": ok()}, {}, {"pods": answer(FORBIDDEN)}),
            (bugs.RKE2, {}, {"nodes": ok(node(kubelet="v1.30.4"))}, {"nodes": answer(FORBIDDEN)}),
            (bugs.SEVERAL_NODES, {"nodes": ok(node(), node("node-2"))}, {}, {"nodes": answer(FORBIDDEN)}),
            (bugs.PROXY_NFTABLES, {"pods": ok(component("kube-proxy", "--proxy-mode=nftables"))}, {}, {"pods": ok(), "nodes": ok(node(node_args=()))}),
            (
                bugs.NO_CALICO_CONFIG,
                {},
                {"config_maps": ok(ConfigMap(Ref("ConfigMap", "calico-config", "kube-system"), {}))},
                {"config_maps": answer(FORBIDDEN)},
            ),
            (
                bugs.API_SERVER_ASKED,
                {"operator_api_servers": ok(OperatorApiServer(Ref("APIServer", "default"), "Ready"))},
                {},
                {"operator_api_servers": answer(FORBIDDEN)},
            ),
            (bugs.EBPF, {"felix_configurations": felix(bpfEnabled=True)}, {"felix_configurations": felix()}, {"felix_configurations": answer(FORBIDDEN)}),
            (
                bugs.NEW_KERNEL,
                {"nodes": ok(node()._replace(kernel_version="6.8.0-31-generic"))},
                {"nodes": ok(node()._replace(kernel_version="5.15.0"))},
                {"nodes": ok(node())},
            ),
            (bugs.VMWARE, {"nodes": ok(node()._replace(provider_id="vsphere://42"))}, {}, {"nodes": answer(FORBIDDEN)}),
        ],
    )
    def test_yes_no_and_unread(self, name, yes, no, unread):
        assert self.of(name, cluster(**yes)) is True
        assert self.of(name, cluster(**no)) is False
        assert self.of(name, cluster(**unread)) is None

    def test_bgp(self):
        enabled = cluster().installations.items[0]._replace(bgp="Enabled")
        assert self.of(bugs.BGP, cluster()) is False
        assert self.of(bugs.BGP, cluster(installations=ok(enabled))) is True
        manifest = {"installations": not_served(), "config_maps": ok(ConfigMap(Ref("ConfigMap", "calico-config", "kube-system"), {"calico_backend": "bird"}))}
        assert self.of(bugs.BGP, cluster(**manifest)) is True
        assert self.of(bugs.BGP, cluster(installations=not_served(), config_maps=answer(FORBIDDEN))) is None

    def test_data_planes_of_an_installation_and_of_the_environment(self):
        plane = cluster().installations.items[0]._replace(computed={"calicoNetwork": {"linuxDataplane": "BPF"}})
        assert self.of(bugs.EBPF, cluster(installations=ok(plane))) is True
        assert self.of(bugs.CALICO_NFTABLES, cluster(installations=ok(plane))) is False
        by_environment = DaemonSet(Ref("DaemonSet", "calico-node", "kube-system"), {}, (container("calico-node", FELIX_BPFENABLED="true"),), 1, 1)
        assert self.of(bugs.EBPF, cluster(daemon_sets=ok(by_environment))) is True


class TestOperatorPair:
    check_id = "calico-operator-pair"

    def test_pass(self):
        expect_pass(cluster(), self.check_id)

    def test_fail(self):
        finding = expect_fail(cluster(deployments=ok(tigera_operator("v1.36.2"))), self.check_id)
        assert finding.title == "Calico v3.26.3 runs under tigera-operator v1.36.2, which installs 3.29"

    def test_unknown(self):
        assert "no release" in expect_unknown(cluster(deployments=ok(tigera_operator("master"))), self.check_id).missing
        assert "not known to this collection" in expect_unknown(cluster(deployments=ok(tigera_operator("v1.99.0"))), self.check_id).missing
        expect_unknown(cluster(deployments=answer(FORBIDDEN)), self.check_id)

    def test_without_an_operator(self):
        expect_not_asked(cluster(installations=not_served()), self.check_id)


class TestComponents:
    check_id = "calico-components-differ"

    def of(self, node_image="calico/node:v3.28.1", api="calico/apiserver:v3.28.1", **changes):
        image = container("calico-node")._replace(image=node_image)
        made = calico_node()._replace(ref=Ref("DaemonSet", "calico-node", "kube-system"), containers=(image,))
        server = Deployment(Ref("Deployment", "calico-apiserver", "calico-apiserver"), (container("calico-apiserver")._replace(image=api),), 1, 1)
        return cluster(**{"installations": not_served(), "daemon_sets": ok(made), "deployments": ok(server), **changes})

    def test_pass(self):
        expect_pass(self.of(), self.check_id)
        expect_pass(self.of(api="calico/apiserver@sha256:abc"), self.check_id)

    def test_fail(self):
        finding = expect_fail(self.of(api="calico/apiserver:v3.26.4"), self.check_id)
        assert finding.title == "calico-apiserver is of release v3.26.4, calico-node of v3.28.1"
        assert finding.subject == "Deployment calico-apiserver/calico-apiserver"

    def test_unknown(self):
        assert "no tag" in expect_unknown(self.of("calico/node@sha256:abc"), self.check_id).missing
        expect_unknown(self.of(deployments=answer(FORBIDDEN)), self.check_id)

    def test_an_operator_sees_to_it_itself(self):
        expect_not_asked(self.of(installations=cluster().installations), self.check_id)
        expect_not_asked(cluster(installations=not_served(), daemon_sets=ok()), self.check_id)


class TestKubeProxyByVersion:
    def of(self, version, mode="nftables"):
        snapshot = cluster(joined=submariner("cluster-1", version=version) if version else False)
        return replace(snapshot, pods=ok(component("kube-proxy", f"--proxy-mode={mode}")))

    @pytest.mark.parametrize(("version", "severity"), [("0.19.0", "warning"), ("0.21.0", "info"), ("0.22.1", "info"), ("latest", "warning"), ("", "warning")])
    def test_nftables(self, version, severity):
        finding = expect_fail(self.of(version), "kube-proxy-mode")
        assert finding.severity == severity
        assert "from 0.21.0 on" in finding.title

    def test_ipvs_leaves_an_interface_behind(self):
        remedy = expect_fail(self.of("0.22.1", "ipvs"), "kube-proxy-mode").remedy
        assert "kube-ipvs0" in remedy.text and remedy.disruptive
        assert remedy.target == "/etc/rancher/rke2/config.yaml: kube-proxy-arg"

    def test_kubespray_is_told_its_variable(self):
        config = ok(ConfigMap(Ref("ConfigMap", "calico-config", "kube-system"), {"cluster_type": "kubespray,bgp"}))
        made = calico_node()._replace(ref=Ref("DaemonSet", "calico-node", "kube-system"))
        snapshot = cluster(
            installations=not_served(),
            daemon_sets=ok(made),
            config_maps=config,
            pods=ok(component("kube-proxy", "--proxy-mode=ipvs")),
            nodes=ok(node(kubelet="v1.30.4", node_args=())),
        )
        assert "kube_proxy_mode: iptables" in expect_fail(snapshot, "kube-proxy-mode").remedy.text


def test_an_installation_alone_tells_enough_of_its_platform():
    plain = Installation(Ref("Installation", "default"), {}, "", "Calico", "Calico", (), (), "v3.26.3", variant="Calico")
    expect_pass(cluster(installations=ok(plain)), "calico-operator-pair")
