# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be put back, and why."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import inverse, merged
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import HIDDEN, missing_from
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._history import CREATE, DELETE, PATCH, RESTART, Record
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._undo import CANNOT, NOTHING, WRITE_PATCH, overlapped, undo
from hypothesis import given
from hypothesis import strategies as st

POOL = "/apis/projectcalico.org/v3/ippools/stale"


def pool(name, cidr):
    return {"metadata": {"name": name}, "spec": {"cidr": cidr}}


def record(verb=DELETE, path=POOL, before=pool("stale", "10.42.0.0/24")):
    return Record(1, verb=verb, path=path, object="IPPool stale", before=before)


def test_a_pool_whose_range_another_one_has_cannot_come_back():
    said = overlapped(record(), [pool("own", "10.46.0.0/16"), pool("six", "fd00::/48"), pool("whole", "10.42.0.0/16")])
    assert said == "IPPool stale cannot be put back: IPPool whole, which has been made since, overlaps it, and Calico refuses overlapping pools"


@pytest.mark.parametrize(
    ("entry", "pools"),
    [
        (record(), [pool("stale", "10.42.0.0/24"), pool("next", "10.42.1.0/24")]),
        (record(CREATE), [pool("whole", "10.42.0.0/16")]),
        (record(path="/api/v1/namespaces/x/configmaps/stale"), [pool("whole", "10.42.0.0/16")]),
        (record(before=None), [pool("whole", "10.42.0.0/16")]),
        (record(), [pool("whole", "no range")]),
    ],
)
def test_all_else_can(entry, pools):
    assert overlapped(entry, pools) == ""


def test_a_restarted_pod_is_told_and_what_was_made_for_a_while_is_nothing_to_undo():
    assert undo(Record(1, verb=RESTART, path="/x", object="Pod ns/agent", marks={"done"}), None).action == CANNOT
    assert undo(Record(1, verb=RESTART, path="/x", object="Job ns/node-probe", marks={"done"}), None).action == NOTHING


def patched(patch, undone, found):
    return undo(Record(1, verb=PATCH, path="/x", object="Thing x", uid="u", patch=patch, undo=undone, marks={"done"}), {"metadata": {"uid": "u"}, **found})


MADE = {"calicoNodeDaemonSet": {"spec": {"template": {"spec": {"affinity": {"nodeAffinity": [1]}}}}}}


@pytest.mark.parametrize(
    ("theirs", "back"),
    [
        ({}, None),
        ({"tolerations": [1], "containers": []}, {"spec": {"template": {"spec": {"affinity": None}}}}),
        ({"affinity": {"nodeAffinity": [1], "podAffinity": [2]}}, {"spec": {"template": {"spec": {"affinity": {"nodeAffinity": None}}}}}),
    ],
)
def test_what_somebody_has_added_to_a_mapping_that_the_patch_created_stays(theirs, back):
    found = {"spec": {"calicoNodeDaemonSet": {"spec": {"template": {"spec": {"affinity": {"nodeAffinity": [1]}, **theirs}}}}}}
    decided = patched({"spec": MADE}, {"spec": {"calicoNodeDaemonSet": None}}, found)
    assert (decided.action, decided.body) == (WRITE_PATCH, {"spec": {"calicoNodeDaemonSet": back}})


def test_once_ours_is_gone_from_it_nothing_is_left_to_do():
    """A rollback that was killed before it noted what it had done."""
    found = {"spec": {"calicoNodeDaemonSet": {"spec": {"template": {"spec": {"tolerations": [1]}}}}}}
    assert patched({"spec": MADE}, {"spec": {"calicoNodeDaemonSet": None}}, found).action == NOTHING


def test_a_secret_that_the_patch_wrote_is_its_own_and_not_somebody_else_s():
    patch = {"data": {"values": {"token": HIDDEN, "a": 1}}}
    assert patched(patch, {"data": None}, {"data": {"values": {"token": "geheim", "a": 1}}}).body == {"data": None}
    assert patched(patch, {"data": None}, {"data": {"values": {"token": "geheim", "a": 1, "b": 2}}}).body == {"data": {"values": {"token": None, "a": None}}}


trees = st.recursive(st.integers(0, 2), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=6)
mappings = st.dictionaries(st.sampled_from("abc"), trees, max_size=3)


def with_theirs(draw, found, obj):
    """``found``, to whose mappings somebody else has added keys; not to those that stand where ``obj`` has something else, and can only go with it."""
    result = {key: with_theirs(draw, value, obj.get(key, {})) if isinstance(value, dict) and isinstance(obj.get(key, {}), dict) else value
              for key, value in found.items()}  # fmt: skip
    return {**result, "theirs": 9} if draw(st.booleans()) else result


def theirs_of(tree, path=()):
    return [*([path] if "theirs" in tree else []), *(each for key in tree if isinstance(tree[key], dict) for each in theirs_of(tree[key], (*path, key)))]


@given(st.data(), mappings, mappings)
def test_whatever_others_add_is_there_after_the_undo_and_all_that_was_written_is_not(data, obj, patch):
    obj = {"spec": obj}
    patch = {"spec": patch}
    found = with_theirs(data.draw, merged(obj, patch), obj)
    decided = patched(patch, inverse(obj, patch), found)
    after = merged({"metadata": {"uid": "u"}, **found}, decided.body or {})
    assert decided.action in (WRITE_PATCH, NOTHING) and missing_from(after, obj) == ()
    assert theirs_of(after) == theirs_of(found)
    if not theirs_of(found):
        assert {**after, "metadata": None} == {**obj, "metadata": None}
