# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""``report.html``: one file that needs nothing else, neither a network nor JavaScript.

The Content-Security-Policy in it forbids every request and every script, so that a hole in the escaping would show text and do nothing.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import SEVERITIES
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_cidrs import cidrs_section
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_findings import findings_section
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_map_section import map_section
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_mtu import mtu_section
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_parts import icon
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_rest import (
    changes_section,
    notes_section,
    passed_section,
    subctl_section,
    unknown_section,
    waived_section,
)
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_style import STYLE
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_timeline import timelines_section
from ansible_collections.fathom.submariner.plugins.module_utils._report._markup import Markup, counted, element
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import (
    OUTCOME_FAIL,
    OUTCOME_OK,
    OUTCOME_UNKNOWN,
    OUTCOME_WARN,
    Report,
    outcome,
    summary,
)

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

Section = t.Callable[[Report], "Markup | None"]
# What a reader wants to know, in that order; the name is that of the table of contents.
SECTIONS: tuple[tuple[str, str, Section], ...] = (
    ("clusterset", "Clusterset", map_section),
    ("findings", "Findings", findings_section),
    ("changes", "Since the last run", changes_section),
    ("timelines", "Reboots", timelines_section),
    ("mtu", "MTU budget", mtu_section),
    ("cidrs", "CIDRs", cidrs_section),
    ("subctl", "Beside subctl", subctl_section),
    ("unknown", "Not checked", unknown_section),
    ("waived", "Waived", waived_section),
    ("passed", "Passed", passed_section),
    ("notes", "Notes", notes_section),
)


def html_document(report: Report, *, generated_at: str) -> str:
    """The whole file."""
    sections = [(name, title, body) for name, title, body in ((name, title, section(report)) for name, title, section in SECTIONS) if body is not None]
    contents = element(
        "nav",
        element("ul", [element("li", element("a", title, href=f"#{name}")) for name, title, _body in sections]),
        class_="contents",
        aria_label="Contents",
    )
    page = element(
        "div",
        element("header", _verdict(report, generated_at), _tiles(report), class_="top"),
        contents,
        element("main", [body for _name, _title, body in sections], id="main", tabindex="-1"),
        element(
            "footer",
            "Made by fathom.submariner, an Ansible collection. This file loads nothing and runs nothing; result.json beside it holds everything.",
            class_="bottom",
        ),
        class_="page",
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"Submariner: {_sentence(report)}"),
        element("style", Markup(STYLE)),
    )
    body = element("body", element("a", "Skip to the report", class_="skip", href="#main"), page)
    return f'<!DOCTYPE html>\n<html lang="en">\n{head}\n{body}\n</html>\n'


def _sentence(report: Report) -> str:
    """The verdict as people say it."""
    verdict, counts = outcome(report), summary(report)
    if verdict == OUTCOME_FAIL:
        return "Cross-cluster traffic is broken" if counts["blocker"] else "Something is broken"
    if verdict == OUTCOME_UNKNOWN:
        return "Not everything could be checked"
    return "Nothing is broken, but not all is well" if verdict == OUTCOME_WARN else "All is well"


def _verdict(report: Report, generated_at: str) -> Markup:
    counts = summary(report)
    look = {OUTCOME_FAIL: "blocker" if counts["blocker"] else "error", OUTCOME_OK: "ok", OUTCOME_UNKNOWN: "unknown", OUTCOME_WARN: "warning"}[outcome(report)]
    causes = [finding for finding, _consequences in report.causes() if finding.severity in ("blocker", "error")]
    said = f"{counted(len(causes), 'cause')} on {counted(len({finding.cluster for finding in causes}), 'cluster')}. " if causes else ""
    text = f"{said}{counted(counts['clusters'], 'cluster')} diagnosed, {counted(counts['passed'], 'check')} passed."
    return element(
        "div",
        element("span", icon(look), class_=f"sign ink-{look}"),
        element("h1", element("span", "Submariner diagnosis", class_="eyebrow"), " ", element("span", _sentence(report), class_=f"ink-{look}")),
        element("p", text, " ", element("span", element("time", generated_at, datetime=generated_at), class_="soft"), class_="summary"),
        class_=f"verdict edge-{look}",
    )


def _tiles(report: Report) -> Markup:
    counts = summary(report)
    names = [(severity, {"info": "info"}.get(severity, f"{severity}s")) for severity in reversed(SEVERITIES)]
    names += [("unknown", "not judged"), ("passed", "checks passed")]
    names += [("waived", "waived")] if counts["waived"] else []
    names += [("new", "new since the last run"), ("fixed", "fixed since")] if report.comparison else []
    look = {"passed": "ok", "new": "", "waived": "", "fixed": "ok"}
    tiles = [
        element(
            "li",
            element("b", f"{counts[key]:,}", class_=f"ink-{look.get(key, key)}" if counts[key] else None),
            element("span", name),
            class_=None if counts[key] else "none",
        )
        for key, name in names
    ]
    return element("ul", tiles, class_="tiles", aria_label="Counts")
