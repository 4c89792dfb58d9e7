# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why green lied: subctl's verdicts beside ours."""

from __future__ import annotations

import re

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card, card_of
from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_cluster, judge_clusterset, named_by
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Finding
from ansible_collections.fathom.submariner.plugins.module_utils._report._subctl_comparison import TABLE, compare
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._subctl_diagnose import parse_diagnosis
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import broken, cluster

OVERLAP = "Non-Globalnet deployment detected - checking that cluster CIDRs do not overlap"
POOLS = "Calico CNI detected, checking if the Submariner IPPool pre-requisites are configured"
TITLES = (
    "Checking Submariner support for the Kubernetes version",
    OVERLAP,
    'Checking DaemonSet "submariner-gateway"',
    'Checking DaemonSet "submariner-routeagent"',
    'Checking DaemonSet "submariner-globalnet"',
    'Checking DaemonSet "submariner-metrics-proxy"',
    'Checking Deployment "submariner-lighthouse-agent"',
    'Checking Deployment "submariner-lighthouse-coredns"',
    "Checking the status of all Submariner pods",
    "Checking Submariner pods",
    "Checking that gateway metrics are accessible from non-gateway nodes",
    "Checking Submariner support for the CNI network plugin",
    POOLS,
    "Checking gateway connections",
    "Checking route agent connections",
    "Checking Submariner support for the kube-proxy mode",
    "Checking that firewall configuration allows intra-cluster VXLAN traffic",
    "Checking that services have been exported properly",
    "Checking that globalnet is correctly configured and functioning",
)


def output(*names, marks=None, titles=TITLES):
    marks = marks or {}
    return "".join(f'Cluster "{name}"\n' + "".join(f" • {title}  ...\n {marks.get(title, '✓')} {title}\n" for title in titles) for name in names)


def run(text, *snapshots):
    facts = [Facts.of(snapshot) for snapshot in snapshots]
    cards = [card_of(entry) for entry in facts]
    findings = [finding for entry in facts for finding in judge_cluster(entry).findings]
    return compare(parse_diagnosis(text), cards, [*findings, *judge_clusterset(cards).findings], CHECKS)


def row(rows, check, name="cluster-1"):
    return next(entry for entry in rows if (entry.cluster, entry.check) == (name, check))


class TestIncident001:
    ROWS = run(output("cluster-1", "cluster-2"), broken("cluster-1"), broken("cluster-2"))

    def test_green_overlap_beside_the_wrong_cidr(self):
        found = row(self.ROWS, OVERLAP)
        assert found.subctl_verdict == "passed"
        assert any("submariner-cidr-wrong" in text and text.startswith("blocker") for text in found.ours)
        assert "wrong in the same way everywhere does not overlap" in found.reason

    def test_green_pools(self):
        found = row(self.ROWS, POOLS, "cluster-2")
        assert "pools and Endpoints that agree on a wrong value pass" in found.reason
        assert any("clusterset-pool-wrong" in text for text in found.ours)

    def test_every_check_of_theirs_has_its_line(self):
        for name in ("cluster-1", "cluster-2"):
            assert [entry.check for entry in self.ROWS if entry.cluster == name and entry.check] == list(TITLES)

    def test_agreement_needs_no_reason(self):
        found = row(self.ROWS, "Checking Submariner support for the kube-proxy mode")
        assert (found.ours, found.reason) == ((), "")


