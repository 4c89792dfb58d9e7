# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests that plant incidents on layouts."""

from __future__ import annotations

import pytest

from tests.integration.incident_harness import Bench
from tests.integration.modules import Modules


@pytest.fixture(scope="session")
def bench(lab_factory):
    """Labs of layouts, for all tests of a worker."""
    made = Bench(lab_factory)
    yield made
    made.close()


@pytest.fixture(scope="module")
def modules():
    """Runs modules of the collection, for all tests of a file."""
    made = Modules()
    yield made
    made.close()
