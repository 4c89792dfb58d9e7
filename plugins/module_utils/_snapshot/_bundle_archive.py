# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Every file of a bundle, whatever it is packed in: a folder, tar, tar.gz (bz2, xz), zip, or archives inside those.

Nothing is written anywhere and nothing is followed: links, devices and names that lead out of the bundle are left out and told of. A damaged archive is
read as far as it goes. What one pass over a bundle may cost is bounded (``Limits``).
"""

from __future__ import annotations

import calendar
import io
import os
import stat
import typing as t
import zipfile
import zlib

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_stream import (
    HEAD,
    ZIP,
    ZSTD,
    Budget,
    Counted,
    Damaged,
    Exhausted,
    Inflated,
    Limits,
    buffered,
    compression,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_tar import DIRECTORY, FILE, LINK, entries, is_tar

INSIDE = "!"  # between an archive's path and that of its member, as in a.tar.gz!/nodes.json
NEVER_ARCHIVES = (".yaml", ".yml", ".json", ".log", ".txt", ".html", ".prev")
MOST_PROBLEMS = 50
ZIP_END = b"PK\x05\x06"


class Member(t.NamedTuple):
    """One regular file. ``stream`` is to be read before the next member is asked for; reading it may raise Damaged or Exhausted."""

    path: str  # "/" between folders, relative to the bundle
    size: int
    modified: float  # seconds since the epoch, 0 where it is not told
    stream: t.BinaryIO


class Problem(t.NamedTuple):
    """Something that could not be used. ``fatal`` problems end an archive: what it holds beyond is unknown."""

    where: str
    text: str
    fatal: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


class Problems:
    """What one pass met, without repeats and not without end."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}
        self.left_out = 0

    def add(self, where: str, text: str, fatal: bool = False) -> None:
        problem = Problem(where, text, fatal)
        if len(self._found) < MOST_PROBLEMS or fatal:
            self._found[problem] = None
        elif problem not in self._found:
            self.left_out += 1

    def __iter__(self) -> t.Iterator[Problem]:
        return iter(self._found)

    def texts(self) -> list[str]:
        return [str(problem) for problem in self] + ([f"and {self.left_out} more"] if self.left_out else [])

    def cut(self, path: str) -> Problem | None:
        """The fatal problem of the archive that ``path`` stands in, if any."""
        return next((problem for problem in self if problem.fatal and (not problem.where or path.startswith(problem.where))), None)


def walk(path: str, problems: Problems, limits: Limits = Limits()) -> t.Iterator[Member]:
    """Yield every regular file of the bundle at ``path``.

    :raises InputError: there is nothing at ``path``, it may not be read, or it is neither a folder nor a regular file.
    """
    try:
        mode, size = os.stat(path).st_mode, os.stat(path).st_size
        if stat.S_ISDIR(mode):
            size = limits.total  # what a folder holds uncompressed stands on the disk already
        elif not stat.S_ISREG(mode):
            raise InputError(f"{path} is neither a folder nor a file, so no bundle can be read from it.")
        walker = _Walker(Budget(limits, size), problems)
        members = walker.folder(path) if stat.S_ISDIR(mode) else walker.archive(path)
        try:
            yield from members
        except Exhausted as error:
            problems.add("", f"{os.path.basename(path)} is refused from here on: {error}", fatal=True)
    except OSError as error:
        raise InputError(f"The bundle {path} cannot be read: {error.strerror or error}. Give the path of a folder, tar, tar.gz or zip.") from error


