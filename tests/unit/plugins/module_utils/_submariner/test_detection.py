# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Submariner would detect, rule by rule and version by version."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import SERVICE
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Answer
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._detection import RIGHT, UNKNOWN, WRONG, would_detect
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._options import upstream_option
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._wrong_cidr import identify_wrong_cidr
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.clusters import (
    cluster, component, config_map, container, daemon_set, forbidden, node, ok, openshift, pod, pool, rke2, rke2_control_plane, rke2_node, service,
    service_cidr,
)

OLD = ("0.16.0", "0.17.3", "0.18.0")
NEW = ("0.18.1", "0.19.0-rc3", "0.21.1", "devel")
ALL = OLD + NEW
API_SERVER = component("kube-apiserver", ["kube-apiserver", "--service-cluster-ip-range=10.45.0.0/16"])


def controller_manager(command=(), args=()):
    return component("kube-controller-manager", command, args)


def kubeadm(*pods, **fields):
    """A cluster whose API server shows its option in ``command``, as kubeadm and Kubespray write it."""
    return cluster(**{"pods": ok(API_SERVER, *pods), "services": ok(service("kubernetes", "10.45.0.1")), "nodes": ok(node("a"), node("b")), **fields})


class TestTheReport:
    @pytest.mark.parametrize("version", OLD)
    def test_one_rke2_node_gives_its_own_share(self, version):
        pod_cidr = would_detect(rke2(), version).pod
        assert (pod_cidr.value, pod_cidr.step, pod_cidr.fallback, pod_cidr.object) == ("10.46.0.0/24", "only-node", True, "Node rke2-1")
        assert (pod_cidr.judgement, pod_cidr.why) == (WRONG, "would be wrong: equals spec.podCIDR of the only node rke2-1")

    @pytest.mark.parametrize("version", NEW)
    def test_newer_versions_read_args(self, version):
        detection = would_detect(rke2(), version)
        assert (detection.pod.value, detection.pod.step, detection.pod.judgement) == ("10.46.0.0/16", "kube-controller-manager", RIGHT)
        assert detection.pod.field == "spec.containers[kube-controller-manager].args --cluster-cidr"
        assert (detection.service.value, detection.service.judgement) == ("10.45.0.0/16", RIGHT)

    @pytest.mark.parametrize("version", OLD)
    def test_two_rke2_nodes_give_nothing(self, version):
        snapshot = rke2(nodes=ok(rke2_node("rke2-1", ["10.46.0.0/24"]), rke2_node("rke2-2", ["10.46.1.0/24"])))
        pod_cidr = would_detect(snapshot, version).pod
        assert (pod_cidr.value, pod_cidr.step, pod_cidr.judgement) == ("", "none", WRONG)
        assert "2 nodes and kube-controller-manager has --cluster-cidr in args" in pod_cidr.why

    def test_before_the_rule_of_one_node_the_first_node_counts(self):
        snapshot = rke2(nodes=ok(rke2_node("rke2-2", ["10.46.1.0/24"]), rke2_node("rke2-1", ["10.46.0.0/24"])), config_maps=ok(config_map("calico-config", {})))
        pod_cidr = would_detect(snapshot, "0.15.2").pod
        assert (pod_cidr.value, pod_cidr.step, pod_cidr.object) == ("10.46.0.0/24", "first-node", "Node rke2-1")
        assert "the first node of 2" in pod_cidr.why

    def test_the_service_range_comes_out_of_a_refused_service(self):
        detected = would_detect(rke2(), "0.17.3").service
        assert (detected.value, detected.step, detected.judgement) == ("10.45.0.0/16", "invalid-service", RIGHT)


