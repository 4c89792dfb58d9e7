# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The method of autodetection on clusters at rest where somebody else owns Calico's configuration, or nobody does."""

from __future__ import annotations

import pytest
import yaml

from tests.integration.autodetection_trials import FIELD, FIRST_FOUND, VARIABLE, left_alone, method, planting, trial, variables, without_method

pytestmark = pytest.mark.lab


@pytest.fixture
def planted(bench):
    with planting(bench) as plant:
        yield plant


@pytest.mark.xdist_group("helm")
class TestHelm:
    def test_a_good_method_is_left_alone(self, planted):
        left_alone(planted, "helm")

    def test_values_are_a_persons(self, planted, bench):
        cluster, first = planted("helm", FIRST_FOUND)
        result, written = first.writes()
        assert (result["changed"], result["lines"], written) == (False, [], [])
        (person,) = result["needs_person"]
        assert yaml.safe_load(person["paste"]) == {"installation": {"calicoNetwork": {FIELD: {"firstFound": False, "kubernetes": "NodeInternalIP"}}}}
        assert "helm upgrade" in person["text"]
        assert trial(bench, cluster, write_live=True).repair()["needs_person"] == [person]
        assert method(cluster) == {"kubernetes": "NodeInternalIP"}


@pytest.mark.xdist_group("kubespray")
class TestKubespray:
    def test_a_good_method_is_left_alone(self, planted):
        left_alone(planted, "kubespray")

    def test_the_daemon_set_and_the_inventory(self, planted):
        cluster, remedy = planted("kubespray", without_method("kubespray"))
        before = variables(cluster)
        done = remedy.repair()
        assert variables(cluster) == {**before, VARIABLE: "kubernetes-internal-ip"}
        (person,) = done["needs_person"]
        assert yaml.safe_load(person["paste"]) == {"calico_ip_auto_method": "kubernetes-internal-ip"}


@pytest.mark.xdist_group("manifest")
class TestManifest:
    def test_a_good_method_is_left_alone(self, planted):
        left_alone(planted, "manifest")

    def test_a_node_that_keeps_the_wrong_address(self, planted):
        """The method is right and rolled out: only a restart finds another address. Comes before a test whose rollout nobody carries out."""
        node = {"cluster": "cluster-1", "patch": {"kind": "Node", "selector": "submariner.io/gateway=true"}}
        wrong = {"metadata": {"annotations": {"projectcalico.org/IPv4Address": "240.168.46.21/8"}}}
        cluster, remedy = planted("manifest", {**node, "merge": wrong})
        gateways = [each["metadata"]["name"] for each in cluster.admin().list("/api/v1/nodes", labelSelector="submariner.io/gateway=true")]
        told = remedy.run(check=True)
        assert [each["node"] for each in told["nodes"]] == gateways and len(told["lines"]) == len(gateways), told
        assert all("calico-node" in each["before_header"] and each["after"] == {} for each in told["diff"])
        refused, written = remedy.writes(allow_disruption=False)
        assert refused["failed"] and "restarting calico-node on" in refused["msg"] and written == []

    def test_the_daemon_set_is_changed(self, planted):
        cluster, remedy = planted("manifest", without_method("manifest"))
        done = remedy.repair()
        assert variables(cluster)[VARIABLE] == "kubernetes-internal-ip"
        assert done["needs_person"] == [] and any("calico.yaml" in str(each) for each in done["warnings"])


@pytest.mark.xdist_group("roks")
class TestRoks:
    def test_a_good_method_is_left_alone(self, planted):
        left_alone(planted, "roks")

    def test_only_by_force(self, planted, bench):
        cluster, first = planted("roks", FIRST_FOUND)
        refused, written = first.writes()
        assert refused["failed"] and "IBM" in refused["msg"] and "force=true" in refused["msg"] and written == []
        assert any("IBM does not support" in str(each) for each in trial(bench, cluster, force=True).repair()["warnings"])
