# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodeSelectorTerms select."""

from __future__ import annotations

import json
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_terms import holds, integer, unmet, words


REFERENCE = json.loads(pathlib.Path(__file__).with_name("placement_reference.json").read_text(encoding="utf-8"))["cases"]


def selects(terms, labels=None, name="n"):
    return unmet(terms, labels or {}, name) is None


def label(key, operator, *values):
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


@pytest.mark.parametrize("terms", [None, [], [{}], [None], ["odd"], [{"matchExpressions": []}], {"matchExpressions": [label("a", "DoesNotExist")]}])
def test_no_condition_at_all_selects_nothing(terms):
    assert unmet(terms, {"a": "b"}, "n") == []


def test_an_empty_alternative_adds_nothing_to_the_others():
    terms = [{}, {"matchExpressions": [label("a", "Exists")]}]
    assert selects(terms, {"a": ""}) and not selects(terms)


def test_alternatives_are_ored_and_conditions_anded_over_expressions_and_fields():
    both = {"matchExpressions": [label("a", "Exists")], "matchFields": [label("metadata.name", "In", "n")]}
    assert selects([both], {"a": ""}, "n")
    assert not selects([both], {"a": ""}, "m") and not selects([both], {}, "n")
    assert selects([both, {"matchExpressions": [label("b", "Exists")]}], {"b": ""}, "m")


@pytest.mark.parametrize(
    ("expression", "found", "held"),
    [
        (label("k", "Gt", "5"), "6", True),
        (label("k", "Gt", "5"), "5", False),
        (label("k", "Lt", "5"), "4", True),
        (label("k", "Gt", "5"), "05x", False),
        (label("k", "Gt", "05"), "6", True),
        (label("k", "Gt", "5", "6"), "7", False),  # exactly one value
        (label("k", "Gt"), "7", False),
        (label("k", "Gt", "-5"), "7", False),  # no value of a label: the requirement is never made
        (label("k", "Lt", "9223372036854775808"), "7", False),  # no int64
        (label("k", "Exists", "v"), "v", False),  # takes no values
        (label("k", "DoesNotExist", "v"), None, False),
        (label("k", "In"), "v", False),
        (label("k", "NotIn"), None, False),
        (label("k", "In", "not a value"), "v", False),
        (label("k", "NotIn", "not a value"), None, False),
        (label("k", "In", ""), "", True),
        (label("k", "NotIn", "v"), None, True),
        (label("k", "NotIn", "v"), "v", False),
        (label("k", "Unheard", "v"), "v", False),
    ],
)
def test_conditions(expression, found, held):
    assert holds(expression, {} if found is None else {"k": found}, "n") is held


@pytest.mark.parametrize(
    ("field", "held"),
    [
        (label("metadata.name", "In", "n"), True),
        (label("metadata.name", "NotIn", "n"), False),
        (label("metadata.name", "In", "n", "m"), False),
        (label("metadata.name", "Exists"), False),
        (label("spec.providerID", "In", "n"), False),
    ],
)
def test_fields(field, held):
    assert selects([{"matchFields": [field]}]) is held


def test_what_fails_is_told_of_all_alternatives():
    terms = [{"matchExpressions": [label("a", "Exists"), label("b", "DoesNotExist")]}, {"matchExpressions": [label("c", "In", "x", "y")]}]
    assert [words(entry) for entry in unmet(terms, {"b": ""}, "n")] == ["a Exists", "b DoesNotExist", "c In [x, y]"]


@given(st.integers())
def test_numbers_are_those_of_64_bits(number):
    assert integer(str(number)) == (number if -(2**63) <= number < 2**63 else None)


@pytest.mark.parametrize("text", ["", " 1", "1 ", "1_000", "0x10", "--1", "١", "1.0"])
def test_what_go_does_not_read_is_no_number(text):
    assert integer(text) is None


@pytest.mark.parametrize("case", REFERENCE, ids=lambda case: case["name"] + json.dumps(case["labels"]))
def test_it_decides_as_kubernetes_itself_did(case):
    """Cases of all kinds, ill-formed ones included, with the answer that the library of scheduler and DaemonSet controller gave."""
    assert selects(case["terms"], case["labels"], case["name"]) is case["selected"]


KEYS = st.sampled_from(["a", "b", "c"])
VALUES = st.sampled_from(["", "x", "y", "1", "2", "10"])
EXPRESSIONS = st.one_of(
    st.builds(label, KEYS, st.sampled_from(["Exists", "DoesNotExist"])),
    st.builds(lambda key, operator, values: label(key, operator, *values), KEYS, st.sampled_from(["In", "NotIn"]), st.lists(VALUES, min_size=1, max_size=3)),
    st.builds(label, KEYS, st.sampled_from(["Gt", "Lt"]), st.sampled_from(["1", "2", "10"])),
)
TERMS = st.lists(st.builds(lambda entries: {"matchExpressions": entries}, st.lists(EXPRESSIONS, max_size=3)), max_size=3)
LABELS = st.dictionaries(KEYS, VALUES)


@given(TERMS, TERMS, LABELS)
def test_more_alternatives_never_select_less(some, more, labels):
    assert selects(some + more, labels) == (selects(some, labels) or selects(more, labels))


@given(EXPRESSIONS, LABELS)
def test_an_operator_and_its_opposite_never_hold_together(expression, labels):
    opposite = {"In": "NotIn", "NotIn": "In", "Exists": "DoesNotExist", "DoesNotExist": "Exists", "Gt": "Lt", "Lt": "Gt"}[expression["operator"]]
    held = [holds({**expression, "operator": operator}, labels, "n") for operator in (expression["operator"], opposite)]
    assert held != [True, True]
    assert any(held) or expression["operator"] in ("Gt", "Lt")
