# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""One scalar out of a YAML or JSON document that a program wrote (kubeadm, kube-proxy, flannel).

Only what these programs write is read: block mappings and scalars. It needs no YAML library, which may be absent where a
module runs, and it cannot be blown up by anchors.
"""

from __future__ import annotations

import json
import typing as t


class Scalar(t.NamedTuple):
    """``value`` is None when the path is not there; ``problem`` says why a document could not be read."""

    value: str | None
    problem: str = ""


def scalar_at(text: str, path: t.Sequence[str]) -> Scalar:
    """The scalar at ``path``, such as ``("networking", "podSubnet")``. Never raises.

    :param text: one YAML document of block mappings, or one JSON object.
    """
    if text.lstrip().startswith("{"):
        return _json_scalar(text, path)
    opened: list[tuple[int, str]] = []  # indentation and key of every mapping that the line is in
    for line in text.splitlines():
        body = line.strip()
        key, colon, rest = body.partition(":")
        if not colon or body.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        while opened and indent <= opened[-1][0]:
            opened.pop()
        opened.append((indent, key.strip("\"'")))
        here = [name for depth, name in opened]
        if here == list(path):
            return Scalar(_plain(rest))
        if here == list(path[:len(here)]) and rest.strip().startswith("{"):
            return Scalar(None, f"{'.'.join(here)} is a flow mapping, which is not read")
    return Scalar(None)


def _plain(rest: str) -> str:
    value = rest.strip()
    if value[:1] in ("'", '"'):
        return value[1:].partition(value[0])[0]
    return value.partition(" #")[0].strip()


def _json_scalar(text: str, path: t.Sequence[str]) -> Scalar:
    try:
        document: t.Any = json.loads(text)
    except (ValueError, RecursionError):
        return Scalar(None, "it is no JSON")
    for key in path:
        if not isinstance(document, dict) or key not in document:
            return Scalar(None)
        document = document[key]
    return Scalar(None if document is None or isinstance(document, (dict, list)) else str(document))
