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


def on_nodes(role: str, nodes: t.Sequence[str], text: str, variables: t.Mapping[str, t.Any] | None = None, *, disruptive: bool = False) -> Remedy:
    """A role that repairs hosts.

    :param role: its short name, such as ``node_modules``.
    :param nodes: names of the Nodes; an inventory whose hosts have other names says so in ``submariner_node_name``, and the command is to be limited to them.
    """
    limit = ",".join(nodes) if len(nodes) <= MOST_NODES else GROUP
    given = {**(variables or {}), **({"submariner_allow_disruption": True} if disruptive else {})}
    extra = f" -e '{json.dumps(given)}'" if given else ""
    command = f"ansible {GROUP} -l {limit} -m ansible.builtin.include_role -a name=fathom.submariner.{role}{extra}"
    return by_role(role, f"{text} On the nodes' hosts: {command}", variables, target=f"hosts of group {GROUP}: {limit}", disruptive=disruptive)
