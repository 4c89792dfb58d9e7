# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pods leave a node, which stay, and which budget keeps one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._submariner._node_drain import blocking_budgets, named, sort_out, unhindered

EVERYTHING = [{"operator": "Exists"}]


def pod(name="web-1", owner="ReplicaSet", *, phase="Running", mirror=False, going=False, empty_dir=False, tolerations=(), labels=None):
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "labels": labels or {}}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner, "name": "x", "controller": True}]
    if mirror:
        metadata["annotations"] = {"kubernetes.io/config.mirror": "hash"}
    if going:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    volumes = [{"name": "scratch", "emptyDir": {}}] if empty_dir else []
    return {"metadata": metadata, "spec": {"volumes": volumes, "tolerations": list(tolerations)}, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("given_pod", "where"),
    [
        (pod(), "evict"),
        (pod(owner="StatefulSet"), "evict"),
        (pod(owner="DaemonSet"), "staying"),
        (pod(owner="DaemonSet", empty_dir=True), "staying"),
        (pod(owner="Node", mirror=True), "staying"),
        ({**pod(owner=""), "metadata": {"name": "etcd", "annotations": {"kubernetes.io/config.source": "file"}}}, "staying"),
        (pod(going=True), "leaving"),
        (pod(owner="", phase="Succeeded"), "evict"),
        (pod(empty_dir=True, phase="Failed"), "evict"),
        (pod(tolerations=EVERYTHING), "evict"),
    ],
)
def test_where_a_pod_goes(given_pod, where):
    drain = sort_out([given_pod])
    assert {name: len(getattr(drain, name)) for name in ("evict", "leaving", "staying")} == {**{"evict": 0, "leaving": 0, "staying": 0}, where: 1}
    assert not drain.refused


def test_what_needs_consent_names_pod_and_option():
    refused = sort_out([pod("bare", owner=""), pod("db", empty_dir=True)]).refused
    assert len(refused) == 2 and "shop/bare" in refused[0] and "delete_bare_pods" in refused[0]
    assert "shop/db" in refused[1] and "scratch" in refused[1] and "delete_emptydir_data" in refused[1]
    consented = sort_out([pod("bare", owner=""), pod("db", empty_dir=True)], delete_bare_pods=True, delete_emptydir_data=True)
    assert [named(each) for each in consented.evict] == ["Pod shop/bare", "Pod shop/db"] and not consented.refused


@pytest.mark.parametrize(
    ("tolerations", "stays"),
    [
        (EVERYTHING, True),
        ([{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}], True),
        ([{"operator": "Exists", "effect": "NoExecute"}], False),
        ([{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}], False),
        ([], False),
    ],
)
def test_a_second_drain_leaves_alone_what_came_back_in_spite_of_the_cordon(tolerations, stays):
    drain = sort_out([pod(tolerations=tolerations)], begun_with=("uid-of-another",))
    assert (len(drain.staying), len(drain.evict)) == ((1, 0) if stays else (0, 1))


def test_a_second_drain_goes_on_with_what_the_first_was_to_evict():
    first = sort_out([pod("bound", tolerations=EVERYTHING), pod("free"), pod("agent", owner="DaemonSet", tolerations=EVERYTHING)])
    assert unhindered(first) == ("uid-bound",)
    again = sort_out([pod("bound", tolerations=EVERYTHING), pod("new", tolerations=EVERYTHING), pod("free")], begun_with=unhindered(first))
    assert [named(each) for each in again.evict] == ["Pod shop/bound", "Pod shop/free"] and [named(each) for each in again.staying] == ["Pod shop/new"]
    refused = sort_out([pod("bound", owner="", tolerations=EVERYTHING)], begun_with=("uid-bound",)).refused
    assert len(refused) == 1, "consent is asked again"


@given(
    st.lists(
        st.builds(
            pod,
            st.uuids().map(str),
            st.sampled_from(["", "ReplicaSet", "DaemonSet", "Job"]),
            phase=st.sampled_from(["Running", "Pending", "Succeeded"]),
            mirror=st.booleans(),
            going=st.booleans(),
            empty_dir=st.booleans(),
            tolerations=st.sampled_from([(), EVERYTHING]),
        ),
        max_size=8,
        unique_by=lambda each: each["metadata"]["name"],
    ),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, ()]),
)
def test_every_pod_has_one_fate(pods, emptydir, bare, begun_with):
    drain = sort_out(pods, delete_emptydir_data=emptydir, delete_bare_pods=bare, begun_with=begun_with)
    assert len(drain.evict) + len(drain.leaving) + len(drain.staying) + len(drain.refused) == len(pods)
    assert not (emptydir and bare and drain.refused)
    assert not any(owner["kind"] == "DaemonSet" for each in drain.evict for owner in each["metadata"].get("ownerReferences", []))


def budget(selector, allowed=0):
    metadata = {"name": "tight", "namespace": "shop"}
    return {"metadata": metadata, "spec": {"selector": selector}, "status": {"disruptionsAllowed": allowed, "currentHealthy": 1, "desiredHealthy": 1}}


@pytest.mark.parametrize(
    ("selector", "allowed", "blocks"),
    [
        ({"matchLabels": {"app": "web"}}, 0, True),
        ({"matchLabels": {"app": "web"}}, 1, False),
        ({"matchLabels": {"app": "db"}}, 0, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]}, 0, True),
        ({}, 0, True),
        (None, 0, False),
    ],
)
def test_the_budget_that_blocks_is_named_with_its_numbers(selector, allowed, blocks):
    found = blocking_budgets(pod(labels={"app": "web"}), [budget(selector, allowed)])
    assert found == (("PodDisruptionBudget shop/tight (1 healthy pods of 1 that it wants)",) if blocks else ())
