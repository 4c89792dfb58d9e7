# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Child processes that cannot outlive the process that started them, and ports for them."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import subprocess
import typing as t
from pathlib import Path

PR_SET_PDEATHSIG = 1
TAIL_LINES = 12
TAIL_BYTES = 16384

# Below Linux' ephemeral range (32768 and up), so that no outgoing connection happens to sit on a port between our choosing and a server's binding.
PORTS = range(20000, 32000)

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> t.Callable[[], None]:
    """A ``preexec_fn`` that lets the kernel kill the child when the calling *thread* ends, whatever the reason (prctl(2), PR_SET_PDEATHSIG)."""
    parent = os.getpid()

    def set_signal() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return set_signal


# Percent by which a Go program's memory may grow before it looks for garbage. Kubernetes' components are small here, and many on few cores.
GARBAGE = "400"


class Child:
    """A running component and its log.

    It is killed when the thread that started it ends: so start children from one that lives as long as they should.
    """

    def __init__(
        self,
        name: str,
        command: t.Sequence[str],
        cwd: Path,
        log: Path,
        environment: t.Mapping[str, str] | None = None,
        pass_fds: t.Sequence[int] = (),
    ) -> None:
        self.name = name
        self.log = log
        with open(log, "ab") as output:
            self._process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env={"GOGC": GARBAGE, **os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=tuple(pass_fds),
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when it was killed."""
        return self._process.poll()

    def kill(self) -> None:
        """Ends it at once: nothing in a lab is worth a clean shutdown."""
        self._process.kill()

    def reap(self) -> None:
        """Lets it go if it has ended, so that it does not stay as a zombie."""
        self._process.poll()

    def wait(self) -> None:
        self._process.wait()

    def tail(self) -> str:
        return tail(self.log)


def kill_all(children: t.Iterable[Child]) -> None:
    """Ends children and waits until they are gone."""
    children = list(children)
    for child in children:
        child.kill()
    for child in children:
        child.wait()


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log; empty when there is none."""
    try:
        with open(log, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def is_bind_conflict(log_tail: str) -> bool:
    """Whether a server's last words say that its port was taken."""
    return "address already in use" in log_tail


def free_port() -> int:
    """A port of 127.0.0.1 that is free now. Another process may still take it first: who starts a server on it must be ready to try another."""
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"none of 200 ports tried between {PORTS.start} and {PORTS.stop - 1} is free on 127.0.0.1")


def listening_socket() -> socket.socket:
    """A TCP socket that listens on a free port of 127.0.0.1, to be inherited by a child."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    listener.set_inheritable(True)
    return listener
