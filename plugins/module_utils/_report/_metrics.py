# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""``metrics.prom``: the verdict for Prometheus' textfile collector (node_exporter, or the Pushgateway).

Labels are bounded by the catalogue and the inventory: cluster, check, severity. No subject and no text of a cluster becomes a label. Samples carry no
timestamp, which the textfile collector refuses; when the run was is a metric of its own.
"""

from __future__ import annotations

import calendar
import re
import typing as t
from collections import Counter

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import UNREADABLE, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import OUTCOMES, Report, outcome
from ansible_collections.fathom.submariner.plugins.module_utils._report._text import harmless

PREFIX = "submariner_diagnosis_"

Labels = t.Mapping[str, str]


def metrics(report: Report, *, generated_at: str, fails: t.Sequence[Finding]) -> str:
    """The file, in Prometheus' text format 0.0.4."""
    failed = Counter((finding.cluster, finding.id, finding.severity) for finding in report.failed)
    unknown = Counter((finding.cluster, finding.id) for finding in report.unknown)
    unread = {finding.cluster for finding in report.findings if finding.id == UNREADABLE}
    reached = outcome(report)
    families: list[tuple[str, str, list[tuple[Labels, float]]]] = [
        (
            "findings",
            "What is wrong, by cluster, check and severity; waived findings do not count.",
            [({"cluster": cluster, "check": check, "severity": severity}, count) for (cluster, check, severity), count in sorted(failed.items())],
        ),
        (
            "not_judged",
            "Verdicts that are unknown, because something could not be read.",
            [({"cluster": cluster, "check": check}, count) for (cluster, check), count in sorted(unknown.items())],
        ),
        ("checks_passed", "Checks that found nothing.", [({"cluster": cluster.name}, len(cluster.passed)) for cluster in report.clusters]),
        (
            "cluster_read",
            "1 where the cluster could be read, else 0.",
            [({"cluster": cluster.name}, cluster.name not in unread) for cluster in report.clusters],
        ),
        ("waived", "Findings that a waiver keeps from counting.", [({}, len(report.waived))]),
        ("failing", "Findings for which the run fails, as fail_on says.", [({}, len(fails))]),
        ("outcome", "1 for the outcome of the run, 0 for the others.", [({"outcome": name}, name == reached) for name in OUTCOMES]),
    ]
    when = _seconds(generated_at)
    if when is not None:
        families.append(("last_run_timestamp_seconds", "When the run was, in seconds since 1970.", [({}, when)]))
    return "".join(line + "\n" for name, text, samples in families for line in _family(PREFIX + name, text, samples))


def _family(name: str, text: str, samples: t.Sequence[tuple[Labels, float]]) -> t.Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        shown = ",".join(f'{label}="{_escaped(value_of)}"' for label, value_of in labels.items())
        yield f"{name}{'{' + shown + '}' if shown else ''} {int(value)}"


def _escaped(value: str) -> str:
    return harmless(value).replace("\\", "\\\\").replace('"', '\\"')


def _seconds(at: str) -> int | None:
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z", at)
    return calendar.timegm(tuple(map(int, match.groups())) + (0, 0, 0)) if match else None
