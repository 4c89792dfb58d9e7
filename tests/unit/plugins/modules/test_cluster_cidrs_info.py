# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module, with a snapshot in place of a cluster."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import yaml

from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.modules import cluster_cidrs_info
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.clusters import cluster, ok, pool, rke2, submariner


@pytest.fixture
def run(monkeypatch, capsys, module_args):
    def run_module(snapshot, **arguments):
        asked = []

        def read_snapshot(connection, name, *, timeout, taken_at):
            asked.append((connection.name, name, timeout, taken_at))
            if isinstance(snapshot, Exception):
                raise snapshot
            return snapshot

        monkeypatch.setattr(cluster_cidrs_info, "open_connection", lambda module, params: SimpleNamespace(name="context cluster-1"))
        monkeypatch.setattr(cluster_cidrs_info, "read_snapshot", read_snapshot)
        with module_args(arguments), pytest.raises(SystemExit) as stop:
            cluster_cidrs_info.main()
        result = json.loads(capsys.readouterr().out)
        assert bool(stop.value.code) == bool(result.get("failed"))
        return result, asked

    return run_module


def test_the_cluster_of_the_report(run):
    result, asked = run(rke2(), submariner_version="0.17.3")
    assert (result["changed"], result["cluster"]) == (False, "cluster-1")
    assert (result["pod_cidrs"], result["service_cidrs"], result["problems"]) == (["10.46.0.0/16"], ["10.45.0.0/16"], [])
    assert (result["pod"]["ipv4"]["status"], result["pod"]["ipv6"]["status"], result["pod"]["ipv4"]["verified"]) == ("agreed", "absent", True)
    assert result["detection"]["pod"]["why"] == "would be wrong: equals spec.podCIDR of the only node rke2-1"
    assert any(row["source"] == "node_pod_cidr" and row["standing"] == "shown" for row in result["evidence"])
    assert asked[0][:3] == ("context cluster-1", "context cluster-1", 60)
    assert asked[0][3].endswith("Z")


def test_options_reach_their_place(run):
    result, asked = run(rke2(), cluster="mine", timeout=5.5, _ansible_check_mode=True)
    assert asked[0][1:3] == ("mine", 5.5)
    assert result["detection"] is None


def test_the_installed_version_is_the_default(run):
    result, _asked = run(rke2(submariners=ok(submariner("c1", "0.18.0"))))
    assert (result["detection"]["version"], result["detection"]["pod"]["judgement"]) == ("0.18.0", "wrong")


def test_stated_values_are_weighed(run):
    conflict = rke2(ip_pools=ok(pool("a", "10.46.0.0/16"), pool("b", "10.99.0.0/16")))
    assert run(conflict)[0]["pod"]["ipv4"]["status"] == "conflict"
    result, _asked = run(conflict, pod_cidrs=["10.0.0.0/9"], service_cidrs=["10.45.0.0/16"])
    assert (result["pod_cidrs"], result["pod"]["ipv4"]["because"]) == (["10.0.0.0/9"], "stated, which resolves a conflict")
    assert result["service"]["ipv4"]["because"].endswith("as stated")


def test_a_stated_value_that_is_no_range_is_refused_before_anything_is_read(run):
    result, asked = run(rke2(), pod_cidrs=["10.46.0.0/33"])
    assert result["failed"] and "pod_cidrs: '10.46.0.0/33' is no CIDR" in result["msg"]
    assert asked == []


def test_an_error_is_a_message(run):
    result, _asked = run(SubmarinerError("cluster-1: no answer from https://x", tried=3))
    assert (result["failed"], result["msg"], result["tried"]) == (True, "cluster-1: no answer from https://x", 3)
    assert "exception" not in result


def documented(contains):
    return {key: documented(value["contains"]) if "contains" in value else None for key, value in contains.items()}


def shape(value, pattern):
    """The keys of a result, as deep as they are documented."""
    if pattern is None or value is None:
        return pattern
    if isinstance(value, list):
        assert value, "an empty list shows no shape"
        return shape(value[0], pattern)
    return {key: shape(entry, pattern.get(key)) for key, entry in value.items()}


def test_every_returned_key_is_documented(run):
    result, _asked = run(rke2(), submariner_version="0.17.3")
    pattern = documented(yaml.safe_load(cluster_cidrs_info.RETURN))
    for key in ("changed", "invocation", "warnings"):  # Ansible's own; on core 2.18 warnings of other tests are among them
        result.pop(key, None)
    assert shape(result, pattern) == pattern


def test_an_empty_cluster_is_an_answer(run):
    result, _asked = run(cluster())
    assert result["pod"]["ipv4"]["status"] == "absent"
    assert result["pod_cidrs"] == []
