# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every incident, on every layout, that a role repairs, or that a role leaves to whoever keeps Calico there."""

from __future__ import annotations

import pytest

from tests.integration import upstream_definitions
from tests.integration.remedy_harness import cases, looks, require_valid, sweep
from tests.lab import incident as incidents

pytestmark = pytest.mark.lab

# By layout, those that show something that no other one shows; the others are for the exhaustive run.
EVERYDAY = {
    "operator": ("001-operator-node-cidr", "002-operator-reboot", "003-operator-module-missing"),
    "rke2": ("000-rke2-no-api-server",),
    "manifest": (),
    "helm": (),
    "kubespray": (),
    "roks": (),
}


@pytest.fixture(scope="module")
def written():
    """What has been written to the clusters of each layout."""
    return {layout: [] for layout in EVERYDAY}


@pytest.mark.parametrize(("layout", "identifier"), cases(EVERYDAY))
def test_it_is_planned_repaired_proved_and_undone(awake_labs, modules, written, tmp_path, layout, identifier):
    with awake_labs.planted(layout, identifier) as lab:
        written[layout] += sweep(modules, lab, incidents.load(identifier), tmp_path)


@pytest.mark.parametrize("layout", looks(("operator", "rke2"), EVERYDAY))
@pytest.mark.skipif(not upstream_definitions.present(), reason="upstream's CustomResourceDefinitions are not beside this checkout")
def test_upstream_takes_all_that_was_written(awake_labs, written, lab_factory, layout):
    awake_labs.drop()  # it needs a lab of another kind
    require_valid(written[layout], lab_factory)
