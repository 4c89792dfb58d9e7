# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pytest wants plugins named at the top of the tree."""

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.lab.fixture", "tests.netns.fixture", "tests.unit.verdicts"]

# A busy machine is no defect of the code under test.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


# Those that share a lab go to one worker, the longest first: what is left at the end is short.
FIRST = ("operator", "rke2", "operator, awake", "rke2, awake", "manifest", "roks", "kubespray", "helm", "manifest, awake", "helm, awake")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the marks
def pytest_collection_modifyitems(items):
    """With pytest-xdist's ``--dist loadgroup``, the tests of a file go to one worker, too, unless they say otherwise."""
    groups = {}
    for item in items:
        mark = item.get_closest_marker("xdist_group")
        groups[item] = mark.args[0] if mark else item.nodeid.partition("::")[0]
        if not mark:
            item.add_marker(pytest.mark.xdist_group(groups[item]))
    items.sort(key=lambda item: FIRST.index(groups[item]) if groups[item] in FIRST else len(FIRST))
