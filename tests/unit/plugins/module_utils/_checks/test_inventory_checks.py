# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory asks for, judged before a cluster exists: each check passes, fails and, where it can, is unknown."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge, judge_clusterset
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import FAIL, UNKNOWN
from ansible_collections.fathom.submariner.plugins.module_utils._checks._inventory_checks import PLANNED
from ansible_collections.fathom.submariner.plugins.module_utils._checks._inventory_kubespray import NAMES, kubespray
from ansible_collections.fathom.submariner.plugins.module_utils._checks._inventory_rke2 import (
    LABLABS_NAMES,
    RANCHERFEDERAL_NAMES,
    Manifest,
    lablabs,
    rancherfederal,
)
from ansible_collections.fathom.submariner.plugins.module_utils._report._candidates import candidate_cards
from ansible_collections.fathom.submariner.plugins.module_utils._report._inventory import Text, located, settings_in

ROOT = pathlib.Path(__file__).resolve().parents[5]
VALUES = st.one_of(st.text(max_size=20), st.integers(), st.booleans(), st.none(), st.lists(st.text(max_size=5), max_size=3))
OWN = "a secret of ours"
GOOD = {"kube_proxy_mode": "iptables", "calico_apiserver_enabled": True}
CHART = (
    "apiVersion: helm.cattle.io/v1\nkind: HelmChartConfig\nmetadata: {name: rke2-calico, namespace: kube-system}\nspec:\n  valuesContent: |-\n"
    "    apiServer:\n      enabled: %s\n    installation:\n      calicoNetwork:\n        nodeAddressAutodetectionV4:\n          %s\n"
)


def found(asked):
    """{id: (verdict, severity, title)} of what is wrong, and the ids of what passed."""
    judgement = judge(PLANNED, asked, asked.cluster)
    return {finding.id: finding for finding in judgement.findings}, set(judgement.passed)


def of_kubespray(**variables):
    return found(kubespray("new", {**GOOD, **variables}))


def of_rke2(values="true", method="kubernetes: NodeInternalIP", **variables):
    manifest = Manifest("manifests/calico.yaml", CHART % (values, method))
    return found(lablabs("new", {"rke2_cni": ["calico"], "rke2_token": OWN, **variables}, [manifest], yaml))


