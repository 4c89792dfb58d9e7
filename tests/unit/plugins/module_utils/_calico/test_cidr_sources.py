# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every source of CIDRs says, one by one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._cidr_sources import collect_cidr_evidence
from ansible_collections.fathom.submariner.plugins.module_utils._calico._cidr_truth import cidr_truth
from ansible_collections.fathom.submariner.plugins.module_utils._calico._reality import pod_reality, service_reality
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import AUTHORITY, INSTALL, LIVE, POD, SERVICE, SHOWN, STATED
from ansible_collections.fathom.submariner.plugins.module_utils._network._verdict import ABSENT, AGREED, CONFLICT, REFUTED, UNKNOWN
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Answer, Snapshot
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.clusters import (
    cluster, component, config_map, daemon_set, endpoint, forbidden, helm_chart, installation, node, ok, openshift, pod, pool, rke2, rke2_node, service,
    service_cidr, submariner,
)


def found(snapshot, source, subject=POD, stated=None):
    return [row for row in collect_cidr_evidence(snapshot, stated) if (row.source, row.subject) == (source, subject)]


def only(snapshot, source, subject=POD):
    (row,) = found(snapshot, source, subject)
    return row


class TestPools:
    def test_an_enabled_pool_is_the_authority_under_calico_ipam(self):
        row = only(rke2(), "ip_pool")
        assert (row.cidrs, row.standing, row.family) == (("10.46.0.0/16",), AUTHORITY, "ipv4")
        assert row.object == "IPPool default-ipv4-ippool (projectcalico.org/v3)"
        assert row.field == "spec.cidr"

    @pytest.mark.parametrize(
        ("unfit", "caveat"),
        [
            (pool("old", "10.9.0.0/16", disabled=True), "disabled"),
            (pool("submariner-c2-10.42.0.0-16", "10.42.0.0/16"), "made by Submariner"),
            (pool("x", "10.42.0.0/16", labels={"submariner.io/ippool": "true"}), "made by Submariner"),
            (pool("lb", "10.9.0.0/24", allowed_uses=["LoadBalancer"]), "LoadBalancer only"),
            (pool("tunnels", "10.9.0.0/24", allowed_uses=["Tunnel"]), "Tunnel only"),
        ],
    )
    def test_pools_that_give_no_pod_an_address_are_only_shown(self, unfit, caveat):
        snapshot = rke2(ip_pools=ok(pool("default-ipv4-ippool", "10.46.0.0/16"), unfit))
        row = next(row for row in found(snapshot, "ip_pool") if unfit.ref.name in row.object)
        assert row.standing == SHOWN and caveat in row.caveat
        assert cidr_truth(snapshot).pod().cidrs == ("10.46.0.0/16",)

    def test_an_enabled_pool_of_a_peer_is_only_shown(self):
        fields = {"submariners": ok(submariner("c1")), "endpoints": ok(endpoint("c1", "10.46.0.0/16"), endpoint("c2", "10.43.0.0/16", "10.42.0.0/16"))}
        snapshot = rke2(ip_pools=ok(pool("default-ipv4-ippool", "10.46.0.0/16"), pool("podwestcluster", "10.42.0.0/16")), **fields)
        assert [row.standing for row in found(snapshot, "ip_pool")] == [AUTHORITY, SHOWN]
        assert cidr_truth(snapshot).pod().cidrs == ("10.46.0.0/16",)

    def test_a_peer_with_our_own_range_does_not_take_our_pool_away(self):
        snapshot = rke2(submariners=ok(submariner("c1")), endpoints=ok(endpoint("c2", "10.46.0.0/16")))
        assert only(snapshot, "ip_pool").standing == AUTHORITY

    def test_pools_are_no_candidate_where_another_ipam_gives_the_addresses(self):
        assert only(rke2(installations=ok(installation(cni="AmazonVPC", ipam="AmazonVPC"))), "ip_pool").standing == SHOWN
        canal = cluster(daemon_sets=ok(daemon_set("rke2-canal", labels={"k8s-app": "canal"})), ip_pools=ok(pool("p", "10.42.0.0/16")))
        assert only(canal, "ip_pool").standing == SHOWN

    def test_pools_are_one_source_among_others_where_the_ipam_is_not_known(self):
        assert only(cluster(ip_pools=ok(pool("p", "10.42.0.0/16")), daemon_sets=forbidden()), "ip_pool").standing == LIVE

    def test_no_pool_although_calico_runs(self):
        row = only(rke2(ip_pools=ok()), "ip_pool")
        assert row.standing == AUTHORITY and "etcd" in row.problem
        assert cidr_truth(rke2(ip_pools=ok(), pods=forbidden())).pod().status == UNKNOWN

    def test_pools_that_could_not_be_read(self):
        row = only(rke2(ip_pools=forbidden("GET /apis/projectcalico.org/v3/ippools")), "ip_pool")
        assert (row.cidrs, row.family) == ((), "")
        assert row.problem == "forbidden (GET /apis/projectcalico.org/v3/ippools): x is forbidden"


