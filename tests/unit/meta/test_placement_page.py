# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to placement shows what the simulation says today."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def placements():
    loader = importlib.machinery.SourceFileLoader("placements", str(ROOT / "scripts/placements"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("placements", loader))
    loader.exec_module(module)
    return module


def test_the_tables_are_up_to_date(placements):
    page = placements.FILE.read_text(encoding="utf-8")
    assert len(placements.TABLE.findall(page)) == page.count(".. simulation: ") >= 4
    assert page == placements.text(), "run: scripts/run scripts/placements"


def lost(simulation):
    return [entry.node.ref.name for entry in simulation.lost]


def test_what_the_guide_says_of_the_copied_affinity_is_so(placements):
    everywhere = placements.simulated("copied", "rke2")
    assert lost(everywhere) == sorted(each.ref.name for each in placements.CLUSTERS["rke2"]) and all(entry.role for entry in everywhere.after)
    assert lost(placements.simulated("copied", "kubeadm")) == ["control-1"]


def test_what_the_guide_says_of_the_label_is_so(placements):
    assert lost(placements.simulated("excluded", "rke2")) == ["jetson-1"]
    assert lost(placements.simulated("included", "kubeadm")) == ["worker-1"]
