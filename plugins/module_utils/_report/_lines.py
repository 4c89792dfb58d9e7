# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The last screen: plain lines for a terminal of 80 columns, without colour, readable from top to bottom."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml_write import scalar
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import NEW, PERSISTING, SEVERITIES, UNREADABLE, Evidence, Finding, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._report._markup import clipped
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import (
    OUTCOME_FAIL,
    OUTCOME_OK,
    OUTCOME_UNKNOWN,
    Report,
    missing_groups,
    outcome,
    summary,
    worst,
)
from ansible_collections.fathom.submariner.plugins.module_utils._report._text import WIDTH, harmless, table, wrapped

RULE = "-" * WIDTH
INDENT = "   "
VERDICTS = {"ok": "ok", "unread": "NOT READ"}
MOST_FULL = 15  # findings with their evidence and remedy
MOST_SHORT = 30  # further ones in a line each
MOST_EVIDENCE = 25  # rows of one finding
MOST_EVIDENCE_OF_WARNINGS = 4
MOST_FOLLOWING = 10  # consequences of one
MOST_VALUE = 18  # columns of the evidence's first column: an IPv4 CIDR


def lines(report: Report) -> list[str]:
    """The whole screen, in lines of at most 80 columns save for single longer words.

    Consequences stand in one line each under the finding that they follow from. A warning that several clusters share is one; what is only worth knowing is a
    line each. Beyond MOST_FULL findings the rest is a line each, then a number: the
    files of the report hold them all.
    """
    causes = [cause for cause in report.causes() if cause[0].severity != "info"]
    groups = _alike(causes)
    result = [_headline(report), RULE, *_clusters(report), *_changes(report)]
    for number, (names, finding, consequences) in enumerate(groups[:MOST_FULL], 1):
        result += ["", *_finding_lines(number, names, finding, consequences)]
    if len(groups) > MOST_FULL:
        result += ["", *(_short_line(names, finding) for names, finding, _consequences in groups[MOST_FULL : MOST_FULL + MOST_SHORT])]
        more = len(groups) - MOST_FULL - MOST_SHORT
        result += [f"and {more} more, see result.json of the report"] if more > 0 else []
    result += _worth_knowing(_alike([cause for cause in report.causes() if cause[0].severity == "info"]))
    result += _subctl_lines(report)
    result += _unknown_lines(report)
    result += _waived_lines(report.waived)
    for note in report.notes:
        result += ["", *wrapped(harmless(note), indent=INDENT, first="Note: ")]
    return [*result, RULE, *wrapped(_closing(report))]


Group = t.Tuple[str, Finding, t.Sequence[Finding]]  # the clusters' names, one of the findings, what follows from it


def _alike(causes: t.Sequence[tuple[Finding, t.Sequence[Finding]]]) -> list[Group]:
    """Warnings and hints that say the same of several clusters are one. What is broken stands for each cluster: its evidence differs."""
    groups: dict[tuple[str, ...], tuple[list[str], Finding, t.Sequence[Finding]]] = {}
    for position, (finding, consequences) in enumerate(causes):
        shared = finding.severity in ("warning", "info") and finding.waiver is None and not consequences
        key = (finding.severity, finding.id, finding.title, finding.trend) if shared else (str(position),)
        groups.setdefault(key, ([], finding, consequences))[0].append(finding.cluster)
    return [(harmless(", ".join(dict.fromkeys(names))), finding, consequences) for names, finding, consequences in groups.values()]


def _short_line(names: str, finding: Finding) -> str:
    return clipped(f"{finding.severity.upper()}  {names}  {finding.title}", WIDTH)


def _worth_knowing(groups: t.Sequence[Group]) -> list[str]:
    if not groups:
        return []
    result = ["", "Worth knowing:"]
    for names, finding, _consequences in groups[:MOST_SHORT]:
        result += wrapped(f"{names}: {harmless(finding.title)} ({harmless(finding.id)})", indent=INDENT + "  ", first=INDENT)
    return result + ([f"{INDENT}and {len(groups) - MOST_SHORT} more"] if len(groups) > MOST_SHORT else [])


def _changes(report: Report) -> list[str]:
    """Against the earlier report, where there is one."""
    if report.comparison is None:
        return []
    counts = summary(report)
    persisting = sum(finding.trend == PERSISTING for finding in report.failed)
    since = f" since {harmless(report.comparison.since)}" if report.comparison.since else ""
    result = wrapped(f"{counts['new']} new, {counts['fixed']} fixed, {persisting} persisting{since}", indent=INDENT, first="Changes: ")
    for gone in report.comparison.fixed[:MOST_SHORT]:
        result += wrapped(f"{harmless(gone.cluster)}: {harmless(gone.title)}", indent=INDENT + " " * 9, first=INDENT + "fixed:   ")
    return result


def _subctl_lines(report: Report) -> list[str]:
    """The checks of subctl that were green on what is broken, and why."""
    wrong = [row for row in report.subctl if row.reason and row.ours and row.check]
    if not wrong:
        return []
    result = ["", "Why subctl diagnose differs:"]
    for row in wrong[:MOST_SHORT]:
        said = f"{harmless(row.cluster)}: {harmless(row.check)}: {harmless(row.subctl_verdict)}. {harmless(row.reason)}"
        result += wrapped(said, indent=INDENT + "  ", first=INDENT)
    return result


