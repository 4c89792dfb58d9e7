# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The true CIDRs of a cluster, from its snapshot, in one call."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._calico._cidr_sources import Stated, collect_cidr_evidence
from ansible_collections.fathom.submariner.plugins.module_utils._calico._reality import pod_reality, service_reality
from ansible_collections.fathom.submariner.plugins.module_utils._network._verdict import CidrTruth, judge
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot


def cidr_truth(snapshot: Snapshot, stated: Stated | None = None) -> CidrTruth:
    """Collect the evidence and judge it against the addresses in use.

    :param stated: what the user says, by subject (``pod``, ``service``); nothing by default.
    """
    return judge(collect_cidr_evidence(snapshot, stated), pod_reality(snapshot), service_reality(snapshot))
