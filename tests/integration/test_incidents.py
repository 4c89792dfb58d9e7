# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents planted in RKE2 clusters: a diagnosis names the cause and nothing else, and writes nothing.

The layouts are shared out to several files, so that several workers can share the work.
"""

from __future__ import annotations

import pytest

from tests.integration.incident_harness import cases, check

pytestmark = pytest.mark.lab


@pytest.mark.parametrize(("layout", "identifier"), cases("rke2"))
def test_diagnosis_names_the_cause_and_nothing_else(bench, layout, identifier):
    assert check(bench, layout, identifier) == []
