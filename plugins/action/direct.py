# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts a module where it is installed if it is to run here, in Ansible's own Python; anything else is left to Ansible.

Ansible packs a module with all that it imports, for each playbook anew, and Python compiles that anew in each run: some 4 seconds of a processor for each
of our modules, and nothing is gained by it where the files lie on this machine already. ``meta/runtime.yml`` names the modules that come here
(``action_plugin``). They are the same modules, started as their developers start them: arguments on the standard input, the result on the standard output
(https://docs.ansible.com/ansible/latest/dev_guide/developing_modules_general.html, "Verifying your module code locally").
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import typing as t

import ansible
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.vars import merge_hash

RUNNER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "plugin_utils", "_run_module.py")


class ActionModule(ActionBase):
    """Runs the task's module."""

    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        if self._is_for_this_python(task_vars or {}):
            return merge_hash(result, self._start(task_vars))
        wrap_async = self._task.async_val and not self._connection.has_native_async
        result = merge_hash(result, self._execute_module(task_vars=task_vars, wrap_async=wrap_async))
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _is_for_this_python(self, task_vars: dict[str, t.Any]) -> bool:
        """As root or another user, in the background, or with another interpreter it is Ansible's to start it."""
        if self._connection.transport != "local" or self._connection.become or self._task.async_val:
            return False
        if self._task.delegate_to:
            task_vars = task_vars.get("ansible_delegated_vars", {}).get(self._task.delegate_to, {})
        return self._templar.template(task_vars.get("ansible_python_interpreter", "")) == sys.executable

    def _start(self, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        name = self._task.action.rpartition(".")[2]
        arguments = dict(self._task.args)
        self._update_module_args(name, arguments, task_vars)
        # What Ansible itself is imported from: it need not lie where this interpreter looks for packages.
        words = [sys.executable, RUNNER, os.path.dirname(os.path.dirname(ansible.__file__)), name]
        command = " ".join(filter(None, (self._compute_environment_string(), *map(shlex.quote, words))))
        given = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, default=str)
        done = self._low_level_execute_command(command, sudoable=False, in_data=given.encode("utf-8", "surrogateescape"))
        try:
            # The last line: whatever a library says on the way stands before it.
            answer = json.loads(done["stdout"].rstrip().rpartition("\n")[2])
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            said = (done["stderr"] or done["stdout"]).strip()[-2000:] or "nothing"
            raise AnsibleActionFail(f"Module {self._task.action} ended with exit code {done['rc']} and without a result. It said: {said}")
        return answer
