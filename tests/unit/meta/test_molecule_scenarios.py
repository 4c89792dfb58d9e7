# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every role has a molecule scenario that can fail; tests/integration/test_molecule.py runs them."""

from __future__ import annotations

import pathlib

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
FOLDER = ROOT / "extensions/molecule"
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
SCENARIOS = sorted(path.parent.name for path in FOLDER.glob("*/molecule.yml") if path.parent.name != "default")
# A second run of these is no repetition.
NEVER_IDEMPOTENT = {
    "collect": "each run saves another moment",
    "node_probe": "each run makes pods and removes them",
    "plan": "what it asks in check mode would change something each time",
}
JUDGES = ("that", "failed_when")


def load(path):
    return yaml.safe_load((FOLDER / path).read_text(encoding="utf-8")) or {}


def mappings(tree):
    """All mappings of a tree."""
    if isinstance(tree, dict):
        yield tree
    for each in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from mappings(each)


def test_every_role_has_one():
    assert SCENARIOS == ROLES


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_it_runs_its_role_twice_and_looks_at_what_came_of_it(scenario):
    used = {each.get("role") or each.get("name") for each in mappings(load(f"{scenario}/converge.yml"))}
    assert f"fathom.submariner.{scenario}" in used
    sequence = load(f"{scenario}/molecule.yml").get("scenario", load("config.yml")["scenario"])["test_sequence"]
    wanted = ["converge", "verify"] if scenario in NEVER_IDEMPOTENT else ["converge", "idempotence", "verify"]
    assert sequence == wanted
    assert any(key in each for each in mappings(load(f"{scenario}/verify.yml")) for key in JUDGES)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_it_needs_is_not_prepared_again_before_the_second_run(scenario):
    for play in load(f"{scenario}/converge.yml"):
        assert "ansible.builtin.import_playbook" not in play or play["tags"] == "molecule-idempotence-notest"


def test_no_copy_of_the_collection_is_tried_and_no_other_python():
    """prerun installs a copy into ~/.ansible, which wins over the checkout from then on."""
    config = load("config.yml")
    assert (config["prerun"], config["shared_state"]) == (False, True)
    assert load("inventory.yml")["all"]["vars"]["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"
    for scenario in SCENARIOS:
        assert not {"prerun", "shared_state"} & set(load(f"{scenario}/molecule.yml"))


def test_users_do_not_get_them():
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert "extensions/molecule" in galaxy["build_ignore"]
