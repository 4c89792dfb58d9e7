# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What must hold before ``subctl join`` runs: a join that ends with exit code 0 and no traffic is worse than none."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_cluster, select
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import FAIL, UNKNOWN, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._detection import would_detect
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import NFTABLES_NO_SNAT

PROXY, API_SERVER = "kube-proxy-mode", "calico-api-unavailable"
GATES = (PROXY, API_SERVER, "calico-ebpf", "autodetection-picks-submariner")
_SERIOUS = ("error", "blocker")


def require_joinable(snapshot: Snapshot, version: str, forced: bool, check_mode: bool = False) -> list[str]:
    """Refuse a cluster on which this Submariner cannot work; return what could not be judged, what was forced, and what bears watching, as warnings.

    :param version: of the Submariner that would be deployed; "" where it is not known.
    :param forced: the user's ``ignore_requirements``.
    :param check_mode: Calico's API server need not be there yet: an earlier step of the same plan may be what installs it.
    :raises RefusedError: naming what stands in the way.
    """
    facts = Facts.of(snapshot)
    findings = judge_cluster(facts, select(CHECKS, GATES)).findings
    obstacles: list[str] = []
    remarks: list[str] = []
    for finding in findings:
        told = _told(finding)
        stands = _stands_in_the_way(finding, facts, version) if finding.verdict == FAIL else False
        if stands and check_mode and finding.id == API_SERVER:
            remarks.append(f"{told} Until then, the real run is refused")
        elif stands:
            obstacles.append(told)
        elif stands is None and finding.severity != "info":
            remarks.append(told)
    fatal = would_detect(snapshot, version, facts.truth).fatal if version else ""
    if fatal:
        obstacles.append(
            f"Submariner {version} cannot discover this cluster's network, which is fatal even with explicit CIDRs: {fatal}. Join with 0.21.1 or newer"
        )
    if obstacles and not forced:
        why = "; ".join(each.rstrip(".") for each in obstacles)
        raise RefusedError(f"{snapshot.cluster}: {why}. Nothing was written. ignore_requirements=true joins nevertheless.")
    return [f"{snapshot.cluster}: {entry}" for entry in (*obstacles, *remarks)] + [
        f"{snapshot.cluster}: {finding.title}: not judged, {finding.missing}" for finding in findings if finding.verdict == UNKNOWN
    ]


def _told(finding: Finding) -> str:
    remedy = finding.remedy
    return finding.title if remedy is None else f"{finding.title}. {remedy.text}{f' Role {remedy.role} does it.' if remedy.role else ''}"


def _stands_in_the_way(finding: Finding, facts: Facts, version: str) -> bool | None:
    """None where it bears watching; False where this Submariner copes with it."""
    if finding.severity in _SERIOUS or (finding.id == API_SERVER and not facts.joined):
        return True  # without the API server a warning: nobody needs a pool before the join, which is what needs them
    if finding.id == PROXY:
        handled = NFTABLES_NO_SNAT.holds_in(version)
        return None if handled is None else not handled
    return None
