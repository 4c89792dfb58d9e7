# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time windows."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._apply._window import parse_window
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError


def at(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize(
    "window, now, is_open",
    [
        ("22:00-04:00", "2026-11-21T22:00:00", True),
        ("22:00-04:00 UTC", "2026-11-22T03:59:59", True),
        ("22:00-04:00", "2026-11-22T04:00:00", False),
        ("22:00-04:00", "2026-11-21T21:59:00", False),
        ("08:00 - 17:30", "2026-11-21T17:29:00", True),
        ("08:00-17:30", "2026-11-21T17:30:00", False),
        ("22:00-04:00 Europe/Berlin", "2026-11-21T21:30:00", True),  # 22:30 there, in winter
        ("22:00-04:00 Europe/Berlin", "2026-07-21T20:30:00", True),  # 22:30 there, in summer
        ("22:00-04:00 Europe/Berlin", "2026-07-21T02:30:00", False),  # 04:30 there, in summer
        ("00:00-00:00", "2026-11-21T12:00:00", True),
    ],
)
def test_a_window_is_open_in_its_own_time_zone(window, now, is_open):
    found = parse_window(window)
    assert found is not None and (found.why_closed(at(now)) == "") is is_open


def test_why_it_is_closed_says_what_time_it_is_there():
    assert parse_window("22:00-04:00 Europe/Berlin").why_closed(at("2026-11-21T12:00:00")) == "the time window 22:00-04:00 Europe/Berlin is closed: it is 13:00 there"


def test_no_window_is_none():
    assert parse_window("") is None and parse_window("  ") is None


@pytest.mark.parametrize("text", ["22-04", "25:00-04:00", "22:00-04:60", "22:00", "tonight", "22:00-04:00 Mars/Olympus", "22:00-04:00 ../../etc/passwd"])
def test_what_is_no_window_is_bad_input(text):
    with pytest.raises(InputError, match="Nothing was written"):
        parse_window(text)
