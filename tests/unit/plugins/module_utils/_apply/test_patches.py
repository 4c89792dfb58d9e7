# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches as data."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import changed_fields, content, differing, inverse, merged, shown
from hypothesis import given
from hypothesis import strategies as st

# RFC 7386 cannot say "null", so that objects hold none; the API server stores none either, but for fields that do not keep them apart from absence.
leaves = st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x"])
objects = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=6),
    max_size=3,
)
patches = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(leaves | st.none(), lambda inner: st.lists(leaves, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=6),
    max_size=3,
)


@given(objects, patches)
def test_the_inverse_of_a_patch_undoes_it(obj, patch):
    before = copy.deepcopy((obj, patch))
    assert merged(merged(obj, patch), inverse(obj, patch)) == obj
    assert (obj, patch) == before, "neither argument is changed"


@given(objects, patches)
def test_a_patch_applied_twice_is_applied_once(obj, patch):
    assert merged(merged(obj, patch), patch) == merged(obj, patch)


@pytest.mark.parametrize(  # RFC 7386, appendix A, those whose patch is an object
    "target, patch, result",
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merging_is_what_the_rfc_says(target, patch, result):
    assert merged(target, patch) == result


def test_the_undo_of_a_first_annotation_survives_the_journal():
    """An object's annotations that are empty are left out of what is shown; that a patch removes them must not be."""
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    patch = {"metadata": {"annotations": {"a": "b"}}, "data": {"k": "v"}}
    undo = shown(inverse(obj, patch), obj)
    assert merged(merged(obj, patch), undo) == obj


def test_no_secret_gets_into_a_journal():
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"tls.key": "T0xE"}}
    patch = {"data": {"tls.key": "TkVX", "old": None}}
    assert "TkVX" not in str(shown(patch, secret)) and "T0xE" not in str(shown(inverse(secret, patch), secret))
    submariner = {"apiVersion": "submariner.io/v1alpha1", "kind": "Submariner", "spec": {"ceIPSecPSK": "old-psk", "clusterCIDR": "10.0.0.0/24"}}
    assert shown({"spec": {"ceIPSecPSK": "new-psk", "clusterCIDR": "10.0.0.0/16"}}, submariner) == {
        "spec": {"ceIPSecPSK": "(hidden)", "clusterCIDR": "10.0.0.0/16"}
    }
    assert shown(None, secret) is None


THING = {
    "kind": "Thing",
    "metadata": {"name": "x", "uid": "u", "resourceVersion": "1", "managedFields": []},
    "spec": {"mtu": 1400, "list": [{"a": 1}]},
    "status": {"ready": 1},
}


def test_what_the_server_writes_is_no_change():
    later = copy.deepcopy(THING)
    later["metadata"].update(resourceVersion="9", generation=4)
    later["status"] = {"ready": 2}
    assert changed_fields(content(THING), later) == () and differing({"uid": "u", "content": content(THING)}, later) == ()


@pytest.mark.parametrize(
    "change, fields",
    [
        (lambda obj: obj["spec"].update(mtu=1380), ("spec.mtu",)),
        (lambda obj: obj["spec"].update(more=1), ("spec.more",)),
        (lambda obj: obj["spec"].pop("mtu"), ("spec.mtu",)),
        (lambda obj: obj["spec"]["list"][0].update(a=2), ("spec.list[0].a",)),
        (lambda obj: obj["metadata"].update(labels={"x": "y"}), ("metadata.labels",)),
        (lambda obj: obj["metadata"].update(uid="other"), ("metadata.uid",)),
    ],
)
def test_what_somebody_changed_is_named(change, fields):
    later = copy.deepcopy(THING)
    change(later)
    found = differing({"uid": "u", "content": content(THING)}, later)
    assert found and all(name.startswith(fields[0]) for name in found)


def test_an_object_that_came_or_went_is_a_change():
    assert differing({"uid": "u", "content": content(THING)}, None)
    assert differing({"uid": "", "content": {}}, THING)
    assert differing({"uid": "", "content": {}}, None) == ()
