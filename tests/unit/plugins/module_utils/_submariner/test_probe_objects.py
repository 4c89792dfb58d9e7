# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects by which nodes are probed from pods."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _probe_objects as objects

NAMES = st.lists(st.from_regex(r"[a-z]([-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True), min_size=1, max_size=40, unique=True)
TARGET = {"address": "10.0.0.2", "name": "b", "path": "underlay", "protocols": ["icmp", "udp"], "port": 28470}
EXCHANGE = {"address": "10.0.0.2", "name": "b", "path": "underlay", "protocols": ["tcp", "udp"], "port": 28470, "sizes": ["small"]}
DNS = {"address": "10.96.0.10", "name": "kube-dns", "path": "calico", "protocols": ["dns"], "port": 53, "sizes": ["small"]}
TARGETS = {"a": {"path_mtu": [TARGET], "path_probe": [EXCHANGE, DNS], "answers_on": ["10.0.0.1"]}}


def wish(*nodes, **more):
    return objects.Wish(**{"namespace": "ns", "image": "i", "nodes": nodes or ("a",), "deadline": 660, **more})


@given(NAMES, st.integers(1, 86400))
def test_a_job_gives_each_node_one_pod_and_ends_by_itself(nodes, deadline):
    job = objects.job("node-probe", wish(*nodes, deadline=deadline))
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    assert spec["completions"] == spec["parallelism"] == len(nodes)
    assert spec["activeDeadlineSeconds"] == pod["activeDeadlineSeconds"] == deadline and spec["ttlSecondsAfterFinished"] == objects.REMAIN
    terms = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert [each["matchFields"][0]["values"] for each in terms] == [[node] for node in nodes]
    (apart,) = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    labels = spec["template"]["metadata"]["labels"]
    assert apart["labelSelector"]["matchLabels"].items() <= labels.items() and objects.LABELS.items() <= labels.items()
    json.dumps(job)


@pytest.mark.parametrize("host_network", [True, False])
def test_pods_have_no_right_and_no_token(host_network):
    pod = objects.job("node-probe", wish(host_network=host_network, pull_secrets=("s",)))["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False and pod["hostNetwork"] is host_network and pod["imagePullSecrets"] == [{"name": "s"}]
    assert not any("hostPath" in volume for volume in pod["volumes"]) and not {"hostPID", "hostIPC"} & set(pod)
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert security["capabilities"] == {"drop": ["ALL"], "add": ["NET_RAW"]} and security["readOnlyRootFilesystem"] and not security["privileged"]
    assert container["command"][:2] == ["python3", "-I"]
    assert "imagePullSecrets" not in objects.job("node-probe", wish())["spec"]["template"]["spec"]


def test_the_config_map_goes_with_its_job():
    made = objects.config_map("node-probe", wish(), "u-1", {"program.pyz": "AAAA"})
    assert made["metadata"]["ownerReferences"] == [{"apiVersion": "batch/v1", "kind": "Job", "name": "node-probe", "uid": "u-1"}]
    assert made["immutable"] and all(map(objects.is_ours, (made, objects.job("x", wish()), objects.namespace("ns"))))
    assert not objects.is_ours(None) and not objects.is_ours({"metadata": {"labels": {objects.MANAGED_BY: "fathom.submariner"}}})


def test_without_the_hosts_network_nothing_is_asked_that_nobody_answers():
    whole = objects.order(TARGETS, host_network=True, cluster="c")
    assert whole == {"nodes": TARGETS, "host_network": True, "cluster": "c"}
    own = objects.order(TARGETS, host_network=False)["nodes"]["a"]
    assert own == {"path_mtu": [{**TARGET, "port": 0, "protocols": ["icmp"]}], "path_probe": [DNS], "answers_on": []}


@given(st.sets(st.sampled_from([objects.NAME, *(f"{objects.NAME}-{number}" for number in range(2, 8))])))
def test_a_new_job_has_no_leftovers_name(taken):
    name = objects.free_name(taken)
    assert name not in taken and name.startswith(objects.NAME)
    assert objects.free_name({*taken, name}) != name


def test_targets_as_they_are_returned_are_taken():
    objects.require_targets(TARGETS)


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ({}, "targets is empty"),
        ({"a": []}, "those of a"),
        ({"a": {"path_mtu": [{"name": "b"}]}}, "'address' is missing"),
        ({"a": {"path_mtu": [{"address": "b"}]}}, "'b' does not appear to be an IPv4 or IPv6 address"),
        ({"a": {"path_probe": [{"address": "10.0.0.1", "adress": ""}]}}, "adress"),
        ({"a": {"path_mtu": [{"address": "10.0.0.1", "path": "by foot"}]}}, "by foot"),
        ({"a": {"answers_on": ["x"]}}, "'x' does not appear"),
        ({"a": {"path_mtu": ["10.0.0.1"]}}, "those of a"),
    ],
)
def test_other_targets_are_refused(targets, said):
    with pytest.raises(InputError, match=said):
        objects.require_targets(targets)
