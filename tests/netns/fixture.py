# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixture ``world`` and marker ``netns`` for pytest."""

from __future__ import annotations

import typing as t

import pytest

from tests.netns.host import usable
from tests.netns.world import World


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("netns"):
        why = usable()
        if why:
            pytest.skip(why)


@pytest.fixture
def world() -> t.Iterator[World]:
    """An empty world for one test."""
    with World() as made:
        yield made
