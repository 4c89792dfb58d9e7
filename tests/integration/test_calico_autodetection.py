# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The method of autodetection written where it lasts, on clusters at rest with Calico's operator: by RKE2's chart, and by hand."""

from __future__ import annotations

import time

import pytest
import yaml

from tests.integration.autodetection_trials import (
    ADDON,
    CONFIG,
    FIELD,
    FILE,
    FIRST_FOUND,
    INSTALLATION,
    OF_FILE,
    VALUES,
    left_alone,
    method,
    of_file,
    planting,
    values,
)

pytestmark = pytest.mark.lab


@pytest.fixture
def planted(bench):
    with planting(bench) as plant:
        yield plant


@pytest.mark.xdist_group("rke2")
class TestRke2:
    def test_a_good_method_is_left_alone(self, planted):
        left_alone(planted, "rke2")

    def test_values_and_installation(self, planted):
        cluster, trial = planted("rke2", FIRST_FOUND, values(VALUES))
        refused, written = trial.writes(allow_disruption=False)
        assert refused["failed"] and "allow_disruption" in refused["msg"] and written == []
        done = trial.repair()
        assert method(cluster) == {"kubernetes": "NodeInternalIP"}
        text = cluster.admin().get(CONFIG)["spec"]["valuesContent"]
        assert text == VALUES.replace(" {firstFound: true}", "\n          kubernetes: NodeInternalIP")
        assert "hunter2" not in str(done) and "password: (hidden)" in str(done["diff"]) and done["needs_person"] == []
        journal = str([each.get("data") for each in cluster.admin().list("/api/v1/namespaces/kube-system/configmaps")])
        assert "hunter2" not in journal and "password: (hidden)" in journal

    def test_a_value_that_helm_does_not_put_back(self, planted):
        """Somebody changed the Installation; the values say what is right, and Helm compares manifests, not objects."""
        cluster, trial = planted("rke2", FIRST_FOUND)
        before = cluster.admin().get(CONFIG)["metadata"]["resourceVersion"]
        trial.repair()
        assert method(cluster) == {"kubernetes": "NodeInternalIP"}
        assert cluster.admin().get(CONFIG)["metadata"]["resourceVersion"] == before

    @pytest.mark.parametrize(
        ("text", "reason"),
        [("a: &x {b: 1}\ninstallation:\n  calicoNetwork: *x\n", "an alias"), ("installation: [\n", "no YAML in line"), ("- a\n", "no mapping")],
    )
    def test_values_that_cannot_be_changed_safely(self, planted, text, reason):
        cluster, trial = planted("rke2", FIRST_FOUND, values(text))
        refused, written = trial.writes()
        assert refused["failed"] and reason in refused["msg"] and "Nothing was written" in refused["msg"], refused
        assert written == [] and method(cluster) == {"firstFound": True}

    def test_values_of_a_file(self, planted):
        """A person gets the file, unless the role edits it; once the file's own controller has written it so, nobody needs to do anything."""
        cluster, trial = planted("rke2", FIRST_FOUND, values(VALUES, **OF_FILE))
        with of_file(cluster):
            done = trial.repair()
            (person,) = done["needs_person"]
            assert person["target"] == f"{FILE} on every server"
            paste = yaml.safe_load(person["paste"])
            assert yaml.safe_load(paste["spec"]["valuesContent"])["installation"]["calicoNetwork"][FIELD] == {"kubernetes": "NodeInternalIP"}
            assert "hunter2" not in person["paste"]
            assert trial.run()["needs_person"] == [person]
            listed = trial.run(manifest_servers=["server-1"])
            wanted = {"installation": {"calicoNetwork": {FIELD: {"kubernetes": "NodeInternalIP"}}}}
            assert listed["manifest_files"] == [{"path": FILE, "chart": "rke2-calico", "values": wanted, "replace": [f"installation.calicoNetwork.{FIELD}"]}]
            assert listed["needs_person"] == []
            time.sleep(1.1)  # managedFields tell seconds
            cluster.admin().apply({**ADDON, "spec": {"source": FILE, "checksum": "1" * 64}})
            assert trial.run()["needs_person"] == []

    def test_helm_set_outranks_the_values(self, planted):
        chart = {"cluster": "cluster-1", "patch": {"kind": "HelmChart", "namespace": "kube-system", "name": "rke2-calico"}}
        _cluster, trial = planted("rke2", FIRST_FOUND, {**chart, "merge": {"spec": {"set": {"installation.calicoNetwork": "x"}}}})
        refused, written = trial.writes()
        assert refused["failed"] and "installation.calicoNetwork, which outranks" in refused["msg"] and written == []


@pytest.mark.xdist_group("operator")
class TestOperator:
    def test_a_good_method_is_left_alone(self, planted):
        left_alone(planted, "operator")

    def test_operator(self, planted):
        cluster, trial = planted("operator", FIRST_FOUND)
        done = trial.repair()
        assert method(cluster) == {"kubernetes": "NodeInternalIP"}
        assert (done["families"], done["needs_person"]) == (["ipv4"], [])

    def test_operator_with_an_overlay(self, planted):
        overlay = {
            "apiVersion": "operator.tigera.io/v1",
            "kind": "Installation",
            "metadata": {"name": "overlay"},
            "spec": {"calicoNetwork": {FIELD: {"firstFound": True}}},
        }
        cluster, trial = planted("operator", FIRST_FOUND, {"cluster": "cluster-1", "create": overlay})
        trial.repair()
        assert cluster.admin().get(INSTALLATION.replace("default", "overlay"))["spec"]["calicoNetwork"] == {FIELD: {"kubernetes": "NodeInternalIP"}}

    def test_another_method(self, planted):
        cluster, trial = planted("operator", FIRST_FOUND, method="cidr", cidrs=["192.168.0.0/16"])
        trial.repair()
        assert method(cluster) == {"cidrs": ["192.168.0.0/16"]}

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"method": "interface", "interface": ".*"}, "is no remedy"),
            ({"method": "skip-interface"}, "needs option skip_interface"),
            ({"interface": "eth0"}, "does not use it"),
            ({"method": "cidr", "cidrs": ["300.0.0.0/8"]}, "cidrs:"),
        ],
    )
    def test_options_that_cannot_be_right(self, planted, options, reason):
        _cluster, trial = planted("operator", FIRST_FOUND, **options)
        refused, written = trial.writes()
        assert refused["failed"] and reason in refused["msg"] and "Nothing was sent" in refused["msg"] and written == [], refused

    def test_a_node_without_an_internal_ip(self, planted):
        node = {"cluster": "cluster-1", "patch": {"kind": "Node", "selector": "submariner.io/gateway=true"}}
        _cluster, trial = planted("operator", FIRST_FOUND, {**node, "merge": {"status": {"addresses": []}}})
        refused, written = trial.writes()
        assert refused["failed"] and "has no InternalIP" in refused["msg"] and written == []
