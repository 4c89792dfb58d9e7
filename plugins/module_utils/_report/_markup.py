# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""HTML and SVG made of values, safe by construction: what is not :class:`Markup` is text, and stays text.

Names, messages and log lines come from the clusters. Nothing reaches a document but through :func:`element`, which makes it harmless for
terminals and editors too (control characters, bidirectional overrides) and then escapes it.
"""

from __future__ import annotations

import html
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._report._text import harmless

# HTML Living Standard 13.1.2: these have no end tag.
_VOID = frozenset(("br", "hr", "meta", "link", "img", "input", "col", "wbr"))


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, /, *children: t.Any, **attributes: t.Any) -> Markup:
    """An element. Children may be Markup, texts, numbers, None (nothing) or iterables of these.

    Attributes that are None or False are left out, True stands without a value; ``class_`` is ``class`` and other underscores are hyphens.
    """
    shown = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None and value is not False)
    if tag in _VOID:
        return Markup(f"<{tag}{shown}>")
    return Markup(f"<{tag}{shown}>{joined(children)}</{tag}>")


def joined(children: t.Any) -> Markup:
    """Everything of an iterable, one after the other."""
    return Markup("".join(_shown(child) for child in children))


def _shown(child: t.Any) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, (str, int, float)):
        return escaped(child)
    return joined(child)


def escaped(value: t.Any) -> str:
    """A value as text of an element or of a quoted attribute."""
    return html.escape(harmless(value), quote=True)


def _attribute(key: str, value: t.Any) -> str:
    name = key.rstrip("_").replace("_", "-")
    # SVG is case sensitive where HTML is not.
    name = {"viewbox": "viewBox", "preserveaspectratio": "preserveAspectRatio"}.get(name, name)
    return f" {name}" if value is True else f' {name}="{escaped(value)}"'


def clipped(value: t.Any, most: int) -> str:
    """At most ``most`` characters of harmless text, with an ellipsis where some are missing."""
    text = harmless(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 cluster``, ``2 clusters``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"
