# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packed program runs by itself, with Python's standard library alone."""

from __future__ import annotations

import ast
import base64
import gzip
import io
import json
import os
import subprocess
import sys
import zipfile

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _probe_archive as archive
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _probe_objects as objects
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._probe_pods import report_of

LOOPBACK = {"address": "127.0.0.1", "name": "n", "path": "underlay", "protocols": ["udp"], "port": 0}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("program") / objects.PROGRAM
    path.write_bytes(archive.program())
    return path


def ran(program, order, node="n"):
    """The process that a pod would be, far from this collection."""
    path = program.parent / objects.ORDER
    path.write_bytes(gzip.compress(json.dumps(order).encode()) if order is not None else b"no order")
    environment = {"PATH": os.environ["PATH"], "NODE_NAME": node, "DONE_FILE": str(program.parent / "done")}
    return subprocess.run(
        [sys.executable, "-I", "-S", str(program), str(path)], env=environment, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )


def order(**more):
    shared = {"timeout": 0.2, "retries": 0, "workers": 1}
    settings = {"cluster": "c", "cluster_cidrs": [], "port": 28470, "lifetime": 30, "gather": 0.0, "mtu": shared, "exchanges": shared}
    return objects.order({"n": {"path_mtu": [LOOPBACK]}}, host_network=True, **{**settings, **more})


def test_it_gives_the_documents_of_its_node(program):
    done = ran(program, order())
    assert done.returncode == 0 and not done.stderr, done.stderr
    found = report_of(done.stdout, "n")
    assert [each["kind"] for each in found["documents"]] == ["NodeInfo", "NodeProbes"]
    info, probes = found["documents"]
    assert info["system"]["kernel"] == os.uname().release and info["system"]["distribution"] == ""
    assert (probes["origin"], probes["metadata"]) == ("pod", {"name": "n", "cluster": "c"})
    assert [(each["target"], each["protocol"]) for each in probes["paths"]] == [("127.0.0.1", "udp")]
    assert (program.parent / "done").exists() and len(found["lines"]) == 1 and found["responding"] is False


def test_it_says_what_it_cannot_use(program):
    assert "has nothing for node 'other'" in ran(program, order(), "other").stdout
    broken = ran(program, None)
    assert broken.returncode == 1 and "cannot be read" in broken.stdout and not broken.stderr


def test_it_is_the_same_each_time_and_small(program):
    assert archive.program() == program.read_bytes()
    assert len(base64.b64encode(program.read_bytes())) < objects.MOST / 2
    names = zipfile.ZipFile(io.BytesIO(program.read_bytes())).namelist()
    assert not [name for name in names if "/_kube/" in name or "/_apply/" in name or "/modules/" in name]
    assert [name for name in names if name.endswith("_wire/_search.py")] and [name for name in names if name.endswith("_node/_read.py")]


def test_what_it_holds_imports_the_standard_library_alone():
    for name, text in archive.sources_of(archive.ENTRY).items():
        for node in ast.walk(ast.parse(text, feature_version=(3, 8))):
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module] if isinstance(node, ast.ImportFrom) else []
            for each in imported:
                assert each.startswith(archive.COLLECTION) or each.split(".")[0] in sys.stdlib_module_names, (name, each)


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(SubmarinerError, match="has no source here"):
        archive.sources_of(f"{archive.ENTRY}_of_another_time")
