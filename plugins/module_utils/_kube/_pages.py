# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""One page of a list, parsed object by object: no more than one object's JSON exists as Python objects at any moment.

A page of 500 pods is some megabytes of text, and five times that as nested dictionaries; of each object only a record is kept.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._kube._answers import BrokenBody, describe_foreign
from ansible_collections.fathom.submariner.plugins.module_utils._kube._transport import Reply

Project = t.Callable[[t.Dict[str, t.Any]], t.Any]

_scan: t.Callable[[str, int], tuple[t.Any, int]] = json.JSONDecoder().scan_once
_BLANK = re.compile(r"[ \t\n\r]*")


class OddObject(Exception):
    """An object that its projection cannot read; in words."""


class Page(t.NamedTuple):
    """``entries`` are pairs of uid and record, without those of which the projection made None. ``kind`` is the list's own."""

    kind: str
    resource_version: str
    token: str  # to continue with, "" on the last page
    entries: list[tuple[str, t.Any]]
    is_list: bool


def parse_page(reply: Reply, project: Project) -> Page:
    """
    :raises BrokenBody: cut short, no JSON, or not a Kubernetes object.
    :raises OddObject: ``project`` broke on an object.
    """
    try:
        head, items = _parse(reply.body.decode("utf-8"), project)
    except (ValueError, RecursionError, StopIteration):
        raise BrokenBody(describe_foreign(reply)) from None
    if "kind" not in head:
        raise BrokenBody("the body is JSON, and no Kubernetes object")
    return page_of(head, items)


def page_of(head: t.Mapping[str, t.Any], items: list[tuple[str, t.Any]] | None) -> Page:
    """
    :param head: the list without its items.
    :param items: None where it has none.
    """
    kind = str(head["kind"])
    metadata = head.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    proper = kind.endswith("List") and head.get("items") is None  # a nil slice in Go is null
    return Page(kind, str(metadata.get("resourceVersion") or ""), str(metadata.get("continue") or ""), items or [], proper)


def _parse(text: str, project: Project) -> tuple[dict[str, t.Any], list[tuple[str, t.Any]] | None]:
    """The object of ``text`` without its items, and these."""
    head: dict[str, t.Any] = {}
    items: list[tuple[str, t.Any]] | None = None
    position = _expect(text, 0, "{")
    more = not text.startswith("}", position)
    while more:
        key, position = _scan(text, position)
        position = _expect(text, position, ":")
        if key == "items" and text.startswith("[", position):
            items = []
            position = _elements(text, position, items, project)
        else:
            head[key], position = _scan(text, position)
        position = _blank(text, position)
        more = not text.startswith("}", position)
        if more:
            position = _expect(text, position, ",")
    if _blank(text, position + 1) != len(text):
        raise ValueError("something follows the object")
    return head, items


def _elements(text: str, position: int, found: list[tuple[str, t.Any]], project: Project) -> int:
    """Append the records of the list that begins at ``position``; return where it ends."""
    position = _blank(text, position + 1)
    if text.startswith("]", position):
        return position + 1
    while True:
        item, position = _scan(text, position)
        entry = entry_of(item, project)
        if entry is not None:
            found.append(entry)
        position = _blank(text, position)
        if text.startswith("]", position):
            return position + 1
        position = _expect(text, position, ",")


def entry_of(item: t.Any, project: Project) -> tuple[str, t.Any] | None:
    """
    :raises OddObject: the projection broke on it.
    """
    metadata = item.get("metadata") if isinstance(item, dict) else None
    metadata = metadata if isinstance(metadata, dict) else {}
    try:
        record = project(item)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        name = "/".join(str(part) for part in (metadata.get("namespace"), metadata.get("name")) if part)
        raise OddObject(f"{name or '(without a name)'} that is not shaped as its API says ({type(error).__name__}: {error})") from error
    return None if record is None else (str(metadata.get("uid") or ""), record)


def _blank(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return found.end() if found else position


def _expect(text: str, position: int, sign: str) -> int:
    """Where the token after ``sign`` begins."""
    position = _blank(text, position)
    if not text.startswith(sign, position):
        raise ValueError(f"no {sign} at {position}")
    return _blank(text, position + 1)
