# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""That steps are carried out one at a time and in their order over all hosts, by real Ansible: the task files are the role's, what a step does is not."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
HOSTS = ("cluster-1", "cluster-2", "cluster-3")
STEPS = [(1, "cluster-2"), (2, "cluster-1"), (3, "cluster-1"), (4, "cluster-3"), (5, "cluster-2"), (6, "cluster-1"), (7, "cluster-3")]
FAILS = 3
WORK = """---
- name: Work
  block:
    - name: Take a while
      ansible.builtin.shell: "echo begin {{ VAR.n }} {{ inventory_hostname }} >> {{ log }}; sleep 0.{{ 9 - VAR.n }}; echo end {{ VAR.n }} >> {{ log }}"
    - name: Fail one
      ansible.builtin.fail:
      when: VAR.n == fails
  rescue:
    - name: Go on
      ansible.builtin.debug:
"""
PLAY = """---
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_tasks: ENTRY
      loop: "{{ steps }}"
      loop_control:
        loop_var: VAR
"""


@pytest.mark.parametrize(
    "role, variable, entry, work", [("remediate", "remediate_step", "step.yml", "carry_out.yml"), ("plan", "plan_step", "predict.yml", "predict_step.yml")]
)
def test_steps_run_one_at_a_time_in_their_order_whatever_cluster_they_are_on(tmp_path, role, variable, entry, work):
    for name in (entry, "idle.yml"):
        shutil.copy(ROOT / "roles" / role / "tasks" / name, tmp_path)
    (tmp_path / work).write_text(WORK.replace("VAR", variable))
    (tmp_path / "play.yml").write_text(PLAY.replace("ENTRY", entry).replace("VAR", variable))
    steps = [{"n": n, "cluster": cluster, "role": "fathom.submariner.join"} for n, cluster in STEPS]
    hosts = {name: {"ansible_connection": "local", "ansible_python_interpreter": sys.executable} for name in HOSTS}
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    extra = json.dumps({"steps": steps, "log": str(tmp_path / "log"), "fails": FAILS})
    plain = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts.json", "play.yml", "-e", extra],
        cwd=tmp_path, env={**plain, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(tmp_path / "home")}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    expected = [line for n, cluster in STEPS for line in (f"begin {n} {cluster}", f"end {n}")]
    assert (tmp_path / "log").read_text().splitlines() == expected
