# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a placement: what is refused before a cluster is read, and the batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import COMPONENTS, LABEL, Request, batches, parse_request
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError

DEFAULTS = {
    "nodes": ["worker-1"],
    "mode": "exclude",
    "state": "present",
    "label": LABEL,
    "value": None,
    "components": list(COMPONENTS),
    "architectures": [],
    "max_excluded": 1,
    "batch_size": 1,
    "canary": True,
    "pause": 0,
    "cordon": False,
    "taint": False,
}


def parsed(**changes):
    return parse_request({**DEFAULTS, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"nodes": []}, "nodes: name the nodes"),
        ({"nodes": ["", " "]}, "nodes: name the nodes"),
        ({"architectures": ["riscv64"]}, "no image for riscv64"),
        ({"components": ["calico-typha"]}, "calico-node must be among them"),
        ({"max_excluded": -1}, "max_excluded: -1"),
        ({"batch_size": 0}, "batch_size: 0"),
        ({"pause": -1}, "pause: -1"),
        ({"value": "not a value"}, "no value of a label"),
        ({"label": "Example.com/x"}, "no key of a label"),
        ({"label": "example.com/"}, "no key of a label"),
        ({"label": "a" * 64}, "no key of a label"),
    ],
)
def test_what_cannot_be_right(changes, said):
    with pytest.raises(InputError) as caught:
        parsed(**changes)
    assert said in caught.value.message


@pytest.mark.parametrize(
    "key",
    [
        "node-role.kubernetes.io/worker",
        "kubernetes.io/os",
        "example.node-restriction.kubernetes.io/x",
        "submariner.io/gateway",
        "projectcalico.org/operator-node-migration",
    ],
)
def test_labels_of_others_are_refused(key):
    with pytest.raises(InputError, match="means something else") as caught:
        parsed(label=key)
    assert "control plane" in caught.value.message


def test_what_a_survey_leaves_empty_is_not_given():
    request = parsed(value="", label="", components=[], nodes=["worker-1", "", "worker-1"], architectures=[""])
    assert (request.key, request.value, request.components, request.nodes, request.architectures) == (LABEL, "excluded", COMPONENTS, ("worker-1",), ())
    assert parsed(mode="include", nodes=[]).label == f"{LABEL}=included"
    assert parsed(state="absent", nodes=[]).nodes == ()


def test_the_demands():
    assert [each.expression() for each in parsed(architectures=["arm64", "amd64"]).requirements] == [
        {"key": LABEL, "operator": "NotIn", "values": ["excluded"]},
        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"]},
    ]
    assert parsed(mode="include", value="yes").requirement.expression() == {"key": LABEL, "operator": "In", "values": ["yes"]}


def test_a_canary_goes_alone():
    names = [f"n{number}" for number in range(6)]
    assert batches(names, Request(batch_size=2)) == (("n0",), ("n1", "n2"), ("n3", "n4"), ("n5",))
    assert batches(names, Request(batch_size=4, canary=False)) == (("n0", "n1", "n2", "n3"), ("n4", "n5"))
    assert batches([], Request()) == ()


@given(st.lists(st.text(min_size=1, max_size=3), unique=True), st.integers(1, 5), st.booleans())
def test_batches_hold_every_node_once_and_in_order(names, size, canary):
    made = batches(names, Request(batch_size=size, canary=canary))
    assert [name for group in made for name in group] == names
    assert all(0 < len(group) <= size for group in made)
    assert not canary or not names or len(made[0]) == 1
