# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments: read from every spelling that clusters use, and compared as numbers."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._submariner._moments import duration, moment, seconds_between


@given(st.datetimes(min_value=datetime.datetime(1971, 1, 1), max_value=datetime.datetime(2199, 12, 31)))
def test_agrees_with_datetime(when):
    exact = when.replace(microsecond=0, tzinfo=datetime.timezone.utc)
    assert moment(exact.strftime("%Y-%m-%dT%H:%M:%SZ")) == exact.timestamp()


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("2024-08-19T10:00:00+02:00", "2024-08-19T08:00:00Z"),
        ("2024-08-19T10:00:00-0130", "2024-08-19T11:30:00Z"),
        ("2024-08-19 10:00:00", "2024-08-19T10:00:00Z"),
        ("2024-08-19T10:00:00Z ERR something", "2024-08-19T10:00:00Z"),
    ],
)
def test_spellings(text, same_as):
    assert moment(text) == moment(same_as)


def test_fractions_count():
    assert seconds_between("2024-08-19T10:00:00.250Z", "2024-08-19T10:00:01Z") == pytest.approx(0.75)


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01T00:00:00Z", "2024-08-19T25:00:00Z", "I0819 10:00:00.1"])
def test_no_time(text):
    assert moment(text) is None
    assert seconds_between(text, "2024-08-19T10:00:00Z") is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (128, "2 min 8 s"), (3600, "1 h"), (11100, "3 h 5 min"), (-90, "1 min 30 s"), (400000, "4 d")],
)
def test_duration(seconds, words):
    assert duration(seconds) == words
