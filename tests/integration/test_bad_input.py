# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user gets wrong gives a clear message, the other clusters are still served, and nothing is written."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.integration.clusterset import TRUTH, WRONG, Watch, playbook

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def lab(lab_factory):
    started = lab_factory(incident="healthy")
    yield started
    lab_factory.stop(started)


@pytest.fixture
def inventory(lab, tmp_path):
    """Make an inventory of cluster-1 as it is, and cluster-2 with other variables."""

    def make(**changes):
        data = yaml.safe_load(lab.inventory.read_text())
        hosts = data["submariner_clusters"]["hosts"] if "submariner_clusters" in data else data["all"]["children"]["submariner_clusters"]["hosts"]
        hosts["cluster-2"].update(changes)
        path = tmp_path / "inventory.yml"
        path.write_text(yaml.safe_dump(data))
        return path

    return make


def diagnose(lab, tmp_path, inventory, *arguments):
    done = playbook(lab, "diagnose", "-e", f"submariner_report_dir={tmp_path}/report", *arguments, inventory=inventory)
    report = tmp_path / "report/result.json"
    return done, json.loads(report.read_text()) if report.exists() else None


def test_of_healthy_clusters_only_the_age_of_their_submariner_is_remarked(lab, tmp_path):
    """0.16.3 does look for Calico's interface only once (submariner#3120). The check of DNS is skipped, for these clusters have none."""
    watch = Watch(lab)
    options = ("submariner_fail_on=error", "submariner_fail_on_unknown=true", "submariner_skip_checks=dns-not-forwarded")
    done, report = diagnose(lab, tmp_path, lab.inventory, *(word for option in options for word in ("-e", option)))
    assert done.returncode == 0, done.stdout
    remarks = {(entry["cluster"], entry["id"], entry["severity"]) for entry in report["findings"] if entry["severity"] != "info"}
    assert remarks == {(cluster, "known-bug", "warning") for cluster in TRUTH}
    assert watch.none()


def test_the_true_cidrs_are_told_with_what_each_release_would_detect(lab, tmp_path):
    """cluster_cidrs_info, used alone, as one would before anybody's subctl join."""
    play = tmp_path / "cidrs.yml"
    task = {"fathom.submariner.cluster_cidrs_info": {"kubeconfig": "{{ kubeconfig }}", "context": "{{ context }}", "submariner_version": "0.16.3"}, "register": "found"}
    write = {"ansible.builtin.copy": {"content": "{{ found | to_json }}", "dest": f"{tmp_path}/{{{{ inventory_hostname }}}}.json", "mode": "0600"}}
    play.write_text(json.dumps([{"hosts": "submariner_clusters", "gather_facts": False, "tasks": [task, write]}]))
    watch = Watch(lab)
    done = playbook(lab, str(play))
    assert done.returncode == 0, done.stdout
    for cluster, (pods, services) in TRUTH.items():
        found = json.loads((tmp_path / f"{cluster}.json").read_text())
        assert (found["pod_cidrs"], found["service_cidrs"]) == ([pods], [services])
        assert found["pod"]["ipv4"]["verified"] and found["service"]["ipv4"]["verified"]
        assert {row["source"] for row in found["evidence"]} >= {"ip_pool", "kube_controller_manager", "helm_chart", "service_cidr"}
        assert found["detection"]["pod"]["value"] == WRONG[cluster]
        assert found["detection"]["pod"]["judgement"] == "wrong"
    assert watch.none()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"kubeconfig": "/nonexistent/kubeconfig"}, "/nonexistent/kubeconfig"),
        ({"context": "nowhere"}, "nowhere"),
    ],
)
def test_a_wrong_kubeconfig_or_context_is_named_and_the_other_cluster_is_judged(lab, tmp_path, inventory, changes, message):
    done, report = diagnose(lab, tmp_path, inventory(**changes))
    assert done.returncode == 2
    assert message in done.stdout
    assert {entry["cluster"] for entry in report["findings"]} >= {"cluster-2"}
    assert "cluster-1" in json.dumps(report)


