# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Values as YAML that every parser reads alike, be it of YAML 1.1 or 1.2: what is not plainly a word or a number is quoted as in JSON."""

from __future__ import annotations

import json
import re
import typing as t

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_NO_TEXT = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))  # of YAML 1.1, in any case


class Style(t.NamedTuple):
    """:param literal: several lines of text as a literal block (``|``), not as one quoted line.
    :param after: new keys at the end of their mapping, not at its beginning.
    """

    literal: bool = True
    after: bool = True


def block_pair(key: str, value: t.Any, column: int, style: Style) -> list[str]:
    """Return the lines of a key and its value in a block mapping that begins in ``column``, without line breaks."""
    name = " " * column + scalar(key)
    if isinstance(value, str) and "\n" in value:
        if style.literal and _fits_literal(value):
            return [f"{name}: {_literal_header(value)}", *_literal_lines(value, column + 2)]
        return [f"{name}: {flow(value)}"]
    short = inline(value)
    if short is not None:
        return [f"{name}: {short}"]
    if isinstance(value, dict):
        return [f"{name}:", *(line for inner, entry in value.items() for line in block_pair(inner, entry, column + 2, style))]
    return [f"{name}:", *(line for entry in value for line in _block_entry(entry, column, style))]


def _block_entry(entry: t.Any, column: int, style: Style) -> list[str]:
    """An entry of a list whose dashes stand under their key, as Kubernetes' own tools print it."""
    short = inline(entry)
    if short is not None:
        return [f"{' ' * column}- {short}"]
    if isinstance(entry, dict):
        lines = [line for key, value in entry.items() for line in block_pair(key, value, column + 2, style)]
        return [f"{' ' * column}- {lines[0][column + 2:]}", *lines[1:]]
    return [f"{' ' * column}- {flow(entry)}"]


def flow_pair(key: str, value: t.Any) -> str:
    """Return ``"key": value`` for a flow mapping, on one line, so that a document in JSON stays one."""
    return f"{json.dumps(key, ensure_ascii=False)}: {flow(value)}"


def flow(value: t.Any) -> str:
    """Return a value as JSON, which is YAML, too."""
    return json.dumps(value, ensure_ascii=False)


def inline(value: t.Any) -> str | None:
    """Return a value that fits on its key's line, None for mappings and lists that hold something and for text of several lines."""
    if isinstance(value, (dict, list)):
        return None if value else json.dumps(value)
    if isinstance(value, str) and "\n" in value:
        return None
    return scalar(value)


def scalar(value: t.Any) -> str:
    """Return a scalar, quoted where it must be."""
    if isinstance(value, str) and _WORD.fullmatch(value) and value.lower() not in _NO_TEXT:
        return value
    return json.dumps(value, ensure_ascii=False)


def _fits_literal(value: str) -> bool:
    """A block takes its indentation from its first line, and holds nothing that must be escaped."""
    return value[0] not in " \n" and all(line.isprintable() for line in value.split("\n"))


def _literal_header(value: str) -> str:
    """Which line breaks at the end count: all, one, or none."""
    return "|+" if value.endswith("\n\n") else "|" if value.endswith("\n") else "|-"


def _literal_lines(value: str, column: int) -> list[str]:
    lines = value[:-1].split("\n") if value.endswith("\n") else value.split("\n")
    return [" " * column + line if line else "" for line in lines]


def dump(value: t.Mapping[str, t.Any] | t.Sequence[t.Any]) -> str:
    """Return a mapping, or a list, as a document of its own."""
    style = Style()
    if isinstance(value, t.Mapping):
        return "".join(line + "\n" for key, entry in value.items() for line in block_pair(key, entry, 0, style))
    return "".join(line + "\n" for entry in value for line in _block_entry(entry, 0, style))