class TestOptions:
    @pytest.mark.parametrize(
        ("command", "args", "reads_args", "value"),
        [
            (["kcm", "--cluster-cidr=10.1.0.0/16"], [], False, "10.1.0.0/16"),
            (["kcm"], ["--cluster-cidr=10.1.0.0/16"], False, ""),
            (["kcm"], ["--cluster-cidr=10.1.0.0/16"], True, "10.1.0.0/16"),
            ([], ["--cluster-cidr=10.1.0.0/16"], True, ""),
            (["sh", "-c", "exec kcm --cluster-cidr=10.1.0.0/16"], [], False, "10.1.0.0/16"),
            (["sh", "-c"], ["exec kcm --cluster-cidr=10.1.0.0/16"], True, ""),
            (["kcm", "--cluster-cidr=10.1.0.0/16,fd00::/56"], [], False, "10.1.0.0/16,fd00::/56"),
            (["kcm", "--cluster-cidr="], [], False, ""),
            (["kcm", "--cluster-cidr-mask=10"], [], False, "10"),
        ],
    )
    def test_what_submariner_reads(self, command, args, reads_args, value):
        assert upstream_option(controller_manager(command, args), "--cluster-cidr", reads_args=reads_args)[0::2] == (value, False)

    @pytest.mark.parametrize(
        ("command", "args"),
        [(["kcm", "--cluster-cidr", "10.1.0.0/16"], []), (["kcm"], ["--cluster-cidr", "10.1.0.0/16"]), (["sh", "-c", "kcm --cluster-cidr 1"], [])],
    )
    def test_two_words_panic(self, command, args):
        assert upstream_option(controller_manager(command, args), "--cluster-cidr", reads_args=True).panics

    def test_a_panic_is_fatal(self):
        detection = would_detect(kubeadm(controller_manager(["kcm", "--cluster-cidr", "10.46.0.0/16"])), "0.19.0")
        assert "panics (exit code 2)" in detection.fatal
        assert (detection.pod.value, detection.pod.judgement) == (None, UNKNOWN)

    def test_without_command_args_are_not_read(self):
        snapshot = kubeadm(controller_manager([], ["--cluster-cidr=10.46.0.0/16"]), pod("web", "10.46.0.5"))
        assert would_detect(snapshot, "0.19.0").pod.value == ""

    def test_the_first_pod_by_namespace_and_name_counts(self):
        snapshot = kubeadm(
            component("kube-controller-manager", ["kcm", "--cluster-cidr=10.2.0.0/16"], suffix="2"),
            component("kube-controller-manager", ["kcm", "--cluster-cidr=10.1.0.0/16"], suffix="1"),
        )
        assert would_detect(snapshot, "0.17.3").pod.value == "10.1.0.0/16"

    def test_dual_stack_stays_one_string(self):
        snapshot = kubeadm(controller_manager(["kcm", "--cluster-cidr=10.46.0.0/16,fd00::/56"]), pod("web", "10.46.0.1", "fd00::1"))
        for version in ("0.17.3", "0.21.1"):
            assert (would_detect(snapshot, version).pod.value, would_detect(snapshot, version).pod.judgement) == ("10.46.0.0/16,fd00::/56", RIGHT)

    @pytest.mark.parametrize(("label", "version", "value"), [
        ("component", "0.19.0", "10.46.0.0/16"), ("component", "0.21.1", ""), ("k8s-app", "0.19.0", ""), ("k8s-app", "0.21.1", "10.46.0.0/16"),
    ])
    def test_the_label_of_kube_proxy_changed(self, label, version, value):
        snapshot = kubeadm(component("kube-proxy", ["kube-proxy", "--cluster-cidr=10.46.0.0/16"], label=label), pod("web", "10.46.0.5"))
        assert would_detect(snapshot, version).pod.value == value


