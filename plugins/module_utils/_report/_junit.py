# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""``junit.xml``: a suite a cluster, a case a check, as CI servers read it."""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import FAIL, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import Report
from ansible_collections.fathom.submariner.plugins.module_utils._report._text import harmless

CLUSTERSET = "clusterset"


def junit(report: Report, *, generated_at: str, fails: t.Container[Finding]) -> str:
    """The document. A finding in ``fails`` is a failure; any other one is a passed case that says so in its output; unknown is skipped."""
    root = ElementTree.Element("testsuites", name="fathom.submariner")
    suites: list[tuple[str, tuple[str, ...]]] = [(cluster.name, cluster.passed) for cluster in report.clusters]
    known = {name for name, _passed in suites}
    others = sorted({finding.cluster for finding in report.findings} - known - {CLUSTERSET})
    for name, passed in [*suites, *((other, ()) for other in others), (CLUSTERSET, report.clusterset_passed)]:
        _suite(root, name, passed, report.of_cluster(name), generated_at, fails)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(
    root: ElementTree.Element, name: str, passed: t.Sequence[str], findings: t.Sequence[Finding], generated_at: str, fails: t.Container[Finding]
) -> None:
    failures = sum(finding in fails for finding in findings)
    skipped = sum(finding.verdict != FAIL and finding not in fails for finding in findings)
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=harmless(name),
        tests=str(len(passed) + len(findings)),
        failures=str(failures),
        errors="0",
        skipped=str(skipped),
        timestamp=harmless(generated_at),
    )
    for check_id in passed:
        ElementTree.SubElement(suite, "testcase", classname=harmless(name), name=harmless(check_id))
    for finding in findings:
        case = ElementTree.SubElement(suite, "testcase", classname=harmless(name), name=harmless(f"{finding.id} {finding.subject}"))
        if finding in fails:
            failure = ElementTree.SubElement(case, "failure", type=finding.severity, message=harmless(finding.title))
            failure.text = _body(finding)
        elif finding.verdict != FAIL:
            ElementTree.SubElement(case, "skipped", message=harmless(finding.missing or finding.title))
        else:
            ElementTree.SubElement(case, "system-out").text = f"{finding.severity}: {harmless(finding.title)}\n{_body(finding)}"


def _body(finding: Finding) -> str:
    parts = [harmless(finding.impact or finding.missing)]
    parts += [harmless(f"{entry.object} {entry.field} = {entry.value} {entry.note}".rstrip()) for entry in finding.evidence]
    parts += [] if finding.remedy is None else [harmless(finding.remedy.text)]
    return "\n".join(part for part in parts if part)
