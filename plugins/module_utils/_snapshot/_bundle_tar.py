# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The members of a tar archive, one after the other, out of a stream.

Written for archives from anywhere: no more than one header is held, nothing is ever written, links and devices are named and not followed,
and what stands before the place where an archive is damaged can be read. Formats: POSIX.1-1988 (ustar), POSIX.1-2001 (pax) and GNU's long names.
"""

from __future__ import annotations

import io
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_stream import CHUNK, Damaged

BLOCK = 512
LONGEST_HEADER = 1024 * 1024  # bytes of a pax header or a GNU long name; paths have at most 4096
FILE, DIRECTORY, LINK, OTHER = "file", "directory", "link", "other"
_KINDS = {b"0": FILE, b"\0": FILE, b"7": FILE, b"1": LINK, b"2": LINK, b"5": DIRECTORY}


class Entry(t.NamedTuple):
    name: str
    size: int
    modified: float  # seconds since the epoch
    kind: str  # FILE, DIRECTORY, LINK or OTHER
    stream: t.BinaryIO  # of a FILE, to be read before the next entry is asked for


class _Section(io.RawIOBase):
    """The next ``size`` bytes of a stream."""

    def __init__(self, source: t.BinaryIO, size: int) -> None:
        super().__init__()
        self._source = source
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        view = memoryview(buffer)
        wanted = min(len(view), self.left)
        if not wanted:
            return 0
        data = self._source.read(wanted)
        if not data:
            raise Damaged("the archive ends in the middle of this file")
        self.left -= len(data)
        view[: len(data)] = data
        return len(data)

    def skip(self) -> None:
        while self.left:
            self.left -= len(_exactly(self._source, min(self.left, CHUNK)))


def is_tar(head: bytes) -> bool:
    """Whether a file begins with a tar header: its checksum is right, which no other format's first block is by chance."""
    return len(head) >= BLOCK and head[:BLOCK].strip(b"\0") != b"" and _checksum_holds(head[:BLOCK])


def entries(source: t.BinaryIO) -> t.Iterator[Entry]:
    """Yield what a tar archive holds.

    :raises Damaged: the archive is cut short or broken; what came before has been yielded.
    """
    long_name = ""
    attributes: dict[str, str] = {}
    while True:
        header = source.read(BLOCK)
        if not header or header == bytes(BLOCK):
            return
        if len(header) < BLOCK:
            raise Damaged("the archive ends in the middle of a header: it was cut short")
        if not _checksum_holds(header):
            raise Damaged("a header is broken (its checksum is wrong)")
        size, flag = _number(header[124:136]), header[156:157]
        if flag in (b"L", b"K", b"x", b"g"):
            if size > LONGEST_HEADER:
                raise Damaged(f"a header has {size} bytes, which no real one has")
            content = _exactly(source, size)
            _exactly(source, -size % BLOCK)
            if flag == b"L":
                long_name = content.rstrip(b"\0").decode("utf-8", "replace")
            elif flag == b"x":
                attributes = _pax(content)
            continue
        declared = attributes.get("size", "")
        size = int(declared) if declared.isdigit() and len(declared) < 20 else size
        is_sparse = flag == b"S" or any(key.startswith("GNU.sparse") for key in attributes)
        section = _Section(source, size if flag not in (b"1", b"2", b"5") else 0)
        stream = io.BufferedReader(section, CHUNK)
        yield Entry(
            attributes.get("path") or long_name or _name(header),
            size,
            float(_number(header[136:148])),
            OTHER if is_sparse else _KINDS.get(flag, OTHER),
            stream,
        )
        section.skip()
        _exactly(source, -size % BLOCK if flag not in (b"1", b"2", b"5") else 0)
        long_name, attributes = "", {}


def _exactly(source: t.BinaryIO, size: int) -> bytes:
    data = source.read(size) if size else b""
    if len(data) < size:
        raise Damaged("the archive ends in the middle of a file: it was cut short")
    return data


def _checksum_holds(header: bytes) -> bool:
    return _number(header[148:156]) == sum(header[:148]) + sum(header[156:]) + 8 * ord(" ")


def _number(field: bytes) -> int:
    """An octal number, or GNU's base-256 for those that octal has no room for; -1, which no checksum is, where it is neither."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        return -1 if len(field) == 8 else 0


def _name(header: bytes) -> str:
    name, prefix = (header[start:end].split(b"\0", 1)[0].decode("utf-8", "replace") for start, end in ((0, 100), (345, 500)))
    return f"{prefix}/{name}" if prefix and header[257:262] == b"ustar" and header[263:265] == b"00" else name


def _pax(content: bytes) -> dict[str, str]:
    """Records of a pax header: ``LENGTH KEY=VALUE\\n``, LENGTH counting itself."""
    found: dict[str, str] = {}
    while content:
        length, space, _rest = content.partition(b" ")
        if not space or not length.isdigit() or not 0 < int(length) <= len(content):
            break
        record = content[len(length) + 1 : int(length)].rstrip(b"\n")
        key, _equals, value = record.partition(b"=")
        found[key.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
        content = content[int(length) :]
    return found
