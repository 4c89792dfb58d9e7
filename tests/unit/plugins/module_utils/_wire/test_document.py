# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import record_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import Contrast, Latency, NodeProbes, PathMtu
from ansible_collections.fathom.submariner.plugins.module_utils._wire._document import now, probes_document


def test_a_document_has_every_field_and_is_read_back():
    probes = NodeProbes("a", now(), "", "cluster-1", "pod", (PathMtu("10.0.0.2", latency=Latency(1.0, 2.0, 3.0)),), (Contrast("10.0.0.2"),))
    document = probes_document(probes)
    assert set(document["paths"][0]) == set(PathMtu._fields) and document["paths"][0]["answer"] == "unknown"
    assert set(document["contrasts"][0]) == set(Contrast._fields)
    assert document["metadata"] == {"name": "a", "cluster": "cluster-1"}
    assert record_of(document) == probes
