# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run through ansible-playbook itself: what an action plugin is given and may return differs between the supported versions of ansible-core."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from ansible.errors import AnsibleActionFail

from ansible_collections.fathom.submariner.plugins.action.direct import RUNNER, ActionModule

ROOT = Path(__file__).resolve().parents[4]
HERE = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
HOSTS = {
    "here": HERE,
    "other": {**HERE, "ansible_python_interpreter": "{{ ansible_playbook_python | dirname }}/./{{ ansible_playbook_python | basename }}"},
    "far": {"ansible_connection": "ssh", "ansible_host": "192.0.2.1"},
}
PACKED, DIRECT = "AnsiballZ_", "_run_module.py"
CHECK = "route-agent-blind"


def tasks(folder):
    """One after the other: its name, the host it is for, and the task."""
    listed = {"fathom.submariner.check_info": {"checks": [CHECK]}}
    made = {"findings": [], "clusters": [], "predictions": [], "plan_key": "hush-hush"}
    return [
        ("listed", "here", listed),
        ("wrong", "here", {"fathom.submariner.check_info": {"width": 10}}),
        ("unknown", "here", {"fathom.submariner.check_info": {"nonsense": 1}}),
        ("checked", "here", {"fathom.submariner.plan": {**made, "dest": f"{folder}/checked.plan"}, "check_mode": True}),
        ("made", "here", {"fathom.submariner.plan": {**made, "dest": f"{folder}/made.plan"}}),
        ("asked", "here", {"fathom.submariner.plan_info": {"name": "one"}, "environment": {"K8S_AUTH_KUBECONFIG": "/nowhere/at/all"}}),
        ("background", "here", {**listed, "async": 60, "poll": 1}),
        ("other", "other", listed),
        ("delegated", "far", {**listed, "delegate_to": "here"}),
    ]


class Run:
    """All these tasks, run by ansible-playbook."""

    def __init__(self, folder):
        self._folder = folder
        plays = []
        for name, host, task in tasks(folder):
            kept = {"ansible.builtin.copy": {"content": "{{ kept | to_json }}", "dest": f"{folder}/{name}.json"}, "delegate_to": "here"}
            both = [{"name": name, "register": "kept", "ignore_errors": True, **task}, {"name": "keep", **kept}]
            plays.append({"hosts": host, "gather_facts": False, "tasks": both})
        (folder / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": HOSTS}}))
        (folder / "play.yml").write_text(yaml.safe_dump(plays))
        variables = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": sysconfig.get_paths()["purelib"],
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        }
        program = [str(Path(sys.executable).parent / "ansible-playbook"), "-vvv", "-i", str(folder / "inventory.yml"), str(folder / "play.yml")]
        done = subprocess.run(program, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        self.said = done.stdout + done.stderr
        assert done.returncode == 0, self.said

    def result(self, name):
        return json.loads((self._folder / f"{name}.json").read_text())

    def ways(self, name):
        """Which of the two were used for a task."""
        text = self.said.partition(f"TASK [{name}]")[2].partition("TASK [")[0]
        return {way for way in (PACKED, DIRECT) if way in text}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("direct"))


def test_a_module_for_this_python_is_started_where_it_is_installed(run):
    assert [run.ways(name) for name in ("listed", "wrong", "unknown", "checked", "made", "asked", "delegated")] == [{DIRECT}] * 7
    for name in ("listed", "delegated"):
        assert [check["id"] for check in run.result(name)["checks"]] == [CHECK] and not run.result(name)["failed"]


def test_anything_else_is_ansibles_to_start(run):
    for name in ("background", "other"):
        assert run.ways(name) == {PACKED} and [check["id"] for check in run.result(name)["checks"]] == [CHECK]


def test_failures_are_the_modules_own(run):
    assert run.result("wrong")["failed"] and "at least 40 columns" in run.result("wrong")["msg"]
    assert "Unsupported parameters for (check_info) module: nonsense" in run.result("unknown")["msg"]


def test_check_mode_environment_and_secrets_arrive_as_with_ansible(run):
    made = Path(run.result("made")["file"])
    assert made.is_file() and run.result("checked")["file"] == "" and not made.with_name("checked.plan").exists()
    assert "/nowhere/at/all" in run.result("asked")["msg"]
    assert "hush-hush" not in run.said


def action(stdout="", stderr="", become=None, code=0):
    made = ActionModule.__new__(ActionModule)
    made._task = SimpleNamespace(action="fathom.submariner.report", args={}, async_val=0, delegate_to=None)
    made._connection = SimpleNamespace(transport="local", become=become)
    made._templar = SimpleNamespace(template=lambda value: value)
    made._update_module_args = lambda *_arguments: None
    made._compute_environment_string = lambda: ""
    made._low_level_execute_command = lambda *_arguments, **_options: {"rc": code, "stdout": stdout, "stderr": stderr}
    return made


@pytest.mark.parametrize("stdout", ["", "[]", "Killed", '{"changed": '])
def test_a_module_that_dies_is_a_failure_that_says_so(stdout):
    with pytest.raises(AnsibleActionFail, match="fathom.submariner.report ended with exit code 137 and without a result. It said: .*out of memory"):
        action(stdout, "out of memory", code=137)._start({})


def test_what_a_library_says_on_the_way_is_no_result():
    assert action('mind the gap\n\n{"changed": false}\n')._start({}) == {"changed": False}


def test_another_user_is_ansibles_to_become():
    known = {"ansible_python_interpreter": sys.executable}
    assert action()._is_for_this_python(known) and not action(become=object())._is_for_this_python(known) and not action()._is_for_this_python({})


def test_the_modules_are_found_beside_other_collections_of_any_kind(tmp_path):
    """Package ansible of PyPI is an ``ansible_collections`` of its own."""
    (tmp_path / "ansible_collections").mkdir()
    (tmp_path / "ansible_collections/__init__.py").write_text("raise ImportError('the wrong one')\n")
    given = json.dumps({"ANSIBLE_MODULE_ARGS": {"checks": ["route-agent-blind"]}})
    words = [sys.executable, RUNNER, sysconfig.get_paths()["purelib"], "check_info"]
    done = subprocess.run(words, input=given, env={**os.environ, "PYTHONPATH": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and json.loads(done.stdout)["checks"], done.stderr


def test_every_module_that_runs_on_the_controller_comes_here_and_none_for_a_node():
    routed = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["plugin_routing"]["modules"]
    assert {each["action_plugin"] for each in routed.values()} == {"fathom.submariner.direct"}
    modules = {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
    on_hosts = {"rke2_manifest", *(name for name in modules if name.startswith(("node_", "path_")))} - {"node_fitness", "node_maintenance", "node_probe"}
    assert set(routed) == modules - on_hosts