class TestServices:
    def test_the_api_servers_option(self):
        detected = would_detect(kubeadm(), "0.17.3").service
        assert (detected.value, detected.step, detected.fallback) == ("10.45.0.0/16", "kube-apiserver", False)

    @pytest.mark.parametrize("version", ("0.16.0", "0.18.1", "0.19.0", "0.21.0"))
    @pytest.mark.parametrize("kubernetes", ("v1.33.0+k3s1", "v1.36.1"))
    def test_a_hidden_api_server_is_fatal_on_newer_kubernetes(self, version, kubernetes):
        detection = would_detect(cluster(server_version=ok(kubernetes), nodes=ok(node("a", ["10.42.0.0/24"]))), version)
        assert "upgrade Submariner to 0.21.1" in detection.fatal and "Explicit CIDRs do not help" in detection.fatal
        assert (detection.plugin, detection.pod.value, detection.service.value) == (None, None, None)

    @pytest.mark.parametrize(("kubernetes", "enabled", "fatal"), [("v1.32.1", True, True), ("v1.32.1", False, False), ("v1.30.9", True, False)])
    def test_the_new_allocator_of_an_older_kubernetes_is_fatal_too(self, kubernetes, enabled, fatal):
        objects = [service_cidr("kubernetes", "10.43.0.0/16")] if enabled else []
        snapshot = cluster(server_version=ok(kubernetes), service_cidrs=ok(*objects), services=ok(service("k", "10.43.0.1")))
        assert bool(would_detect(snapshot, "0.20.0").fatal) == fatal

    @pytest.mark.parametrize("version", ("0.21.1", "0.22.1", "devel"))
    def test_service_cidr_objects(self, version):
        objects = ok(service_cidr("kubernetes", "10.43.0.0/16"), service_cidr("more", "10.99.0.0/24"))
        snapshot = cluster(server_version=ok("v1.33.1"), service_cidrs=objects, services=ok(service("k", "10.43.0.1")))
        detection = would_detect(snapshot, version)
        assert (detection.fatal, detection.service.value, detection.service.step) == ("", "10.43.0.0/16", "service-cidr")

    @pytest.mark.parametrize(("version", "step"), [("0.19.0", "invalid-service"), ("0.21.1", "kube-controller-manager")])
    def test_kube_controller_managers_option_is_read_by_newer_versions(self, version, step):
        snapshot = cluster(pods=ok(controller_manager(["kcm", "--service-cluster-ip-range=10.45.0.0/16"])), services=ok(service("k", "10.45.0.1")))
        assert (would_detect(snapshot, version).service.step, would_detect(snapshot, version).service.value) == (step, "10.45.0.0/16")

    def test_the_range_of_a_refusal_is_not_known_where_the_truth_is_not(self):
        detected = would_detect(cluster(services=ok(service("k", "10.45.0.1"))), "0.17.3").service
        assert (detected.value, detected.step, detected.judgement) == (None, "invalid-service", UNKNOWN)

    def test_an_unsure_gate_is_noted(self):
        assert any("its first release is not established" in note for note in would_detect(kubeadm(), "0.20.0").notes)
        assert would_detect(kubeadm(), "0.19.0").notes == ()


