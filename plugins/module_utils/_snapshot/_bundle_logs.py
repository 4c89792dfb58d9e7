# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Logs in a bundle: which file is whose, and their beginnings and ends.

A log may have gigabytes; no more than its first and last bytes are ever held.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_stream import CHUNK, Damaged
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._logs import MOST_BYTES

HEAD_BYTES = MOST_BYTES
TAIL_BYTES = MOST_BYTES
_START = re.compile(rb"==== START logs for container (\S+) of pod ([^/\s]+)/(\S+) ====")
_END = b"==== END logs for container "

# subctl internal/gather/logs.go: a pod's log, whatever its containers; Kubernetes' names have no "_", those of command outputs do.
_GATHER = re.compile(r"(?:(?P<cluster>[^/]+)_)?(?P<pod>[a-z0-9][a-z0-9.-]*)\.log(?P<previous>\.prev)?")
# oc pkg/cli/admin/inspect/pod.go
_INSPECT = re.compile(
    r"(?:.*/)?namespaces/(?P<namespace>[^/]+)/pods/(?P<pod>[^/]+)/(?P<container>[^/]+)/(?P=container)/logs/(?P<which>current|previous)(?:\.insecure)?\.log"
)
_DUMP = re.compile(r"(?:.*/)?(?P<namespace>[^/]+)/(?P<pod>[^/]+)/logs\.txt")
_PLAIN = re.compile(r"(?:.*/)?logs/(?P<namespace>[^/]+)/(?P<pod>[^/]+)/(?P<container>[^/]+?)(?P<previous>[.-]previous)?(?P<part>\.tail)?\.log")


class LogName(t.NamedTuple):
    """Whose log a file is. ``container`` "" where the format does not say, ``namespace`` likewise."""

    namespace: str
    pod: str
    container: str
    previous: bool = False


class Ends:
    """The beginning and the end of what is added, at most ``head`` and ``tail`` bytes of each."""

    def __init__(self, head: int = HEAD_BYTES, tail: int = TAIL_BYTES) -> None:
        self._head_size, self._tail_size = head, tail
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, data: bytes) -> None:
        room = self._head_size - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if data:
            self._tail += data[-self._tail_size :] if len(data) > self._tail_size else data
            if len(self._tail) > 2 * self._tail_size:
                del self._tail[: -self._tail_size]

    def found(self) -> tuple[bytes, bytes]:
        """Beginning and end; the end is empty where the beginning holds everything, and begins with a whole line where it is cut off."""
        tail = bytes(self._tail[-self._tail_size :])
        if len(self._tail) > self._tail_size:
            tail = tail[tail.find(b"\n") + 1 :]
        return bytes(self._head), tail


def section_start(line: bytes) -> tuple[str, str, str] | None:
    """Namespace, pod and container of the line that begins a log in ``kubectl cluster-info dump``."""
    found = _START.match(line)
    if found is None:
        return None
    container, namespace, pod = (part.decode("utf-8", "replace") for part in found.groups())
    return namespace, pod, container


def whole_log(stream: t.BinaryIO) -> tuple[bytes, bytes, str]:
    """Beginning and end of a log, and why it ends early, if it does."""
    ends = Ends()
    try:
        while True:
            data = stream.read(CHUNK)
            if not data:
                return (*ends.found(), "")
            ends.add(data)
    except Damaged as error:
        return (*ends.found(), str(error))


def sections(stream: t.BinaryIO) -> t.Iterator[tuple[tuple[str, str, str], bytes, bytes]]:
    """The containers' logs in a file of ``kubectl cluster-info dump --output-directory``."""
    current: tuple[str, str, str] | None = None
    ends = Ends()
    for line in _bounded_lines(stream):
        started = section_start(line) if line.startswith(b"====") else None
        if started is not None:
            if current is not None:
                yield (current, *ends.found())
            current, ends = started, Ends()
        elif line.startswith(_END):
            if current is not None:
                yield (current, *ends.found())
            current = None
        elif current is not None:
            ends.add(line)
    if current is not None:
        yield (current, *ends.found())


def _bounded_lines(stream: t.BinaryIO) -> t.Iterator[bytes]:
    """Lines, or pieces of them where they are endless; a damaged end just ends."""
    try:
        while True:
            line = stream.readline(CHUNK)
            if not line:
                return
            yield line
    except Damaged:
        return


def log_of_gather(name: str) -> tuple[str, LogName] | None:
    """The prefix (the cluster, in Submariner 0.13 and older) and the pod of a file name in a folder of ``subctl gather``."""
    found = _GATHER.fullmatch(name)
    if found is None:
        return None
    return found["cluster"] or "", LogName("", found["pod"], "", bool(found["previous"]))


def log_of_path(path: str, kind: str) -> LogName | None:
    """Whose log the file at ``path`` is, in the layouts ``inspect``, ``dump`` and ``plain``."""
    found = {"inspect": _INSPECT, "dump": _DUMP, "plain": _PLAIN}[kind].fullmatch(path)
    if found is None:
        return None
    groups = found.groupdict()
    previous = groups.get("which") == "previous" or bool(groups.get("previous"))
    return LogName(found["namespace"], found["pod"], groups.get("container") or "", previous)
