# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Findings as articles: what is wrong, the evidence, what it breaks, what repairs it."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml_write import scalar
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import NEW, PERSISTING, UNKNOWN, Evidence, Finding, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_parts import badge, labelled, table
from ansible_collections.fathom.submariner.plugins.module_utils._report._markup import Markup, counted, element, joined
from ansible_collections.fathom.submariner.plugins.module_utils._report._references import url_of
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import Report

MOST_EVIDENCE = 40  # rows of one finding
MOST_CONSEQUENCES = 40
BUDGET = 450_000  # characters for findings in full; a file of more than a megabyte opens slowly on a telephone
MOST_SHORT = 1_000  # further ones in a line each


def findings_section(report: Report) -> Markup | None:
    """All that failed for itself, the worst first; consequences stand with their cause. None where nothing failed."""
    causes = report.causes()
    if not causes:
        return None
    shown: list[Markup] = []
    used = 0
    for number, (finding, consequences) in enumerate(causes):
        # Everything broken is open, the rest is folded: a reader of an incident should not have to click, nor to scroll past hints.
        article = finding_article(finding, consequences, folded=finding.severity in ("warning", "info"))
        used += len(article)
        if used > BUDGET:
            shown.append(_short([cause for cause, _consequences in causes[number:]]))
            break
        shown.append(article)
    return element(
        "section",
        element("h2", "Findings"),
        element("p", f"{counted(len(causes), 'cause')}, the worst first. What follows from a cause stands with it.", class_="lead"),
        shown,
        id="findings",
    )


def finding_article(finding: Finding, consequences: t.Sequence[Finding] = (), *, folded: bool = False) -> Markup:
    head = [badge(finding.severity), element("b", finding.cluster), element("code", finding.id), _trend(finding)]
    body = [
        element("p", finding.subject, class_="soft small"),
        element("p", finding.impact) if finding.impact else None,
        element("p", element("b", "Missing: "), finding.missing) if finding.missing else None,
        _waiver(finding),
        _evidence(finding.evidence),
        _consequences(consequences),
        _remedy(finding.remedy),
        _references(finding.references),
    ]
    look = f"sheet finding edge-{'unknown' if finding.verdict == UNKNOWN else finding.severity}"
    if folded:
        summary = element("summary", element("span", head, class_="meta"), " ", element("h3", finding.title))
        return element("details", summary, body, class_=look)
    return element("article", element("div", head, class_="meta"), element("h3", finding.title), body, class_=look)


def _short(findings: t.Sequence[Finding]) -> Markup:
    """What is left in one line each, then its number."""
    rows = [element("li", badge(finding.severity), " ", element("b", finding.cluster), " ", finding.title) for finding in findings[:MOST_SHORT]]
    more = len(findings) - len(rows)
    return element(
        "details",
        element("summary", element("h3", counted(len(findings), "further cause"))),
        element("p", "In full in result.json." + (f" The last {more:,} are listed there alone." if more else "")),
        element("ul", rows, class_="lines"),
        class_="sheet",
    )


def _trend(finding: Finding) -> Markup | None:
    words = {NEW: "new since the last run", PERSISTING: "as in the last run"}
    return element("span", words[finding.trend], class_="badge s-plain") if finding.trend in words else None


def _waiver(finding: Finding) -> Markup | None:
    if finding.waiver is None:
        return None
    word = "The waiver expired on" if finding.waiver.expired else "Waived until"
    return element(
        "p", element("b", f"{word} {finding.waiver.expires}: "), finding.waiver.reason, element("span", f" ({finding.waiver.where})", class_="soft")
    )


def _evidence(evidence: t.Sequence[Evidence]) -> Markup | None:
    if not evidence:
        return None
    rows = []
    for entry in evidence[:MOST_EVIDENCE]:
        place = [element("span", entry.object, class_="object"), element("code", entry.field, class_="field soft") if entry.field else None]
        where = element("span", f"{entry.file} line {entry.line}", class_="object soft") if entry.file else None
        rows.append(
            element(
                "tr",
                labelled("Value", element("code", entry.value) if entry.value else element("span", "empty", class_="soft"), class_="value"),
                labelled("", place, where),
                labelled("Meaning", entry.note),
            )
        )
    more = len(evidence) - len(rows)
    caption = "Evidence" + (f", the first {len(rows)} of {len(evidence):,} rows; all are in result.json" if more else "")
    return table(caption, ("Value", "Where it was read", "What it means"), rows, kind="evidence")


def _consequences(consequences: t.Sequence[Finding]) -> Markup | None:
    if not consequences:
        return None
    lines = [
        element(
            "li", badge(finding.severity), " ", element("b", finding.cluster), " ", finding.title, element("span", f" – {finding.subject}", class_="soft")
        )
        for finding in consequences[:MOST_CONSEQUENCES]
    ]
    more = len(consequences) - len(lines)
    return joined(
        [
            element("h4", f"{counted(len(consequences), 'consequence')}, gone when this is repaired"),
            element("ul", lines, element("li", f"and {more:,} more") if more else None, class_="lines"),
        ]
    )


def _remedy(remedy: Remedy | None) -> Markup | None:
    if remedy is None:
        return None
    consent = ": the role runs only with submariner_allow_disruption" if remedy.role else ""
    caution = element("p", f"Interrupts cross-cluster traffic{consent}.", class_="caution") if remedy.disruptive else None
    lines = [f"role: {remedy.role}", *(f"{name}: {scalar(value)}" for name, value in sorted(remedy.variables.items()))] if remedy.role else []
    return element(
        "div",
        element("h4", "Repair"),
        element("p", remedy.text),
        caution,
        # Each line by itself: what is made harmless has no line breaks.
        element("pre", element("code", [joined([line, Markup("\n")]) for line in lines])) if lines else None,
        element("p", "Writes ", element("code", remedy.target), class_="small") if remedy.target else None,
        element("p", "Runs on ", element("b", remedy.cluster), class_="small") if remedy.cluster else None,
        class_="remedy",
    )


def _references(references: t.Sequence[str]) -> Markup | None:
    if not references:
        return None
    entries: list[t.Any] = []
    for reference in references:
        url = url_of(reference)
        entries += [", " if entries else "", element("a", reference, href=url, rel="noreferrer noopener") if url else reference]
    return element("p", "See ", entries, class_="small soft")