class _Walker:
    def __init__(self, budget: Budget, problems: Problems) -> None:
        self._budget = budget
        self._problems = problems

    def folder(self, root: str) -> t.Iterator[Member]:
        for folder, folders, files in os.walk(root, onerror=self._unreadable):
            folders.sort()
            for name in sorted(files):
                full = os.path.join(folder, name)
                relative = os.path.relpath(full, root).replace(os.sep, "/")
                try:
                    found = os.lstat(full)
                    if not stat.S_ISREG(found.st_mode):
                        self._skip(relative, "a link" if stat.S_ISLNK(found.st_mode) else "no regular file")
                        continue
                    with open(full, "rb") as stream:
                        yield from self._file(relative, found.st_size, found.st_mtime, stream, 0)
                except OSError as error:
                    self._problems.add(relative, f"cannot be read ({error.strerror or error})", fatal=True)

    def archive(self, path: str) -> t.Iterator[Member]:
        """A bundle that is one file; its name is not part of its members' paths."""
        with open(path, "rb") as stream:
            yield from self._file("", os.path.getsize(path), os.path.getmtime(path), stream, 0, os.path.basename(path))

    def _file(self, path: str, size: int, modified: float, stream: t.BinaryIO, depth: int, alone: str = "") -> t.Iterator[Member]:
        """The member itself, or what it holds where it is an archive."""
        self._budget.file()
        reader = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(t.cast(io.RawIOBase, stream))
        shown = path or alone
        try:
            head = b"" if shown.endswith(NEVER_ARCHIVES) else reader.peek(HEAD)[:HEAD]
            if head.startswith(ZIP + b"\x03\x04") or head.startswith(ZIP_END):
                yield from self._nested(shown, depth, self._zip(path, reader, size, depth, not path))
                return
            kind = compression(head)
            if kind == ZSTD:
                self._problems.add(path, f"{alone or 'it'} is compressed with zstd, which cannot be read here: unpack it first (zstd -d)", fatal=True)
                return
            if kind:
                inner = buffered(Counted(t.cast(t.BinaryIO, Inflated(reader, kind)), self._budget))
                yield from self._nested(shown, depth, self._inflated(path, modified, inner, depth, alone))
                return
            if is_tar(head):
                yield from self._nested(shown, depth, self._tar(path, reader, depth))
                return
        except Exhausted:
            raise
        except (Damaged, OSError) as error:
            self._problems.add(path, f"{alone + ': ' if alone else ''}{error}", fatal=True)
            return
        yield Member(shown, size, modified, t.cast(t.BinaryIO, reader))

    def _nested(self, shown: str, depth: int, members: t.Iterator[Member]) -> t.Iterator[Member]:
        if depth >= self._budget.limits.depth:
            self._problems.add(shown, f"archives inside archives are opened {self._budget.limits.depth} deep, and this one stands deeper", fatal=True)
            return
        yield from members

    def _inflated(self, path: str, modified: float, inner: io.BufferedReader, depth: int, alone: str) -> t.Iterator[Member]:
        """A compressed tar archive, or one compressed file, which loses its suffix."""
        if is_tar(inner.peek(HEAD)[:HEAD]):
            yield from self._tar(path, inner, depth)
            return
        stem, _dot, _suffix = (path or alone).rpartition(".")
        name = stem or path or alone
        self._budget.file()
        if inner.peek(1):
            yield from self._file(name, 0, modified, t.cast(t.BinaryIO, inner), depth + 1)

    def _tar(self, path: str, stream: t.BinaryIO, depth: int) -> t.Iterator[Member]:
        try:
            for entry in entries(stream):
                inside = self._inside(path, entry.name, entry.kind == DIRECTORY)
                if entry.kind == FILE and inside:
                    yield from self._file(inside, entry.size, entry.modified, entry.stream, depth + 1)
                elif entry.kind != DIRECTORY and inside:
                    self._skip(inside, "a link" if entry.kind == LINK else "no regular file")
        except Exhausted:
            raise
        except Damaged as error:
            self._problems.add(path, f"{error}; what stands before is used", fatal=True)

    def _zip(self, path: str, stream: io.BufferedReader, size: int, depth: int, seekable: bool) -> t.Iterator[Member]:
        source: t.BinaryIO = t.cast(t.BinaryIO, stream)
        if not seekable and not _is_plain_file(stream):
            content = stream.read(self._budget.limits.nested_zip + 1)
            if len(content) > self._budget.limits.nested_zip:
                largest = self._budget.limits.nested_zip // 1024 // 1024
                self._problems.add(path, f"a zip of more than {largest} MiB inside another archive: unpack it", fatal=True)
                return
            source = io.BytesIO(content)
        try:
            count = _count_of_zip(source)
            if count > self._budget.limits.files:
                raise Exhausted(f"it holds {count} files")
            archive = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            self._problems.add(path, f"this zip is damaged or cut short ({error}); nothing in it can be read", fatal=True)
            return
        with archive:
            for info in archive.infolist():
                inside = self._inside(path, info.filename, info.is_dir())
                if info.is_dir() or not inside:
                    continue
                if stat.S_ISLNK(info.external_attr >> 16):
                    self._skip(inside, "a link")
                    continue
                if info.flag_bits & 0x1:
                    self._problems.add(path, f"{info.filename} is encrypted: give the bundle without a password", fatal=True)
                    continue
                try:
                    with archive.open(info) as content_stream:
                        counted = buffered(Counted(t.cast(t.BinaryIO, _Checked(t.cast(t.BinaryIO, content_stream))), self._budget))
                        yield from self._file(inside, info.file_size, _zip_time(info), t.cast(t.BinaryIO, counted), depth + 1)
                except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
                    self._problems.add(inside, f"cannot be unpacked ({error})", fatal=True)

    def _inside(self, archive: str, name: str, is_folder: bool) -> str:
        """The member's path within the bundle; "" where its name leads out of the archive, or is none."""
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
        shown = f"{archive}{INSIDE}/" if archive else ""
        if name.startswith(("/", "\\")) or ".." in parts or "\0" in name or (parts and parts[0].endswith(":")):
            if not is_folder:
                self._problems.add(f"{shown}{name[:200]!r}", "left out: the name leads out of the archive")
            return ""
        return shown + "/".join(parts) if parts else ""

    def _skip(self, path: str, what: str) -> None:
        self._problems.add(path, f"left out: it is {what}")

    def _unreadable(self, error: OSError) -> None:
        self._problems.add(str(error.filename), f"cannot be read ({error.strerror})", fatal=True)


