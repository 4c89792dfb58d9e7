# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One scalar out of a document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._documents import scalar_at

PATH = ("networking", "podSubnet")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("networking:\n  podSubnet: 10.1.0.0/16\n", "10.1.0.0/16"),
        ("networking:\n    dnsDomain: a\n    podSubnet: '10.1.0.0/16,fd00::/56'  # both\n", "10.1.0.0/16,fd00::/56"),
        ("---\n# podSubnet: 1\nnetworking:\n\n  podSubnet: 10.1.0.0/16\nother: 1\n", "10.1.0.0/16"),
        ('"networking":\n  "podSubnet": "10.1.0.0/16"\n', "10.1.0.0/16"),
        ("networking:\n  podSubnet: ''\n", ""),
        ("podSubnet: 10.1.0.0/16\n", None),
        ("networking:\n  more:\n    podSubnet: 10.1.0.0/16\n", None),
        ("other:\n  networking:\n    podSubnet: 10.1.0.0/16\n", None),
        ("networking:\nother:\n  podSubnet: 10.1.0.0/16\n", None),
        ("note: |\n  networking:\n    podSubnet: 10.9.0.0/16\nnetworking:\n  podSubnet: 10.1.0.0/16\n", "10.1.0.0/16"),
        ('{"networking": {"podSubnet": "10.1.0.0/16"}}', "10.1.0.0/16"),
        ('{"networking": {"podSubnet": null}}', None),
        ('{"networking": []}', None),
        ("", None),
    ],
)
def test_the_scalar_at_a_path(text, value):
    assert scalar_at(text, PATH) == (value, "")


@pytest.mark.parametrize("text", ["{", "networking: {podSubnet: 10.1.0.0/16}"])
def test_a_document_that_is_not_read_says_so(text):
    value, problem = scalar_at(text, PATH)
    assert value is None and problem


@given(st.text(alphabet=st.sampled_from(list("networking podSubnet:\n{}'\"#-|")), max_size=200))
def test_it_never_raises(text):
    value, problem = scalar_at(text, PATH)
    assert value is None or not problem
