# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The sections that tell what the findings do not: what changed, what was not judged, what is waived, what passed."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import NEW, PERSISTING, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_findings import finding_article
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_parts import badge, head_cell, labelled, table
from ansible_collections.fathom.submariner.plugins.module_utils._report._markup import Markup, counted, element
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import CLUSTERSET, Gone, Report, missing_groups

MOST = 300  # lines of a list
MOST_WAIVED = 100


def changes_section(report: Report) -> Markup | None:
    """New, persisting, fixed. None where there was no earlier report to compare with."""
    if report.comparison is None:
        return None
    new, same = ([finding for finding in report.failed if finding.trend == trend] for trend in (NEW, PERSISTING))
    fixed, unclear = report.comparison.fixed, report.comparison.unclear
    return element(
        "section",
        element("h2", "Since the last run"),
        element("p", f"Compared with the report of {report.comparison.since or 'an unknown time'}.", class_="lead"),
        element(
            "div",
            _changes("New", new, "Nothing is new."),
            _changes("Fixed", fixed, "Nothing was fixed."),
            _changes("Persisting", same, "", folded=True),
            _changes("Gone, but not judged this time: no repair is claimed", unclear, ""),
            class_="sheet",
        ),
        id="changes",
    )


def _changes(heading: str, entries: t.Sequence[Finding | Gone], otherwise: str, *, folded: bool = False) -> Markup | None:
    if not entries:
        return element("p", otherwise, class_="soft") if otherwise else None
    rows = [
        element("li", badge(entry.severity), " ", element("b", entry.cluster), " ", entry.title, element("span", f" – {entry.subject}", class_="soft"))
        for entry in entries[:MOST]
    ]
    more = len(entries) - len(rows)
    body = element("ul", rows, element("li", f"and {more:,} more") if more else None, class_="lines")
    if folded:
        return element("details", element("summary", element("h3", f"{heading} ({len(entries):,})")), body, class_="plain")
    return Markup(element("h3", f"{heading} ({len(entries):,})") + body)


def unknown_section(report: Report) -> Markup | None:
    """One row for each thing that was missing, with all that could not be judged without it."""
    if not report.unknown:
        return None
    groups = missing_groups(report)
    rows = [
        element("tr", head_cell(cluster), labelled("Missing", missing), labelled("Not judged", ", ".join(ids))) for cluster, missing, ids in groups[:MOST]
    ]
    more = len(groups) - len(rows)
    return element(
        "section",
        element("h2", "What was not checked"),
        element("p", "What could not be read was not judged, and none of it counts as passed.", class_="lead"),
        element(
            "div",
            table("What was missing, and the checks that needed it", ("Cluster", "What was missing", "Not judged"), rows),
            element("p", f"{more:,} more are in result.json.", class_="soft") if more else None,
            class_="sheet",
        ),
        id="unknown",
    )


def waived_section(report: Report) -> Markup | None:
    if not report.waived:
        return None
    more = len(report.waived) - MOST_WAIVED
    return element(
        "section",
        element("h2", "Waived"),
        element("p", "Found, known to somebody, and not counted until the day given.", class_="lead"),
        [finding_article(finding, folded=True) for finding in report.waived[:MOST_WAIVED]],
        element("p", f"{more:,} more are in result.json.", class_="soft") if more > 0 else None,
        id="waived",
    )


def passed_section(report: Report) -> Markup | None:
    groups = [(cluster.name, cluster.passed) for cluster in report.clusters] + [(CLUSTERSET, report.clusterset_passed)]
    folded = [
        element(
            "details",
            element("summary", element("h3", name), " ", badge("ok", counted(len(passed), "check passed", "checks passed"))),
            element("ul", [element("li", element("code", check_id)) for check_id in passed], class_="columns"),
            class_="sheet",
        )
        for name, passed in groups
        if passed
    ]
    if not folded:
        return None
    return element("section", element("h2", "What passed"), folded, id="passed")


_SUBCTL = {"passed": "ok", "warning": "warning", "failed": "error"}


def subctl_section(report: Report) -> Markup | None:
    """What subctl diagnose said, beside what was found; what differs comes first."""
    if not report.subctl:
        return None
    rows = [
        element(
            "tr",
            head_cell(row.cluster),
            labelled("subctl checked", row.check or "nothing about this"),
            labelled("It said", badge(_SUBCTL.get(row.subctl_verdict, "unknown"), row.subctl_verdict)),
            labelled("Found here", element("ul", [element("li", entry) for entry in row.ours], class_="lines") if row.ours else "nothing wrong"),
            labelled("Why they differ", row.reason),
        )
        for row in sorted(report.subctl, key=lambda row: not row.reason)[:MOST]
    ]
    heads = ("Cluster", "subctl checked", "It said", "Found here", "Why they differ")
    return element(
        "section",
        element("h2", "Beside subctl diagnose"),
        element("p", "Each verdict of subctl beside what was found here, and what its check really reads where the two differ.", class_="lead"),
        element("div", table("Verdicts of subctl diagnose and of this run", heads, rows), class_="sheet"),
        id="subctl",
    )


def notes_section(report: Report) -> Markup | None:
    if not report.notes:
        return None
    return element(
        "section", element("h2", "Notes on this run"), element("ul", [element("li", note) for note in report.notes], class_="lines sheet"), id="notes"
    )
