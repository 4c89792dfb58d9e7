# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding a demand to an affinity and taking it away again."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import merged
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_affinity import (
    Requirement,
    change,
    demands,
    mentions,
    preset,
    terms_of,
    with_requirement,
    without_requirement,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_terms import unmet
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.placements import REQUIRED, affinity
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.test_placement_terms import LABELS, TERMS

OUT = Requirement("example.com/calico", "NotIn", ("excluded",))
IN = Requirement("example.com/calico", "In", ("included",))
ARM = {"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}
AMD = {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}
SPREAD = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": {"topologyKey": "zone"}}]}


def selects(found, labels, name="n"):
    terms = terms_of(found)
    return terms is None or unmet(terms, labels, name) is None


def meets(requirement, labels):
    return (labels.get(requirement.key) in requirement.values) == (requirement.operator == "In")


def test_where_nothing_is_required_the_demand_stands_alone():
    assert with_requirement(None, OUT) == affinity([OUT.expression()])
    assert without_requirement(affinity([OUT.expression()]), OUT) is None


def test_every_alternative_gets_the_demand():
    both = with_requirement(affinity([ARM], [AMD]), OUT)
    assert both == affinity([ARM, OUT.expression()], [AMD, OUT.expression()])
    assert without_requirement(both, OUT) == affinity([ARM], [AMD])


def test_everything_else_of_an_affinity_is_kept():
    preferred = [{"weight": 5, "preference": {"matchExpressions": [ARM]}}]
    whole = {"podAntiAffinity": SPREAD, "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    made = with_requirement(whole, OUT)
    assert made["podAntiAffinity"] == SPREAD
    assert made["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"] == preferred
    assert without_requirement(made, OUT) == whole


@pytest.mark.parametrize(
    "stands",
    [
        {"key": OUT.key, "operator": "DoesNotExist"},
        {"key": OUT.key, "operator": "NotIn", "values": ["other", "excluded"]},
        {"key": OUT.key, "operator": "NotIn", "values": ["excluded"]},
    ],
)
def test_a_demand_that_stands_in_other_words_is_not_added_again(stands):
    found = affinity([ARM, stands])
    assert demands(found, OUT) and with_requirement(found, OUT) == found
    assert without_requirement(found, OUT) == affinity([ARM])


@pytest.mark.parametrize(
    "stands",
    [
        {"key": OUT.key, "operator": "NotIn", "values": ["other"]},
        {"key": OUT.key, "operator": "Exists"},
        {"key": "other", "operator": "NotIn", "values": ["excluded"]},
    ],
)
def test_a_demand_for_less_is_none(stands):
    assert not demands(affinity([stands]), OUT)
    assert not mentions(affinity([stands]), OUT)


def test_an_opt_in_of_several_values_is_not_ours():
    assert not demands(affinity([{"key": IN.key, "operator": "In", "values": ["included", "also"]}]), IN)
    assert demands(affinity([{"key": IN.key, "operator": "In", "values": ["included"]}]), IN)
    assert not demands(affinity([{"key": IN.key, "operator": "Exists"}]), IN)


def test_an_alternative_that_lacks_it_means_that_it_is_not_demanded():
    half = affinity([ARM, OUT.expression()], [AMD])
    assert not demands(half, OUT) and mentions(half, OUT)
    assert with_requirement(half, OUT) == affinity([ARM, OUT.expression()], [AMD, OUT.expression()])


def test_an_alternative_that_demanded_nothing_else_opens_for_all():
    assert without_requirement(affinity([OUT.expression()], [ARM, OUT.expression()]), OUT) is None


def test_what_selects_nothing_selects_nothing_still():
    nothing = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{}]}}}
    assert with_requirement(nothing, OUT) == nothing
    assert not selects(with_requirement(nothing, OUT), {})


def test_fields_are_kept():
    term = {"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["bad"]}]}
    found = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [term]}}}
    made = with_requirement(found, OUT)
    assert not selects(made, {}, "bad") and selects(made, {}, "good") and not selects(made, {OUT.key: "excluded"}, "good")
    assert without_requirement(made, OUT) == found


@pytest.mark.parametrize(("provider", "label"), [("AKS", {"type": "virtual-kubelet"}), ("EKS", {"eks.amazonaws.com/compute-type": "fargate"})])
@pytest.mark.parametrize("component", ["calico-node", "csi-node-driver"])
def test_the_operators_presets(component, provider, label):
    made = with_requirement(preset(component, provider), OUT)
    assert not selects(made, label) and selects(made, {}) and not selects(made, {OUT.key: "excluded"})
    assert without_requirement(made, OUT) == preset(component, provider)
    assert preset(component, "") is None and preset(component, "RKE2") is None


def test_typhas_preset_spreads_it_and_takes_the_older_field():
    spread = preset("calico-typha", "EKS")
    assert spread["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0]["podAffinityTerm"]["topologyKey"] == "topology.kubernetes.io/zone"
    assert "nodeAffinity" not in spread
    older = preset("calico-typha", "", affinity([ARM]))
    assert terms_of(older) == terms_of(affinity([ARM])) and older["podAntiAffinity"] == spread["podAntiAffinity"]


AFFINITIES = st.one_of(
    st.none(),
    st.builds(lambda terms: {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}, TERMS),
    st.builds(lambda terms: {"podAntiAffinity": SPREAD, "nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}, TERMS),
    st.just({"podAntiAffinity": SPREAD}),
)
OWN = st.dictionaries(st.just(OUT.key), st.sampled_from(["excluded", "included", "other"]))


@given(AFFINITIES, LABELS, OWN, st.sampled_from([OUT, IN]))
def test_it_selects_what_it_selected_of_that_what_meets_the_demand(found, labels, own, requirement):
    before, labels = copy.deepcopy(found), {**labels, **own}
    made = with_requirement(found, requirement)
    assert selects(made, labels) == (selects(found, labels) and meets(requirement, labels))
    assert demands(made, requirement) and with_requirement(made, requirement) == made
    assert found == before


@given(AFFINITIES, LABELS, OWN, st.sampled_from([OUT, IN]))
def test_taking_it_away_gives_back_what_was_selected(found, labels, own, requirement):
    back = without_requirement(with_requirement(found, requirement), requirement)
    assert selects(back, {**labels, **own}) == selects(found, {**labels, **own})
    assert not mentions(back, requirement)


TREES = st.recursive(st.sampled_from([1, "a", [1], []]), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8)


@given(st.dictionaries(st.sampled_from("abc"), TREES), st.dictionaries(st.sampled_from("abc"), TREES))
def test_a_change_makes_the_one_of_the_other(before, after):
    assert merged(before, change(before, after)) == after
