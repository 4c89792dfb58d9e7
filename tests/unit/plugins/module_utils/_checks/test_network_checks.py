# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of kube-proxy: pass, fail and unknown."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, ConfigMap, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, component, node, ok
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import expect_fail, expect_pass, expect_unknown


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

    @pytest.mark.parametrize(("mode", "expected"), [("iptables", expect_pass), ("ipvs", expect_fail)])
    def test_openshifts_own_configuration(self, mode, expected):
        data = {"kube-proxy-config.yaml": f"kind: KubeProxyConfiguration\nmode: {mode}\n"}
        expected(self.of(config_maps=ok(ConfigMap(Ref("ConfigMap", "proxy-config", "openshift-kube-proxy"), data))), "kube-proxy-mode")

    def test_unknown(self):
        assert "something else may do its work" in expect_unknown(self.of(), "kube-proxy-mode").missing
        only_a_file = self.of(component("kube-proxy", "--config=/var/lib/kube-proxy/config.conf"), config_maps=answer(FORBIDDEN))
        assert "ConfigMaps could not be read" in expect_unknown(only_a_file, "kube-proxy-mode").missing
        expect_unknown(self.of(nodes=ok(node(node_args=("server", "--disable-kube-proxy")))), "kube-proxy-mode")

    def test_many_nodes_are_few_rows(self):
        finding = expect_fail(self.of(*(component("kube-proxy", "--proxy-mode=ipvs") for _number in range(50))), "kube-proxy-mode")
        assert len(finding.evidence) == 5
        assert finding.evidence[-1].object == "46 more"
