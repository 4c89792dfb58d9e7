# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Verdicts on nodes for people, and for role calico_node_placement."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_fitness import FIT, UNFIT, UNKNOWN, Fitness
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import EXCLUDE


def placement(found: t.Iterable[Fitness]) -> dict[str, dict[str, t.Any]]:
    """By cluster, the variables of role calico_node_placement that keep calico-node off the nodes that cannot run it."""
    nodes: dict[str, list[str]] = {}
    for entry in found:
        if entry.keep_calico_off:
            nodes.setdefault(entry.cluster, []).append(entry.node)
    return {
        cluster: {"calico_node_placement_nodes": names, "calico_node_placement_mode": EXCLUDE, "calico_node_placement_state": "present"}
        for cluster, names in nodes.items()
    }


def lines(found: t.Sequence[Fitness]) -> list[str]:
    """A line a node, with a line for each reason below it; fit nodes without remarks in one line together."""
    made = []
    plain = [entry.node for entry in found if entry.verdict == FIT and not entry.reasons]
    for entry in found:
        if entry.node in plain and entry.verdict == FIT and not entry.reasons:
            continue
        made.append(f"{entry.node}{f' of {entry.cluster}' if entry.cluster else ''}: {entry.verdict}")
        for reason in entry.reasons:
            repair = f"; role {reason.role} repairs it" if reason.role else "; keep calico-node off it" if reason.calico else ""
            said = f" ({reason.note})" if reason.note else ""
            made.append(f"  {reason.severity}: {reason.what}{said}{repair}")
        if entry.unknown and entry.verdict in (UNKNOWN, UNFIT):
            made += [f"  not known: {why}" for why in entry.unknown]
    if plain:
        made.append(f"fit: {', '.join(plain)}")
    return made
