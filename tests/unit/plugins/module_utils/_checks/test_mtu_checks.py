# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTU on whole clusters: pass, fail and unknown of each check."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    ClusterInformation,
    ConfigMap,
    DaemonSet,
    EnvVar,
    FelixConfiguration,
    HelmChart,
    HelmChartConfig,
    Installation,
    Manager,
    Origin,
    PodLog,
    Ref,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    answer,
    calico_node,
    calico_pod,
    cluster,
    container,
    local_pool,
    node,
    not_served,
    ok,
    pod,
    pool,
    submariner,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)

WANTED = '[INFO][57] felix/vxlan_mgr.go 679: VXLAN device MTU needs to be updated device="vxlan.calico" ipVersion=0x4 new=1500 old=1450'
REFUSED = "[WARNING][57] felix/vxlan_mgr.go 681: Failed to set vxlan tunnel device MTU error=invalid argument ipVersion=0x4"
CHANGED = "2026-01-02T00:00:00Z"


def log(*lines):
    return ok(PodLog(Ref("Pod", "calico-node-node-1", "calico-system"), "calico-node", "\n".join(lines)))


def felix(name="default", **spec):
    return FelixConfiguration(Ref("FelixConfiguration", name), "projectcalico.org/v3", spec)


def operator(mtu=None, status=0, origin=Origin(), spec_mtu=None, **changes):
    """An operator's cluster with that MTU in force, None for automatic."""
    computed = {"calicoNetwork": {"mtu": mtu} if mtu else {}}
    spec = {"calicoNetwork": {"mtu": spec_mtu or mtu} if spec_mtu or mtu else {}}
    made = Installation(
        Ref("Installation", "default"),
        {},
        "RKE2",
        "Calico",
        "Calico",
        (),
        (),
        "v3.26.3",
        "Disabled",
        spec=spec,
        computed=computed,
        mtu=mtu or status,
        variant="Calico",
        created="2026-01-01T00:00:00Z",
        origin=origin,
    )
    env = (EnvVar("FELIX_VXLANMTU", str(mtu)),) if mtu else ()
    daemon_set = calico_node()._replace(containers=(container("calico-node")._replace(env=env),))
    return cluster(**{"installations": ok(made), "daemon_sets": ok(daemon_set), **changes})


def policy_only(mtu=None, status=9001, **changes):
    """Amazon's CNI gives pods their interfaces; no pool of Calico's is in use."""
    made = operator(mtu, status, **{"ip_pools": ok(), **changes})
    (installation,) = made.installations.items
    return replace(made, installations=ok(installation._replace(provider="EKS", cni_type="AmazonVPC", ipam_type="AmazonVPC")))


def kubespray(conflist=None, tunnels=None, cni_mtu=None, **changes):
    text = '"type": "calico"' + (f', "mtu": {conflist}' if conflist else "")
    env = {"CNI_NETWORK_CONFIG": text, **({"FELIX_VXLANMTU": str(tunnels)} if tunnels else {}), **({"CNI_MTU": str(cni_mtu)} if cni_mtu else {})}
    made = DaemonSet(Ref("DaemonSet", "calico-node", "kube-system"), {"k8s-app": "calico-node"}, (container("calico-node", **env),), 1, 1, 1, 1)
    config = ConfigMap(Ref("ConfigMap", "calico-config", "kube-system"), {"cluster_type": "kubespray"})
    return cluster(**{"installations": not_served(), "daemon_sets": ok(made), "config_maps": ok(config), "nodes": ok(node(kubelet="v1.30.4")), **changes})


