# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest
import yaml

from ansible_collections.fathom.submariner.plugins.filter.listed import FilterModule, listed

ROLES = pathlib.Path(__file__).resolve().parents[4] / "roles"
# Given by our own roles, or lists of folders of Ansible's: nobody answers them with a text.
ELSEWHERE = {"diagnose_inventory", "preflight_inventory_sources"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("a, b", ["a", "b"]),
        ("a", ["a"]),
        (" tag:mtu ,, kube-* ", ["tag:mtu", "kube-*"]),
        ("", []),
        (None, []),
        (["a ", " b", ""], ["a", "b"]),
        ((500, 4500), [500, 4500]),
        (7, [7]),
        ([{"name": "a "}], [{"name": "a "}]),
    ],
)
def test_a_list_however_it_was_given(given, wanted):
    assert listed(given) == wanted


def test_the_filter_has_its_documented_name():
    assert FilterModule().filters() == {"listed": listed}


def lists():
    for path in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        options = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
        for name, option in options.items():
            if option["type"] == "list" and option["elements"] in ("str", "int") and name not in ELSEWHERE:
                yield pytest.param(path.parents[1], name, id=name)


@pytest.mark.parametrize("role, name", list(lists()))
def test_every_list_of_a_role_may_be_a_text(role, name):
    used = "".join(path.read_text(encoding="utf-8") for path in sorted((*role.glob("tasks/*.yml"), *role.glob("vars/*.yml"))))
    assert f"{name} | fathom.submariner.listed" in used or name == "rke2_manifest_servers"  # which splits at blanks, too
