# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWX example under ansible-runner, which is what AWX runs: its private data directory, survey answers, check jobs, artifacts and cancellation."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import ansible_runner
import pytest
import yaml

from ansible.module_utils.parsing.convert_bool import boolean

from tests.integration.clusterset import environment

ROOT = Path(__file__).resolve().parents[2]
AWX = ROOT / "examples/awx"
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "uid": "1"}, "spec": {"podCIDR": "10.46.0.0/24"}, "status": {}}
TEMPLATES = yaml.safe_load((AWX / "controller/job_templates.yml").read_text())["awx_job_templates"]
WORKFLOW = yaml.safe_load((AWX / "controller/workflow.yml").read_text())["awx_workflow"]
SURVEYS = {entry["playbook"].removesuffix(".yml"): entry["survey"] for entry in TEMPLATES}
ROLES = {"diagnose": ("diagnose",), "plan": ("plan",), "remediate": ("remediate", "plan"), "join": ("join",), "rollback": ("rollback",)}
OWN = ("join_peers", "join_name", "join_cluster_id")  # differ from host to host
OF_THE_PLAYBOOKS = ("plan_required", "run_required")  # no role asks for these
LIMITS = pytest.mark.parametrize("limit", [None, "cluster-1"])


def kubeconfig(port):
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "x", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "contexts": [{"name": name, "context": {"cluster": "x", "user": "x"}} for name in ("cluster-1", "cluster-2")],
        "users": [{"name": "x", "user": {"token": "none"}}],
    }


class Jobs:
    """A private data directory as AWX makes one for a job."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(AWX, folder / "project", ignore=shutil.ignore_patterns("inventory", "controller*"))
        shutil.copytree(AWX / "inventory", folder / "inventory")
        (folder / "env").mkdir()
        self.credential = folder / "env/kubeconfig"
        self.write(kubeconfig(9), "env/kubeconfig")
        (folder / "saved").mkdir()
        self.write({"apiVersion": "v1", "kind": "List", "items": [NODE]}, "saved/nodes.json")

    def write(self, content, name):
        (self.folder / name).write_text(content if isinstance(content, str) else json.dumps(content))

    def run(self, playbook, answers, cmdline="", **options):
        self.write(answers, "env/extravars")
        ours = environment()
        names = ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_LOCALHOST_WARNING", "PATH")
        self.write({**{name: ours[name] for name in names}, "K8S_AUTH_KUBECONFIG": str(self.credential), "KUBECONFIG": str(self.credential)}, "env/envvars")
        self.write(cmdline, "env/cmdline")
        done = ansible_runner.run(private_data_dir=str(self.folder), playbook=f"{playbook}.yml", quiet=True, **options)
        done.output = done.stdout.read()
        assert "Traceback (most recent call last)" not in done.output, done.output
        return done


@pytest.fixture
def jobs(tmp_path):
    return Jobs(tmp_path)


def artifacts(done):
    """What set_stats left, which AWX hands to the next job of a workflow."""
    return {key: value for event in done.events for key, value in event.get("event_data", {}).get("artifact_data", {}).items()}


def answers(playbook, value=""):
    return {question["variable"]: value for question in SURVEYS[playbook]}


def node(identifier):
    (found,) = [entry for entry in WORKFLOW["nodes"] if entry["identifier"] == identifier]
    return found


def evaluated(tmp_path, cases):
    """{case: {role variable: value}}, with the variables that a case has not given not defined."""
    hosts = {name: {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **given} for name, given in cases.items()}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"submariner_clusters": {"hosts": hosts}}))
    names = {role: list(yaml.safe_load((ROOT / f"roles/{role}/defaults/main.yml").read_text())) for roles in ROLES.values() for role in roles}
    result = "{" + ", ".join(f"'{name}': {name}" for role in names.values() for name in role if name not in OWN) + "}"
    play = {
        "hosts": "submariner_clusters",
        "gather_facts": False,
        "vars_files": [str(ROOT / f"roles/{role}/defaults/main.yml") for role in names],
        "tasks": [{"copy": {"content": "{{ " + result + " | to_json }}", "dest": f"{tmp_path}/{{{{ inventory_hostname }}}}.json"}}],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    command = ["ansible-playbook", "-i", "hosts.yml", "play.yml"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in cases}
    return {name: {key: typed(key, value) for key, value in values.items()} for name, values in found.items()}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    every = {question["variable"]: question for survey in SURVEYS.values() for question in survey}
    yes_no = {name for name, question in every.items() if question.get("choices") == ["true", "false"]}
    integers = {name for name, question in every.items() if question["type"] == "integer"}
    texts = set(every) - yes_no - integers - {"submariner_fail_on"}
    cases = {
        "nothing": {},
        "empty": dict.fromkeys(every, ""),
        "true-text": dict.fromkeys(yes_no, "true"),
        "true": dict.fromkeys(yes_no, True),
        "false-text": dict.fromkeys(yes_no, "false"),
        "false": dict.fromkeys(yes_no, False),
        "zero-text": dict.fromkeys(integers, "0"),
        "zero": dict.fromkeys(integers, 0),
        "five-text": dict.fromkeys(integers, "5"),
        "five": dict.fromkeys(integers, 5),
        "texts": dict.fromkeys(texts, "a,b"),
        "severity": {"submariner_fail_on": "never"},
    }
    assert yes_no and integers and texts
    return evaluated(tmp_path_factory.mktemp("surveys"), cases), yes_no, integers, texts


class TestSurveys:
    """Answers are evaluated in the roles' defaults: a host is one way to answer all questions."""

    def test_an_empty_answer_is_none(self, found):
        values = found[0]
        assert different(values["empty"], values["nothing"]) == {}

    def test_false_is_the_default_of_every_question(self, found):
        values = found[0]
        assert different(values["false-text"], values["nothing"]) == {}
        assert different(values["false"], values["nothing"]) == {}

    def test_texts_mean_what_they_say(self, found):
        values, yes_no, integers, texts = found
        for text, value in (("true-text", "true"), ("zero-text", "zero"), ("five-text", "five")):
            assert different(values[text], values[value]) == {}
        for case, variables in (("true-text", yes_no), ("five-text", integers), ("texts", texts)):
            changed = {name.partition("_")[2] for name in different(values[case], values["nothing"])}
            # Each answer reaches the role of its template, and under a name that ends like its own.
            assert {name.removeprefix("submariner_").removeprefix("rollback_") for name in variables} <= changed | {"plan_key", *OF_THE_PLAYBOOKS}, case
        assert {name: values["zero"][name] for name in ("remediate_max_failures", "remediate_min_healthy_gateways", "remediate_wait_for_lock")} == {
            "remediate_max_failures": 0,
            "remediate_min_healthy_gateways": 0,
            "remediate_wait_for_lock": 0,
        }
        assert values["severity"]["diagnose_fail_on"] == "never"
        assert values["texts"]["join_gateway_nodes"] == values["texts"]["diagnose_checks"] == ["a", "b"]


