# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs start, stand side by side, say what died, and leave nothing behind, however they end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from tests.lab import build, files, process, specs, status
from tests.lab.cluster import Cluster
from tests.lab.info import LabError, LabInfo

pytestmark = pytest.mark.lab

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 240.0


def lab_command(*arguments: object, wait: bool = True) -> subprocess.CompletedProcess[str] | subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.lab", *map(str, arguments)]
    if wait:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def processes_of(directory: Path) -> list[str]:
    """Processes that work in a lab's folder or name it in their arguments, except this one and what it waits for."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            arguments = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            works_there = directory in (Path(os.readlink(entry / "cwd")), *Path(os.readlink(entry / "cwd")).parents)
        except OSError:
            continue
        if (works_there or f"{directory} " in f"{arguments} ") and " tests.lab up" not in arguments:
            found.append(f"{entry.name} {arguments}")
    return found


def eventually(condition: t.Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"not so after {PATIENCE:.0f} s: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module", autouse=True)
def built() -> build.Binaries:
    return build.binaries()


@pytest.mark.exhaustive
def test_two_labs_side_by_side_each_to_its_own_end(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    starting = [lab_command("up", "--dir", each, "--clusters", 1, "--ttl", ttl, wait=False) for each, ttl in ((first, 600), (second, 20))]
    for each in starting:
        _output, errors = each.communicate(timeout=2 * PATIENCE)
        assert each.returncode == 0, errors
    labs = [LabInfo.load(each) for each in (first, second)]
    assert len({lab.clusters[0].server for lab in labs}) == 2
    for lab in labs:
        cluster = lab.clusters[0]
        assert cluster.admin().get("/version")["gitVersion"] == cluster.kubernetes_version

    refused = lab_command("up", "--dir", first, "--clusters", 1)
    assert refused.returncode == 3
    assert f"a lab runs in {first} already" in refused.stderr

    eventually(lambda: not processes_of(second), "the lab with --ttl 20 has ended")
    assert not (second / "lab.json").exists()
    assert (second / "cluster-1" / "audit.log").stat().st_size > 0

    assert lab_command("status", "--dir", first).returncode == 0
    kwok = next(each for each in files.read_processes(first) if each["name"] == "kwok")
    os.kill(kwok["pid"], signal.SIGKILL)
    eventually(lambda: not status.describe(first)[1], "status sees that kwok is dead")
    reported = lab_command("status", "--dir", first)
    assert reported.returncode == 1
    assert "DEAD: kwok of cluster-1" in reported.stdout
    assert process.tail(Path(kwok["log"])).splitlines()[-1] in reported.stdout

    os.kill(labs[0].supervisor, signal.SIGKILL)
    eventually(lambda: not processes_of(first), "a killed supervisor takes all with it")
    assert "does not run any more" in lab_command("status", "--dir", first).stderr
    assert lab_command("down", "--dir", first).returncode == 0
    assert not (first / "cluster-1" / "kubeconfig").exists()


@pytest.mark.exhaustive
def test_lab_ends_with_a_killed_test_process(tmp_path: Path) -> None:
    directory = tmp_path / "lab"
    code = (
        "import sys, time; from pathlib import Path; from tests.lab import lab\n"
        "started = lab.start(lab.Options(dir=Path(sys.argv[1]), clusters=1), lambda text: None)\n"
        "print('ready', flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, str(directory)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert t.cast(t.IO[str], owner.stdout).readline() == "ready\n"
        assert len(processes_of(directory)) >= 7
    finally:
        owner.kill()
        owner.wait()
    eventually(lambda: not processes_of(directory), "all processes are gone")
    assert not directory.exists()


def test_up_killed_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "lab"
    up = t.cast("subprocess.Popen[str]", lab_command("up", "--dir", directory, "--clusters", 1, wait=False))
    try:
        eventually(lambda: any("kube-apiserver" in each for each in processes_of(directory)), "the API server is starting")
    finally:
        up.kill()
        up.communicate()
    eventually(lambda: not processes_of(directory), "all processes are gone")
    assert not directory.exists()


@pytest.mark.exhaustive
def test_api_server_takes_another_port_when_its_own_is_in_use(tmp_path: Path, built: build.Binaries) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([taken.getsockname()[1], process.free_port()])
        cluster = Cluster(tmp_path, specs.default_clusters(1)[0], built, [], 1, choose_port=lambda: next(ports))
        try:
            for _waiting in cluster.boot():
                time.sleep(0.05)
            assert cluster.info.admin().request_text("GET", "/readyz") == "ok"
        finally:
            cluster.kill()


@pytest.mark.exhaustive
def test_error_when_every_port_is_in_use(tmp_path: Path, built: build.Binaries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.lab.cluster.PORT_ATTEMPTS", 2)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        cluster = Cluster(tmp_path, specs.default_clusters(1)[0], built, [], 1, choose_port=lambda: port)
        try:
            with pytest.raises(LabError, match=f"found every port taken that it tried on 127.0.0.1 .*{port}.*another program listens"):
                for _waiting in cluster.boot():
                    time.sleep(0.05)
        finally:
            cluster.kill()
