# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests that plant incidents on layouts."""

from __future__ import annotations

import pytest

from tests.integration.incident_harness import Bench


@pytest.fixture(scope="module")
def bench(lab_factory):
    """One lab of a layout at a time, for all tests of a file."""
    made = Bench(lab_factory)
    yield made
    made.close()