class TestProcesses:
    @pytest.mark.parametrize(
        ("command", "args", "place"),
        [
            (["kcm", "--cluster-cidr=10.1.0.0/16"], [], "command"),
            (["kcm"], ["--cluster-cidr=10.1.0.0/16"], "args"),
            (["kcm"], ["--cluster-cidr", "10.1.0.0/16"], "args"),
            ([], ["--cluster-cidr=10.1.0.0/16"], "args"),
            (["/bin/sh", "-c", "exec kcm --cluster-cidr=10.1.0.0/16"], [], "command"),
        ],
    )
    def test_kube_controller_manager(self, command, args, place):
        row = only(cluster(pods=ok(component("kube-controller-manager", command, args))), "kube_controller_manager")
        assert (row.cidrs, row.standing, row.raw) == (("10.1.0.0/16",), LIVE, "10.1.0.0/16")
        assert row.object == "Pod kube-system/kube-controller-manager-1"
        assert row.field == f"spec.containers[kube-controller-manager].{place} --cluster-cidr"

    def test_dual_stack_makes_a_row_a_family(self):
        snapshot = cluster(pods=ok(component("kube-controller-manager", ["kcm", "--cluster-cidr=10.1.0.0/16,fd00::/56"])))
        assert [(row.family, row.cidrs) for row in found(snapshot, "kube_controller_manager")] == [("ipv4", ("10.1.0.0/16",)), ("ipv6", ("fd00::/56",))]

    def test_host_bits_are_normalised_and_said(self):
        row = only(cluster(pods=ok(component("kube-controller-manager", ["kcm", "--cluster-cidr=10.1.2.3/16"]))), "kube_controller_manager")
        assert row.cidrs == ("10.1.0.0/16",) and "host bits" in row.caveat and row.raw == "10.1.2.3/16"

    def test_nonsense_is_a_problem(self):
        row = only(cluster(pods=ok(component("kube-controller-manager", ["kcm", "--cluster-cidr=${CIDR}"]))), "kube_controller_manager")
        assert row.cidrs == () and "no CIDR" in row.problem

    def test_an_option_without_value_is_a_problem(self):
        assert only(cluster(pods=ok(component("kube-controller-manager", ["kcm", "--cluster-cidr"]))), "kube_controller_manager").problem

    def test_the_last_of_several_counts(self):
        snapshot = cluster(pods=ok(component("kube-controller-manager", ["kcm", "--cluster-cidr=10.1.0.0/16"], ["--cluster-cidr=10.2.0.0/16"])))
        assert only(snapshot, "kube_controller_manager").cidrs == ("10.2.0.0/16",)
        assert "2 times" in only(snapshot, "kube_controller_manager").caveat

    def test_three_alike_are_one_row(self):
        snapshot = cluster(pods=ok(*(component("kube-controller-manager", ["kcm", "--cluster-cidr=10.1.0.0/16"], suffix=str(index)) for index in (3, 1, 2))))
        row = only(snapshot, "kube_controller_manager")
        assert row.object.endswith("-1") and row.caveat == "2 more say the same"

    def test_two_that_differ_are_two_rows_and_a_conflict(self):
        snapshot = rke2(pods=ok(
            component("kube-controller-manager", ["kcm", "--cluster-cidr=10.46.0.0/16"]),
            component("kube-controller-manager", ["kcm", "--cluster-cidr=10.40.0.0/13"], suffix="2"), pod("web", "10.46.0.9"),
        ))
        assert len(found(snapshot, "kube_controller_manager")) == 2
        assert cidr_truth(snapshot).pod().status == CONFLICT

    @pytest.mark.parametrize("label", ["component", "k8s-app"])
    def test_kube_proxy(self, label):
        row = only(cluster(pods=ok(component("kube-proxy", ["kube-proxy"], ["--cluster-cidr=10.1.0.0/16"], label=label))), "kube_proxy")
        assert (row.cidrs, row.standing) == (("10.1.0.0/16",), LIVE)

    def test_service_ranges_of_both_components(self):
        option = "--service-cluster-ip-range=10.2.0.0/16"
        snapshot = cluster(pods=ok(component("kube-apiserver", [], [option]), component("kube-controller-manager", ["kcm", option])))
        assert only(snapshot, "kube_apiserver", SERVICE).cidrs == only(snapshot, "kube_controller_manager", SERVICE).cidrs == ("10.2.0.0/16",)
        assert found(snapshot, "kube_controller_manager", POD) == []

    def test_pods_that_could_not_be_read_are_a_row_of_every_source(self):
        rows = [row for row in collect_cidr_evidence(cluster(pods=forbidden())) if row.problem]
        assert {(row.subject, row.source) for row in rows} == {
            (POD, "kube_controller_manager"), (POD, "kube_proxy"), (SERVICE, "kube_apiserver"), (SERVICE, "kube_controller_manager"),
        }


