# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host role node_maintenance reboots, by real Ansible; clusters and the reboot itself are played, and all hosts are this machine."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import yaml

ROLE = pathlib.Path(__file__).parents[3] / "roles" / "node_maintenance"
BOOT_ID = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
CLUSTERS = {"cluster-1": {}, "cluster-2": {}}
ALIKE = {
    "c1-worker": {"submariner_node_name": "worker-1", "submariner_cluster": "cluster-1"},
    "c2-worker": {"submariner_node_name": "worker-1", "submariner_cluster": "cluster-2"},
}


@pytest.fixture
def maintain(tmp_path):
    """Call the role for worker-1 of some clusters; returns what it rebooted as {cluster: host}, "" for none, and the output."""
    role = tmp_path / "roles" / "node_maintenance"
    shutil.copytree(ROLE, role)
    tasks = role / "tasks"
    noted = {"boot_id": "{{ played_noted }}", "boot_id_now": "{{ played_now }}"}
    (tasks / "prepare_node.yml").write_text(json.dumps([{"name": "Play it", "ansible.builtin.set_fact": {"node_maintenance_result": noted}}]), encoding="utf-8")
    (tasks / "return_node.yml").write_text(
        json.dumps([{"name": "Tell", "ansible.builtin.debug": {"msg": "{{ inventory_hostname }} back by <{{ node_maintenance_host }}>"}}]), encoding="utf-8"
    )
    reboot = yaml.safe_load((tasks / "reboot_node.yml").read_text(encoding="utf-8"))
    (task,) = [each for each in reboot if "ansible.builtin.reboot" in each]
    del task["ansible.builtin.reboot"]  # of this very machine
    task.update({"ansible.builtin.debug": {"msg": "{{ inventory_hostname }} reboots <" + task["delegate_to"] + ">"}, "become": False})
    (tasks / "reboot_node.yml").write_text(json.dumps(reboot), encoding="utf-8")
    play = {"hosts": "submariner_clusters", "gather_facts": False, "serial": 1, "any_errors_fatal": True, "roles": [{"role": "node_maintenance"}]}
    (tmp_path / "play.yml").write_text(json.dumps([play]), encoding="utf-8")

    def call(clusters, machines, *, noted=BOOT_ID, now=BOOT_ID, **variables):
        here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        groups = {"submariner_clusters": {"hosts": clusters}, "submariner_nodes": {"hosts": machines}}
        (tmp_path / "hosts.json").write_text(json.dumps({"all": {"vars": here, "children": groups}}), encoding="utf-8")
        extra = json.dumps({"node_maintenance_nodes": ["worker-1"], "played_noted": noted, "played_now": now, **variables})
        plain = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_") or key == "ANSIBLE_COLLECTIONS_PATH"}
        done = subprocess.run(
            [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts.json", "play.yml", "-e", extra],
            cwd=tmp_path, env={**plain, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(tmp_path / "home")}, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
        return done.returncode, dict(re.findall(r"([\w-]+) reboots <(.*?)>", done.stdout)), " ".join((done.stdout + done.stderr).split())

    return call


def test_each_cluster_has_its_own_node_rebooted_where_they_have_the_same_name(maintain):
    code, rebooted, said = maintain(CLUSTERS, ALIKE)
    assert code == 0 and rebooted == {"cluster-1": "c1-worker", "cluster-2": "c2-worker"}, said


def test_with_one_cluster_its_name_may_be_left_out_and_the_hosts_name_will_do(maintain):
    code, rebooted, said = maintain({"cluster-1": {}}, {"worker-2": {}, "worker-1": {}})
    assert code == 0 and rebooted == {"cluster-1": "worker-1"}, said


def test_a_host_whose_node_is_called_otherwise_is_not_the_node_with_its_name(maintain):
    code, rebooted, said = maintain({"cluster-1": {}}, {"worker-1": {"submariner_node_name": "worker-9"}})
    assert code == 0 and rebooted == {} and "cluster-1 back by <>" in said, said


@pytest.mark.parametrize("machines", [{"worker-1": {}, **ALIKE}, {**ALIKE, "worker-1": {"submariner_cluster": "cluster-1"}}])
def test_what_is_not_sure_is_refused_before_anything_is_written(maintain, machines):
    code, rebooted, said = maintain(CLUSTERS, machines)
    assert code != 0 and rebooted == {} and "Say of each in submariner_cluster" in said and "Nothing was written" in said and "Play it" not in said, said


def test_where_others_reboot_nobody_asks_for_hosts(maintain):
    code, rebooted, said = maintain(CLUSTERS, {"c1-worker": {"submariner_node_name": "worker-1"}}, node_maintenance_reboot="wait")
    assert code == 0 and rebooted == {}, said


def test_a_host_that_is_another_machine_is_not_rebooted(maintain):
    code, rebooted, said = maintain({"cluster-1": {}}, {"worker-1": {}}, noted="another", now="another")
    assert code != 0 and rebooted == {}, said
    assert f"Host worker-1 is not rebooted, since it is not Node worker-1 of cluster-1: its boot is {BOOT_ID}, and the Node's bootID is another" in said


def test_one_that_has_been_rebooted_since_it_was_prepared_is_not_rebooted_again(maintain):
    code, rebooted, said = maintain({"cluster-1": {}}, {"worker-1": {}}, noted="the one before")
    assert code == 0 and rebooted == {} and "cluster-1 back by <worker-1>" in said, said
