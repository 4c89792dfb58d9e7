# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Remedies on the nodes' own hosts: roles that run on group ``submariner_nodes`` and not on a cluster, so that a plan hands them to a person, ready to run."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_role

GROUP = "submariner_nodes"
MOST_NODES = 20  # in one command
_MOST_COMMANDS = 5


def on_nodes(
    cluster: str, role: str, nodes: t.Sequence[str], text: str, variables: t.Mapping[str, t.Any] | None = None, *, disruptive: bool = False
) -> Remedy:
    """A role that repairs hosts.

    A command is limited to hosts by name, since the group holds those of every cluster, and consent to an interruption is for whoever runs it to give.

    :param cluster: of the nodes. :param role: its short name, such as ``node_modules``.
    :param nodes: names of the Nodes; an inventory whose hosts have other names says so in ``submariner_node_name``, and the command is to be limited to them.
    """
    extra = f" -e '{json.dumps(dict(variables))}'" if variables else ""
    batches = [nodes[start : start + MOST_NODES] for start in range(0, len(nodes), MOST_NODES)]
    commands = [f"ansible {GROUP} -l {','.join(batch)} -m ansible.builtin.include_role -a name=fathom.submariner.{role}{extra}" for batch in batches]
    told = "; then ".join(commands[:_MOST_COMMANDS])
    left = len(nodes) - _MOST_COMMANDS * MOST_NODES
    more = f"; then the other {left}, {MOST_NODES} at a time" if left > 0 else ""
    consent = " It can interrupt traffic, so it is refused without -e submariner_allow_disruption=true." if disruptive else ""
    few = f"{','.join(nodes[:MOST_NODES])}{f' and {len(nodes) - MOST_NODES} more' if len(nodes) > MOST_NODES else ''}"
    return by_role(
        role,
        f"{text} On the hosts of these nodes of cluster {cluster}: {told}{more}{'.' if consent else ''}{consent}",
        variables,
        target=f"hosts of group {GROUP}, cluster {cluster}: {few}",
        disruptive=disruptive,
    )
