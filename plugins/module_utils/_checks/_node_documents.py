# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether the documents of nodes' hosts are of this cluster's nodes, and of these as they are now."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._node_hosts import DOCUMENTS, NODE_INFO, hosts, node_of, without_document
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._checks._words import few, names
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NodeHost
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._moments import duration, seconds_between

OLD = 24 * 3600.0  # seconds


@check(
    DOCUMENTS,
    title="Every node's host was read, and is still as it was then",
    severity="warning",
    references=("https://docs.ansible.com/ansible/latest/collections/fathom/submariner/node_info_module.html",),
    tags=("nodes",),
    remedy="Read the nodes again with module node_info.",
)
def documents(facts: Facts) -> t.Iterator[Problem]:
    """Where documents of module node_info were given: those whose node runs another kernel by now, those older than a day, and nodes without one."""
    read = hosts(facts)
    stale = [(host, evidence) for host in read for evidence in [_changed(facts, host)] if evidence is not None]
    if stale:
        shown = names(host.node for host, _evidence in stale)
        yield Problem(
            subject=names(f"Node {host.node}" for host, _evidence in stale),
            title=f"The documents of {shown} do not show the hosts as they are now",
            evidence=few(evidence for _host, evidence in stale),
            impact="What other checks say of these hosts may be over, and what began since they do not know.",
            remedy=by_hand(f"Read them again with module fathom.submariner.node_info: {shown}."),
        )
    known = {node.ref.name for node in facts.snapshot.nodes.items}
    strangers = [host for host in facts.snapshot.node_hosts.items if host.node not in known]
    if strangers:
        shown = names(host.node for host in strangers)
        yield Problem(
            subject=names(f"Node {host.node}" for host in strangers),
            title=f"There are documents of {shown}, and no such Node",
            evidence=few(Evidence(f"Node {host.node}", "host", host.where or "a document", "it is not looked at") for host in strangers),
            impact="Nobody judges these hosts.",
            remedy=by_hand("Give the hosts' Nodes by name (submariner_node_name in the inventory), or take the documents of removed nodes away."),
            severity="info",
        )
    lacking = without_document(facts, read)
    if lacking:
        yield Problem(
            subject=names(f"Node {name}" for name in lacking),
            title=f"Nobody has read the host of {len(lacking)} of {len(facts.snapshot.nodes.items)} nodes",
            missing=f"{names(lacking, 10)}; {NODE_INFO}",
        )


def _changed(facts: Facts, host: NodeHost) -> Evidence | None:
    """What shows that a document is of another time, or of another host."""
    node = node_of(facts, host.node)
    if node is not None and node.kernel_version and host.system.kernel and node.kernel_version != host.system.kernel:
        note = f"the Node says {node.kernel_version}: the host was booted with another kernel since, or the document is another host's"
        return Evidence(f"Node {host.node}", "host system.kernel", host.system.kernel, note)
    age = seconds_between(host.taken_at, facts.snapshot.taken_at)
    if age is not None and age > OLD:
        return Evidence(f"Node {host.node}", "host taken_at", host.taken_at, f"{duration(age)} before the cluster was read ({host.where})")
    return None
