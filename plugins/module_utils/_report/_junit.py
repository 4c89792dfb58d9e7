# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""``junit.xml``: a suite a cluster, a case a check, as CI servers read it.

A check that found several things on a cluster is one case: pipelines count and trend cases by name, and a check's name does not depend on what it found.
"""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import SEVERITIES, UNKNOWN, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._report._markup import clipped
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import CLUSTERSET, Report
from ansible_collections.fathom.submariner.plugins.module_utils._report._text import harmless

OTHER_AREA = "other"  # of checks that are not in the catalogue: the user's own, and that a cluster could be read at all

_AREAS = {check.id: check.area for check in CHECKS}


def junit(report: Report, *, generated_at: str, fails: t.Sequence[Finding]) -> str:
    """The document.

    A check with a finding in ``fails`` is a failure; else, with something unknown, skipped; else passed, and tells what it found all the same.
    """
    failing = frozenset(map(id, fails))  # by identity: comparing thousands of findings with each other takes minutes
    root = ElementTree.Element("testsuites", name="fathom.submariner")
    suites: list[tuple[str, tuple[str, ...]]] = [(cluster.name, cluster.passed) for cluster in report.clusters]
    known = {name for name, _passed in suites}
    others = sorted({finding.cluster for finding in report.findings} - known - {CLUSTERSET})
    for name, passed in [*suites, *((other, ()) for other in others), (CLUSTERSET, report.clusterset_passed)]:
        _suite(root, name, passed, report.of_cluster(name), generated_at, failing)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(root: ElementTree.Element, name: str, passed: t.Sequence[str], findings: t.Sequence[Finding], generated_at: str, failing: frozenset[int]) -> None:
    by_check: dict[str, list[Finding]] = {check_id: [] for check_id in passed}
    for finding in findings:
        by_check.setdefault(finding.id, []).append(finding)
    suite = ElementTree.SubElement(root, "testsuite", name=harmless(name), tests=str(len(by_check)), timestamp=harmless(generated_at))
    for check_id, found in by_check.items():
        _case(suite, check_id, found, failing)
    for attribute, tag in (("failures", "failure"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"./testcase/{tag}"))))
    suite.set("errors", "0")


def _case(suite: ElementTree.Element, check_id: str, found: t.Sequence[Finding], failing: frozenset[int]) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=_AREAS.get(check_id, OTHER_AREA), name=harmless(check_id))
    failed = [finding for finding in found if id(finding) in failing]
    unknown = [finding for finding in found if finding.verdict == UNKNOWN and not finding.waived and id(finding) not in failing]
    if failed:
        worst = max((finding.severity for finding in failed), key=SEVERITIES.index)
        failure = ElementTree.SubElement(case, "failure", type=worst, message=clipped("; ".join(finding.title for finding in failed), 1_000))
        failure.text = "\n\n".join(map(_body, failed))
    elif unknown:
        ElementTree.SubElement(case, "skipped", message=clipped("; ".join(dict.fromkeys(finding.missing or finding.title for finding in unknown)), 1_000))
    rest = [finding for finding in found if id(finding) not in failing and (finding.verdict != UNKNOWN or finding.waived)]
    if rest:
        ElementTree.SubElement(case, "system-out").text = "\n\n".join(
            f"{_standing(finding)}: {harmless(finding.title)}\n{_body(finding)}" for finding in rest
        )


def _standing(finding: Finding) -> str:
    if finding.waived and finding.waiver is not None:
        return f"{finding.severity}, waived until {harmless(finding.waiver.expires)} ({harmless(finding.waiver.reason)})"
    return finding.severity


def _body(finding: Finding) -> str:
    parts = [harmless(finding.subject), harmless(finding.impact or finding.missing)]
    parts += [harmless(f"{entry.object} {entry.field} = {entry.value} {entry.note}".rstrip()) for entry in finding.evidence]
    parts += [] if finding.remedy is None else [f"repair: {harmless(finding.remedy.text)}"]
    return "\n".join(part for part in parts if part)
