# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells how a diagnosis goes on, and ends a run with what it found, as text that a person can read."""

from __future__ import annotations

DOCUMENTATION = r"""
name: summary
type: aggregate
short_description: Show how a diagnosis goes on, and end the run with what it found
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Says in a line when a cluster has been read, with what was found, the seconds and the number of requests. On a terminal also when reading it begins.
  - After the recap prints the summary of the last M(fathom.submariner.report) of the run, or the catalogue of the last
    M(fathom.submariner.check_info), as plain lines of at most 80 columns.
  - Nothing is drawn over, so that a log of CI reads like the screen. Colour marks severities on a terminal alone, and E(NO_COLOR) and E(ANSIBLE_NOCOLOR) switch
    it off. Every severity is a word, too.
  - Role P(fathom.submariner.diagnose#role) shows the same lines as a task's result where this callback is not enabled.
requirements:
  - Enabled with C(callbacks_enabled=fathom.submariner.summary) or E(ANSIBLE_CALLBACKS_ENABLED).
"""

import re
import sys
import time

from ansible import constants as C
from ansible.plugins.callback import CallbackBase

# What a line begins with tells its colour: "1. BLOCKER  cluster-1  some-check", "BLOCKER  cluster-1  facts", "FAIL. To repair: ...".
COLOURS = (
    (re.compile(r"(?:\d+\. )?BLOCKER  |FAIL\b|NOT READ  "), C.COLOR_ERROR),
    (re.compile(r"(?:\d+\. )?ERROR  "), C.COLOR_ERROR),
    (re.compile(r"(?:\d+\. )?WARNING  |WARN\b|UNKNOWN\b|Not judged:"), C.COLOR_WARN),
    (re.compile(r"ok  |OK\b"), C.COLOR_OK),
)
SEVERITIES = ("blocker", "error", "warning", "info")


class CallbackModule(CallbackBase):
    """Lines while clusters are read; the last report last."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "fathom.submariner.summary"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self._lines = []
        self._started = {}
        self._terminal = sys.stdout.isatty()

    def v2_runner_on_start(self, host, task):
        """Someone at a terminal wants to see that something goes on; a log does not need it."""
        if action(task) == "diagnose":
            self._started[host.get_name()] = time.monotonic()
            if self._terminal:
                self._display.display(f"{host.get_name()}: reading ...")

    def v2_runner_on_ok(self, result):
        """Keep the lines of a report; its module's name tells it from other results that have lines."""
        task, data = task_of(result), data_of(result)
        if action(task) in ("report", "check_info"):
            self._lines = [str(line) for line in data.get("lines") or []]
        elif action(task) == "diagnose" and "findings" in data:
            self._progress(result, said_of(data))

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """A cluster that could not be diagnosed; Ansible's own message tells why."""
        if action(task_of(result)) == "diagnose":
            self._progress(result, "not diagnosed")

    def v2_runner_on_unreachable(self, result):
        """The host that should have read it cannot be reached."""
        if action(task_of(result)) == "diagnose":
            self._progress(result, "not diagnosed: its host is unreachable")

    def v2_playbook_on_stats(self, stats):
        """Print them."""
        for line in self._lines:
            self._display.display(line, color=colour_of(line))

    def _progress(self, result, said):
        name = (getattr(result, "host", None) or result._host).get_name()  # pylint: disable=protected-access
        began = self._started.pop(name, None)
        seconds = f" ({time.monotonic() - began:.1f} s)" if began is not None else ""
        self._display.display(f"{name}: {said}{seconds}")


def said_of(data):
    """What one diagnosis found, in a line: ``1 blocker, 2 warnings, 3 not judged, 40 passed, 21 requests``."""
    findings = data.get("findings") or []
    failed = [entry.get("severity") for entry in findings if entry.get("verdict") == "fail"]
    counts = [(failed.count(severity), severity) for severity in SEVERITIES]
    parts = [f"{number} {word}{'s' if number > 1 and word != 'info' else ''}" for number, word in counts if number]
    unknown = len(data.get("unknown") or [])
    parts += [f"{unknown} not judged"] if unknown else []
    parts.append(f"{len(data.get('passed') or [])} passed")
    requests = (data.get("statistics") or {}).get("requests")
    parts += [f"{requests} requests"] if requests else []
    return ", ".join(parts)


def colour_of(line):
    return next((colour for pattern, colour in COLOURS if pattern.match(line)), None)


def action(task):
    """A module's name without its collection."""
    return str(getattr(task, "action", "")).rsplit(".", 1)[-1]


def task_of(result):
    """ansible-core 2.19 made it public."""
    return getattr(result, "task", None) or result._task  # pylint: disable=protected-access


def data_of(result):
    return getattr(result, "result", None) or result._result  # pylint: disable=protected-access
