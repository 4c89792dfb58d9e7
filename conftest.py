# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pytest wants plugins named at the top of the tree."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.lab.fixture", "tests.netns.fixture", "tests.unit.verdicts"]

# A busy machine is no defect of the code under test.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
