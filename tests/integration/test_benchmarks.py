# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark runs, at a tiny scale: how fast anything is, no test asserts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.lab
@pytest.mark.exhaustive
def test_it_runs(tmp_path):
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks",
        "--nodes",
        "6",
        "--mib",
        "4",
        "--rounds",
        "1",
        "--without",
        "k8s_info",
        "kubectl",
        "--out",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=540, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert set(results["online"]) == {"curl", "curl_parallel", "module", "playbook"}
    statistics = results["online"]["module"]["statistics"]
    assert statistics["requests"] <= results["requests"] + 5  # the kubelets of some pods are asked twice
    assert "diagnose: reading and judging" in (tmp_path / "results.rst").read_text()
    assert (tmp_path / "results.svg").read_text().startswith("<svg")
