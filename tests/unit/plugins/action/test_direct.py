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
PACKED, DIRECT = "AnsiballZ_", "_run_module.py"


def play(tmp_path, *tasks, hosts=None, check=False, **environment):
    """Results by name of the task, and all that was printed with -vvv."""
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts or {"here": HERE}}}))
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "here", "gather_facts": False, "tasks": list(tasks)}]))
    variables = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": sysconfig.get_paths()["purelib"],
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        **environment,
    }
    program = [str(Path(sys.executable).parent / "ansible-playbook"), "-vvv", "-i", str(tmp_path / "inventory.yml"), str(tmp_path / "play.yml")]
    done = subprocess.run([*program, *(["--check"] if check else [])], env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def keep(tmp_path, name, **task):
    """A task, and one that keeps its result in a file."""
    kept = {"ansible.builtin.copy": {"content": "{{ kept | to_json }}", "dest": str(tmp_path / name)}, "delegate_to": "localhost", "check_mode": False}
    return [{"register": "kept", "ignore_errors": True, **task}, kept]


def result(tmp_path, name):
    return json.loads((tmp_path / name).read_text())


def test_a_module_for_this_python_is_started_where_it_is_installed(tmp_path):
    tasks = [
        *keep(tmp_path, "listed", **{"fathom.submariner.check_info": {"checks": ["route-agent-blind"]}}),
        *keep(tmp_path, "wrong", **{"fathom.submariner.check_info": {"width": 10}}),
        *keep(tmp_path, "unknown", **{"fathom.submariner.check_info": {"nonsense": 1}}),
    ]
    code, said = play(tmp_path, *tasks)
    assert code == 0 and said.count(DIRECT) >= 3 and f"{PACKED}check_info" not in said
    assert [check["id"] for check in result(tmp_path, "listed")["checks"]] == ["route-agent-blind"] and not result(tmp_path, "listed")["failed"]
    assert result(tmp_path, "wrong")["failed"] and "at least 40 columns" in result(tmp_path, "wrong")["msg"]
    assert "Unsupported parameters for (check_info) module: nonsense" in result(tmp_path, "unknown")["msg"]


def test_check_mode_and_secrets_arrive_as_with_ansible(tmp_path):
    dest = tmp_path / "plan.json"
    arguments = {"findings": [], "clusters": [], "predictions": [], "plan_key": "hush-hush", "dest": str(dest)}
    code, said = play(tmp_path, *keep(tmp_path, "made", **{"fathom.submariner.plan": arguments}), check=True)
    assert code == 0 and DIRECT in said, said
    assert "hush-hush" not in said and not dest.exists() and result(tmp_path, "made")["file"] == ""
    assert play(tmp_path, *keep(tmp_path, "made", **{"fathom.submariner.plan": arguments}))[0] == 0
    assert dest.exists() and result(tmp_path, "made")["file"] == str(dest)


@pytest.mark.parametrize(
    ("task", "host"),
    [
        ({"async": 60, "poll": 1}, HERE),
        ({}, {**HERE, "ansible_python_interpreter": sys.executable + "3"}),
        ({}, {"ansible_connection": "local", "ansible_python_interpreter": f"/usr/bin/env {sys.executable}"}),
    ],
    ids=["in the background", "another interpreter", "an interpreter with words"],
)
def test_anything_else_is_ansibles_to_start(tmp_path, task, host):
    if host["ansible_python_interpreter"] == sys.executable + "3" and not Path(sys.executable + "3").exists():
        pytest.skip("this Python has one name only")
    code, said = play(tmp_path, *keep(tmp_path, "listed", **{"fathom.submariner.check_info": {"checks": ["route-agent-blind"]}, **task}), hosts={"here": host})
    assert code == 0 and DIRECT not in said and PACKED in said
    assert [check["id"] for check in result(tmp_path, "listed")["checks"]] == ["route-agent-blind"]


def test_the_interpreter_is_that_of_the_host_that_the_task_is_delegated_to(tmp_path):
    hosts = {"here": {"ansible_connection": "ssh", "ansible_host": "192.0.2.1"}, "there": HERE}
    task = {"fathom.submariner.check_info": {"checks": ["route-agent-blind"]}, "delegate_to": "there"}
    code, said = play(tmp_path, *keep(tmp_path, "listed", **task), hosts=hosts)
    assert code == 0 and DIRECT in said and result(tmp_path, "listed")["checks"]


def test_the_environment_of_a_task_reaches_its_module(tmp_path):
    task = {"fathom.submariner.plan_info": {"name": "one"}, "environment": {"K8S_AUTH_KUBECONFIG": "/nowhere/at/all"}}
    said = play(tmp_path, *keep(tmp_path, "asked", **task))[1]
    assert DIRECT in said and "/nowhere/at/all" in result(tmp_path, "asked")["msg"]


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
