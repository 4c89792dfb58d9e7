# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents of nodes and records: the same in both directions, whatever fields a record gains."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _node_documents as documents
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _records_node_host, _records_wire
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import document_of, is_node_document, record_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost, NodeLink
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import NodeProbes

TEXT = st.text(max_size=6)
PLAIN = {
    "str": TEXT,
    "int": st.integers(),
    "bool": st.booleans(),
    "float": st.floats(allow_nan=False, allow_infinity=False),
}


def values_of(annotation):
    """What a field of this annotation may hold."""
    if annotation in PLAIN:
        return PLAIN[annotation]
    if annotation.endswith(" | None"):
        return st.none() | values_of(annotation[:-7])
    if annotation.startswith("t.Mapping["):
        return st.dictionaries(TEXT, values_of(annotation[len("t.Mapping[str, ") : -1]), max_size=2)
    if annotation.startswith("tuple["):
        inner = annotation[len("tuple[") : -1]
        if inner.endswith(", ..."):
            return st.lists(values_of(inner[:-5]), max_size=2).map(tuple)
        return st.tuples(*(values_of(each) for each in inner.split(", ")))
    return records(getattr(_records_node_host, annotation, None) or getattr(_records_wire, annotation))


def records(made, **fixed):
    return st.builds(made, **{name: fixed[name] if name in fixed else values_of(made.__annotations__[name].__forward_arg__) for name in made._fields})


NAMED = {"node": st.text(min_size=1, max_size=6), "where": st.just("nodes/n1.json")}


@given(st.one_of(records(NodeHost, **NAMED), records(NodeProbes, **NAMED)))
def test_every_record_comes_back_through_json(record):
    document = json.loads(json.dumps(document_of(record)))
    assert is_node_document(document)
    assert record_of(document, "nodes/n1.json") == record


def test_the_form_of_a_document():
    link = NodeLink("eth0", 2, 1500, up=True, offloads={"tx-checksumming": False})
    document = document_of(NodeHost("n1", "2026-11-21T10:00:00Z", "SSH", "cluster-1", links=(link,)))
    assert {key: document[key] for key in ("apiVersion", "kind", "metadata")} == {
        "apiVersion": "fathom.submariner/v1", "kind": "NodeInfo", "metadata": {"name": "n1", "cluster": "cluster-1"},
    }  # fmt: skip
    assert "where" not in document and "node" not in document and document["conntrack"] == {"maximum": None, "count": None}
    assert document["links"] == [{"name": "eth0", "index": 2, "mtu": 1500, "up": True, "offloads": {"tx-checksumming": False}}]  # defaults are left out
    assert document_of(NodeProbes("n1"))["kind"] == "NodeProbes"


def test_what_a_newer_release_wrote_and_an_older_one_did_not():
    found = record_of({"apiVersion": "fathom.submariner/v1", "kind": "NodeInfo", "metadata": {"name": "n"}, "new": 1, "clock": {"drift": 2}, "where": "lie"})
    assert found == NodeHost("n")


@pytest.mark.parametrize(
    "change, why",
    [
        ({"metadata": {}}, "metadata.name is missing"),
        ({"metadata": {"name": 5}}, "metadata.name is missing"),
        ({"metadata": {"name": "n", "cluster": 5}}, "cluster is 5, and str is wanted"),
        ({"links": {}}, "links is {}, and a list is wanted"),
        ({"links": [{"name": "a"}, {"index": 1}]}, r"links\[1\].name is missing"),
        ({"links": [5]}, r"links\[0\] is 5, and a mapping is wanted"),
        ({"links": [{"name": "a", "mtu": True}]}, r"links\[0\].mtu is True, and int is wanted"),
        ({"links": [{"name": "a", "offloads": {"tx": 1}}]}, r"links\[0\].offloads.tx is 1, and bool is wanted"),
        ({"modules": ["vxlan"]}, "modules is .*, and a mapping is wanted"),
        ({"ipset": {"types": {"hash:ip": [1]}}}, "ipset.types.hash:ip has 1 entries, and 2 are wanted"),
        ({"taken_at": "x" * 99, "sysctls": {"a": "x", "b": 1}}, "sysctls.b is 1"),
        ({"taken_at": ["x" * 99]}, r"taken_at is .{57}\.\.\., and str is wanted"),
        ({"kind": "Node"}, "is not a document of kind NodeInfo or NodeProbes"),
    ],
)
def test_what_cannot_be_used_says_why(change, why):
    document = {"apiVersion": "fathom.submariner/v1", "kind": "NodeInfo", "metadata": {"name": "n"}, **change}
    with pytest.raises(InputError, match=why) as raised:
        record_of(document, "n.json")
    assert raised.value.message.startswith("n.json")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=4), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(
    [*NodeHost._fields, *NodeProbes._fields, *NodeLink._fields, "metadata"]), inner), max_leaves=15)  # fmt: skip


@given(JSON, st.sampled_from(sorted(documents.KINDS)))
def test_a_document_of_any_shape_is_used_or_refused(value, kind):
    assert not is_node_document(value)
    fields = value if isinstance(value, dict) else {}
    document = {**fields, "apiVersion": documents.API_VERSION, "kind": kind, "metadata": {"name": "n"}}
    try:
        assert record_of(document).node == "n"
    except InputError as error:
        assert error.message
