# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and ends labs. What ``start`` gives back dies with the calling process until ``keep`` says otherwise."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

from tests.lab import build, files, specs, standins
from tests.lab.incident import Incident
from tests.lab.info import LabError, LabInfo
from tests.lab.process import tail
from tests.lab.specs import ClusterSpec
from tests.lab.supervisor import Order

TIME_SCALE = 0.05
MAX_CLUSTERS = 50
STOP_SECONDS = 15.0
# etcd's files, 64 MiB of them reserved at once, and logs.
MIB_PER_CLUSTER = 150

Say = t.Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Options:
    """What kind of lab to start.

    :ivar dir: its folder; made if need be. Files in it that are not a lab's are left alone.
    :ivar clusters: how many; default 2, or as many as the incident has.
    :ivar incident: whose clusters to boot (planting it is ``planting.plant``'s).
    :ivar without: stand-ins that must not run.
    :ivar ttl: seconds after which the lab ends by itself, counted from when its clusters are ready.
    :ivar kubernetes_version: what all clusters report, instead of the incident's or the default.
    :ivar submariner_version: what the Submariner stand-ins of all clusters play, likewise.
    :ivar time_scale: see ``LabInfo``.
    :ivar awake: whether controllers and stand-ins shall react to changes of a layout's clusters, see ``awake.py``.
    """

    dir: Path
    clusters: int | None = None
    incident: Incident | None = None
    without: tuple[str, ...] = ()
    ttl: float | None = None
    kubernetes_version: str | None = None
    submariner_version: str | None = None
    time_scale: float = TIME_SCALE
    awake: bool = False

    def specs(self) -> tuple[ClusterSpec, ...]:
        """The clusters to boot. Raises LabError for options that contradict each other."""
        unknown = set(self.without) - set(standins.names())
        if unknown:
            raise LabError(f"--without {' '.join(sorted(unknown))}: no such stand-in; known are: {', '.join(standins.names())}")
        if self.incident is None:
            count = 2 if self.clusters is None else self.clusters
            if not 1 <= count <= MAX_CLUSTERS:
                raise LabError(f"--clusters {count}: a lab has 1 to {MAX_CLUSTERS}")
            return specs.default_clusters(count, self.kubernetes_version, self.submariner_version)
        clusters = self.incident.clusters
        if self.clusters not in (None, len(clusters)):
            raise LabError(f"--clusters {self.clusters} does not fit incident {self.incident.id}, which has {len(clusters)}: leave the option out")
        if self.awake and self.incident.layout is None:
            raise LabError(f"incident {self.incident.id} has living clusters of its own: only those of layouts can be awake")
        wanted = {"kubernetes_version": self.kubernetes_version, "submariner_version": self.submariner_version, "awake": self.awake}
        return tuple(dataclasses.replace(each, **{key: value for key, value in wanted.items() if value}) for each in clusters)


class Lab:
    """A running lab, seen from the process that started it.

    :ivar info: what it is.
    """

    def __init__(self, directory: Path, supervisor: subprocess.Popen[bytes]) -> None:
        self._supervisor = supervisor
        self.info = LabInfo.load(directory)

    def keep(self) -> None:
        """Lets the lab outlive this process."""
        control = t.cast(t.IO[bytes], self._supervisor.stdin)
        control.write(b"keep\n")
        control.flush()

    def stop(self) -> None:
        """Ends all processes of the lab and removes its files except logs."""
        self._supervisor.terminate()
        _wait(self._supervisor)

    def abandon(self) -> None:
        """As if this process had died: ends all processes of the lab and removes its files, logs too."""
        _wait(self._supervisor)


def start(options: Options, say: Say) -> Lab:
    """Boots a lab's clusters and returns when they are ready. Raises LabError."""
    wanted = options.specs()
    directory = options.dir.resolve()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if files.is_held(directory):
            raise LabError(f"a lab runs in {directory} already: end it with `python -m tests.lab down --dir {directory}`, or choose another folder")
        if files.free_mib(directory) < MIB_PER_CLUSTER * len(wanted):
            raise LabError(
                f"the disk of {directory} is full: {files.free_mib(directory)} MiB are free, {len(wanted)} clusters need {MIB_PER_CLUSTER} MiB each. "
                "Free some, or choose a folder on another disk with --dir"
            )
        programs = build.binaries(say)
        files.remove_leftovers(directory, [each.name for each in wanted])
        order = Order(
            dir=str(directory),
            owner=os.getpid(),
            clusters=[dataclasses.asdict(each) for each in wanted],
            binaries=programs.commands,
            time_scale=options.time_scale,
            without=list(options.without),
            ttl=options.ttl,
            stages=str(options.incident.stages) if options.incident and options.incident.stages else None,
        )
        supervisor = _supervise(order)
    except OSError as error:
        raise LabError(f"no lab can be started in {directory}: {error}. Choose another folder with --dir, or free space there") from error
    try:
        _await_ready(supervisor, directory, say)
    except BaseException:
        _wait(supervisor)
        raise
    return Lab(directory, supervisor)


def stop(directory: Path) -> bool:
    """Ends the lab in a folder, whoever started it; False when none was running (what a dead one left is removed)."""
    directory = directory.resolve()
    info = LabInfo.load(directory)
    running = files.is_held(directory)
    if running:
        _end(info.supervisor)
    files.remove(directory, [each.name for each in info.clusters], keep_logs=True)
    return running


def _end(pid: int) -> None:
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        if not select.select([pidfd], [], [], STOP_SECONDS)[0]:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            select.select([pidfd], [], [], STOP_SECONDS)
    except ProcessLookupError:
        return
    finally:
        os.close(pidfd)


def _supervise(order: Order) -> subprocess.Popen[bytes]:
    with open(Path(order.dir) / "supervisor.log", "ab") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "tests.lab.supervisor", order.dir],
            cwd=files.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    control = t.cast(t.IO[bytes], supervisor.stdin)
    control.write(json.dumps(dataclasses.asdict(order)).encode() + b"\n")
    control.flush()
    return supervisor


def _wait(supervisor: subprocess.Popen[bytes]) -> None:
    """Waits for the supervisor's end, which it takes from the closing of its input unless it was told to keep the lab."""
    for pipe in (supervisor.stdin, supervisor.stdout):
        with contextlib.suppress(BrokenPipeError):
            t.cast(t.IO[bytes], pipe).close()
    try:
        supervisor.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()


def _await_ready(supervisor: subprocess.Popen[bytes], directory: Path, say: Say) -> None:
    for line in t.cast(t.IO[bytes], supervisor.stdout):
        message = json.loads(line)
        if "ready" in message:
            return
        if "error" in message:
            supervisor.wait()
            raise LabError(message["error"])
        say(message["progress"])
    code = supervisor.wait()
    raise LabError(f"the lab's supervisor ended with exit code {code} before the lab was ready:\n{tail(directory / 'supervisor.log')}")
