# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends a run with what the diagnosis found, as text that a person can read."""

from __future__ import annotations

DOCUMENTATION = r"""
name: summary
type: aggregate
short_description: End a run with what the diagnosis found
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Prints the summary of the last M(fathom.submariner.report) of a run after its recap, as plain lines of at most 80 columns.
  - Without it, role C(fathom.submariner.diagnose) shows the same lines as a task's result. With it, C(diagnose_show=false) avoids the repetition.
requirements:
  - Enabled with C(callbacks_enabled=fathom.submariner.summary) or E(ANSIBLE_CALLBACKS_ENABLED).
"""

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Remembers the last report, prints it last."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "fathom.submariner.summary"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self._lines = []

    def v2_runner_on_ok(self, result):
        """Keep the lines of a report; its module's name tells it from other results that have lines."""
        task = getattr(result, "task", None) or result._task  # pylint: disable=protected-access
        if task.action.rsplit(".", 1)[-1] == "report":
            data = getattr(result, "result", None) or result._result  # pylint: disable=protected-access
            self._lines = [str(line) for line in data.get("lines") or []]

    def v2_playbook_on_stats(self, stats):
        """Print them."""
        for line in self._lines:
            self._display.display(line)
