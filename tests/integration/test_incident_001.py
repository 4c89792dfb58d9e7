# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incident 001 from the first look to the proof. One lab; the tests are its acts, in the order in which they stand."""

from __future__ import annotations

import json

import pytest

from tests.integration.clusterset import TRUTH, WRONG, Watch, assert_repaired, connections, environment_of, playbook, pools, recap, secrets, submariner

pytestmark = pytest.mark.lab

CONSENT = ("-e", "submariner_allow_disruption=true")


@pytest.fixture(scope="module")
def lab(lab_factory):
    started = lab_factory(incident="001")
    yield started
    lab_factory.stop(started)


def test_the_incident_is_planted_as_reported(lab):
    for cluster in lab.clusters:
        found = submariner(cluster)
        assert found["spec"]["clusterCIDR"] == ""
        assert found["status"]["clusterCIDR"] == WRONG[cluster.name]
        assert environment_of(cluster, "submariner-routeagent")["SUBMARINER_CLUSTERCIDR"] == WRONG[cluster.name]
        assert all(status == "connected" for status, dummy in connections(cluster).values())
    assert WRONG["cluster-1"] in pools(lab.cluster("cluster-2")).values()
    assert WRONG["cluster-2"] in pools(lab.cluster("cluster-1")).values()


def test_diagnose_says_what_is_broken_why_and_what_would_repair_it(lab, tmp_path):
    watch = Watch(lab)
    done = playbook(lab, "diagnose", "-e", f"submariner_report_dir={tmp_path}/report")
    assert done.returncode == 2, done.stdout
    for cluster in TRUTH:
        assert WRONG[cluster] in done.stdout and TRUTH[cluster][0] in done.stdout
    assert "spec.podCIDR" in done.stdout
    assert watch.none()
    found = json.loads((tmp_path / "report/result.json").read_text())
    blockers = [(entry["cluster"], entry["id"]) for entry in found["findings"] if entry["severity"] == "blocker"]
    assert sorted(blockers) == [("cluster-1", "submariner-cidr-wrong"), ("cluster-2", "submariner-cidr-wrong")]
    for entry in found["findings"]:
        if entry["id"] == "submariner-cidr-wrong":
            assert entry["remedy"]["role"] == "fathom.submariner.join"
            assert entry["remedy"]["variables"]["join_cluster_cidr"] == TRUTH[entry["cluster"]][0]
            assert {"status.clusterCIDR"} <= {evidence["field"] for evidence in entry["evidence"]}


def test_check_mode_shows_what_would_be_written_and_writes_nothing(lab):
    watch = Watch(lab)
    before = [(submariner(cluster)["metadata"]["resourceVersion"], pools(cluster)) for cluster in lab.clusters]
    done = playbook(lab, "remediate", "--check", "--diff", *CONSENT)
    assert done.returncode == 0, done.stdout
    for pods, dummy in TRUTH.values():
        assert f'+        "clusterCIDR": "{pods}"' in done.stdout or f"+    clusterCIDR: {pods}" in done.stdout, done.stdout
    assert watch.none()
    assert [(submariner(cluster)["metadata"]["resourceVersion"], pools(cluster)) for cluster in lab.clusters] == before


def test_without_consent_nothing_is_interrupted_and_the_message_names_the_variable(lab):
    watch = Watch(lab)
    done = playbook(lab, "remediate")
    assert done.returncode == 2
    assert "submariner_allow_disruption" in done.stdout
    assert watch.none()


def test_remediate_repairs_both_clusters_and_their_peers_and_proves_it(lab, tmp_path):
    hidden = secrets(lab)
    done = playbook(lab, "remediate", "--diff", "-vvv", *CONSENT, "-e", f"submariner_report_dir={tmp_path}/report")
    assert done.returncode == 0, done.stdout[-6000:]
    assert_repaired(lab)
    assert all(counts["changed"] >= 1 for counts in recap(done).values())
    assert not [secret for secret in hidden if secret in done.stdout]
    text = (tmp_path / "report/result.json").read_text()
    assert not [entry for entry in json.loads(text)["findings"] if entry["verdict"] == "fail" and entry["severity"] in ("error", "blocker")]
    assert not [secret for secret in hidden if secret in text]


def test_a_second_run_changes_nothing_and_writes_nothing(lab):
    watch = Watch(lab)
    done = playbook(lab, "remediate", *CONSENT)
    assert done.returncode == 0, done.stdout
    assert {host: counts["changed"] for host, counts in recap(done).items()} == {"cluster-1": 0, "cluster-2": 0}
    assert watch.none()


def test_the_repaired_clusters_are_diagnosed_as_well(lab):
    options = ("submariner_fail_on=error", "submariner_fail_on_unknown=true", "submariner_skip_checks=dns-not-forwarded")  # these clusters have no DNS
    done = playbook(lab, "diagnose", *(word for option in options for word in ("-e", option)))
    assert done.returncode == 0, done.stdout


def test_a_correction_that_was_cut_off_after_the_patch_is_carried_through(lab):
    """The state that a killed run leaves: spec, status and pods right, the peer's stale pool still there and its right one not."""
    peer = lab.cluster("cluster-2").admin()
    for name, cidr in pools(lab.cluster("cluster-2")).items():
        if cidr == TRUTH["cluster-1"][0]:
            peer.delete(f"/apis/projectcalico.org/v3/ippools/{name}")
    stale = {
        "apiVersion": "projectcalico.org/v3",
        "kind": "IPPool",
        "metadata": {"name": "submariner-cluster-1-10.46.0.0-24", "labels": {"submariner.io/ippool": "true"}},
        "spec": {"cidr": WRONG["cluster-1"], "disabled": True, "natOutgoing": False},
    }
    peer.create("/apis/projectcalico.org/v3/ippools", stale)
    done = playbook(lab, "remediate", *CONSENT)
    assert done.returncode == 0, done.stdout[-6000:]
    assert any(counts["changed"] for counts in recap(done).values()), done.stdout[-6000:]
    assert_repaired(lab)