def manifest(mtu, **changes):
    """calico.yaml, whose ConfigMap somebody has changed after calico-node had started."""
    origin = Origin(managers=(Manager("kubectl-patch", "Update", CHANGED, fields=("data.veth_mtu",)),))
    config = ConfigMap(Ref("ConfigMap", "calico-config", "kube-system"), {"calico_backend": "vxlan", "veth_mtu": str(mtu)}, origin)
    env = (
        EnvVar("CNI_NETWORK_CONFIG", '"type": "calico", "mtu": __CNI_MTU__'),
        *(EnvVar(name, "", "calico-config/veth_mtu") for name in ("CNI_MTU", "FELIX_VXLANMTU")),
    )
    containers = (container("calico-node")._replace(env=env),)
    made = DaemonSet(Ref("DaemonSet", "calico-node", "kube-system"), {"k8s-app": "calico-node"}, containers, 1, 1, 1, 1)
    running = calico_pod()._replace(ref=Ref("Pod", "calico-node-node-1", "kube-system"))
    objects = {"installations": not_served(), "daemon_sets": ok(made), "config_maps": ok(config), "pods": ok(running)}
    return cluster(**{**objects, "helm_chart_configs": not_served(), "nodes": ok(node(kubelet="v1.30.4")), **changes})


class TestTooLarge:
    check_id = "mtu-too-large"

    def test_passes_where_all_is_automatic(self):
        expect_pass(operator(), self.check_id)
        expect_pass(operator(status=1450), self.check_id)
        expect_pass(kubespray(), self.check_id)

    def test_the_link_is_named_by_the_log(self):
        line = "Configured MTU is larger than detected host interface MTU hostMTU=1450 mtu=1500"
        finding = expect_fail(operator(1500, logs=log(line)), self.check_id)
        assert finding.title == "Calico sends packets of 1500 bytes and 50 of VXLAN, and the links carry 1450: at most 1400 fit"
        assert "installation.calicoNetwork.mtu: 1400" in finding.remedy.text and finding.remedy.disruptive

    def test_a_tunnel_in_felix_configuration_against_a_link_of_the_log(self):
        line = "Configured MTU is larger than detected host interface MTU hostMTU=1500 mtu=9000"
        finding = expect_fail(operator(felix_configurations=ok(felix(vxlanMTU=1480)), logs=log(line)), self.check_id)
        assert "1480 bytes and 50 of VXLAN" in finding.title and finding.subject == "FelixConfiguration default"

    def test_without_encapsulation(self):
        line = "Configured MTU is larger than detected host interface MTU hostMTU=1500 mtu=9000"
        plain = ok(pool("default-ipv4-ippool", "10.46.0.0/16", disabled=False))
        finding = expect_fail(operator(9000, ip_pools=plain, logs=log(line)), self.check_id)
        assert finding.title == "Calico sends packets of 9000 bytes, and the links carry 1500: at most 1500 fit"

    def test_the_kernel_refuses(self):
        finding = expect_fail(kubespray(1500, 1500, logs=log(WANTED, REFUSED)), self.check_id)
        assert finding.title == "Calico wants packets of 1500 bytes in VXLAN, and the kernel refuses: the device keeps 1450"
        assert "calico_mtu: 1450" in finding.remedy.text

    def test_a_refusal_of_a_derived_value_is_not_a_knobs_fault(self):
        expect_pass(kubespray(logs=log(WANTED, REFUSED)), self.check_id)

    @pytest.mark.parametrize(("mtu", "more"), [(1500, "ordinary Ethernet"), (1400, "")])
    def test_unknown_without_the_link(self, mtu, more):
        for snapshot in (operator(mtu), kubespray(mtu, mtu)):
            finding = expect_unknown(snapshot, self.check_id)
            assert f"needs links of {mtu + 50} bytes" in finding.title and more in finding.title
            assert "ip link" in finding.missing

    def test_what_the_kernel_has_taken_fits(self):
        started = "[INFO][66] felix/int_dataplane.go 1234: Determined pod MTU mtu=1450"
        running = ok(calico_pod(ready=True)._replace(ref=Ref("Pod", "calico-node-node-1", "calico-system")))
        expect_pass(operator(1450, logs=log(started), pods=running), self.check_id)
        expect_unknown(operator(1450, logs=log(started), pods=ok(running.items[0]._replace(ready=False))), self.check_id)
        expect_unknown(operator(1450, logs=log("the beginning is lost"), pods=running), self.check_id)
        encrypted = ok(felix(wireguardEnabled=True, wireguardMTU=1440))
        expect_unknown(operator(1450, logs=log(started), pods=running, felix_configurations=encrypted), self.check_id)

    def test_a_cloud_that_promises_enough_is_enough(self):
        on_ibm = ok(node()._replace(provider_id="ibm://1///2"))
        expect_pass(operator(1450, nodes=on_ibm), self.check_id)
        expect_unknown(operator(1480, nodes=on_ibm), self.check_id)

    @pytest.mark.parametrize("field", ["ip_pools", "felix_configurations"])
    def test_unknown_without_lists(self, field):
        assert "forbidden" in expect_unknown(operator(1450, **{field: answer(FORBIDDEN)}), self.check_id).missing

    def test_not_asked_without_calico(self):
        expect_not_asked(cluster(installations=not_served(), daemon_sets=ok()), self.check_id)
        expect_unknown(cluster(installations=not_served(), daemon_sets=answer(FORBIDDEN)), self.check_id)


