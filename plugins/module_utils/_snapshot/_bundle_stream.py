# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Bytes out of compressed files that nobody vouches for: counted, bounded, and handed out as far as a damaged file can be read."""

from __future__ import annotations

import bz2
import io
import lzma
import typing as t
import zlib

GZIP, BZIP2, XZ, ZSTD, ZIP = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"PK"
CHUNK = 256 * 1024
HEAD = 512  # bytes that tell what a file is: a tar header
MEBIBYTE = 1024 * 1024
XZ_MEMORY = 96 * MEBIBYTE  # xz -9 asks for 65 MiB; a header may ask for 4 GiB


class Limits(t.NamedTuple):
    """What reading a bundle may cost.

    :param total: bytes that come out of all (nested) archives of one pass together.
    :param ratio: bytes out for each byte of the bundle; deflate reaches 1032, text of logs 10 to 100. Counts only beyond ``ratio_from`` bytes.
    :param files: members of all archives together.
    :param depth: archives inside archives.
    :param nested_zip: a zip inside another archive is held in memory, since its directory stands at its end.
    :param document: the largest single object; and what is held of a file at any moment is a small multiple of it.
    """

    total: int = 16 * 1024 * MEBIBYTE
    ratio: int = 300
    ratio_from: int = 256 * MEBIBYTE
    files: int = 300_000
    depth: int = 4
    nested_zip: int = 64 * MEBIBYTE
    document: int = 16 * MEBIBYTE


class Damaged(Exception):
    """The rest of an archive or file cannot be read, in words."""


class Exhausted(Damaged):
    """A limit is passed: nothing more can be read of the whole bundle, in words."""


class Budget:
    """Counts what one pass over a bundle takes out of it.

    :param size: bytes of the bundle on disk, the measure of the ratio.
    """

    def __init__(self, limits: Limits, size: int) -> None:
        self.limits = limits
        self._largest = max(limits.ratio_from, limits.ratio * size)
        self._bytes = 0
        self._files = 0

    def take(self, count: int) -> None:
        """:raises Exhausted: too many bytes."""
        self._bytes += count
        if self._bytes > self._largest:
            raise Exhausted(
                f"it unpacks to more than {self.limits.ratio} times its size ({self._largest // MEBIBYTE} MiB), as files made to exhaust their reader do"
            )
        if self._bytes > self.limits.total:
            raise Exhausted(f"it unpacks to more than {self.limits.total // MEBIBYTE} MiB")

    def file(self) -> None:
        """:raises Exhausted: too many files."""
        self._files += 1
        if self._files > self.limits.files:
            raise Exhausted(f"it holds more than {self.limits.files} files")


class _Decoder:
    """One face for zlib, bz2 and lzma: at most ``CHUNK`` bytes out at a time."""

    def __init__(self, kind: bytes) -> None:
        self._kind = kind
        self._codec: t.Any = None
        self._held = b""
        self.start()

    def start(self) -> None:
        if self._kind == GZIP:
            self._codec = zlib.decompressobj(31)
        elif self._kind == BZIP2:
            self._codec = bz2.BZ2Decompressor()
        else:
            self._codec = lzma.LZMADecompressor(memlimit=XZ_MEMORY)

    @property
    def eof(self) -> bool:
        return bool(self._codec.eof)

    @property
    def hungry(self) -> bool:
        return not self._held if self._kind == GZIP else bool(self._codec.needs_input)

    def feed(self, data: bytes) -> bytes:
        if self._kind == GZIP:
            out = self._codec.decompress(self._held + data, CHUNK)
            self._held = self._codec.unconsumed_tail
            return t.cast(bytes, out)
        return t.cast(bytes, self._codec.decompress(data, CHUNK))

    @property
    def rest(self) -> bytes:
        return bytes(self._codec.unused_data)


class Inflated(io.RawIOBase):
    """The content of a gzip, bzip2 or xz stream (several members one after the other are one stream).

    Reading raises :class:`Damaged` where the input ends early or is no such stream, after all that could be read before it was handed out.
    """

    def __init__(self, source: t.BinaryIO, kind: bytes) -> None:
        super().__init__()
        self._source = source
        self._kind = kind
        self._decoder = _Decoder(kind)
        self._pending = b""
        self._failure: Damaged | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        view = memoryview(buffer)
        if not self._pending:
            self._pending = self._next()
        count = min(len(view), len(self._pending))
        view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def _next(self) -> bytes:
        """Some bytes, b"" at the end; at least ``HEAD`` while there are as many, so that one look tells what the content is."""
        found = b""
        while len(found) < HEAD and self._failure is None:
            try:
                more = self._decoded()
            except Damaged as error:
                self._failure = error
                break
            if not more:
                return found
            found += more
        if not found and self._failure is not None:
            raise self._failure
        return found

    def _decoded(self) -> bytes:
        data = b""
        while True:
            try:
                if self._decoder.eof:
                    data = self._decoder.rest or self._source.read(CHUNK)
                    if not data.startswith(self._kind[:2]):  # the end, or padding after the last member, which gzip(1) ignores as well
                        return b""
                    self._decoder.start()
                elif self._decoder.hungry and not data:
                    data = self._source.read(CHUNK)
                    if not data:
                        raise Damaged("the compressed data end in the middle: the file was cut short")
                out = self._decoder.feed(data)
                data = b""
            except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
                raise Damaged(f"the compressed data are broken ({error})") from None
            if out:
                return out


class Counted(io.RawIOBase):
    """A stream that charges a budget for what is read through it."""

    def __init__(self, source: t.BinaryIO, budget: Budget) -> None:
        super().__init__()
        self._source = source
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        view = memoryview(buffer)
        data = self._source.read(min(len(view), CHUNK))
        self._budget.take(len(data))
        view[: len(data)] = data
        return len(data)


def buffered(raw: io.RawIOBase) -> io.BufferedReader:
    return io.BufferedReader(raw, CHUNK)


def compression(head: bytes) -> bytes:
    """The magic number that ``head`` begins with, b"" where it is none of a compressed file."""
    return next((magic for magic in (GZIP, BZIP2, XZ, ZSTD) if head.startswith(magic)), b"")
