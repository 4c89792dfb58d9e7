# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run through ansible-playbook itself: the plugin interface differs between the supported versions of ansible-core."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from ansible import constants

from ansible_collections.fathom.submariner.plugins.callback import summary


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


class Recorder:
    """Stands for Ansible's display."""

    def __init__(self):
        self.lines = []

    def display(self, text, color=None, **_keywords):
        self.lines.append((text, color))


class Event:
    """What both supported versions of ansible-core give to a callback, as far as it is looked at."""

    def __init__(self, action, data=None, host="cluster-1"):
        self.task = self._task = self
        self.action = action
        self.result = self._result = data or {}
        self.host = self._host = self
        self.get_name = lambda: host


DIAGNOSIS = {
    "findings": [{"severity": "blocker", "verdict": "fail"}, {"severity": "warning", "verdict": "fail"}, {"severity": "warning", "verdict": "fail"}, {"severity": "error", "verdict": "unknown"}],
    "unknown": ["some-check"],
    "passed": ["a", "b"],
    "statistics": {"requests": 21},
}


@pytest.fixture
def callback():
    made = summary.CallbackModule()
    made._display = Recorder()  # pylint: disable=protected-access
    return made


def test_a_cluster_is_a_line_when_it_has_been_read(callback):
    callback.v2_runner_on_start(Event(""), Event("fathom.submariner.diagnose"))
    callback.v2_runner_on_ok(Event("fathom.submariner.diagnose", DIAGNOSIS))
    (line, _colour), = callback._display.lines
    assert re.fullmatch(r"cluster-1: 1 blocker, 2 warnings, 1 not judged, 2 passed, 21 requests \(\d+\.\d s\)", line)


def test_on_a_terminal_it_is_said_when_reading_begins(callback):
    callback._terminal = True
    callback.v2_runner_on_start(Event(""), Event("fathom.submariner.diagnose"))
    callback.v2_runner_on_start(Event(""), Event("ansible.builtin.debug"))
    assert callback._display.lines == [("cluster-1: reading ...", None)]


def test_failures_are_said_too(callback):
    callback.v2_runner_on_failed(Event("fathom.submariner.diagnose"))
    callback.v2_runner_on_unreachable(Event("fathom.submariner.diagnose", host="cluster-2"))
    callback.v2_runner_on_failed(Event("ansible.builtin.fail"))
    assert [line for line, _colour in callback._display.lines] == ["cluster-1: not diagnosed", "cluster-2: not diagnosed: its host is unreachable"]


@pytest.mark.parametrize(
    ("line", "colour"),
    [
        ("1. BLOCKER  cluster-1  some-check", "COLOR_ERROR"),
        ("ERROR  cluster-1  facts", "COLOR_ERROR"),
        ("2. WARNING  cluster-1  some-check", "COLOR_WARN"),
        ("ok  cluster-2  facts", "COLOR_OK"),
        ("FAIL. A person must act", "COLOR_ERROR"),
        ("UNKNOWN: what could not be read", "COLOR_WARN"),
        ("   OK in the middle of evidence", None),
        ("Submariner was told", None),
    ],
)
def test_colour_follows_the_word(line, colour):
    assert summary.colour_of(line) == (getattr(constants, colour) if colour else None)


def test_the_catalogue_is_printed_too(callback):
    callback.v2_runner_on_ok(Event("fathom.submariner.check_info", {"lines": ["a check"]}))
    callback.v2_playbook_on_stats(None)
    assert callback._display.lines == [("a check", None)]