class TestAnotherCni:
    """No MTU of Calico's reaches a pod: what is said of pods is not asked, and WireGuard's tunnel is judged for itself."""

    encrypted = {"felix_configurations": ok(felix(wireguardEnabled=True))}

    def test_what_is_configured_for_pods_is_nobodys(self):
        line = log("Configured MTU is larger than detected host interface MTU hostMTU=1500 mtu=9001")
        expect_pass(policy_only(9001, logs=line), "mtu-too-large")
        expect_pass(policy_only(9001), "mtu-too-large")

    @pytest.mark.parametrize("check_id", ["mtu-pod-exceeds-tunnel", "mtu-link-guessed", "mtu-change-pending", "mtu-pods-outdated"])
    def test_nothing_is_asked_about_pods(self, check_id):
        origin = Origin(managers=(Manager("kubectl-patch", "Update", CHANGED, fields=("spec.calicoNetwork.mtu",)),))
        guessed = log("[WARNING] Failed to auto-detect host MTU - no interfaces matched the MTU interface pattern")
        for mtu, spec_mtu in ((None, None), (1400, None), (1400, 1300)):
            expect_not_asked(policy_only(mtu, spec_mtu=spec_mtu, origin=origin, logs=guessed), check_id)

    def test_wireguards_tunnel_is_a_persons_to_set(self):
        line = log("Configured MTU is larger than detected host interface MTU hostMTU=1500 mtu=9001")
        finding = expect_fail(policy_only(logs=line, felix_configurations=ok(felix(wireguardEnabled=True, wireguardMTU=9001))), "mtu-too-large")
        assert "at most 1440 fit" in finding.title and finding.remedy.role == ""
        assert "AmazonVPC gives pods theirs" in finding.remedy.text and "recreate" not in finding.remedy.text

    def test_the_interface_that_felix_guessed_matters_with_wireguard_alone(self):
        expect_fail(policy_only(status=1400, **self.encrypted, logs=log("Failed to auto-detect host MTU - no interfaces matched")), "mtu-link-guessed")


class TestAks:
    """Felix takes 100 bytes more for WireGuard between AKS' nodes, which is what the configured MTU is judged by."""

    @pytest.mark.parametrize(("mtu", "fits"), [(1340, True), (1440, False)])
    def test_host_encryption(self, mtu, fits):
        spec = {"wireguardEnabled": True, "wireguardHostEncryptionEnabled": True, "wireguardMTU": mtu}
        line = log("Configured MTU is larger than detected host interface MTU hostMTU=1500 mtu=1600")
        made = operator(felix_configurations=ok(felix(**spec)), logs=line)
        made = replace(made, installations=ok(made.installations.items[0]._replace(provider="AKS")))
        if fits:
            expect_pass(made, "mtu-too-large")
            return
        finding = expect_fail(made, "mtu-too-large")
        assert finding.title == "Calico sends packets of 1440 bytes and 160 of WireGuard, and the links carry 1500: at most 1340 fit"


