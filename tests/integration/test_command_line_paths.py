# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths on the command line begin where the user stands, not where the collection is installed."""

from __future__ import annotations

import json
import subprocess

from tests.integration.clusterset import environment

NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "uid": "1"}, "spec": {"podCIDR": "10.46.0.0/24"}, "status": {}}


def test_a_bundle_and_a_report_beside_the_user(tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/nodes.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [NODE]}))
    command = ["ansible-playbook", "fathom.submariner.diagnose", "-e", "submariner_bundle=saved", "-e", "submariner_report_dir=./report"]
    plain = {**environment(), "ANSIBLE_INVENTORY_UNPARSED_FAILED": "false"}  # no inventory is needed
    command += ["-e", "submariner_previous=report", "-e", "submariner_fail_on=never"]
    for dummy in range(2):
        done = subprocess.run(command, cwd=tmp_path, env=plain, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "report/result.json").read_text())["clusters"][0]["name"] == "saved"
    assert (tmp_path / "report/report.html").exists()