class _Checked(io.RawIOBase):
    """A member of a zip whose damage is told like that of every other file."""

    def __init__(self, source: t.BinaryIO) -> None:
        super().__init__()
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        view = memoryview(buffer)
        try:
            data = self._source.read(len(view))
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, zlib.error) as error:
            raise Damaged(f"the compressed data are broken or cut short ({error})") from None
        view[: len(data)] = data
        return len(data)


def _is_plain_file(stream: io.BufferedReader) -> bool:
    return isinstance(stream.raw, io.FileIO)


def _count_of_zip(source: t.BinaryIO) -> int:
    """How many members the end of central directory declares (APPNOTE 4.3.16), before zipfile reads all of them into memory; 65535 means more."""
    source.seek(0, os.SEEK_END)
    end = source.tell()
    source.seek(max(0, end - 65557))
    tail = source.read(65557)
    source.seek(0)
    found = tail.rfind(ZIP_END)
    if found < 0:
        raise zipfile.BadZipFile("its directory, which stands at its end, is missing")
    count = int.from_bytes(tail[found + 10 : found + 12], "little")
    if count == 0xFFFF:
        # zip64 (4.3.14): the record's own count, eight bytes at offset 32.
        record = tail.rfind(b"PK\x06\x06")
        count = int.from_bytes(tail[record + 32 : record + 40], "little") if record >= 0 else count
    return count


def _zip_time(info: zipfile.ZipInfo) -> float:
    """Seconds since the epoch, taking the zip's local time for UTC: good enough to tell which of two files is newer."""
    return float(calendar.timegm(info.date_time))