class TestPodExceedsTunnel:
    check_id = "mtu-pod-exceeds-tunnel"

    def test_passes(self):
        expect_pass(operator(1450), self.check_id)
        expect_pass(kubespray(1400, 1450), self.check_id)

    def test_kubesprays_misnamed_variable(self):
        finding = expect_fail(kubespray(1500, 1430, 1430), self.check_id)
        assert finding.title == "Pods send packets of 1500 bytes, and the VXLAN tunnel takes 1430"
        assert any("calico_veth_mtu" in entry.note and entry.field == "env CNI_MTU" for entry in finding.evidence)

    def test_a_contradiction_needs_no_link(self):
        installation = operator(1500).installations
        finding = expect_fail(
            operator(1500, installations=installation, daemon_sets=ok(calico_node()), felix_configurations=ok(felix(vxlanMTU=1400))), self.check_id
        )
        assert "takes 1400" in finding.title

    def test_unknown(self):
        expect_unknown(operator(1500, ip_pools=answer(FORBIDDEN)), self.check_id)
        expect_unknown(kubespray(config_maps=answer(FORBIDDEN), daemon_sets=answer(FORBIDDEN)), self.check_id)


class TestSettingIgnored:
    check_id = "mtu-setting-ignored"

    def test_passes(self):
        expect_pass(operator(felix_configurations=ok(felix(vxlanMTU=1400))), self.check_id)
        expect_pass(operator(1400, felix_configurations=ok(felix(vxlanMTU=1400))), self.check_id)

    def test_felix_configuration_behind_the_environment(self):
        finding = expect_fail(operator(1450, felix_configurations=ok(felix(vxlanMTU=1400))), self.check_id)
        assert finding.title == "spec.vxlanMTU = 1400 has no effect: env FELIX_VXLANMTU = 1450 is in force"
        assert finding.severity == "warning"

    def test_zero_in_the_environment_wins(self):
        daemon_set = calico_node()._replace(containers=(container("calico-node", FELIX_VXLANMTU="0"),))
        finding = expect_fail(operator(daemon_sets=ok(daemon_set), felix_configurations=ok(felix(vxlanMTU=1400))), self.check_id)
        assert "env FELIX_VXLANMTU = 0 (automatic)" in finding.title

    def test_kubesprays_string(self):
        finding = expect_fail(kubespray(None, 1400, 1400), self.check_id)
        assert finding.title.startswith("env CNI_MTU = 1400 has no effect")

    def test_tunnels_that_are_not_in_use_do_not_matter(self):
        expect_pass(operator(1450, felix_configurations=ok(felix(ipipMTU=1300))), self.check_id)

    def test_unknown(self):
        expect_unknown(operator(1450, felix_configurations=answer(FORBIDDEN)), self.check_id)


class TestDiffersBetweenNodes:
    check_id = "mtu-differs-between-nodes"

    def test_passes(self):
        expect_pass(operator(felix_configurations=ok(felix(vxlanMTU=1400), felix("node.node-1", vxlanMTU=1400))), self.check_id)
        expect_pass(operator(1450, felix_configurations=ok(felix("node.node-1", vxlanMTU=1400))), self.check_id)

    def test_fails(self):
        finding = expect_fail(operator(felix_configurations=ok(felix(vxlanMTU=1400), felix("node.edge", vxlanMTU=1300))), self.check_id)
        assert finding.title == "Node edge has vxlanMTU 1300, the others 1400"

    def test_many_nodes_are_one_finding(self):
        own = [felix(f"node.edge-{number}", vxlanMTU=1300) for number in range(9)]
        finding = expect_fail(operator(felix_configurations=ok(*own)), self.check_id)
        assert finding.title == "Nodes edge-0, edge-1, edge-2, edge-3, edge-4 and 4 more have vxlanMTU 1300, the others automatic"

    def test_unknown(self):
        expect_unknown(operator(felix_configurations=answer(FORBIDDEN)), self.check_id)


