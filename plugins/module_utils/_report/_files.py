# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The files of a report, as texts."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Finding
from ansible_collections.fathom.submariner.plugins.module_utils._report._html import html_document
from ansible_collections.fathom.submariner.plugins.module_utils._report._junit import junit
from ansible_collections.fathom.submariner.plugins.module_utils._report._markdown import markdown
from ansible_collections.fathom.submariner.plugins.module_utils._report._metrics import metrics
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import Report, to_dict
from ansible_collections.fathom.submariner.plugins.module_utils._report._sarif import sarif
from ansible_collections.fathom.submariner.plugins.module_utils._report._text import harmless_tree

FILES = {"html": "report.html", "json": "result.json", "markdown": "summary.md", "junit": "junit.xml", "sarif": "findings.sarif", "metrics": "metrics.prom"}
GENERATED_AT = "generated_at"


def rendered(report: Report, fails: t.Sequence[Finding], *, generated_at: str) -> dict[str, str]:
    """Every file's content. Nothing in it depends on anything but the arguments, so that equal reports are equal byte for byte."""
    return {
        "html": html_document(report, generated_at=generated_at),
        "json": json.dumps(harmless_tree(to_dict(report, generated_at=generated_at)), indent=2, ensure_ascii=False) + "\n",
        "markdown": markdown(report, generated_at=generated_at),
        "junit": junit(report, generated_at=generated_at, fails=fails),
        "sarif": sarif(report),
        "metrics": metrics(report, generated_at=generated_at, fails=fails),
    }
