# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Objects out of JSON, which may be gigabytes of one List: each item is decoded by itself, out of a window that moves over the file."""

from __future__ import annotations

import codecs
import json
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_documents import Document, Malformed, Section, Skips, Wants, chunks
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_logs import Ends, section_start

_SPACE = re.compile(r"[ \t\r\n]*")
_MARK = "===="
_ITEM = re.compile(r'\{\s*"apiVersion": "([^"]+)",\s*"kind": "([^"]+)"')
_ENOUGH = 256  # characters: what no scalar outside of an item is longer than; a decoder that fails this far before the window's end met an error


class _Window:
    """Text of a stream, of which what was consumed is dropped now and then."""

    def __init__(self, stream: t.BinaryIO, largest: int) -> None:
        self._chunks = chunks(stream)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._json = json.JSONDecoder()
        self._largest = largest
        self._line = 1
        self.text = ""
        self.at = 0
        self.ended = False

    def more(self) -> bool:
        """Append to the window; False at the end of the stream."""
        if self.ended:
            return False
        if self.at:
            self._line += self.text.count("\n", 0, self.at)
            self.text, self.at = self.text[self.at :], 0
        data = next(self._chunks, b"")
        if not data:
            self.ended = True
        self.text += self._decoder.decode(data, final=self.ended)
        return not self.ended

    def line(self, offset: int | None = None) -> int:
        return self._line + self.text.count("\n", 0, self.at if offset is None else offset)

    def peek(self) -> str:
        """The next character that is no white space, "" at the end."""
        while True:
            match = _SPACE.match(self.text, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more() and self.at >= len(self.text):
                return ""

    def expect(self, wanted: str) -> None:
        found = self.peek()
        if found != wanted:
            raise Malformed(f"line {self.line()}: {wanted} is missing" if found else f"line {self.line()}: the file ends in the middle of a document")
        self.at += 1

    def value(self) -> t.Any:
        """Decode the value that begins at the next character.

        :raises Malformed: it is broken, cut short, nested too deeply, or larger than an object can be.
        """
        self.peek()
        while True:
            try:
                found, end = self._json.raw_decode(self.text, self.at)
                # A number at the very end of the window may go on beyond it.
                if end < len(self.text) or self.ended or isinstance(found, (dict, list, str)):
                    self.at = end
                    return found
            except json.JSONDecodeError as error:
                if error.pos < len(self.text) - _ENOUGH and "Unterminated string" not in error.msg:
                    raise Malformed(f"line {self.line(error.pos)}: {error.msg}") from None
                if self.ended:
                    raise Malformed(f"line {self.line()}: this object is cut short or broken ({error.msg})") from None
            except RecursionError:
                raise Malformed(f"line {self.line()}: nested too deeply") from None
            except ValueError as error:
                raise Malformed(f"line {self.line()}: {error}") from None
            if len(self.text) - self.at > self._largest:
                raise Malformed(f"line {self.line()}: an object has more than {self._largest} characters")
            self._fill()

    def indented(self) -> str:
        """The text of the object that begins here, in JSON that is indented as kubectl does: up to the first brace that stands as deep as the first line.

        A line end within a string is escaped, so such a brace can be nothing else. "" where the object does not end within the window.
        """
        before = self.text.rfind("\n", 0, self.at) if self.at < len(self.text) and self.text[self.at] == "{" else -1
        if before < 0:
            return ""
        end = self.text.find(f"{self.text[before : self.at]}}}", self.at)
        return self.text[self.at : end + self.at - before + 1] if end > 0 else ""

    def _fill(self) -> None:
        """Twice as much text as there is: decoding anew after every chunk would take the square of an object's size."""
        wanted = max(2 * (len(self.text) - self.at), 1)
        while len(self.text) - self.at < wanted and self.more():
            pass

    def take_line(self) -> str:
        while "\n" not in self.text[self.at :] and self.more():
            pass
        end = self.text.find("\n", self.at)
        end = len(self.text) if end < 0 else end + 1
        line, self.at = self.text[self.at : end], end
        return line


def json_documents(stream: t.BinaryIO, wants: Wants, largest: int, skips: Skips | None = None) -> t.Iterator[Document | Section]:
    """Yield the objects of a file of one or several JSON documents. Lists of kinds that nobody ``wants`` are left where they stand.

    :param largest: characters of one object.
    :param skips: tells of the text of an item of a typed List that it need not be decoded.
    :raises Malformed: the rest of the file is lost.
    :raises Damaged: the stream ends early.
    """
    window = _Window(stream, largest)
    while True:
        following = window.peek()
        if not following:
            return
        if following == "=" and window.text.startswith(_MARK, window.at):
            yield from _section(window)
            continue
        if following == "[":
            yield from _items(window, wants, "", "", skips)
            continue
        skipped = yield from _document(window, wants, skips)
        if skipped:
            return


def _document(window: _Window, wants: Wants, skips: Skips | None) -> t.Iterator[Document]:  # type: ignore[return]
    """One document; returns True where the rest of the file is of no interest."""
    window.expect("{")
    content: dict[str, t.Any] = {}
    count = None
    while window.peek() != "}":
        key = window.value()
        window.expect(":")
        if key == "items" and window.peek() == "[":
            api_version, kind = str(content.get("apiVersion") or ""), str(content.get("kind") or "")
            if kind.endswith("List") and kind != "List" and not wants(api_version, kind[:-4]):
                return True
            count = yield from _items(window, wants, api_version, kind, skips)
        else:
            content[str(key)] = window.value()
        if window.peek() == ",":
            window.at += 1
    window.expect("}")
    api_version, kind = str(content.get("apiVersion") or ""), str(content.get("kind") or "")
    if count is not None or (kind.endswith("List") and "items" in content):  # a nil slice in Go is null
        yield Document(api_version, kind, None, True, count or 0)
    elif kind and wants(api_version, kind):
        yield Document(api_version, kind, content)


def _items(window: _Window, wants: Wants, api_version: str, kind: str, skips: Skips | None) -> t.Iterator[Document]:  # type: ignore[return]
    window.expect("[")
    of_list = kind[:-4] if kind.endswith("List") else ""
    count = 0
    while window.peek() != "]":
        text = window.indented() if skips is not None else ""
        if text and skips is not None and _is_skipped(skips, text, api_version, of_list):
            window.at += len(text)
            count += 1
            if window.peek() == ",":
                window.at += 1
            continue
        item = window.value()
        if isinstance(item, dict):
            count += 1
            item_kind, item_version = str(item.get("kind") or of_list), str(item.get("apiVersion") or api_version)
            if item_kind and wants(item_version, item_kind):
                yield Document(item_version, item_kind, item, True)
        if window.peek() == ",":
            window.at += 1
    window.expect("]")
    return count


def _is_skipped(skips: Skips, text: str, api_version: str, kind: str) -> bool:
    """:param kind: of the List's items, "" where each says it by itself: at its beginning, in what kubectl writes."""
    if not kind:
        found = _ITEM.match(text)
        if found is None:
            return False
        api_version, kind = found.groups()
    return skips(api_version, kind, text.encode("utf-8", "replace"))


def _section(window: _Window) -> t.Iterator[Section]:
    start = section_start(window.take_line().encode())
    ends = Ends()
    while not window.ended or window.at < len(window.text):
        line = window.take_line()
        if line.startswith(f"{_MARK} END logs for container"):
            break
        ends.add(line.encode("utf-8", "replace"))
    if start is not None:
        yield Section(*start, *ends.found())
