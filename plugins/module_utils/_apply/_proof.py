# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Proving a join or a correction on the clusters' own state, not on the word of what carried it out."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._gateway_reports import Reports
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member, read_members
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import OK, Answer, Gateway, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cidr_correction import Wanted, steps, unconnected


def prove(local: Member, peers: t.Sequence[Member], snapshots: t.Sequence[Snapshot], wanted: Wanted, deadline: Deadline) -> None:
    """Wait for the connections in both directions, then read all clusters once more.

    :param snapshots: the local one, then the peers' in their order, as the correction left them.
    :raises SubmarinerError: when a connection does not come up in time, or something is left to do after all.
    """
    joined = [(member, snapshot) for member, snapshot in zip(peers, snapshots[1:]) if snapshot.submariner is not None]
    for member, snapshot in joined:
        _await_connection(local, snapshots[0], _announced(snapshot), deadline)
        _await_connection(member, snapshot, wanted, deadline)
    here, *others = read_members((local, *peers), deadline)
    left = steps(here, others, wanted)
    if left:
        raise SubmarinerError(f"{local.name}: after the repair something is left to do: {'; '.join(map(str, left))}")


def _announced(peer: Snapshot) -> Wanted:
    """A peer as it announces itself now; whether that is its truth is for its own repair to say."""
    return Wanted(peer.submariner.cluster_id, peer.submariner.status_cluster_cidr, peer.submariner.status_service_cidr)


def _await_connection(member: Member, snapshot: Snapshot, remote: Wanted, deadline: Deadline) -> None:
    reports = Reports()

    def missing(gateways: list[Gateway]) -> str:
        return unconnected(Snapshot(snapshot.cluster, "", "", submariners=snapshot.submariners, gateways=Answer(OK, tuple(gateways))), remote)

    try:
        wait_for(
            member.connection,
            f"/apis/submariner.io/v1/namespaces/{snapshot.submariner.ref.namespace}/gateways",
            lambda gateways: reports.judge(gateways, missing),
            deadline=deadline,
            what=f"{member.name}: the gateway to be connected to {remote.cluster_id}",
        )
    except TimedOutError as error:
        raise SubmarinerError(
            f"{error.message} The CIDRs are right now; what keeps the tunnel down is something else: UDP 4500 (or the natt_port), ESP "
            "and UDP 4490 between the gateways, or the health check's ping. Run the diagnose playbook."
        ) from error
