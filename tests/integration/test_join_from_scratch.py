# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters on which Submariner is not installed end in the same place as those that are repaired. The tests are acts, in order."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tests.integration.clusterset import Watch, assert_repaired, playbook, recap, secrets, submariner
from tests.integration.role_arguments import module_arguments
from tests.lab.info import LabInfo

pytestmark = pytest.mark.lab

OPTIONS = {"natt": False, "air_gapped": True, "force_udp_encaps": True}
ASKED = ("-e", json.dumps({"submariner_join": True, "submariner_join_options": OPTIONS}))


@pytest.fixture(scope="module")
def lab(lab_factory):
    started = lab_factory(incident="unjoined")
    yield started
    lab_factory.stop(started)


def test_diagnose_finds_no_fault_in_clusters_that_are_not_joined(lab):
    done = playbook(lab, "diagnose")
    assert done.returncode == 0, done.stdout


def test_check_mode_shows_the_command_line_with_the_cidrs_and_without_secrets(lab):
    watch = Watch(lab)
    done = playbook(lab, "remediate", "--check", "--diff", "-v", *ASKED)
    assert done.returncode == 0, done.stdout
    assert "--clustercidr=10.46.0.0/16" in done.stdout and "--servicecidr=10.45.0.0/16" in done.stdout
    assert "--natt=false" in done.stdout
    assert lab.broker_info.read_text().strip() not in done.stdout
    assert watch.none()


def refused(lab, bench, cluster, **variables):
    """What module join says when the role gets these variables; nothing is written."""
    watch = Watch(lab)
    (result,) = bench.modules.run(module_arguments(lab, cluster, "fathom.submariner.join", {"submariner_join": True, **variables}))
    assert result.get("failed") and watch.none(), result
    return result["msg"]


def test_an_unreadable_broker_file_is_refused_before_anything_is_written(lab, bench, tmp_path):
    broken = tmp_path / "broker-info.subm"
    broken.write_text("not a broker file")
    assert "is no broker file" in refused(lab, bench, "cluster-1", submariner_broker_info=str(broken))


def test_an_absent_subctl_is_refused_before_anything_is_written(lab, bench):
    assert "subctl was not found" in refused(lab, bench, "cluster-1", submariner_subctl="/nonexistent/subctl")


@pytest.mark.parametrize("cidr, message", [("10.46.0.0/99", "is no CIDR"), ("10.99.0.0/16", "not certain")])
def test_a_cidr_that_cannot_be_is_refused_before_anything_is_written(lab, bench, cidr, message):
    assert message in refused(lab, bench, "cluster-1", submariner_cluster_cidr=cidr)


def test_a_join_after_which_nothing_reconciles_is_not_taken_for_a_success(lab, bench):
    """subctl exits with 0 as soon as it has created the Submariner object; here no operator ever looks at it."""
    dataclasses.replace(LabInfo.load(lab.dir), stand_ins=tuple(name for name in lab.stand_ins if name != "submariner-operator")).save()
    (result,) = bench.modules.run(module_arguments(lab, "cluster-1", "fathom.submariner.join", {"join_options": OPTIONS, "join_wait_timeout": 30}))
    dataclasses.replace(LabInfo.load(lab.dir), stand_ins=lab.stand_ins).save()
    assert result.get("failed")
    assert "the Submariner operator to take over 10.46.0.0/16" in result["msg"]
    assert "The operator does not reconcile" in result["msg"]


def test_remediate_with_join_requested_ends_in_the_same_place(lab):
    done = playbook(lab, "remediate", "-vvv", "--diff", *ASKED)
    assert done.returncode == 0, done.stdout[-6000:]
    assert_repaired(lab)
    assert not [secret for secret in secrets(lab) if secret in done.stdout]
    for cluster in lab.clusters:
        spec = submariner(cluster)["spec"]
        assert (spec["natEnabled"], spec["airGappedDeployment"], spec["ceIPSecForceUDPEncaps"]) == (False, True, True)


def test_joining_again_does_not_run_subctl_and_writes_nothing(lab):
    uids = [submariner(cluster)["metadata"]["uid"] for cluster in lab.clusters]
    watch = Watch(lab)
    done = playbook(lab, "remediate", *ASKED)
    assert done.returncode == 0, done.stdout
    assert {counts["changed"] for counts in recap(done).values()} == {0}
    assert watch.none()
    assert [submariner(cluster)["metadata"]["uid"] for cluster in lab.clusters] == uids


def test_a_difference_that_cannot_be_patched_is_refused_by_name(lab, bench):
    message = refused(lab, bench, "cluster-1", join_options={"cable_driver": "wireguard"})
    assert "cable_driver" in message and "cannot be corrected in place" in message


def test_a_rejoin_needs_consent_and_then_keeps_what_was_not_mentioned(lab, bench):
    arguments = ("join", "--limit", "cluster-2", "-e", '{"join_correction": "rejoin", "submariner_join_options": {"cable_driver": "vxlan"}}')
    assert "allow_disruption" in refused(lab, bench, "cluster-2", join_correction="rejoin", join_options={"cable_driver": "vxlan"})
    uid = submariner(lab.cluster("cluster-2"))["metadata"]["uid"]
    done = playbook(lab, *arguments, "-e", "submariner_allow_disruption=true")
    assert done.returncode == 0, done.stdout[-6000:]
    found = submariner(lab.cluster("cluster-2"))
    assert found["metadata"]["uid"] != uid
    assert found["spec"]["cableDriver"] == "vxlan"
    assert (found["spec"]["natEnabled"], found["spec"]["airGappedDeployment"]) == (False, True)
    assert_repaired(lab)
