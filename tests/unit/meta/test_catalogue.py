# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation follows the checks: the catalogue is up to date, and guides name checks that exist."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import pathlib
import re

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import select

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def catalogue():
    loader = importlib.machinery.SourceFileLoader("catalogue", str(ROOT / "scripts/catalogue"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("catalogue", loader))
    loader.exec_module(module)
    return module


def test_the_catalogue_is_up_to_date(catalogue):
    assert catalogue.FILE.read_text(encoding="utf-8") == catalogue.text(), "run: scripts/run scripts/catalogue"


def test_every_check_stands_in_it_once(catalogue):
    headings = re.findall(r"^([a-z0-9-]+)\n\^+$", catalogue.text(), flags=re.MULTILINE)
    assert sorted(headings) == sorted(check.id for check in CHECKS)


def test_the_guide_by_symptom_names_checks_that_exist():
    text = (ROOT / "docs/docsite/rst/symptoms.rst").read_text(encoding="utf-8")
    answers = "\n".join(line for line in text.splitlines() if line.startswith("     - "))
    named = set(re.findall(r"(tag:[a-z-]+)", answers)) | set(re.findall(r"``([a-z]+(?:-[a-z*]+)+)``", answers)) | set(re.findall(r'"(\*[a-z]+\*)"', answers))
    assert len(named) > 10
    for pattern in named:
        assert select(CHECKS, [pattern]), pattern


@pytest.mark.parametrize("check", [check for check in CHECKS if check.remedy], ids=lambda check: check.id)
def test_a_remedy_of_the_catalogue_is_a_sentence(check):
    assert check.remedy[0].isupper() and check.remedy.endswith(".")
