# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._wire import _talk


@given(kind=st.sampled_from([_talk.ECHO, _talk.SINK]), nonce=st.binary(min_size=8, max_size=8), length=st.integers(0, _talk.MOST_ECHO))
def test_an_order_is_read_as_it_was_written(kind, nonce, length):
    assert _talk.order_of(_talk.head(kind, nonce, length)) == _talk.Order(kind, nonce, length)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(_talk.HEAD),
        _talk.head(b"z", bytes(8), 0),
        _talk.head(_talk.ECHO, bytes(8), _talk.MOST_ECHO + 1),
        _talk.head(_talk.SINK, bytes(8), _talk.MOST_SINK + 1),
        _talk.head(_talk.STATUS, bytes(8), 1),
        _talk.head(_talk.RENEW, bytes(8), _talk.MOST_LIFETIME + 1),
        _talk.head(_talk.ECHO, bytes(8), 1) + b"x",
    ],
)
def test_what_asks_for_too_much_or_is_strange_is_no_order(data):
    assert _talk.order_of(data) is None


@given(st.binary(min_size=8, max_size=8), st.integers(0, 4000))
def test_the_filler_has_its_length_and_repeats_nothing(nonce, length):
    data = _talk.filler(nonce, length)
    parts = [data[at : at + 8] for at in range(0, length - 7, 8)]
    assert len(data) == length and len(set(parts)) == len(parts)


def test_figures_and_documents():
    assert _talk.counts_of(_talk.counted(5, 7)[len(_talk.RECEIVED) :]) == (5, 7)
    told = _talk.told({"heard": 1})
    assert told.startswith(_talk.RECEIVED) and _talk.length_of(told[4:8]) == len(told) - 8
    assert _talk.length_of(b"\xff" * 4) == _talk.MOST_JSON
