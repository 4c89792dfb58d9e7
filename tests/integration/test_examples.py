# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples that need no cluster, run as a user does who has copied them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.integration.clusterset import environment, recap

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(command, cwd, **variables):
    return subprocess.run(
        command,
        cwd=cwd,
        env={**environment(), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )


def located(folder):
    """{id: [(file, line)]} of a findings.sarif."""
    results = json.loads((folder / "findings.sarif").read_text())["runs"][0]["results"]
    places = {result["ruleId"]: [location["physicalLocation"] for location in result["locations"]] for result in results}
    return {rule: [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in found] for rule, found in places.items()}


@pytest.fixture
def copied(tmp_path):
    def copy(name):
        shutil.copytree(EXAMPLES / name, tmp_path / name)
        return tmp_path / name

    return copy


def check(folder, inventory):
    return run(["ansible-playbook", "-i", inventory, "check.yml", "-e", "submariner_report_dir=report"], folder)


INVENTORY = "inventory/cluster-3/inventory.ini"
VARIABLES = "inventory/cluster-3/group_vars/k8s_cluster"


def test_an_inventory_of_kubespray_that_is_right(copied):
    folder = copied("kubespray")
    done = check(folder, INVENTORY)
    assert done.returncode == 0, done.stdout
    assert "1 cluster: nothing found" in done.stdout
    assert recap(done)["control-1"]["failed"] == 0


def test_an_inventory_of_kubespray_that_is_wrong_is_told_by_file_and_line(copied):
    folder = copied("kubespray")
    (folder / VARIABLES / "k8s-cluster.yml").write_text(
        "---\nkube_proxy_mode: ipvs\n\nkube_pods_subnet: 10.42.128.0/17\nkube_service_addresses: 10.107.0.0/16\n"
    )
    (folder / VARIABLES / "k8s-net-calico.yml").write_text('---\ncalico_apiserver_enabled: false\ncalico_mtu: "1400"\ncalico_ip_auto_method: first-found\n')
    done = check(folder, INVENTORY)
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stdout
    assert located(folder / "report") == {
        "kube-proxy-mode": [(f"{VARIABLES}/k8s-cluster.yml", 2)],
        "clusterset-cidr-overlap": [(f"{VARIABLES}/k8s-cluster.yml", 4), (f"{VARIABLES}/k8s-cluster.yml", 5)],
        "calico-api-unavailable": [(f"{VARIABLES}/k8s-net-calico.yml", 2)],
        "mtu-setting-ignored": [(f"{VARIABLES}/k8s-net-calico.yml", 3)],
        "autodetection-picks-submariner": [(f"{VARIABLES}/k8s-net-calico.yml", 4)],
    }


@pytest.mark.parametrize("kind", ["lablabs", "rancherfederal"])
def test_rke2(copied, kind):
    folder = copied("rke2")
    done = check(folder / kind, "inventory/hosts.yml")
    assert done.returncode == 0, done.stdout
    (folder / "manifests/rke2-calico-config.yaml").unlink()
    (folder / "manifests/other.yaml").write_text("kind: ConfigMap\n")
    variables = folder / kind / "inventory/group_vars" / {"lablabs": "k8s_cluster.yml", "rancherfederal": "rke2_cluster.yml"}[kind]
    text = variables.read_text().replace("10.42.0.0/16", "10.46.0.0/17").replace("10.46.0.0/16", "10.42.0.0/17").replace("rke2-calico-config", "other")
    variables.write_text(text)
    done = check(folder / kind, "inventory/hosts.yml")
    assert done.returncode == 2, done.stdout
    for check_id in ("calico-api-unavailable", "autodetection-picks-submariner", "clusterset-cidr-overlap"):
        assert check_id in done.stdout
    number = next(number for number, line in enumerate(text.splitlines(), 1) if "/17" in line)
    assert (str(variables.relative_to(folder / kind)), number) in located(folder / kind / "report")["clusterset-cidr-overlap"]


class TestExecutionEnvironment:
    def test_the_build_context(self, copied):
        folder = copied("ee")
        done = run(["ansible-builder", "create", "--context", "context", "--output-filename", "Containerfile"], folder)
        assert done.returncode == 0, done.stdout
        text = (folder / "context/Containerfile").read_text()
        assert text.index("ansible-galaxy collection install") < text.index("name=fathom.submariner.subctl")
        assert "fathom.submariner" in (folder / "context/_build/requirements.yml").read_text()
        assert (folder / "context/_build/subctl/subctl.yml").read_text() == (folder / "subctl.yml").read_text()

    def step(self, folder, tmp_path, *more):
        """The line of the build that provides subctl, run here with its own variables but for place and source."""
        steps = yaml.safe_load((folder / "execution-environment.yml").read_text())["additional_build_steps"]["append_final"]
        (command,) = [line.removeprefix("RUN ") for line in steps if line.startswith("RUN ")]
        command = command.replace(" && rm /tmp/subctl.yml", "").replace("/tmp/subctl.yml", str(folder / "subctl.yml"))
        extra = {"submariner_subctl_path": str(tmp_path / "bin/subctl"), **dict(more)}
        return run(["bash", "-c", f"{command} -e '{json.dumps(extra)}'"], tmp_path, ANSIBLE_INVENTORY_UNPARSED_FAILED="false")

    def test_subctl_is_refused_without_its_checksum_and_taken_with_it(self, copied, tmp_path):
        folder = copied("ee")
        version = yaml.safe_load((folder / "subctl.yml").read_text())["submariner_subctl_version"]
        done = self.step(folder, tmp_path)
        assert done.returncode != 0 and "give subctl_checksum" in done.stdout, done.stdout
        content = f'#!/bin/sh\necho "subctl version: v{version}"\n'.encode()
        archive = tmp_path / "subctl.tar.xz"
        with tarfile.open(archive, "w:xz") as tar:
            member = tarfile.TarInfo(f"subctl-v{version}/subctl-v{version}-linux-amd64")
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content))
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        given = {"subctl_url": archive.as_uri()}.items()
        done = self.step(folder, tmp_path, *given, ("submariner_subctl_checksum", f"sha256:{'0' * 64}"))
        assert done.returncode != 0 and not (tmp_path / "bin/subctl").exists(), done.stdout
        done = self.step(folder, tmp_path, *given, ("submariner_subctl_checksum", f"sha256:{digest}"))
        assert done.returncode == 0, done.stdout
        assert os.access(tmp_path / "bin/subctl", os.X_OK)


