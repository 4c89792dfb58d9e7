# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's MTU where controllers react: the rollout node by node, workloads restarted within their budgets, a node that does not heal."""

from __future__ import annotations

import pytest

from tests.integration.modules import Modules
from tests.integration.pools_and_records import Trial

pytestmark = pytest.mark.lab

CONFIG = "/api/v1/namespaces/kube-system/configmaps/calico-config"
BUDGETS = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"
PODS = "/api/v1/namespaces/shop/pods"


@pytest.fixture(scope="module")
def modules():
    made = Modules()
    yield made
    made.close()


@pytest.fixture
def remedy(modules):
    class Bench:
        def __init__(self):
            self.modules = modules

        def on(self, cluster, **options):
            return Trial(self, cluster, "calico_mtu", **{"allow_disruption": True, "wait_timeout": 240, **options})

        def findings(self, cluster):
            (result,) = modules.run(("diagnose", {"kubeconfig": str(cluster.kubeconfig), "cluster": cluster.name, "timeout": 300}))
            return {each["id"] for each in result["findings"] if each["id"].startswith("mtu-") and each["verdict"] == "fail"}

    return Bench()


def nodes(cluster):
    return {each["metadata"]["name"] for each in cluster.admin().list("/api/v1/nodes")}


def unchanged(trial):
    again, written = trial.writes()
    assert (again.get("failed", False), again.get("changed"), again.get("lines"), written) == (False, False, [], []), (again, written)
    return again


def bare_pod(cluster):
    """A pod that nothing would make again, older than any rollout."""
    node = sorted(nodes(cluster))[-1]
    spec = {"nodeName": node, "containers": [{"name": "c", "image": "busybox"}]}
    cluster.client("planter").create(PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "by-hand", "namespace": "shop"}, "spec": spec})


@pytest.mark.xdist_group("operator, awake")
def test_operator_is_rolled_out_node_by_node_and_workloads_follow(awake_labs, remedy):
    with awake_labs.planted("operator", "004-operator-mtu-too-large") as lab:
        cluster = lab.cluster("cluster-1")
        assert "mtu-too-large" in remedy.findings(cluster)
        done = remedy.on(cluster, mtu="1450").run()
        assert not done.get("failed"), done
        told = [line for line in done["lines"] if " runs with MTU 1450." in line]
        assert {line.split(" node ")[1].split()[0] for line in told} == nodes(cluster)
        found = {(each["namespace"], each["kind"], each["name"]): each for each in done["outdated"]}
        assert found["shop", "Deployment", "storefront"]["pods"] == 2 and "with the rollout of" in done["outdated_why"]
        assert "keep the former MTU" in str(done["warnings"])
        assert "mtu-too-large" not in remedy.findings(cluster)
        assert unchanged(remedy.on(cluster, mtu="1450"))["outdated_pods"] == done["outdated_pods"]

        before = {each["metadata"]["uid"] for each in cluster.admin().list(PODS)}
        shop = {"restart_workloads": "listed", "workloads": ["shop/Deployment/storefront"]}
        restarted = remedy.on(cluster, **shop).run()
        assert not restarted.get("failed"), restarted
        assert restarted["lines"] == ["cluster-1: Deployment shop/storefront: restarted."]
        assert ("shop", "Deployment", "storefront") not in {(each["namespace"], each["kind"], each["name"]) for each in restarted["outdated"]}
        now = cluster.admin().list(PODS)
        assert {each["metadata"]["uid"] for each in now if each["metadata"]["name"].startswith("storefront")}.isdisjoint(before)
        assert {each["metadata"]["uid"] for each in now if each["metadata"]["name"].startswith("ledger")} <= before
        unchanged(remedy.on(cluster, **shop))


@pytest.mark.xdist_group("operator, awake")
@pytest.mark.exhaustive
def test_everything_is_restarted_as_budgets_allow_but_what_nobody_would_make_again(awake_labs, remedy):
    with awake_labs.planted("operator", "004-operator-mtu-too-large") as lab:
        cluster = lab.cluster("cluster-1")
        bare_pod(cluster)
        planter = cluster.client("planter")
        spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "storefront"}}}
        planter.create(BUDGETS, {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "storefront", "namespace": "shop"}, "spec": spec})
        done = remedy.on(cluster, mtu="1450", restart_workloads="all", wait_timeout=400).run()
        assert not done.get("failed"), done
        assert {each["way"] for each in done["outdated"]} <= {"needs a person", "left alone"}, done["outdated"]
        (person,) = done["needs_person"]
        assert "Pod shop/by-hand" in person["target"]
        assert any("evicted" in line and "looks after it" in line for line in done["lines"]), done["lines"]
        assert any(each["metadata"]["name"] == "by-hand" for each in cluster.admin().list(PODS))


@pytest.mark.xdist_group("manifest, awake")
@pytest.mark.exhaustive
def test_manifest_is_restarted_also_where_a_run_before_was_cut_off(awake_labs, remedy):
    with awake_labs.planted("manifest", "004-manifest-mtu-too-large") as lab:
        cluster = lab.cluster("cluster-1")
        cluster.admin().merge_patch(CONFIG, {"data": {"veth_mtu": "1450"}})
        assert "mtu-change-pending" in remedy.findings(cluster)
        done = remedy.on(cluster, mtu="1450").run()
        assert not done.get("failed"), done
        assert [each["after_header"].split(": ")[1] for each in done["diff"]] == ["DaemonSet kube-system/calico-node"]
        assert sum(" runs with MTU 1450." in line for line in done["lines"]) == len(nodes(cluster))
        assert remedy.findings(cluster) <= {"mtu-pods-outdated"}
        unchanged(remedy.on(cluster, mtu="1450"))


@pytest.mark.xdist_group("manifest, awake")
@pytest.mark.exhaustive
def test_a_node_that_does_not_heal_is_named_with_its_pods_reason(awake_labs, remedy):
    with awake_labs.planted("manifest", "003-manifest-architecture") as lab:
        cluster = lab.cluster("cluster-1")
        failed = remedy.on(cluster, mtu="1400", wait_timeout=40).run()
        assert failed["failed"] and failed["changed"], failed
        assert "nodes are done; node " in failed["msg"] and "container calico-node waiting: " in failed["msg"] and "goes on from there" in failed["msg"]
        assert failed["run"] and any("ConfigMap calico-config" in line for line in failed["lines"])
