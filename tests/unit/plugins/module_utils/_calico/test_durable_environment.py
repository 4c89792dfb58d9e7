# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment variables of calico-node set by name: all others keep value and place."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_environment import LAST_APPLIED, applied_environment, with_environment

CONTAINERS = [
    {"name": "other", "env": [{"name": "A", "value": "other's"}]},
    {
        "name": "calico-node",
        "image": "calico/node",
        "env": [{"name": "NODEIP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}, {"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    },
]


def names(containers):
    return [(entry["name"], entry.get("value")) for entry in containers[1]["env"]]


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"A": "9"}, [("NODEIP", None), ("A", "9"), ("B", "2")]),
        ({"A": None}, [("NODEIP", None), ("B", "2")]),
        ({"C": "3"}, [("NODEIP", None), ("A", "1"), ("B", "2"), ("C", "3")]),
        ({"NODEIP": "x"}, [("NODEIP", "x"), ("A", "1"), ("B", "2")]),
        ({"Z": None}, [("NODEIP", None), ("A", "1"), ("B", "2")]),
    ],
)
def test_set_by_name(env, expected):
    before = copy.deepcopy(CONTAINERS)
    after = with_environment(CONTAINERS, env, "calico-node")
    assert names(after) == expected
    assert CONTAINERS == before and after[0] == before[0]


def test_no_such_container():
    assert with_environment(CONTAINERS, {"A": "1"}, "absent") is None


def test_nothing_to_do_changes_nothing():
    bare = [{"name": "calico-node"}]
    assert with_environment(bare, {"A": None}, "calico-node") == bare
    assert with_environment(CONTAINERS, {"A": "1", "Z": None}, "calico-node") == CONTAINERS


VARIABLES = st.sampled_from("ABCDE")


@given(
    st.lists(st.tuples(VARIABLES, st.text("xy", max_size=2)), max_size=5, unique_by=lambda pair: pair[0]),
    st.dictionaries(VARIABLES, st.one_of(st.none(), st.text("xy"))),
)
def test_idempotent_and_others_stay(entries, env):
    before = [{"name": "calico-node", "env": [{"name": name, "value": value} for name, value in entries]}]
    after = with_environment(before, env, "calico-node")
    values = {entry["name"]: entry["value"] for entry in after[0].get("env", [])}
    assert values == {**{name: value for name, value in entries if name not in env}, **{name: value for name, value in env.items() if value is not None}}
    assert with_environment(after, env, "calico-node") == after
    assert [name for name, _value in entries if name in values] == [name for name in values if name in dict(entries)]


def applied(containers):
    return {"metadata": {"annotations": {LAST_APPLIED: json.dumps({"spec": {"template": {"spec": {"containers": containers}}}})}}}


def test_what_was_applied_lasts():
    assert applied_environment(applied(CONTAINERS), {"A": "1", "Z": None}, "calico-node")
    assert not applied_environment(applied(CONTAINERS), {"A": "9"}, "calico-node")
    assert not applied_environment(applied(CONTAINERS), {"B": None}, "calico-node")


@pytest.mark.parametrize("odd", [{}, {"metadata": {}}, applied([]), applied(None), applied([{"name": "calico-node", "env": "x"}]), applied(["x"])])
def test_what_nobody_applied_is_not_known_to_last(odd):
    assert not applied_environment(odd, {"A": "1"}, "calico-node")


def test_last_applied_that_is_no_json():
    assert not applied_environment({"metadata": {"annotations": {LAST_APPLIED: "{"}}}, {"A": "1"}, "calico-node")