class TestPlugins:
    @pytest.mark.parametrize(
        ("fields", "version", "plugin"),
        [
            ({"config_maps": ok(config_map("calico-config", {}, "anywhere"))}, "0.14.9", "calico"),
            ({"daemon_sets": ok(daemon_set("calico-node", "calico-system"))}, "0.16.0", "calico"),
            ({"daemon_sets": ok(daemon_set("calico-node", "calico-system"))}, "0.15.2", "generic"),
            ({"openshift_networks": ok(openshift(spec=(["10.128.0.0/14"], ["172.30.0.0/16"])))}, "0.17.3", "calico"),
            ({"openshift_networks": ok(openshift(spec=(["10.128.0.0/14"], ["172.30.0.0/16"]), network_type="OVNKubernetes"))}, "0.17.3", "OVNKubernetes"),
            ({"daemon_sets": ok(daemon_set("rke2-canal", labels={"k8s-app": "canal"}))}, "0.19.0", "canal-flannel"),
            ({"daemon_sets": ok(daemon_set("rke2-canal", labels={"k8s-app": "canal"}))}, "0.18.1", "generic"),
            ({"config_maps": ok(config_map("canal-config", {"net-conf.json": '{"Network": "10.46.0.0/16"}'}))}, "0.18.1", "canal-flannel"),
            ({"daemon_sets": ok(daemon_set("kube-flannel-ds"))}, "0.19.0", "flannel"),
            ({}, "0.19.0", "generic"),
        ],
    )
    def test_which_plugin(self, fields, version, plugin):
        assert would_detect(kubeadm(**fields), version).plugin == plugin

    @pytest.mark.parametrize(("labels", "env", "plugin"), [
        ({"name": "weave-net"}, ("IPALLOC_RANGE", "10.32.0.0/12"), "weave-net"), ({"app": "kindnet"}, ("POD_SUBNET", "10.32.0.0/12"), "kindnet"),
    ])
    def test_plugins_that_tell_by_their_pods(self, labels, env, plugin):
        detection = would_detect(kubeadm(pod("p", "192.168.0.1", host_network=True, labels=labels, containers=[container("c", env=[env])])), "0.17.3")
        assert (detection.plugin, detection.pod.value) == (plugin, "10.32.0.0/12")

    def test_ovn(self):
        ovn = pod("ovn", namespace="ovn", labels={"app": "ovnkube-node"})
        config = config_map("ovn-config", {"net_cidr": "10.46.0.0/16", "svc_cidr": "10.45.0.0/16"}, "ovn")
        detection = would_detect(kubeadm(ovn, config_maps=ok(config)), "0.17.3")
        assert (detection.plugin, detection.pod.value, detection.service.value) == ("OVNKubernetes", "10.46.0.0/16", "10.45.0.0/16")

    def test_openshift_comes_first_and_only_the_first_of_several_counts(self):
        network = openshift((["10.128.0.0/14", "10.132.0.0/14"], ["172.30.0.0/16"]), (["10.128.0.0/14", "10.132.0.0/14"], ["172.30.0.0/16"]))
        snapshot = cluster(openshift_networks=ok(network), daemon_sets=ok(daemon_set("calico-node", "calico-system")), pods=ok(pod("web", "10.132.0.1")))
        older, newer = would_detect(snapshot, "0.20.0"), would_detect(snapshot, "0.21.1")
        assert (older.pod.value, older.pod.judgement, older.pod.why) == ("10.128.0.0/14", WRONG, "would be wrong: is only a part of 10.128.0.0/13")
        assert (newer.pod.value, newer.pod.judgement) == ("10.128.0.0/14,10.132.0.0/14", RIGHT)

    def test_before_015_calico_comes_before_openshift(self):
        network = openshift(spec=(["10.128.0.0/14"], ["172.30.0.0/16"]), network_type="Other")
        fields = {"openshift_networks": ok(network), "config_maps": ok(config_map("calico-config", {}))}
        assert (would_detect(kubeadm(**fields), "0.14.9").plugin, would_detect(kubeadm(**fields), "0.15.0").plugin) == ("calico", "Other")

    def test_what_the_plugin_leaves_open_is_found_generically(self):
        snapshot = kubeadm(controller_manager(["kcm", "--cluster-cidr=10.46.0.0/16"]), daemon_sets=ok(daemon_set("kube-flannel-ds")))
        assert (would_detect(snapshot, "0.19.0").plugin, would_detect(snapshot, "0.19.0").pod.value) == ("flannel", "10.46.0.0/16")


class TestNotKnown:
    @pytest.mark.parametrize("version", ["", "latest", "my-build"])
    def test_a_version_that_names_nothing(self, version):
        detection = would_detect(rke2(), version)
        assert (detection.plugin, detection.pod.value, detection.service.value, detection.fatal) == (None, None, None, "")
        assert detection.notes

    @pytest.mark.parametrize("field", ["pods", "config_maps", "daemon_sets", "nodes", "openshift_networks"])
    def test_a_list_that_could_not_be_read(self, field):
        detection = would_detect(rke2(**{field: forbidden()}), "0.17.3")
        assert (detection.pod.value, detection.pod.judgement, detection.fatal) == (None, UNKNOWN, "")
        assert "forbidden" in detection.missing[0]

    def test_a_truth_that_is_not_established_judges_nothing(self):
        snapshot = rke2(ip_pools=ok(pool("a", "10.46.0.0/16"), pool("b", "10.99.0.0/16")))
        assert would_detect(snapshot, "0.17.3").pod.judgement == UNKNOWN


