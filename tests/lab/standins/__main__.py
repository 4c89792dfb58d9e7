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
from pathlib import Path

from tests.lab.info import LAB_FILE, ClusterInfo, LabInfo
from tests.lab.kubelet import Kubelet
from tests.lab.standins import SUBCTL, load

RESTART_SECONDS = 1.0
POLL_SECONDS = 0.2
STOP_SECONDS = 5.0


class Runner:
    """Threads of stand-ins, made to agree with ``stand_ins`` in ``lab.json`` whenever that changes."""

    def __init__(self, lab_dir: Path) -> None:
        self._dir = lab_dir
        self._running: dict[str, tuple[threading.Event, list[threading.Thread]]] = {}

    def reconcile(self, lab: LabInfo) -> None:
        """Starts what should run and does not, stops what runs and should not."""
        wanted = {name for name in lab.stand_ins if name != SUBCTL}
        for name in set(self._running) - wanted:
            self._stop(name)
        for name in sorted(wanted - set(self._running)):
            self._start(name, lab)

    def stop_all(self) -> None:
        for stop, _threads in self._running.values():
            stop.set()
        for name in list(self._running):
            self._stop(name)

    def _start(self, name: str, lab: LabInfo) -> None:
        stop = threading.Event()
        threads = [
            threading.Thread(target=self._run, args=(name, cluster, lab, stop), name=f"{name}/{cluster.name}", daemon=True) for cluster in lab.clusters
        ]
        self._running[name] = (stop, threads)
        for thread in threads:
            thread.start()
        _say(f"{name} started")

    def _stop(self, name: str) -> None:
        stop, threads = self._running.pop(name)
        stop.set()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                _say(f"{thread.name} does not stop")
        _say(f"{name} stopped")

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