class TestNodes:
    @pytest.mark.parametrize("arguments", [("server", "--cluster-cidr", "10.1.0.0/16"), ("server", "--cluster-cidr=10.1.0.0/16")])
    def test_node_args(self, arguments):
        row = only(cluster(nodes=ok(rke2_node("s", arguments=arguments))), "node_args")
        assert (row.cidrs, row.standing, row.field) == (("10.1.0.0/16",), LIVE, "metadata.annotations[rke2.io/node-args] --cluster-cidr")

    def test_repeated_and_listed_values(self):
        arguments = ("server", "--cluster-cidr", "10.1.0.0/16", "--cluster-cidr", "fd00::/56", "--service-cidr", "10.2.0.0/16,fd01::/112")
        snapshot = cluster(nodes=ok(rke2_node("s", arguments=arguments)))
        assert [row.cidrs for row in found(snapshot, "node_args")] == [("10.1.0.0/16",), ("fd00::/56",)]
        assert [row.cidrs for row in found(snapshot, "node_args", SERVICE)] == [("10.2.0.0/16",), ("fd01::/112",)]

    @pytest.mark.parametrize("annotation", ["rke2.io/node-args", "k3s.io/node-args"])
    def test_a_server_without_the_option_has_the_default(self, annotation):
        snapshot = cluster(nodes=ok(node("s", annotations={annotation: '["server"]'})))
        assert (only(snapshot, "node_args_default").cidrs, only(snapshot, "node_args_default", SERVICE).cidrs) == (("10.42.0.0/16",), ("10.43.0.0/16",))
        assert only(snapshot, "node_args_default").standing == INSTALL

    def test_agents_and_nodes_without_the_annotation_say_nothing(self):
        snapshot = cluster(nodes=ok(rke2_node("a", arguments=("agent", "--cluster-cidr", "10.9.0.0/16")), node("n")))
        assert found(snapshot, "node_args") == found(snapshot, "node_args_default") == []

    @pytest.mark.parametrize("text", ["", "{}", "[1]", "not json", "[" * 100_000])
    def test_a_broken_annotation_is_a_problem(self, text):
        assert only(cluster(nodes=ok(node("s", annotations={"rke2.io/node-args": text}))), "node_args").problem

    def test_pod_cidrs_are_shown_and_never_a_candidate(self):
        snapshot = cluster(nodes=ok(node("a", ["10.42.0.0/24", "fd00::/64"]), node("b", ["10.42.1.0/24"])))
        assert [(row.cidrs, row.standing) for row in found(snapshot, "node_pod_cidr")] == [(("10.42.0.0/23",), SHOWN), (("fd00::/64",), SHOWN)]
        assert cidr_truth(snapshot).pod().status == ABSENT

    def test_thousands_of_them_stay_one_short_row(self):
        snapshot = cluster(nodes=ok(*(node(f"n{index}", [f"10.{index // 128}.{2 * (index % 128)}.0/24"]) for index in range(1000))))
        row = only(snapshot, "node_pod_cidr")
        assert row.object == "1000 Nodes" and len(row.cidrs) == 20 and "980 more ranges" in row.caveat and len(row.raw) <= 200


