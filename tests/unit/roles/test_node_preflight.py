# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role node_preflight by real Ansible, on documents and on this very machine as an ordinary host."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import document_of
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.test_node_fitness import bare, without


@pytest.fixture
def play(tmp_path):
    reports = tmp_path / "nodes"
    reports.mkdir()
    for host in (bare("worker-1"), without("ip_set", name="jetson-1")):
        (reports / f"{host.node}.json").write_text(json.dumps(document_of(host)))
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "submariner_cluster": "cluster-1"}
    names = {"w1": "worker-1", "jetson-1": "jetson-1", "lost-1": "lost-1"}
    hosts = {name: {**here, **({"submariner_node_name": node} if node != name else {})} for name, node in names.items()}
    hosts["lost-1"] = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1, "submariner_cluster": "cluster-1"}
    (tmp_path / "hosts.json").write_text(json.dumps({"submariner_nodes": {"hosts": hosts}}))
    (tmp_path / "play.yml").write_text(
        "- import_playbook: fathom.submariner.node_preflight\n"
        "- {hosts: submariner_nodes, gather_facts: false, tasks: [{debug: {var: node_preflight_result.placement}, run_once: true}]}\n"
    )

    def call(*arguments, **variables):
        extra = json.dumps({"node_preflight_reports": [str(reports)], "node_preflight_calico_version": "v3.31.5", **variables})
        plain = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_") or key == "ANSIBLE_COLLECTIONS_PATH"}
        return subprocess.run(
            [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts.json", "play.yml", "-e", extra, *arguments],
            cwd=tmp_path, env={**plain, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(tmp_path / "home")}, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip

    return call


def test_unfit_hosts_fail_and_the_placement_is_left(play):
    done = play()
    assert done.returncode == 2, done.stdout + done.stderr
    assert "jetson-1 is unfit:" in done.stdout and "lacks kernel module ip_set" in done.stdout
    assert '"calico_node_placement_nodes": [' in done.stdout and "lost-1 of cluster-1: unknown" in done.stdout
    recap = {line.split()[0]: line for line in done.stdout.partition("PLAY RECAP")[2].splitlines()[1:] if line.strip()}
    assert {name: "failed=1" in line for name, line in recap.items()} == {"w1": False, "jetson-1": True, "lost-1": False}


@pytest.mark.parametrize("fail_on, failing", [("unknown", {"jetson-1", "lost-1"}), ("never", set())])
def test_who_fails_is_the_users_choice(play, fail_on, failing):
    done = play(node_preflight_fail_on=fail_on)
    recap = {line.split()[0]: line for line in done.stdout.partition("PLAY RECAP")[2].splitlines()[1:] if line.strip()}
    assert {name for name, line in recap.items() if "failed=1" in line} == failing, done.stdout + done.stderr


def test_hosts_are_read_where_no_documents_are_given_and_one_that_is_not_reached_is_unknown(play, tmp_path):
    kept = tmp_path / "kept"
    done = play(node_preflight_reports=[], node_preflight_become=False, node_preflight_fail_on="never", node_preflight_dest=str(kept))
    assert done.returncode == 4, done.stdout + done.stderr  # of the host that is not reached
    assert sorted(path.name for path in kept.iterdir()) == ["jetson-1.json", "worker-1.json"]
    assert json.loads((kept / "worker-1.json").read_text())["metadata"] == {"name": "worker-1", "cluster": "cluster-1"}
    assert "lost-1 of cluster-1: unknown" in done.stdout and "its host was not reached, or not read" in done.stdout
    assert "worker-1 of cluster-1:" in done.stdout or "fit: jetson-1, worker-1" in done.stdout
    assert "changed=1" not in done.stdout and "changed=2" not in done.stdout, "nothing of a host is changed"


def test_a_gateway_that_no_node_is_called(play):
    done = play(node_preflight_gateways=["worker-1.example.net"])
    assert done.returncode == 2 and "gateways: no node is called worker-1.example.net; there are" in done.stdout, done.stdout + done.stderr


def test_a_gateway_that_this_run_leaves_out_is_no_mistake(play, tmp_path):
    (tmp_path / "nodes" / "worker-1.json").unlink()
    done = play("--limit", "lost-1", node_preflight_gateways=["worker-1", "lost-1"])
    assert done.returncode == 0 and "no node is called" not in done.stdout, done.stdout + done.stderr


def test_what_the_page_shows_finds_the_result_though_the_first_host_was_not_reached(play, tmp_path):
    inventory = json.loads((tmp_path / "hosts.json").read_text())
    hosts = inventory["submariner_nodes"]["hosts"]
    inventory["submariner_nodes"]["hosts"] = {"lost-1": hosts.pop("lost-1"), **hosts}
    (tmp_path / "hosts.json").write_text(json.dumps(inventory))
    page = (pathlib.Path(__file__).parents[3] / "docs/docsite/rst/node_preflight.rst").read_text(encoding="utf-8")
    told = {name: re.search(rf'^ +{name}: "(.*)"$', page, re.MULTILINE).group(1) for name in ("node_reached", "node_judged", "node_placement")}
    told["node_placement"] = told["node_placement"].replace("inventory_hostname", "'cluster-1'")
    second = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": told, "tasks": [{"debug": {"msg": "found {{ node_placement }}"}}]}]
    first = (tmp_path / "play.yml").read_text().splitlines()[0]
    (tmp_path / "play.yml").write_text(f"{first}\n- {json.dumps(second[0])}\n")
    done = play(node_preflight_reports=[], node_preflight_become=False, node_preflight_fail_on="never")
    assert "found {" in done.stdout, done.stdout + done.stderr
