# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The document of what probes found, with every field, so that a playbook can select by any of them."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import NodeProbes

API_VERSION = "fathom.submariner/v1"
KIND = "NodeProbes"


def probes_document(probes: NodeProbes) -> t.Dict[str, t.Any]:
    """In JSON types; ``_snapshot._node_documents.record_of`` reads it back."""
    fields = {name: _plain(value) for name, value in probes._asdict().items() if name not in ("node", "cluster", "where")}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": probes.node, "cluster": probes.cluster}, **fields}


def now() -> str:
    """RFC 3339, in UTC."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: t.Any) -> t.Any:
    if hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
