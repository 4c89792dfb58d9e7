# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which process holds a lock, told so that a later one can see for sure that it is dead, or else says that it cannot tell.

A pid alone tells nothing: it is used again, and the same on every machine and in every container. With the kernel's boot id
(/proc/sys/kernel/random/boot_id), the pid namespace (pid_namespaces(7): containers of one node share the kernel, not the pids) and the time at which the
process started (proc_pid_stat(5), field 22) it is one process and no other.
"""

from __future__ import annotations

import json
import os
import typing as t

_ENDED = ("Z", "X", "x")  # states of proc_pid_stat(5): nobody has asked yet how it ended


class Process(t.NamedTuple):
    """
    :param host: for people alone: two machines may be called the same.
    :param boot: "" where the system does not tell.
    :param started: clock ticks after the kernel's start.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    started: int

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def process_of(pid: int) -> Process | None:
    """Tell which process has a pid now; None where there is none.

    Where this system does not tell (no Linux), it is told from others by its pid alone, and whether it has ended is not known.
    """
    found = _state_and_start(pid)
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
            boot = stream.read().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        return Process(os.uname().nodename, "", "", pid, 0)
    return Process(os.uname().nodename, boot, namespace, pid, found[1]) if found else None


def this_process() -> Process | None:
    return process_of(os.getpid())


def written(process: Process | None) -> str | None:
    """The text from which :func:`read` makes it again."""
    return json.dumps(process._asdict(), sort_keys=True) if process else None


def read(text: t.Any) -> Process | None:
    """A process from its text; None for one that is none, as of a release that wrote it otherwise."""
    try:
        fields = json.loads(text)
        return Process(str(fields["host"]), str(fields["boot"]), str(fields["namespace"]), int(fields["pid"]), int(fields["started"]))
    except (TypeError, ValueError, KeyError):
        return None


def is_dead(process: Process | None) -> bool | None:
    """Whether a process has ended; None where that cannot be told from here: it is another machine's, another container's, or not known."""
    here = this_process()
    if process is None or here is None or not here.boot or (process.boot, process.namespace) != (here.boot, here.namespace):
        return None
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's; it is there
        pass
    found = _state_and_start(process.pid)
    if found is None:
        return False  # it may be hidden from us (mount option hidepid of /proc)
    return found[0] in _ENDED or found[1] != process.started


def _state_and_start(pid: int) -> tuple[str, int] | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            # The second field is the program's name in brackets, and may hold anything, brackets and blanks included.
            fields = stream.read().rpartition(")")[2].split()
        return fields[0], int(fields[19])
    except (OSError, IndexError, ValueError):
        return None
