# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Text that others wrote, made harmless before it reaches a terminal or a file.

Names of objects, messages of agents and values of fields come from the clusters. Kubernetes validates names but not messages and
annotations: an escape sequence in one could recolour, erase or forge lines of a report (CWE-150).
"""

from __future__ import annotations

import re
import textwrap
import typing as t
import unicodedata

WIDTH = 80

# CSI, OSC (ended by BEL or ST) and two-character escape sequences: ECMA-48 5.3 to 5.6.
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
# Cc control characters, Cf formatting ones (bidirectional overrides, zero width), Cs surrogates, line and paragraph separators.
_HARMFUL = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def harmless(value: t.Any) -> str:
    """``value`` as one line of printable text: escape sequences are dropped, line breaks and tabs become a space."""
    text = str(value)
    # Almost every text: str.isprintable() is false for all of the categories above, and a report of thousands of findings has millions of letters.
    if text.isprintable():
        return text
    text = _ESCAPE.sub("", text)
    text = re.sub(r"[\r\n\t]+", " ", text)
    return "".join(character for character in text if unicodedata.category(character) not in _HARMFUL)


def harmless_tree(value: t.Any) -> t.Any:
    """Nested lists and mappings with every text in them made harmless, keys included; other scalars as they are."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, t.Mapping):
        return {harmless(key): harmless_tree(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [harmless_tree(entry) for entry in value]
    return value


def wrapped(text: str, *, indent: str = "", first: str | None = None, width: int = WIDTH) -> list[str]:
    """``text`` in lines of at most ``width`` columns; a single word that is longer (a URL, a CIDR list) is left whole."""
    return textwrap.wrap(
        text,
        width=width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(rows: t.Sequence[t.Sequence[str]], *, indent: str = "", width: int = WIDTH) -> list[str]:
    """Columns aligned by their widest cell, two blanks apart; the last column wraps under itself."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        head = indent + "".join(cell.ljust(wide) + "  " for cell, wide in zip(row, widths))
        lines.extend(wrapped(row[-1], indent=" " * len(head), first=head, width=max(width, len(head) + 20)) or [head.rstrip()])
    return lines
