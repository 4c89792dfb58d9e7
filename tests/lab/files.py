# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a lab's folder beside ``lab.json``: who holds it, what runs, how Ansible and a person reach it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shlex
import shutil
import sys
import typing as t
from pathlib import Path

import yaml

from tests.lab.info import LAB_FILE, LabError, LabInfo

ROOT = Path(__file__).resolve().parents[2]
LOCK_FILE = ".lock"
PROCESSES_FILE = "processes.json"
RUNNING_FILE = "stand-ins.json"
LOGS = ("supervisor.log", "stand-ins.log")
# Written for the time of a lab's life; the logs stay after it. A user's own files in the folder are never touched.
TEMPORARY = (LAB_FILE, PROCESSES_FILE, RUNNING_FILE, "inventory.yml", "broker-info.subm", "bin", LOCK_FILE)


@contextlib.contextmanager
def lock(directory: Path) -> t.Iterator[None]:
    """Holds a folder for one lab. Raises LabError when a living supervisor holds it."""
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / LOCK_FILE, "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError(f"a lab runs in {directory} already: end it with `python -m tests.lab down --dir {directory}`, or choose another folder") from None
        yield


def is_held(directory: Path) -> bool:
    """Whether a living supervisor holds the folder; a kill -9 of it ends that."""
    try:
        with open(directory / LOCK_FILE, encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def remove(directory: Path, clusters: t.Iterable[str], *, keep_logs: bool) -> None:
    """Removes what a lab wrote; with ``keep_logs`` all but its logs and audit logs. The folder itself goes when nothing is left in it."""
    for name in clusters:
        folder = directory / name
        if not keep_logs:
            shutil.rmtree(folder, ignore_errors=True)
            continue
        for path in folder.glob("*"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.suffix != ".log":
                path.unlink(missing_ok=True)
    for name in TEMPORARY if keep_logs else (*TEMPORARY, *LOGS):
        path = directory / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        directory.rmdir()


def remove_leftovers(directory: Path, clusters: t.Iterable[str]) -> None:
    """Clears the folder of a lab that is gone, however it went, before the next one uses it."""
    try:
        old = [each.name for each in LabInfo.load(directory).clusters]
    except LabError:
        old = []
    remove(directory, {*old, *clusters}, keep_logs=False)
    directory.mkdir(exist_ok=True)


def free_mib(directory: Path) -> int:
    """Free space where a folder is, or will be."""
    there = next(each for each in (directory, *directory.parents) if each.exists())
    return shutil.disk_usage(there).free // 2**20


def write_processes(directory: Path, processes: list[dict[str, t.Any]]) -> None:
    scratch = directory / f"{PROCESSES_FILE}.tmp"
    scratch.write_text(json.dumps(processes, indent=1) + "\n", encoding="utf-8")
    scratch.replace(directory / PROCESSES_FILE)


def read_processes(directory: Path) -> list[dict[str, t.Any]]:
    """Cluster (empty for the lab's own), name, pid and log of each child of the supervisor; none before the lab is ready."""
    try:
        return json.loads((directory / PROCESSES_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []


def write_running(directory: Path, stand_ins: list[str]) -> None:
    """Which stand-ins run, as ``<cluster>/<stand-in>``."""
    scratch = directory / f"{RUNNING_FILE}.tmp"
    scratch.write_text(json.dumps(sorted(stand_ins)) + "\n", encoding="utf-8")
    scratch.replace(directory / RUNNING_FILE)


def read_running(directory: Path) -> list[str]:
    """What ``write_running`` wrote last; nothing before the stand-ins' process has looked at its lab."""
    try:
        return json.loads((directory / RUNNING_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []


def write_inventory(lab: LabInfo) -> None:
    """One inventory host a cluster, as users of the collection have it; broker file and subctl are named once they exist."""
    variables = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    if lab.broker_info.exists():
        variables["submariner_broker_info"] = str(lab.broker_info)
    if lab.subctl.exists():
        variables["submariner_subctl"] = str(lab.subctl)
    hosts = {
        each.name: {"kubeconfig": str(each.kubeconfig), "context": each.name, "submariner_cluster_id": each.name} for each in lab.clusters
    }
    document = {"all": {"children": {"submariner_clusters": {"hosts": hosts, "vars": variables}}}}
    scratch = lab.inventory.with_suffix(".tmp")
    scratch.write_text(yaml.safe_dump(document, sort_keys=False, width=1000), encoding="utf-8")
    scratch.replace(lab.inventory)


def write_subctl(lab: LabInfo) -> None:
    """The command that runs the stand-in of subctl with this Python and this checkout, whatever the caller's environment."""
    code = (
        f"import os, runpy, sys; sys.path[0] = {str(ROOT)!r}; os.environ['LAB_DIR'] = {str(lab.dir)!r}; "
        "runpy.run_module('tests.lab.standins.subctl', run_name='__main__', alter_sys=True)"
    )
    lab.subctl.parent.mkdir(exist_ok=True)
    lab.subctl.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(code)} "$@"\n', encoding="utf-8")
    lab.subctl.chmod(0o755)
