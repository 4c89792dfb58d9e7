# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of kube-proxy, Calico's API and the pools: pass, fail and unknown of each."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    NOT_READ,
    TIMED_OUT,
    UNAVAILABLE,
    ApiService,
    ConfigMap,
    Installation,
    Ref,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    answer,
    cluster,
    component,
    node,
    not_served,
    ok,
    pool,
    remote_pool,
    submariner,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import expect_fail, expect_not_asked, expect_pass, expect_unknown


class TestKubeProxy:
    def of(self, *kube_proxies, nodes=None, config_maps=None):
        return cluster(pods=ok(*kube_proxies), nodes=nodes or ok(node(node_args=())), config_maps=config_maps or ok())

    def config(self, text):
        return ok(ConfigMap(Ref("ConfigMap", "kube-proxy", "kube-system"), {"config.conf": text}))

    @pytest.mark.parametrize("args", [["--proxy-mode=ipvs"], ["--proxy-mode", "ipvs"], ["--v=2 --proxy-mode=ipvs"]])
    def test_ipvs_of_a_pod(self, args):
        finding = expect_fail(self.of(component("kube-proxy", *args)), "kube-proxy-mode")
        assert "ipvs mode, which Submariner does not support" in finding.title
        assert finding.severity == "error"

    @pytest.mark.parametrize("text", ["mode: ipvs", 'kind: KubeProxyConfiguration\nmode: "ipvs"\nipvs:\n  mode: x\n', "mode: 'ipvs' # why"])
    def test_ipvs_of_the_config_map(self, text):
        expect_fail(self.of(config_maps=self.config(text)), "kube-proxy-mode")

    @pytest.mark.parametrize("args", [["server", "--kube-proxy-arg", "proxy-mode=ipvs"], ["agent", "--kube-proxy-arg=--proxy-mode=ipvs"]])
    def test_ipvs_of_node_arguments(self, args):
        expect_fail(self.of(nodes=ok(node(node_args=args))), "kube-proxy-mode")

    def test_nftables_is_a_warning(self):
        assert expect_fail(self.of(component("kube-proxy", "--proxy-mode=nftables")), "kube-proxy-mode").severity == "warning"

    @pytest.mark.parametrize("text", ['mode: ""', "kind: KubeProxyConfiguration\n", "mode: iptables", "ipvs:\n  mode: ipvs\n"])
    def test_default_and_iptables_pass(self, text):
        expect_pass(self.of(config_maps=self.config(text)), "kube-proxy-mode")

    def test_passes(self):
        expect_pass(cluster(), "kube-proxy-mode")
        expect_pass(self.of(nodes=ok(node(node_args=("server",)))), "kube-proxy-mode")
        expect_pass(self.of(component("kube-proxy", "--cluster-cidr=10.46.0.0/16")), "kube-proxy-mode")

    def test_unknown(self):
        assert "something else may do its work" in expect_unknown(self.of(), "kube-proxy-mode").missing
        only_a_file = self.of(component("kube-proxy", "--config=/var/lib/kube-proxy/config.conf"), config_maps=answer(FORBIDDEN))
        assert "ConfigMaps could not be read" in expect_unknown(only_a_file, "kube-proxy-mode").missing
        expect_unknown(self.of(nodes=ok(node(node_args=("server", "--disable-kube-proxy")))), "kube-proxy-mode")

    def test_many_nodes_are_few_rows(self):
        finding = expect_fail(self.of(*(component("kube-proxy", "--proxy-mode=ipvs") for _number in range(50))), "kube-proxy-mode")
        assert len(finding.evidence) == 5
        assert finding.evidence[-1].object == "46 more"


class TestCalicoApi:
    dead = ApiService(Ref("APIService", "v3.projectcalico.org"), "calico-apiserver/calico-api", False, "MissingEndpoints", "no endpoints")

    def test_passes(self):
        expect_pass(cluster(), "calico-api-unavailable")

    def test_not_served_with_all_pools_is_a_warning(self):
        finding = expect_fail(cluster(ip_pools_v3=not_served()), "calico-api-unavailable")
        assert finding.severity == "warning"
        assert "HelmChartConfig kube-system/rke2-calico" in finding.remedy.text

    def test_not_served_with_a_missing_pool_is_the_cause(self):
        snapshot = cluster(pools=[], ip_pools_v3=not_served())
        assert expect_fail(snapshot, "calico-api-unavailable").severity == "error"
        assert expect_fail(snapshot, "remote-pool-missing").caused_by == "cluster-1/calico-api-unavailable"

    def test_dead(self):
        finding = expect_fail(cluster(ip_pools_v3=answer(UNAVAILABLE), api_services=ok(self.dead)), "calico-api-unavailable")
        assert "registered but does not answer" in finding.title
        assert "MissingEndpoints" in finding.evidence[1].note

    def test_before_a_join(self):
        assert expect_fail(cluster(joined=False, ip_pools_v3=not_served()), "calico-api-unavailable").severity == "warning"

    def test_other_plugin(self):
        expect_not_asked(cluster(joined=submariner("cluster-1", plugin="canal-flannel"), ip_pools_v3=not_served()), "calico-api-unavailable")

    @pytest.mark.parametrize("state", [FORBIDDEN, TIMED_OUT, NOT_READ])
    def test_unknown(self, state):
        expect_unknown(cluster(ip_pools_v3=answer(state)), "calico-api-unavailable")


