# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module diagnose: one cluster, whatever it answers."""

from __future__ import annotations

import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import UNAVAILABLE, KubeError
from ansible_collections.fathom.submariner.plugins.modules import diagnose
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.fake_api import FakeConnection


def run(capsys, module_args, monkeypatch, connection, **options):
    """The module's exit code and result."""

    def open_connection(module, params):
        if isinstance(connection, Exception):
            raise connection
        return connection

    monkeypatch.setattr(diagnose, "open_connection", open_connection)
    with module_args(options), pytest.raises(SystemExit) as ended:
        diagnose.main()
    return ended.value.code, json.loads(capsys.readouterr().out)


@pytest.fixture
def dead():
    return FakeConnection(failures={"/version": KubeError("https://dead:6443 refused the connection", UNAVAILABLE)})


def test_empty_cluster(capsys, module_args, monkeypatch):
    lists = {
        path: [] for path in ("/api/v1/nodes", "/api/v1/pods", "/api/v1/services", "/api/v1/configmaps", "/api/v1/namespaces/kube-system/configmaps")
    }
    connection = FakeConnection(lists)
    code, result = run(capsys, module_args, monkeypatch, connection, context="one")
    assert (code, result["changed"], result["cluster"]) == (0, False, "one")
    assert "not-joined" in [finding["id"] for finding in result["findings"]]
    assert "cidr-truth" in result["unknown"]
    assert result["card"]["cluster"] == "one"
    assert result["statistics"]["requests"] > 20
    assert connection.asked[-1] == "closed"


def test_dead_cluster_is_reported(capsys, module_args, monkeypatch, dead):
    code, result = run(capsys, module_args, monkeypatch, dead, cluster="mine")
    assert code == 0
    assert [(finding["id"], finding["severity"], finding["verdict"], finding["cluster"]) for finding in result["findings"]] == [
        ("cluster-unreadable", "blocker", "unknown", "mine")
    ]
    assert result["unknown"] == ["cluster-unreadable"]
    assert "refused the connection" in result["card"]["error"]
    assert (result["passed"], result["cidrs"]) == ([], {})
    assert dead.asked[-1] == "closed"


def test_dead_cluster_may_fail(capsys, module_args, monkeypatch, dead):
    code, result = run(capsys, module_args, monkeypatch, dead, unreachable="fail")
    assert (code, result["msg"]) == (1, "https://dead:6443 refused the connection")


def test_bad_input_fails(capsys, module_args, monkeypatch):
    code, result = run(capsys, module_args, monkeypatch, InputError("There is no context nowhere."), context="nowhere")
    assert (code, result["msg"], result["cluster"]) == (1, "There is no context nowhere.", "nowhere")


def test_misspelt_check_fails_before_anything_is_read(capsys, module_args, monkeypatch, dead):
    code, result = run(capsys, module_args, monkeypatch, dead, checks=["cdir-truth"])
    assert code == 1
    assert "No check matches 'cdir-truth'" in result["msg"]
    assert dead.asked == []


def test_name_of_the_connection(capsys, module_args, monkeypatch, dead):
    assert run(capsys, module_args, monkeypatch, dead)[1]["cluster"] == "fake"
