# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run through ansible-playbook itself: the plugin interface differs between the supported versions of ansible-core."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path


def run(tmp_path, **enabled):
    play = tmp_path / "play.yml"
    tasks = [{"name": "Report on nothing", "fathom.submariner.report": {"clusters": []}, "register": "report"}, {"ansible.builtin.debug": {"msg": {"lines": ["NOT A REPORT"]}}}]
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks, "vars": {"ansible_python_interpreter": sys.executable}}]))
    environment = {
        **{key: value for key, value in os.environ.items() if key != "ANSIBLE_CALLBACKS_ENABLED"},
        **enabled,
        "ANSIBLE_COLLECTIONS_PATH": sysconfig.get_paths()["purelib"],
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    program = Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run([str(program), "-i", "localhost,", "-c", "local", str(play)], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_lines_of_the_report_come_last_as_plain_text(tmp_path):
    before, recap, after = run(tmp_path, ANSIBLE_CALLBACKS_ENABLED="fathom.submariner.summary").partition("PLAY RECAP")
    assert recap and "0 clusters" in after
    assert "0 clusters" not in before
    assert '"0 clusters' not in after


def test_it_is_silent_unless_enabled(tmp_path):
    assert "0 clusters" not in run(tmp_path)