class TestKubespray:
    def test_all_passes(self):
        wrong, passed = of_kubespray(calico_mtu=1400, kube_pods_subnet="10.1.0.0/16", calico_pool_cidr="10.1.0.0/17")
        assert wrong == {}
        assert passed == {check.id for check in PLANNED} - {"planned-join-token"}

    def test_its_defaults_are_what_submariner_cannot_work_with(self):
        wrong, _passed = found(kubespray("new", {}))
        assert set(wrong) == {"kube-proxy-mode", "calico-api-unavailable"}
        assert {finding.severity for finding in wrong.values()} == {"error"}
        assert wrong["kube-proxy-mode"].evidence[0][:4] == ("Kubespray's inventory", "kube_proxy_mode", "ipvs", "not set: the default")

    @pytest.mark.parametrize(
        "variables, check_id, severity, words",
        [
            ({"kube_proxy_mode": "ipvs"}, "kube-proxy-mode", "error", "ipvs mode"),
            ({"kube_proxy_mode": "nftables"}, "kube-proxy-mode", "warning", "0.21.0"),
            ({"kube_proxy_remove": True}, "kube-proxy-mode", "error", "kube-proxy will not be installed"),
            ({"calico_bpf_enabled": True}, "calico-ebpf", "error", "eBPF"),
            ({"calico_bpf_enabled": "yes", "kube_proxy_mode": "ipvs", "kube_proxy_remove": True}, "calico-ebpf", "error", "eBPF"),
            ({"calico_apiserver_enabled": "no"}, "calico-api-unavailable", "error", "will not be installed"),
            ({"calico_datastore": "etcd"}, "calico-datastore-etcd", "error", "etcd"),
            ({"calico_mtu": "1400"}, "mtu-setting-ignored", "warning", "is a text ('1400')"),
            ({"calico_mtu": True}, "mtu-setting-ignored", "warning", "is a text (True)"),
            ({"calico_veth_mtu": 1400}, "mtu-setting-ignored", "warning", "no effect without calico_mtu"),
            ({"calico_mtu": 1450, "calico_veth_mtu": 1400}, "mtu-pod-exceeds-tunnel", "error", "1450, and the tunnels one of 1400"),
            ({"calico_ip_auto_method": "first-found"}, "autodetection-picks-submariner", "warning", "vx-submariner"),
            ({"calico_ip_auto_method": "skip-interface=docker.*"}, "autodetection-picks-submariner", "warning", "vx-submariner"),
            ({"kube_network_plugin": "cilium"}, "planned-network-plugin", "info", "cilium"),
            ({"kube_pods_subnet": "10.1.0.0"}, "planned-cidr-unusable", "error", "kube_pods_subnet"),
            ({"kube_pods_subnet": "10.233.0.0/17"}, "planned-cidr-unusable", "error", "overlap"),
            ({"calico_pool_cidr": "10.9.0.0/16"}, "planned-cidr-unusable", "error", "outside"),
        ],
    )
    def test_what_is_wrong(self, variables, check_id, severity, words):
        wrong, passed = of_kubespray(**variables)
        assert set(wrong) == {check_id} and check_id not in passed
        finding = wrong[check_id]
        assert (finding.verdict, finding.severity) == (FAIL, severity)
        assert words in finding.title
        assert finding.remedy.text and not finding.remedy.role
        assert {name for entry in finding.evidence for name in entry.field.split(", ")} <= set(NAMES)

    @pytest.mark.parametrize(
        "variables, check_id",
        [
            ({"calico_ip_auto_method": "interface=("}, "autodetection-picks-submariner"),
            ({"calico_ip_auto_method": "by-magic"}, "autodetection-picks-submariner"),
            ({"calico_mtu": 1450, "calico_veth_mtu": "auto"}, "mtu-pod-exceeds-tunnel"),
        ],
    )
    def test_what_cannot_be_told(self, variables, check_id):
        wrong, _passed = of_kubespray(**variables)
        assert {(finding.id, finding.verdict) for finding in wrong.values()} == {(check_id, UNKNOWN)}
        assert wrong[check_id].missing

    def test_of_another_plugin_nothing_is_said_of_calico(self):
        wrong, passed = of_kubespray(kube_network_plugin="cilium", calico_apiserver_enabled=False, calico_mtu="1400")
        assert set(wrong) == {"planned-network-plugin"}
        assert passed == {"kube-proxy-mode", "planned-cidr-unusable"}

    def test_both_families(self):
        card = kubespray("new", {"enable_dual_stack_networks": True}).card()
        assert (len(card.pods.cidrs), len(card.services.cidrs)) == (2, 2)
        assert kubespray("new", {"ipv6_stack": True, "ipv4_stack": False}).card().pods.cidrs == ("fd85:ee78:d8a6:8607::1:0/112",)
        assert kubespray("new", {"ipv6_stack": "false"}).card().services.cidrs == ("10.233.0.0/18",)

    def test_ranges_that_cannot_be_read_are_not_compared(self):
        card = kubespray("new", {"kube_pods_subnet": "all"}).card()
        assert card.pods.cidrs == () and "kube_pods_subnet" in card.pods.why_not

    @given(st.dictionaries(st.sampled_from(NAMES), VALUES))
    def test_whatever_an_inventory_holds(self, variables):
        asked = kubespray("new", variables)
        judgement = judge(PLANNED, asked, "new")
        assert not [finding.missing for finding in judgement.findings if "broke" in finding.missing]
        assert Card.from_dict(asked.card().to_dict()) == asked.card()


