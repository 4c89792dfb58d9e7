# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module check_info: the catalogue, listed and explained."""

from __future__ import annotations

import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.modules import check_info


@pytest.fixture
def run(capsys, module_args):
    def call(**options):
        with module_args(options), pytest.raises(SystemExit) as ended:
            check_info.main()
        return ended.value.code, json.loads(capsys.readouterr().out)

    return call


def test_all_checks_are_listed_in_80_columns(run):
    code, result = run()
    assert (code, result["changed"]) == (0, False)
    assert {entry["id"] for entry in result["checks"]} == {check.id for check in CHECKS}
    assert all(len(line) <= 80 for line in result["lines"])
    for check in CHECKS:
        assert f"  {check.severity:<8}  {check.id}" in result["lines"]


def test_one_is_explained(run):
    result = run(checks=["submariner-cidr-wrong"], explain=True)[1]
    text = "\n".join(result["lines"])
    assert result["lines"][0].startswith("submariner-cidr-wrong  (blocker")
    for label in ("Concerns:", "Reads:", "Passed:", "Failed:", "Unknown:", "Repair:", "Tags:", "See:"):
        assert label in text
    assert "https://github.com/submariner-io/submariner/issues/2953" in text


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_every_check_can_be_explained_narrowly(check):
    made = check_info.lines_of([check], True, 69)
    assert check.id in made[0]
    assert [line for line in made if len(line) > 69 and len(line.split()) > 1 and "http" not in line] == []
    assert "``" not in "\n".join(made)


def test_selection_by_tag(run):
    result = run(checks=["tag:mtu"])[1]
    assert result["checks"] and all("mtu" in entry["tags"] for entry in result["checks"])


@pytest.mark.parametrize(
    ("options", "said"), [({"checks": ["no-such"]}, "No check matches 'no-such'"), ({"checks": ["tag:no"]}, "No tag matches 'no'"), ({"width": 10}, "40")]
)
def test_nonsense(run, options, said):
    code, result = run(**options)
    assert code == 1 and said in result["msg"]