class TestWrongCidr:
    TWO = ok(rke2_node("rke2-2", ["10.46.1.0/24"]), rke2_node("rke2-1", ["10.46.0.0/24", "fd00::/64"]))

    @pytest.mark.parametrize(
        ("value", "fields", "words"),
        [
            ("10.46.0.0/24", {}, "equals spec.podCIDR of the only node rke2-1"),
            ("10.46.0.0/24", {"nodes": TWO}, "equals spec.podCIDR of rke2-1, the first node of 2"),
            ("10.46.1.0/24", {"nodes": TWO}, "equals spec.podCIDR of rke2-2, one node of 2"),
            ("", {"nodes": TWO, "pods": ok()}, "empty: 2 nodes and no visible kube-controller-manager"),
            ("", {"nodes": TWO}, "does not read"),
            ("", {"nodes": TWO, "pods": ok(controller_manager(["kcm"]))}, "without --cluster-cidr"),
            ("", {"pods": forbidden()}, "nothing was detected"),
            ("10.45.0.0/16", {}, "is the service CIDR"),
            ("10.42.0.0/16", {}, "default pod range"),
            ("10.46.128.0/17", {}, "only a part of 10.46.0.0/16"),
            ("10.0.0.0/8", {}, "wider than 10.46.0.0/16"),
            ("rubbish", {}, "no CIDR"),
            ("172.20.0.0/16", {}, ""),
            ("10.46.0.0/16", {}, ""),
        ],
    )
    def test_the_fallback_that_lied(self, value, fields, words):
        found = identify_wrong_cidr(value, rke2(**fields))
        assert words in found if words else found == ""

    def test_a_source_that_is_out_of_date(self):
        snapshot = rke2(config_maps=ok(config_map("kubeadm-config", {"ClusterConfiguration": "networking:\n  podSubnet: 10.99.0.0/16\n"})))
        found = identify_wrong_cidr("10.99.0.0/16", snapshot)
        assert found == "equals data[ClusterConfiguration] networking.podSubnet of ConfigMap kube-system/kubeadm-config (never updated after installation)"

    def test_services(self):
        assert "default service range" in identify_wrong_cidr("10.96.0.0/12", rke2(), SERVICE)
        assert identify_wrong_cidr("", rke2(pods=ok()), SERVICE) == "empty: no visible kube-apiserver"


texts = st.one_of(st.text(max_size=12), st.sampled_from(["10.46.0.0/16", "--cluster-cidr", "--cluster-cidr=10.46.0.0/16", "kcm --cluster-cidr=1", "{}"]))
versions = st.one_of(st.sampled_from(["0.14.9", "0.15.0", *ALL, "0.20.0", "0.22.1", "foo", "release-0.18"]), st.text(max_size=8))


@settings(max_examples=150)
@given(versions, st.lists(texts, max_size=3), st.lists(texts, max_size=3), texts, st.sampled_from(["v1.27.9", "v1.33.0", "", "x"]), st.booleans())
def test_no_cluster_makes_it_raise(version, command, args, text, kubernetes, readable):
    snapshot = cluster(
        server_version=ok(kubernetes) if kubernetes else ok(), nodes=ok(node("a", [text])) if readable else Answer(),
        pods=ok(controller_manager(command, args), component("kube-apiserver", args, command), pod("w", text)),
        config_maps=ok(config_map("canal-config", {"net-conf.json": text})), daemon_sets=ok(daemon_set("canal", labels={"k8s-app": "canal"})),
    )
    detection = would_detect(snapshot, version)
    assert json.dumps(detection.to_dict())
    assert not detection.fatal or detection.pod.value is None
    assert isinstance(identify_wrong_cidr(text, snapshot), str)


def test_rke2_control_plane_is_shaped_as_in_the_report():
    assert all(len(entry.containers[0].command) == 1 and entry.containers[0].args for entry in rke2_control_plane())
