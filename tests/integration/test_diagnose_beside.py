# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role diagnose with what a user puts beside it: checks of one's own, planned clusters, and subctl."""

from __future__ import annotations

import json
import types

import pytest

from tests.integration.clusterset import playbook, recap

SUBCTL = """#!/bin/sh
# Prints as subctl does; for the cluster of context "slow" it never ends.
case "$*" in *slow*) exec sleep 600;; esac
echo 'Cluster "kubernetes"'
cat >&2 <<'END'
 • Checking gateway connections  ...
 ✓ Checking gateway connections
END
exit 1
"""
CHECK = [{"id": "site-nodes", "severity": "warning", "expression": "nodes.items[].ref.name", "message": "There are nodes"}]


@pytest.fixture
def inventory(tmp_path):
    """Two clusters, each a folder of what kubectl wrote."""
    hosts = {}
    for name, context in (("cluster-1", "fast"), ("cluster-2", "slow")):
        folder = tmp_path / name
        folder.mkdir()
        node = {"kind": "Node", "apiVersion": "v1", "metadata": {"name": f"{name}-node"}, "status": {"addresses": []}}
        (folder / "nodes.json").write_text(json.dumps({"kind": "NodeList", "apiVersion": "v1", "items": [node]}))
        hosts[name] = {"submariner_bundle": str(folder), "context": context, "kubeconfig": str(tmp_path / "kubeconfig")}
    path = tmp_path / "inventory.yml"
    path.write_text(
        json.dumps(
            {"submariner_clusters": {"hosts": hosts, "vars": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}}}
        )
    )
    return types.SimpleNamespace(inventory=path, dir=tmp_path)


def test_everything_beside_it(inventory, tmp_path):
    subctl, checks = tmp_path / "subctl", tmp_path / "site.yml"
    subctl.write_text(SUBCTL, encoding="utf-8")
    subctl.chmod(0o755)
    checks.write_text(json.dumps(CHECK))
    options = {
        "submariner_report_dir": str(tmp_path / "report"),
        "submariner_fail_on": "never",
        "submariner_run_subctl": str(subctl),
        "diagnose_run_subctl_timeout": 20,
        "submariner_user_checks": [str(checks)],
        "submariner_candidates": {"new": ["10.1.0.0/16", "10.1.0.0/17"], "newer": ["10.1.128.0/17"]},
    }
    done = playbook(inventory, "diagnose", "-e", json.dumps(options))
    assert done.returncode == 0, done.stdout
    assert {host: counts["failed"] for host, counts in recap(done).items()} == {"cluster-1": 0, "cluster-2": 0}
    assert "subctl was not asked about cluster-2" in done.stdout
    result = json.loads((tmp_path / "report/result.json").read_text(encoding="utf-8"))
    assert {(row["cluster"], row["check"], row["subctl_verdict"]) for row in result["subctl"] if row["check"]} == {
        ("cluster-1", "Checking gateway connections", "passed")
    }
    own = [(entry["cluster"], entry["evidence"][0]["value"]) for entry in result["findings"] if entry["id"] == "site-nodes"]
    assert own == [("cluster-1", "cluster-1-node"), ("cluster-2", "cluster-2-node")]
    planned = [entry["title"] for entry in result["findings"] if entry["id"] == "clusterset-cidr-overlap" and entry["verdict"] == "fail"]
    assert planned == ["new and newer both use 10.1.128.0/17"]


@pytest.mark.parametrize(
    "variables",
    [
        {"host": "https://production.example:6443", "api_key": "t", "kubeconfig": "", "context": ""},
        {"kubeconfig": "", "context": "fast"},
        {"context": ""},
        {"host": "https://production.example:6443"},
        {"kubeconfig": '{"clusters": []}'},
    ],
    ids=["address", "context-alone", "file-alone", "address-outranks-them", "content"],
)
def test_subctl_is_asked_about_no_cluster_that_it_would_have_to_guess(inventory, tmp_path, variables):
    """Without a context it goes through all of them, and starts pods there."""
    subctl, called = tmp_path / "subctl", tmp_path / "called"
    subctl.write_text(f'#!/bin/sh\necho "$@" >> {called}\n', encoding="utf-8")
    subctl.chmod(0o755)
    done = playbook(inventory, "diagnose", "-e", json.dumps({"submariner_fail_on": "never", "submariner_run_subctl": str(subctl), **variables}))
    assert done.returncode == 0, done.stdout
    assert "subctl was not asked about cluster-1" in done.stdout and not called.exists()


def test_a_bad_check_names_file_and_line(inventory, tmp_path):
    checks = tmp_path / "site.yml"
    checks.write_text("- id: site-nodes\n  severity: bad\n  expression: nodes.items\n  message: x\n")
    done = playbook(inventory, "diagnose", "-e", json.dumps({"submariner_user_checks": [str(checks)]}))
    assert done.returncode != 0
    assert "site.yml, line 2: severity 'bad' is none of" in done.stdout.replace("\n", " ")
