# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""That every server gets its manifest file changed, by real Ansible: the task file is the role's, the module is a stand-in that says where it ran."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
FILES = [{"path": "/m/a.yaml", "values": {"x": 1}}, {"path": "/m/b.yaml", "values": {"x": 1}}]
NAMES = ("rke2-1", "rke2-2")


def run(tmp_path, servers, unreachable=()):
    """Return the result, and which server got which file changed."""
    role = (ROOT / "roles/rke2_manifest/tasks/main.yml").read_text(encoding="utf-8")
    (tmp_path / "main.yml").write_text(role.replace("fathom.submariner.rke2_manifest:", "noted:"))
    (tmp_path / "library").mkdir()
    (tmp_path / "library/noted.py").write_text(
        "from ansible.module_utils.basic import AnsibleModule\n"
        "spec = {'path': {}, 'chart': {}, 'values': {'type': 'dict'}, 'replace': {'type': 'list'}, 'backup': {'type': 'bool'}}\n"
        "module = AnsibleModule({**spec, 'allow_disruption': {'type': 'bool'}})\n"
        f"open({str(tmp_path / 'log')!r}, 'a').write(module.params['path'] + '\\n')\n"
        "module.exit_json(changed=True)\n"
    )
    shutil.copy(ROOT / "roles/rke2_manifest/defaults/main.yml", tmp_path / "defaults.yml")
    (tmp_path / "play.yml").write_text(
        "- {hosts: cluster-1, gather_facts: false, vars_files: [defaults.yml], tasks: [{ansible.builtin.include_tasks: main.yml}]}\n"
    )
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    nowhere = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    hosts = {"cluster-1": here, **{name: nowhere if name in unreachable else here for name in NAMES}}
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    extra = json.dumps({"rke2_manifest_servers": servers, "rke2_manifest_files": FILES, "rke2_manifest_become": False})
    plain = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts.json", "play.yml", "-e", extra],
        cwd=tmp_path, env={**plain, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(tmp_path / "home")}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    log = tmp_path / "log"
    return done, log.read_text().split() if log.exists() else []


@pytest.mark.parametrize("servers", [list(NAMES), "rke2-1,rke2-2", "rke2-1, rke2-2", "rke2-1 rke2-2"])
def test_every_server_gets_every_file(tmp_path, servers):
    done, changed = run(tmp_path, servers)
    assert done.returncode == 0, done.stdout + done.stderr
    assert changed == ["/m/a.yaml", "/m/b.yaml"] * 2
    assert all(f"cluster-1 -> {name}" in done.stdout for name in NAMES)


def test_no_server_is_no_failure(tmp_path):
    done, changed = run(tmp_path, "")
    assert (done.returncode, changed) == (0, []), done.stdout + done.stderr


def test_a_server_that_cannot_be_reached_fails_in_words_after_the_others(tmp_path):
    done, changed = run(tmp_path, "rke2-1,rke2-2", unreachable=["rke2-1"])
    assert done.returncode == 2, done.stdout + done.stderr
    assert changed == ["/m/a.yaml", "/m/b.yaml"], "on the other server"
    text = " ".join(done.stdout.split())
    assert "These files still need the change" in text and "rke2-1: /m/a.yaml" in text and "rke2-1: /m/b.yaml" in text
    assert "rke2-2: /m/" not in text and "undefined" not in text
