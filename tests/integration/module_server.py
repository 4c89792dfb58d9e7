# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that runs modules of the collection, each in a process of its own that need not import everything again.

It reads lines of JSON, each a list of ``[module, arguments]`` to run side by side, and answers each with a line: a list of ``[exit code, stdout, stderr]``.
A child is what Ansible would have started: its ``main()``, arguments as Ansible hands them over, one JSON object on its standard output.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import traceback

import kubernetes.client  # noqa: F401 - modules import it when they connect: once here instead of in every child
import kubernetes.config  # noqa: F401
from kubernetes.config import kube_config
from ansible.module_utils import basic

MODULES = "ansible_collections.fathom.submariner.plugins.modules"


def run(module: str, arguments: dict, output: int, errors: int) -> None:
    """In the child: never returns."""
    code = 1
    try:
        os.dup2(output, 1)
        os.dup2(errors, 2)
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        # Since ansible-core 2.19 also the serialization profile, which the module wrapper sets.
        basic._ANSIBLE_PROFILE = "legacy"
        importlib.import_module(f"{MODULES}.{module}").main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # os._exit tells nobody
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        kube_config._cleanup_temp_files()  # the client's key among them; os._exit leaves out what an interpreter does at its end
        os._exit(code)


def answer(orders: list) -> list:
    children = []
    for module, arguments in orders:
        importlib.import_module(f"{MODULES}.{module}")
        output, errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        pid = os.fork()
        if pid == 0:
            run(module, arguments, output.fileno(), errors.fileno())
        children.append((pid, output, errors))
    answers = []
    for pid, output, errors in children:
        status = os.waitpid(pid, 0)[1]
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode())
            file.close()
        answers.append([os.waitstatus_to_exitcode(status), *texts])
    return answers


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
