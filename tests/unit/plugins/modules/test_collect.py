# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules collect and bundle_info, and the option bundle of those that read."""

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import FORBIDDEN, UNAVAILABLE, KubeError
from ansible_collections.fathom.submariner.plugins.modules import bundle_info, cluster_cidrs_info, collect, diagnose
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.bundles import folder, listed, node
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.fake_api import FakeConnection
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.test_bundle_formats import submariner


@pytest.fixture
def run(capsys, module_args, monkeypatch):
    def run_module(module, connection=None, **options):
        if connection is not None:
            monkeypatch.setattr(module, "open_connection", lambda _module, _params: connection)
        with module_args(options), pytest.raises(SystemExit) as ended:
            module.main()
        result = json.loads(capsys.readouterr().out)
        assert bool(ended.value.code) == bool(result.get("failed"))
        return result

    return run_module


def api(**keywords):
    return FakeConnection({"/api/v1/nodes": [node("n1")], "/api/v1/pods": []}, **keywords)


def test_collect_then_diagnose(run, tmp_path):
    dest = str(tmp_path / "deep" / "one.tar.gz")
    connection = api(failures={"/api/v1/services": KubeError("services are forbidden", FORBIDDEN, status=403)})
    result = run(collect, connection, dest=dest, cluster="one")
    assert (result["changed"], result["bundle"], result["cluster"], result["objects"]) == (True, dest, "one", 1)
    assert result["size"] == os.path.getsize(dest) and result["unanswered"] == {"services": "forbidden"}
    assert connection.asked[-1] == "closed"
    live = run(diagnose, api(failures=connection.failures), cluster="one")
    again = run(diagnose, bundle=dest)
    assert again["changed"] is False and again["findings"]
    assert [{**finding, "evidence": []} for finding in again["findings"]] == [{**finding, "evidence": []} for finding in live["findings"]]


def test_check_mode_reads_and_writes_nothing(run, tmp_path):
    result = run(collect, api(), dest=str(tmp_path / "one.tar.gz"), _ansible_check_mode=True)
    assert (result["changed"], result["size"], result["objects"]) == (True, 0, 1)
    assert os.listdir(tmp_path) == []


def test_a_cluster_that_does_not_answer_writes_nothing(run, tmp_path):
    connection = FakeConnection(failures={"/version": KubeError("https://dead:6443 refused the connection", UNAVAILABLE)})
    result = run(collect, connection, dest=str(tmp_path / "one.tar.gz"), cluster="one")
    assert result["msg"] == "https://dead:6443 refused the connection"
    assert os.listdir(tmp_path) == [] and connection.asked[-1] == "closed"


def test_a_key_that_can_be_guessed_is_refused(run, tmp_path):
    result = run(collect, api(), dest=str(tmp_path / "one.tar.gz"), pseudonymise_ips=True, pseudonym_key="short")
    assert "fewer than 16" in result["msg"] and os.listdir(tmp_path) == []


def test_bundle_info_lists_clusters_and_tells_what_is_left_out(run, tmp_path):
    folder(tmp_path, {"a/x.json": listed(submariner("alpha", 1)), "b/x.json": listed(submariner("beta", 2)), "odd.json": "{"})
    (tmp_path / "link").symlink_to("/etc/passwd")
    result = run(bundle_info, bundle=str(tmp_path))
    assert [(found["name"], found["cluster_id"], found["formats"], found["folders"]) for found in result["clusters"]] == [
        ("alpha", "alpha", ["output of kubectl get"], ["a"]),
        ("beta", "beta", ["output of kubectl get"], ["b"]),
    ]
    assert result["problems"] == ["link: left out: it is a link"]


@pytest.mark.parametrize("module", [diagnose, cluster_cidrs_info, bundle_info])
def test_no_bundle(run, tmp_path, module):
    assert "No such file" in run(module, bundle=str(tmp_path / "missing"))["msg"]


def test_which_cluster(run, tmp_path):
    folder(tmp_path, {"a/x.json": listed(submariner("alpha", 1)), "b/x.json": listed(submariner("beta", 2))})
    assert "several clusters: alpha, beta" in run(diagnose, bundle=str(tmp_path))["msg"]
    assert run(diagnose, bundle=str(tmp_path), bundle_cluster="beta", cluster="mine")["cluster"] == "mine"


def test_what_a_version_would_detect_offline(run, tmp_path):
    manager = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "kube-controller-manager-n1", "namespace": "kube-system", "labels": {"component": "kube-controller-manager"}, "uid": "u"},
        "spec": {"nodeName": "n1", "containers": [{"name": "kube-controller-manager", "args": ["--cluster-cidr=10.46.0.0/16"]}]},
    }
    folder(tmp_path, {"x.json": listed(node("n1"), manager)})
    result = run(cluster_cidrs_info, bundle=str(tmp_path), submariner_version="0.17.3")
    assert result["detection"]["version"] == "0.17.3"
    assert any(row["source"] == "kube_controller_manager" and row["raw"] == "10.46.0.0/16" for row in result["evidence"])
    assert any(row["problem"] and "output of kubectl get" in row["problem"] for row in result["evidence"])
