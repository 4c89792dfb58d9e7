# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far probe pods are, and what their logs say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _probe_pods as pods

READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


def pod(node="a", created="1", status=None, **metadata):
    spec = {"nodeName": node} if node else {}
    return {"metadata": {"name": f"pod-{node}-{created}", "creationTimestamp": created, **metadata}, "spec": spec, "status": status or {}}


def container(**state):
    return {"phase": "Pending", "containerStatuses": [{"state": state}]}


@pytest.mark.parametrize(
    ("status", "state", "why"),
    [
        (READY, pods.DONE, ""),
        ({"phase": "Succeeded"}, pods.DONE, ""),
        ({"phase": "Running"}, pods.RUNNING, "probing"),
        ({}, pods.RUNNING, "Pending"),
        ({"conditions": [{"type": "PodScheduled", "status": "False", "message": "no room"}]}, pods.RUNNING, "no room"),
        (container(waiting={"reason": "ContainerCreating"}), pods.RUNNING, "ContainerCreating"),
        (container(waiting={"reason": "ImagePullBackOff", "message": "Back-off"}), pods.FAILED, "ImagePullBackOff: Back-off"),
        (
            {**container(terminated={"reason": "StartError", "message": "no python3", "exitCode": 128}), "phase": "Failed"},
            pods.FAILED,
            "StartError: no python3: exit code 128",
        ),
        ({"phase": "Failed", "reason": "DeadlineExceeded"}, pods.FAILED, "DeadlineExceeded"),
        ({"phase": "Failed"}, pods.FAILED, "failed"),
    ],
)
def test_states(status, state, why):
    assert pods.states([pod(status=status)], ["a"])["a"] == pods.PodState("pod-a-1", state, why)


def test_the_newest_pod_counts_and_one_that_goes_does_not():
    old, new, going = pod(status={"phase": "Failed"}), pod(created="2", status=READY), pod(created="3", deletionTimestamp="x")
    assert pods.states([new, going, old], ["a"])["a"].pod == "pod-a-2"
    found = pods.states([pod("", status={"conditions": [{"type": "PodScheduled", "status": "False", "message": "taints"}]})], ["b"])
    assert found["b"] == pods.PodState("", pods.RUNNING, "no pod was scheduled to it: taints")


def test_progress():
    found = pods.states([pod(status=READY), pod("b", status={"phase": "Running"})], ["a", "b"])
    assert pods.progress(found) == "1 of 2 nodes are done; b: probing"
    assert pods.progress({"a": found["a"]}) is True


def test_refusals_are_those_of_the_job():
    event = {"type": "Warning", "reason": "FailedCreate", "involvedObject": {"uid": "u"}, "message": "no SCC"}
    others = [{**event, "involvedObject": {"uid": "other"}}, {**event, "type": "Normal"}, {**event, "reason": "BackOff"}, {}]
    assert pods.refusals([event, event, *others], "u") == ("no SCC",)
    assert pods.refusals(others, "u") == ()


def report(node="a", **more):
    document = {"apiVersion": "fathom.submariner/v1", "kind": "NodeProbes", "metadata": {"name": node}, "origin": "pod"}
    return json.dumps({"apiVersion": "fathom.submariner/v1", "kind": "PodReport", "documents": [document], **more}, separators=(",", ":"))


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_report_is_found_among_other_lines(before, after):
    assert pods.report_of(f"{before}\n{report()}\n{after}", "a")["documents"][0]["origin"] == "pod"


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("", "the log of its pod is empty"),
        ("exec: python3: not found\n", "holds no report; it ends with: exec: python3: not found"),
        (report()[:-5], "is not whole"),
        (report("b"), "has a document of node b"),
        (report(documents=[{"kind": "Other"}]), "not a document of kind"),
        (report(documents="none"), "holds no report"),
    ],
)
def test_a_log_without_a_report_is_told(log, said):
    with pytest.raises(InputError, match=said):
        pods.report_of(log, "a")


@given(st.binary())
def test_no_log_breaks_the_reader(data):
    with pytest.raises(InputError):
        pods.report_of(data.decode("utf-8", "replace"), "a")