SPECS = {
    name: option
    for role in {role for roles in ROLES.values() for role in roles}
    for name, option in yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"].items()
}


def typed(name, value):
    """What the module makes of what the role hands it."""
    kind = SPECS[name].get("type", "str")
    if kind == "bool":
        return boolean(value)
    if kind == "int":
        return int(value)
    if kind == "list" and isinstance(value, str):
        return [entry.strip() for entry in value.split(",") if entry.strip()]
    return value


def different(one, other):
    return {name: (one[name], other[name]) for name in one if one[name] != other[name]}


@pytest.mark.parametrize("cmdline", ["", pytest.param("--check", marks=pytest.mark.exhaustive)])
def test_a_diagnosis_of_a_bundle(jobs, cmdline):
    given = {**answers("diagnose"), "submariner_bundle": str(jobs.folder / "saved"), "submariner_fail_on": "never", "submariner_fail_on_unknown": "false"}
    done = jobs.run("diagnose", given, cmdline)
    assert (done.status, done.rc) == ("successful", 0), done.output
    diagnosis = artifacts(done)["submariner_diagnosis"]
    assert list(diagnosis["clusters"]) == ["saved"] and diagnosis["failed_by"] == []
    assert done.stats["failures"] == {}


def test_unanswered_a_diagnosis_fails_as_without_a_survey(jobs):
    done = jobs.run("diagnose", answers("diagnose"))
    assert (done.status, done.rc) == ("failed", 2), done.output
    assert artifacts(done)["submariner_diagnosis"]["failed_by"] == ["cluster-1/cluster-unreadable", "cluster-2/cluster-unreadable"]
    assert "127.0.0.1:9" in done.output


@pytest.mark.parametrize(("playbook", "cmdline"), [("plan", ""), *(pytest.param("remediate", each, marks=pytest.mark.exhaustive) for each in ("", "--check"))])
def test_clusters_none_of_which_answers_cannot_be_planned_for(jobs, playbook, cmdline):
    before = {path: path.read_bytes() for path in (jobs.folder / "project").rglob("*") if path.is_file()}
    done = jobs.run(playbook, answers(playbook), cmdline)
    assert (done.status, done.rc) == ("failed", 2), done.output
    assert "none of the clusters could be read" in done.output and "cluster-1: " in done.output and "cluster-2: " in done.output
    assert "127.0.0.1:9" in done.output and "submariner_plan_made" not in artifacts(done)
    assert {path: path.read_bytes() for path in (jobs.folder / "project").rglob("*") if path.is_file()} == before