class TestRke2:
    def test_all_passes(self):
        wrong, passed = of_rke2()
        assert wrong == {}
        assert passed == {check.id for check in PLANNED}

    def test_its_defaults(self):
        wrong, _passed = found(lablabs("new", {}, [], yaml))
        assert set(wrong) == {"planned-network-plugin", "planned-join-token"}  # canal, and a token that everybody knows
        wrong, _passed = found(rancherfederal("new", {"cluster_rke2_config": {"cni": "calico"}}, [], yaml))
        assert set(wrong) == {"calico-api-unavailable", "autodetection-picks-submariner"}

    def test_a_manifest_counts_and_names_its_line(self):
        wrong, _passed = of_rke2("false", "firstFound: true")
        assert {finding.id: (finding.evidence[0].file, finding.evidence[0].line) for finding in wrong.values()} == {
            "calico-api-unavailable": ("manifests/calico.yaml", 6),
            "autodetection-picks-submariner": ("manifests/calico.yaml", 10),
        }

    @pytest.mark.parametrize(
        "method, picks",
        [("interface: eth.*", False), ("interface: .*", True), ("skipInterface: docker.*", True), ("cidrs: [10.0.0.0/8]", False), ("canReach: 192.0.2.1", False)],
    )
    def test_methods_of_the_operator(self, method, picks):
        assert ("autodetection-picks-submariner" in of_rke2(method=method)[0]) == picks

    def test_a_template_that_is_no_yaml_yet_makes_unknown(self):
        manifests = [Manifest("x.yaml", "{% if x %}\nname: rke2-calico\n"), Manifest("y.yaml", "{% %}")]
        wrong, _passed = found(lablabs("new", {"rke2_cni": "calico", "rke2_token": OWN}, manifests, yaml))
        assert set(wrong) == {"calico-api-unavailable", "autodetection-picks-submariner", "calico-ebpf"}
        assert {finding.verdict for finding in wrong.values()} == {UNKNOWN}
        assert "x.yaml" in wrong["calico-api-unavailable"].missing

    def test_other_manifests_say_nothing(self):
        other = Manifest("x", CHART.replace("rke2-calico", "other") % ("true", "a: b"))
        wrong, _passed = found(lablabs("new", {"rke2_cni": "calico", "rke2_token": OWN}, [other], yaml))
        assert set(wrong) == {"calico-api-unavailable", "autodetection-picks-submariner"}

    @pytest.mark.parametrize(
        "variables",
        [
            {"rke2_kube_proxy_arg": ["proxy-mode=ipvs"]},
            {"rke2_kube_proxy_arg": "--proxy-mode=ipvs"},
            {"rke2_server_options": ["kube-proxy-arg: [proxy-mode=ipvs]"]},
            {"rke2_server_options": [{"kube-proxy-arg": ["proxy-mode=ipvs"]}]},
            {"disable_kube_proxy": True},
            {"rke2_server_options": ["disable-kube-proxy: true"]},
        ],
    )
    def test_arguments_of_kube_proxy(self, variables):
        wrong, _passed = of_rke2(**variables)
        assert set(wrong) == {"kube-proxy-mode"}

    def test_kube_proxy_that_is_left_out(self):
        assert "will not be installed" in of_rke2(disable_kube_proxy=True)[0]["kube-proxy-mode"].title
        variables = {"cluster_rke2_config": {"cni": "calico"}, "host_rke2_config": {"disable-kube-proxy": True}}
        assert "kube-proxy-mode" in found(rancherfederal("new", variables, [], yaml))[0]

    def test_ebpf_in_a_manifest(self):
        wrong, _passed = of_rke2(method="kubernetes: NodeInternalIP\n        linuxDataplane: BPF")
        (evidence,) = wrong.pop("calico-ebpf").evidence
        assert (evidence.file, evidence.line, wrong) == ("manifests/calico.yaml", 12, {})
        assert of_rke2(method="kubernetes: NodeInternalIP\n        linuxDataplane: Iptables")[0] == {}

    @pytest.mark.parametrize("variables, given", [({}, False), ({"rke2_token": "defaultSecret12345"}, True)])
    def test_a_token_that_everybody_knows(self, variables, given):
        wrong, _passed = found(lablabs("new", {"rke2_cni": "canal", **variables}, [], yaml))
        (evidence,) = wrong["planned-join-token"].evidence
        assert (evidence.field, evidence.note) == ("rke2_token", "" if given else "not set: the default")
        assert "planned-join-token" not in found(rancherfederal("new", {}, [], yaml))[0]

    def test_a_token_of_ones_own_is_in_nothing_that_is_returned(self):
        judgement = judge(PLANNED, lablabs("new", {"rke2_token": OWN, "rke2_server_options": [f"token: {OWN}"]}, [], yaml), "new")
        assert OWN not in str(judgement) and "planned-join-token" in judgement.passed
        lines = settings_in([Text("x.yml", f"rke2_token: '{OWN}'")])
        assert OWN not in str(located(judgement.findings, lines))

    def test_lists_are_merged_as_the_collection_merges_them(self):
        """combine(list_merge='prepend_rp') keeps what the cluster's list has and the group's has not."""
        ipvs = {"cni": ["calico"], "kube-proxy-arg": ["proxy-mode=ipvs"]}
        variables = {"cluster_rke2_config": ipvs, "group_rke2_config": {"kube-proxy-arg": ["metrics-bind-address=0.0.0.0"]}}
        assert rancherfederal("new", variables, [], yaml).proxy_mode.value == "ipvs"
        asked = rancherfederal("new", {"cluster_rke2_config": ipvs, "host_rke2_config": {"cni": ["multus", "calico"]}}, [], yaml)
        assert asked.cni.value == ("multus", "calico")
        assert rancherfederal("new", {"cluster_rke2_config": ipvs, "host_rke2_config": {"cni": "canal"}}, [], yaml).cni.value == ("canal",)

    def test_server_options_outrank_variables(self):
        options = ["cluster-cidr: 10.2.0.0/16,fd00::/56", "debug: true"]
        asked = lablabs("new", {"rke2_cluster_cidr": ["10.1.0.0/16"], "rke2_server_options": options}, [], yaml)
        assert asked.card().pods.cidrs == ("10.2.0.0/16", "fd00::/56")

    def test_the_host_outranks_the_group_and_the_cluster(self):
        variables = {"cluster_rke2_config": {"cluster-cidr": "10.1.0.0/16", "cni": "calico"}, "group_rke2_config": {"cluster-cidr": "10.2.0.0/16"}}
        assert rancherfederal("new", variables, [], yaml).card().pods.cidrs == ("10.2.0.0/16",)
        variables["host_rke2_config"] = {"cluster-cidr": "10.3.0.0/16"}
        assert rancherfederal("new", variables, [], yaml).card().pods.cidrs == ("10.3.0.0/16",)


