# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches as RFC 7396 and RFC 6902 have them."""

from __future__ import annotations

import pytest

from tests.lab.merging import PatchError, merged, patched

OBJECT = {"kind": "A", "spec": {"list": [1, 2], "a/b": "x", "keep": True}}


@pytest.mark.parametrize(
    ("patch", "result"),
    [
        ({"spec": {"keep": None}}, {"kind": "A", "spec": {"list": [1, 2], "a/b": "x"}}),
        ({"spec": {"list": [3]}}, {"kind": "A", "spec": {"list": [3], "a/b": "x", "keep": True}}),
        ({"spec": "gone"}, {"kind": "A", "spec": "gone"}),
        ({"new": {"deep": {"x": None, "y": 1}}}, {**OBJECT, "new": {"deep": {"y": 1}}}),
    ],
)
def test_merge(patch, result):
    before = {"kind": "A", "spec": {"list": [1, 2], "a/b": "x", "keep": True}}
    assert merged(before, patch) == result
    assert before == OBJECT


@pytest.mark.parametrize(
    ("operation", "spec"),
    [
        ({"op": "add", "path": "/spec/list/0", "value": 0}, {"list": [0, 1, 2], "a/b": "x", "keep": True}),
        ({"op": "add", "path": "/spec/list/-", "value": 3}, {"list": [1, 2, 3], "a/b": "x", "keep": True}),
        ({"op": "replace", "path": "/spec/a~1b", "value": "y"}, {"list": [1, 2], "a/b": "y", "keep": True}),
        ({"op": "remove", "path": "/spec/list/1"}, {"list": [1], "a/b": "x", "keep": True}),
        ({"op": "remove", "path": "/spec/keep"}, {"list": [1, 2], "a/b": "x"}),
        ({"op": "test", "path": "/spec/list/1", "value": 2}, {"list": [1, 2], "a/b": "x", "keep": True}),
    ],
)
def test_json_patch(operation, spec):
    assert patched(OBJECT, [operation])["spec"] == spec
    assert OBJECT["spec"]["list"] == [1, 2]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/spec/none", "value": 1},
        {"op": "remove", "path": "/spec/none"},
        {"op": "test", "path": "/spec/keep", "value": False},
        {"op": "replace", "path": "/spec/list/7", "value": 1},
        {"op": "move", "path": "/spec/keep"},
        {"op": "add", "path": "spec"},
    ],
)
def test_json_patch_that_does_not_fit_is_named(operation):
    with pytest.raises(PatchError, match="does not fit"):
        patched(OBJECT, [operation])