def test_a_rollback_of_clusters_that_do_not_answer_fails(jobs):
    done = jobs.run("rollback", answers("rollback"))
    assert (done.status, done.rc) == ("failed", 2), done.output
    assert "127.0.0.1:9" in done.output


@LIMITS
@pytest.mark.parametrize("required", [pytest.param("", marks=pytest.mark.exhaustive), "true"])
def test_a_plan_of_the_job_before_reaches_the_role_as_it_was(jobs, limit, required):
    """It is no plan, and is refused as one; templates in it stay texts."""
    text = '{"format": 1, "steps": "{{ undefined_variable }}"}'
    given = {**answers("remediate"), "submariner_plan_content": base64.b64encode(text.encode()).decode(), "submariner_plan_required": required}
    done = jobs.run("remediate", given, limit=limit)
    assert done.rc == 2, done.output
    assert (jobs.folder / "project/submariner-plan.json").read_text() == text
    assert "submariner-plan.json" in done.output


@LIMITS
def test_the_workflow_carries_out_no_plan_but_the_approved_one(jobs, limit):
    done = jobs.run("remediate", {**answers("remediate"), **node("remediate")["extra_data"]}, limit=limit)
    assert (done.status, done.rc) == ("failed", 2), done.output
    assert "handed on no plan" in done.output and "launch the workflow again" in done.output
    assert "127.0.0.1:9" not in done.output and artifacts(done) == {}


@LIMITS
@pytest.mark.parametrize("dest", ["", pytest.param("kept/plan.json", marks=pytest.mark.exhaustive)])
def test_a_plan_is_handed_on(jobs, limit, dest):
    """What the role does is not the question here: a play stands for it that writes its file."""
    made = [{"hosts": "submariner_clusters", "gather_facts": False, "tasks": [{"copy": {"content": "the plan\n", "dest": "{{ made }}"}, "run_once": True}]}]
    jobs.write(json.dumps(made), "project/made.yml")
    (jobs.folder / "project/kept").mkdir()
    text = (jobs.folder / "project/plan.yml").read_text()
    jobs.write(text.replace("import_playbook: fathom.submariner.plan", "import_playbook: made.yml"), "project/plan.yml")
    given = {**answers("plan"), "submariner_plan": dest, "made": str(jobs.folder / "project" / (dest or "submariner-plan.json"))}
    done = jobs.run("plan", given, limit=limit)
    assert (done.status, done.rc) == ("successful", 0), done.output
    assert base64.b64decode(artifacts(done)["submariner_plan_content"]) == b"the plan\n"
    assert "no hosts matched" not in done.output


RUNS = {
    "as the remediation says": ({"submariner_plan_made": {"run": "planned"}, "submariner_remediation": {"run": "carried-out"}}, "carried-out"),
    "refused or killed": ({"submariner_plan_made": {"run": "planned"}}, "planned"),
    "named": ({"submariner_run": "named", "submariner_plan_made": {"run": "planned"}, "submariner_remediation": {"run": "carried-out"}}, "named"),
    "neither": ({}, ""),
}


@pytest.mark.parametrize("case", RUNS)
@pytest.mark.parametrize("required", ["", "true"])
def test_a_rollback_is_of_the_run_of_the_job_before(jobs, case, required):
    given, run = RUNS[case]
    shown = [{"hosts": "submariner_clusters", "gather_facts": False, "tasks": [{"debug": {"msg": "run=<{{ rollback_run }}>"}}]}]
    jobs.write(json.dumps(shown), "project/shown.yml")
    text = (jobs.folder / "project/rollback.yml").read_text()
    jobs.write(text.replace("import_playbook: fathom.submariner.rollback", "import_playbook: shown.yml"), "project/rollback.yml")
    done = jobs.run("rollback", {**answers("rollback"), **given, "submariner_run_required": required}, limit="cluster-2")
    if required and not run:
        assert (done.status, done.rc) == ("failed", 2) and "handed on the id of a run" in done.output, done.output
    else:
        assert (done.status, done.rc) == ("successful", 0) and f"run=<{run}>" in done.output, done.output


def test_a_cancelled_job_ends(jobs):
    """The API server takes connections and never answers; somebody presses Cancel while the job waits for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked = threading.Event()
        kept = []

        def accept():
            try:
                while True:
                    kept.append(silent.accept())
                    asked.set()
            except OSError:
                pass

        threading.Thread(target=accept, daemon=True).start()
        jobs.write(kubeconfig(silent.getsockname()[1]), "env/kubeconfig")
        done = jobs.run("diagnose", answers("diagnose"), cancel_callback=asked.is_set)
    assert asked.is_set()
    assert done.status == "canceled" and done.rc != 0, done.output
    assert not list(jobs.folder.rglob("submariner-journal"))
