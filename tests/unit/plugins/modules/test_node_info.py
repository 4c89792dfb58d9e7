# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module node_info, and the option node_reports of those that take its documents."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import document_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost
from ansible_collections.fathom.submariner.plugins.modules import collect, diagnose, node_info
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.hosts import ADDRESSES, build, link, printed
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.bundles import node, replay
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.fake_api import FakeConnection


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


def test_the_document_of_this_host(run, monkeypatch, tmp_path):
    host = build(tmp_path, {"/etc/os-release": "ID=debian\n"}, {ADDRESSES: printed(link("eth0", 2, "10.42.0.9/24"))})
    monkeypatch.setattr(node_info, "Host", lambda: host)
    result = run(node_info, name="n1", cluster="cluster-1", cluster_cidrs=["10.42.0.0/16"], ports=[7777], asked_at=0, _ansible_check_mode=True)
    document = result["host"]
    assert result["changed"] is False
    assert (document["apiVersion"], document["kind"], document["metadata"]) == ("fathom.submariner/v1", "NodeInfo", {"name": "n1", "cluster": "cluster-1"})
    assert document["system"]["distribution"] == "debian" and document["cni"]["name"] == "eth0" and document["clock"]["offset"] > 1e9
    assert "routes" in {each["what"] for each in document["unseen"]}


@pytest.mark.parametrize("cidr", ["10.42.0.0.0/16", "", "10.42.0.0/33", "pods"])
def test_a_cidr_that_is_none(run, cidr):
    result = run(node_info, name="n1", cluster_cidrs=[cidr])
    assert result["msg"].startswith("cluster_cidrs: ") and result["msg"].endswith("Nothing was read.")


@pytest.mark.parametrize("option", ["asked_at", "asked_within"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_time_that_is_none(run, option, value):
    """Against it every clock would be right."""
    result = run(node_info, name="n1", **{option: value})
    assert result["msg"] == f"{option}: {float(value)} is no number of seconds. Nothing was read."


def api():
    return FakeConnection({"/api/v1/nodes": [node("n1"), node("n2")], "/api/v1/pods": []})


@pytest.fixture
def reports(tmp_path):
    folder = tmp_path / "nodes"
    folder.mkdir()
    for name in ("n1", "elsewhere"):
        (folder / f"{name}.json").write_text(json.dumps(document_of(NodeHost(name, "2026-11-21T10:00:00Z"))))
    (folder / "damaged.json").write_text('{"apiVersion": "fathom.submariner/v1", "kind": "NodeInfo"}')
    return str(folder)


@pytest.fixture
def warned(monkeypatch):
    found = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text, **_keywords: found.append(text))
    return found


def seen_by(monkeypatch):
    """What diagnose judges."""
    found = []
    monkeypatch.setattr(diagnose, "judged", lambda snapshot, _checks: found.append(snapshot) or {})
    return found


def test_diagnose_judges_what_the_nodes_said(run, reports, warned, monkeypatch, tmp_path):
    snapshots = seen_by(monkeypatch)
    run(diagnose, api(), cluster="one", node_reports=[reports])
    (live,) = snapshots
    assert [(record.node, record.where) for record in live.node_hosts.items] == [("n1", f"{reports}/n1.json")] and live.node_hosts.partial
    assert len(warned) == 1 and "damaged.json: metadata.name is missing" in warned[0]
    run(collect, api(), dest=str(tmp_path / "one.tar.gz"), cluster="one")
    run(diagnose, bundle=str(tmp_path / "one.tar.gz"), node_reports=[f"{reports}/n1.json"])
    assert [record.node for record in snapshots[1].node_hosts.items] == ["n1"]


def test_collect_puts_them_into_the_bundle(run, reports, warned, tmp_path):
    result = run(collect, api(), dest=str(tmp_path / "one.tar.gz"), cluster="one", node_reports=[reports])
    assert result["nodes"] == 1 and "metadata.name is missing" in warned[0]
    assert [record.node for record in replay(tmp_path / "one.tar.gz").node_hosts.items] == ["n1"]
    assert run(collect, api(), dest=str(tmp_path / "two.tar.gz"), cluster="one")["nodes"] == 0


@pytest.mark.parametrize("module, options", [(diagnose, {}), (collect, {"dest": "/nonexistent/one.tar.gz"})])
def test_reports_that_cannot_be_read_are_told_before_anything_is_asked(run, module, options):
    connection = api()
    result = run(module, connection, node_reports=["/nonexistent/n1.json"], **options)
    assert result["msg"].startswith("node_reports: /nonexistent/n1.json cannot be read") and connection.asked == []
