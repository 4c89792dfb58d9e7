# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How everything on a node's host is read: files below one folder, and programs. Tests give another folder and other programs."""

from __future__ import annotations

import os
import subprocess
import typing as t

LARGEST = 32 * 1024 * 1024  # bytes of one file: modules.alias, the largest that is read, has two
_PIECE = 64 * 1024  # bytes
TIMEOUT = 5.0  # seconds
# An ordinary user's PATH has none of the folders in which ip, nft and ethtool stand.
FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Unreadable(Exception):
    """Something could not be read.

    :param why: what was tried and what came back.
    :param absent: there is no such file, or no such program; else it is there and did not let itself be read.
    """

    def __init__(self, why: str, absent: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.absent = absent


class Completed(t.NamedTuple):
    """What a program left: its exit code, and what it wrote, as text."""

    code: int
    out: str
    err: str


Run = t.Callable[[t.Sequence[str], float], Completed]


def run_program(argv: t.Sequence[str], timeout: float) -> Completed:
    """Run a program with closed standard input, in the C locale.

    :param timeout: seconds.
    :raises Unreadable: it is not installed, cannot be started, or did not end in time (it is killed then).
    """
    path = os.pathsep.join(dict.fromkeys([*filter(None, os.environ.get("PATH", "").split(os.pathsep)), *FOLDERS]))
    environment = {**os.environ, "LC_ALL": "C", "LANGUAGE": "C", "PATH": path}
    try:
        done = subprocess.run(list(argv), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, env=environment, check=False)
    except FileNotFoundError as error:
        raise Unreadable(f"there is no program {argv[0]}", absent=True) from error
    except subprocess.TimeoutExpired as error:
        raise Unreadable(f"{' '.join(argv)} did not end within {timeout:g} s") from error
    except OSError as error:
        raise Unreadable(f"{argv[0]} cannot be started: {error.strerror or error}") from error
    return Completed(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


class Host:
    """A node's host as its own processes see it.

    :param root: the folder that stands for ``/``. Only files are read below it; programs see the machine on which this runs.
    :param run: called with a program's arguments and a number of seconds.
    """

    def __init__(self, root: str = "/", run: Run = run_program) -> None:
        self.root = root
        self._run = run

    def path(self, path: str) -> str:
        return os.path.join(self.root, path.lstrip("/"))

    def data(self, path: str) -> bytes:
        """The bytes of a file.

        :raises Unreadable: it is not there, or cannot be read by whom this runs as.
        """
        try:
            # In pieces: for a file below /proc/sys the kernel first allots as many bytes as are asked for.
            with open(self.path(path), "rb", buffering=0) as stream:
                found = bytearray()
                while True:
                    piece = stream.read(_PIECE)
                    if not piece:
                        return bytes(found)
                    found += piece
                    if len(found) > LARGEST:
                        raise Unreadable(f"{path} has more than {LARGEST} bytes")
        except OSError as error:
            raise _unreadable(path, error) from error

    def text(self, path: str) -> str:
        """The text of a file; what is no UTF-8 in it is replaced.

        :raises Unreadable: as :meth:`data`.
        """
        return self.data(path).decode("utf-8", "replace")

    def names(self, folder: str) -> tuple[str, ...]:
        """What stands in a folder, by name.

        :raises Unreadable: it is not there, or cannot be listed by whom this runs as.
        """
        try:
            return tuple(sorted(os.listdir(self.path(folder))))
        except OSError as error:
            raise _unreadable(folder, error) from error

    def link(self, path: str) -> str:
        """What a symbolic link points to.

        :raises Unreadable: it is none, or not there.
        """
        try:
            return os.readlink(self.path(path))
        except OSError as error:
            raise _unreadable(path, error) from error

    def exists(self, path: str) -> bool:
        return os.path.exists(self.path(path))

    def run(self, argv: t.Sequence[str], timeout: float = TIMEOUT) -> Completed:
        """Run a program; its exit code is the caller's to judge.

        :raises Unreadable: as :func:`run_program`.
        """
        return self._run(argv, timeout)

    def output(self, argv: t.Sequence[str], timeout: float = TIMEOUT) -> str:
        """What a program writes when it succeeds.

        :raises Unreadable: as :meth:`run`, and when its exit code is not 0.
        """
        done = self.run(argv, timeout)
        if done.code:
            said = " ".join((done.err or done.out).split())[:300]
            shown = " ".join(argv)
            raise Unreadable(f"{shown[:60]}{'...' if len(shown) > 60 else ''} ended with {done.code}: {said or 'it said nothing'}")
        return done.out


def _unreadable(path: str, error: OSError) -> Unreadable:
    if isinstance(error, FileNotFoundError):
        return Unreadable(f"there is no {path}", absent=True)
    if isinstance(error, PermissionError):
        return Unreadable(f"{path} may not be read by user id {os.geteuid()}")
    return Unreadable(f"{path} cannot be read: {error.strerror or error}")
