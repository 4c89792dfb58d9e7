# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in examples/, as far as reading it tells: what runs is run in tests/integration/test_examples*.py."""

from __future__ import annotations

import json
import pathlib
import re

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
AWX = EXAMPLES / "awx"
MODULES = json.loads((pathlib.Path(__file__).parent / "awx_modules.json").read_text())["modules"]
PYTHON_TYPES = {"str": str, "bool": bool, "dict": dict, "int": int, "list": list}


class Loader(yaml.SafeLoader):
    """Ansible's YAML: of !unsafe the text alone."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def load(path):
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


def fits(options, arguments, where):
    """Asserts that arguments are ones of a module, recursively; texts may be templates."""
    assert set(arguments) <= set(options), where
    assert {name for name, option in options.items() if isinstance(option, dict) and option.get("required")} <= set(arguments), where
    for name, value in arguments.items():
        option = options[name] if isinstance(options[name], dict) else {"type": options[name]}
        if isinstance(value, str) and "{{" in value:
            continue
        assert isinstance(value, PYTHON_TYPES[option["type"]]), (where, name)
        assert value in option.get("choices", [value]), (where, name)
        if "options" in option:
            for entry in value if isinstance(value, list) else [value]:
                fits(option["options"], entry, f"{where}.{name}")


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.y*ml")), ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_every_file_is_yaml(path):
    assert load(path)


@pytest.mark.parametrize("folder", sorted(path for path in EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_every_folder_explains_itself_and_names_files_that_exist(folder):
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert re.search(r"^    \S", text, flags=re.MULTILINE), "commands to copy"
    for name in re.findall(r"`([\w./-]+\.(?:yml|ini))`", text):
        assert list(folder.rglob(pathlib.Path(name).name)), name


def test_playbooks_of_ours_that_are_imported_exist():
    imported = [name for path in EXAMPLES.rglob("*.yml") for name in re.findall(r"import_playbook: (\S+)", path.read_text(encoding="utf-8"))]
    ours = {name.removeprefix("fathom.submariner.") for name in imported if name.startswith("fathom.submariner.")}
    assert {"diagnose", "plan", "remediate", "join", "rollback", "preflight"} <= ours
    assert all((ROOT / f"playbooks/{name}.yml").exists() for name in ours)
    others = {name for name in imported if not name.endswith(".yml")} - {f"fathom.submariner.{name}" for name in ours}
    assert others == {"kubernetes_sigs.kubespray.cluster"}


@pytest.mark.parametrize("name", ["kubespray/cluster.yml", "rke2/lablabs/site.yml", "rke2/rancherfederal/site.yml"])
def test_the_inventory_is_checked_before_anything_is_installed(name):
    plays = load(EXAMPLES / name)
    assert [plays[0].get("ansible.builtin.import_playbook"), plays[-1].get("ansible.builtin.import_playbook")] == ["check.yml", "submariner.yml"]


@pytest.mark.parametrize("path", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda path: path.stem)
def test_playbooks_for_clusters_do_not_become_root_here(path):
    """With -b, which installers want, modules for clusters would run with sudo on the controller. Roles for nodes become root on those by themselves."""
    plays = [play for play in load(path) if "hosts" in play and "submariner_nodes" not in play["hosts"]]
    assert all(play["become"] is False for play in plays)


@pytest.mark.parametrize("inventory", ["kubespray/inventory/cluster-3", "rke2/lablabs/inventory", "rke2/rancherfederal/inventory"])
def test_what_is_of_one_cluster_stands_with_its_host_alone(inventory):
    """In a file for all hosts it would be every cluster's as soon as two inventories are read together."""
    shared = "".join(path.read_text(encoding="utf-8") for path in (EXAMPLES / inventory).rglob("group_vars/**/*.yml"))
    assert "submariner_" not in shared
    (own,) = (EXAMPLES / inventory / "host_vars").iterdir()
    assert load(own)["submariner_cluster_id"] == own.stem


