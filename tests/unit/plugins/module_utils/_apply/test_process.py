# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a process is dead, asked of real processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _process as processes

SLEEPER = [sys.executable, "-c", "import sys; sys.stdin.read()"]


@pytest.fixture
def child():
    started = subprocess.Popen(SLEEPER, stdin=subprocess.PIPE)
    yield started
    started.stdin.close()
    started.kill()
    started.wait()


def test_a_process_lives_until_it_is_killed_even_where_nobody_asked_how_it_ended(child):
    process = processes.process_of(child.pid)
    assert processes.is_dead(process) is False
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
    assert processes.is_dead(process) is True
    child.wait()
    assert processes.is_dead(process) is True and processes.process_of(child.pid) is None


def test_another_process_that_has_its_pid_now_is_another_process(child):
    process = processes.process_of(child.pid)
    assert processes.is_dead(process._replace(started=process.started - 1)) is True


@pytest.mark.parametrize("elsewhere", [{"boot": "another"}, {"namespace": "pid:[1]"}])
def test_of_another_machine_or_container_nothing_is_known(elsewhere):
    assert processes.is_dead(processes.this_process()._replace(**elsewhere, pid=4_000_000)) is None
    assert processes.is_dead(None) is None


def test_one_that_may_be_hidden_is_not_called_dead(monkeypatch):
    process = processes.this_process()
    monkeypatch.setattr(processes, "this_process", lambda: process)
    monkeypatch.setattr(processes, "_state_and_start", lambda pid: None)
    assert processes.is_dead(process) is False


def test_another_user_s_process_is_there(monkeypatch):
    def kill(pid, number):
        raise PermissionError

    process = processes.this_process()
    monkeypatch.setattr(os, "kill", kill)
    assert processes.is_dead(process) is False


def test_it_is_read_as_it_was_written_and_nothing_else_is():
    process = processes.this_process()
    assert processes.read(processes.written(process)) == process and str(process) == f"process {os.getpid()} on {os.uname().nodename}"
    assert processes.written(None) is None
    for text in (None, "", "{}", "[]", "1", '{"host": "h", "boot": "b", "namespace": "n", "pid": "x", "started": 1}'):
        assert processes.read(text) is None


def test_a_system_without_proc_tells_processes_apart_and_not_whether_they_have_ended(monkeypatch):
    monkeypatch.setattr(os, "readlink", lambda path: (_ for _ in ()).throw(FileNotFoundError(path)))
    here = processes.this_process()
    assert here == processes.read(processes.written(here)) != processes.process_of(os.getpid() + 1)
    assert processes.is_dead(here._replace(pid=4_000_000)) is None and processes.is_dead(processes.Process("h", "b", "n", 1, 1)) is None
