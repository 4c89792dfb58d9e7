# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a removal or a re-join of Submariner leaves behind."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand


@check(
    "uninstall-left-running",
    title="No clean-up of an earlier Submariner is still running",
    severity="warning",
    needs=("daemon_sets", "submariners"),
    references=("submariner-operator pkg/uninstall",),
)
def uninstall_left_running(facts: Facts) -> t.Iterator[Problem]:
    """A ``submariner-*-uninstall`` DaemonSet beside a Submariner that is not being deleted.

    The operator runs its clean-up twice on a re-join, and when the object disappears between the two, the second round's DaemonSets, which nobody
    owns, stay. Whenever one of their pods starts on a node, it deletes the Endpoint, the pools and the links of the new installation.
    """
    submariner = facts.snapshot.submariner
    if submariner is not None and submariner.deleting:
        return
    for daemon_set in facts.snapshot.daemon_sets.items:
        if daemon_set.ref.name.startswith("submariner-") and daemon_set.ref.name.endswith("-uninstall"):
            yield Problem(
                subject=str(daemon_set.ref),
                title=f"The clean-up {daemon_set.ref.name} of an earlier Submariner is still there",
                evidence=(Evidence(str(daemon_set.ref), "status.desiredNumberScheduled", str(daemon_set.desired), "no Submariner is being deleted"),),
                impact="When one of its pods starts (a reboot, a new node), it removes Endpoint, IPPools and interfaces of the running installation.",
                remedy=by_hand(f"kubectl -n {daemon_set.ref.namespace} delete daemonset {daemon_set.ref.name}"),
            )
