# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The method of autodetection on clusters that react: written, rolled out, and every node's address its own again."""

from __future__ import annotations

import time
import types

import pytest
import yaml

from tests.integration.autodetection_trials import CONFIG, FIELD, VALUES, method, trial
from tests.integration.modules import Modules

pytestmark = pytest.mark.lab

ADDRESS = "projectcalico.org/IPv4Address"
GATEWAY = "submariner.io/gateway=true"


@pytest.fixture(scope="module")
def modules():
    bench = types.SimpleNamespace(modules=Modules())
    yield bench
    bench.modules.close()


def healed(cluster):
    """Calico's address of each node is its InternalIP."""
    nodes = cluster.admin().list("/api/v1/nodes")
    internal = [next(each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP") for node in nodes]
    return [node["metadata"]["annotations"][ADDRESS].partition("/")[0] for node in nodes] == internal


def until(condition, what, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"the lab never came to this: {what}"
        time.sleep(0.3)


def addresses(cluster):
    return [node["metadata"]["annotations"][ADDRESS] for node in cluster.admin().list("/api/v1/nodes")]


@pytest.mark.xdist_group("rke2, awake")
class TestRke2:
    def test_the_chart_s_values_reach_every_node(self, awake_labs, modules):
        """Values that ask for first-found break every node, and the remedy undoes that through the same values."""
        with awake_labs.planted("rke2") as lab:
            cluster = lab.cluster("cluster-1")
            cluster.client("planter").merge_patch(CONFIG, {"spec": {"valuesContent": VALUES}})
            until(lambda: all(each.startswith("240.") for each in addresses(cluster)), "first-found took vx-submariner on every node")
            done = trial(modules, cluster, wait=True, wait_timeout=300).repair()
            assert sorted(each["problem"].partition(",")[2] for each in done["nodes"]) == [" an address of Submariner's"] * len(addresses(cluster))
            assert healed(cluster) and method(cluster) == {"kubernetes": "NodeInternalIP"}
            text = cluster.admin().get(CONFIG)["spec"]["valuesContent"]
            assert yaml.safe_load(text)["installation"]["calicoNetwork"][FIELD] == {"kubernetes": "NodeInternalIP"} and "# of our site" in text

    @pytest.mark.exhaustive
    def test_a_node_that_keeps_the_wrong_address_is_restarted(self, awake_labs, modules):
        with awake_labs.planted("rke2") as lab:
            cluster = lab.cluster("cluster-1")
            (gateway,) = cluster.admin().list("/api/v1/nodes", labelSelector=GATEWAY)
            path = f"/api/v1/nodes/{gateway['metadata']['name']}"
            cluster.client("planter").merge_patch(path, {"metadata": {"annotations": {ADDRESS: "240.168.46.21/8"}}})
            assert not healed(cluster)
            done = trial(modules, cluster, wait=True, wait_timeout=300).repair()
            assert len(done["lines"]) == 1 and "restarted" in done["lines"][0]
            assert healed(cluster)


@pytest.mark.xdist_group("operator, awake")
@pytest.mark.exhaustive
class TestOperator:
    def test_the_incident_is_healed(self, awake_labs, modules):
        with awake_labs.planted("operator", "autodetection-240") as lab:
            cluster = lab.cluster("cluster-1")
            trial(modules, cluster, wait=True, wait_timeout=300).repair()
            assert healed(cluster)
            (result,) = modules.modules.run(("diagnose", {"kubeconfig": str(cluster.kubeconfig), "cluster": cluster.name, "timeout": 300}))
            assert not [each["id"] for each in result["findings"] if each["id"] in ("calico-address-of-submariner", "autodetection-picks-submariner")]
