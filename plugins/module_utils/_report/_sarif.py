# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""``findings.sarif``: SARIF 2.1.0, for findings that a line of an inventory answers for, so that a code review shows them there.

A finding about a cluster has no line of code, and gets no result: viewers of SARIF would put it on the first line of some file. Specification:
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
import string
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._report._references import url_of
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import Report
from ansible_collections.fathom.submariner.plugins.module_utils._report._text import harmless

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://github.com/fathom-ansible/fathom.submariner"
LEVELS = {"info": "note", "warning": "warning", "error": "error", "blocker": "error"}

_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~/")  # RFC 3986 section 2.3, and what parts a path
_CATALOGUE = {check.id: check for check in CHECKS}


def sarif(report: Report) -> str:
    """The document. A waived finding is suppressed in it, not left out."""
    located = [(finding, places) for finding in report.findings for places in [[entry for entry in finding.evidence if entry.file and entry.line]] if places]
    ids = sorted({finding.id for finding, _places in located})
    run = {
        "tool": {"driver": {"name": "fathom.submariner", "informationUri": HOME, "rules": [_rule(check_id) for check_id in ids]}},
        "results": [_result(finding, places, ids) for finding, places in located],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(check_id: str) -> dict[str, t.Any]:
    check = _CATALOGUE.get(check_id)
    rule: dict[str, t.Any] = {"id": harmless(check_id)}
    if check is not None:
        rule["shortDescription"] = {"text": check.title}
        rule["fullDescription"] = {"text": " ".join(check.description.split())}
        rule["defaultConfiguration"] = {"level": LEVELS[check.severity]}
        url = next(filter(None, map(url_of, check.references)), "")
        rule.update({"helpUri": url} if url else {})
    return rule


def _result(finding: Finding, places: t.Sequence[Evidence], ids: t.Sequence[str]) -> dict[str, t.Any]:
    remedy = f" {finding.remedy.text}" if finding.remedy else ""
    result: dict[str, t.Any] = {
        "ruleId": harmless(finding.id),
        "ruleIndex": ids.index(finding.id),
        "level": LEVELS[finding.severity],
        "message": {"text": harmless(f"{finding.cluster}: {finding.title}.{remedy}")},
        "locations": [_location(entry) for entry in places],
        # What makes two results of two runs the same one, for viewers that track them.
        "partialFingerprints": {"finding/v1": harmless(f"{finding.key}/{finding.subject}")},
    }
    if finding.waived and finding.waiver is not None:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": harmless(finding.waiver.reason)}]
    return result


def _location(entry: Evidence) -> dict[str, t.Any]:
    path = harmless(entry.file).replace("\\", "/")
    artifact: dict[str, t.Any] = {"uri": "".join(letter if letter in _UNRESERVED else _encoded(letter) for letter in path)}
    if not entry.file.startswith("/"):
        artifact["uriBaseId"] = "%SRCROOT%"
    return {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": entry.line}}}


def _encoded(letter: str) -> str:
    return "".join(f"%{octet:02X}" for octet in letter.encode())