NOWHERE = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:9"}}],
    "contexts": [{"name": name, "context": {"cluster": "x", "user": "x"}} for name in ("cluster-1", "cluster-2")],
    "users": [{"name": "x", "user": {"token": "none"}}],
}


@pytest.mark.parametrize("name", ["github", pytest.param("gitlab", marks=pytest.mark.exhaustive)])
def test_a_pipeline_fails_and_leaves_its_report(name, tmp_path):
    """Its own line, in a repository with an inventory whose clusters do not answer."""
    job = yaml.safe_load((EXAMPLES / f"ci/{name}.yml").read_text())
    job = job["jobs"]["diagnose"] if name == "github" else job["submariner-diagnose"]
    lines = [step.get("run", "") for step in job["steps"]] if name == "github" else job["script"]
    (command,) = [line for line in lines if "ansible-playbook" in line]
    variables = job.get("env") or job.get("variables")
    (tmp_path / "kubeconfig").write_text(json.dumps(NOWHERE))
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = {context["name"]: {"context": context["name"], **local} for context in NOWHERE["contexts"]}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump({"submariner_clusters": {"hosts": hosts}}))
    assert name == "gitlab" or variables["KUBECONFIG"] == "${{ github.workspace }}/kubeconfig"
    done = run(["bash", "-ec", command], tmp_path, **{**variables, "KUBECONFIG": str(tmp_path / "kubeconfig")})
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stdout
    assert {path.name for path in (tmp_path / "report").iterdir()} >= {"summary.md", "junit.xml", "findings.sarif"}
    assert "cluster-1/cluster-unreadable" in done.stdout and "127.0.0.1:9" in done.stdout
    kept = json.dumps(job)
    for file in ("report/junit.xml",) if name == "gitlab" else ("report/summary.md", "report/findings.sarif"):
        assert file in kept


@pytest.mark.parametrize("playbook, inventory", [("kubespray/submariner.yml", f"kubespray/{INVENTORY}"), ("awx/join.yml", "awx/inventory/clusters.yml")])
def test_what_needs_a_cluster_is_understood(playbook, inventory):
    done = run(["ansible-playbook", "--syntax-check", "-i", inventory, playbook], EXAMPLES)
    assert done.returncode == 0, done.stdout
