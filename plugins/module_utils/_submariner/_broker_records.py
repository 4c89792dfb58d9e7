# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Records of clusters that are no more: what an unclean removal or a join under another id leaves on the broker and on every member."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import overlap, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Endpoint
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._moments import moment


class StaleEndpoint(t.NamedTuple):
    """``stale`` should not be there, since ``alive`` stands for the same gateway or the same cluster; ``why`` says which."""

    stale: Endpoint
    alive: Endpoint
    why: str


def stale_endpoints(endpoints: t.Sequence[Endpoint], own_id: str, connected: t.Container[str] = ()) -> tuple[StaleEndpoint, ...]:
    """Endpoints of one namespace of which another one shows that they are dead.

    Two ids on one gateway (same hostname and private address) are a cluster that was joined again under another id. Two Endpoints of one id are a
    gateway that went without taking its Endpoint with it: a cluster has one active gateway and so one Endpoint (submariner pkg/controllers/
    datastoresyncer). Of two ids the own one lives, then one that a gateway is ``connected`` to; else the younger Endpoint does.

    Sites that were built alike have the same hostname and private address behind another public one each: those are two clusters that live. Where no
    public address is known, so is one with other subnets that a gateway is connected to.
    """
    found: list[StaleEndpoint] = []
    taken: set[str] = set()
    ordered = sorted(
        endpoints, key=lambda entry: (entry.cluster_id != own_id, entry.cluster_id not in connected, -(moment(entry.created) or 0.0), entry.ref.name)
    )
    for position, alive in enumerate(ordered):
        if alive.ref.name in taken:
            continue
        for other in ordered[position + 1 :]:
            why = "" if other.ref.name in taken else _why(alive, other, connected)
            if why:
                taken.add(other.ref.name)
                found.append(StaleEndpoint(other, alive, why))
    return tuple(found)


def _why(alive: Endpoint, other: Endpoint, connected: t.Container[str]) -> str:
    if alive.cluster_id == other.cluster_id:
        return f"{alive.cluster_id} has two Endpoints, and a cluster has one active gateway" if alive.hostname != other.hostname else ""
    same_gateway = alive.hostname and alive.hostname == other.hostname and alive.private_ip and alive.private_ip == other.private_ip
    if not same_gateway or _sites_alike(alive, other, connected):
        return ""
    return f"{other.cluster_id} and {alive.cluster_id} are both on gateway {alive.hostname} ({alive.private_ip})"


def _sites_alike(one: Endpoint, other: Endpoint, connected: t.Container[str]) -> bool:
    """True where two Endpoints that look like one gateway are of two: nobody makes both private addresses unique across sites."""
    if one.public_ip and other.public_ip:
        return one.public_ip != other.public_ip
    return other.cluster_id in connected and not list(overlap(parse_cidrs(one.subnets).networks, parse_cidrs(other.subnets).networks))
