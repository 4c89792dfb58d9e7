# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""``summary.md``: the report for a pull request, a ticket or a chat. GitHub flavoured Markdown."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import PERSISTING, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._report._markup import clipped
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import Report, missing_groups, outcome, summary, worst
from ansible_collections.fathom.submariner.plugins.module_utils._report._text import harmless

MOST_EVIDENCE = 20  # rows of a finding
MOST = 60_000  # characters; a comment on GitHub takes 65,536


def markdown(report: Report, *, generated_at: str) -> str:
    """The document. What does not fit into a comment is named in a line each, then counted."""
    head = [*_head(report, generated_at), *_changes(report)]
    tail = [*_unknown(report), *_waived(report), *(["", *(f"> {_inline(note)}" for note in report.notes)] if report.notes else [])]
    left = MOST - sum(len(line) + 1 for line in (*head, *tail))
    body: list[str] = []
    for position, finding in enumerate(report.failed):
        section = ["", *_section(finding)]
        left -= sum(len(line) + 1 for line in section)
        if left < 2_000:
            body += ["", *_short(report.failed[position:])]
            break
        body += section
    return "\n".join([*head, *body, *tail]) + "\n"


def _head(report: Report, generated_at: str) -> list[str]:
    counts = summary(report)
    parts = [f"{counts[name]} {name}" for name in ("blocker", "error", "warning", "info", "unknown", "waived", "passed") if counts[name]]
    result = [
        f"# Submariner diagnosis: {outcome(report)}",
        "",
        f"{_inline(generated_at)} - {counts['clusters']} clusters - {', '.join(parts)}",
        "",
        "| Cluster | Verdict | Found | Facts |",
        "|---|---|---|---|",
    ]
    for cluster in report.clusters:
        result.append(_row(cluster.name, worst(report, cluster.name), str(len(report.of_cluster(cluster.name))), ", ".join(cluster.facts)))
    return result


def _changes(report: Report) -> list[str]:
    if report.comparison is None:
        return []
    counts = summary(report)
    persisting = sum(finding.trend == PERSISTING for finding in report.failed)
    since = f" since {_inline(report.comparison.since)}" if report.comparison.since else ""
    result = ["", f"**Changes{since}:** {counts['new']} new, {counts['fixed']} fixed, {persisting} persisting."]
    return result + [f"- fixed: {_inline(entry.cluster)}: {_inline(entry.title)}" for entry in report.comparison.fixed[:50]]


def _short(findings: t.Sequence[Finding]) -> list[str]:
    shown = [f"- {finding.severity}: {_inline(finding.cluster)}: {_inline(clipped(finding.title, 120))}" for finding in findings[:10]]
    more = [f"- and {len(findings) - 10} more, see result.json"] if len(findings) > 10 else []
    return ["## Further findings", "", *shown, *more]


def _unknown(report: Report) -> list[str]:
    """Folded: what is missing, and the checks that needed it."""
    groups = missing_groups(report)
    if not groups:
        return []
    rows = [_row(cluster, clipped(missing, 300), ", ".join(ids)) for cluster, missing, ids in groups[:30]]
    more = [f"{len(groups) - 30} more are in result.json.", ""] if len(groups) > 30 else []
    table = ["| Cluster | Missing | Not judged |", "|---|---|---|", *rows, ""]
    return ["", f"<details><summary>Not judged: {len(report.unknown)}</summary>", "", *table, *more, "</details>"]


def _waived(report: Report) -> list[str]:
    if not report.waived:
        return []
    rows = [
        f"- {_inline(finding.cluster)}: {_inline(finding.title)}. Until {_inline(finding.waiver.expires)}: {_inline(finding.waiver.reason)}"
        for finding in report.waived[:50]
        if finding.waiver is not None
    ]
    return ["", f"<details><summary>Waived: {len(report.waived)}</summary>", "", *rows, "", "</details>"]


def _section(finding: Finding) -> list[str]:
    level = ", ".join(part for part in (finding.severity, finding.trend) if part)
    result = [f"## {_inline(finding.cluster)}: {_inline(finding.title)}", "", f"`{_code(finding.id)}` ({level}) - {_inline(finding.subject)}"]
    if finding.waiver is not None:
        result += ["", f"Waiver expired on {_inline(finding.waiver.expires)}: {_inline(finding.waiver.reason)}"]
    if finding.evidence:
        result += ["", "| Value | Field | Object | Note |", "|---|---|---|---|"]
        result += [_row(f"`{_code(entry.value)}`", entry.field, entry.object, entry.note, raw=1) for entry in finding.evidence[:MOST_EVIDENCE]]
        if len(finding.evidence) > MOST_EVIDENCE:
            result.append(_row(f"{len(finding.evidence) - MOST_EVIDENCE} more", "", "result.json", ""))
    if finding.impact:
        result += ["", _inline(finding.impact)]
    if finding.caused_by:
        result += ["", f"Follows from `{_code(finding.caused_by)}`."]
    if finding.remedy is not None:
        disruptive = " Interrupts cross-cluster traffic." if finding.remedy.disruptive else ""
        result += ["", f"**Repair:** {_inline(finding.remedy.text)}{disruptive}"]
        if finding.remedy.role:
            settings = ", ".join(f"`{_code(name)}={_code(value)}`" for name, value in sorted(finding.remedy.variables.items()))
            result.append(f"Role `{_code(finding.remedy.role)}` {settings}".rstrip())
    if finding.references:
        result += ["", "References: " + ", ".join(_inline(reference) for reference in finding.references)]
    return result


def _row(*cells: str, raw: int = 0) -> str:
    """A table's row. The first ``raw`` cells are Markdown already."""
    return "| " + " | ".join(cell if index < raw else _inline(cell) for index, cell in enumerate(cells)) + " |"


def _inline(value: t.Any) -> str:
    """Text that Markdown and HTML read as text."""
    escaped = harmless(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", escaped)


def _code(value: t.Any) -> str:
    return harmless(value).replace("`", "'").replace("|", "\\|") or '""'