class TestObjects:
    def test_helm_chart(self):
        row = only(rke2(), "helm_chart")
        assert (row.object, row.field, row.cidrs) == ("HelmChart kube-system/rke2-calico", 'spec.set["global.clusterCIDR"]', ("10.46.0.0/16",))
        assert only(rke2(), "helm_chart", SERVICE).cidrs == ("10.45.0.0/16",)

    def test_helm_chart_with_dual_stack(self):
        chart = helm_chart("rke2-calico", clusterCIDR="10.46.0.0/16\\,fd00::/56", clusterCIDRv4="10.46.0.0/16", clusterCIDRv6="fd00::/56")
        assert {row.cidrs for row in found(cluster(helm_charts=ok(chart)), "helm_chart")} == {("10.46.0.0/16",), ("fd00::/56",)}

    KUBEADM = """apiServer:
  extraArgs:
    podSubnet: 10.99.0.0/16
apiVersion: kubeadm.k8s.io/v1beta3
networking:
  dnsDomain: cluster.local
  podSubnet: 10.244.0.0/16  # a comment
  serviceSubnet: "10.96.0.0/12"
"""

    @pytest.mark.parametrize("document", [KUBEADM, json.dumps({"networking": {"podSubnet": "10.244.0.0/16", "serviceSubnet": "10.96.0.0/12"}})])
    def test_kubeadm_config(self, document):
        snapshot = cluster(config_maps=ok(config_map("kubeadm-config", {"ClusterConfiguration": document})))
        row = only(snapshot, "kubeadm_config")
        assert (row.cidrs, row.standing, row.field) == (("10.244.0.0/16",), INSTALL, "data[ClusterConfiguration] networking.podSubnet")
        assert only(snapshot, "kubeadm_config", SERVICE).cidrs == ("10.96.0.0/12",)

    def test_kubeadm_config_in_a_form_that_is_not_read_is_a_problem(self):
        snapshot = cluster(config_maps=ok(config_map("kubeadm-config", {"ClusterConfiguration": "networking: {podSubnet: 10.244.0.0/16}\n"})))
        assert "flow mapping" in only(snapshot, "kubeadm_config").problem

    def test_kube_proxy_config(self):
        snapshot = cluster(config_maps=ok(config_map("kube-proxy", {"config.conf": "bindAddress: 0.0.0.0\nclusterCIDR: 10.244.0.0/16\n"})))
        assert (only(snapshot, "kube_proxy_config").cidrs, only(snapshot, "kube_proxy_config").standing) == (("10.244.0.0/16",), INSTALL)
        assert found(cluster(config_maps=ok(config_map("kube-proxy", {"config.conf": 'clusterCIDR: ""\n'}))), "kube_proxy_config") == []

    def test_installation_prefers_what_was_computed(self):
        assert only(rke2(installations=ok(installation(["10.1.0.0/16"], ["10.2.0.0/16"]))), "installation").cidrs == ("10.1.0.0/16",)
        assert only(rke2(installations=ok(installation([], ["10.2.0.0/16"]))), "installation").field == "spec.calicoNetwork.ipPools[].cidr"

    def test_openshift_prefers_status(self):
        snapshot = cluster(openshift_networks=ok(openshift((["10.128.0.0/14"], ["172.30.0.0/16"]), (["10.9.0.0/16"], ["10.8.0.0/16"]))))
        assert (only(snapshot, "openshift_network").cidrs, only(snapshot, "openshift_network").standing) == (("10.128.0.0/14",), LIVE)
        assert only(snapshot, "openshift_network", SERVICE).cidrs == ("172.30.0.0/16",)

    def test_openshift_while_it_installs(self):
        row = only(cluster(openshift_networks=ok(openshift(spec=(["10.9.0.0/16"], ["10.8.0.0/16"])))), "openshift_network")
        assert (row.cidrs, row.standing) == (("10.9.0.0/16",), INSTALL)

    def test_canal(self):
        config = config_map("rke2-canal-config", {"net-conf.json": json.dumps({"Network": "10.42.0.0/16", "IPv6Network": "fd00::/56", "EnableIPv6": True})})
        canal = cluster(config_maps=ok(config), daemon_sets=ok(daemon_set("rke2-canal", labels={"k8s-app": "canal"})))
        assert [(row.cidrs, row.standing) for row in found(canal, "canal_config")] == [(("10.42.0.0/16",), LIVE), (("fd00::/56",), LIVE)]
        assert {row.standing for row in found(cluster(config_maps=ok(config)), "canal_config")} == {INSTALL}

    @pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
    def test_a_broken_net_conf_is_a_problem(self, text):
        assert only(cluster(config_maps=ok(config_map("canal-config", {"net-conf.json": text}))), "canal_config").problem

    def test_calico_node_environment(self):
        env = (("CALICO_IPV4POOL_CIDR", "10.1.0.0/16"), ("CALICO_IPV6POOL_CIDR", "fd00::/56"))
        rows = found(cluster(daemon_sets=ok(daemon_set("calico-node", env=env))), "calico_node_env")
        assert [(row.cidrs, row.standing) for row in rows] == [(("10.1.0.0/16",), INSTALL), (("fd00::/56",), INSTALL)]

    def test_service_cidrs(self):
        snapshot = cluster(service_cidrs=ok(service_cidr("kubernetes", "10.96.0.0/12", "fd01::/112"), service_cidr("going", "10.9.0.0/16", ready=False)))
        rows = found(snapshot, "service_cidr", SERVICE)
        assert [(row.cidrs, row.standing) for row in rows] == [(("10.9.0.0/16",), SHOWN), (("10.96.0.0/12",), AUTHORITY), (("fd01::/112",), AUTHORITY)]

    @pytest.mark.parametrize(
        ("field", "sources"),
        [
            ("nodes", {"node_args", "node_pod_cidr"}), ("helm_charts", {"helm_chart"}), ("openshift_networks", {"openshift_network"}),
            ("config_maps", {"kubeadm_config", "kube_proxy_config", "canal_config"}), ("installations", {"installation"}),
            ("daemon_sets", {"calico_node_env"}), ("service_cidrs", {"service_cidr"}), ("ip_pools", {"ip_pool"}),
        ],
    )
    def test_what_could_not_be_read_is_a_row_with_the_reason(self, field, sources):
        rows = [row for row in collect_cidr_evidence(cluster(**{field: forbidden("GET /it")})) if row.problem]
        assert {row.source for row in rows} == sources
        assert all(row.problem == "forbidden (GET /it): x is forbidden" and row.cidrs == () for row in rows)

    def test_what_is_not_served_is_no_row(self):
        assert [row for row in collect_cidr_evidence(cluster()) if row.problem] == []

    def test_stated_values(self):
        stated = {POD: "10.1.0.0/16, fd00::/48", SERVICE: ["10.2.0.0/16"]}
        assert [(row.family, row.cidrs, row.standing) for row in found(cluster(), "stated", POD, stated)] == [
            ("ipv4", ("10.1.0.0/16",), STATED), ("ipv6", ("fd00::/48",), STATED),
        ]
        assert [row.cidrs for row in found(cluster(), "stated", SERVICE, stated)] == [("10.2.0.0/16",)]
        assert "no CIDR" in found(cluster(), "stated", POD, {POD: "rubbish"})[0].problem


