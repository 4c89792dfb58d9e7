# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Small parts that every section of ``report.html`` uses."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._report._markup import Markup, clipped, element

# Shapes differ, so that a verdict is told without its colour: octagon, triangle, circle and so on, in a box of 16.
_SHAPES = {
    "blocker": "M5 1h6l4 4v6l-4 4H5l-4-4V5zM5.4 4.2 4.2 5.4 6.8 8l-2.6 2.6 1.2 1.2L8 9.2l2.6 2.6 1.2-1.2L9.2 8l2.6-2.6-1.2-1.2L8 6.8z",
    "error": "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM7 4v5h2V4zM7 10.5v2h2v-2z",
    "warning": "M8 1 15.5 14.5H.5zM7 6v4h2V6zM7 11v2h2v-2z",
    "info": "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM7 3.5v2h2v-2zM7 7v5.5h2V7z",
    "ok": "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM4 8.2l2.8 2.8 5.3-5.3-1.2-1.2-4.1 4.1-1.6-1.6z",
    "unknown": "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM5.3 6.2h1.8c0-.8.4-1.2 1-1.2s1 .3 1 .9c0 1.2-2 1.2-2 3.3h1.8c0-1.4 2.1-1.6 2.1-3.4"
    "C11 4.3 9.8 3.5 8.1 3.5S5.3 4.5 5.3 6.2zM7 10.5v2h2v-2z",
}


def icon(name: str) -> Markup:
    shape = _SHAPES.get(name, _SHAPES["unknown"])
    return element("svg", element("path", d=shape, fill="currentColor", fill_rule="evenodd"), viewbox="0 0 16 16", aria_hidden="true", focusable="false")


def badge(severity: str, word: str = "") -> Markup:
    return element("span", icon(severity), clipped(word, 28) if word else severity.capitalize(), class_=f"badge s-{severity}")


def table(caption: str, heads: t.Sequence[str], rows: t.Sequence[Markup], *, kind: str = "") -> Markup:
    """A table with a caption and column heads; on a narrow screen its rows become blocks. ``kind`` is a class for the widths of its columns."""
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", [element("th", head, scope="col") for head in heads])),
            element("tbody", rows),
            class_=f"stack {kind}".rstrip(),
        ),
        class_="scroll",
    )


def head_cell(name: str) -> Markup:
    """The cell that names a row. Names break at hyphens, which makes short ones hard to read."""
    return element("th", name, scope="row", class_="short" if len(name) <= 28 else None)


def labelled(label: str, *children: t.Any, class_: str | None = None) -> Markup:
    """A cell that carries its column's head along for narrow screens, where that is needed to understand it; nothing where it is empty."""
    filled = any(child not in ("", None, ()) for child in children)
    return element("td", children, data_label=label if label and filled else None, class_=class_)
