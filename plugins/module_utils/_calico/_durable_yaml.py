# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Changing a YAML text that people wrote, so that every byte that need not change stays: comments, order, quotes, indentation.

Nothing is dumped anew. What differs between the document and what is wanted is cut out and put in at the places that the parser tells, and the result is
believed only when it parses to exactly what was wanted; otherwise there is no result. So a text in which a place is shared (anchors, aliases, merge keys)
or spelled in a way that is not expected here is refused, never damaged.
"""

from __future__ import annotations

import math
import types
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml_write import Style, block_pair, flow, flow_pair, inline
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError

Path = t.Tuple[str, ...]

MOST_ALIASES = 50  # more make a small text large when it is parsed
_STYLES = tuple(Style(literal, after) for after in (True, False) for literal in (True, False))


class EditError(SubmarinerError):
    """A text cannot be changed without the risk of changing something else. ``message`` says why, as the rest of a sentence, without the text's values."""


class _Change(t.NamedTuple):
    """One difference: ``value`` is to stand at ``path``; with ``gone`` nothing is."""

    path: Path
    value: t.Any = None
    gone: bool = False


def load_documents(text: str, yaml: types.ModuleType) -> list[t.Any]:
    """Return what the documents of a text mean.

    :param yaml: PyYAML.
    :raises EditError: it is no YAML, or could blow up.
    """
    try:
        if "*" in text and sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)) > MOST_ALIASES:
            raise EditError(f"it has more than {MOST_ALIASES} aliases")
        return list(yaml.safe_load_all(text))
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError) as error:  # AttributeError: a constructor of PyYAML's on an odd scalar
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise EditError(f"it is no YAML{where}") from error


def edited(text: str, wanted: t.Any, yaml: types.ModuleType, document: int = 0) -> str:
    """Return ``text`` changed as little as possible, so that its ``document`` means ``wanted``.

    :param wanted: of JSON types; a mapping.
    :param document: which one of a text of several, counted from 0.
    :raises EditError: that cannot be done safely.
    """
    found = load_documents(text, yaml) or [None]
    try:
        if same(_filled(found[document]), wanted):
            return text
        aim = [*found[:document], wanted, *found[document + 1:]]
        for style in _STYLES:
            result = _attempt(text, wanted, yaml, document, style)
            if result is not None and _means(result, aim, yaml):
                return result
    except RecursionError as error:
        raise EditError("it is nested too deeply, or inside itself") from error
    raise EditError("it is written in a way (an anchor, an alias, a merge key, a key that stands twice) in which a change would touch something else, too")


def _filled(document: t.Any) -> t.Any:
    """A document of comments alone is an empty mapping, as Helm and Kubernetes take it."""
    return {} if document is None else document


def _means(text: str, aim: t.Any, yaml: types.ModuleType) -> bool:
    try:
        return same(list(map(_filled, load_documents(text, yaml))) or [{}], list(map(_filled, aim)))
    except EditError:
        return False


def _attempt(text: str, wanted: t.Any, yaml: types.ModuleType, document: int, style: Style) -> str | None:
    """``text`` after all changes, each computed from the text as the one before left it; None where a place was not found."""
    newline = "\r\n" if "\r\n" in text else "\n"
    try:
        found = load_documents(text, yaml) or [None]
        for change in _changes(_filled(found[document]), wanted):
            roots = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
            root = roots[document] if roots else None
            text = _Place(text, yaml, newline, style).apply(root, change)
    except (yaml.YAMLError, EditError, LookupError, ValueError):
        return None
    return text


def _changes(found: t.Any, wanted: t.Any, path: Path = ()) -> t.Iterator[_Change]:
    if same(found, wanted):
        return
    both = isinstance(found, dict) and isinstance(wanted, dict) and found and wanted
    if not both or (path and not set(found) & set(wanted)):
        yield _Change(path, wanted)
        return
    for key in [key for key in wanted if key not in found]:
        yield _Change((*path, key), wanted[key])
    for key in [key for key in found if key in wanted]:
        yield from _changes(found[key], wanted[key], (*path, key))
    for key in [key for key in found if key not in wanted]:
        yield _Change((*path, str(key)), gone=True)


