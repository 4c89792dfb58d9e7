# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module rke2_manifest on files of a server, as a process would run it: changed in one step, backed up, or left as they are."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest
import yaml

CONFIG = """\
# ours
apiVersion: helm.cattle.io/v1
kind: HelmChartConfig
metadata: {name: rke2-calico, namespace: kube-system}
spec:
  valuesContent: |-
    installation:
      calicoNetwork:
        nodeAddressAutodetectionV4: {firstFound: true}
    registry:
      password: hunter2
"""
VALUES = {"installation": {"calicoNetwork": {"nodeAddressAutodetectionV4": {"kubernetes": "NodeInternalIP"}}}}
REPLACE = ["installation.calicoNetwork.nodeAddressAutodetectionV4"]
RUN = """
import json, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS = sys.argv[1].encode()
basic._ANSIBLE_PROFILE = "legacy"
from ansible_collections.fathom.submariner.plugins.modules import rke2_manifest
rke2_manifest.main()
"""


@pytest.fixture
def server(tmp_path):
    (tmp_path / "server/manifests").mkdir(parents=True)
    return tmp_path


def put(server, name, text=CONFIG):
    path = server / "server/manifests" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def run(server, check=False, **options):
    arguments = {"allow_disruption": True, "values": VALUES, "replace": REPLACE, "data_dir": str(server), "_ansible_check_mode": check, "_ansible_diff": True, **options}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps({"ANSIBLE_MODULE_ARGS": arguments})], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.startswith("{") or "\n{" in done.stdout, done.stdout + done.stderr
    result = json.loads(done.stdout[done.stdout.index("{"):])
    assert bool(result.get("failed")) == bool(done.returncode)
    return result


def test_check_mode_tells_and_the_real_run_does_the_same_once(server):
    path = put(server, "deep/rke2-calico-config.yaml")
    told = run(server, check=True)
    assert told["changed"] and path.read_text(encoding="utf-8") == CONFIG
    assert "hunter2" not in json.dumps(told["diff"]) and "NodeInternalIP" in told["diff"]["after"] and "firstFound" in told["diff"]["before"]
    done = run(server)
    assert done["changed"] and done["diff"] == told["diff"] and done["path"] == str(path)
    text = path.read_text(encoding="utf-8")
    values = yaml.safe_load(yaml.safe_load(text)["spec"]["valuesContent"])
    assert values == {**VALUES, "registry": {"password": "hunter2"}} and text.startswith("# ours\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with open(done["backup_file"], encoding="utf-8") as stream:
        assert stream.read() == CONFIG
    assert not done["backup_file"].endswith((".yaml", ".yml", ".json")), "RKE2 would apply it"
    assert sorted(each.name for each in server.rglob("*") if each.is_file()) == sorted([path.name, os.path.basename(done["backup_file"])])
    again = run(server)
    assert not again["changed"] and "diff" not in again and path.read_text(encoding="utf-8") == text


def test_a_server_without_the_file(server):
    put(server, "other.yaml", "kind: ConfigMap\n")
    put(server, "broken.yaml", "rke2-calico: [\n")
    put(server, "notes.txt")
    assert run(server) == {**run(server), "changed": False, "path": ""}
    assert run(server, path=str(server / "absent.yaml"))["path"] == ""


def test_two_files(server):
    put(server, "a.yaml")
    put(server, "b.yml")
    refused = run(server)
    assert refused["failed"] and "a.yaml" in refused["msg"] and "b.yml" in refused["msg"]


@pytest.mark.parametrize("folder", ["ansible_managed_0", "ansible_managed_1"])
def test_a_mirrored_folder(server, folder):
    path = put(server, f"{folder}/rke2-calico-config.yaml")
    refused = run(server)
    assert refused["failed"] and folder in refused["msg"] and "rke2_manifest_config_directory" in refused["msg"]
    assert path.read_text(encoding="utf-8") == CONFIG
    path.write_text(CONFIG.replace("firstFound: true", "kubernetes: NodeInternalIP"), encoding="utf-8")
    assert run(server)["changed"] is False, "what is right already need not be changed anywhere"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (CONFIG.replace("    registry:\n", "    a: &a\n      b: *a\n    registry:\n"), "inside itself"),
        (CONFIG.replace("installation:\n", "installation: [\n"), "no YAML"),
        (CONFIG.encode().replace(b"# ours", b"# \xff"), "no UTF-8"),
    ],
)
def test_a_file_that_cannot_be_changed_safely(server, text, reason):
    path = put(server, "rke2-calico-config.yaml")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    refused = run(server, path=str(path))
    assert refused["failed"] and reason in refused["msg"] and "left as it is" in refused["msg"] and "hunter2" not in refused["msg"]
    assert path.read_bytes() == (text if isinstance(text, bytes) else text.encode())


def test_consent_before_anything_is_written(server):
    path = put(server, "rke2-calico-config.yaml")
    refused = run(server, allow_disruption=False)
    assert refused["failed"] and "allow_disruption=true" in refused["msg"] and "other values of installation" in refused["msg"]
    assert path.read_text(encoding="utf-8") == CONFIG and len(list(path.parent.iterdir())) == 1
    told = run(server, check=True, allow_disruption=False)
    assert told["changed"] and told["disruptive"] and "the real run is refused" in str(told["warnings"])
    assert "warnings" not in run(server, check=True)
    server_alone = run(server, allow_disruption=False, values={"apiServer": {"enabled": True}}, replace=[])
    assert server_alone["changed"] and server_alone["disruptive"] == []
    assert run(server)["changed"] and run(server, allow_disruption=False)["disruptive"] == [], "what is right already needs no consent"


def test_without_a_backup(server):
    put(server, "rke2-calico-config.yaml")
    assert "backup_file" not in run(server, backup=False)
