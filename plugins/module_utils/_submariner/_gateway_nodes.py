# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which node becomes the gateway. subctl would ask a person, or label none where all nodes are control-plane nodes."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node, Snapshot

GATEWAY_LABEL = "submariner.io/gateway"
_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


def nodes_to_label(snapshot: Snapshot, asked: t.Sequence[str]) -> tuple[str, ...]:
    """Names of the nodes that must get the gateway label; () where the labels are already as asked.

    Without ``asked``, labels that exist are kept; where none does, the first Ready worker by name is taken, or the first Ready
    control-plane node on clusters that have no other (single-node RKE2, say).

    :raises InputError: when an asked node does not exist or is not Ready.
    :raises RefusedError: when nodes could not be listed, or none is Ready.
    """
    if not snapshot.nodes.ok:
        raise RefusedError(
            f"{snapshot.cluster}: nodes could not be listed ({snapshot.nodes.where}: {snapshot.nodes.state}, {snapshot.nodes.detail}), "
            "so no gateway node can be chosen. Nothing was written."
        )
    nodes = {node.ref.name: node for node in snapshot.nodes.items}
    labelled = {name for name, node in nodes.items() if node.labels.get(GATEWAY_LABEL) == "true"}
    if asked:
        for name in asked:
            _require_fit(snapshot.cluster, nodes, name)
        return tuple(name for name in asked if name not in labelled)
    if labelled:
        return ()
    ready = sorted((node for node in nodes.values() if node.ready), key=lambda node: (_is_control_plane(node), node.ref.name))
    if not ready:
        names = ", ".join(sorted(nodes)) or "(there are none)"
        raise RefusedError(f"{snapshot.cluster}: none of the nodes {names} is Ready, so none can be the gateway. Nothing was written.")
    return (ready[0].ref.name,)


def _require_fit(cluster: str, nodes: t.Mapping[str, Node], name: str) -> None:
    if name not in nodes:
        raise InputError(f"{cluster}: gateway_nodes names {name!r}, and there is no such node. Nodes: {', '.join(sorted(nodes))}. Nothing was written.")
    if not nodes[name].ready:
        raise InputError(f"{cluster}: gateway_nodes names {name!r}, which is not Ready. Nothing was written.")


def _is_control_plane(node: Node) -> bool:
    return any(label in node.labels for label in _CONTROL_PLANE)