def same(one: t.Any, other: t.Any) -> bool:
    """Whether two parsed values are equal in type, too: 1 is neither true nor 1.0. Order of keys does not count."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and bool(one == other)


class _Place:
    """One text, and how to cut into it."""

    def __init__(self, text: str, yaml: types.ModuleType, newline: str, style: Style) -> None:
        self._text = text
        self._yaml = yaml
        self._newline = newline
        self._style = style

    def apply(self, root: t.Any, change: _Change) -> str:
        """
        :raises EditError: the place is shared, or not found.
        """
        if not change.path:
            return self._as_root(root, change.value)
        parent = self._mapping_at(root, change.path[:-1])
        pair = self._pair(parent, change.path[-1])
        if change.gone:
            if pair is None:
                raise EditError("the key is not there")
            return self._without(parent, pair)
        if pair is None:
            return self._with_new(parent, change.path[-1], change.value)
        return self._with_value(parent, pair, change.path[-1], change.value)

    def _mapping_at(self, root: t.Any, path: Path) -> t.Any:
        node = root
        for key in path:
            pair = self._pair(node, key)
            if pair is None or pair[1].start_mark.index < pair[0].start_mark.index:  # an alias stands where its anchor stands
                raise EditError("the mapping is not written here")
            node = pair[1]
        if not isinstance(node, self._yaml.MappingNode):
            raise EditError("it is no mapping")
        return node

    def _pair(self, mapping: t.Any, key: str) -> t.Any:
        if not isinstance(mapping, self._yaml.MappingNode):
            raise EditError("it is no mapping")
        found = [pair for pair in mapping.value if isinstance(pair[0], self._yaml.ScalarNode) and pair[0].value == key]
        if len(found) > 1:
            raise EditError("a key stands twice")
        return found[0] if found else None

    def _as_root(self, root: t.Any, value: t.Any) -> str:
        """Of a document that holds nothing, or an empty mapping."""
        lines = [line for key, entry in value.items() for line in block_pair(key, entry, 0, self._style)]
        if root is None or (isinstance(root, self._yaml.ScalarNode) and root.start_mark.index == root.end_mark.index):
            position = len(self._text) if root is None else max(self._line_end(root.end_mark.index), 0)
            return self._insert(position, lines)
        start, end = root.start_mark.index, self._end(root)
        return self._text[:start] + self._newline.join(lines) + self._text[end:]

    def _with_new(self, parent: t.Any, key: str, value: t.Any) -> str:
        if parent.flow_style:
            if not parent.value:
                raise EditError("an empty mapping is replaced, not filled")
            position = self._end(parent.value[-1][1], parent.value[-1][0])
            return f"{self._text[:position]}, {flow_pair(key, value)}{self._text[position:]}"
        lines = block_pair(key, value, parent.value[0][0].start_mark.column, self._style)
        if not self._style.after:
            return self._insert(self._line_start(parent.value[0][0].start_mark.index), lines)
        return self._insert(self._line_end(self._end(parent)), lines)

    def _with_value(self, parent: t.Any, pair: t.Any, key: str, value: t.Any) -> str:
        key_node, node = pair
        colon = self._text.index(":", key_node.end_mark.index)
        start, end = self._span(pair, colon)
        short = inline(value)
        if parent.flow_style:
            return self._text[:start] + (" " if start == colon + 1 else "") + flow(value) + self._text[end:]
        if short is not None and "\n" not in self._text[colon:start]:
            tail = self._text[end:]
            gap = self._newline if end and self._text[end - 1] == "\n" and end > start else ""
            return self._text[:start] + (" " if start == colon + 1 else "") + short + gap + tail
        lines = block_pair(key, value, key_node.start_mark.column, self._style)
        first, rest = lines[0].lstrip(" ").partition(":")[2], lines[1:]
        if "\n" in self._text[colon:start]:  # the old value stands on lines of its own
            cut, after = self._line_start(start), self._line_end(self._end(node, key_node))
            head = self._text[:colon + 1] + first + self._text[colon + 1:cut]
        else:
            cut = self._line_end(end)
            comment = "" if end and self._text[end - 1] == "\n" else self._text[end:cut].rstrip("\r\n")
            kept = f" {comment.strip()}" if comment.strip() and not first.strip().startswith("|") else ""
            head = self._text[:colon + 1] + first + kept + self._newline
            after = cut
        body = "".join(line + self._newline for line in rest)
        tail = self._text[after:]
        whole = head + body + tail
        return whole if tail or self._text.endswith("\n") else whole[: -len(self._newline)]

    def _without(self, parent: t.Any, pair: t.Any) -> str:
        key_node = pair[0]
        if not parent.flow_style:
            start, end = self._line_start(key_node.start_mark.index), self._line_end(self._end(pair[1], key_node))
            return self._text[:start] + self._text[end:]
        number = parent.value.index(pair)
        if number + 1 < len(parent.value):
            return self._text[: key_node.start_mark.index] + self._text[parent.value[number + 1][0].start_mark.index:]
        if number == 0:
            raise EditError("the last key of a mapping goes with the mapping")
        before = parent.value[number - 1]
        return self._text[: self._end(before[1], before[0])] + self._text[self._end(pair[1], key_node):]

    def _span(self, pair: t.Any, colon: int) -> tuple[int, int]:
        """Where a value stands, without its comment; an alias is where its name stands."""
        key_node, node = pair
        if node.start_mark.index < key_node.start_mark.index:
            start = colon + 1 + len(self._text[colon + 1:]) - len(self._text[colon + 1:].lstrip(" "))
            name = self._text[start:].split(None, 1)[0].rstrip(",}]")
            if not name.startswith("*"):
                raise EditError("an alias is not where it was expected")
            return start, start + len(name)
        return node.start_mark.index, self._end(node, key_node)

    def _end(self, node: t.Any, key_node: t.Any = None) -> int:
        """Where a node's own text ends: the parser's end of a block is where the next thing begins, after comments that belong to that one."""
        if key_node is not None and node.start_mark.index < key_node.start_mark.index:
            return self._span((key_node, node), self._text.index(":", key_node.end_mark.index))[1]
        if isinstance(node, self._yaml.ScalarNode) or node.flow_style or not node.value:
            return int(node.end_mark.index)
        last = node.value[-1]
        if isinstance(node, self._yaml.MappingNode):
            return self._end(last[1], last[0])
        if last.start_mark.index < node.start_mark.index:
            raise EditError("a list ends in an alias")
        return self._end(last)

    def _line_start(self, index: int) -> int:
        return self._text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        """After the line break that follows; ``index`` itself where a line begins there already (the end of a block scalar)."""
        if index and self._text[index - 1] == "\n":
            return index
        found = self._text.find("\n", index)
        return len(self._text) if found < 0 else found + 1

    def _insert(self, position: int, lines: t.Sequence[str]) -> str:
        head, tail = self._text[:position], self._text[position:]
        body = self._newline.join(lines)
        gap = self._newline if head and not head.endswith("\n") else ""
        return head + gap + body + (self._newline if tail or head.endswith("\n") else "") + tail
