# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no linter sees: rules of this collection about itself."""

from __future__ import annotations

import ast
import pathlib
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
FILTERS = sorted((ROOT / "plugins/filter").glob("*.py"))
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
ROOMS = {"_kube": 0, "_snapshot": 1, "_network": 1, "_calico": 2, "_submariner": 2, "_checks": 3, "_remedies": 3, "_report": 3, "_apply": 4}
ON_NODES = {"_node": {"_node"}, "_wire": {"_wire", "_node"}}  # rooms whose code runs on a node's host, and which of each other they may use
NODES_PYTHON = (3, 8)  # the oldest that ansible-core 2.18 runs modules with
PURE = ("_network", "_calico", "_submariner", "_checks", "_remedies", "_report")
IMPURE = {"socket", "subprocess", "urllib", "http", "requests", "urllib3", "kubernetes", "time", "threading", "asyncio", "random", "datetime", "os"}


def load(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def constant(path, name):
    """The value of a module-level string, without importing the file."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.literal_eval(node.value)
    return None


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_action_group_holds_every_module_that_connects_and_no_other():
    """A default of the group, such as a kubeconfig, fails a module that has no such option."""
    connecting, members = [], []
    for module in MODULES:
        fragments = yaml.safe_load(constant(ROOT / f"plugins/modules/{module}.py", "DOCUMENTATION"))["extends_documentation_fragment"]
        connecting += [module] if "fathom.submariner._auth" in fragments else []
        members += [module] if "fathom.submariner._attributes.actiongroup" in fragments else []
    assert "diagnose" in connecting and "report" not in connecting
    assert sorted(load("meta/runtime.yml")["action_groups"]["submariner"]) == connecting == members


@pytest.mark.parametrize("path", FILTERS, ids=lambda path: path.stem)
def test_a_filter_file_holds_one_documented_filter_of_its_name(path):
    assert yaml.safe_load(constant(path, "DOCUMENTATION"))["name"] == path.stem
    assert constant(path, "EXAMPLES") and constant(path, "RETURN")
    assert f'return {{"{path.stem}": {path.stem}}}' in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_documents_what_it_does_in_check_mode(module):
    text = (ROOT / f"plugins/modules/{module}.py").read_text(encoding="utf-8")
    documentation = yaml.safe_load(constant(ROOT / f"plugins/modules/{module}.py", "DOCUMENTATION"))
    shared = (ROOT / "plugins/module_utils/_apply/_task.py").read_text(encoding="utf-8")  # where run_remedy makes the AnsibleModule
    assert "supports_check_mode=True" in (shared if "    run_remedy(" in text else text)
    assert any("attributes" in fragment for fragment in documentation["extends_documentation_fragment"])


@pytest.mark.parametrize("role", ROLES)
def test_a_role_specifies_exactly_its_defaults(role):
    options = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = load(f"roles/{role}/defaults/main.yml")
    assert set(options) == set(defaults)
    assert all(name.startswith(f"{role}_") for name in options)
    for name, option in options.items():
        # antsibull-docs takes no template for a default; the description says where such a one comes from.
        assert ("default" in option) == ("{{" not in str(defaults[name])), name
        assert option.get("default", defaults[name]) == defaults[name], name


def test_the_join_role_offers_every_option_of_the_module():
    options = yaml.safe_load(constant(ROOT / "plugins/modules/join.py", "DOCUMENTATION"))["options"]
    role = load("roles/join/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    handled = {name.removeprefix("join_") for name in role} - {"options"}
    assert set(options) - handled == set(role["join_options"]["options"])
    task = load("roles/join/tasks/main.yml")[0]["fathom.submariner.join"]
    assert set(options) <= set(task)
    for name, option in role["join_options"]["options"].items():
        assert option["type"] == options[name].get("type"), name


@pytest.mark.parametrize("path", sorted((ROOT / "plugins/module_utils").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT / "plugins/module_utils")))
def test_dependencies_point_one_way_and_pure_rooms_stay_pure(path):
    assert path.name.startswith("_")
    room = path.relative_to(ROOT / "plugins/module_utils").parts[0]
    for name in imports(path):
        if room in PURE:
            assert name.split(".")[0] not in IMPURE, name
        other = name.partition("module_utils.")[2].split(".")[0]
        if room in ROOMS and other in ROOMS:
            assert ROOMS[other] <= ROOMS[room], name


@pytest.mark.parametrize("path", sorted(path for room in ON_NODES for path in (ROOT / "plugins/module_utils" / room).rglob("*.py")), ids=lambda path: path.name)
def test_what_runs_on_a_nodes_host_needs_its_old_python_and_nothing_else(path):
    ast.parse(path.read_text(encoding="utf-8"), feature_version=NODES_PYTHON)
    room = path.relative_to(ROOT / "plugins/module_utils").parts[0]
    for name in imports(path):
        if name.startswith("ansible_collections."):
            other = name.partition("module_utils.")[2].split(".")[0]
            assert other in ON_NODES[room] | {"_errors", "_network", "_snapshot"}, name
        else:
            assert name.split(".")[0] in sys.stdlib_module_names, name


def test_playbooks_hold_nothing_but_hosts_and_roles():
    for path in (ROOT / "playbooks").glob("*.yml"):
        for play in yaml.safe_load(path.read_text(encoding="utf-8")):
            if "ansible.builtin.import_playbook" in play:
                assert set(play) == {"name", "ansible.builtin.import_playbook"}, path
                continue
            assert set(play) <= {"name", "hosts", "gather_facts", "become", "serial", "any_errors_fatal", "roles"}, path
            assert all(role["role"].startswith("fathom.submariner.") for role in play["roles"]), path


def test_no_file_changes_how_a_users_clone_behaves():
    assert not (ROOT / "ansible.cfg").exists()
