# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Objects out of YAML as kubectl and its like write it, of which only the wanted pieces are parsed.

Parsing YAML costs fifty times as much as JSON, so a file is cut into documents, and Lists into items, by their indentation, and what a piece is can be
told from its lines ``apiVersion`` and ``kind``. A piece that cannot be parsed is told of with its line and the others go on.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._deps import load_yaml
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_documents import Document, Malformed, Section, Skips, Wants, lines
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_logs import Ends, section_start

_FIELD = re.compile(rb"^(apiVersion|kind):[ \t]*[\"']?([A-Za-z0-9./-]+)", re.MULTILINE)
_ITEMS = re.compile(rb"^items:[ \t]*(\[\][ \t]*|null[ \t]*|~[ \t]*|)\r?\n?$")
_ITEM = re.compile(rb"^([ ]*)- ")
_ALIAS = re.compile(rb"(?:^|[\s\[{,])\*[A-Za-z0-9_.-]+[ \t]*(?:\r?\n|[,\]}]|$)")
_ANCHOR = re.compile(rb"(?:^|[\s\[{,:])&[A-Za-z0-9_.-]+")
# Half of an object's bytes, in which nothing of most kinds is of interest.
_MANAGED = re.compile(rb"^( +)managedFields:\r?\n(?:\1[- ] .*\n)*", re.MULTILINE)
_IMAGES = re.compile(rb"^( +)images:\r?\n(?:\1[- ] .*\n)*", re.MULTILINE)
TRIMMED = frozenset(("Pod", "Node", "Event", "Service", "Namespace", "Endpoint", "Cluster", "IPAMBlock", "NetworkPolicy", "GlobalNetworkPolicy"))
MOST_HELD = 64 * 1024 * 1024  # bytes of items of which it is not known yet of what kind they are
_loaders: dict[str, t.Any] = {}

Report = t.Callable[[Malformed], None]


def yaml_documents(
    stream: t.BinaryIO, wants: Wants, largest: int, report: Report, hint: str = "", skips: Skips | None = None
) -> t.Iterator[Document | Section]:
    """Yield the wanted objects of a YAML file.

    :param largest: bytes of one object.
    :param report: is told of each document that cannot be understood.
    :param hint: the kind of items that carry none, which the List's own ``kind`` tells only after them.
    :param skips: tells of a wanted object's text that it need not be parsed after all.
    :raises Damaged: the stream ends early.
    """
    cutter = _Cutter(wants, largest, report, hint, skips)
    section: tuple[tuple[str, str, str], Ends] | None = None
    for line in lines(stream, largest):
        if line.startswith(b"===="):
            start = section_start(line)
            if section is not None:
                yield Section(*section[0], *section[1].found())
            section = (start, Ends()) if start is not None else None
            yield from cutter.document_end()
        elif section is not None:
            section[1].add(line)
        else:
            yield from cutter.line(line)
    yield from cutter.document_end()
    if section is not None:
        yield Section(*section[0], *section[1].found())


