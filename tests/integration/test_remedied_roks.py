# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every incident on Red Hat OpenShift on IBM Cloud that a role repairs, or leaves to a person since IBM owns Calico there."""

from __future__ import annotations

import pytest

from tests.integration import upstream_definitions
from tests.integration.remedy_harness import cases, require_valid, sweep
from tests.lab import incident as incidents

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("roks, awake"), pytest.mark.exhaustive]


@pytest.mark.parametrize("identifier", cases("roks"))
def test_it_is_planned_repaired_proved_and_undone(awake_labs, modules, written, tmp_path, identifier):
    with awake_labs.planted("roks", identifier) as lab:
        written += sweep(modules, lab, incidents.load(identifier), tmp_path)


@pytest.mark.skipif(not upstream_definitions.present(), reason="upstream's CustomResourceDefinitions are not beside this checkout")
def test_upstream_takes_all_that_was_written(awake_labs, written, lab_factory):
    awake_labs.drop()  # it needs a lab of another kind
    require_valid(written, lab_factory)