class TestLinkGuessed:
    check_id = "mtu-link-guessed"

    def test_passes(self):
        expect_pass(operator(status=1450), self.check_id)
        google = ok(node()._replace(provider_id="gce://p/z/n"))
        expect_pass(operator(status=1410, nodes=google), self.check_id)

    def test_fails_by_the_number_that_felix_assumes(self):
        finding = expect_fail(operator(status=1410), self.check_id)
        assert finding.severity == "info" and finding.remedy.target == "FelixConfiguration default spec.mtuIfacePattern"

    def test_fails_by_the_log(self):
        expect_fail(kubespray(logs=log("[WARNING] Failed to auto-detect host MTU - no interfaces matched the MTU interface pattern")), self.check_id)

    def test_unknown(self):
        expect_unknown(operator(ip_pools=answer(FORBIDDEN)), self.check_id)


class TestChangePending:
    check_id = "mtu-change-pending"

    def chart(self, value):
        return {
            "helm_chart_configs": ok(HelmChartConfig(Ref("HelmChartConfig", "rke2-calico", "kube-system"), {"installation.calicoNetwork.mtu": value})),
            "helm_charts": ok(HelmChart(Ref("HelmChart", "rke2-calico", "kube-system"), {})),
        }

    def test_passes(self):
        expect_pass(operator(1400, **self.chart("1400")), self.check_id)

    def test_a_chart_that_was_not_rendered(self):
        finding = expect_fail(operator(**self.chart("1400")), self.check_id)
        assert finding.title == "MTU 1400 is set and not in force: automatic is"

    def test_an_installation_that_was_not_taken_up(self):
        assert expect_fail(operator(1450, spec_mtu=1400), self.check_id).title == "MTU 1400 is set and not in force: 1450 is"

    def test_a_config_map_that_calico_node_has_not_read(self):
        finding = expect_fail(manifest(1400), self.check_id)
        assert finding.title == "MTU 1400 is set and not in force: what it was before is"
        assert (finding.caused_by, finding.remedy.variables) == ("", {"calico_mtu_mtu": 1400})

    def test_a_value_that_does_not_fit_is_not_put_into_force(self):
        refused = manifest(1500, logs=log("Configured MTU is larger than detected host interface MTU hostMTU=1500 mtu=1500"))
        finding = expect_fail(refused, self.check_id)
        assert finding.caused_by == f"{finding.cluster}/mtu-too-large"
        assert expect_fail(refused, "mtu-too-large").remedy.variables["calico_mtu_mtu"] == 1450

    def test_unknown(self):
        expect_unknown(operator(helm_chart_configs=answer(FORBIDDEN)), self.check_id)
        expect_unknown(operator(installations=answer(FORBIDDEN)), self.check_id)

    def test_not_asked(self):
        expect_not_asked(cluster(installations=not_served(), daemon_sets=ok()), self.check_id)


class TestPodsOutdated:
    check_id = "mtu-pods-outdated"
    pods = ok(
        calico_pod(),
        pod("shop", "old", "10.46.1.2")._replace(created="2026-01-01T10:00:00Z"),
        pod("shop", "new", "10.46.1.3")._replace(created="2026-01-03T00:00:00Z"),
    )

    def changed(self, *fields, by="kubectl-patch"):
        return Origin(managers=(Manager(by, "Update", CHANGED, fields=fields),))

    def test_passes(self):
        expect_pass(operator(pods=self.pods), self.check_id)
        expect_pass(operator(1400, pods=ok(self.pods.items[2]), origin=self.changed("spec.calicoNetwork.mtu")), self.check_id)
        expect_pass(
            operator(1400, pods=self.pods, origin=Origin(managers=(Manager("k", "Update", "2026-01-01T00:00:05Z", fields=("spec.calicoNetwork.mtu",)),))),
            self.check_id,
        )

    def test_fails(self):
        finding = expect_fail(operator(1400, pods=self.pods, origin=self.changed("spec.calicoNetwork.mtu")), self.check_id)
        assert finding.title == "1 of the pods that were looked at is older than the MTU 1400 and may have another one"
        assert finding.severity == "warning" and "shop/old" in finding.evidence[1].note

    def test_an_inexact_time_is_an_information(self):
        origin = self.changed("spec.calicoNetwork.mtu", "spec.cni.type", "spec.registry", "spec.imagePath", by="helm")
        assert expect_fail(operator(1400, pods=self.pods, origin=origin), self.check_id).severity == "info"

    def test_unknown(self):
        expect_unknown(operator(1400, pods=answer(FORBIDDEN)), self.check_id)
        expect_unknown(kubespray(daemon_sets=answer(FORBIDDEN)), self.check_id)