class _Cutter:
    """Collects the lines of one piece: an item of a List, or what of a document is no item."""

    def __init__(self, wants: Wants, largest: int, report: Report, hint: str, skips: Skips | None) -> None:
        self._wants, self._largest, self._report, self._hint, self._skips = wants, largest, report, hint, skips
        self._number = 0
        self._reset()

    def _reset(self) -> None:
        self._frame: list[bytes] = []  # the document's own lines
        self._frame_size = 0
        self._frame_at = self._number + 1
        self._item: list[bytes] = []
        self._item_size = 0
        self._item_at = 0
        self._indent: bytes | None = None  # of the items, None before the first one
        self._in_items = False
        self._is_list = False
        self._count = 0
        self._held: list[tuple[bytes, int]] = []
        self._held_size = 0
        self._dropped = False

    def line(self, line: bytes) -> t.Iterator[Document]:
        self._number += 1
        if line.startswith(b"---") and line[3:4] in (b"", b" ", b"\n", b"\r") or line.rstrip() == b"...":
            yield from self.document_end()
            self._reset()
            return
        if self._in_items and (line[:1] in (b" ", b"\n", b"\r", b"-") or not line.strip()):
            started = _ITEM.match(line)
            if started is not None and (self._indent is None or started.group(1) == self._indent):
                yield from self._item_end()
                self._indent = started.group(1)
                self._item_at = self._number
                # The item's mapping, as a document of its own: its dash becomes white space, and the common indentation goes.
                line = line[len(self._indent) + 2 :]
            elif self._indent is not None:
                line = line[len(self._indent) + 2 :] if line.strip() else b"\n"
            self._item_size += len(line)
            if self._item_size <= self._largest:
                self._item.append(line)
            return
        if self._in_items:
            yield from self._item_end()
            self._in_items = False
        found = _ITEMS.match(line)
        if found is not None:
            self._is_list = True
            self._in_items = not found.group(1).strip()
            return
        self._frame_size += len(line)
        if self._frame_size <= self._largest:
            self._frame.append(line)

    def document_end(self) -> t.Iterator[Document]:
        yield from self._item_end()
        frame, at = b"".join(self._frame), self._frame_at
        api_version, kind = _fields(frame)
        if self._is_list and (kind.endswith("List") or not kind):
            of_list = kind[:-4]
            for text, line in self._held:
                if of_list and self._wants(api_version, of_list):
                    yield from self._parsed(text, line, api_version, of_list, True)
            if self._dropped:
                self._report(Malformed(f"line {at}: its items do not say what they are, and are too many to be kept until the end says it"))
            yield Document(api_version, kind or "List", None, True, self._count)
        elif kind and self._wants(api_version, kind):
            if self._frame_size > self._largest:
                self._report(Malformed(f"line {at}: an object has more than {self._largest} bytes", api_version, kind))
            else:
                yield from self._parsed(frame, at, api_version, kind, False)
        elif not kind and frame.strip() and not self._is_list and self._looks_broken(frame):
            self._report(Malformed(f"line {at}: no Kubernetes object (it has no kind)"))
        self._reset()

    @staticmethod
    def _looks_broken(frame: bytes) -> bool:
        return b"apiVersion" in frame

    def _item_end(self) -> t.Iterator[Document]:
        if not self._item or not b"".join(self._item[:50]).strip():
            self._item, self._item_size = [], 0
            return
        text, at, size = b"".join(self._item), self._item_at, self._item_size
        self._item, self._item_size = [], 0
        self._count += 1
        api_version, kind = _fields(text)
        if size > self._largest:
            self._report(Malformed(f"line {at}: an object has more than {self._largest} bytes", api_version, kind))
            return
        if not kind and self._hint:
            # apiVersion stands before items, kind after them.
            api_version, kind = api_version or _fields(b"".join(self._frame))[0], self._hint
        if not kind:
            self._hold(text, at)
        elif self._wants(api_version, kind):
            yield from self._parsed(text, at, api_version, kind, True)

    def _hold(self, text: bytes, at: int) -> None:
        self._held_size += len(text)
        if self._held_size > MOST_HELD:
            self._dropped = True
            self._held.clear()
        elif not self._dropped:
            self._held.append((text, at))

    def _parsed(self, text: bytes, at: int, api_version: str, kind: str, in_list: bool) -> t.Iterator[Document]:
        if self._skips is not None and self._skips(api_version, kind, text):
            return
        try:
            content = parse_yaml(text, kind)
        except Malformed as error:
            self._report(Malformed(_moved(str(error), at), api_version, kind))
            return
        if isinstance(content, dict):
            yield Document(str(content.get("apiVersion") or api_version), str(content.get("kind") or kind), content, in_list)


def parse_yaml(text: bytes, kind: str = "") -> t.Any:
    """Parse one document, in which scalars are what they are in JSON: no dates.

    :raises Malformed: it cannot be parsed, or refers to itself by aliases, which no tool of Kubernetes writes and which can unfold without end.
    """
    if kind in TRIMMED:
        text = _MANAGED.sub(b"", text)
    if kind == "Node":
        text = _IMAGES.sub(b"", text)
    if _ANCHOR.search(text) and _ALIAS.search(text) and _has_alias(text):
        raise Malformed("line 1: it uses YAML aliases, which are not followed")
    yaml = load_yaml()
    try:
        return yaml.load(text.decode("utf-8", "replace").replace("\0", "\ufffd"), Loader=_loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        words = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise Malformed(f"line {mark.line + 1 if mark is not None else 1}: {words}") from None
    except (RecursionError, ValueError, TypeError, OverflowError) as error:
        raise Malformed(f"line 1: {type(error).__name__}: {error}") from None


def _fields(text: bytes) -> tuple[str, str]:
    found: dict[bytes, bytes] = {}
    for match in _FIELD.finditer(text):
        found.setdefault(match.group(1), match.group(2))
        if len(found) == 2:
            break
    return found.get(b"apiVersion", b"").decode(), found.get(b"kind", b"").decode()


def _moved(message: str, start: int) -> str:
    """The message with its line counted from the file's beginning instead of the piece's."""
    found = re.match(r"line (\d+): (.*)", message, re.DOTALL)
    return f"line {int(found.group(1)) + start - 1}: {found.group(2)}" if found else message


def _has_alias(text: bytes) -> bool:
    yaml = load_yaml()
    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text.decode("utf-8", "replace"), Loader=base))
    except (yaml.YAMLError, RecursionError, ValueError):
        return False  # then loading it says what is wrong


def _loader() -> t.Any:
    """PyYAML's safe loader, libyaml's where PyYAML was built with it, without dates: an unquoted creationTimestamp is text in JSON."""
    if "loader" not in _loaders:
        yaml = load_yaml()

        class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
            yaml_implicit_resolvers = {
                first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
                for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
            }

        _loaders["loader"] = Loader
    return _loaders["loader"]
