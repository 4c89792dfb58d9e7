# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that owns all others of a lab: ``python -m tests.lab.supervisor DIR``.

Its first line of standard input is an Order (JSON). It answers with lines of JSON on standard output: ``{"progress": TEXT}``, then ``{"ready": true}``
or ``{"error": TEXT}``. The line ``keep`` makes it independent of the process that started it (the owner); until then it ends, and removes all that
it wrote, when the owner ends: it holds the owner's pidfd, so a kill -9 counts, and so does one before the lab is ready.

The signal WAKE starts the controllers of awake clusters, those that do not run.

It ends by SIGTERM, at the end of ``--ttl``, or with its owner. Its children end with it, whatever its own end was (see ``process.Child``).
"""

from __future__ import annotations

import dataclasses
import json
import os
import selectors
import signal
import socket
import sys
import time
import typing as t
from pathlib import Path

from tests.lab import files, process, standins
from tests.lab.build import Binaries
from tests.lab.client import ApiError
from tests.lab.cluster import Cluster
from tests.lab.info import LabError, LabInfo
from tests.lab.process import Child
from tests.lab.specs import ClusterSpec, cluster_spec
from tests.lab.store import PLANTER

ROOT = Path(__file__).resolve().parents[2]
POLL_SECONDS = 0.03
# etcd reserves 64 MiB at once.
FULL_MIB = 70
WAKE = signal.SIGUSR1


@dataclasses.dataclass(frozen=True)
class Order:
    """What to run.

    :ivar dir: the lab's folder.
    :ivar owner: pid of the process that asks.
    :ivar clusters: in the form of ``incident.yml``.
    :ivar binaries: see ``build.Binaries``.
    :ivar time_scale: see ``LabInfo``.
    :ivar without: see ``LabInfo``.
    :ivar ttl: seconds to live once it is ready, or None.
    :ivar stages: folder of kwok Stages beside the lab's own.
    """

    dir: str
    owner: int
    clusters: list[dict[str, t.Any]]
    binaries: dict[str, list[str]]
    time_scale: float
    without: list[str]
    ttl: float | None = None
    stages: str | None = None

    def specs(self) -> list[ClusterSpec]:
        return [cluster_spec(each) for each in self.clusters]


class OwnerGone(Exception):
    """The process that wanted the lab has ended before it said ``keep``."""


class Stopped(Exception):
    """SIGTERM, or the end of the time to live."""


class Supervisor:
    """One lab's life. Single-threaded: children die with the thread that started them."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._dir = Path(order.dir)
        self._stages = Path(order.stages) if order.stages else None
        self._kept = False
        self._expires: float | None = None
        self._children: list[Child] = []
        self._clusters: list[Cluster] = []
        self._control = b""
        self._stop = False
        self._wake = False
        self._owner_gone = False
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Boots, serves, cleans up. Returns the exit code."""
        self._watch_signals()
        keep_logs = True
        try:
            with files.lock(self._dir):
                try:
                    self._watch_owner()
                    self._boot()
                    _say({"ready": True})
                    while True:
                        self._wait(1.0)
                except (LabError, ApiError, OSError) as error:
                    _say({"error": _explain(error, self._dir)})
                    return 1
                except OwnerGone:
                    keep_logs = False
                    return 1
                except Stopped:
                    return 0
                finally:
                    process.kill_all(self._everyone())
                    files.remove(self._dir, [each.info.name for each in self._clusters], keep_logs=keep_logs)
        except LabError as error:
            _say({"error": str(error)})
            return 1

    def _watch_signals(self) -> None:
        """SIGTERM ends the wait that it meets; SIGCHLD too, so that an ended child is seen at once."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(WAKE, self._on_wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        self._selector.register(reader, selectors.EVENT_READ, "signal")

    def _on_signal(self, *_: object) -> None:
        self._stop = True

    def _on_wake(self, *_: object) -> None:
        self._wake = True

    def _watch_owner(self) -> None:
        try:
            pidfd = os.pidfd_open(self._order.owner)
        except ProcessLookupError:
            raise OwnerGone from None
        if os.getppid() != self._order.owner:
            raise OwnerGone
        self._selector.register(pidfd, selectors.EVENT_READ, "owner")
        os.set_blocking(0, False)
        self._selector.register(0, selectors.EVENT_READ, "control")

    def _boot(self) -> None:
        listeners = []
        binaries = Binaries(self._order.binaries)
        for spec in self._order.specs():
            listener = process.listening_socket()
            listeners.append(listener)
            port = listener.getsockname()[1]
            self._clusters.append(Cluster(self._dir, spec, binaries, [*standins.names(), PLANTER], port, self._stages))
        self._save()
        started = time.monotonic()
        booting = {each.info.name: each.boot() for each in self._clusters}
        while booting:
            for name, steps in list(booting.items()):
                if next(steps, "ready") == "ready":
                    del booting[name]
                    _say({"progress": f"{name} is ready after {time.monotonic() - started:.1f} s"})
            self._wait(POLL_SECONDS)
        if self._order.ttl:
            self._expires = time.time() + self._order.ttl
        lab = self._save()
        if standins.SUBCTL in standins.names() and standins.SUBCTL not in lab.without:
            files.write_subctl(lab)
        files.write_inventory(lab)
        self._start_stand_ins(lab, listeners)
        self._write_processes()

    def _start_stand_ins(self, lab: LabInfo, listeners: list[socket.socket]) -> None:
        descriptors = [each.fileno() for each in listeners]
        command = [sys.executable, "-m", "tests.lab.standins", str(lab.dir), *map(str, descriptors)]
        self._children.append(Child("stand-ins", command, ROOT, lab.dir / "stand-ins.log", {"PYTHONUNBUFFERED": "1"}, descriptors))
        for each in listeners:
            each.close()

    def _save(self) -> LabInfo:
        lab = LabInfo(
            dir=self._dir,
            clusters=tuple(each.info for each in self._clusters),
            time_scale=self._order.time_scale,
            without=tuple(self._order.without),
            stages=self._stages,
            supervisor=os.getpid(),
            expires=self._expires,
        )
        lab.save()
        return lab

    def _write_processes(self) -> None:
        children = {"": self._children, **{each.info.name: list(each.children.values()) for each in self._clusters}}
        files.write_processes(
            self._dir,
            [{"cluster": cluster, "name": child.name, "pid": child.pid, "log": str(child.log)} for cluster, group in children.items() for child in group],
        )

    def _wait(self, seconds: float) -> None:
        """Sleeps at most so long; returns or raises at once when something happened."""
        if self._stop or (self._expires is not None and time.time() >= self._expires):
            raise Stopped
        if self._expires is not None:
            seconds = min(seconds, max(0.0, self._expires - time.time()))
        for key, _events in self._selector.select(seconds):
            if key.data == "signal":
                os.read(key.fd, 1024)
            elif key.data == "owner" or not self._read_control():
                self._selector.unregister(key.fileobj)
                self._owner_gone = not self._kept
        for child in self._everyone():
            child.reap()
        if self._stop:
            raise Stopped
        if self._wake:
            self._wake = False
            for cluster in self._clusters:
                cluster.wake()
            self._write_processes()
        if self._owner_gone:
            raise OwnerGone

    def _read_control(self) -> bool:
        """Reads the owner's word; False at the end of the pipe."""
        received = os.read(0, 1024)
        self._control += received
        if b"keep\n" in self._control:
            self._kept = True
        return bool(received)

    def _everyone(self) -> list[Child]:
        return [*self._children, *(child for cluster in self._clusters for child in cluster.children.values())]


def _say(message: dict[str, t.Any]) -> None:
    try:
        os.write(1, json.dumps(message).encode() + b"\n")
    except BrokenPipeError:
        return  # the owner has gone, which _wait notices


def _explain(error: Exception, directory: Path) -> str:
    text = str(error) if isinstance(error, LabError) else f"the lab in {directory} cannot run: {error}"
    free = files.free_mib(directory)
    if free >= FULL_MIB:
        return text
    return f"the disk of {directory} is full ({free} MiB free): free some, or choose another folder with --dir. What failed first: {text}"


def main() -> int:
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return 1
        line += byte
    return Supervisor(Order(**json.loads(line))).run()


if __name__ == "__main__":
    sys.exit(main())
