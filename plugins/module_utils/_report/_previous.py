# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What changed since an earlier report: new, persisting, fixed."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import FAIL, NEW, PERSISTING, SEVERITIES, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import CLUSTERSET, FORMAT, Comparison, Gone, Report

Key = t.Tuple[str, str, str]


def parse_result(text: str, name: str) -> dict[str, t.Any]:
    """A result.json of ours.

    :param name: the file as the user named it, for messages.
    :raises InputError: it is none, or of a format that this release does not read.
    """
    try:
        plain = json.loads(text)
    except ValueError as error:
        raise InputError(f"{name} is no result.json of fathom.submariner: {error}.") from error
    if not isinstance(plain, dict) or not isinstance(plain.get("findings"), list):
        raise InputError(f"{name} is no result.json of fathom.submariner: it has no findings.")
    if plain.get("format") != FORMAT:
        raise InputError(f"{name} has format {plain.get('format')!r}, and this release of fathom.submariner reads {FORMAT}.")
    return plain


def compared(report: Report, previous: t.Mapping[str, t.Any]) -> Report:
    """The report with the trend of every failed finding, and with what is gone since ``previous``, a result of :func:`parse_result`.

    A finding is the same one when cluster, check and subject are. It is fixed only where its check judged this time and did not find it again: what could
    not be read, or was not asked, is not repaired.

    :raises InputError: a finding of ``previous`` is not of our form.
    """
    before = _failed_before(previous)
    now = {_key(finding) for finding in report.findings if finding.verdict == FAIL}
    findings = tuple(
        replace(finding, trend=PERSISTING if _key(finding) in before else NEW) if finding.verdict == FAIL else finding for finding in report.findings
    )
    gone = [_gone(report, entry) for key, entry in before.items() if key not in now]
    gone.sort(key=lambda entry: (-SEVERITIES.index(entry.severity), entry.cluster, entry.id, entry.subject))
    return replace(report, findings=findings, comparison=Comparison(str(previous.get("generated_at") or ""), tuple(gone)))


def _failed_before(previous: t.Mapping[str, t.Any]) -> dict[Key, Finding]:
    found = [Finding.from_dict(entry) for entry in previous["findings"]]
    return {_key(finding): finding for finding in found if finding.verdict == FAIL}


def _key(finding: Finding) -> Key:
    return (finding.cluster, finding.id, finding.subject)


def _gone(report: Report, finding: Finding) -> Gone:
    same_check = [entry for entry in report.findings if entry.id == finding.id and entry.cluster in (finding.cluster, CLUSTERSET)]
    passed = {cluster.name: cluster.passed for cluster in report.clusters}.get(finding.cluster, ())
    unclear = any(entry.verdict != FAIL for entry in same_check)
    judged = not unclear and (bool(same_check) or finding.id in passed or finding.id in report.clusterset_passed)
    return Gone(finding.id, finding.cluster, finding.severity, finding.subject, finding.title, judged)
