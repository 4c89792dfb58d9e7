# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the stand-ins of all clusters of a lab: ``python -m tests.lab.standins DIR [KUBELET_FD ...]``.

The file descriptors are listening sockets, one a cluster in the order of ``lab.json``, for the kubelet stand-ins.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
import traceback
import typing as t
from pathlib import Path

from tests.lab import files
from tests.lab.egress import Egress
from tests.lab.info import LAB_FILE, ClusterInfo, LabInfo
from tests.lab.kubelet import Kubelet
from tests.lab.standins import SUBCTL, load

RESTART_SECONDS = 1.0
POLL_SECONDS = 0.1
STOP_SECONDS = 5.0


class Runner:
    """Threads of stand-ins, one a cluster, made to agree with ``stand_ins`` and ``stopped`` in ``lab.json`` whenever these change."""

    def __init__(self, lab_dir: Path) -> None:
        self._dir = lab_dir
        self._running: dict[tuple[str, str], tuple[threading.Event, threading.Thread]] = {}

    def reconcile(self, lab: LabInfo) -> None:
        """Starts what should run and does not, stops what runs and should not; then says what runs in ``DIR/stand-ins.json``."""
        keys = [t.cast("tuple[str, str]", tuple(each.split("/", 1))) for each in lab.wanted]
        wanted = {(cluster, name): lab.cluster(cluster) for cluster, name in keys if name != SUBCTL}
        self._stop(set(self._running) - set(wanted))
        for key in sorted(set(wanted) - set(self._running)):
            self._start(key[1], wanted[key], lab)
        files.write_running(self._dir, ["/".join(key) for key in self._running])

    def stop_all(self) -> None:
        self._stop(set(self._running))

    def _start(self, name: str, cluster: ClusterInfo, lab: LabInfo) -> None:
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(name, cluster, lab, stop), name=f"{name}/{cluster.name}", daemon=True)
        self._running[cluster.name, name] = (stop, thread)
        thread.start()
        _say(f"{name} of {cluster.name} started")

    def _stop(self, keys: set[tuple[str, str]]) -> None:
        going = {key: self._running.pop(key) for key in sorted(keys)}
        for stop, _thread in going.values():
            stop.set()
        deadline = time.monotonic() + STOP_SECONDS
        for (cluster, name), (_stop, thread) in going.items():
            thread.join(max(0.0, deadline - time.monotonic()))
            _say(f"{name} of {cluster} " + ("does not stop" if thread.is_alive() else "stopped"))

    def _run(self, name: str, cluster: ClusterInfo, lab: LabInfo, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                load(name)(self._dir, cluster, lab).run(stop)
            except Exception:  # whatever one stand-in does must not end the others
                _say(f"{name} of {cluster.name} failed:\n{traceback.format_exc()}")
            stop.wait(RESTART_SECONDS)


def main(arguments: list[str]) -> int:
    directory = Path(arguments[0])
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    lab = LabInfo.load(directory)
    for cluster, descriptor in zip(lab.clusters, arguments[1:]):
        Kubelet(cluster, socket.socket(fileno=int(descriptor))).serve_in_background()
        if cluster.awake:
            Egress(cluster).serve_in_background()
    runner = Runner(directory)
    seen = None
    while not stop.is_set():
        changed = (directory / LAB_FILE).stat().st_mtime_ns
        if changed != seen:
            seen = changed
            runner.reconcile(LabInfo.load(directory))
        stop.wait(POLL_SECONDS)
    runner.stop_all()
    return 0


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
