# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page is read object by object, and means what json.loads makes of it."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._kube._answers import BrokenBody
from ansible_collections.fathom.submariner.plugins.module_utils._kube._pages import OddObject, parse_page
from ansible_collections.fathom.submariner.plugins.module_utils._kube._transport import Reply

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=4), VALUES, max_size=4)


def page(body, project=dict, compressed=False):
    raw = body if isinstance(body, bytes) else body.encode()
    return parse_page(Reply(200, {}, raw, len(raw), compressed), project)


@given(items=st.lists(OBJECTS, max_size=5), indent=st.sampled_from([None, 1]), first=st.booleans())
def test_as_the_whole_would_be(items, indent, first):
    head = {"kind": "ThingList", "metadata": {"resourceVersion": "7", "continue": "more"}}
    whole = {"items": items, **head} if first else {**head, "items": items}
    for ascii_only in (True, False):
        text = json.dumps(whole, indent=indent, ensure_ascii=ascii_only)
        found = page(text.encode("utf-8", "surrogatepass") if ascii_only else text.encode("utf-8", "replace"))
        if ascii_only:
            assert [record for _uid, record in found.entries] == items
        assert (found.kind, found.resource_version, found.token, len(found.entries), found.is_list) == ("ThingList", "7", "more", len(items), True)


def test_uid_stands_beside_the_record():
    found = page('{"kind":"ThingList","items":[{"metadata":{"uid":"u1"}},{"metadata":null},{}]}')
    assert [uid for uid, _record in found.entries] == ["u1", "", ""]


def test_compressed():
    assert page(gzip.compress(b'{"kind":"ThingList","items":[{}]}'), compressed=True).entries == [("", {})]


def test_objects_do_not_pile_up():
    alive = []

    def project(item):
        alive.append(len(item["data"]))
        return len(item["data"])

    body = json.dumps({"kind": "ThingList", "items": [{"data": "x" * number} for number in range(20)]})
    assert [record for _uid, record in page(body, project).entries] == list(range(20)) == alive


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        '"text"',
        "<html></html>",
        '{"kind":"ThingList","items":[{}',
        '{"kind":"ThingList","items":[{}]',
        '{"kind":"ThingList","items":[{}]}}',
        '{"kind":"ThingList","items":[{},]}',
        '{"kind":"ThingList" "items":[]}',
        '{"kind":"ThingList",}',
        "{1:2}",
        '{"kind":"ThingList","items":[{"a":1 1}]}',
        '{"items":[]}',
        "{}",
        b"\xff\xfe",
    ],
)
def test_broken(body):
    with pytest.raises(BrokenBody):
        page(body)


def test_deep_nesting_is_broken_and_not_fatal():
    with pytest.raises(BrokenBody):
        page('{"kind":"ThingList","items":[' + "[" * 200_000)


@pytest.mark.parametrize("body", ['{"kind":"Status"}', '{"kind":"ThingList","items":{}}', '{"kind":"ThingList","items":7}'])
def test_no_list(body):
    assert not page(body).is_list


@pytest.mark.parametrize("items", ["null", "[]", "[ ]"])
def test_empty(items):
    found = page('{"kind":"ThingList","metadata":null,"items":' + items + "}")
    assert (found.entries, found.is_list, found.token) == ([], True, "")


def test_odd_object_is_named():
    with pytest.raises(OddObject, match="ns/x that is not shaped as its API says .KeyError"):
        page('{"kind":"ThingList","items":[{"metadata":{"name":"x","namespace":"ns"}}]}', lambda item: item["spec"])
