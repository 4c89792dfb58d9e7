# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading options of processes, in every way in which they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._network._command_line import option_values

OPTION = "--cluster-cidr"


@pytest.mark.parametrize(
    ("command", "args", "value", "field"),
    [
        (("kube-controller-manager", "--cluster-cidr=10.42.0.0/16"), (), "10.42.0.0/16", "command"),
        (("kube-controller-manager",), ("--cluster-cidr=10.42.0.0/16",), "10.42.0.0/16", "args"),
        ((), ("--cluster-cidr=10.42.0.0/16",), "10.42.0.0/16", "args"),
        (("kube-controller-manager", "--cluster-cidr", "10.42.0.0/16"), (), "10.42.0.0/16", "command"),
        (("kube-controller-manager", "--cluster-cidr"), ("10.42.0.0/16",), "10.42.0.0/16", "command"),
        (("/bin/sh", "-c", "exec kube-controller-manager --v=2 --cluster-cidr=10.42.0.0/16 1>>/log 2>&1"), (), "10.42.0.0/16", "command"),
        (("/bin/sh", "-c"), ("exec kube-controller-manager --cluster-cidr 10.42.0.0/16",), "10.42.0.0/16", "args"),
        (("sh", "-c", "kcm --cluster-cidr='10.42.0.0/16,fd00::/56' it's"), (), "'10.42.0.0/16,fd00::/56'", "command"),
        (("sh", "-c", 'kcm --cluster-cidr="10.42.0.0/16,fd00::/56"'), (), "10.42.0.0/16,fd00::/56", "command"),
        (("kcm", "--cluster-cidr=10.42.0.0/16, fd00::/56"), (), "10.42.0.0/16, fd00::/56", "command"),
        (("kcm", "--cluster-cidr="), (), "", "command"),
        (("kcm", "--cluster-cidr", "--v=2"), (), None, "command"),
        (("kcm", "--cluster-cidr"), (), None, "command"),
    ],
)
def test_every_way_to_write_an_option(command, args, value, field):
    assert option_values(command, args, OPTION) == ((value, field),)


def test_a_longer_option_is_another_option():
    assert option_values(("kcm", "--cluster-cidr-mask-size=24", "--node-cluster-cidr=1"), (), OPTION) == ()


def test_all_occurrences_are_told():
    assert [value.value for value in option_values(("kcm", "--cluster-cidr=a"), ("--cluster-cidr=b",), OPTION)] == ["a", "b"]


@given(st.lists(st.text(max_size=30), max_size=5), st.lists(st.text(max_size=30), max_size=5))
def test_it_never_raises(command, args):
    assert all(value.field in ("command", "args") for value in option_values(command, args, OPTION))


@given(st.lists(st.sampled_from(["--v=2", "--leader-elect", "--node-mask", "24"]), max_size=4), st.booleans(), st.booleans(), st.booleans())
def test_the_value_is_found_wherever_it_stands(others, in_args, two_words, one_line):
    words = ["--cluster-cidr", "10.42.0.0/16"] if two_words else ["--cluster-cidr=10.42.0.0/16"]
    line = ["kcm", *others, *words]
    line = ["sh", "-c", " ".join(line)] if one_line else line
    command, args = (line[:1], line[1:]) if in_args else (line, [])
    assert [value.value for value in option_values(command, args, OPTION)] == ["10.42.0.0/16"]
