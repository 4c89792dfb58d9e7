# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters on which Submariner is not installed end in the same place as those that are repaired. The tests are acts, in order."""

from __future__ import annotations

import dataclasses

import pytest

from tests.integration.clusterset import Watch, assert_repaired, playbook, recap, secrets, submariner
from tests.lab.info import LabInfo

pytestmark = pytest.mark.lab

OPTIONS = ("-e", '{"submariner_join": true, "submariner_join_options": {"natt": false, "air_gapped": true, "force_udp_encaps": true}}')


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
    done = playbook(lab, "remediate", "--check", "--diff", "-v", *OPTIONS)
    assert done.returncode == 0, done.stdout
    assert "--clustercidr=10.46.0.0/16" in done.stdout and "--servicecidr=10.45.0.0/16" in done.stdout
    assert "--natt=false" in done.stdout
    assert lab.broker_info.read_text().strip() not in done.stdout
    assert watch.none()


def test_an_unreadable_broker_file_is_refused_before_anything_is_written(lab, tmp_path):
    broken = tmp_path / "broker-info.subm"
    broken.write_text("not a broker file")
    watch = Watch(lab)
    done = playbook(lab, "remediate", *OPTIONS, "-e", f"submariner_broker_info={broken}")
    assert done.returncode == 2
    assert "is no broker file" in done.stdout
    assert watch.none()


def test_an_absent_subctl_is_refused_before_anything_is_written(lab):
    watch = Watch(lab)
    done = playbook(lab, "remediate", *OPTIONS, "-e", "submariner_subctl=/nonexistent/subctl")
    assert done.returncode == 2
    assert "subctl was not found" in done.stdout
    assert watch.none()


@pytest.mark.parametrize("cidr, message", [("10.46.0.0/99", "is no CIDR"), ("10.99.0.0/16", "not certain")])
def test_a_cidr_that_cannot_be_is_refused_before_anything_is_written(lab, cidr, message):
    watch = Watch(lab)
    done = playbook(lab, "remediate", *OPTIONS, "--limit", "cluster-1", "-e", f"submariner_cluster_cidr={cidr}")
    assert done.returncode == 2
    assert message in done.stdout, done.stdout
    assert watch.none()


def test_a_join_after_which_nothing_reconciles_is_not_taken_for_a_success(lab):
    """subctl exits with 0 as soon as it has created the Submariner object; here no operator ever looks at it."""
    dataclasses.replace(LabInfo.load(lab.dir), stand_ins=tuple(name for name in lab.stand_ins if name != "submariner-operator")).save()
    done = playbook(lab, "join", "--limit", "cluster-1", *OPTIONS, "-e", "join_wait_timeout=45")
    dataclasses.replace(LabInfo.load(lab.dir), stand_ins=lab.stand_ins).save()
    assert done.returncode == 2
    assert "the Submariner operator to take over 10.46.0.0/16" in done.stdout, done.stdout
    assert "The operator does not reconcile" in done.stdout


def test_remediate_with_join_requested_ends_in_the_same_place(lab):
    done = playbook(lab, "remediate", "-vvv", "--diff", *OPTIONS)
    assert done.returncode == 0, done.stdout[-6000:]
    assert_repaired(lab)
    assert not [secret for secret in secrets(lab) if secret in done.stdout]
    for cluster in lab.clusters:
        spec = submariner(cluster)["spec"]
        assert (spec["natEnabled"], spec["airGappedDeployment"], spec["ceIPSecForceUDPEncaps"]) == (False, True, True)


def test_joining_again_does_not_run_subctl_and_writes_nothing(lab):
    uids = [submariner(cluster)["metadata"]["uid"] for cluster in lab.clusters]
    watch = Watch(lab)
    done = playbook(lab, "remediate", *OPTIONS)
    assert done.returncode == 0, done.stdout
    assert {counts["changed"] for counts in recap(done).values()} == {0}
    assert watch.none()
    assert [submariner(cluster)["metadata"]["uid"] for cluster in lab.clusters] == uids


def test_a_difference_that_cannot_be_patched_is_refused_by_name(lab):
    watch = Watch(lab)
    done = playbook(lab, "join", "-e", '{"submariner_join_options": {"cable_driver": "wireguard"}}')
    assert done.returncode == 2
    assert "cable_driver" in done.stdout and "cannot be corrected in place" in done.stdout
    assert watch.none()


def test_a_rejoin_needs_consent_and_then_keeps_what_was_not_mentioned(lab):
    arguments = ("join", "--limit", "cluster-2", "-e", '{"join_correction": "rejoin", "submariner_join_options": {"cable_driver": "vxlan"}}')
    refused = playbook(lab, *arguments)
    assert refused.returncode == 2 and "allow_disruption" in refused.stdout
    uid = submariner(lab.cluster("cluster-2"))["metadata"]["uid"]
    done = playbook(lab, *arguments, "-e", "submariner_allow_disruption=true")
    assert done.returncode == 0, done.stdout[-6000:]
    found = submariner(lab.cluster("cluster-2"))
    assert found["metadata"]["uid"] != uid
    assert found["spec"]["cableDriver"] == "vxlan"
    assert (found["spec"]["natEnabled"], found["spec"]["airGappedDeployment"]) == (False, True)
    assert_repaired(lab)
