# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The whole run as one value: ordered findings, counts, outcome. Every output format is made from it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import FAIL, NEW, SEVERITIES, UNKNOWN, UNREADABLE, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._report._subctl_comparison import SubctlComparison

FORMAT = 1  # of result.json; grows when a reader of an older one could misread it
SCHEMA = "https://github.com/fathom-ansible/fathom.submariner/blob/main/docs/result-1.schema.json"
CLUSTERSET = "clusterset"  # stands for the cluster in what concerns all of them

OUTCOME_OK = "ok"
OUTCOME_WARN = "warn"
OUTCOME_UNKNOWN = "unknown"
OUTCOME_FAIL = "fail"
OUTCOMES = (OUTCOME_OK, OUTCOME_WARN, OUTCOME_FAIL, OUTCOME_UNKNOWN)
NEVER = "never"
MOST_ARTIFACTS = 100  # keys in failed_by of the artifacts: AWX makes extra variables of them


@dataclass(frozen=True)
class ClusterResult:
    """What one cluster contributed.

    ``facts`` are a few short words for the head of a report (versions). ``cidrs`` and ``details`` are those of module diagnose, plain JSON; {} where
    the cluster could not be read.
    """

    name: str
    facts: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    card: Card | None = None
    cidrs: t.Mapping[str, t.Any] = field(default_factory=dict)
    details: t.Mapping[str, t.Any] = field(default_factory=dict)


class Gone(t.NamedTuple):
    """A finding of the earlier report that is not in this one. ``judged`` is False where its check did not judge this time: that is no repair."""

    id: str
    cluster: str
    severity: str
    subject: str
    title: str
    judged: bool


@dataclass(frozen=True)
class Comparison:
    """With an earlier report: when that was made, and what is gone since. What is new or persisting says so in its ``trend``."""

    since: str  # RFC 3339
    gone: tuple[Gone, ...] = ()

    @property
    def fixed(self) -> tuple[Gone, ...]:
        return tuple(entry for entry in self.gone if entry.judged)

    @property
    def unclear(self) -> tuple[Gone, ...]:
        return tuple(entry for entry in self.gone if not entry.judged)


@dataclass(frozen=True)
class Report:
    """``notes`` are remarks on the run itself, such as waivers that matched nothing; ``subctl`` is what ``subctl diagnose`` said, beside ours."""

    clusters: tuple[ClusterResult, ...]
    findings: tuple[Finding, ...]
    clusterset_passed: tuple[str, ...] = ()
    comparison: Comparison | None = None
    notes: tuple[str, ...] = ()
    subctl: tuple[SubctlComparison, ...] = ()

    @property
    def failed(self) -> tuple[Finding, ...]:
        """What is wrong, less what is waived."""
        return tuple(finding for finding in self.findings if finding.verdict == FAIL and not finding.waived)

    @property
    def unknown(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.verdict == UNKNOWN and not finding.waived)

    @property
    def waived(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.waived)

    def causes(self) -> tuple[tuple[Finding, tuple[Finding, ...]], ...]:
        """What failed for itself, each with what follows from it. A finding whose cause is not in this report stands for itself."""
        present = {finding.key for finding in self.failed}
        following: dict[str, list[Finding]] = {}
        for finding in self.failed:
            if finding.caused_by in present:
                following.setdefault(finding.caused_by, []).append(finding)
        return tuple((finding, tuple(following.get(finding.key, ()))) for finding in self.failed if finding.caused_by not in present)

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
    """Counts by severity of what failed, and of clusters, passed checks, unknown verdicts and waived findings.

    ``new`` and ``fixed`` count against the earlier report; both are 0 where there is none.
    """
    counts = {severity: sum(finding.severity == severity for finding in report.failed) for severity in SEVERITIES}
    return {
        "clusters": len(report.clusters),
        **counts,
        "unknown": len(report.unknown),
        "passed": sum(len(cluster.passed) for cluster in report.clusters) + len(report.clusterset_passed),
        "waived": len(report.waived),
        "new": sum(finding.trend == NEW for finding in report.failed),
        "fixed": len(report.comparison.fixed) if report.comparison else 0,
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

    A cluster that could not be read at all counts even without ``fail_on_unknown``: nothing was diagnosed there. What is waived does not count.
    """
    if fail_on == NEVER:
        return ()
    least = SEVERITIES.index(fail_on)
    return tuple(
        finding
        for finding in report.findings
        if SEVERITIES.index(finding.severity) >= least and not finding.waived and (finding.verdict == FAIL or fail_on_unknown or finding.id == UNREADABLE)
    )


def worst(report: Report, cluster: str) -> str:
    """A cluster's verdict in one word: the worst severity that failed there, ``unread``, ``unknown``, or ``ok``."""
    found = [finding for finding in report.of_cluster(cluster) if not finding.waived]
    if any(finding.id == UNREADABLE for finding in found):
        return "unread"
    failed = [SEVERITIES.index(finding.severity) for finding in found if finding.verdict == FAIL]
    if failed:
        return SEVERITIES[max(failed)]
    return "unknown" if found else "ok"


def missing_groups(report: Report) -> list[tuple[str, str, list[str]]]:
    """Cluster, what was missing there, and the ids of all checks that could not be judged without it. A check that lacks two lists stands with both."""
    groups: dict[tuple[str, str], set[str]] = {}
    for finding in report.unknown:
        reasons = finding.missing.split("; ")
        # The engine joins the reasons of several lists like this; any other text with a semicolon is one reason.
        if not all("could not be read" in reason for reason in reasons):
            reasons = [finding.missing or finding.title]
        for reason in reasons:
            groups.setdefault((finding.cluster, reason), set()).add(finding.id)
    return [(cluster, reason, sorted(ids)) for (cluster, reason), ids in groups.items()]


def artifacts(report: Report, fails: t.Sequence[Finding]) -> dict[str, t.Any]:
    """What the next job of a workflow must know: counts and names, small whatever was found, and nothing that could be a secret."""
    keys = list(dict.fromkeys(finding.key for finding in fails))
    clusters = {
        cluster.name: {
            "verdict": worst(report, cluster.name),
            **{severity: sum(finding.severity == severity for finding in report.failed if finding.cluster == cluster.name) for severity in SEVERITIES},
            "unknown": sum(finding.cluster == cluster.name for finding in report.unknown),
            "passed": len(cluster.passed),
        }
        for cluster in report.clusters
    }
    return {"outcome": outcome(report), "summary": summary(report), "failed_by": keys[:MOST_ARTIFACTS], "clusters": clusters}


def to_dict(report: Report, *, generated_at: str) -> dict[str, t.Any]:
    """``result.json``: plain JSON types, the same keys in every run; docs/result-1.schema.json describes them."""
    comparison = report.comparison
    return {
        "$schema": SCHEMA,
        "format": FORMAT,
        "generated_at": generated_at,
        "outcome": outcome(report),
        "summary": summary(report),
        "clusters": [
            {
                "name": cluster.name,
                "verdict": worst(report, cluster.name),
                "facts": list(cluster.facts),
                "passed": list(cluster.passed),
                "cidrs": dict(cluster.cidrs),
                "details": dict(cluster.details),
            }
            for cluster in report.clusters
        ],
        "clusterset": {"passed": list(report.clusterset_passed)},
        "findings": [finding.to_dict() for finding in report.findings],
        "comparison": None if comparison is None else {"since": comparison.since, "gone": [entry._asdict() for entry in comparison.gone]},
        "notes": list(report.notes),
        "subctl": [{**row._asdict(), "ours": list(row.ours)} for row in report.subctl],
    }
