# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How long a step interrupts traffic, in seconds, and from which terms: an estimate, said to be one, before the user agrees to it."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _order as order


class Size(t.NamedTuple):
    """Of a cluster: how many nodes and peers it has; 0 where that is not known."""

    nodes: int = 0
    gateways: int = 0
    peers: int = 0


class Outage(t.NamedTuple):
    seconds: int
    source: str  # "facts: ..." as the remedy's module counted it, or "estimate: ..." with its terms

    def to_dict(self) -> dict[str, t.Any]:
        return {"seconds": self.seconds, "source": self.source}


# Seconds. A gateway pod that is replaced starts, charges its IPsec connections and is pinged again: submariner's default health check interval is
# 1 s with 5 losses allowed (submariner pkg/cableengine/healthchecker), the rest is the pod's start.
_GATEWAY = 30
_AGENT = 10  # until the new route agent has programmed its node; established flows mostly go on, since routes stay when the old one ends
_NODE = 15  # until Felix of a new calico-node has programmed its node again
_NONE = Outage(0, "estimate: interrupts nothing")


def estimate(kind: str, size: Size, *, disruptive: bool) -> Outage:
    """The outage of a step, for cross-cluster traffic of the whole cluster where gateways restart, else of a node at a time.

    :param disruptive: whether the remedy says that it interrupts traffic.
    """
    if not disruptive:
        return _NONE
    if kind == order.JOIN:
        gateways = max(1, size.gateways) + size.peers
        return Outage(gateways * _GATEWAY, f"estimate: {gateways} gateway restarts here and on {size.peers} peers, {_GATEWAY} s each, one after the other")
    if kind == order.AGENTS:
        return Outage(max(1, size.nodes) * _AGENT, f"estimate: at most {max(1, size.nodes)} route agents, {_AGENT} s each, a node at a time")
    if order.KINDS[kind].rolls_out:
        return Outage(max(1, size.nodes) * _NODE, f"estimate: calico-node on {max(1, size.nodes)} nodes, {_NODE} s each, a node at a time")
    return Outage(_AGENT, f"estimate: {_AGENT} s while the pods that use it follow")