class TestClampMss:
    check_id = "tcp-clamp-mss"

    def of(self, written, **changes):
        made = node()
        annotated = made._replace(annotations={**made.annotations, "submariner.io/tcp-clamp-mss": written}, labels={"submariner.io/gateway": "true"})
        return operator(status=1450, nodes=ok(annotated), **changes)

    def test_passes(self):
        expect_pass(cluster(), self.check_id)
        expect_pass(self.of("1340"), self.check_id)

    @pytest.mark.parametrize("written", ["", "auto", "0", "-1", "1300B"])
    def test_what_is_no_number_is_ignored(self, written):
        finding = expect_fail(self.of(written), self.check_id)
        assert "is no number" in finding.title and finding.severity == "warning"

    def test_too_large(self):
        assert expect_fail(self.of("1341"), self.check_id).title == "TCP segments of 1341 bytes do not fit through the libreswan cable: at most 1340 do"

    def test_globalnet_with_the_vxlan_cable(self):
        joined = submariner("cluster-1", globalCIDR="242.0.0.0/16", cableDriver="vxlan")
        gateway = ok(node()._replace(labels={"submariner.io/gateway": "true"}))
        endpoints = cluster().endpoints
        own = ok(*(entry._replace(backend="vxlan") for entry in endpoints.items))
        assert "own TCP segment size" in expect_fail(cluster(joined=joined, nodes=gateway, endpoints=own), self.check_id).title

    def test_unknown(self):
        expect_unknown(cluster(nodes=answer(FORBIDDEN)), self.check_id)

    def test_not_asked(self):
        expect_not_asked(cluster(joined=False), self.check_id)


class TestChecksumOffload:
    check_id = "vxlan-checksum-offload"

    def of(self, version="v3.28.1", kernel="5.15.0-91-generic", provider="vsphere://42", **changes):
        made = node()._replace(provider_id=provider, kernel_version=kernel)
        information = ClusterInformation(Ref("ClusterInformation", "default"), version, "")
        return operator(**{"nodes": ok(made), "cluster_informations": ok(information), **changes})

    def test_passes(self):
        expect_pass(self.of("v3.27.4"), self.check_id)
        expect_pass(self.of(provider=""), self.check_id)
        expect_pass(self.of(felix_configurations=ok(felix(featureDetectOverride="ChecksumOffloadBroken=true"))), self.check_id)

    def test_fails_on_vmware(self):
        finding = expect_fail(self.of(), self.check_id)
        assert finding.severity == "warning"
        assert finding.title == "Checksum offload of VXLAN stays on under VMware: Calico v3.28.1 does not switch it off on these kernels"
        assert "bad udp cksum" in finding.impact and "HelmChartConfig kube-system/rke2-calico" in finding.remedy.text

    def test_elsewhere_it_is_an_information(self):
        assert expect_fail(self.of(provider="openstack:///1"), self.check_id).severity == "info"

    def test_unknown(self):
        assert "node-1" in expect_unknown(self.of(kernel=""), self.check_id).missing
        expect_unknown(self.of(nodes=answer(FORBIDDEN)), self.check_id)
        unversioned = operator().installations.items[0]._replace(calico_version="")
        expect_unknown(self.of("", cluster_informations=ok(), installations=ok(unversioned)), self.check_id)

    def test_not_asked_without_vxlan(self):
        plain = local_pool("10.46.0.0/16")._replace(vxlan_mode="Never", ipip_mode="Always")
        expect_not_asked(self.of(ip_pools=ok(plain)), self.check_id)
