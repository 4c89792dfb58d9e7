# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools of remote subnets on clusters at rest, repaired through the aggregated API, through native CRDs and through crd.projectcalico.org/v1."""

from __future__ import annotations

import contextlib

import pytest

from tests.integration.pools_and_records import Trial, without_state

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("rke2")]

V3 = "/apis/projectcalico.org/v3/ippools"
V1 = "/apis/crd.projectcalico.org/v1/ippools"
PODS = "submariner-cluster-2-10.42.0.0-16"
RIGHT = {"disabled": True, "natOutgoing": False, "disableBGPExport": True, "ipipMode": "Never", "vxlanMode": "Never", "blockSize": 26, "nodeSelector": "all()"}


@pytest.fixture
def planted(bench):
    """Plants an incident of a layout, and gives cluster-1 and a trial on it."""
    with contextlib.ExitStack() as stack:

        def plant(layout, incident, **options):
            lab = stack.enter_context(bench.planted(layout, incident))
            stack.enter_context(without_state(*lab.clusters))
            return lab.cluster("cluster-1"), Trial(bench, lab.cluster("cluster-1"), "remote_ippools", **options)

        yield plant


def pools(cluster, path=V3):
    return {each["metadata"]["name"]: each for each in cluster.admin().list(path)}


def is_right(spec):
    return {key: spec.get(key, False) for key in RIGHT} == RIGHT


def names_of(findings):
    return {each["id"] for each in findings if each["id"].startswith(("remote-pool", "pool-"))}


def found(bench, cluster):
    (result,) = bench.modules.run(("diagnose", {"kubeconfig": str(cluster.kubeconfig), "cluster": cluster.name, "timeout": 300}))
    return names_of(result["findings"])


def test_nothing_to_do(planted):
    _cluster, trial = planted("rke2", "rke2")
    result, written = trial.writes()
    assert (result["changed"], result["lines"], result["needs_person"], written) == (False, [], [], [])
    assert result["api_version"] == "projectcalico.org/v3"


def test_a_missing_pool(planted, bench):
    cluster, trial = planted("rke2", "pool-missing")
    assert "remote-pool-missing" in found(bench, cluster)
    done = trial.repair()
    assert [(each["action"], each["name"]) for each in done["pools"]] == [("create", PODS)]
    made = pools(cluster)[PODS]
    assert is_right(made["spec"]) and made["metadata"]["labels"]["submariner.io/ippool"] == "true"
    assert "would make submariner-cluster-2-10.42.0.0-16 by itself" in done["agent"]
    assert found(bench, cluster) == set()


def test_a_stale_24_that_blocks_the_16(planted, bench):
    cluster, trial = planted("rke2", "pool-stale-24-blocks-16")
    refused, written = trial.writes()
    assert refused["failed"] and "allow_disruption" in refused["msg"] and "10.42.0.0/24" in refused["msg"] and written == []
    warned = trial.run(check=True)
    assert not warned.get("failed") and "the real run is refused" in str(warned["warnings"]), warned
    done = Trial(bench, cluster, "remote_ippools", allow_disruption=True).repair()
    assert [each["action"] for each in done["pools"]] == ["delete", "create"]
    assert "submariner-cluster-2-10.42.0.0-24" not in pools(cluster) and is_right(pools(cluster)[PODS]["spec"])
    assert found(bench, cluster) == set()


def test_a_pool_made_by_hand_goes_only_by_its_name(planted, bench):
    cluster, trial = planted("rke2", "pool-blocked-by-hand", allow_disruption=True)
    refused, written = trial.writes()
    assert refused["failed"] and "remove=[podwestcluster]" in refused["msg"] and written == []
    Trial(bench, cluster, "remote_ippools", allow_disruption=True, remove=["podwestcluster"]).repair()
    assert "podwestcluster" not in pools(cluster) and PODS in pools(cluster)


def test_a_pool_of_a_cluster_that_left(planted):
    cluster, trial = planted("rke2", "pool-orphaned")
    assert [each["action"] for each in trial.repair()["pools"]] == ["delete"]
    assert "submariner-cluster-3-10.50.0.0-16" not in pools(cluster)


def test_a_right_pool_made_by_hand_stays(planted):
    _cluster, trial = planted("rke2", "pool-made-by-hand")
    assert trial.writes()[1] == []


def test_calico_is_not_asked_for_what_it_would_refuse(planted):
    """Two remote clusters with one range: the aggregated API lets a dry run of it pass."""
    _cluster, trial = planted("rke2", "rke2")
    refused, written = trial.writes(subnets={"cluster-2": "10.42.0.0/16", "cluster-9": ["10.42.128.0/17"]})
    assert refused["failed"] and "10.42.0.0/16 of cluster-2 overlaps 10.42.128.0/17 of cluster-9" in refused["msg"] and written == []
    refused, written = trial.writes(subnets={"cluster-9": "10.46.0.0/16"})
    assert refused["failed"] and "the two clusters' addresses are the same" in refused["msg"] and written == []
    refused, written = trial.writes(subnets={"cluster-9": "10.60.0.0"})
    assert refused["failed"] and "without a prefix length" in refused["msg"] and written == []


def test_without_the_calico_api_only_where_that_is_spelled_out(planted):
    cluster, trial = planted("rke2", "000-rke2-no-api-server")
    admin = cluster.admin()
    wanted = [each for name, each in pools(cluster, V1).items() if name.startswith("submariner-")]
    refused, written = trial.writes()
    assert refused["failed"] and "calico_api_server" in refused["msg"] and written == [], refused
    trial = Trial(trial._bench, cluster, "remote_ippools", fallback="crd")
    done = trial.repair()
    assert done["api_version"] == "crd.projectcalico.org/v1" and "does not validate" in str(done["warnings"])
    for change in done["pools"]:
        made = pools(cluster, V1)[change["name"]]
        assert is_right(made["spec"]) and made["spec"]["allowedUses"] == ["Workload", "Tunnel"]
        if change["action"] == "create" and change["name"] not in {each["metadata"]["name"] for each in wanted}:
            admin.delete(f"{V1}/{change['name']}")


def test_what_was_deleted_is_journalled_whole(planted):
    cluster, trial = planted("rke2", "pool-orphaned")
    run = trial.run()["run"]
    data = cluster.admin().get(f"/api/v1/namespaces/kube-system/configmaps/fathom-submariner-journal-{run}")["data"]
    assert '"cidr": "10.50.0.0/16"' in data["00001.intended"] and "00001.done" in data


def test_removal(planted, bench):
    cluster, trial = planted("rke2", "pool-orphaned", state="absent", subnets={"cluster-3": "10.50.0.0/16"})
    assert trial.repair()["disruptive"] == []
    live = Trial(bench, cluster, "remote_ippools", state="absent").run(check=True)
    assert len(live["disruptive"]) == 2 and {each["action"] for each in live["pools"]} == {"delete"}