class TestReality:
    def test_host_network_ended_and_addressless_pods_are_not_reality(self):
        snapshot = cluster(pods=ok(
            pod("host", "192.168.0.1", host_network=True), pod("done", "10.9.0.1", phase="Succeeded"), pod("dead", "10.9.0.2", phase="Failed"),
            pod("new", phase="Pending"), pod("web", "10.46.0.1", "fd00::1"),
        ))
        assert [(str(used.owner), used.ip) for used in pod_reality(snapshot).addresses] == [("Pod default/web", "10.46.0.1"), ("Pod default/web", "fd00::1")]

    def test_what_could_not_be_read_is_said(self):
        snapshot = cluster(pods=forbidden("GET /api/v1/pods"), services=forbidden("GET /api/v1/services"))
        assert pod_reality(snapshot).missing == "pods: forbidden (GET /api/v1/pods): x is forbidden"
        assert service_reality(snapshot).missing.startswith("services: forbidden")


class TestTruth:
    def test_the_cluster_of_the_report(self):
        truth = cidr_truth(rke2())
        assert (truth.pod().status, truth.pod().cidrs, truth.pod().verified) == (AGREED, ("10.46.0.0/16",), True)
        assert (truth.service().status, truth.service().cidrs, truth.service().verified) == (AGREED, ("10.45.0.0/16",), True)
        assert (truth.pod("ipv6").status, truth.service("ipv6").status, truth.problems) == (ABSENT, ABSENT, ())

    def test_kubespray_with_pools_cut_out_of_the_cluster_cidr(self):
        snapshot = cluster(
            nodes=ok(node("k1", ["10.233.64.0/24"]), node("k2", ["10.233.65.0/24"])),
            pods=ok(component("kube-controller-manager", ["kcm", "--cluster-cidr=10.233.64.0/18", "--service-cluster-ip-range=10.233.0.0/18"]),
                    component("kube-apiserver", ["api", "--service-cluster-ip-range=10.233.0.0/18"]), pod("web", "10.233.90.5")),
            services=ok(service("kubernetes", "10.233.0.1")),
            daemon_sets=ok(daemon_set("calico-node")), config_maps=ok(config_map("calico-config", {"cluster_type": "kubespray"})),
            ip_pools=ok(pool("default-pool", "10.233.80.0/20")),
        )
        truth = cidr_truth(snapshot)
        assert (truth.pod().cidrs, truth.service().cidrs) == (("10.233.64.0/18",), ("10.233.0.0/18",))

    def test_nothing_could_be_read(self):
        truth = cidr_truth(Snapshot("c", "https://c", "2026-01-01T00:00:00Z"))
        assert {verdict.status for verdict in truth.verdicts} == {UNKNOWN}
        assert all(verdict.missing for verdict in truth.verdicts)

    def test_reality_refutes(self):
        verdict = cidr_truth(rke2(services=ok(service("kubernetes", "10.99.0.1")))).service()
        assert (verdict.status, verdict.outside) == (REFUTED, ("Service default/kubernetes 10.99.0.1",))

    def test_canal_is_judged_by_flannels_range(self):
        snapshot = cluster(
            nodes=ok(node("a", ["10.42.0.0/24"])), pods=ok(pod("web", "10.42.0.7")), daemon_sets=ok(daemon_set("canal", labels={"k8s-app": "canal"})),
            config_maps=ok(config_map("canal-config", {"net-conf.json": '{"Network": "10.42.0.0/16"}'})),
        )
        assert cidr_truth(snapshot).pod().cidrs == ("10.42.0.0/16",)


