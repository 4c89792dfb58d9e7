# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What ``subctl diagnose all`` printed, as verdicts by cluster.

It has no other output than this text (submariner-io/subctl internal/cli/status.go): each check begins with ``• TITLE ...`` (in a terminal with a spinner
instead), ends with ``✓``, ``⚠`` or ``✗`` and its title, and goes on with messages of the same form. The checks go to standard error, the line
``Cluster "NAME"`` before those of a cluster to standard output, so that a saved text may hold both interleaved or one after the other.
"""

from __future__ import annotations

import re
import typing as t

PASSED = "passed"
WARNED = "warning"
FAILED = "failed"
SKIPPED = "skipped"
UNFINISHED = "unfinished"  # begun, and the text ends: it crashed or was ended

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_CLUSTER = re.compile(r'\s*Cluster "(?P<name>[^"]+)"\s*$')
_STARTED = re.compile(r"\s*•\s+(?P<text>.+?)\s*\.\.\.\s*$")
_VERDICT = re.compile(r"\s*(?P<mark>[✓⚠✗])\s+(?P<text>.+?)\s*$")
_MARKS = {"✓": PASSED, "⚠": WARNED, "✗": FAILED}
_TITLE = re.compile(r"Checking |(Non-)?Globalnet deployment detected|[A-Z]\w+ CNI detected, checking")
_SKIPPED = re.compile(r"Skipping ", re.IGNORECASE)
_CRASH = re.compile(r"panic: |goroutine \d+ \[|signal: killed")
_SHOWN = 200


class SubctlCheck(t.NamedTuple):
    """One check of subctl's with its verdict; ``messages`` are what it printed below, each led by its verdict."""

    title: str
    verdict: str
    messages: tuple[str, ...] = ()


class SubctlCluster(t.NamedTuple):
    """``name`` is that of the kubeconfig's cluster, "" where the text does not tell."""

    name: str
    checks: tuple[SubctlCheck, ...]


class SubctlDiagnosis(t.NamedTuple):
    """``remarks`` are lines that tell how the run ended: a crash, a refusal, an error without a check."""

    clusters: tuple[SubctlCluster, ...]
    remarks: tuple[str, ...] = ()


def parse_diagnosis(text: str) -> SubctlDiagnosis:
    """Every cluster of a saved output, in its order. A text without any check gives no clusters. Never raises."""
    sections: list[tuple[str, list[SubctlCheck]]] = []
    waiting: list[str] = []  # names of clusters of which no check has come yet
    remarks: list[str] = []
    reader = _Reader()
    for line in (_ANSI.sub("", raw) for raw in re.split(r"[\r\n]+", text)):
        heading = _CLUSTER.match(line)
        if heading:
            reader.end()
            _add(sections, waiting, reader.taken())
            waiting.append(heading.group("name"))
        elif not reader.read(line) and _CRASH.search(line):
            remarks.append(line.strip()[:_SHOWN])
    reader.end()
    _add(sections, waiting, reader.taken())
    if len(waiting) == len(sections) and not any(name for name, _checks in sections):  # standard error was saved before standard output
        sections = [(name, checks) for name, (_none, checks) in zip(waiting, sections)]
    clusters = tuple(SubctlCluster(name, tuple(checks)) for name, checks in sections if checks)
    return SubctlDiagnosis(clusters, tuple(dict.fromkeys(remarks)))


def _add(sections: list[tuple[str, list[SubctlCheck]]], waiting: list[str], checks: list[SubctlCheck]) -> None:
    """Give checks to the clusters that wait for them. Several wait where all headings were printed before all checks: then each run of checks is one's."""
    if not checks:
        return
    runs = _runs(checks)
    if len(runs) == len(waiting):
        sections.extend(zip(waiting, runs))
    elif len(waiting) == 1:
        sections.append((waiting[0], checks))
    else:
        sections.extend(("", run) for run in runs)
    waiting.clear()


def _runs(checks: list[SubctlCheck]) -> list[list[SubctlCheck]]:
    """Cut where the first check comes again."""
    runs: list[list[SubctlCheck]] = []
    for check in checks:
        if not runs or check.title == checks[0].title:
            runs.append([])
        runs[-1].append(check)
    return runs


class _Reader:
    """Lines of checks, one after the other."""

    def __init__(self) -> None:
        self.checks: list[SubctlCheck] = []
        self.started = ""

    def read(self, line: str) -> bool:
        """Take a line; False for one that belongs to no check."""
        started, verdict = _STARTED.match(line), _VERDICT.match(line)
        if started:
            self.end()
            self.started = started.group("text")
        elif verdict:
            self._verdict(_MARKS[verdict.group("mark")], verdict.group("text"))
        return bool(started or verdict)

    def end(self) -> None:
        """A check that was begun and has no verdict stays unfinished."""
        if self.started:
            self.checks.append(SubctlCheck(self.started, UNFINISHED))
            self.started = ""

    def taken(self) -> list[SubctlCheck]:
        checks, self.checks = self.checks, []
        return checks

    def _verdict(self, verdict: str, text: str) -> None:
        if text == self.started or (not self.started and _TITLE.match(text)):
            self.checks.append(SubctlCheck(text, verdict))
            self.started = ""
        elif self.checks:
            last = self.checks[-1]
            skipped = SKIPPED if _SKIPPED.match(text) else last.verdict
            self.checks[-1] = last._replace(verdict=skipped, messages=(*last.messages, f"{verdict}: {text[:_SHOWN]}"))
        else:
            self.checks.append(SubctlCheck(text, verdict))