def test_a_dead_server_is_unknown_and_the_other_cluster_is_judged(lab, tmp_path, inventory):
    kubeconfig = yaml.safe_load(lab.cluster("cluster-2").kubeconfig.read_text())
    kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    path = tmp_path / "dead"
    path.write_text(yaml.safe_dump(kubeconfig))
    done, report = diagnose(lab, tmp_path, inventory(kubeconfig=str(path)), "-e", "diagnose_timeout=5")
    assert done.returncode == 2
    dead = [entry for entry in report["findings"] if entry["cluster"] == "cluster-2"]
    assert [entry["verdict"] for entry in dead if entry["id"] == "cluster-unreadable"] == ["unknown"]
    assert "127.0.0.1:1" in json.dumps(dead)


def restricted_kubeconfig(cluster, path, rules):
    """A kubeconfig of a service account that may do no more than ``rules``."""
    admin = cluster.client("planter")
    name = {"name": "restricted"}
    admin.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {**name, "namespace": "default"}})
    admin.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": name, "rules": rules})
    admin.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": name,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "restricted"},
            "subjects": [{"kind": "ServiceAccount", "name": "restricted", "namespace": "default"}],
        }
    )
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = admin.create("/api/v1/namespaces/default/serviceaccounts/restricted/token", request)["status"]["token"]
    kubeconfig = yaml.safe_load(cluster.kubeconfig.read_text())
    kubeconfig["users"][0]["user"] = {"token": token}
    path.write_text(yaml.safe_dump(kubeconfig))
    return path


def test_lists_that_are_forbidden_are_unknown_never_well(lab, tmp_path, inventory):
    rules = [{"apiGroups": ["submariner.io"], "resources": ["*"], "verbs": ["get", "list"]}, {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}]
    path = restricted_kubeconfig(lab.cluster("cluster-2"), tmp_path / "restricted", rules)
    done, report = diagnose(lab, tmp_path, inventory(kubeconfig=str(path)), "-e", "submariner_fail_on_unknown=true")
    assert done.returncode == 2, done.stdout
    unknown = [entry for entry in report["findings"] if entry["verdict"] == "unknown" and entry["cluster"] == "cluster-2"]
    assert unknown
    assert all(entry["missing"] for entry in unknown)
    assert "forbidden" in json.dumps(unknown).lower()
    assert not [entry for entry in report["findings"] if entry["cluster"] == "cluster-1" and entry["verdict"] == "fail" and entry["severity"] in ("error", "blocker")]


def test_a_join_that_may_not_read_does_not_write(lab, tmp_path, inventory):
    rules = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}]
    path = restricted_kubeconfig(lab.cluster("cluster-2"), tmp_path / "restricted", rules)
    watch = Watch(lab)
    done = playbook(lab, "join", "--limit", "cluster-2", "-e", "submariner_allow_disruption=true", inventory=inventory(kubeconfig=str(path)))
    assert done.returncode == 2
    assert "Nothing was written" in done.stdout
    assert watch.none()


def test_a_range_that_the_evidence_contradicts_is_refused(lab):
    watch = Watch(lab)
    done = playbook(lab, "join", "--limit", "cluster-1", "-e", "submariner_cluster_cidr=10.0.0.0/8", "-e", "submariner_allow_disruption=true")
    assert done.returncode == 2
    assert "the pod CIDR is not certain (conflict)" in done.stdout and "Nothing was written" in done.stdout
    assert watch.none()


def test_clusters_that_overlap_are_found_and_refused_by_name(lab, tmp_path, inventory):
    """The inventory's second cluster is the first one again, as two clusters with the same ranges would be."""
    twice = inventory(kubeconfig=str(lab.cluster("cluster-1").kubeconfig), context="cluster-1")
    watch = Watch(lab)
    done, report = diagnose(lab, tmp_path, twice)
    assert done.returncode == 2
    assert "clusterset-cidr-overlap" in {entry["id"] for entry in report["findings"]}
    done = playbook(lab, "join", "--limit", "cluster-2", "-e", "submariner_allow_disruption=true", inventory=twice)
    assert done.returncode == 2
    assert "10.46.0.0/16 overlaps 10.46.0.0/16 of cluster-1" in done.stdout and "Nothing was written" in done.stdout
    assert watch.none()
