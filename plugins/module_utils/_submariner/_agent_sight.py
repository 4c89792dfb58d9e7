# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether a route agent sees the interface of Calico that it looks for when it starts, and whether there is one to be seen.

What counts is the agent's own word. Its log tells for certain: an agent says that it gave up, and it says that its handlers stand only after the search
is over (submariner pkg/event/registry.go, pkg/routeagent_driver/handlers/kubeproxy/kp_packetfilter.go: the search is part of the first handler's Init).
Since 0.19 its RouteAgent object tells that pings from the node to other clusters come back, which they do not without that interface; on the gateway's own
node, without a health check, and before 0.19 that object tells nothing. What cannot be read is unknown, and proves nothing.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_addresses import tunnel_addresses
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import holds, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node, RouteAgent
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cni_discovery import GAVE_UP, WAITING, discovery_in

SEES = "sees"
BLIND = "blind"
SEARCHING = "searching"
UNKNOWN = "unknown"

# Written after the first handler, the one that searches, stands: by the registry, and when all do.
_PAST_THE_SEARCH = ('Event handler "', "Starting the Event controller")
_FIRST = "submariner-route-agent"  # its name stands in the first two lines (submariner pkg/routeagent_driver/main.go)
_SHOWN = 160  # characters of a log line


class Sight(t.NamedTuple):
    """:param why: what shows it, in words."""

    state: str
    why: str


def sight_in_log(lines: t.Sequence[str]) -> Sight:
    """What the log of one run of an agent, from its beginning, shows."""
    found = discovery_in(lines)
    if found.state == GAVE_UP:
        return Sight(BLIND, f"its log: {found.line[:_SHOWN]}")
    passed = next((line.strip() for line in lines if any(part in line for part in _PAST_THE_SEARCH)), "")
    if passed:
        return Sight(SEES, f"its log has no failed search before: {passed[:_SHOWN]}")
    if found.state == WAITING:
        return Sight(SEARCHING, f"its log: {found.line[:_SHOWN]}")
    return Sight(SEARCHING, "its log does not tell yet that its handlers stand")


def begins_at_the_start(lines: t.Sequence[str]) -> bool:
    """Whether a log still has its beginning; an old one has been cut there, and its silence is no sign that the search goes on."""
    return not lines or any(_FIRST in line for line in lines[:50])


def sight_in_report(agent: RouteAgent | None, connected: t.Container[str]) -> Sight:
    """What a RouteAgent object that was written by this run of the agent shows.

    :param connected: clusters that the active gateway is connected to; a failed ping to another one tells nothing of the agent.
    """
    if agent is None:
        return Sight(UNKNOWN, "there is no RouteAgent object of its node")
    for remote in agent.remote_endpoints:
        if remote.status == "connected":
            return Sight(SEES, f"{agent.ref} reports that {remote.cluster_id} answers its pings")
    for remote in agent.remote_endpoints:
        if remote.status == "error" and remote.cluster_id in connected:
            return Sight(BLIND, f"{agent.ref} reports an error for {remote.cluster_id}, to which the gateway is connected: {remote.message}")
    return Sight(UNKNOWN, f"{agent.ref} reports no ping")


def tunnel_address(node: Node, cidrs: str) -> str:
    """The address of one of Calico's tunnel devices on a node that a route agent would find there; "" where there is none.

    The agent takes the first interface with an address inside the cluster CIDR that it was told (submariner pkg/cni/cni_iface.go), and knows IPv4 alone.

    :param cidrs: that range, a comma list where there are several.
    """
    networks = parse_cidrs(cidrs).of("ipv4")
    return next((entry.value for entry in tunnel_addresses([node]) if entry.address is not None and holds(networks, entry.address)), "")


def why_in_vain(node: Node | None, name: str, cidrs: str) -> str:
    """Why an agent that starts on a node now would find nothing there, with what to do about it; "" where it would find Calico's interface.

    :param name: of the node, for one that is gone.
    """
    if node is None:
        return f"there is no Node {name}"
    if not node.ready:
        return f"Node {name} is not Ready"
    if tunnel_address(node, cidrs):
        return ""
    others = [f"{entry.annotation}={entry.value}" for entry in tunnel_addresses([node])]
    if others:
        return (
            f"Node {name} has {', '.join(others)}, which is not in the cluster CIDR {cidrs or '(none)'} that Submariner goes by: correct that first "
            "(role fathom.submariner.join)"
        )
    return (
        f"Node {name} has no address on a tunnel of Calico yet (annotations projectcalico.org/IPv4VXLANTunnelAddr, IPv4IPIPTunnelAddr): calico-node has not "
        "come up there, or no IPPool encapsulates"
    )