def _waived_lines(waived: t.Sequence[Finding]) -> list[str]:
    if not waived:
        return []
    result = ["", "Waived:"]
    for finding in waived[:MOST_SHORT]:
        if finding.waiver is not None:
            result += wrapped(f"{finding.severity} {harmless(finding.cluster)}: {harmless(finding.title)}", indent=INDENT + "  ", first=INDENT)
            result += wrapped(f"until {harmless(finding.waiver.expires)}: {harmless(finding.waiver.reason)}", indent=INDENT + "    ", first=INDENT + "  > ")
    return result + ([f"{INDENT}and {len(waived) - MOST_SHORT} more"] if len(waived) > MOST_SHORT else [])


def _headline(report: Report) -> str:
    counts = summary(report)
    parts = [_count(counts[severity], severity) for severity in reversed(SEVERITIES) if counts[severity]]
    unread = sum(finding.id == UNREADABLE for finding in report.unknown)
    if unread:
        parts.insert(0, f"{_count(unread, 'cluster')} could not be read")
    if counts["unknown"]:
        parts.append(f"{counts['unknown']} not judged")
    if counts["waived"]:
        parts.append(f"{counts['waived']} waived")
    return f"{_count(counts['clusters'], 'cluster')}: {', '.join(parts) or 'nothing found'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 or noun == "info" else f"{number} {noun}s"


def _clusters(report: Report) -> list[str]:
    rows = []
    for cluster in report.clusters:
        verdict = worst(report, cluster.name)
        rows.append((VERDICTS.get(verdict, verdict.upper()), harmless(cluster.name), harmless(", ".join(cluster.facts))))
    return table(rows)


def _finding_lines(number: int, names: str, finding: Finding, consequences: t.Sequence[Finding]) -> list[str]:
    head = f"{number}. {finding.severity.upper()}  {names}  {harmless(finding.id)}{'  (new)' if finding.trend == NEW else ''}"
    broken = finding.severity in ("blocker", "error")
    result = [head, *wrapped(harmless(finding.title), indent=INDENT), *wrapped(harmless(finding.subject), indent=INDENT)]
    result += ["", *_evidence_lines(finding.evidence, MOST_EVIDENCE if broken else MOST_EVIDENCE_OF_WARNINGS)] if finding.evidence else []
    if finding.impact:
        result += ["", *wrapped(harmless(finding.impact), indent=INDENT + " " * 9, first=INDENT + "Breaks:  ")]
    if finding.waiver is not None:
        result += wrapped(f"Waiver expired on {harmless(finding.waiver.expires)}: {harmless(finding.waiver.reason)}", indent=INDENT)
    for consequence in consequences[:MOST_FOLLOWING]:
        text = f"{harmless(consequence.cluster)}: {harmless(consequence.title)}"
        result += wrapped(text, indent=INDENT + " " * 9, first=INDENT + "Follows: ")
    if len(consequences) > MOST_FOLLOWING:
        result.append(f"{INDENT}         and {len(consequences) - MOST_FOLLOWING} more")
    if finding.remedy is not None:
        result += _remedy_lines(finding.remedy)
    if finding.references and broken:
        result += wrapped(harmless(", ".join(finding.references)), indent=INDENT + " " * 9, first=INDENT + "See:     ")
    return result


def _evidence_lines(evidence: t.Sequence[Evidence], most: int) -> list[str]:
    """Value, then where it was read and what it means. What is the same as in the row above is not said again."""
    values = [harmless(entry.value) or '""' for entry in evidence]
    wide = min(max(map(len, values)), MOST_VALUE)
    indent = INDENT + " " * (wide + 2)
    result: list[str] = []
    above = ("", "")
    for value, entry in list(zip(values, evidence))[:most]:
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
    if len(evidence) > most:
        result.append(f"{INDENT}and {_count(len(evidence) - most, 'more value')}")
    return result


def _remedy_lines(remedy: Remedy) -> list[str]:
    consent = ": needs submariner_allow_disruption" if remedy.role else ""
    disruptive = f" Interrupts cross-cluster traffic{consent}." if remedy.disruptive else ""
    result = wrapped(harmless(remedy.text) + disruptive, indent=INDENT + " " * 9, first=INDENT + "Repair:  ")
    if remedy.role:
        result.append(f"{INDENT}         role {harmless(remedy.role)}")
        result += [f"{INDENT}           {harmless(name)}: {harmless(scalar(value))}" for name, value in sorted(remedy.variables.items())]
    if remedy.target:
        result += wrapped(f"writes {harmless(remedy.target)}", indent=INDENT + " " * 11, first=INDENT + " " * 9)
    return result


def _unknown_lines(report: Report) -> list[str]:
    """One entry for each thing that was missing, with all that could not be judged without it."""
    groups = missing_groups(report)
    if not groups:
        return []
    result = ["", "Not judged:"]
    for cluster, missing, ids in groups[:MOST_SHORT]:
        result += wrapped(f"{harmless(cluster)}: {harmless(missing)}", indent=INDENT + "  ", first=INDENT)
        result += wrapped(harmless(", ".join(ids)), indent=INDENT + "    ", first=INDENT + "  > ")
    if len(groups) > MOST_SHORT:
        result.append(f"{INDENT}and {len(groups) - MOST_SHORT} more")
    return result


def _closing(report: Report) -> str:
    verdict = outcome(report)
    if verdict == OUTCOME_OK:
        waived = f", {_count(len(report.waived), 'finding')} waived" if report.waived else ""
        return f"OK: {summary(report)['passed']} checks passed{waived}."
    if verdict == OUTCOME_FAIL:
        if any(finding.remedy is not None and finding.remedy.role for finding in report.failed):
            return "FAIL. To repair: ansible-playbook fathom.submariner.remediate (--check --diff shows what it would write)"
        return "FAIL. A person must act: see Repair above."
    if verdict == OUTCOME_UNKNOWN:
        return "UNKNOWN: what could not be read was not judged. See above for what is missing."
    return "WARN: nothing is broken now; see the warnings above."
