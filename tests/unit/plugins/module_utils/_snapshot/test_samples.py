# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real objects of a real broken clusterset, from the API's JSON to the last screen."""

from __future__ import annotations

import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import card_of
from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_cluster
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._report._assemble import assemble
from ansible_collections.fathom.submariner.plugins.module_utils._report._files import rendered
from ansible_collections.fathom.submariner.plugins.module_utils._report._lines import lines
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.modules.diagnose import result
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.samples import CANARIES, sample_connection

NAMES = ("cluster-1", "cluster-2")


@pytest.fixture(scope="module")
def snapshots():
    return [read_snapshot(sample_connection(name), name, timeout=60, taken_at="2026-11-21T10:48:00Z", logs=True) for name in NAMES]


@pytest.fixture(scope="module")
def results(snapshots):
    made = []
    for snapshot in snapshots:
        facts = Facts.of(snapshot)
        judgement = judge_cluster(facts)
        made.append(
            json.loads(json.dumps(result(snapshot.cluster, judgement.findings, card_of(facts), judgement.passed, facts.truth.to_dict(), snapshot.statistics)))
        )
    return made


def test_no_canary_in_any_record(snapshots):
    for snapshot in snapshots:
        text = repr(snapshot)
        assert not [canary for canary in CANARIES if canary in text]


def test_the_samples_hold_canaries():
    text = json.dumps(sample_connection("cluster-1").lists)
    assert all(canary in text for canary in CANARIES)


def test_records_are_complete(snapshots):
    first = snapshots[0]
    assert first.submariner.cluster_id == "cluster-1"
    assert first.submariner.status_cluster_cidr == "10.46.0.0/24"
    assert [pool.cidr for pool in first.ip_pools.items if pool.is_submariner] == ["10.42.0.0/24", "10.43.0.0/16"]
    assert next(service for service in first.api_services.items if service.ref.name == "v3.projectcalico.org").available is True
    assert first.gateways.items[0].connections[0].status == "connected"
    assert first.nodes.items[0].pod_cidrs == ("10.46.0.0/24",)
    assert first.service_cidrs.items[0].ready
    assert "submariner-operator" in {log.container for log in first.logs.items}
    assert all("\x1b" not in line for log in first.logs.items for line in log.lines)
    assert {status.ref.name for status in first.tigera_statuses.items} >= {"apiserver", "calico"}
    assert first.helm_chart_configs.items[0].values == {"apiServer.enabled": "true"}
    assert first.route_agents.items[0].remote_endpoints[0].cluster_id == "cluster-2"
    assert first.gateways.items[0].updated_at.startswith("2026-11-21T")
    assert first.helm_charts.items[0].version


def test_the_cause_is_found_on_both(results):
    for found, node in zip(results, ("rke2-alpha-01", "rke2-bravo-01")):
        root = found["findings"][0]
        assert (root["id"], root["severity"]) == ("submariner-cidr-wrong", "blocker")
        assert any(f"only node {node}" in entry["note"] for entry in root["evidence"])
        assert any("15 of 15 pods" in entry["note"] for entry in root["evidence"])
        assert set(found["unknown"]) <= {"dns-not-forwarded"}  # the samples hold no ConfigMap of the cluster's DNS


def test_no_canary_in_any_output(results):
    report = assemble(results, CHECKS)
    texts = [json.dumps(results), "\n".join(lines(report)), *rendered(report, (), generated_at="now").values()]
    assert not [canary for canary in CANARIES for text in texts if canary in text]


def test_results_are_small(results):
    assert all(len(json.dumps(found)) < 40_000 for found in results)
    assert all(len(json.dumps(found["card"])) < 4_000 for found in results)