class TestRemotePools:
    right = [remote_pool("cluster-2", "10.43.0.0/16"), remote_pool("cluster-2", "10.42.0.0/16")]

    def test_pass(self):
        for check_id in ("remote-pool-missing", "remote-pool-stale", "remote-pool-blocked", "remote-pool-fields"):
            expect_pass(cluster(), check_id)

    def test_unknown(self):
        for check_id in ("remote-pool-missing", "remote-pool-stale", "remote-pool-blocked", "remote-pool-fields"):
            expect_unknown(cluster(ip_pools=answer(FORBIDDEN)), check_id)
            expect_unknown(cluster(endpoints=answer(FORBIDDEN)), check_id)

    def test_other_plugin(self):
        expect_not_asked(cluster(joined=submariner("cluster-1", plugin="generic"), pools=[]), "remote-pool-missing")

    def test_missing(self):
        finding = expect_fail(cluster(pools=self.right[:1]), "remote-pool-missing")
        assert finding.title == "Calico has no IPPool for 10.42.0.0/16 of cluster-2"
        assert "submariner-cluster-2-10.42.0.0-16" in finding.remedy.text

    def test_hand_made_pool_counts(self):
        expect_pass(cluster(pools=[self.right[0], pool("podwestcluster", "10.42.0.0/16")]), "remote-pool-missing")

    def test_stale_that_keeps_the_right_one_out(self):
        snapshot = cluster(pools=[self.right[0], remote_pool("cluster-2", "10.42.0.0/24")])
        finding = expect_fail(snapshot, "remote-pool-stale")
        assert finding.severity == "error"
        assert finding.title == "The left-over IPPool 10.42.0.0/24 keeps the pool 10.42.0.0/16 of cluster-2 out"
        expect_pass(snapshot, "remote-pool-missing")
        expect_pass(snapshot, "remote-pool-blocked")

    def test_stale_beside(self):
        finding = expect_fail(cluster(pools=[*self.right, remote_pool("cluster-3", "10.50.0.0/16")]), "remote-pool-stale")
        assert finding.severity == "warning"

    def test_blocked_by_hand(self):
        snapshot = cluster(pools=[self.right[0], pool("by-hand", "10.42.0.0/17")])
        assert expect_fail(snapshot, "remote-pool-blocked").title == "IPPool by-hand (10.42.0.0/17) keeps the pool 10.42.0.0/16 of cluster-2 out"
        expect_pass(snapshot, "remote-pool-missing")
        expect_pass(snapshot, "remote-pool-stale")

    def test_blocked_by_this_cluster(self):
        finding = expect_fail(cluster(remote=("10.43.0.0/16", "10.46.128.0/17"), pools=self.right[:1]), "remote-pool-blocked")
        assert "overlap" in finding.evidence[0].note
        assert "Globalnet" in finding.remedy.text

    @pytest.mark.parametrize(
        ("fields", "severity"),
        [
            ({"nat_outgoing": True}, "error"),
            ({"disabled": False}, "error"),
            ({"allowed_uses": ("LoadBalancer",)}, "error"),
            ({"disable_bgp_export": False}, "warning"),
        ],
    )
    def test_fields(self, fields, severity):
        bgp = Installation(Ref("Installation", "default"), {}, "", "Calico", "Calico", (), (), "v3.26.3", "Enabled")
        snapshot = cluster(pools=[self.right[0], remote_pool("cluster-2", "10.42.0.0/16", **fields)], installations=ok(bgp))
        assert expect_fail(snapshot, "remote-pool-fields").severity == severity

    def test_export_is_harmless_without_bgp(self):
        expect_pass(cluster(pools=[self.right[0], remote_pool("cluster-2", "10.42.0.0/16", disable_bgp_export=False)]), "remote-pool-fields")
