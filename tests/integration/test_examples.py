# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples that need no cluster, run as a user does who has copied them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
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


def test_the_inventories_can_be_read_together():
    inventories = ("kubespray/inventory/cluster-3/inventory.ini", "rke2/lablabs/inventory/hosts.yml", "rke2/rancherfederal/inventory/hosts.yml")
    done = run(["ansible-inventory", *(word for each in inventories for word in ("-i", each)), "--list"], EXAMPLES)
    assert done.returncode == 0, done.stdout
    hosts = json.loads(done.stdout[done.stdout.index("{") :])["_meta"]["hostvars"]
    clusters = {name: variables for name, variables in hosts.items() if "submariner_cluster_id" in variables}
    assert sorted(clusters) == ["cluster-1", "cluster-2", "cluster-3"]
    assert all(variables["submariner_cluster_id"] == name for name, variables in clusters.items())
    assert all(name not in variables["submariner_candidates"] for name, variables in clusters.items())


def test_a_token_that_everybody_knows_is_told_and_ones_own_is_not(copied):
    folder = copied("rke2")
    variables = folder / "lablabs/inventory/group_vars/k8s_cluster.yml"
    text = variables.read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("rke2_token:")]
    for written, finding in (("rke2_token: an own s3cret", False), ("rke2_token: defaultSecret12345", True), ("", True)):
        variables.write_text(text.replace(line, written))
        done = run(["ansible-playbook", "-vvv", "-i", "inventory/hosts.yml", "check.yml", "-e", "submariner_report_dir=report"], folder / "lablabs")
        assert done.returncode == (2 if finding else 0), done.stdout
        assert bool(re.search(r"cannot work with: \S+/planned-join-token\.", done.stdout)) == finding, done.stdout
        assert "s3cret" not in done.stdout


# What an installer does, as far as it matters here: tasks on the nodes as root, and the kubeconfig.
SUDO = """#!/bin/sh
# Runs what it is given, as whoever it is, and notes it.
echo "$@" >> "%s"
while [ "$1" != /bin/sh ]; do shift; done
exec "$@"
"""
LOCAL_NODE = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
ON_NODES = [{"name": "Do something on the node", "ansible.builtin.command": "true", "changed_when": False}]
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "default",
    "clusters": [{"name": "default", "cluster": {"server": "https://127.0.0.1:9"}}],
    "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}],
    "users": [{"name": "default", "user": {"token": "none"}}],
}


def stub_of_kubespray(collections, folder):
    playbooks = collections / "kubernetes_sigs/kubespray/playbooks"
    playbooks.mkdir(parents=True)
    fetched = {"content": json.dumps(KUBECONFIG), "dest": "{{ inventory_dir }}/artifacts/admin.conf", "mode": "0600"}
    made = {"path": "{{ inventory_dir }}/artifacts", "state": "directory", "mode": "0700"}
    local = {"delegate_to": "localhost", "become": False, "run_once": True}
    tasks = [*ON_NODES, {"ansible.builtin.file": made, **local}, {"ansible.builtin.copy": fetched, **local}]
    (playbooks / "cluster.yml").write_text(yaml.safe_dump([{"hosts": "k8s_cluster", "gather_facts": False, "tasks": tasks}]))
    inventory = folder / "kubespray" / INVENTORY
    inventory.write_text(inventory.read_text().replace("ansible_host=", f"{LOCAL_NODE} ansible_host="))
    return folder / "kubespray", INVENTORY, ["-b", "cluster.yml"]


def stub_of_a_role(role):
    (role / "tasks").mkdir(parents=True)
    (role / "tasks/main.yml").write_text(yaml.safe_dump(ON_NODES))


def local_nodes(hosts):
    here = LOCAL_NODE.replace("=", ": ").replace(" ansible_p", ", ansible_p")
    hosts.write_text(re.sub(r"\{ansible_host: [\d.]+\}", "{ansible_host: 127.0.0.2, %s}" % here, hosts.read_text()))


def stub_of_lablabs(_collections, folder):
    stub_of_a_role(folder / "rke2/lablabs/roles/lablabs.rke2")
    local_nodes(folder / "rke2/lablabs/inventory/hosts.yml")
    artifacts = folder / "rke2/lablabs/inventory/artifacts"
    artifacts.mkdir()
    (artifacts / "rke2.yaml").write_text(json.dumps(KUBECONFIG))  # rke2_download_kubeconf
    return folder / "rke2/lablabs", "inventory/hosts.yml", ["site.yml"]


def stub_of_rancherfederal(collections, folder):
    stub_of_a_role(collections / "rancherfederal/rke2_ansible/roles/rke2")
    local_nodes(folder / "rke2/rancherfederal/inventory/hosts.yml")
    on_server = folder / "rke2.yaml"
    on_server.write_text(json.dumps(KUBECONFIG))
    site = folder / "rke2/rancherfederal/site.yml"
    site.write_text(site.read_text().replace("/etc/rancher/rke2/rke2.yaml", str(on_server)))
    return folder / "rke2/rancherfederal", "inventory/hosts.yml", ["-b", "site.yml"]


@pytest.mark.parametrize("stub", [stub_of_kubespray, stub_of_lablabs, stub_of_rancherfederal], ids=["kubespray", "lablabs", "rancherfederal"])
def test_the_whole_way_up_to_a_cluster_that_does_not_answer(copied, tmp_path, stub):
    """Nodes are reached as root, the cluster as whoever runs it: with -b, too."""
    for name in ("kubespray", "rke2"):
        copied(name)
    sudo, noted = tmp_path / "sudo", tmp_path / "sudo.log"
    sudo.write_text(SUDO % noted)
    sudo.chmod(0o755)
    folder, inventory, arguments = stub(tmp_path / "collections/ansible_collections", tmp_path)
    paths = f"{environment()['ANSIBLE_COLLECTIONS_PATH']}:{tmp_path / 'collections'}"
    variables = {"ANSIBLE_COLLECTIONS_PATH": paths, "ANSIBLE_BECOME_EXE": str(sudo), "ANSIBLE_BECOME_ALLOW_SAME_USER": "true", "RKE2_TOKEN": "own"}
    done = run(["ansible-playbook", "-i", inventory, *arguments], folder, **variables)
    assert done.returncode == 2, done.stdout
    (cluster,) = set(re.findall(r"(cluster-\d) is not ready to join:", done.stdout))
    assert "cluster-unreadable: not known" in done.stdout and "Do something on the node" in done.stdout
    assert {host: counts["failed"] for host, counts in recap(done).items() if counts["failed"]} == {cluster: 1}
    as_root = [line for line in noted.read_text().splitlines() if "AnsiballZ_" in line or "submariner" in line]
    assert as_root and not [line for line in as_root if not re.search(r"AnsiballZ_(setup|command|slurp)\.py", line)], as_root
    if "rancherfederal" in str(folder):
        fetched = folder / "inventory/artifacts/rke2.yaml"
        assert json.loads(fetched.read_text())["clusters"][0]["cluster"]["server"] == "https://127.0.0.2:9"
        assert fetched.stat().st_mode & 0o777 == 0o600


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
