# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The whole run as one value: ordered findings, counts, outcome. Every output format is made from it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import FAIL, SEVERITIES, UNKNOWN, UNREADABLE, Finding

FORMAT = 1  # of result.json; grows when a reader of an older one could misread it

OUTCOME_OK = "ok"
OUTCOME_WARN = "warn"
OUTCOME_UNKNOWN = "unknown"
OUTCOME_FAIL = "fail"
NEVER = "never"


@dataclass(frozen=True)
class ClusterResult:
    """What one cluster contributed. ``facts`` are a few short words for the head of a report (versions)."""

    name: str
    facts: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    clusters: tuple[ClusterResult, ...]
    findings: tuple[Finding, ...]
    clusterset_passed: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.verdict == FAIL)

    @property
    def unknown(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.verdict == UNKNOWN)

    def of_cluster(self, name: str) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.cluster == name)


def ordered(findings: t.Iterable[Finding]) -> tuple[Finding, ...]:
    """What must be read first comes first: failures by severity, causes before their consequences, then what is unknown."""
    return tuple(
        sorted(
            findings,
            key=lambda finding: (
                finding.verdict != FAIL,
                -SEVERITIES.index(finding.severity),
                bool(finding.caused_by),
                finding.cluster,
                finding.id,
                finding.subject,
            ),
        )
    )


def summary(report: Report) -> dict[str, int]:
    """Counts by severity of what failed, and of clusters, passed checks and unknown verdicts."""
    counts = {severity: sum(finding.severity == severity for finding in report.failed) for severity in SEVERITIES}
    return {
        "clusters": len(report.clusters),
        **counts,
        "unknown": len(report.unknown),
        "passed": sum(len(cluster.passed) for cluster in report.clusters) + len(report.clusterset_passed),
    }


def outcome(report: Report) -> str:
    """``fail`` for an error or blocker, ``unknown`` where something that matters could not be judged, ``warn``, else ``ok``.

    It does not depend on ``fail_on``: that decides what the user's pipeline does about it.
    """
    if any(finding.severity in ("error", "blocker") for finding in report.failed):
        return OUTCOME_FAIL
    if any(finding.severity != "info" for finding in report.unknown):
        return OUTCOME_UNKNOWN
    if any(finding.severity == "warning" for finding in report.failed):
        return OUTCOME_WARN
    return OUTCOME_OK


def failed_by(report: Report, *, fail_on: str, fail_on_unknown: bool) -> tuple[Finding, ...]:
    """The findings for which the run should end in failure.

    A cluster that could not be read at all counts even without ``fail_on_unknown``: nothing was diagnosed there.
    """
    if fail_on == NEVER:
        return ()
    least = SEVERITIES.index(fail_on)
    return tuple(
        finding
        for finding in report.findings
        if SEVERITIES.index(finding.severity) >= least and (finding.verdict == FAIL or fail_on_unknown or finding.id == UNREADABLE)
    )


def to_dict(report: Report, *, generated_at: str) -> dict[str, t.Any]:
    """``result.json``: plain JSON types, the same keys in every run."""
    return {
        "format": FORMAT,
        "generated_at": generated_at,
        "outcome": outcome(report),
        "summary": summary(report),
        "clusters": [{"name": cluster.name, "facts": list(cluster.facts), "passed": list(cluster.passed)} for cluster in report.clusters],
        "clusterset": {"passed": list(report.clusterset_passed)},
        "findings": [finding.to_dict() for finding in report.findings],
    }
