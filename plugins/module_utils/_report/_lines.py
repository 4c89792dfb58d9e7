# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The last screen: plain lines for a terminal of 80 columns, without colour, readable from top to bottom."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import SEVERITIES, UNREADABLE, Evidence, Finding, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import (
    OUTCOME_FAIL,
    OUTCOME_OK,
    OUTCOME_UNKNOWN,
    Report,
    outcome,
    summary,
)
from ansible_collections.fathom.submariner.plugins.module_utils._report._text import WIDTH, harmless, table, wrapped

RULE = "-" * WIDTH
INDENT = "   "
MOST_VALUE = 18  # columns of the evidence's first column: an IPv4 CIDR


def lines(report: Report) -> list[str]:
    """The whole screen, in lines of at most 80 columns save for single longer words.

    Consequences stand in one line each under the finding that they follow from.
    """
    present = {finding.key for finding in report.failed}
    roots = [finding for finding in report.failed if finding.caused_by not in present]
    result = [_headline(report), RULE, *_clusters(report)]
    for number, finding in enumerate(roots, 1):
        consequences = [other for other in report.failed if other.caused_by == finding.key and other is not finding]
        result += ["", *_finding_lines(number, finding, consequences)]
    result += _unknown_lines(report.unknown)
    return [*result, RULE, *wrapped(_closing(report))]


def _headline(report: Report) -> str:
    counts = summary(report)
    parts = [_count(counts[severity], severity) for severity in reversed(SEVERITIES) if counts[severity]]
    unread = sum(finding.id == UNREADABLE for finding in report.unknown)
    if unread:
        parts.insert(0, f"{_count(unread, 'cluster')} could not be read")
    if counts["unknown"]:
        parts.append(f"{counts['unknown']} not judged")
    return f"{_count(counts['clusters'], 'cluster')}: {', '.join(parts) or 'nothing found'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 or noun == "info" else f"{number} {noun}s"


def _clusters(report: Report) -> list[str]:
    rows = []
    for cluster in report.clusters:
        found = report.of_cluster(cluster.name)
        worst = max((SEVERITIES.index(finding.severity) for finding in found if finding in report.failed), default=-1)
        verdict = SEVERITIES[worst].upper() if worst >= 0 else "UNKNOWN" if found else "ok"
        if any(finding.id == UNREADABLE for finding in found):
            verdict = "NOT READ"
        rows.append((verdict, harmless(cluster.name), harmless(", ".join(cluster.facts))))
    return table(rows)


def _finding_lines(number: int, finding: Finding, consequences: t.Sequence[Finding]) -> list[str]:
    head = f"{number}. {finding.severity.upper()}  {harmless(finding.cluster)}  {harmless(finding.id)}"
    result = [head, *wrapped(harmless(finding.title), indent=INDENT), *wrapped(harmless(finding.subject), indent=INDENT)]
    result += ["", *_evidence_lines(finding.evidence)] if finding.evidence else []
    if finding.impact:
        result += ["", *wrapped(harmless(finding.impact), indent=INDENT + " " * 9, first=INDENT + "Breaks:  ")]
    for consequence in consequences:
        text = f"{harmless(consequence.cluster)}: {harmless(consequence.title)}"
        result += wrapped(text, indent=INDENT + " " * 9, first=INDENT + "Follows: ")
    if finding.remedy is not None:
        result += _remedy_lines(finding.remedy)
    if finding.references:
        result += wrapped(harmless(", ".join(finding.references)), indent=INDENT + " " * 9, first=INDENT + "See:     ")
    return result


def _evidence_lines(evidence: t.Sequence[Evidence]) -> list[str]:
    """Value, then where it was read and what it means. What is the same as in the row above is not said again."""
    values = [harmless(entry.value) or '""' for entry in evidence]
    wide = min(max(map(len, values)), MOST_VALUE)
    indent = INDENT + " " * (wide + 2)
    result: list[str] = []
    above = ("", "")
    for value, entry in zip(values, evidence):
        note = harmless(entry.note)
        place = " ".join(part for part in (harmless(entry.object), harmless(entry.field)) if part)
        said_again = (value, note) == above
        above = (value, note)
        text = place if said_again or not note else f"{place} ({note})"
        if len(value) > wide:
            result.append(INDENT + value)
            result += wrapped(text, indent=indent)
        else:
            result += wrapped(text, indent=indent, first=INDENT + ("" if said_again else value).ljust(wide) + "  ")
    return result


def _remedy_lines(remedy: Remedy) -> list[str]:
    disruptive = " Interrupts cross-cluster traffic: needs submariner_allow_disruption." if remedy.disruptive else ""
    result = wrapped(harmless(remedy.text) + disruptive, indent=INDENT + " " * 9, first=INDENT + "Repair:  ")
    if remedy.role:
        result.append(f"{INDENT}         role {harmless(remedy.role)}")
        result += [f"{INDENT}           {harmless(name)}: {harmless(value)}" for name, value in sorted(remedy.variables.items())]
    if remedy.target:
        result += wrapped(f"writes {harmless(remedy.target)}", indent=INDENT + " " * 11, first=INDENT + " " * 9)
    return result


def _unknown_lines(unknown: t.Sequence[Finding]) -> list[str]:
    """One entry for each thing that was missing, with all that could not be judged without it."""
    if not unknown:
        return []
    groups: dict[tuple[str, str], list[str]] = {}
    for finding in unknown:
        groups.setdefault((harmless(finding.cluster), harmless(finding.missing or finding.title)), []).append(harmless(finding.id))
    result = ["", "Not judged:"]
    for (cluster, missing), ids in groups.items():
        result += wrapped(f"{cluster}: {missing}", indent=INDENT + "  ", first=INDENT)
        result += wrapped(", ".join(sorted(set(ids))), indent=INDENT + "    ", first=INDENT + "  > ")
    return result


def _closing(report: Report) -> str:
    verdict = outcome(report)
    if verdict == OUTCOME_OK:
        return f"OK: {summary(report)['passed']} checks passed."
    if verdict == OUTCOME_FAIL:
        if any(finding.remedy is not None and finding.remedy.role for finding in report.failed):
            return "FAIL. To repair: ansible-playbook fathom.submariner.remediate (--check --diff shows what it would write)"
        return "FAIL. A person must act: see Repair above."
    if verdict == OUTCOME_UNKNOWN:
        return "UNKNOWN: what could not be read was not judged. See above for what is missing."
    return "WARN: nothing is broken now; see the warnings above."