class TestAwx:
    def variables(self):
        return {key: value for name in load(AWX / "controller.yml")[0]["vars_files"] for key, value in load(AWX / name).items()}

    def test_the_modules_have_these_options(self):
        used = set()
        for task in load(AWX / "controller.yml")[0]["tasks"]:
            ((module, arguments),) = [(key, value) for key, value in task.items() if "." in key]
            used.add(module.removeprefix("awx.awx."))
            fits(MODULES[module.removeprefix("awx.awx.")], arguments, module)
        assert used == set(MODULES)

    def test_the_workflow_has_these_options_and_leads_somewhere(self):
        nodes = self.variables()["awx_workflow"]["nodes"]
        fits(MODULES["workflow_job_template"], {"name": "x", "workflow_nodes": nodes}, "workflow")
        kinds = {node["identifier"]: node["unified_job_template"] for node in nodes}
        templates = {entry["name"] for entry in self.variables()["awx_job_templates"]}
        assert {kind["name"] for kind in kinds.values() if kind["type"] == "job_template"} <= templates
        after = {node["identifier"]: {way: [one["identifier"] for one in ones] for way, ones in node.get("related", {}).items()} for node in nodes}
        assert {one for ways in after.values() for ones in ways.values() for one in ones} == set(kinds) - {"plan"}
        # Between plan and remediation somebody approves, and so before a rollback.
        assert after["plan"] == {"success_nodes": ["approve"]} and after["approve"] == {"success_nodes": ["remediate"]}
        assert {kinds[name]["type"] for name in ("approve", "approve-rollback")} == {"workflow_approval"}
        assert after["remediate"]["failure_nodes"] == ["approve-rollback"] and after["approve-rollback"] == {"success_nodes": ["rollback"]}

    def test_answers_of_the_workflow_are_asked_for_by_a_template_of_it(self):
        """AWX drops what no survey asks for."""
        variables = self.variables()
        asked = {question["variable"] for template in variables["awx_job_templates"] for question in template["survey"]}
        assert {question["variable"] for question in variables["awx_workflow"]["survey"]} <= asked
        for node in variables["awx_workflow"]["nodes"]:
            template = [entry for entry in variables["awx_job_templates"] if entry["name"] == node["unified_job_template"]["name"]]
            assert set(node.get("extra_data", {})) <= {question["variable"] for entry in template for question in entry["survey"]}

    def test_what_asks_whether_to_join_gets_the_broker(self):
        """A template's own credential reaches the workflow's jobs, which nobody is asked for one."""
        variables = self.variables()
        joining = [entry for entry in variables["awx_job_templates"] if entry["playbook"] == "join.yml" or "submariner_join" in str(entry["survey"])]
        assert {entry["playbook"] for entry in joining} == {"join.yml", "plan.yml", "remediate.yml"}
        assert all("Submariner broker" in entry["credentials"] for entry in joining)

    def test_the_workflow_carries_out_and_puts_back_its_own_run_only(self):
        nodes = {node["identifier"]: node for node in self.variables()["awx_workflow"]["nodes"]}
        assert nodes["remediate"]["extra_data"] == {"submariner_plan_required": "true"}
        assert nodes["rollback"]["extra_data"] == {"submariner_run_required": "true"}

    def test_no_play_of_a_job_is_left_out_by_a_limit(self):
        for name in ("plan", "remediate", "rollback"):
            plays = [play for play in load(AWX / f"{name}.yml") if "hosts" in play]
            assert plays and all("submariner_clusters" in play["hosts"] for play in plays)

    def test_surveys_are_what_the_api_takes(self):
        variables = self.variables()
        surveys = [entry["survey"] for entry in variables["awx_job_templates"]] + [variables["awx_workflow"]["survey"]]
        for question in (question for survey in surveys for question in survey):
            assert question["type"] in ("text", "textarea", "password", "integer", "float", "multiplechoice", "multiselect")
            assert question["required"] is False and question["default"] == ""
            assert all(isinstance(choice, str) for choice in question.get("choices", []))
            assert ("choices" in question) == (question["type"] == "multiplechoice")
        assert all(len({question["variable"] for question in survey}) == len(survey) for survey in surveys)

    def test_templates_name_playbooks_and_credentials_that_exist(self):
        variables = self.variables()
        for template in variables["awx_job_templates"]:
            assert (AWX / template["playbook"]).exists()
            assert set(template["credentials"]) <= {entry["name"] for entry in variables["awx_credentials"]}
        assert {entry["type"] for entry in variables["awx_credentials"]} == {entry["name"] for entry in variables["awx_credential_types"]}

    def test_credential_types_inject_what_modules_read(self):
        kubeconfig, broker = self.variables()["awx_credential_types"]
        assert set(kubeconfig["injectors"]["env"]) == {"KUBECONFIG", "K8S_AUTH_KUBECONFIG"}
        assert broker["injectors"]["extra_vars"] == {"submariner_broker_info": "{{ tower.filename }}"}
        for entry in (kubeconfig, broker):
            (field,) = entry["inputs"]["fields"]
            assert field["secret"] and entry["injectors"]["file"]["template"] == f"{{{{ {field['id']} }}}}"
