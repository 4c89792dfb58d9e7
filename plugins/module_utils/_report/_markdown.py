# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""``summary.md``: the report for a pull request, a ticket or a chat. GitHub flavoured Markdown."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Finding
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import Report, outcome, summary
from ansible_collections.fathom.submariner.plugins.module_utils._report._text import harmless


def markdown(report: Report, *, generated_at: str) -> str:
    counts = summary(report)
    parts = [f"{counts[name]} {name}" for name in ("blocker", "error", "warning", "info", "unknown", "passed") if counts[name]]
    result = [
        f"# Submariner diagnosis: {outcome(report)}",
        "",
        f"{_inline(generated_at)} - {counts['clusters']} clusters - {', '.join(parts)}",
        "",
        "| Cluster | Found | Facts |",
        "|---|---|---|",
    ]
    for cluster in report.clusters:
        result.append(_row(cluster.name, str(len(report.of_cluster(cluster.name))), ", ".join(cluster.facts)))
    for finding in report.findings:
        result += ["", *_section(finding)]
    return "\n".join(result) + "\n"


def _section(finding: Finding) -> list[str]:
    level = finding.severity if not finding.missing else f"{finding.severity}, not judged"
    result = [f"## {_inline(finding.cluster)}: {_inline(finding.title)}", "", f"`{_code(finding.id)}` ({level}) - {_inline(finding.subject)}"]
    if finding.missing:
        result += ["", f"Missing: {_inline(finding.missing)}"]
    if finding.evidence:
        result += ["", "| Value | Field | Object | Note |", "|---|---|---|---|"]
        result += [_row(f"`{_code(entry.value)}`", entry.field, entry.object, entry.note, raw=1) for entry in finding.evidence]
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
