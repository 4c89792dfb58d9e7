# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter: documents in, sentences out, and errors that say what was wrong."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.fathom.submariner.plugins.filter.probe_comparison import FilterModule, probe_comparison
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import document_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import NodeProbes, PathMtu


def document(mtu):
    return document_of(NodeProbes("one", paths=(PathMtu("192.168.0.2", "two", answer="open", mtu=mtu),)))


def test_sentences():
    lines = probe_comparison([document(1400)], [document(1500), {"kind": "NodeInfo"}])
    assert lines == [
        "one to two (underlay, icmp): better, open up to 1400 bytes before, open up to 1500 bytes now",
        "0 probes as before, 1 otherwise; 0 were made before alone, 0 now alone.",
    ]
    assert FilterModule().filters() == {"probe_comparison": probe_comparison}


@pytest.mark.parametrize("wrong", ["text", None, ["text"], {"kind": "NodeProbes"}])
def test_what_is_no_list_of_documents(wrong):
    with pytest.raises(AnsibleFilterError, match="wants two lists"):
        probe_comparison(wrong, [])


def test_a_document_that_is_broken():
    with pytest.raises(AnsibleFilterError, match="metadata.name"):
        probe_comparison([{**document(1500), "metadata": {}}], [])
