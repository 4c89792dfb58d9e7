# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of others on a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._report._text import harmless, harmless_tree, table, wrapped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link", "link"),
        ("\x1bcreset", "reset"),
        ("two\nlines\tand\r\nmore", "two lines and more"),
        ("\x9b31mC1", "31mC1"),
        ("over\u202eride\u200b\u2028", "override"),
        ("bell\x07\x00\x7f", "bell"),
        ("Zürich ✓", "Zürich ✓"),
        (7, "7"),
    ],
)
def test_harmless(text, expected):
    assert harmless(text) == expected


@given(st.text())
def test_nothing_harmful_is_left(text):
    assert not [character for character in harmless(text) if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


@given(st.text())
def test_twice_is_once(text):
    assert harmless(harmless(text)) == harmless(text)


def test_tree():
    assert harmless_tree({"a\x1b[1m": ["b\n", {"c": (1, None, "\x07")}]}) == {"a": ["b ", {"c": [1, None, ""]}]}


def test_wrapped_keeps_long_words_whole():
    word = "x" * 100
    assert wrapped(f"a {word} b", indent="  ") == ["  a", f"  {word}", "  b"]


def test_table():
    assert table([("a", "bb", "c"), ("aaa", "b", "")]) == ["a    bb  c", "aaa  b"]
    assert table([]) == []