class TestVerdicts:
    def test_red_where_we_found_nothing(self):
        text = output("cluster-1", marks={POOLS: "✗"}).replace(f" ✗ {POOLS}\n", f' ✗ {POOLS}\n ✗ Calico IPPool "default" is not configured\n')
        found = row(run(text, cluster("cluster-1")), POOLS)
        assert (found.subctl_verdict, found.ours) == ("failed", ())
        assert "vxlanMode Always of every local pool" in found.reason and 'Calico IPPool "default"' in found.reason

    def test_red_where_we_agree(self):
        found = row(run(output("cluster-1", marks={POOLS: "✗"}), cluster("cluster-1", pools=[])), POOLS)
        assert found.ours and found.reason == ""

    def test_warning(self):
        found = row(run(output("cluster-1", marks={POOLS: "⚠"}), cluster("cluster-1", pools=[])), POOLS)
        assert found.reason.startswith("Only a warning: ")

    def test_skipped_and_unfinished(self):
        metrics = "Checking that gateway metrics are accessible from non-gateway nodes"
        text = output("cluster-1", titles=(metrics,)) + " ✓ Skipping this check as it's a single node cluster\n • Checking gateway connections  ...\npanic: x\n"
        rows = run(text, cluster("cluster-1"))
        assert row(rows, metrics).reason == "It was left out: subctl judged nothing here. Skipping this check as it's a single node cluster."
        assert "crashed" in row(rows, "Checking gateway connections").reason

    def test_what_no_check_of_theirs_is_about(self):
        rows = run(output("cluster-1", titles=("Checking gateway connections",)), broken("cluster-1"), cluster("cluster-2"))
        own = [entry for entry in rows if entry.subctl_verdict == "not checked"]
        assert any("submariner-cidr-wrong" in entry.ours[0] for entry in own)
        assert all(entry.check == "" and entry.reason.startswith("None of the checks") for entry in own)

    def test_unknown_check(self):
        assert "not known to this release" in row(run(output("cluster-1", titles=("Checking the moon",)), cluster("cluster-1")), "Checking the moon").reason

    def test_unknown_verdict_of_ours(self):
        finding = Finding("kube-proxy-mode", "error", "cluster-1", "x", "The mode", verdict="unknown", missing="kube-proxy could not be read")
        title = "Checking Submariner support for the kube-proxy mode"
        rows = compare(parse_diagnosis(output("cluster-1", titles=(title,))), [card_of(Facts.of(cluster()))], [finding], CHECKS)
        assert rows[0].ours == ("unknown kube-proxy-mode: The mode",)
        assert rows[0].reason == "We could not judge it: kube-proxy could not be read"

    def test_what_stands_beside_a_verdict_is_bounded(self):
        missing = "x" * 5000
        found = [Finding("kube-proxy-mode", "error", "cluster-1", "x", f"The mode {number}", verdict="unknown", missing=missing) for number in range(20)]
        title = "Checking Submariner support for the kube-proxy mode"
        rows = compare(parse_diagnosis(output("cluster-1", titles=(title,))), [card_of(Facts.of(cluster()))], found, CHECKS)
        assert len(rows[0].ours) == 7 and rows[0].ours[-1] == "and 14 more"
        assert len(rows[0].reason) < 500


class TestNames:
    def test_cluster_id(self):
        rows = compare(parse_diagnosis(output("east")), [Card("inventory-name", joined=True, cluster_id="east"), Card("other")], [], CHECKS)
        assert {entry.cluster for entry in rows} == {"inventory-name"}

    def test_the_one_that_is_left(self):
        rows = compare(parse_diagnosis(output("kubernetes", "cluster-2")), [Card("cluster-1"), Card("cluster-2")], [], CHECKS)
        assert {entry.cluster for entry in rows} == {"cluster-1", "cluster-2"}

    def test_strangers(self):
        rows = compare(parse_diagnosis(output("a", "b")), [Card("cluster-1"), Card("cluster-2")], [], CHECKS)
        assert {entry.cluster for entry in rows} == {"a", "b"}
        assert all("No diagnosed cluster has this name" in entry.reason for entry in rows)

    def test_the_clusterset_concerns_those_that_it_names(self):
        finding = Finding("clusterset-cidr-overlap", "blocker", "clusterset", "cluster-1 and cluster-2", "both use 10.42.0.0/16")
        cards = [Card("cluster-1"), Card("cluster-2"), Card("cluster-3")]
        rows = compare(parse_diagnosis(output("cluster-1", "cluster-2", "cluster-3", titles=(OVERLAP,))), cards, [finding], CHECKS)
        assert [bool(entry.ours) for entry in rows] == [True, True, False]


@pytest.mark.parametrize("title", TITLES)
def test_the_table_knows_every_check(title):
    assert any(re.search(reads.title, title) for reads in TABLE)


@pytest.mark.parametrize("pattern", sorted({pattern for reads in TABLE for pattern in reads.ours if not pattern.startswith("tag:")}))
def test_the_table_names_checks_that_exist(pattern):
    assert any(named_by(check, pattern) for check in CHECKS)


def test_nothing_to_compare():
    assert compare(parse_diagnosis("subctl: command not found"), [Card("cluster-1")], [], CHECKS) == ()
