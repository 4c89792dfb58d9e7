# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Saved outputs of subctl diagnose."""

from __future__ import annotations

import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._submariner._subctl_diagnose import SubctlCheck, parse_diagnosis

SAMPLE = pathlib.Path(__file__).resolve().parents[6] / "shared/samples/incident-001-broken"
VERSION = "Checking Submariner support for the Kubernetes version"
POOLS = "Calico CNI detected, checking if the Submariner IPPool pre-requisites are configured"
ONE = f""" • {VERSION}  ...
 ✓ {VERSION}
 ✓ Kubernetes version "v1.30.0" is supported
 • {POOLS}  ...
 ✗ {POOLS}
 ✗ Could not find any IPPool with CIDR "10.42.0.0/16" for remote endpoint "cable-2"
 • Checking gateway connections  ...
 ⚠ Checking gateway connections
 • Checking that gateway metrics are accessible from non-gateway nodes  ...
 ✓ Checking that gateway metrics are accessible from non-gateway nodes
 ✓ Skipping this check as it's a single node cluster
"""


def verdicts(diagnosis, position=0):
    return [(check.title, check.verdict) for check in diagnosis.clusters[position].checks]


EXPECTED = [
    (VERSION, "passed"),
    (POOLS, "failed"),
    ("Checking gateway connections", "warning"),
    ("Checking that gateway metrics are accessible from non-gateway nodes", "skipped"),
]


class TestForms:
    def test_interleaved(self):
        diagnosis = parse_diagnosis(f'Cluster "cluster-1"\n{ONE}\n\nCluster "cluster-2"\n{ONE}')
        assert [cluster.name for cluster in diagnosis.clusters] == ["cluster-1", "cluster-2"]
        assert verdicts(diagnosis) == verdicts(diagnosis, 1) == EXPECTED

    @pytest.mark.parametrize("order", ["{names}{checks}", "{checks}{names}"])
    def test_one_stream_after_the_other(self, order):
        names = 'Cluster "cluster-1"\n\n\nCluster "cluster-2"\n\n\nSkipping inter-cluster firewall check as it requires two kubeconfigs.\n'
        diagnosis = parse_diagnosis(order.format(names=names, checks=ONE + ONE))
        assert [cluster.name for cluster in diagnosis.clusters] == ["cluster-1", "cluster-2"]
        assert verdicts(diagnosis, 1) == EXPECTED

    @pytest.mark.parametrize("text", [f'Cluster "a"\nCluster "b"\nCluster "c"\n{ONE}', f'{ONE}Cluster "a"\nCluster "b"\n', ONE])
    def test_names_that_cannot_be_told(self, text):
        assert [cluster.name for cluster in parse_diagnosis(text).clusters] == [""]

    def test_colours_and_spinner(self):
        lines = [line for line in ONE.splitlines() if "•" not in line]
        coloured = "\r\n".join(line.replace("✓", "\x1b[32m✓\x1b[0m").replace("✗", "\x1b[31m✗\x1b[0m") for line in lines)
        diagnosis = parse_diagnosis(f'\x1b[?25lCluster "cluster-1"\r\n ⠋ Checking\r ⠙ Checking \r{coloured}')
        assert verdicts(diagnosis) == EXPECTED
        assert diagnosis.clusters[0].checks[1].messages == ('failed: Could not find any IPPool with CIDR "10.42.0.0/16" for remote endpoint "cable-2"',)

    def test_crash(self):
        diagnosis = parse_diagnosis(f'Cluster "a"\n • {VERSION}  ...\npanic: runtime error: index out of range [1] with length 1\n\ngoroutine 1 [running]:\n')
        assert diagnosis.clusters[0].checks == (SubctlCheck(VERSION, "unfinished"),)
        assert diagnosis.remarks[0].startswith("panic: runtime error")

    def test_failure_before_any_check(self):
        diagnosis = parse_diagnosis('Cluster "a"\n ✗ Error listing contexts\n')
        assert diagnosis.clusters[0].checks == (SubctlCheck("Error listing contexts", "failed"),)

    def test_nothing(self):
        assert parse_diagnosis("").clusters == ()
        assert parse_diagnosis("no such file\n").clusters == ()


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the samples are not here")
def test_real_output():
    text = "".join((SAMPLE / f"subctl-diagnose-all.{stream}").read_text(encoding="utf-8") for stream in ("stdout", "stderr"))
    diagnosis = parse_diagnosis(text)
    assert [cluster.name for cluster in diagnosis.clusters] == ["cluster-1", "cluster-2"]
    for cluster in diagnosis.clusters:
        assert len(cluster.checks) == 16
        assert {check.verdict for check in cluster.checks} == {"passed", "skipped"}


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from('•✓⚠✗ \n\r\x1b[32m.Checking"Cluster\x00é'), max_size=200))
def test_any_text_can_be_read(text):
    for cluster in parse_diagnosis(text).clusters:
        assert cluster.checks
