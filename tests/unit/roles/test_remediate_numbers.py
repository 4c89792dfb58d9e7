# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stop rules of role remediate as users give them, by real Ansible: 0 switches one off, so that nothing but 0 may mean that."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROLE = pathlib.Path(__file__).resolve().parents[3] / "roles/remediate"
RULES = ("max_failures", "min_healthy_gateways", "wait_for_lock")
GOOD = {
    "not-given": (None, (1, 0, 0)),
    "empty": ("", (1, 0, 0)),
    "zero": (0, (0, 0, 0)),
    "zero-text": ("0", (0, 0, 0)),
    "text": ("3", (3, 3, 3)),
    "number": (5, (5, 5, 5)),
}
BAD = {"word": "one", "percent": "10%", "none-text": "none", "below": -1, "below-text": "-1", "fraction": "1.5", "bool": True, "false": False, "list": [1]}
PLAY = """---
- hosts: all
  gather_facts: false
  vars_files: [{defaults}]
  tasks:
    - name: Judge
      ansible.builtin.validate_argument_spec:
        argument_spec: "{{{{ {{rule: (lookup('ansible.builtin.file', '{spec}') | from_yaml).argument_specs.main.options[rule]}} }}}}"
      register: judged
      ignore_errors: true
    - name: Note it
      ansible.builtin.set_fact:
        noted: "{{{{ {{'failed': judged.failed, 'msg': judged.msg, 'value': none if judged.failed else lookup('ansible.builtin.vars', rule)}} }}}}"
    - name: Show it
      ansible.builtin.copy:
        content: "{{{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'noted'))) | to_json }}}}"
        dest: "{folder}/noted.json"
      run_once: true
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """What the specification of the arguments says of a case and a rule; each host is one of them."""
    folder = tmp_path_factory.mktemp("rules")
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    values = {**{case: value for case, (value, meant) in GOOD.items()}, **BAD}
    hosts = {
        f"{case}.{rule}": {**here, "rule": f"remediate_{rule}", **({} if value is None else {f"submariner_{rule}": value})}
        for case, value in values.items()
        for rule in RULES
    }
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    (folder / "play.yml").write_text(PLAY.format(defaults=ROLE / "defaults/main.yml", spec=ROLE / "meta/argument_specs.yml", folder=folder))
    plain = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts.json", "play.yml"],
        cwd=folder, env={**plain, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(folder / "home")}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    noted = json.loads((folder / "noted.json").read_text())
    return lambda case, rule: noted[f"{case}.{rule}"]


@pytest.mark.parametrize("rule", range(len(RULES)), ids=RULES)
@pytest.mark.parametrize("case", GOOD)
def test_a_number_means_itself_and_nothing_the_default(judged, case, rule):
    found = judged(case, RULES[rule])
    assert not found["failed"], found
    assert int(found["value"]) == GOOD[case][1][rule]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("case", BAD)
def test_what_is_no_number_is_refused_by_name(judged, case, rule):
    found = judged(case, rule)
    assert found["failed"] and rule in found["msg"], found
    if case.startswith("below"):
        assert f"submariner_{rule} is -1: it must be a number" in found["msg"] and "0 or more" in found["msg"]
