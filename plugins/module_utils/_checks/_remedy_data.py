# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Remedies as data, in one place: what the checks propose is what the roles take."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, pinnable
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD, SERVICE

JOIN_ROLE = "fathom.submariner.join"
TARGET = "Submariner submariner-operator/submariner spec.clusterCIDR, spec.serviceCIDR"


def correct_cidrs(facts: Facts, text: str = "") -> Remedy:
    """Pin the true CIDRs in Submariner's spec, restart what runs with the old ones, here and on every peer.

    A range that is not agreed is not proposed: the role then refuses instead of pinning a guess.
    """
    ranges = [[str(network) for network in facts.truth.networks(subject)] for subject in (POD, SERVICE)]
    cluster_id = facts.submariner.cluster_id if facts.joined else ""
    return pin_cidrs(cluster_id, ranges[0], ranges[1], text=text)


def pin_cidrs(cluster_id: str, pods: t.Iterable[str], services: t.Iterable[str], *, text: str = "", cluster: str = "") -> Remedy:
    """The role that joins and corrects, with the variables that it needs.

    :param cluster_id: Submariner's id of the cluster, "" where it has none yet.
    :param cluster: the inventory's name of the cluster whose CIDRs they are, where the finding is another cluster's.
    """
    variables = {"join_cluster_id": cluster_id, "join_cluster_cidr": pinnable(pods), "join_service_cidr": pinnable(services)}
    return Remedy(
        text=text
        or "Pin the true CIDRs in the Submariner object, then restart its gateway and route agents here and on every peer, stale pools first.",
        role=JOIN_ROLE,
        variables={**{name: value for name, value in variables.items() if value}, "join_correction": "patch"},
        disruptive=True,
        target=TARGET,
        cluster=cluster,
    )


def by_hand(text: str, target: str = "", *, disruptive: bool = False) -> Remedy:
    """A person must act, as ``text`` says.

    :param target: the object in which the change lasts, "" where there is none.
    """
    return Remedy(text=text, target=target, disruptive=disruptive)


def by_role(role: str, text: str, variables: t.Mapping[str, t.Any] | None = None, *, target: str = "", disruptive: bool = False, cluster: str = "") -> Remedy:
    """A role of this collection does it.

    :param role: its short name, such as ``remote_ippools``.
    :param variables: what the role cannot find out by itself, with the role's prefix.
    :param target: the object in which the change lasts.
    :param cluster: the inventory's name of the cluster that is written to, where that is not the finding's own.
    """
    return Remedy(
        text=text, role=f"fathom.submariner.{role}", variables=dict(variables or {}), disruptive=disruptive, target=target, cluster=cluster
    )
