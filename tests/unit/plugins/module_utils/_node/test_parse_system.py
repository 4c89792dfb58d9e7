# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""os-release, /proc/stat and systemctl to values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._node import _parse_system as parse
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.hosts import DISTRIBUTIONS


@pytest.mark.parametrize("each", DISTRIBUTIONS, ids=lambda each: each.name)
def test_distributions_name_themselves(each):
    found = parse.os_release(each.os_release)
    assert (found["ID"], found["VERSION_ID"], tuple(found.get("ID_LIKE", "").split())) == each.expected


@pytest.mark.parametrize(
    "line, value",
    [("ID=a", "a"), ("ID='a b'", "a b"), ('ID="a \\"b\\" \\$c"', 'a "b" $c'), ("ID=", ""), ('ID="', '"'), ("  ID=x  ", "x"), ("# ID=y\nID=z", "z")],
)
def test_quoting_is_the_shells(line, value):
    assert parse.os_release(line) == {"ID": value}


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Z_]{0,8}", fullmatch=True), st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20)))
def test_every_quoted_value_comes_back(values):
    def quoted(value):
        return '"' + "".join(f"\\{each}" if each in '"`$\\' else each for each in value) + '"'

    # What stands between single quotes is a value without them to nobody but a shell; double ones suffice for all.
    text = "".join(f"{key}={quoted(value)}\n" for key, value in values.items())
    assert parse.os_release(text) == values


@given(st.text())
def test_nothing_makes_it_fail(text):
    parse.os_release(text)
    parse.units(text)
    parse.ufw_enabled(text)
    parse.booted_at(text)
    assert parse.number(text) is None or text.strip().lstrip("+-").isdigit()


def test_boot_time_numbers_and_ufw():
    assert parse.booted_at("cpu 1\nbtime 1763725505\n") == "2025-11-21T11:45:05Z"
    assert parse.booted_at("cpu 1\n") == ""
    assert [parse.number(each) for each in ("1450\n", "-1", "", "max", "0x10")] == [1450, -1, None, None, None]
    assert [parse.ufw_enabled(each) for each in ("# c\nENABLED=yes\n", 'ENABLED="no"', "LOGLEVEL=low")] == [True, False, None]


def test_units_of_systemctl_show():
    active = "Id=a.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n"
    text = f"{active}\nId=b.timer\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n"
    first, second = parse.units(text)
    assert first == {"Id": "a.service", "LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled"}
    assert second["Id"] == "b.timer" and second["UnitFileState"] == ""
