# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Markup that cannot be broken out of; references that lead somewhere."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._report._markup import Markup, clipped, counted, element, joined
from ansible_collections.fathom.submariner.plugins.module_utils._report._references import url_of


class Seen(HTMLParser):
    """What a parser makes of a document."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


@given(st.text(), st.text())
def test_text_stays_text(inner, attribute):
    seen = Seen(element("p", inner, title=attribute))
    assert seen.tags == ["p"]
    assert [name for name, _value in seen.attributes] == ["title"]
    assert "<" not in element("p", inner)[3:-4]


def test_children_and_attributes():
    made = element("div", "a", 1, None, [Markup("<b>"), ("c",)], class_="x", aria_label="y", hidden=True, open=False, id=None)
    assert made == '<div class="x" aria-label="y" hidden>a1<b>c</div>'
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'
    assert element("svg", viewbox="0 0 1 1") == '<svg viewBox="0 0 1 1"></svg>'
    assert joined(["<", Markup("<")]) == "&lt;<"


def test_words():
    assert clipped("abcdef", 4) == "abc…" and clipped("abcd", 4) == "abcd"
    assert counted(1, "cluster") == "1 cluster" and counted(2000, "entry", "entries") == "2,000 entries"


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("submariner-io/submariner#2953", "https://github.com/submariner-io/submariner/issues/2953"),
        ("submariner#2953", "https://github.com/submariner-io/submariner/issues/2953"),
        ("kubespray#11346", "https://github.com/kubernetes-sigs/kubespray/issues/11346"),
        ("https://submariner.io/operations/known-issues/", "https://submariner.io/operations/known-issues/"),
        ("submariner-operator pkg/discovery/network/generic.go", ""),
        ("javascript:alert(1)", ""),
        ('https://example.org/"onmouseover="x', ""),
        ("elsewhere#1", ""),
    ],
)
def test_references(reference, url):
    assert url_of(reference) == url
