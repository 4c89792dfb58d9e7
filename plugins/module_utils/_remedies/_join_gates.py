# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What must hold before ``subctl join`` runs: a join that ends with exit code 0 and no traffic is worse than none."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_cluster, select
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import FAIL, UNKNOWN
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._detection import would_detect

GATES = ("kube-proxy-mode",)
_SERIOUS = ("error", "blocker")


def require_joinable(snapshot: Snapshot, version: str, forced: bool) -> list[str]:
    """Refuse a cluster on which this Submariner cannot work; return what could not be judged, and what was forced, as warnings.

    :param version: of the Submariner that would be deployed; "" where it is not known.
    :param forced: the user's ``ignore_requirements``.
    :raises RefusedError: naming what stands in the way.
    """
    facts = Facts.of(snapshot)
    findings = judge_cluster(facts, select(CHECKS, GATES)).findings
    failed = [finding for finding in findings if finding.verdict == FAIL and finding.severity in _SERIOUS]
    obstacles = [f"{finding.title}{'. ' + finding.remedy.text if finding.remedy else ''}" for finding in failed]
    fatal = would_detect(snapshot, version, facts.truth).fatal if version else ""
    if fatal:
        obstacles.append(
            f"Submariner {version} cannot discover this cluster's network, which is fatal even with explicit CIDRs: {fatal}. Join with 0.21.1 or newer"
        )
    if obstacles and not forced:
        raise RefusedError(f"{snapshot.cluster}: {'; '.join(obstacles)}. Nothing was written. ignore_requirements=true joins nevertheless.")
    return [f"{snapshot.cluster}: {entry}" for entry in obstacles] + [
        f"{snapshot.cluster}: {finding.title}: not judged, {finding.missing}" for finding in findings if finding.verdict == UNKNOWN
    ]
