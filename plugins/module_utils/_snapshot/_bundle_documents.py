# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Kubernetes objects out of the files of a bundle, one at a time: JSON or YAML, single objects, several documents, or Lists.

A List is never held whole. Of a file that is broken in the middle, what stands before is used and the place is told.
"""

from __future__ import annotations

import codecs
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_stream import CHUNK, Damaged

Wants = t.Callable[[str, str], bool]  # apiVersion, kind
Skips = t.Callable[[str, str, bytes], bool]  # apiVersion, kind, and the object's text


class Document(t.NamedTuple):
    """One object; with ``content`` None the end of a list, whose kind then is the List's."""

    api_version: str
    kind: str
    content: dict[str, t.Any] | None
    in_list: bool = False
    count: int = 0  # of a list's end: how many objects it held


class Section(t.NamedTuple):
    """A container's log among the documents, as ``kubectl cluster-info dump`` writes it to its standard output."""

    namespace: str
    pod: str
    container: str
    head: bytes
    tail: bytes


class Malformed(Exception):
    """A document cannot be understood, in words, with its line. The file's other documents may be.

    ``kind`` is "" where it is not known what the document is.
    """

    def __init__(self, message: str, api_version: str = "", kind: str = "") -> None:
        super().__init__(message)
        self.api_version = api_version
        self.kind = kind


def is_json(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def chunks(stream: t.BinaryIO) -> t.Iterator[bytes]:
    """Yield the stream as UTF-8 without a byte order mark: PowerShell's ``>`` writes UTF-16.

    :raises Damaged: after what could be read was yielded.
    """
    read = getattr(stream, "read1", stream.read)
    first = read(CHUNK)
    while first and len(first) < 4:
        more = read(CHUNK)
        if not more:
            break
        first += more
    encoding = "utf-16" if first[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else ""
    if not encoding:
        yield first[3:] if first.startswith(codecs.BOM_UTF8) else first
        while True:
            data = read(CHUNK)
            if not data:
                return
            yield data
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    data = first
    while data:
        yield decoder.decode(data).encode("utf-8", "replace")
        data = read(CHUNK)


def lines(stream: t.BinaryIO, longest: int) -> t.Iterator[bytes]:
    """Yield the lines with their ends.

    :raises Damaged: the stream is, or a line has more than ``longest`` bytes.
    """
    rest = b""
    for chunk in chunks(stream):
        found = (rest + chunk).splitlines(keepends=True)
        rest = found.pop() if found and not found[-1].endswith(b"\n") else b""
        yield from found
        if len(rest) > longest:
            raise Damaged(f"a line has more than {longest} bytes")
    if rest:
        yield rest