def test_overlaps_with_peers_name_the_line():
    asked = kubespray("new", {"kube_pods_subnet": "10.42.0.0/16"})
    findings = judge_clusterset([asked.card(), *candidate_cards({"old": ["10.42.0.0/16"]})]).findings
    text = Text("group_vars/all.yml", "a: 1\nkube_pods_subnet: 10.42.0.0/16\n")
    (overlap,) = [finding for finding in located(findings, settings_in([text])) if finding.id == "clusterset-cidr-overlap"]
    assert [(entry.file, entry.line) for entry in overlap.evidence if entry.file] == [("group_vars/all.yml", 2)]
    assert "Build new or old with other ranges" in overlap.remedy.text


@pytest.mark.parametrize(
    "text, expected",
    [
        ("rke2_cluster_cidr: [10.1.0.0/16]", [("10.1.0.0/16", 1)]),
        ("rke2_cluster_cidr:\n  - 10.1.0.0/16\n  # no\n  - fd00::/56\nother:\n  - 10.9.0.0/16", [("10.1.0.0/16", 2), ("fd00::/56", 4)]),
        ("rke2_kube_proxy_arg:\n  - proxy-mode=ipvs", [("ipvs", 2)]),
        ("rke2_cni:\n- 'calico'", [("calico", 2)]),
    ],
)
def test_lists_of_an_inventory(text, expected):
    assert [(line.value, line.number) for line in settings_in([Text("x.yml", text)])] == expected


def test_the_role_reads_what_the_judgement_looks_at_and_nothing_else():
    names = yaml.safe_load((ROOT / "roles/preflight_inventory/vars/main.yml").read_text())["preflight_inventory_names"]
    assert names == {"kubespray": [*NAMES], "lablabs.rke2": [*LABLABS_NAMES], "rancherfederal.rke2_ansible": [*RANCHERFEDERAL_NAMES]}