texts = st.one_of(st.text(max_size=20), st.sampled_from(["10.46.0.0/16", "10.46.0.0/24", "fd00::/48", "10.46.0.1/16,fd00::1/56", "{}", "[]", "null"]))
answers = st.sampled_from([None, forbidden(), Answer()])


@settings(max_examples=150)
@given(texts, texts, texts, st.lists(texts, max_size=3), answers, answers, st.booleans())
def test_no_cluster_makes_it_raise(one, two, three, words, pods_answer, pools_answer, described):
    snapshot = cluster(
        pods=pods_answer or ok(component("kube-controller-manager", words, ["--cluster-cidr", one]), pod("web", two, "10.46.0.3")),
        ip_pools=pools_answer or ok(pool("p", three), pool("q", one)),
        nodes=ok(node("a", [one], {"rke2.io/node-args": two}), node("b", words)),
        services=ok(service("s", one)),
        config_maps=ok(config_map("kubeadm-config", {"ClusterConfiguration": one}), config_map("kube-proxy", {"config.conf": two}),
                       config_map("canal-config", {"net-conf.json": three})),
        service_cidrs=ok(service_cidr("kubernetes", two)), helm_charts=ok(helm_chart("rke2-calico", clusterCIDR=one, serviceCIDR=three)),
        installations=ok(installation([two])) if described else ok(), openshift_networks=ok(openshift(([one], [two]), ([three], words))),
        daemon_sets=ok(daemon_set("calico-node", env=[("CALICO_IPV4POOL_CIDR", one)])),
    )
    truth = cidr_truth(snapshot, {POD: three, SERVICE: words})
    assert len(truth.verdicts) == 4
    assert json.dumps(truth.to_dict())
